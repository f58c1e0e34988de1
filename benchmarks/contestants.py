"""What is measured, and who takes part.

A contestant is a function that imports what it needs and returns another, which turns a case, its inputs and an
aligned array for the result into a call: a function without arguments that computes and returns the result. What is
done before the call (binding buffers, compiling) is not timed. `ImportError` leaves a contestant out of the run,
`NotImplementedError` out of a case.
"""

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Inputs = tuple[Array, ...]
Call = Callable[[], Any]
Prepare = Callable[["Case", Inputs, Array], Call]

# How often the array must cross the memory bus: softmax_vjp reads p and v and writes, cross_entropy only reads.
TRAFFIC = {"softmax": 2, "log_softmax": 2, "softmax_vjp": 3, "cross_entropy": 1, "copy": 2, "read": 1}
OPERATIONS = ("softmax", "log_softmax", "softmax_vjp", "cross_entropy")

# Wider than rounding (a running sum in float32 is off by 1e-3 at 2**24 terms and still no other function), and far
# narrower than any mistake.
TOLERANCES = {"float32": 2e-3, "float64": 1e-11}


class Case(NamedTuple):
    """One row of the results: an operation on a matrix of one shape and type."""

    operation: str
    shape: tuple[int, int]
    dtype: str = "float32"
    axis: int = -1

    def __str__(self) -> str:
        along = "" if self.axis == -1 else f" along axis {self.axis}"
        return f"{self.operation} {self.shape[0]} x {self.shape[1]} {self.dtype}{along}"

    @property
    def bytes_moved(self) -> int:
        """What must be read and written, once each."""
        return TRAFFIC[self.operation] * math.prod(self.shape) * np.dtype(self.dtype).itemsize


# --- inputs and the right answers ------------------------------------------------------------------------------------


def make_inputs(case: Case) -> Inputs:
    """Logits; for softmax_vjp probabilities and a vector, for cross_entropy logits and class indices."""
    generator = np.random.default_rng(0)
    # A million normals over and over, at the speed of a copy: a prime number of them, so that no two rows are equal.
    normals = generator.standard_normal(1_000_003)
    x = aligned(case.shape, case.dtype)
    x[...] = np.resize((2 * normals).astype(case.dtype), case.shape)
    if case.operation == "softmax_vjp":
        p, v = aligned(case.shape, case.dtype), aligned(case.shape, case.dtype)
        for rows_p, rows_x in _blocks(case, p, x):
            rows_p[...] = _exact("softmax", rows_x.astype(np.float64))[0]
        v[...] = np.resize(normals[::-1].astype(case.dtype), case.shape)
        return p, v
    if case.operation == "cross_entropy":
        classes = case.shape[case.axis]
        return x, generator.integers(0, classes, math.prod(case.shape) // classes)
    return (x,)


def aligned(shape: tuple[int, ...], dtype: str) -> Array:
    """An empty array that starts a cache line: non-temporal stores need it, and nobody shall gain by chance."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def error(case: Case, inputs: Inputs, result: Array) -> float:
    """The largest error of `result` against float64, relative to the numbers that it is made of."""
    if case.operation == "read":
        return 0.0 if result == _as_integers(inputs[0]).sum() else math.inf
    shape = inputs[1].shape if case.operation == "cross_entropy" else case.shape
    if result.shape != shape or result.dtype != case.dtype:
        return math.inf
    worst = 0.0
    for got, *rows in _blocks(case, result, *inputs):
        wide = (array.astype(np.float64) if array.dtype.kind == "f" else array for array in rows)
        exact, scale = _exact(case.operation, *wide)
        worst = np.fmax(worst, np.max(np.nan_to_num(np.abs(got - exact) / scale, nan=np.inf)))
    return float(worst)


def _blocks(case: Case, *arrays: Array) -> Iterator[Inputs]:
    """Views of some rows of each array, about a million logits at a time: what float64 takes stays small."""
    rows = [array.T if case.axis == 0 and array.ndim == 2 else array for array in arrays]
    step = max(2**20 // case.shape[case.axis], 1)
    return (tuple(array[start : start + step] for array in rows) for start in range(0, len(rows[0]), step))


def _exact(operation: str, x: Array, other: Array | None = None) -> tuple[Array, Array]:
    """The result for some rows in float64, and the scale of its errors."""
    if operation == "copy":
        return SCALE * x, np.abs(x) + 1
    if operation == "softmax_vjp":
        assert other is not None
        inner = (x * other).sum(axis=-1, keepdims=True)
        return x * (other - inner), x * (np.abs(other) + np.abs(inner))
    shifted = x - x.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=-1, keepdims=True)
    if operation == "softmax":
        return exponentials / total, exponentials / total
    logarithms = shifted - np.log(total)
    if operation == "cross_entropy":
        assert other is not None
        logarithms = -np.take_along_axis(logarithms, other[:, np.newaxis], axis=-1)[:, 0]
    return logarithms, np.maximum(np.abs(logarithms), 1)


# --- the limits: nobody writes, or reads, faster ---------------------------------------------------------------------

SCALE = 0.5
CACHE_LINE = 64
SERIAL = 65_536  # waking a second thread costs more than copying so few elements


def copy_kernels(nontemporal: bool) -> tuple[Any, Any]:
    """Numba kernels that scale and copy the elements from `start` to `stop`, and a whole array on all cores.

    The two copies differ in nothing but one hint on the store: `nontemporal` sends it past the caches, which saves
    reading the line that is to be overwritten, half of what a store otherwise costs. NumPy and Numba have no name
    for that store; LLVM has.
    """
    import numba
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array

    @intrinsic
    def scale_line(typing: Any, source: Any, target: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            element = context.get_data_type(source.dtype)
            line = ir.VectorType(element, CACHE_LINE * 8 // source.dtype.bitwidth)
            pointers = (
                builder.bitcast(
                    builder.gep(make_array(kind)(context, builder, array).data, [arguments[2]]), line.as_pointer()
                )
                for kind, array in zip((source, target), arguments, strict=False)
            )
            scaled = builder.fmul(
                builder.load(next(pointers), align=CACHE_LINE), ir.Constant(line, [SCALE] * line.count)
            )
            store = builder.store(scaled, next(pointers), align=CACHE_LINE)
            if nontemporal:
                store.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
            return context.get_dummy_value()

        return types.void(source, target, index), generate

    @intrinsic
    def fence(typing: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            builder.fence("seq_cst")
            return context.get_dummy_value()

        return types.void(), generate

    @numba.njit(nogil=True)
    def copy_part(source, target, start, stop):  # type: ignore[no-untyped-def]
        lanes = CACHE_LINE // source.itemsize
        whole = stop - (stop - start) % lanes
        for i in range(start, whole, lanes):
            scale_line(source, target, i)
        for i in range(whole, stop):
            target[i] = source[i] * SCALE
        fence()  # such stores are not ordered with others: without it, another thread may read what was there before

    @numba.njit(parallel=True)
    def copy(source, target, threads):  # type: ignore[no-untyped-def]
        size = source.size
        if size < SERIAL:
            copy_part(source, target, 0, size)
        else:
            part = (size // threads // CACHE_LINE + 1) * CACHE_LINE
            for number in numba.prange(threads):
                start = np.intp(number) * part
                copy_part(source, target, min(start, size), min(start + part, size))

    return copy_part, copy


def _copy(nontemporal: bool) -> Prepare:
    import numba

    _, kernel = copy_kernels(nontemporal)

    def prepare(case: Case, inputs: Inputs, out: Array) -> Call:
        source, target, threads = inputs[0].reshape(-1), out.reshape(-1), numba.get_num_threads()

        def call() -> Array:
            kernel(source, target, threads)
            return out

        return call

    return prepare


def copy() -> Prepare:
    return _copy(nontemporal=False)


def copy_nontemporal() -> Prepare:
    return _copy(nontemporal=True)


def read() -> Prepare:
    """A sum of the bytes, eight at a time: integer addition may be reordered, and so runs in vectors."""
    import numba

    @numba.njit(nogil=True)
    def read_part(source):  # type: ignore[no-untyped-def]
        total = 0
        for i in range(source.size):
            total += source[i]
        return total

    @numba.njit(parallel=True)
    def kernel(source, threads):  # type: ignore[no-untyped-def]
        if source.size < SERIAL:
            return read_part(source)
        total = 0
        part = source.size // threads + 1
        for number in numba.prange(threads):
            start = np.intp(number) * part
            total += read_part(source[start : start + part])
        return total

    def prepare(case: Case, inputs: Inputs, out: Array) -> Call:
        source, threads = _as_integers(inputs[0]), numba.get_num_threads()
        return lambda: kernel(source, threads)

    return prepare


def _as_integers(array: Array) -> Array:
    every_byte = array.reshape(-1).view(np.uint8)
    return every_byte[: every_byte.size // 8 * 8].view(np.int64)


# --- the peers -------------------------------------------------------------------------------------------------------


def scipy() -> Prepare:
    """On one core, in fresh arrays: there is no `out`."""
    from scipy import special

    def prepare(case: Case, inputs: Inputs, out: Array) -> Call:
        x, axis = inputs[0], case.axis
        if case.operation == "softmax":
            return lambda: special.softmax(x, axis=axis)
        if case.operation == "log_softmax":
            return lambda: special.log_softmax(x, axis=axis)
        if case.operation == "cross_entropy":
            target = inputs[1][:, np.newaxis]
            return lambda: special.logsumexp(x, axis=1) - np.take_along_axis(x, target, axis=1)[:, 0]
        raise NotImplementedError(f"SciPy has no {case.operation}")

    return prepare


def torch() -> Prepare:
    """Eager, with `out`; cross_entropy has none and keeps an array of the size of the logits."""
    import torch

    torch.set_grad_enabled(False)

    def prepare(case: Case, inputs: Inputs, out: Array) -> Call:
        first, *others = (torch.from_numpy(array) for array in inputs)
        result, axis = torch.from_numpy(out), case.axis
        if case.operation == "softmax":
            return lambda: torch.softmax(first, axis, out=result)
        if case.operation == "log_softmax":
            return lambda: torch.log_softmax(first, axis, out=result)
        if case.operation == "softmax_vjp":
            # What autograd calls, with the array for the result that autograd has no argument for.
            backward = torch._softmax_backward_data
            return lambda: backward(others[0], first, axis, first.dtype, grad_input=result)
        return lambda: torch.nn.functional.cross_entropy(first, others[0], reduction="none")

    return prepare


def jax() -> Prepare:
    """Compiled; it writes into the array of its last result, which is given to it (`donate_argnums`)."""
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)

    def softmax(out: Any, axis: int, x: Any) -> Any:
        return jax.nn.softmax(x, axis)

    def log_softmax(out: Any, axis: int, x: Any) -> Any:
        return jax.nn.log_softmax(x, axis)

    def softmax_vjp(out: Any, axis: int, p: Any, v: Any) -> Any:
        return p * (v - (p * v).sum(axis, keepdims=True))  # as jax.nn.softmax differentiates itself

    def cross_entropy(out: Any, axis: int, x: Any, target: Any) -> Any:
        return jax.nn.logsumexp(x, axis) - jnp.take_along_axis(x, target[:, None], axis)[:, 0]

    functions = {f.__name__: f for f in (softmax, log_softmax, softmax_vjp, cross_entropy)}
    compiled = {name: jax.jit(f, donate_argnums=0, static_argnums=1, keep_unused=True) for name, f in functions.items()}

    def prepare(case: Case, inputs: Inputs, out: Array) -> Call:
        arrays = [jax.device_put(array, may_alias=True) for array in inputs]
        function, axis = compiled[case.operation], case.axis
        # What is donated must be JAX's own; of the result's shape, and the losses are one for each row.
        last = jnp.zeros(case.shape[0] if case.operation == "cross_entropy" else case.shape, case.dtype)

        def call() -> Any:
            nonlocal last
            last = function(last, axis, *arrays).block_until_ready()
            return last

        return call

    return prepare


def onnxruntime() -> Prepare:
    """One operator in a graph, its input and output bound to our arrays."""
    import onnxruntime
    from onnx import TensorProto, helper

    operators = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "cross_entropy": "SoftmaxCrossEntropyLoss"}
    types = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}

    @functools.lru_cache(maxsize=1)  # all buffers of a case share one: each session has its own threads
    def session_for(case: Case) -> Any:
        logits, reduces = types[case.dtype], case.operation == "cross_entropy"
        inputs = [helper.make_tensor_value_info("x", logits, None)]
        if reduces:
            inputs.append(helper.make_tensor_value_info("target", TensorProto.INT64, None))
        options = {"reduction": "none"} if reduces else {"axis": case.axis}
        node = helper.make_node(operators[case.operation], [each.name for each in inputs], ["result"], **options)
        outputs = [helper.make_tensor_value_info("result", logits, None)]
        graph = helper.make_graph([node], case.operation, inputs, outputs)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def prepare(case: Case, inputs: Inputs, out: Array) -> Call:
        if case.operation not in operators:
            raise NotImplementedError(f"ONNX Runtime has no {case.operation}")
        session = session_for(case)
        result = aligned(inputs[1].shape, case.dtype) if case.operation == "cross_entropy" else out
        binding = session.io_binding()
        for given, array in zip(session.get_inputs(), inputs, strict=True):
            binding.bind_input(given.name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        binding.bind_output("result", "cpu", 0, result.dtype, result.shape, result.ctypes.data)

        def call() -> Array:
            session.run_with_iobinding(binding)
            return result

        return call

    return prepare


def _softmax_lib(backend: str) -> Prepare:
    module = importlib.import_module(f"softmax_lib.{backend}")

    def prepare(case: Case, inputs: Inputs, out: Array) -> Call:
        function = getattr(module, case.operation, None)
        if function is None:
            raise NotImplementedError(f"{backend} has no {case.operation}")
        options = {"axis": case.axis} | ({"out": out} if "out" in inspect.signature(function).parameters else {})
        return lambda: function(*inputs, **options)

    return prepare


def with_numpy() -> Prepare:
    return _softmax_lib("with_numpy")


def with_numba() -> Prepare:
    return _softmax_lib("with_numba")


LIMITS = {copy.__name__: "copy", copy_nontemporal.__name__: "copy", read.__name__: "read"}
CONTESTANTS: dict[str, Callable[[], Prepare]] = {
    function.__name__: function
    for function in (copy, copy_nontemporal, read, scipy, torch, jax, onnxruntime, with_numpy, with_numba)
}
# Whose versions a result depends on.
PACKAGES = ("numpy", "scipy", "torch", "jax", "jaxlib", "onnxruntime", "onnx", "numba", "llvmlite")
