"""Who takes part on a GPU.

A contestant is what it is in `benchmarks.contestants`, but it is given the `Gpu`, and the arrays
lie there: PyTorch and Triton see CuPy's memory. Some contestants return PyTorch's tensors.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import contestants
from benchmarks.cases import Call, Case, Inputs
from benchmarks.contestants import Prepare
from benchmarks.gpu_device import Gpu


def copy(gpu: Gpu) -> Prepare:
    """The limit: nobody reads and writes faster."""

    def prepare(case: Case, inputs: Inputs, out: Any) -> Call:
        def call() -> Any:
            gpu.copy(inputs[0], out)
            return out

        return call

    return prepare


def with_cupy(gpu: Gpu) -> Prepare:
    return contestants.library("with_cupy")


def cupyx(gpu: Gpu) -> Prepare:
    """SciPy's functions for CuPy, which have no `out`."""
    from cupyx.scipy import special

    return _functions("cupyx", special.softmax, special.log_softmax)


def cupy_lines(gpu: Gpu) -> Prepare:
    """The formulas as they are written with NumPy: each operation reads and writes whole arrays."""
    exp, log, take_along_axis = gpu.arrays.exp, gpu.arrays.log, gpu.arrays.take_along_axis

    def softmax(x: Any, axis: int) -> Any:
        exponentials = exp(x - x.max(axis=axis, keepdims=True))
        return exponentials / exponentials.sum(axis=axis, keepdims=True)

    def log_softmax(x: Any, axis: int) -> Any:
        shifted = x - x.max(axis=axis, keepdims=True)
        return shifted - log(exp(shifted).sum(axis=axis, keepdims=True))

    def softmax_vjp(p: Any, v: Any, axis: int) -> Any:
        return p * (v - (p * v).sum(axis=axis, keepdims=True))

    def cross_entropy(x: Any, target: Any, axis: int) -> Any:
        return -take_along_axis(log_softmax(x, axis), target[:, np.newaxis], axis=axis)[:, 0]

    return _functions("cupy_lines", softmax, log_softmax, softmax_vjp, cross_entropy)


def torch(gpu: Gpu) -> Prepare:
    """Eager PyTorch, with `out`; cross_entropy has none, and makes an array of the logits' size."""
    import torch

    torch.set_grad_enabled(False)

    def prepare(case: Case, inputs: Inputs, out: Any) -> Call:
        first, *others = map(as_tensor, inputs)
        result, axis = as_tensor(out), case.axis
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


def torch_compile(gpu: Gpu) -> Prepare:
    """PyTorch's functions, compiled for their shape; results go into fresh memory of its pool."""
    import torch

    torch.set_grad_enabled(False)

    def softmax_vjp(p: Any, v: Any, axis: int) -> Any:
        return torch._softmax_backward_data(v, p, axis, p.dtype)

    def cross_entropy(x: Any, target: Any, axis: int) -> Any:
        return torch.nn.functional.cross_entropy(x, target, reduction="none")

    functions = {
        "softmax": torch.softmax,
        "log_softmax": torch.log_softmax,
        "softmax_vjp": softmax_vjp,
        "cross_entropy": cross_entropy,
    }

    @functools.lru_cache(maxsize=1)  # all buffers of a case share one
    def compiled_for(case: Case) -> Any:
        torch.compiler.reset()  # without this, the ninth shape of a function would silently run eagerly
        function, axis = functions[case.operation], case.axis
        return torch.compile(lambda *tensors: function(*tensors, axis), fullgraph=True, dynamic=False)

    def prepare(case: Case, inputs: Inputs, out: Any) -> Call:
        function, tensors = compiled_for(case), [as_tensor(array) for array in inputs]
        return lambda: function(*tensors)

    return prepare


def triton(gpu: Gpu) -> Prepare:
    """The fused row kernel of Triton's tutorial."""
    from benchmarks import triton_softmax

    def prepare(case: Case, inputs: Inputs, out: Any) -> Call:
        if (case.operation, case.axis) != ("softmax", -1) or case.dtype == "float64":
            raise NotImplementedError("the kernel is for softmax along the last axis, in float32 or narrower")
        if case.shape[-1] > triton_softmax.LONGEST:
            raise NotImplementedError(f"a row of more than {triton_softmax.LONGEST} does not fit")
        x, result = as_tensor(inputs[0]), as_tensor(out)
        return lambda: triton_softmax.softmax(x, result)

    return prepare


def _functions(library: str, *functions: Callable[..., Any]) -> Prepare:
    by_name = {function.__name__: function for function in functions}

    def prepare(case: Case, inputs: Inputs, out: Any) -> Call:
        if case.operation not in by_name:
            raise NotImplementedError(f"{library} has no {case.operation}")
        return lambda: by_name[case.operation](*inputs, axis=case.axis)

    return prepare


CONTESTANTS: dict[str, Callable[[Gpu], Prepare]] = {
    function.__name__: function for function in (copy, with_cupy, cupyx, cupy_lines, torch, torch_compile, triton)
}
# The packages whose versions a result depends on. CuPy is not here: each version of CUDA has a CuPy of another name.
PACKAGES = ("numpy", "torch", "triton", "numba", "ml-dtypes")

# --- one memory, two libraries ---------------------------------------------------------------------------------------


def as_tensor(array: Any) -> Any:
    """PyTorch's view of an array, by way of integers: not every DLPack knows bfloat16."""
    import torch

    return torch.from_dlpack(array.view(np.dtype(f"int{8 * array.itemsize}"))).view(getattr(torch, array.dtype.name))


def as_array(gpu: Gpu, result: Any) -> Any:
    """The result of a contestant, as an array of `gpu`."""
    if isinstance(result, gpu.arrays.ndarray):
        return result
    import torch

    integers = getattr(torch, f"int{8 * result.element_size()}")
    return gpu.arrays.from_dlpack(result.view(integers)).view(np.dtype(str(result.dtype).removeprefix("torch.")))
