"""Who takes part on the processor: the limits (copies and a read), the peers, and the library.

A contestant is a function that imports what it needs and returns another, `prepare`. That one turns
a case, its inputs and an aligned array for the result into a call: a function without arguments
that computes and returns the result. What is done before the call (binding buffers, compiling) is
not timed. `ImportError` leaves a contestant out of the run, `NotImplementedError` out of a case.
"""

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import CACHE_LINE, SCALE, Array, Call, Case, Inputs, aligned, as_integers

Prepare = Callable[[Case, Inputs, Array], Call]

# --- the limits: nobody writes, or reads, faster ---------------------------------------------------------------------

SERIAL = 65_536  # waking a second thread takes longer than copying fewer elements than these


def copy_kernels(nontemporal: bool) -> tuple[Any, Any]:
    """Two Numba kernels that scale and copy: elements from `start` to `stop`, or all, on all cores.

    With `nontemporal` the stores carry a hint, and nothing else differs: they go past the caches.
    That saves reading the line which is overwritten, and so half of what a store costs otherwise.
    NumPy and Numba have no name for such a store, LLVM has one.
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
        fence()  # non-temporal stores are not ordered with others: another thread could still read the old numbers

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
    """A sum of the bytes as integers: their addition may be reordered, and so runs in vectors."""
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
        source, threads = as_integers(inputs[0]), numba.get_num_threads()
        return lambda: kernel(source, threads)

    return prepare


# --- the peers -------------------------------------------------------------------------------------------------------


def scipy() -> Prepare:
    """SciPy works on one core and returns fresh arrays, because it has no `out`."""
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
    """Eager PyTorch, with `out`; cross_entropy has none, and makes an array of the logits' size."""
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
            # Autograd calls this function, but has no argument for the result's array.
            backward = torch._softmax_backward_data
            return lambda: backward(others[0], first, axis, first.dtype, grad_input=result)
        return lambda: torch.nn.functional.cross_entropy(first, others[0], reduction="none")

    return prepare


def jax() -> Prepare:
    """Compiled by JAX. It is given the array of its last result, to write the next one there."""
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
        # Only an array of JAX's own can be given away, and it must have the result's shape.
        last = jnp.zeros(case.shape[0] if case.operation == "cross_entropy" else case.shape, case.dtype)

        def call() -> Any:
            nonlocal last
            last = function(last, axis, *arrays).block_until_ready()
            return last

        return call

    return prepare


def onnxruntime() -> Prepare:
    """A graph of one operator, whose input and output are bound to our arrays."""
    import onnxruntime
    from onnx import TensorProto, helper

    operators = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "cross_entropy": "SoftmaxCrossEntropyLoss"}
    types = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}

    @functools.lru_cache(maxsize=1)  # all buffers of a case share a session, because each has threads of its own
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


def library(backend: str) -> Prepare:
    """One of the library's backends; a function that takes `out` is given it."""
    module = importlib.import_module(f"softmax_lib.{backend}")

    def prepare(case: Case, inputs: Inputs, out: Array) -> Call:
        function = getattr(module, case.operation, None)
        if function is None:
            raise NotImplementedError(f"{backend} has no {case.operation}")
        options = {"axis": case.axis} | ({"out": out} if "out" in inspect.signature(function).parameters else {})
        return lambda: function(*inputs, **options)

    return prepare


def with_numpy() -> Prepare:
    return library("with_numpy")


def with_numba() -> Prepare:
    return library("with_numba")


LIMITS = {copy.__name__: "copy", copy_nontemporal.__name__: "copy", read.__name__: "read"}
CONTESTANTS: dict[str, Callable[[], Prepare]] = {
    function.__name__: function
    for function in (copy, copy_nontemporal, read, scipy, torch, jax, onnxruntime, with_numpy, with_numba)
}
# The packages whose versions a result depends on.
PACKAGES = ("numpy", "scipy", "torch", "jax", "jaxlib", "onnxruntime", "onnx", "numba", "llvmlite")
