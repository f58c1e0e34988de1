"""CUDA kernels compiled for the CPU and run thread by thread, and NumPy in CuPy's place: an emulated device, not a GPU.

    kernel = compile(Path("softmax.cu"), {"THREADS": 32}, ["softmax"]).get_function("softmax")
    kernel((blocks,), (32,), (x, out, x.shape[0]))

What a GPU would answer with a fault, a hang or now and then a wrong number is a RuntimeError here: an access outside
the arguments, a misaligned one, a barrier that not all reach, a race for shared memory. See `cuda_on_cpu.h`.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import ml_dtypes
import numpy as np

HERE = Path(__file__).parent
# Some distributions have their compilers fortify, which forbids long jumps from stack to stack.
EVERYWHERE = ["-std=c++17", "-fPIC", "-U_FORTIFY_SOURCE"]
UNDEFINED = "alignment,bounds,shift-exponent,signed-integer-overflow,integer-divide-by-zero,float-cast-overflow"
SANITIZERS = ["-fsanitize=thread", f"-fsanitize={UNDEFINED}", "-fno-sanitize-recover=all"]
DIALECT = ["-O1", "-fno-strict-aliasing", "-fno-exceptions", "-ffp-contract=off", "-include", HERE / "cuda_on_cpu.h"]


class NoCompiler(RuntimeError):
    """Without g++ there is no emulated device."""


class Kernel:
    """Called as CuPy's RawKernel is, but with what on a GPU is compiled in: `flush` is -ftz=true."""

    def __init__(self, library: ctypes.PyDLL, name: str) -> None:
        self.name = name
        self.launch = machine().launch
        self.run = library[f"run_{name}"]
        signature = library[f"signature_{name}"]
        signature.restype = ctypes.c_char_p
        letters = signature().decode()
        self.types = [letters[i : i + 2] for i in range(0, len(letters), 2)]

    def __call__(self, grid: Sequence[int], block: Sequence[int], args: Sequence[Any], *, flush: bool = False) -> None:
        grid, block = ((*shape, 1, 1)[:3] for shape in (grid, block))
        if min(grid + block) < 1 or np.prod(block) > 1024:
            raise ValueError(f"{self.name} cannot run with grid {grid} and block {block}")
        types, values, bounds = zip(*map(as_passed, args), strict=True)
        if list(types) != self.types:
            raise TypeError(f"{self.name} takes {self.types}, got {list(types)}")
        problem = self.launch(
            self.run,
            (ctypes.c_void_p * len(values))(*(value.ctypes.data for value in values)),
            (ctypes.c_uint * 3)(*grid),
            (ctypes.c_uint * 3)(*block),
            (ctypes.c_void_p * (2 * len(args)))(*(end for array in bounds for end in array)),
            len(args),
            flush,
        )
        if problem:
            raise RuntimeError(f"{self.name}: {problem.decode()}")


class Module:
    """Compiled kernels, by name: what CuPy's RawModule is."""

    def __init__(self, library: ctypes.PyDLL) -> None:
        self.library = library

    def get_function(self, name: str) -> Kernel:
        return Kernel(self.library, name)


def as_passed(arg: Any) -> tuple[str, np.ndarray, tuple[int, int]]:
    """An argument's type and value as CuPy passes it (a Python int is a long long), and the memory it points to."""
    if isinstance(arg, np.ndarray):
        return "P8", np.asarray(arg.ctypes.data), np.lib.array_utils.byte_bounds(arg)
    value = np.asarray(0 if arg is None else arg)
    return "P8" if arg is None else value.dtype.str[1:], value, (0, 0)


# tests/conftest.py names a folder here, so that the processes of one run compile each thing once between them.
FOLDER = "EMULATED_GPU_FOLDER"


@functools.cache
def own_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="emulated_gpu_")


def folder() -> Path:
    return Path(os.environ.get(FOLDER) or own_folder().name)


def run_compiler(*arguments: str | Path) -> None:
    compiler = shutil.which("g++")  # Clang looks at the alignment of a number, but not of a struct that is copied whole
    if compiler is None:
        raise NoCompiler("no g++ to compile for the emulated GPU")
    result = subprocess.run([compiler, *EVERYWHERE, *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"does not compile:\n{result.stderr}")


def load(name: str, build: Callable[[Path], Path]) -> ctypes.PyDLL:
    """The shared library of this name, which `build` makes in a folder of its own where no process has made it yet.

    PyDLL because the emulated device runs one kernel at a time.
    """
    library = folder() / f"{name}.so"
    if not library.exists():
        with tempfile.TemporaryDirectory(dir=folder()) as work:
            build(Path(work)).replace(library)  # at once: another process never finds half of it
    return ctypes.PyDLL(str(library))


@functools.cache
def machine() -> ctypes.PyDLL:
    def build(work: Path) -> Path:
        run_compiler("-shared", "-O2", HERE / "cuda_on_cpu.cpp", "-o", work / "machine.so")
        return work / "machine.so"

    library = load("machine", build)
    library.launch.restype = ctypes.c_char_p
    return library


@functools.cache
def compile_text(source: str, macros: tuple[str, ...], kernels: tuple[str, ...]) -> Module:
    def build(work: Path) -> Path:
        path = work / "kernels.cpp"
        path.write_text(source + "".join(f"\nLAUNCHABLE({kernel})" for kernel in kernels))
        run_compiler("-c", *DIALECT, *SANITIZERS, *macros, path, "-o", work / "kernels.o")
        # Linked apart, without the sanitizers' libraries: the machine answers their calls.
        run_compiler("-shared", work / "kernels.o", machine()._name, "-o", work / "kernels.so")
        return work / "kernels.so"

    return Module(load(hashlib.sha256(repr((source, macros, kernels)).encode()).hexdigest(), build))


def compile(source: Path, macros: Mapping[str, str | int], kernels: Sequence[str]) -> Module:
    """The kernels of a file, for these values of its macros; the same ones are compiled once."""
    definitions = tuple(f"-D{name}={value}" for name, value in macros.items())
    return compile_text(source.read_text(), definitions, tuple(kernels))


# What is compiled of softmax.cu, by the number of arrays that its kernels read.
KERNELS_OF = {
    "1": (
        "normalizers",
        "softmax",
        "log_softmax",
        "cross_entropy_grad",
        "logsumexp",
        "cross_entropy",
        "merge_normalizers",
    ),
    "2": ("moments", "softmax_vjp", "merge_moments"),
}


class RawModule:
    """CuPy's, for `softmax.cu`."""

    def __init__(self, code: str, options: Sequence[str]) -> None:
        macros = dict(option[2:].split("=") for option in options if option.startswith("-D"))
        definitions = tuple(f"-D{name}={value}" for name, value in macros.items())
        self.flush = macros["ELEMENT"] != "float64"  # of floats, CuPy flushes what is subnormal
        self.module = compile_text(code, definitions, KERNELS_OF[macros["ARRAYS"]])

    def get_function(self, name: str) -> Callable[..., None]:
        return functools.partial(self.module.get_function(name), flush=self.flush)


class CUDARuntimeError(RuntimeError):
    """Never raised: there always is a device."""


class Device:
    compute_capability = "90"

    def __init__(self, number: int = 0) -> None:
        self.id = number

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Device) and self.id == other.id

    __hash__ = None

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


class DeviceArray(np.ndarray):
    """An array of the emulated device. As on a GPU, NumPy's own are not; here they share its memory all the same."""

    device = Device()

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.ctypes.data)

    def min(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """CuPy's has no other arguments."""
        return super().min(axis, out, keepdims)

    def __repr__(self) -> str:
        """CuPy's prints as NumPy's does."""
        return repr(self.view(np.ndarray))

    def refuse_what_the_type_cannot_hold(self, number: Any) -> None:
        """CuPy compares with no such int: an OverflowError, where NumPy has an answer."""
        if type(number) is int and self.dtype.kind in "iu":
            self.dtype.type(number)

    def __eq__(self, other: Any) -> Any:
        self.refuse_what_the_type_cannot_hold(other)
        return super().__eq__(other)

    def __lt__(self, other: Any) -> Any:
        self.refuse_what_the_type_cannot_hold(other)
        return super().__lt__(other)

    def __ge__(self, other: Any) -> Any:
        self.refuse_what_the_type_cannot_hold(other)
        return super().__ge__(other)

    __hash__ = None


class ArrayModule:
    """NumPy in CuPy's place."""

    __version__ = "14.2.0"
    ndarray = DeviceArray
    asnumpy = staticmethod(np.asarray)
    RawModule = RawModule
    cuda = SimpleNamespace(
        Device=Device, runtime=SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=CUDARuntimeError)
    )

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name)

        @functools.wraps(function)
        def on_device(*args: Any, **options: Any) -> Any:
            result = function(*args, **options)
            return result.view(DeviceArray) if isinstance(result, np.ndarray) else result

        return on_device

    def asarray(self, array: Any) -> np.ndarray:
        return np.require(array, requirements="A").view(DeviceArray)

    def where(self, condition: Any, *choices: Any) -> Any:
        """CuPy's has no loop for bfloat16, and takes the next one that can hold it."""
        chosen = np.where(condition, *choices)
        return chosen.astype(np.float32 if chosen.dtype == ml_dtypes.bfloat16 else chosen.dtype).view(DeviceArray)

    def empty(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return unwritten(np.empty(*args, **kwargs))

    def empty_like(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return unwritten(np.empty_like(*args, **kwargs))


def unwritten(array: np.ndarray) -> np.ndarray:
    """All bits set, which is NaN in every float type: what a kernel forgets to write is seen."""
    ctypes.memset(array.ctypes.data, 0xFF, array.nbytes)
    return array.view(DeviceArray)


def with_cupy() -> ModuleType:
    """`softmax_lib.with_cupy` on the emulated device: a module of its own, beside the real one."""
    machine()
    spec = importlib.util.find_spec("softmax_lib.with_cupy")
    module = importlib.util.module_from_spec(spec)
    with patch.dict(sys.modules, {"cupy": ArrayModule(), spec.name: module}):
        spec.loader.exec_module(module)
    return module
