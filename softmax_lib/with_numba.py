"""Softmax on all cores and in vector registers, compiled by Numba at the first call.

The functions are those of :mod:`softmax_lib.with_numpy`, whose docstrings say what they promise.
Here is the way from any array to a kernel and back; what is compiled is in
:mod:`softmax_lib.kernels`.
"""

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

try:
    import numba
except ImportError as missing:
    raise ImportError(
        "softmax_lib.with_numba needs Numba (pip install numba); without it, softmax_lib has the same functions"
    ) from missing
if numba.config.DISABLE_JIT:
    raise ImportError(
        "softmax_lib.with_numba cannot run uncompiled, and NUMBA_DISABLE_JIT tells Numba not to compile: "
        "unset it, or use softmax_lib, which has the same functions"
    )

from softmax_lib import blocks, derived, inputs, with_numpy
from softmax_lib.digits import quiet
from softmax_lib.inputs import Array, Axis
from softmax_lib.kernels.columns import down_columns, down_columns_on_all_cores
from softmax_lib.kernels.long_rows import along_long_row
from softmax_lib.kernels.on_all_cores import SERIAL, on_all_cores
from softmax_lib.kernels.parts import parts_of_rows, parts_of_rows_on_all_cores
from softmax_lib.kernels.rows import along_rows, along_rows_on_all_cores
from softmax_lib.kernels.tasks import LOGARITHMS, NORMALIZERS, PROBABILITIES
from softmax_lib.kernels.vector_product import (
    narrow_vjp_along_rows,
    narrow_vjp_along_rows_on_all_cores,
    vjp_along_rows,
    vjp_along_rows_on_all_cores,
)

__all__ = [
    "cross_entropy",
    "cross_entropy_grad",
    "log_softmax",
    "logsumexp",
    "softmax",
    "softmax_jacobian",
    "softmax_vjp",
]

LONG = 2**17  # rows up to this long are read once: three of float32 fit into a second-level cache
TALL = 2**13  # elements of a column; taller ones are copied into rows
STREAM = 2**23  # bytes of a result that need not be kept in the caches
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_NO_PAIRS = np.empty((2, 0))


# --- the public functions --------------------------------------------------------------------------------------------


def softmax(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    where: npt.ArrayLike | None = None,
    out: Array | None = None,
) -> Any:
    """See :func:`softmax_lib.softmax`. Within 4 ULP; longdouble is a TypeError."""
    return _along_axis("softmax", PROBABILITIES, x, axis, where, out, nothing=0.0)


def log_softmax(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    where: npt.ArrayLike | None = None,
    out: Array | None = None,
) -> Any:
    """See :func:`softmax_lib.log_softmax`. Within 4 ULP; longdouble is a TypeError."""
    return _along_axis("log_softmax", LOGARITHMS, x, axis, where, out, nothing=-np.inf)


@quiet
def logsumexp(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    keepdims: bool = False,
    where: npt.ArrayLike | None = None,
) -> Any:
    """See :func:`softmax_lib.logsumexp`. longdouble is a TypeError.

    float32 is within 4 ULP, or within 1e-14 where that is more.
    """
    logits = inputs.as_logits_up_to_float64("logsumexp", x)
    axes = inputs.as_axes(logits, axis)
    masked = inputs.masked(logits, inputs.as_mask(where, logits))
    maxima, rests = normalizers(masked, axes)
    result: Array = np.asarray(maxima + np.log1p(rests))
    # What a rest of float32 exponentials is off by moves the sum by as much of rest / (1 + rest). Near 0, where the
    # maximum cancels the logarithm, that was 677 ULP: such slices are done again in float64. A batch of
    # log-probabilities, all of which sum to 1, takes five times as long for that.
    cancelled = np.asarray(np.abs(result) < rests / (1 + rests))
    if logits.itemsize <= 4 and cancelled.any():
        layout = blocks.stacking(masked, axes)
        slices = layout.stack(masked).swapaxes(1, 2)
        some = layout.stack_reduced(cancelled)[:, 0]
        maxima, rests = normalizers(slices[some].astype(np.float64), (1,))
        result[cancelled] = maxima + np.log1p(rests)
    shape = [1 if i in axes else n for i, n in enumerate(logits.shape) if keepdims or i not in axes]
    return result.astype(logits.dtype).reshape(shape)[()]


def softmax_jacobian(x: npt.ArrayLike, axis: int = -1) -> Array:
    """See :func:`softmax_lib.softmax_jacobian`. longdouble is a TypeError.

    It is that very function, which only stores products.
    """
    return with_numpy.softmax_jacobian(inputs.as_logits_up_to_float64("softmax_jacobian", x), axis)


@quiet
def softmax_vjp(p: npt.ArrayLike, v: npt.ArrayLike, axis: int = -1, *, out: Array | None = None) -> Array:
    """See :func:`softmax_lib.softmax_vjp`. longdouble is a TypeError."""
    probabilities = inputs.as_logits_up_to_float64("softmax_vjp", p, "p")
    vector = inputs.as_logits_up_to_float64("softmax_vjp", v, "v")
    inputs.check_same_shape(probabilities, vector)
    axis = inputs.as_axis(probabilities, axis, "p")
    if out is not None:
        inputs.check_out(out, probabilities, "p")
    working = _FLOATS[max(probabilities.itemsize, vector.itemsize) > 4]
    shares, directions = (_plain(np.moveaxis(array, axis, -1), working) for array in (probabilities, vector))
    along_last = axis == probabilities.ndim - 1 and probabilities.dtype == working
    direct = out is not None and along_last and _fits(out, probabilities) and _fits(out, vector)
    result = out.reshape(shares.shape) if out is not None and direct else np.empty(shares.shape, working)
    if result.size:
        kernels = vjp_along_rows, vjp_along_rows_on_all_cores
        if working == np.float32:
            kernels = narrow_vjp_along_rows, narrow_vjp_along_rows_on_all_cores
        length = shares.shape[-1]
        flat = shares.reshape(-1), directions.reshape(-1), result.reshape(-1)
        on_all_cores(*kernels, result.size // length, result.size, (*flat, length, result.nbytes > STREAM))
    product: Array = np.moveaxis(result, -1, axis)
    if out is None:
        return product.astype(probabilities.dtype, order="C", copy=False)
    if not direct:
        out[...] = product
    return out


@quiet
def cross_entropy(
    x: npt.ArrayLike,
    target: npt.ArrayLike,
    axis: int = -1,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Any:
    """See :func:`softmax_lib.cross_entropy`. longdouble is a TypeError.

    For distributions, or with label smoothing, it is that very function.
    """
    logits = inputs.as_logits_up_to_float64("cross_entropy", x)
    axis = inputs.as_axis(logits, axis)
    wanted = inputs.as_target("cross_entropy", target, logits, axis, label_smoothing, ignore_index)
    if not wanted.is_plain:
        return with_numpy.cross_entropy(
            logits, target, axis, label_smoothing=label_smoothing, ignore_index=ignore_index
        )
    loss = derived.loss_of_classes(logits, wanted.classes, axis, *normalizers(logits, (axis,)))
    return wanted.without_ignored(loss).astype(logits.dtype)[()]


@quiet
def cross_entropy_grad(
    x: npt.ArrayLike,
    target: npt.ArrayLike,
    axis: int = -1,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Array:
    """See :func:`softmax_lib.cross_entropy_grad`. longdouble is a TypeError.

    For distributions, or with label smoothing, it is that very function.
    """
    logits = inputs.as_logits_up_to_float64("cross_entropy_grad", x)
    axis = inputs.as_axis(logits, axis)
    wanted = inputs.as_target("cross_entropy_grad", target, logits, axis, label_smoothing, ignore_index)
    if not wanted.is_plain:
        return with_numpy.cross_entropy_grad(
            logits, target, axis, label_smoothing=label_smoothing, ignore_index=ignore_index
        )
    working = _plain(logits)
    gradient = np.empty_like(working)
    _run_along(working, (axis,), PROBABILITIES, gradient)
    derived.subtract_classes(gradient, working, wanted.classes, axis, *normalizers(working, (axis,)))
    result: Array = wanted.without_ignored(gradient.astype(logits.dtype, copy=False), axis)
    return result


# --- from any array to a kernel and back -----------------------------------------------------------------------------


def _along_axis(
    function: str,
    task: int,
    x: npt.ArrayLike,
    axis: Axis,
    where: npt.ArrayLike | None,
    out: Array | None,
    nothing: float,
) -> Any:
    if (
        type(x) is np.ndarray
        and x.dtype in _FLOATS
        and (type(axis) is int and axis == -1)
        and x.ndim
        and x.size
        and x.flags.carray
        and where is None
        and (out is None or _fits(out, x))
    ):  # What most calls are: the checks below would take longer than the softmax of a thousand logits.
        result = np.empty(x.shape, x.dtype) if out is None else out
        length = x.shape[-1]
        if x.size <= SERIAL <= LONG:  # one thread, and no row is too long
            along_rows(x.reshape(-1), result.reshape(-1), length, _NO_PAIRS, task, False, 0, x.size // length)
        else:
            _run(x, result, x.size // length, length, 1, task, _NO_PAIRS)
        return result
    logits = inputs.as_logits_up_to_float64(function, x)
    axes = inputs.as_axes(logits, axis)
    if out is not None:
        inputs.check_out(out, logits)
    taking_part = inputs.as_mask(where, logits)
    working = _plain(inputs.masked(logits, taking_part))
    # In place is safe, slice by slice; any other overlap is not.
    direct = out is not None and _fits(out, working)
    result = out if out is not None and direct else np.empty(working.shape, working.dtype)
    _run_along(working, axes, task, result)
    if taking_part is not None:
        none = ~taking_part.any(axis=axes if result.ndim else None, keepdims=True)
        result[np.broadcast_to(none, result.shape)] = nothing
    if out is not None and direct:
        return out
    with np.errstate(all="ignore"):  # a float16 overflows
        if out is None:
            return result.astype(logits.dtype, copy=False)[()]
        out[...] = result
    return out


def _fits(out: Array, x: Array) -> bool:
    """Whether a kernel may write the result for `x` into `out` as it goes.

    It may in place, but not over a part of `x`.
    """
    return (
        type(out) is np.ndarray
        and out.dtype == x.dtype
        and out.shape == x.shape
        and out.flags.carray
        and (out is x or not np.may_share_memory(out, x))
    )


def normalizers(logits: Array, axes: tuple[int, ...]) -> Array:
    """The maximum of each slice, and the sum of its other exponentials relative to the maximum's own."""
    return _run_along(_plain(logits), axes, NORMALIZERS)


def of_part(x: Array, axes: tuple[int, ...], maximum: Array, rest: Array, *, logarithms: bool) -> Array:
    """Probabilities or their logarithms of a part of slices, from the pairs of the whole, which have `axes` of 1."""
    working = _plain(x)
    layout = blocks.stacking(working, axes)
    rows = np.ascontiguousarray(layout.stack(working).swapaxes(1, 2))
    result = np.empty_like(rows)
    if rows.size:
        pairs = np.stack([layout.stack(array).reshape(-1) for array in (maximum, rest)])
        arguments = rows.reshape(-1), result.reshape(-1), rows.shape[-1], pairs, logarithms
        on_all_cores(parts_of_rows, parts_of_rows_on_all_cores, pairs.shape[1], rows.size, arguments)
    return layout.unstack(result.swapaxes(1, 2), x.shape).astype(x.dtype, copy=False)


def _run_along(logits: Array, axes: tuple[int, ...], task: int, out: Array | None = None) -> Array:
    """Do the `task` for the slices of `logits` along `axes`; fill `out`, or find the pairs of all slices."""
    layout = blocks.stacking(logits, axes)
    stack = np.ascontiguousarray(layout.stack(logits))
    outer, length, inner = stack.shape
    result = stack if out is None else np.ascontiguousarray(layout.stack(out))
    into = result
    if inner > 1 and length > TALL:
        stack = np.ascontiguousarray(stack.swapaxes(1, 2))
        into = stack if out is None else np.empty_like(stack)
        outer, inner = outer * inner, 1
    pairs = np.empty((2, outer * inner if task == NORMALIZERS else 0))
    if stack.size:
        _run(stack, into, outer, length, inner, task, pairs)
    else:
        pairs[:] = [[-np.inf], [-1.0]]
    if out is not None:
        if into is not result:
            result[...] = into.swapaxes(1, 2)
        if not np.may_share_memory(result, out):
            out[...] = layout.unstack(result, out.shape)
        return pairs
    return np.stack([layout.unstack_reduced(pair, logits.shape) for pair in pairs])


def _run(x: Array, out: Array, outer: int, length: int, inner: int, task: int, pairs: Array) -> None:
    """Work on `x`, C-contiguous and of shape (outer, length, inner), along its middle."""
    large = out.nbytes > STREAM
    x, out = x.reshape(-1), out.reshape(-1)
    if length == 1:  # Columns of one entry are rows of one, and those are exact.
        outer, inner = outer * inner, 1
    if inner > 1:
        kernels, count = (down_columns, down_columns_on_all_cores), outer * -(-inner // 64)
        on_all_cores(*kernels, count, x.size, (x, out, length, inner, pairs, task, large))
    elif length <= LONG:
        kernels = along_rows, along_rows_on_all_cores
        on_all_cores(*kernels, outer, x.size, (x, out, length, pairs, task, large))
    else:
        for row in range(outer):
            here = slice(row * length, (row + 1) * length)
            pair = along_long_row(x[here], out[here], task, large)
            if task == NORMALIZERS:
                pairs[:, row] = pair


def _plain(array: Array, working: np.dtype[Any] | None = None) -> Array:
    """`array` in C order and in a type that the kernels have; without a copy if that can be."""
    if working is None:
        working = _FLOATS[array.itemsize > 4]
    plain = np.require(array, working, ["C", "A"])
    if plain.size and not plain.flags.writeable:
        # To Numba a read-only array is of another type, and every kernel would be compiled again. None writes to it.
        memory: Any = (ctypes.c_byte * plain.nbytes).from_address(plain.ctypes.data)
        memory.owner = plain
        return np.ndarray(plain.shape, working, memory)
    return plain
