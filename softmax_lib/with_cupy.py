"""Softmax on a GPU, each slice read from memory once if it fits on the chip, for CuPy's arrays.

The same functions as in :mod:`softmax_lib.with_numpy`, whose docstrings say what they promise. They take CuPy's arrays,
or whatever :func:`cupy.asarray` takes, work on the caller's current device and stream, and return CuPy's arrays, of
no dimension where NumPy's return scalars. The kernels are CUDA, in ``kernels/softmax.cu``; CuPy compiles them at the
first call for each float type and geometry (:mod:`softmax_lib.kernels.geometry`), and keeps them on disk.

Importing this module needs no GPU. Calling one of its functions does: without one it is a RuntimeError.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import cupy as cp
except ImportError as missing:
    raise ImportError(
        "softmax_lib.with_cupy needs CuPy (pip install cupy-cuda12x) and an NVIDIA GPU; "
        "without them, softmax_lib.with_numba and softmax_lib have the same functions"
    ) from missing

from softmax_lib import derived, inputs
from softmax_lib.inputs import Axis, Pair
from softmax_lib.kernels.geometry import SOURCE, Geometry, geometry, options

__all__ = [
    "cross_entropy",
    "cross_entropy_grad",
    "log_softmax",
    "logsumexp",
    "merge",
    "normalizer",
    "softmax",
    "softmax_jacobian",
    "softmax_vjp",
]


# --- the public functions --------------------------------------------------------------------------------------------


def softmax(x: Any, axis: Axis = -1, *, where: Any = None, out: Any = None) -> Any:
    """See :func:`softmax_lib.softmax`. float32 and float64 are within 4 ULP; longdouble is a TypeError."""
    return _along_axis("softmax", x, axis, where, out, nothing=0.0)


def log_softmax(x: Any, axis: Axis = -1, *, where: Any = None, out: Any = None) -> Any:
    """See :func:`softmax_lib.log_softmax`. float32 and float64 are within 4 ULP; longdouble is a TypeError."""
    return _along_axis("log_softmax", x, axis, where, out, nothing=-np.inf)


def logsumexp(x: Any, axis: Axis = -1, *, keepdims: bool = False, where: Any = None) -> Any:
    """See :func:`softmax_lib.logsumexp`. float32 is within 4 ULP, of the maximum if that is more; no longdouble."""
    logits = _as_logits("logsumexp", x)
    axes = inputs.as_axes(logits, axis)
    slices = _Slices(inputs.masked(logits, inputs.as_mask(where, logits, cp), cp), axes)
    shape = [1 if i in axes else n for i, n in enumerate(logits.shape) if keepdims or i not in axes]
    if not logits.size:
        return cp.full(shape, -np.inf, logits.dtype)
    result = cp.empty(shape, logits.dtype)
    slices.finish("logsumexp", result)
    return result


def normalizer(x: Any, axis: Axis = -1) -> Pair:
    """See :func:`softmax_lib.normalizer`. longdouble is a TypeError."""
    logits = _as_logits("normalizer", x)
    maximum, rest = _normalizers(logits, inputs.as_axes(logits, axis))
    return cp.where(cp.isnan(rest), np.nan, maximum), 1 + rest


def merge(a: Pair, b: Pair) -> Pair:
    """See :func:`softmax_lib.merge`. longdouble is a TypeError."""
    (m_a, s_a), (m_b, s_b) = (
        [_as_logits("merge", part, name) for part in inputs.as_pair(name, pair)] for name, pair in (("a", a), ("b", b))
    )
    maximum = cp.maximum(m_a, m_b)
    # The difference of equal infinities would be NaN.
    return maximum, sum(s * cp.exp(cp.where(m == maximum, 0, m - maximum)) for m, s in ((m_a, s_a), (m_b, s_b)))


def softmax_jacobian(x: Any, axis: int = -1) -> Any:
    """See :func:`softmax_lib.softmax_jacobian`. longdouble is a TypeError."""
    logits = _as_logits("softmax_jacobian", x)
    axis = inputs.as_axis(logits, axis)
    return derived.jacobian(*_softmax_and_others(logits, axis), cp).astype(logits.dtype)


def softmax_vjp(p: Any, v: Any, axis: int = -1, *, out: Any = None) -> Any:
    """See :func:`softmax_lib.softmax_vjp`. longdouble is a TypeError."""
    probabilities, vector = _as_logits("softmax_vjp", p, "p"), _as_logits("softmax_vjp", v, "v")
    inputs.check_same_shape(probabilities, vector)
    axes = (inputs.as_axis(probabilities, axis, "p"),)
    if out is not None:
        inputs.check_out(out, probabilities, "p", cp)
    dtype = probabilities.dtype
    if vector.dtype != dtype:
        dtype = np.dtype(np.float64 if max(dtype.itemsize, vector.dtype.itemsize) > 4 else np.float32)
    shares, directions = (_Slices(array.astype(dtype, copy=False), axes) for array in (probabilities, vector))
    direct = shares.fit(out, probabilities) and directions.fit(out, vector)
    result = shares.fill(out if direct else None, "softmax_vjp", (shares.array, directions.array))
    return out if direct else _put(shares.unstack(result), out, probabilities.dtype)


def cross_entropy(
    x: Any, target: Any, axis: int = -1, *, label_smoothing: float = 0.0, ignore_index: int | None = None
) -> Any:
    """See :func:`softmax_lib.cross_entropy`. longdouble is a TypeError. CuPy takes a float32 below 2^-126 for 0."""
    logits = _as_logits("cross_entropy", x)
    axis = inputs.as_axis(logits, axis)
    wanted = inputs.as_target("cross_entropy", target, logits, axis, label_smoothing, ignore_index, cp)
    if wanted.is_plain:
        return _loss_of_classes(logits, _classes_or_none(wanted), axis)
    if wanted.shares is None:
        loss = _smoothed_loss_of_classes(logits, wanted.classes, axis, wanted.label_smoothing)
    else:
        shares = derived.smoothed(wanted.shares.astype(np.float64), wanted.label_smoothing, axis)
        loss = derived.loss_of_shares(log_softmax(logits.astype(np.float64), axis), shares, axis, cp)
    return wanted.without_ignored(loss, xp=cp).astype(logits.dtype)


def cross_entropy_grad(
    x: Any, target: Any, axis: int = -1, *, label_smoothing: float = 0.0, ignore_index: int | None = None
) -> Any:
    """See :func:`softmax_lib.cross_entropy_grad`. longdouble is a TypeError."""
    logits = _as_logits("cross_entropy_grad", x)
    axis = inputs.as_axis(logits, axis)
    wanted = inputs.as_target("cross_entropy_grad", target, logits, axis, label_smoothing, ignore_index, cp)
    if wanted.shares is None:
        slices = _Slices(logits, (axis,))
        more = _classes_or_none(wanted), wanted.label_smoothing
        result = slices.fill(None, "cross_entropy_grad", (slices.array,), *more)
        return slices.unstack(result)
    shares = derived.smoothed(wanted.shares.astype(np.float64), wanted.label_smoothing, axis)
    shares = cp.moveaxis(shares, axis, -1)
    p, others_of_p = _softmax_and_others(logits, axis)
    gradient = p * _others(shares) - shares * others_of_p
    return _put(cp.moveaxis(gradient, -1, axis), None, logits.dtype)


# --- from any array to a kernel ---------------------------------------------------------------------------------------


@functools.cache
def _module(options: tuple[str, ...]) -> Any:
    return cp.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=options)


@functools.cache
def _kernel(name: str, dtype: Any, geometry: Geometry) -> Callable[..., None]:
    kernel: Callable[..., None] = _module(options(dtype.name, geometry)).get_function(name)
    return kernel


class _Slices:
    """An array as slices that a kernel can take: outer × length × inner entries, one after the other in memory."""

    def __init__(self, array: Any, axes: tuple[int, ...]) -> None:
        self.shape, self.axes = array.shape, tuple(sorted(axes))
        array = cp.atleast_1d(array)
        first = self.axes[0] if axes else array.ndim
        self.adjacent = self.axes == tuple(range(first, first + len(axes)))
        if not self.adjacent:
            array, first = cp.moveaxis(array, self.axes, self._last()), array.ndim - len(axes)
        array = cp.ascontiguousarray(array)
        self.array = array if _is_aligned(array) else array.copy()
        self.length = math.prod(array.shape[first : first + len(axes)])
        self.inner = math.prod(array.shape[first + len(axes) :])
        self.count = math.prod(array.shape[:first]) * self.inner

    def _last(self) -> tuple[int, ...]:
        return tuple(range(-len(self.axes), 0))

    def fit(self, out: Any, array: Any) -> bool:
        """Whether a kernel can write to `out`: laid out as the slices are, and the memory of `array` or none of it."""
        if out is None or out.dtype != self.array.dtype or not self.adjacent:
            return False
        fits = out.flags.c_contiguous and _is_aligned(out)
        return bool(fits and (out is array or not cp.may_share_memory(out, array)))

    def unstack(self, result: Any) -> Any:
        """`result`, laid out as the slices are, in the shape of the array."""
        return (result if self.adjacent else cp.moveaxis(result, self._last(), self.axes)).reshape(self.shape)

    def geometry(self, arrays: int = 1) -> Geometry:
        size = self.array.dtype.itemsize
        return geometry(self.length, size, across=self.inner > 1, arrays=arrays)

    def fill(self, out: Any, name: str, arrays: tuple[Any, ...], *more: Any) -> Any:
        """What the kernel of this name makes of these arrays; in `out`, if that is given."""
        result = cp.empty_like(self.array) if out is None else out
        if result.size:
            geometry = self.geometry(len(arrays))
            # Of slices in one part the kernel itself finds what it has to know, and does not look at this argument.
            found = self.array if geometry.parts == 1 else self.reduce(geometry, *arrays)
            self.launch(geometry, name, *arrays, result, *more, found)
        return result

    def reduce(self, geometry: Geometry, *arrays: Any) -> Any:
        """What a kernel has to know of each slice: its normalizer, or for the vector product its moments."""
        if len(arrays) == 1:
            name, fields = "normalizers", 2
            kind: Any = np.float64
        else:  # of narrow entries they are floats; of float64 the sums are two numbers each
            name, fields = "moments", 7 if self.array.dtype.itemsize == 8 else 5
            kind = np.float32 if self.array.dtype.itemsize == 2 else np.float64
        found = cp.empty((self.count, geometry.parts, fields), kind)
        self.launch(geometry, name, *arrays, found)
        if geometry.parts > 1:
            of_parts, found = found, cp.empty((self.count, 1, fields), kind)
            merge = _kernel(f"merge_{name}", self.array.dtype, geometry)
            merge((self.count,), (geometry.merging,), (of_parts, found, geometry.parts))
        return found[:, 0]

    def launch(self, geometry: Geometry, name: str, *arguments: Any) -> None:
        kernel = _kernel(name, self.array.dtype, geometry)
        shape = (self.count, self.length, self.inner, geometry.parts)
        kernel(geometry.grid(self.count), geometry.block, (*arguments, *shape))

    def finish(self, name: str, *arguments: Any) -> None:
        """Launch a kernel that makes one number of each slice's normalizer, a thread a slice."""
        geometry = self.geometry()
        found = self.reduce(geometry, self.array)
        shape = (self.count, self.length, self.inner, 1)
        kernel = _kernel(name, self.array.dtype, geometry)
        kernel((-(-self.count // 128),), (128,), (found, *arguments, *shape))


def _is_aligned(array: Any) -> bool:
    """Whether it begins where a kernel can move 16 bytes at once; of CuPy's arrays only views may not."""
    return bool(array.data.ptr % 16 == 0)


def _put(result: Any, out: Any, dtype: Any) -> Any:
    """`result` in `out`, or as a contiguous array of this type."""
    if out is None:
        return cp.ascontiguousarray(result, dtype=dtype).reshape(result.shape)
    out[...] = result
    return out


def _along_axis(function: str, x: Any, axis: Axis, where: Any, out: Any, nothing: float) -> Any:
    """Launch the kernel of this name; where `where` leaves nothing of a slice, the result is `nothing`."""
    logits = _as_logits(function, x)
    axes = inputs.as_axes(logits, axis)
    if out is not None:
        inputs.check_out(out, logits, xp=cp)
    mask = inputs.as_mask(where, logits, cp)
    slices = _Slices(inputs.masked(logits, mask, cp), axes)
    if mask is None and slices.fit(out, logits):
        return slices.fill(out, function, (slices.array,))
    result = slices.unstack(slices.fill(None, function, (slices.array,)))
    if mask is not None:
        left = cp.atleast_1d(mask).any(axis=axes, keepdims=True)
        result = cp.where(left, result, result.dtype.type(nothing)).reshape(logits.shape)
        result = result.astype(logits.dtype, copy=False)  # CuPy selects from bfloat16 as from float32
    return _put(result, out, logits.dtype)


def _normalizers(logits: Any, axes: tuple[int, ...]) -> Pair:
    """The maximum of each slice and the sum of the other exponentials, relative to its own; `logits` without `axes`."""
    slices = _Slices(logits, axes)
    left = [n for i, n in enumerate(logits.shape) if i not in axes]
    if not logits.size:
        return cp.full(left, -np.inf), cp.full(left, -1.0)
    pairs = slices.reduce(slices.geometry(), slices.array)
    return pairs[:, 0].reshape(left), pairs[:, 1].reshape(left)


def _classes_or_none(wanted: inputs.Target) -> Any:
    """The class of each example, and -1 where it does not count."""
    if wanted.ignored is None:
        return wanted.classes
    return cp.ascontiguousarray(cp.where(wanted.ignored, -1, wanted.classes))


def _loss_of_classes(logits: Any, classes: Any, axis: int) -> Any:
    loss = cp.empty(classes.shape, logits.dtype)
    if loss.size:
        slices = _Slices(logits, (axis,))
        slices.finish("cross_entropy", slices.array, classes, loss)
    return loss


def _smoothed_loss_of_classes(logits: Any, classes: Any, axis: int, label_smoothing: float) -> Any:
    """The loss of each example's class and, of its weight, a part that counts for all classes evenly."""
    maximum, rest = _normalizers(logits, (axis,))
    certain = derived.loss_of_classes(logits, classes, axis, maximum, rest, cp)
    if not logits.size:
        return certain
    below = logits.astype(np.float64)  # the one array of this size that is made
    cp.subtract(cp.expand_dims(maximum, axis), below, out=below)
    below *= label_smoothing / logits.shape[axis]
    evenly = below.sum(axis=axis) + label_smoothing * cp.log1p(rest)
    # A certain loss may be infinite, and 0 times that is NaN.
    return evenly if label_smoothing == 1 else (1 - label_smoothing) * certain + evenly


def _softmax_and_others(logits: Any, axis: int) -> Pair:
    """The probabilities, in float64 and along the last axis, and for each of them the sum of the others.

    That is 1 - p, but for the largest, which may be so near 1 that all digits would cancel: its others are the rest.
    """
    rows = cp.ascontiguousarray(cp.moveaxis(logits, axis, -1), dtype=np.float64)
    p = softmax(rows)
    maximum, rest = (each[..., np.newaxis] for each in _normalizers(rows, (rows.ndim - 1,)))
    return p, cp.where(rows == maximum, rest / (1 + rest), 1 - p)


def _others(shares: Any) -> Any:
    """For each entry, the sum along the last axis of all the others, without cancellation."""
    if shares.size == 0:
        return shares
    largest = cp.arange(shares.shape[-1]) == cp.argmax(shares, axis=-1)[..., np.newaxis]
    smaller = cp.where(largest, 0, shares)
    rest = smaller.sum(axis=-1, keepdims=True)
    return cp.where(largest, rest, (rest - smaller) + shares.max(axis=-1, keepdims=True))


@functools.cache
def _has_gpu() -> bool:
    return bool(cp.cuda.runtime.getDeviceCount())


def _as_logits(function: str, x: Any, name: str = "x") -> Any:
    """`x` as an array on the GPU, of a type that the kernels know; or an error, also where there is no GPU."""
    logits = inputs.as_logits_up_to_float64(function, x, name, cp)
    if logits.dtype.name == "bfloat16" and int(cp.__version__.partition(".")[0]) < 14:
        raise TypeError(f"{function} needs CuPy 14 or later for bfloat16, and this is CuPy {cp.__version__}")
    if logits.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        logits = logits.astype(np.float32)
    try:
        _has_gpu()
        return cp.asarray(logits)
    except cp.cuda.runtime.CUDARuntimeError as problem:
        raise RuntimeError(
            f"{function} of softmax_lib.with_cupy needs an NVIDIA GPU ({problem}); "
            f"without one, softmax_lib.with_numba and softmax_lib have the same functions"
        ) from problem
