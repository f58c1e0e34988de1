"""How fast softmax and its relatives are on this machine's GPU, beside its peers and a copy of the same arrays.

Any Python that has CuPy can run it; PyTorch and Triton take part where they are installed. Each answer is checked
against float64, and who is wrong is named and not timed. Then the contestants take turns on one stream, several rounds
in random order, timed by events. Arrays are as many as it takes to move a gigabyte before one is used again, so that
no cache is measured. A copy from device to device is the limit, in each round.

The file holds `facts`; `cases`, each with its `results` by contestant: `seconds` of a call, `gigabytes_per_second`
(bytes that must move, once each), and the `ratio_to_copy` of those, round by round; `launch`, what a call on a tiny
array takes for the host and on the device; `transfer`, in GB/s; `first_call`, in seconds; and `crossover`, how long
processor and GPU take for more and more `rows`, and for the GPU, in `wins_from`, how many rows it takes to be ahead.
"""

import argparse
import functools
import gc
import importlib
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks import contestants, cpu, report
from benchmarks.contestants import OPERATIONS, TRAFFIC, Call, Case, Inputs, Prepare
from benchmarks.gpu_contestants import CONTESTANTS, PACKAGES, as_array

MIB, GIB = 2**20, 2**30
ROTATION = 10**9  # bytes that pass before an array is used again: twenty times the L2 cache of an H100
WORKING = 8  # arrays that the contestants allocate on their own, or keep in their pools
SAMPLE = 5e-3  # seconds at least
ROUNDS = 9
ENOUGH = 2.0  # seconds a case: after three rounds, who is slow waits for the others
PATIENCE = 0.2  # seconds for each point of a wall clock's curve, and five calls at least

# Wider than rounding in the type (bfloat16 near -16, where the logits less their maximum end, has steps of 0.06), and
# narrower than any mistake.
TOLERANCES = contestants.TOLERANCES | {"float16": 2e-2, "bfloat16": 1e-1}
LENGTHS = (32, 128, 512, 1024, 4096, 16_384, 65_536, 131_072, 262_144)
ROWS, QUICK_ROWS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000), (1, 10, 100, 1000)
COLUMNS = 1000  # of the launch and the crossover: ImageNet's classes


def filled(operation: str, length: int, dtype: str = "float32", axis: int = -1, size: int = GIB) -> Case:
    """As many slices of this length as make an array of `size` bytes."""
    batch = size * 8 // int(dtype[-2:]) // length
    return Case(operation, (length, batch) if axis == 0 else (batch, length), dtype, axis)


GRID = [
    *(filled("softmax", length, dtype) for dtype in ("float32", "float16", "bfloat16") for length in LENGTHS),
    Case("softmax", (1, 2**24)),
    filled("softmax", 4096, "float64"),
    Case("softmax", (4096, 4096), axis=0),
    *(filled("softmax", length, axis=0) for length in (32, 4096, 65_536)),
    filled("softmax", 4096, "bfloat16", axis=0),
    *(
        filled(operation, length, dtype)
        for operation in OPERATIONS[1:]
        for dtype in ("float32", "bfloat16")
        for length in (128, 4096, 131_072)
    ),
    filled("softmax_vjp", 4096, axis=0),
]
QUICK_GRID = [
    *(filled("softmax", length, size=256 * MIB) for length in (4096, 131_072)),
    filled("softmax", 4096, "bfloat16", size=256 * MIB),
    filled("softmax", 4096, axis=0, size=256 * MIB),
    *(filled(operation, 4096, size=256 * MIB) for operation in OPERATIONS[1:]),
]

FIRST_CALL = """
import time
import cupy
x = cupy.zeros((2, 1000), cupy.float32)
cupy.cuda.runtime.deviceSynchronize()
start = time.perf_counter()
from softmax_lib.with_cupy import softmax
softmax(x)
cupy.cuda.runtime.deviceSynchronize()
print(time.perf_counter() - start)
"""

# --- the device ------------------------------------------------------------------------------------------------------


class Gpu:
    """The current device, as far as the benchmark needs it: the tests put NumPy in the place of CuPy's `arrays`."""

    def __init__(self, cupy: Any) -> None:
        self.arrays, self.runtime = cupy, cupy.cuda.runtime
        # PyTorch's and Triton's stream too, unless they are told otherwise: events on it time everybody.
        cupy.cuda.Stream.null.use()
        size = min(256 * MIB, self.free_bytes() // 16)
        self.scratch = [cupy.zeros(size, np.uint8) for _ in range(2)]
        self.copy_seconds = math.inf
        copies = 10 * [lambda: self.copy(*self.scratch)]
        self.copy_seconds = self.seconds(copies) / len(copies)

    def seconds(self, calls: Iterable[Call], enqueueing: float = 0.0) -> float:
        """How long the device takes for the calls.

        Before them it copies, for longer than the host takes to enqueue them (`enqueueing`, in seconds): it never
        waits for Python, and finds nothing in its cache.
        """
        for _ in range(1 + math.ceil(2 * min(enqueueing, 0.1) / self.copy_seconds)):
            self.copy(*self.scratch)
        start, stop = self.arrays.cuda.Event(), self.arrays.cuda.Event()
        start.record()
        for call in calls:
            call()
        stop.record()
        stop.synchronize()
        return self.arrays.cuda.get_elapsed_time(start, stop) / 1e3  # type: ignore[no-any-return]

    def synchronize(self) -> None:
        self.runtime.deviceSynchronize()

    def free_bytes(self) -> int:
        """What can be allocated, after all that nobody needs has been given back."""
        gc.collect()
        self.arrays.get_default_memory_pool().free_all_blocks()
        if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
            sys.modules["torch"].cuda.empty_cache()
        return int(self.runtime.memGetInfo()[0])

    def copy(self, source: Any, target: Any) -> None:
        target.data.copy_from_device_async(source.data, source.nbytes)

    def upload(self, host: Any, device: Any) -> None:
        device.set(host)

    def download(self, device: Any, host: Any) -> None:
        device.get(out=host)

    def to_host(self, array: Any) -> Any:
        return self.arrays.asnumpy(array)

    def pinned(self, size: int) -> Any:
        """Bytes of the host that the device reads itself, without a detour."""
        from cupyx import empty_pinned

        return empty_pinned(size, np.uint8)

    def facts(self) -> dict[str, Any]:
        properties = self.runtime.getDeviceProperties(self.runtime.getDevice())
        return {
            "name": properties["name"].decode(),
            "compute_capability": f"{properties['major']}.{properties['minor']}",
            "multiprocessors": properties["multiProcessorCount"],
            "memory_bytes": properties["totalGlobalMem"],
            "l2_bytes": properties["l2CacheSize"],
            "cuda_of_driver": self.runtime.driverGetVersion(),
            "cuda_of_cupy": self.runtime.runtimeGetVersion(),
        }

    def nvidia_smi(self) -> dict[str, str | None]:
        """The driver's version, clocks in MHz, now and at most, and the power limit in W; None without nvidia-smi."""
        names = ("driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm", "clocks.max.mem", "power.limit")
        bus = self.runtime.deviceGetPCIBusId(self.runtime.getDevice())
        query = f"--query-gpu={','.join(names)}"
        said = report._output_of("nvidia-smi", "-i", bus, query, "--format=csv,noheader,nounits")
        values = (said or "").split(", ")
        return dict(zip(names, values if len(values) == len(names) else len(names) * [None], strict=True))


def find() -> Gpu:
    """The GPU, or a RuntimeError that says what is missing."""
    try:
        import cupy
    except ImportError as problem:
        raise RuntimeError(f"CuPy is needed, and cannot be imported: {problem}") from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as problem:  # CuPy's own, for every CUDA error
        raise RuntimeError(f"a CUDA GPU is needed, and CuPy cannot use one: {problem}") from None
    if not count:
        raise RuntimeError("a CUDA GPU is needed, and CuPy finds none")
    return Gpu(cupy)


# --- inputs, and what fits -------------------------------------------------------------------------------------------


def buffers(case: Case) -> int:
    """How many arrays are used in turn, so that `ROTATION` bytes are moved between two uses of one."""
    return 1 + math.ceil(ROTATION / case.bytes_moved)


def footprint(case: Case) -> int:
    """The bytes that a case takes: in each buffer what is read, and an array for the result."""
    arrays = buffers(case) * max(TRAFFIC[case.operation], 2) + WORKING
    return arrays * math.prod(case.shape) * np.dtype(case.dtype).itemsize


def fitted(case: Case, free: int) -> Case | None:
    """The case with as much of its batch as fits into the memory, halved and halved again; None if nothing does."""
    rows, columns = case.shape
    while footprint(case) > 0.8 * free:
        if (columns if case.axis == 0 else rows) == 1:
            return None
        rows, columns = (rows, columns // 2) if case.axis == 0 else (rows // 2, columns)
        case = case._replace(shape=(rows, columns))
    return case


def make_inputs(gpu: Gpu, case: Case) -> Inputs:
    """What `contestants.make_inputs` makes of the same numbers, on the device."""
    generator = np.random.default_rng(0)
    normals = generator.standard_normal(1_000_003)
    dtype = np.dtype(case.dtype)
    if case.operation == "softmax_vjp":
        p = _repeated(gpu, 2 * normals, case.shape, np.promote_types(dtype, np.float32))
        p -= p.max(axis=case.axis, keepdims=True)
        gpu.arrays.exp(p, out=p)
        p /= p.sum(axis=case.axis, keepdims=True)
        return p.astype(dtype, copy=False), _repeated(gpu, normals[::-1], case.shape, dtype)
    x = _repeated(gpu, 2 * normals, case.shape, dtype)
    if case.operation == "cross_entropy":
        rows, classes = case.shape
        return x, gpu.arrays.asarray(generator.integers(0, classes, rows))
    return (x,)


def _repeated(gpu: Gpu, values: Any, shape: tuple[int, int], dtype: Any) -> Any:
    array = gpu.arrays.empty(shape, dtype)
    flat, pattern = _bits(array).reshape(-1), gpu.arrays.asarray(_bits(values.astype(dtype)))
    for start in range(0, flat.size, pattern.size):
        flat[start : start + pattern.size] = pattern[: flat.size - start]
    return array


def _bits(array: Any) -> Any:
    """The numbers as unsigned integers: moved and compared so, bfloat16 needs nothing from CuPy."""
    return array.view(np.dtype(f"uint{8 * array.itemsize}"))


class Answer:
    """The right answer in float64 for some of the slices: the first, the last, and others by chance."""

    def __init__(self, gpu: Gpu, case: Case, inputs: Inputs) -> None:
        self.gpu, self.case = gpu, case
        batch, length = math.prod(case.shape) // case.shape[case.axis], case.shape[case.axis]
        others = np.random.default_rng(1).integers(0, batch, max(8, 2**18 // length))
        self.slices = np.unique([0, batch - 1, *others])
        self.shape = (batch,) if case.operation == "cross_entropy" else case.shape
        self.exact, self.scale = contestants._exact(case.operation, *map(self._chosen, inputs))
        # Below the smallest normal number, a type has no relative precision to be held to.
        self.scale = self.scale + _smallest_normal(case.dtype)

    def _chosen(self, array: Any) -> Any:
        """The slices of an array, as rows: in float64, but class indices as they are."""
        axis = 1 if self.case.axis == 0 else 0
        taken = self.gpu.arrays.take(_bits(array), self.gpu.arrays.asarray(self.slices), axis=axis)
        rows = self.gpu.to_host(taken).view(array.dtype)
        return (rows.T if self.case.axis == 0 else rows).astype(rows.dtype if rows.dtype.kind == "i" else np.float64)

    def error(self, result: Any) -> float:
        """The largest error of the chosen slices, relative to the numbers that they are made of."""
        if result.shape != self.shape or result.dtype != np.dtype(self.case.dtype):
            return math.inf
        if bool((_bits(result) == _unwritten(result)).any()):
            return math.inf
        errors = np.abs(self._chosen(result) - self.exact) / self.scale
        return float(np.nan_to_num(errors, nan=np.inf).max())


def _unwritten(array: Any) -> Any:
    """All bits set: a NaN in every format, and one that no computation gives."""
    return np.iinfo(f"uint{8 * array.itemsize}").dtype.type(2 ** (8 * array.itemsize) - 1)


def _smallest_normal(dtype: str) -> float:
    return 2.0**-126 if dtype == "bfloat16" else float(np.finfo(dtype).smallest_normal)


# --- taking turns ----------------------------------------------------------------------------------------------------


def prepared(
    gpu: Gpu, case: Case, taking_part: dict[str, Prepare], arrays: Sequence[tuple[Inputs, Any]]
) -> tuple[dict[str, list[Call]], dict[str, dict[str, Any]]]:
    """The calls of those who are right, one for each buffer, and the first of the results: errors, and who is not."""
    calls: dict[str, list[Call]] = {}
    results: dict[str, dict[str, Any]] = {}
    (inputs, out), *_ = arrays
    answer = Answer(gpu, case, inputs)
    for name, prepare in taking_part.items():
        try:
            made = [prepare(case, *each) for each in arrays]
            _bits(out).fill(_unwritten(out))
            result = as_array(gpu, made[0]())
            if name == "copy":
                found = 0.0 if bool((_bits(result) == _bits(inputs[0])).all()) else math.inf
            else:
                found = answer.error(result)
        except Exception as problem:
            results[name] = {"left_out": _reason(gpu, f"{name}, {case}", problem)}
            continue
        results[name] = {"error": found}
        if found <= TOLERANCES[case.dtype]:
            calls[name] = made
        else:
            results[name]["left_out"] = f"wrong: the largest error is {found:.2g}"
    return calls, results


def _reason(gpu: Gpu, what: str, problem: Exception) -> str:
    """Why something is left out. An error that the device does not survive ends the run."""
    reason = str(problem) if isinstance(problem, NotImplementedError) else cpu._one_line(problem)
    try:
        gpu.synchronize()
    except Exception:
        raise SystemExit(
            f"python -m benchmarks.gpu: the device is lost after {what} ({reason}). "
            f"Nothing is written; with --contestants you can name the others."
        ) from None
    return reason


def measure(gpu: Gpu, case: Case, taking_part: dict[str, Prepare], rounds: int) -> dict[str, Any]:
    """The results of all in one case, by name."""
    first, number = make_inputs(gpu, case), buffers(case)
    inputs = [first, *(tuple(array.copy() for array in first) for _ in range(number - 1))]
    arrays = [(each, gpu.arrays.empty(case.shape, np.dtype(case.dtype))) for each in inputs]
    calls, results = prepared(gpu, case, taking_part, arrays)
    if "copy" not in calls:
        raise RuntimeError(f"the copy, which is the limit, fails: {results['copy']['left_out']}")
    samples: dict[str, list[float]] = {name: [] for name in calls}
    ratios: dict[str, list[float]] = {name: [] for name in calls}
    of_copy = case._replace(operation="copy").bytes_moved
    moved = dict.fromkeys(calls, case.bytes_moved) | {"copy": of_copy}
    turns = {name: _turn(gpu, made) for name, made in calls.items()}
    order = random.Random(0)
    for done in range(rounds):
        seconds = {}
        for name in order.sample(list(calls), len(calls)):
            sequence, enqueueing = turns[name]
            if name == "copy" or done < 3 or sum(samples[name]) * len(sequence) <= ENOUGH:
                seconds[name] = gpu.seconds(sequence, enqueueing) / len(sequence)
        for name, taken in seconds.items():
            samples[name].append(taken)
            ratios[name].append((moved[name] / taken) / (of_copy / seconds["copy"]))
    for name in calls:
        results[name] |= cpu._summary(moved[name], samples[name]) | {"ratio_to_copy": _quartiles(ratios[name])}
    return results


def _turn(gpu: Gpu, calls: list[Call]) -> tuple[list[Call], float]:
    """The calls of one sample, all buffers in turn, and how long the host takes to enqueue them."""
    gpu.synchronize()
    begin = time.perf_counter()
    for call in calls:
        call()
    enqueueing = time.perf_counter() - begin
    times = math.ceil(SAMPLE / gpu.seconds(calls, enqueueing))
    return calls * times, enqueueing * times


def _quartiles(values: Sequence[float]) -> dict[str, float]:
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return {"median": median, "lower_quartile": lower, "upper_quartile": upper}


# --- what it costs to be there ---------------------------------------------------------------------------------------


def wall(gpu: Gpu, call: Call) -> float:
    """Seconds on the host's clock until the result is there, the median of several calls; the first is not counted."""
    samples: list[float] = []
    while len(samples) < 6 or sum(samples) < PATIENCE:
        gpu.synchronize()
        begin = time.perf_counter()
        call()
        gpu.synchronize()
        samples.append(time.perf_counter() - begin)
    return statistics.median(samples[1:])


def launch(gpu: Gpu, taking_part: dict[str, Prepare]) -> dict[str, Any]:
    """Seconds for one row: of a call until its result is there, and of its kernels alone."""
    case = Case("softmax", (1, COLUMNS))
    arrays = [(make_inputs(gpu, case), gpu.arrays.empty(case.shape, np.dtype(case.dtype)))]
    calls, results = prepared(gpu, case, taking_part, arrays)
    for name, (call,) in calls.items():
        in_all = wall(gpu, call)
        samples = [gpu.seconds(50 * [call], 50 * in_all) / 50 for _ in range(ROUNDS)]
        results[name] |= {"call_seconds": in_all, "kernel_seconds": statistics.median(samples)}
    return {"shape": case.shape, "dtype": case.dtype, "results": results}


def transfers(gpu: Gpu) -> dict[str, Any]:
    """GB/s between host and device, from memory that the system may move (`pageable`) and from `pinned` memory."""
    size = min(256 * MIB, gpu.free_bytes() // 4)
    device = gpu.arrays.empty(size, np.dtype("uint8"))
    found: dict[str, Any] = {"bytes": size, "to_device": {}, "to_host": {}}
    for kind, host in (("pageable", np.empty(size, np.uint8)), ("pinned", gpu.pinned(size))):
        host.fill(1)  # the system gives a page its memory at the first touch
        found["to_device"][kind] = size / wall(gpu, functools.partial(gpu.upload, host, device)) / 1e9
        found["to_host"][kind] = size / wall(gpu, functools.partial(gpu.download, device, host)) / 1e9
    return found


def first_call() -> dict[str, float]:
    """Seconds that a new process takes to import the library and for its first call: compiled, and from the cache."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"CUPY_CACHE_DIR": folder, "CUDA_CACHE_PATH": folder}
        for cache in ("empty", "filled"):
            command = [sys.executable, "-c", FIRST_CALL]
            ran = subprocess.run(command, cwd=report.ROOT, env=environment, capture_output=True, text=True)
            if ran.returncode:
                raise RuntimeError(ran.stderr.strip().rpartition("\n")[2])
            found[cache] = float(ran.stdout)
    return found


def crossover(gpu: Gpu, rows: Sequence[int]) -> dict[str, Any]:
    """Seconds for a softmax of more and more rows: on the processor, on the GPU, and there and back."""

    def on_host(softmax: Callable[[Any], Any]) -> Callable[[Any], Call]:
        return lambda x: lambda: softmax(x)

    def on_device(softmax: Callable[[Any], Any]) -> Callable[[Any], Call]:
        def prepare(x: Any) -> Call:
            device = gpu.arrays.asarray(x)
            return lambda: softmax(device)

        return prepare

    def there_and_back(softmax: Callable[[Any], Any]) -> Callable[[Any], Call]:
        return lambda x: lambda: gpu.to_host(softmax(gpu.arrays.asarray(x)))

    ways = {
        "with_numpy": ("with_numpy", on_host),
        "with_numba": ("with_numba", on_host),
        "with_cupy": ("with_cupy", on_device),
        "with_cupy_and_transfers": ("with_cupy", there_and_back),
    }
    prepare, left_out = {}, {}
    for name, (backend, way) in ways.items():
        try:
            prepare[name] = way(importlib.import_module(f"softmax_lib.{backend}").softmax)
        except ImportError as problem:
            left_out[name] = str(problem)
    seconds: dict[str, list[float]] = {name: [] for name in prepare}
    for number in rows:
        case = Case("softmax", (number, COLUMNS))
        inputs = contestants.make_inputs(case)
        answer = Answer(gpu, case, (gpu.arrays.asarray(inputs[0]),))
        for name in list(seconds):
            try:
                call = prepare[name](*inputs)
                if not (found := answer.error(gpu.arrays.asarray(call()))) <= TOLERANCES[case.dtype]:
                    raise ValueError(f"{case}: the largest error is {found:.2g}")
                seconds[name].append(wall(gpu, call))
            except Exception as problem:
                left_out[name] = _reason(gpu, f"{name}, {case}", problem)
                del seconds[name]
    wins = {
        name: {host: wins_from(rows, seconds[name], seconds[host]) for host in seconds if "cupy" not in host}
        for name in seconds
        if "cupy" in name
    }
    return {"columns": COLUMNS, "rows": list(rows), "seconds": seconds, "wins_from": wins, "left_out": left_out}


def wins_from(sizes: Sequence[int], ours: Sequence[float], theirs: Sequence[float]) -> int | None:
    """The smallest size from which on we are faster, there and at all larger ones; None if not at the largest."""
    ahead = None
    for size, mine, other in reversed(list(zip(sizes, ours, theirs, strict=True))):
        if mine >= other:
            break
        ahead = size
    return ahead


# --- what is printed -------------------------------------------------------------------------------------------------


def tables(results: dict[str, Any]) -> str:
    """For each operation the cases, and beside the copy how much of its speed each contestant reaches."""
    names = dict.fromkeys(name for case in results["cases"] for name in case["results"] if name != "copy")
    text = []
    for operation in dict.fromkeys(case["operation"] for case in results["cases"]):
        rows = [
            (
                f"  {case['name'].removeprefix(operation).strip()}",
                f"{case['results']['copy']['gigabytes_per_second']:.0f}",
                *(_ratio(case["results"].get(name, {})) for name in names),
            )
            for case in results["cases"]
            if case["operation"] == operation
        ]
        text.append(report.table((operation, "copy, GB/s", *names), rows))
    costs = {"launch": _launch, "transfer": _transfers, "first_call": _first_call, "crossover": _crossover}
    return "\n\n".join([*text, *(tell(results[name]) for name, tell in costs.items() if name in results)])


def _launch(found: dict[str, Any]) -> str:
    rows = [
        (f"  {name}", f"{one['call_seconds'] * 1e6:.1f}", f"{one['kernel_seconds'] * 1e6:.1f}")
        for name, one in found["results"].items()
        if "call_seconds" in one
    ]
    return report.table((f"one row of {COLUMNS}, microseconds", "in all", "on the device"), rows)


def _transfers(found: dict[str, Any]) -> str:
    rows = [
        (f"  {kind}", f"{found['to_device'][kind]:.1f}", f"{found['to_host'][kind]:.1f}") for kind in found["to_host"]
    ]
    return report.table(("transfers, GB/s", "to the device", "to the host"), rows)


def _first_call(found: dict[str, float]) -> str:
    return f"first call: {found['empty']:.2f} s, with a filled cache {found['filled']:.2f} s"


def _crossover(found: dict[str, Any]) -> str:
    rows = [(f"  {name}", *(f"{value * 1e6:.4g}" for value in curve)) for name, curve in found["seconds"].items()]
    wins = [
        f"{name} is ahead of {host} {'nowhere' if first is None else f'from {first} rows on'}"
        for name, hosts in found["wins_from"].items()
        for host, first in hosts.items()
    ]
    return "\n".join([report.table((f"rows of {COLUMNS}, microseconds", *map(str, found["rows"])), rows), *wins])


def _ratio(result: dict[str, Any]) -> str:
    if "ratio_to_copy" in result:
        return f"{result['ratio_to_copy']['median']:.2f}"
    return "wrong" if "error" in result else "-"


LEGEND = (
    "Speed: the bytes that must move, over the median time; of the copy's, in the same round. "
    "-: left out; the file says why."
)

# --- the command line ------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    made = report.parser("gpu", __doc__)
    made.add_argument("--quick", action="store_true", help="fewer cases: about a minute")
    made.add_argument("--only", nargs="+", choices=OPERATIONS, default=OPERATIONS, metavar="OPERATION")
    made.add_argument("--dtypes", nargs="+", choices=TOLERANCES, default=list(TOLERANCES), metavar="DTYPE")
    made.add_argument(
        "--contestants",
        nargs="+",
        choices=CONTESTANTS,
        default=list(CONTESTANTS),
        metavar="NAME",
        help=f"some of {', '.join(CONTESTANTS)}; the copy always takes part",
    )
    return made


def load(gpu: Gpu, names: Iterable[str]) -> tuple[dict[str, Prepare], dict[str, str]]:
    """The contestants that are here, and why the others are not, nor the cases in bfloat16."""
    here, left_out = {}, {}
    for name in dict.fromkeys(["copy", *names]):
        try:
            here[name] = CONTESTANTS[name](gpu)
        except Exception as problem:  # an installation can be broken in many ways
            left_out[name] = cpu._one_line(problem)
    try:
        import ml_dtypes

        gpu.arrays.ones(1, np.dtype("float32")).astype(np.dtype(ml_dtypes.bfloat16))
        gpu.synchronize()
    except Exception as problem:
        left_out["bfloat16"] = cpu._one_line(problem)
    return here, left_out


def run(gpu: Gpu, options: argparse.Namespace) -> dict[str, Any]:
    """All the measurements, as the file will hold them."""
    begin = time.perf_counter()
    facts = report.facts(PACKAGES) | {"gpu": gpu.facts()}
    facts["versions"]["cupy"] = gpu.arrays.__version__
    taking_part, left_out = load(gpu, options.contestants)
    wanted = [
        case
        for case in (QUICK_GRID if options.quick else GRID)
        if case.operation in options.only and case.dtype in options.dtypes and case.dtype not in left_out
    ]
    cases = []
    progress = report.Progress(len(wanted) + 4)
    for case in wanted:
        progress.step(str(case))
        if not (case_here := fitted(case, gpu.free_bytes())):
            left_out[str(case)] = "too large for this device's memory"
            continue
        try:
            results = measure(gpu, case_here, taking_part, ROUNDS)
        except Exception as problem:
            left_out[str(case)] = _reason(gpu, str(case_here), problem)
            continue
        described = {"name": str(case_here), **case_here._asdict(), "bytes": case_here.bytes_moved}
        cases.append(described | {"buffers": buffers(case_here), "results": results})
    facts["gpu"] |= gpu.nvidia_smi()
    costs: dict[str, Callable[[], dict[str, Any]]] = {
        "launch": lambda: launch(gpu, taking_part),
        "transfer": lambda: transfers(gpu),
        "first_call": first_call,
        "crossover": lambda: crossover(gpu, QUICK_ROWS if options.quick else ROWS),
    }
    found = {}
    for name, cost in costs.items():
        progress.step(name.replace("_", " "))
        try:
            found[name] = cost()
        except Exception as problem:
            left_out[name] = _reason(gpu, name, problem)
    progress.close()
    return {
        "facts": facts,
        "quick": options.quick,
        "left_out": left_out,
        "cases": cases,
        **found,
        "seconds": time.perf_counter() - begin,
    }


def main(given: Sequence[str] | None = None, gpu: Gpu | None = None) -> int:
    command = parser()
    options = command.parse_args(given)
    try:
        gpu = gpu or find()
    except RuntimeError as problem:
        command.error(str(problem).splitlines()[0])
    try:
        results = run(gpu, options)
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is written.", file=sys.stderr)
        return 130
    if not results["cases"]:
        print(f"Nothing could be measured: {results['left_out']}", file=sys.stderr)
        return 1
    report.write(options.output, results)
    print(tables(results))
    print(f"\n{LEGEND}")
    for name, reason in results["left_out"].items():
        print(f"Left out: {name} ({reason})")
    print(f"{results['seconds']:.0f} s; written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
