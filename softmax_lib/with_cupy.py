"""Softmax on a GPU, each slice read from memory once if it fits on the chip, for CuPy's arrays.

The same functions as in :mod:`softmax_lib.with_numpy`, whose docstrings say what they promise. They take CuPy's arrays,
or whatever :func:`cupy.asarray` takes, work on the caller's current device and stream, and return CuPy's arrays, of
no dimension where NumPy's return scalars. The kernels are CUDA, in ``softmax.cu``, compiled by CuPy at the first call
for each float type and :class:`Geometry`, and kept by it on disk.

Importing this module needs no GPU. Calling one of its functions does: without one it is a RuntimeError.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

try:
    import cupy as cp
except ImportError as missing:
    raise ImportError(
        "softmax_lib.with_cupy needs CuPy (pip install cupy-cuda12x) and an NVIDIA GPU; "
        "without them, softmax_lib.with_numba and softmax_lib have the same functions"
    ) from missing

from softmax_lib import with_numpy
from softmax_lib.with_numpy import Axis, _as_axes, _rounding, _single

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

Pair = tuple[Any, Any]

SOURCE = Path(__file__).with_name("softmax.cu")


# --- the public functions --------------------------------------------------------------------------------------------


def softmax(x: Any, axis: Axis = -1, *, where: Any = None, out: Any = None) -> Any:
    """See :func:`softmax_lib.softmax`. float32 and float64 are within 4 ULP; longdouble is a TypeError."""
    return _along_axis("softmax", x, axis, where, out, nothing=0.0)


def log_softmax(x: Any, axis: Axis = -1, *, where: Any = None, out: Any = None) -> Any:
    """See :func:`softmax_lib.log_softmax`. float32 and float64 are within 4 ULP; longdouble is a TypeError."""
    return _along_axis("log_softmax", x, axis, where, out, nothing=-np.inf)


def logsumexp(x: Any, axis: Axis = -1, *, keepdims: bool = False, where: Any = None) -> Any:
    """See :func:`softmax_lib.logsumexp`. longdouble is a TypeError."""
    logits = _as_logits("logsumexp", x)
    axes = _as_axes(logits, axis)
    maximum, rest = _normalizers(_masked(logits, _as_where(where, logits)), axes)
    shape = [1 if i in axes else n for i, n in enumerate(logits.shape) if keepdims or i not in axes]
    return (maximum + cp.log1p(rest)).astype(logits.dtype).reshape(shape)


def normalizer(x: Any, axis: Axis = -1) -> Pair:
    """See :func:`softmax_lib.normalizer`. longdouble is a TypeError."""
    logits = _as_logits("normalizer", x)
    maximum, rest = _normalizers(logits, _as_axes(logits, axis))
    return cp.where(cp.isnan(rest), np.nan, maximum), 1 + rest


def merge(a: Pair, b: Pair) -> Pair:
    """See :func:`softmax_lib.merge`. longdouble is a TypeError."""
    (m_a, s_a), (m_b, s_b) = _as_pair("a", a), _as_pair("b", b)
    maximum = cp.maximum(m_a, m_b)
    # The difference of equal infinities would be NaN.
    return maximum, sum(s * cp.exp(cp.where(m == maximum, 0, m - maximum)) for m, s in ((m_a, s_a), (m_b, s_b)))


def softmax_jacobian(x: Any, axis: int = -1) -> Any:
    """See :func:`softmax_lib.softmax_jacobian`. longdouble is a TypeError."""
    logits = _as_logits("softmax_jacobian", x)
    axis = _single(logits, axis)
    p = cp.moveaxis(softmax(logits.astype(np.float64), axis), axis, -1)
    diagonal = cp.eye(p.shape[-1], dtype=bool)
    jacobian = cp.where(diagonal, (p * _others(p))[..., np.newaxis], -p[..., :, np.newaxis] * p[..., np.newaxis, :])
    return jacobian.astype(logits.dtype)


def softmax_vjp(p: Any, v: Any, axis: int = -1, *, out: Any = None) -> Any:
    """See :func:`softmax_lib.softmax_vjp`. longdouble is a TypeError."""
    probabilities, vector = _as_logits("softmax_vjp", p, name="p"), _as_logits("softmax_vjp", v, name="v")
    if vector.shape != probabilities.shape:
        raise ValueError(f"v must have the shape of p, {probabilities.shape}, got {vector.shape}")
    axes = (_single(probabilities, axis, name="p"),)
    if out is not None:
        _check_out(out, probabilities, name="p")
    dtype = probabilities.dtype
    if vector.dtype != dtype:
        dtype = np.dtype(np.float64 if max(dtype.itemsize, vector.dtype.itemsize) > 4 else np.float32)
    shares, directions = (_Slices(array.astype(dtype, copy=False), axes) for array in (probabilities, vector))
    direct = shares.fit(out, probabilities) and directions.fit(out, vector)
    result = out if direct else cp.empty_like(shares.array)
    if result.size:
        geometry = shares.geometry(arrays=2)
        moments = shares.merged(geometry, "moments", 7, shares.array, directions.array)
        shares.launch(geometry, "softmax_vjp", shares.array, directions.array, result, moments)
    return out if direct else shares.put(result, probabilities.dtype, out)


def cross_entropy(x: Any, target: Any, axis: int = -1) -> Any:
    """See :func:`softmax_lib.cross_entropy`. longdouble is a TypeError. CuPy takes a float32 below 2^-126 for 0."""
    logits = _as_logits("cross_entropy", x)
    axis = _single(logits, axis)
    classes, shares = _as_target("cross_entropy", target, logits, axis)
    if classes is not None:
        maximum, rest = _normalizers(logits, (axis,))
        chosen = cp.take_along_axis(logits, cp.expand_dims(classes, axis), axis).reshape(classes.shape)
        # An infinite maximum leaves no answer.
        loss = (maximum - chosen.astype(np.float64)) + (cp.log1p(rest) + (maximum - maximum))
        return loss.astype(logits.dtype)
    surprise = 0 - cp.moveaxis(log_softmax(logits.astype(np.float64), axis), axis, -1)
    # A class without a share adds nothing, also where its surprise is infinite.
    loss = cp.where(shares == 0, 0, shares * surprise).sum(axis=-1)
    return cp.where(cp.isnan(surprise).any(axis=-1), np.nan, loss).astype(logits.dtype)


def cross_entropy_grad(x: Any, target: Any, axis: int = -1) -> Any:
    """See :func:`softmax_lib.cross_entropy_grad`. longdouble is a TypeError."""
    logits = _as_logits("cross_entropy_grad", x)
    axis = _single(logits, axis)
    classes, shares = _as_target("cross_entropy_grad", target, logits, axis)
    if classes is not None:
        slices = _Slices(logits, (axis,))
        result = cp.empty_like(slices.array)
        if result.size:
            geometry = slices.geometry()
            pairs = slices.merged(geometry, "normalizers", 2, slices.array)
            slices.launch(geometry, "cross_entropy_grad", slices.array, result, classes, pairs)
        return slices.put(result, logits.dtype)
    p = cp.moveaxis(softmax(logits.astype(np.float64), axis), axis, -1)
    gradient = p * _others(shares) - shares * _others(p)
    return cp.ascontiguousarray(cp.moveaxis(gradient, -1, axis)).astype(logits.dtype, copy=False)


# --- how many threads take a slice ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Geometry:
    """How a kernel is cut: its fields are the macros of ``softmax.cu`` (`parts` but an argument)."""

    threads: int
    """Threads that share a slice, in each block."""
    values: int
    """Entries of it that each of them holds in registers."""
    vector: int
    """Entries moved at once: 16 bytes where they lie side by side and the length allows."""
    slices: int
    """Slices a block."""
    cluster: int
    """Blocks that share a slice and read each other's memory."""
    parts: int
    """Parts of a slice that is too long for that, each a block's: read twice."""
    across: bool
    """Whether the entries of a slice do not lie side by side; then those of neighbouring slices do."""
    arrays: int
    """Arrays that are read: two for the vector product."""

    @property
    def block(self) -> tuple[int, int]:
        return (self.slices, self.threads) if self.across else (self.threads, self.slices)

    def grid(self, slices: int) -> tuple[int]:
        return (-(-slices // self.slices) * self.cluster * self.parts,)


def geometry(length: int, itemsize: int, *, across: bool = False, clusters: bool = True, arrays: int = 1) -> Geometry:
    """The geometry for slices of `length` entries of `itemsize` bytes.

    Parameters
    ----------
    length, itemsize : int
        At least 1; and 2, 4 or 8.
    across : bool
        Whether the entries do not lie side by side.
    clusters : bool
        Whether the GPU has clusters: of compute capability 9.0 or more.
    arrays : int
        How many arrays are read: 1, or 2 for the vector product.
    """
    # 16 registers for the entries of an array leave enough of the 64 that 1024 resident threads have.
    most = 64 // max(itemsize, 4) // arrays
    vector = 1 if across else math.gcd(length, 16 // itemsize)
    # Eight threads with 16 bytes each fill a line of memory.
    fewest = 1 if across else 8 if length <= 64 else 16 if length <= 128 else 32
    # Across, each thread leaves its sums, of up to 56 bytes, in 48 KiB of shared memory, for 32 slices.
    widest = (32 if arrays == 1 else 16) if across else 512
    threads, values, cluster, parts = max(fewest, _power_of_two(length, most)), most, 1, 1
    if threads > widest:
        larger = [(widest, most, blocks) for blocks in (2, 4, 8) if clusters]
        if not across:
            larger += [(count, 2 * most, 8 if clusters else 1) for count in (widest, 2 * widest)]
        fitting = [each for each in larger if math.prod(each) >= length]
        threads, values, cluster = fitting[0] if fitting else (widest, most, 1)
        parts = 1 if fitting else -(-length // (widest * most))
    else:
        values = max(vector, _power_of_two(length, threads))
    slices = max(32 if across else 1, 128 // threads)
    return Geometry(threads, values, vector, slices, cluster, parts, across, arrays)


def _power_of_two(count: int, share: int) -> int:
    """The least power of two of which each takes at most `share` of `count`."""
    return 1 << (-(-count // share) - 1).bit_length()


def options(dtype: str, geometry: Geometry) -> tuple[str, ...]:
    """The options that ``softmax.cu`` is compiled with, by NVRTC or nvcc."""
    macros = {name.upper(): int(value) for name, value in asdict(geometry).items() if name != "parts"}
    return ("--std=c++17", f"-DELEMENT={dtype}", *(f"-D{name}={value}" for name, value in macros.items()))


@functools.cache
def _module(dtype: Any, geometry: Geometry) -> Any:
    return cp.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=options(dtype.name, geometry))


@functools.cache
def _kernel(name: str, dtype: Any, geometry: Geometry) -> Callable[..., None]:
    kernel: Callable[..., None] = _module(dtype, geometry).get_function(name)
    return kernel


# --- from any array to a kernel ---------------------------------------------------------------------------------------


class _Slices:
    """An array as slices that a kernel can take: outer × length × inner entries, one after the other in memory."""

    def __init__(self, array: Any, axes: tuple[int, ...]) -> None:
        self.shape, self.axes = array.shape, tuple(sorted(axes))
        array = cp.atleast_1d(array)
        first = self.axes[0] if axes else array.ndim
        self.adjacent = self.axes == tuple(range(first, first + len(axes)))
        if not self.adjacent:
            array, first = cp.moveaxis(array, self.axes, self._last()), array.ndim - len(axes)
        self.array = cp.ascontiguousarray(array)
        self.length = math.prod(array.shape[first : first + len(axes)])
        self.inner = math.prod(array.shape[first + len(axes) :])
        self.count = math.prod(array.shape[:first]) * self.inner

    def _last(self) -> tuple[int, ...]:
        return tuple(range(-len(self.axes), 0))

    def fit(self, out: Any, array: Any) -> bool:
        """Whether a kernel can write to `out`: laid out as the slices are, and the memory of `array` or none of it."""
        fits = out is not None and out.dtype == self.array.dtype and self.adjacent and out.flags.c_contiguous
        return bool(fits and (out is array or not cp.may_share_memory(out, array)))

    def put(self, result: Any, dtype: Any, out: Any = None) -> Any:
        """`result`, laid out as the slices are, in the shape of the array, or in `out`."""
        if not self.adjacent:
            result = cp.moveaxis(result, self._last(), self.axes)
        result = result.reshape(self.shape)
        if out is None:
            return cp.ascontiguousarray(result, dtype=dtype).reshape(self.shape)
        out[...] = result
        return out

    def geometry(self, arrays: int = 1) -> Geometry:
        size = self.array.dtype.itemsize
        return geometry(self.length, size, across=self.inner > 1, clusters=_has_clusters(), arrays=arrays)

    def launch(self, geometry: Geometry, name: str, *arrays: Any) -> None:
        kernel = _kernel(name, self.array.dtype, geometry)
        kernel(
            geometry.grid(self.count), geometry.block, (*arrays, self.count, self.length, self.inner, geometry.parts)
        )

    def merged(self, geometry: Geometry, name: str, fields: int, *arrays: Any, single: bool = False) -> Any:
        """What this kernel finds in each slice, if in parts, or if `single`; of others, the next kernel finds it."""
        if geometry.parts == 1 and not single:
            return self.array  # which is not looked at
        of_parts = cp.empty((self.count, geometry.parts, fields), np.float64)
        self.launch(geometry, name, *arrays, of_parts)
        if geometry.parts == 1:
            return of_parts[:, 0]
        merged = cp.empty((self.count, fields), np.float64)
        kernel = _kernel(f"merge_{name}", self.array.dtype, geometry)
        kernel((self.count,), (32,), (of_parts, merged, geometry.parts))
        return merged


def _along_axis(function: str, x: Any, axis: Axis, where: Any, out: Any, nothing: float) -> Any:
    """Launch the kernel of this name; where `where` leaves nothing of a slice, the result is `nothing`."""
    logits = _as_logits(function, x)
    axes = _as_axes(logits, axis)
    if out is not None:
        _check_out(out, logits)
    taking_part = _as_where(where, logits)
    slices = _Slices(_masked(logits, taking_part), axes)
    direct = taking_part is None and slices.fit(out, logits)
    result = out if direct else cp.empty_like(slices.array)
    if result.size:
        geometry = slices.geometry()
        pairs = slices.merged(geometry, "normalizers", 2, slices.array)
        slices.launch(geometry, function, slices.array, result, pairs)
    if direct:
        return out
    if taking_part is not None:
        left = cp.atleast_1d(taking_part).any(axis=axes, keepdims=True)
        result = slices.put(result, logits.dtype)
        result = cp.where(left, result, result.dtype.type(nothing)).reshape(logits.shape)
        if out is None:
            return result
        out[...] = result
        return out
    return slices.put(result, logits.dtype, out)


def _normalizers(logits: Any, axes: tuple[int, ...]) -> Pair:
    """The maximum of each slice and the sum of the other exponentials, relative to its own; `logits` without `axes`."""
    slices = _Slices(logits, axes)
    left = [n for i, n in enumerate(logits.shape) if i not in axes]
    if not logits.size:
        return cp.full(left, -np.inf), cp.full(left, -1.0)
    pairs = slices.merged(slices.geometry(), "normalizers", 2, slices.array, single=True)
    return pairs[:, 0].reshape(left), pairs[:, 1].reshape(left)


def _others(shares: Any) -> Any:
    """For each entry, the sum along the last axis of all the others, without cancellation."""
    if shares.shape[-1] == 0:
        return shares
    largest = cp.arange(shares.shape[-1]) == cp.argmax(shares, axis=-1)[..., np.newaxis]
    smaller = cp.where(largest, 0, shares)
    rest = smaller.sum(axis=-1, keepdims=True)
    return cp.where(largest, rest, (rest - smaller) + shares.max(axis=-1, keepdims=True))


@functools.cache
def _has_gpu() -> bool:
    return bool(cp.cuda.runtime.getDeviceCount())


def _has_clusters() -> bool:
    return int(cp.cuda.Device().compute_capability) >= 90


def _as_logits(function: str, x: Any, name: str = "x") -> Any:
    """`x` as a float array on the GPU, or an error that says what is wrong with it, or that there is no GPU."""
    if not isinstance(x, cp.ndarray):
        x = with_numpy._as_logits(function, x, name)
    elif x.dtype.kind in "biu":
        x = x.astype(np.float64)
    elif x.dtype.kind == "c":
        raise TypeError(f"{function} expects a real numeric array, got dtype {x.dtype}")
    if x.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        if np.can_cast(x.dtype, np.float32):
            x = x.astype(np.float32)
        else:
            raise TypeError(f"{function} needs softmax_lib.with_numpy for {x.dtype.name}, got dtype {x.dtype}")
    try:
        _has_gpu()
        return cp.asarray(x)
    except cp.cuda.runtime.CUDARuntimeError as problem:
        raise RuntimeError(
            f"{function} of softmax_lib.with_cupy needs an NVIDIA GPU ({problem}); "
            f"without one, softmax_lib.with_numba and softmax_lib have the same functions"
        ) from problem


def _as_where(where: Any, logits: Any) -> Any:
    if where is None:
        return None
    if not isinstance(where, cp.ndarray):
        with_numpy._as_where(where, logits)
    mask = cp.asarray(where)
    if mask.dtype != bool:
        raise TypeError(f"where must be an array of bool, got dtype {mask.dtype}")
    try:
        return cp.broadcast_to(mask, logits.shape)
    except ValueError:
        raise ValueError(f"where must broadcast to the shape of x, {logits.shape}, got shape {mask.shape}") from None


def _masked(logits: Any, taking_part: Any) -> Any:
    return logits if taking_part is None else cp.where(taking_part, logits, logits.dtype.type(-np.inf))


def _check_out(out: Any, logits: Any, name: str = "x") -> None:
    if not isinstance(out, cp.ndarray) or out.dtype != logits.dtype:
        got = "numpy.ndarray" if isinstance(out, np.ndarray) else type(out).__name__
        got = f"dtype {out.dtype}" if isinstance(out, cp.ndarray) else got
        raise TypeError(f"out must be a cupy.ndarray of dtype {logits.dtype}, got {got}")
    if out.shape != logits.shape:
        raise ValueError(f"out must have the shape of {name}, {logits.shape}, got {out.shape}")
    if out.size and any(stride == 0 and count > 1 for stride, count in zip(out.strides, out.shape, strict=True)):
        raise ValueError("out must be writeable, got a broadcast array")


def _as_target(function: str, target: Any, logits: Any, axis: int) -> tuple[Any, Any]:
    """`target` as class indices, or else as float64 distributions over the last axis; the other is None."""
    if not isinstance(target, cp.ndarray):
        with_numpy._as_logits(function, target, name="target")
    given = cp.asarray(target)
    shape = logits.shape[:axis] + logits.shape[axis + 1 :]
    count = logits.shape[axis]
    if given.shape == shape and (given.dtype.kind in "iu" or given.size == 0):
        wrong = given[(given < 0) | (given >= count)]
        if wrong.size:
            raise ValueError(f"target must be a class index from 0 to {count - 1}, got {int(wrong[0])}")
        return cp.ascontiguousarray(given, dtype=np.int64).reshape(shape), None
    if given.shape != logits.shape:
        raise ValueError(
            f"target must be class indices of shape {shape} or distributions of shape {logits.shape}, "
            f"got {given.dtype} of shape {given.shape}"
        )
    shares = cp.moveaxis(_as_logits(function, given, name="target"), axis, -1).astype(np.float64)
    valid = shares >= 0
    if not valid.all():
        raise ValueError(f"target must be a distribution, none negative or NaN, got {float(shares[~valid][0])}")
    sums = shares.sum(axis=-1)
    excess = cp.abs(sums - 1)
    if (excess > _rounding(given)).any():
        worst = float(sums.ravel()[cp.argmax(excess)])
        raise ValueError(f"target must be a distribution that sums to 1, got a sum of {worst}")
    return None, shares


def _as_pair(name: str, pair: Pair) -> Pair:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"{name} must be a pair (maximum, total) from normalizer, got {pair!r}")
    maximum, total = (_as_logits("merge", part) for part in pair)
    return maximum, total
