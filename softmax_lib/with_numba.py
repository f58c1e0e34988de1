"""Softmax on all cores and in vector registers, compiled by Numba at the first call.

The same functions as in :mod:`softmax_lib.with_numpy`, whose docstrings say what they promise. From top to bottom: the
public functions; the way from any array to a kernel; an exponential that runs in vector registers; the kernels, along
rows, in pieces of a long row, down columns, and softmax_vjp; and the instructions that Numba has no name for.

Everything rests on one trade. Softmax needs the maximum of a row only to keep exponentials in range, and most rows are
in range. So the exponentials come first, and their total tells whether that was right; if not, the row, still in the
cache, is done again from its maximum.

The comments give nanoseconds an element in float32, on one core of a Xeon with AVX-512.
"""

import ctypes
import math
import threading
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

try:
    import numba
except ImportError as missing:
    raise ImportError(
        "softmax_lib.with_numba needs Numba (pip install numba); without it, softmax_lib has the same functions"
    ) from missing
from llvmlite import ir
from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array

from softmax_lib import with_numpy
from softmax_lib.with_numpy import (
    Array,
    Axis,
    _as_axes,
    _as_logits,
    _as_target,
    _as_where,
    _check_out,
    _from_stack,
    _masked,
    _minus_one_hot,
    _others,
    _quiet,
    _single,
    _to_stack,
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

# What a kernel is to do with a slice; and the steps of a long one besides.
PROBABILITIES, LOGARITHMS, NORMALIZERS, MAXIMA, TOTALS, OTHERS = range(6)

SERIAL = 2**17  # elements: with no more, one thread is done (35 us) before a second, asleep, would have helped
SHORT = 2**10  # elements of short rows that are worked on together
LONG = 2**17  # rows up to this long are read once: three of float32 fit into a second-level cache
PIECE = 2**15  # elements of a longer row that are worked on at once
TALL = 2**13  # elements of a column; taller ones are copied into rows
STREAM = 2**23  # bytes of a result that need not be kept in the caches
NEARLY_ONE = 0x3F7FFF00  # the bits of 1 - 2^-16 in float32: as long as all others are below it, they have digits left
FAR = 512  # elements: how far ahead of where they are read they are asked for
_options = {"cache": True, "nogil": True, "error_model": "numpy"}
_inlined = {**_options, "forceinline": True}  # a loop that was called, and counted references, took up to 45 ns more
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
    """See :func:`softmax_lib.softmax`. float32 and float64 are within 4 ULP; longdouble is a TypeError."""
    return _along_axis("softmax", PROBABILITIES, x, axis, where, out, nothing=0.0)


def log_softmax(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    where: npt.ArrayLike | None = None,
    out: Array | None = None,
) -> Any:
    """See :func:`softmax_lib.log_softmax`. float32 and float64 are within 4 ULP; longdouble is a TypeError."""
    return _along_axis("log_softmax", LOGARITHMS, x, axis, where, out, nothing=-np.inf)


@_quiet
def logsumexp(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    keepdims: bool = False,
    where: npt.ArrayLike | None = None,
) -> Any:
    """See :func:`softmax_lib.logsumexp`. longdouble is a TypeError."""
    logits = _as_narrow_logits("logsumexp", x)
    axes = _as_axes(logits, axis)
    maxima, rests = _normalizers(_masked(logits, _as_where(where, logits)), axes)
    result: Array = (maxima + np.log1p(rests)).astype(logits.dtype)
    shape = [1 if i in axes else n for i, n in enumerate(logits.shape) if keepdims or i not in axes]
    return result.reshape(shape)[()]


def softmax_jacobian(x: npt.ArrayLike, axis: int = -1) -> Array:
    """See :func:`softmax_lib.softmax_jacobian`, which this is: it only stores products. longdouble is a TypeError."""
    return with_numpy.softmax_jacobian(_as_narrow_logits("softmax_jacobian", x), axis)


@_quiet
def softmax_vjp(p: npt.ArrayLike, v: npt.ArrayLike, axis: int = -1, *, out: Array | None = None) -> Array:
    """See :func:`softmax_lib.softmax_vjp`. longdouble is a TypeError."""
    probabilities = _as_narrow_logits("softmax_vjp", p, name="p")
    vector = _as_narrow_logits("softmax_vjp", v, name="v")
    if vector.shape != probabilities.shape:
        raise ValueError(f"v must have the shape of p, {probabilities.shape}, got {vector.shape}")
    axis = _single(probabilities, axis, name="p")
    if out is not None:
        _check_out(out, probabilities, name="p")
    working = _FLOATS[max(probabilities.itemsize, vector.itemsize) > 4]
    shares, directions = (
        _plain(_to_stack(array, (axis,)).swapaxes(1, 2), working) for array in (probabilities, vector)
    )
    outer, inner, length = shares.shape
    along_last = axis == probabilities.ndim - 1 and probabilities.dtype == working
    direct = out is not None and along_last and _fits(out, probabilities) and _fits(out, vector)
    if working == np.float64:  # Of some rows the kernel's product is not the last word.
        direct = direct and out is not probabilities and out is not vector
    result = out.reshape(shares.shape) if out is not None and direct else np.empty(shares.shape, working)
    if result.size:
        flat = shares.reshape(-1), directions.reshape(-1), result.reshape(-1)
        rows, large = outer * inner, result.nbytes > STREAM
        if working == np.float32:
            arguments = (*flat, length, large)
            _on_the_cores(_narrow_vjp_rows, _narrow_vjp_rows_on_all_cores, rows, result.size, arguments)
        else:
            doubtful = np.zeros(rows, bool)
            _on_the_cores(_vjp_rows, _vjp_rows_on_all_cores, rows, result.size, (*flat, doubtful, length, large))
            if doubtful.any():
                p_rows, v_rows, into = (array.reshape(rows, length) for array in flat)
                into[doubtful] = with_numpy.softmax_vjp(p_rows[doubtful], v_rows[doubtful])
    product: Array = result.swapaxes(1, 2).reshape(probabilities.shape)
    if out is None:
        return product.astype(probabilities.dtype, order="C", copy=False)
    if not direct:
        out[...] = product
    return out


@_quiet
def cross_entropy(x: npt.ArrayLike, target: npt.ArrayLike, axis: int = -1) -> Any:
    """See :func:`softmax_lib.cross_entropy`. longdouble is a TypeError."""
    logits = _as_narrow_logits("cross_entropy", x)
    axis = _single(logits, axis)
    classes, shares = _as_target("cross_entropy", target, logits, axis)
    if classes is None:
        surprise = 0 - log_softmax(logits.astype(np.float64), axis)
        loss = np.where(shares == 0, 0, shares * surprise).sum(axis=axis)
        return np.where(np.isnan(surprise).any(axis=axis), np.nan, loss).astype(logits.dtype)[()]
    maxima, rests = _normalizers(logits, (axis,))
    maxima, rests = maxima.reshape(classes.shape), rests.reshape(classes.shape)
    chosen = np.take_along_axis(logits, np.expand_dims(classes, axis), axis).reshape(classes.shape)
    loss = (maxima - chosen) + np.log1p(rests)
    return np.where(np.isinf(maxima), np.nan, loss).astype(logits.dtype)[()]


@_quiet
def cross_entropy_grad(x: npt.ArrayLike, target: npt.ArrayLike, axis: int = -1) -> Array:
    """See :func:`softmax_lib.cross_entropy_grad`. longdouble is a TypeError."""
    logits = _as_narrow_logits("cross_entropy_grad", x)
    axis = _single(logits, axis)
    classes, shares = _as_target("cross_entropy_grad", target, logits, axis)
    if classes is None:
        p = softmax(logits.astype(np.float64), axis)
        gradient: Array = p * _others(shares, axis) - shares * _others(p, axis)
        return gradient.astype(logits.dtype, copy=False)
    working = _plain(logits)
    gradient = np.empty_like(working)
    _normalizers(working, (axis,), PROBABILITIES, gradient)
    _minus_one_hot(gradient, classes, working, _normalizers(working, (axis,)), axis)
    return gradient.astype(logits.dtype, copy=False)


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
        and (axis == -1 and type(axis) is int)
        and x.ndim
        and x.size
        and x.flags.carray
        and where is None
        and (out is None or _fits(out, x))
    ):  # What most calls are: the checks below would take longer than the softmax of a thousand logits.
        result = np.empty(x.shape, x.dtype) if out is None else out
        length = x.shape[-1]
        if x.size <= SERIAL <= LONG:  # one thread, and no row is too long
            _rows(x.reshape(-1), result.reshape(-1), length, _NO_PAIRS, task, False, 0, x.size // length)
        else:
            _run(x, result, x.size // length, length, 1, task, _NO_PAIRS)
        return result
    logits = _as_narrow_logits(function, x)
    axes = _as_axes(logits, axis)
    if out is not None:
        _check_out(out, logits)
    taking_part = _as_where(where, logits)
    working = _plain(_masked(logits, taking_part))
    # In place is safe, slice by slice; any other overlap is not.
    direct = out is not None and _fits(out, working)
    result = out if out is not None and direct else np.empty(working.shape, working.dtype)
    _normalizers(working, axes, task, result)
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
    """Whether a kernel may write the result for `x` into `out` as it goes; in place it may, over a part of `x` not."""
    return (
        type(out) is np.ndarray
        and out.dtype == x.dtype
        and out.shape == x.shape
        and out.flags.carray
        and (out is x or not np.may_share_memory(out, x))
    )


def _normalizers(logits: Array, axes: tuple[int, ...], task: int = NORMALIZERS, out: Array | None = None) -> Array:
    """The maximum of each slice and the sum of the other exponentials relative to its own, in rows; and fill `out`."""
    stack = np.ascontiguousarray(_to_stack(_plain(logits), axes))
    outer, length, inner = stack.shape
    result = stack if out is None else np.ascontiguousarray(_to_stack(out, axes))
    into = result
    if inner > 1 and length > TALL:
        stack = np.ascontiguousarray(stack.swapaxes(1, 2))
        into = stack if out is None else np.empty_like(stack)
        outer, inner = outer * inner, 1
    pairs = np.empty((2, outer * inner if task == NORMALIZERS else 0))
    if stack.size:
        _run(stack, into, outer, length, inner, task, pairs)
    else:
        pairs[:] = [[-np.inf], [0.0]]
    if out is not None:
        if into is not result:
            result[...] = into.swapaxes(1, 2)
        if not np.may_share_memory(result, out):
            out[...] = _from_stack(result, out.shape, axes)
    return pairs


def _run(x: Array, out: Array, outer: int, length: int, inner: int, task: int, pairs: Array) -> None:
    """Work on `x`, C-contiguous and of shape (outer, length, inner), along its middle."""
    large = out.nbytes > STREAM
    x, out = x.reshape(-1), out.reshape(-1)
    if inner > 1:
        tiles = outer * -(-inner // 64)
        _on_the_cores(_tiles, _tiles_on_all_cores, tiles, x.size, (x, out, length, inner, pairs, task, large))
    elif length <= LONG:
        _on_the_cores(_rows, _rows_on_all_cores, outer, x.size, (x, out, length, pairs, task, large))
    else:
        for row in range(outer):
            here = slice(row * length, (row + 1) * length)
            pair = _long_row(x[here], out[here], task, large)
            if task == NORMALIZERS:
                pairs[:, row] = pair


@_quiet
def _long_row(x: Array, out: Array, task: int, large: bool) -> tuple[Any, Any]:
    """Work on one row in pieces, on all cores, as often as need be; its maximum and rest, unless for probabilities."""
    pieces = -(-x.size // PIECE)
    maximum, total, found = np.zeros(1), np.zeros(2), np.empty((2, pieces))

    def run(step: int) -> Any:
        arguments = (x, out, step, maximum, total, found, large)
        _on_the_cores(_pieces, _pieces_on_all_cores, pieces, x.size, arguments)
        return found

    def sums(step: int) -> tuple[Any, Any]:
        exponentials, more = run(step)
        return with_numpy._sum(exponentials[np.newaxis, :, np.newaxis], exponentials.dtype).item(), more.sum()

    constants = _FLOAT64 if x.itemsize == 8 else _FLOAT32
    if task == PROBABILITIES:
        total[:] = sums(TOTALS)
        if not constants.least <= total[0] <= constants.most:
            maximum[0] = run(MAXIMA)[0].max()
            total[:] = sums(TOTALS) if np.isfinite(maximum[0]) else np.nan
    else:
        maximum[0] = run(MAXIMA)[0].max()
        if np.isfinite(maximum[0]):
            highest = x.dtype.type(maximum[0])
            total[0] = _relative(*sums(OTHERS), highest, highest)
        elif task == LOGARITHMS:
            total[0] = np.nan
        elif np.isnan(x).any():
            maximum[0] = np.nan
    if task != NORMALIZERS:
        run(task)
    return maximum[0], total[0]


_one_at_a_time = threading.Lock()


def _on_the_cores(serial: Any, parallel: Any, count: int, elements: int, arguments: tuple[Any, ...]) -> None:
    """Work items 0 to `count`, on all cores where that pays and none other of our calls has them already.

    Numba's own threads ("workqueue") abort the process when two of Python's come in at once.
    """
    threads = min(numba.get_num_threads(), count) if elements > SERIAL else 1
    if threads > 1 and _one_at_a_time.acquire(blocking=False):
        try:
            parallel(*arguments, count, threads)
        finally:
            _one_at_a_time.release()
    else:
        serial(*arguments, 0, count)


def _as_narrow_logits(function: str, x: npt.ArrayLike, name: str = "x") -> Array:
    logits = _as_logits(function, x, name)
    if logits.dtype == np.longdouble and np.longdouble != np.float64:
        raise TypeError(f"{function} needs softmax_lib.with_numpy for longdouble, got dtype {logits.dtype}")
    return logits


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


# --- exp -------------------------------------------------------------------------------------------------------------
#
# What is computed is exp(x) 2^(headroom - n) for one whole number n near x_max / log(2). Dividing by a power of two is
# exact; x - x_max is not, and exp amplifies what was rounded off there to 32 units in the last place in float32.


class _Format(NamedTuple):
    """What a float type needs to know of itself, in that type."""

    zero: np.floating[Any]
    one: np.floating[Any]
    infinity: np.floating[Any]
    log2_e: np.floating[Any]
    ln2_high: np.floating[Any]
    ln2_low: np.floating[Any]
    magic: np.floating[Any]
    """Adding it rounds to a whole number, and leaves that in the lowest bits."""
    bias: np.floating[Any]
    """In the bits of the result's power of two: the headroom, and what the format adds to every exponent."""
    below: np.floating[Any]
    """Logits further below the one that n was chosen for count as this far: their probability is 0."""
    above: np.floating[Any]
    """Logits further above count as this far, and make the total larger than `most`."""
    least: np.floating[Any]
    most: np.floating[Any]
    """A total in between shows that n was well chosen: nothing that counts left the range."""
    coefficients: tuple[np.floating[Any], ...]
    """Of Q in exp(r) = 1 + r + r^2 Q(r) for abs(r) <= log(2) / 2, from the highest power."""


def _format(kind: Any, headroom: int, least: int, most: int, coefficients: list[float]) -> _Format:
    limits = np.finfo(kind)
    ln2_high = kind(math.log(2))
    return _Format(
        zero=kind(0),
        one=kind(1),
        infinity=kind(math.inf),
        log2_e=kind(1 / math.log(2)),
        ln2_high=ln2_high,
        # log(2) to twice the precision of float64
        ln2_low=kind(0.6931471805599453 - float(ln2_high) + 2.3190468138462996e-17),
        magic=kind(1.5 * 2**limits.nmant),
        bias=kind(headroom + limits.maxexp - 1),
        below=kind(math.floor((headroom - limits.minexp) * math.log(2))),
        above=kind(math.floor((limits.maxexp - 1 - headroom) * math.log(2))),
        least=kind(2.0**least),
        most=kind(2.0**most),
        coefficients=tuple(map(kind, coefficients)),
    )


# The polynomials are mpmath.chebyfit's, with relative errors of 2^-26.5 and 2^-55.8. A slice with its maximum in
# float32 from -20 to 41, in float64 from -277 to 346, never needs that maximum to be found.
_FLOAT32 = _format(
    np.float32,
    headroom=60,
    least=30,
    most=120,
    coefficients=[0.0013926250394433737, 0.00836323294788599, 0.04166655242443085, 0.16666576266288757, 0.5],
)
_FLOAT64 = _format(
    np.float64,
    headroom=500,
    least=100,
    most=1000,
    coefficients=[
        *(2.5100472505694996e-08, 2.7620201591031547e-07, 2.7557268276905696e-06, 2.4801521057868204e-05),
        *(0.00019841269863171557, 0.0013888888917367081, 0.008333333333330039, 0.041666666666623824),
        *(0.16666666666666669, 0.5000000000000001),
    ],
)


def _constants(x):
    """The constants of the type of `x`."""


@overload(_constants)
def _overload_constants(x):
    constants = _FLOAT32 if x == types.float32 else _FLOAT64
    return lambda x: constants


@njit(**_inlined)
def _frame(maximum):
    """For a slice with a maximum near this: what to subtract, the range of what counts, and what rounds and shifts.

    Up to 2^11 nothing need be subtracted. Beyond, the difference of any logit that counts is exact.
    """
    c = _constants(maximum)
    base = maximum if abs(maximum) > 2048 else c.zero
    top = maximum - base
    n = _fma(top, c.log2_e, c.magic) - c.magic
    return base, top - c.below, top + c.above, (c.magic + c.bias) - n


@njit(**_inlined)
def _exponential(x, lowest, highest, shift):
    """exp(x) in the frame, x less its base: to 1 unit in the last place, and NaN for a NaN."""
    c = _constants(x)
    x = lowest if x < lowest else x
    x = highest if x > highest else x
    rounded = _fma(x, c.log2_e, shift)
    n = rounded - shift
    r = _fma(n, -c.ln2_low, _fma(n, -c.ln2_high, x))
    q = c.coefficients[0]
    for coefficient in c.coefficients[1:]:
        q = _fma(q, r, coefficient)
    return _fma(_fma(q, r, c.one), r, c.one) * _power_of_two(rounded)


@njit(**_inlined)
def _two_sum(a, b):
    """a + b as it is rounded, and what was rounded off, exactly (Knuth)."""
    total = a + b
    b_in_total = total - a
    return total, (a - (total - b_in_total)) + (b - b_in_total)


# --- along rows ------------------------------------------------------------------------------------------------------
#
# In float32 a copy of one core takes 0.3 to 0.5 ns an element; exp 0.17, and so fast only in loops as plain as these.


@njit(**_options)
def _rows(x, out, length, pairs, task, large, first, last):
    """Do the `task` for the rows from `first` to `last`, each read once.

    While a row is read, the one before it is written, block by block. 4096 x 4096 on two cores: 0.26 ns, not 0.31 as
    when the one waited for the other.
    """
    if length < SHORT:
        _short_rows(x, out, length, pairs, task, large, first, last)
        return
    padded = -(-length // 64) * 64
    memory = _aligned(2 * padded, x)
    x, out, pairs, values, before = _bare(x), _bare(out), _bare(pairs), _bare(memory[:padded]), _bare(memory[padded:])
    c = _constants(x[0])
    maximum, log_of_total, factor = c.zero, c.zero, c.one
    for row in range(first, last + 1):
        start, ready = row * length, (row - 1) * length
        sums = 0.0, 0.0, 0.0, _bits(x[start if row < last else 0])
        head = min(_to_next_line(out, ready), length) if large and row > first else 0
        if task == PROBABILITIES:
            _store(before, 0, head, factor, out, ready, False)
            for i in range(0, length, 64):
                if row < last:
                    sums = _next_block(x, start, i, length, _frame(c.zero), values, None, sums)
                if row > first:
                    _store_block(before, head + i, length, factor, out, ready, large)
        else:
            if task == LOGARITHMS:
                _logarithms(x, ready, head, maximum, log_of_total, before, 0)
                _store(before, 0, head, factor, out, ready, False)
            for i in range(0, length, 64):
                if row < last:
                    sums = _next_block(x, start, i, length, _frame(c.zero), None, None, sums)
                if row > first and task == LOGARITHMS:
                    at = head + i
                    _logarithms(x, ready + at, min(64, length - at), maximum, log_of_total, before, at)
                    _store_block(before, at, length, factor, out, ready, large)
        if row == last:
            break
        total, error, _, largest = sums
        if task == PROBABILITIES:
            if not c.least <= total <= c.most:
                frame = _frame(_maximum(x, start, length))
                total, error, _, _ = _exponentials(x, start, length, frame, values, None)
            factor = _as(factor, _reciprocal(total, error))
        else:
            maximum, rest = _normalizer_from(x, start, length, total, error, largest, values)
            log_of_total = _log_of_total(maximum, rest)
            if task == NORMALIZERS:
                pairs[0, row], pairs[1, row] = maximum, rest
        values, before = before, values
    if large:
        _fence()
    memory[0] = 0  # it must live until here


@njit(**_options)
def _short_rows(x, out, length, pairs, task, large, first, last):
    """The same for several rows at a time: exponentials know no rows, so that one loop computes those of all.

    32 columns: 0.42 ns, not 0.63 as when rows were turned into columns of vector registers.
    """
    together = SHORT // length
    memory = _aligned(2 * SHORT, x)
    x, out, pairs, values, before = _bare(x), _bare(out), _bare(pairs), _bare(memory[:SHORT]), _bare(memory[SHORT:])
    c = _constants(x[0])
    waiting = 0  # results of the rows before, to be stored
    for row in range(first, last + together, together):
        rows = max(min(together, last - row), 0)
        start, ready = row * length, (row - together) * length
        head = min(_to_next_line(out, ready), waiting) if large else 0
        _store(before, 0, head, c.one, out, ready, False)
        for i in range(0, max(rows * length, waiting), 64):
            if i < rows * length:
                _next_block(x, start, i, rows * length, _frame(c.zero), values, None, None)
            if i < waiting:
                _store_block(before, head + i, waiting, c.one, out, ready, large)
        for i in range(rows):
            at, to = start + i * length, i * length
            total, error = _sum(values, to, length)
            fits = c.least <= total <= c.most
            if task == PROBABILITIES:
                if not fits:
                    _block(x, at, length, _frame(_maximum(x, at, length)), values, to, None)
                    total, error = _sum(values, to, length)
                _scale(values, to, length, _as(c.one, _reciprocal(total, error)))
                continue
            maximum = _maximum(x, at, length)
            rest = 0.0
            if fits:
                _, lowest, highest, shift = _frame(c.zero)
                largest = np.float64(_exponential(maximum, lowest, highest, shift))
                rest, low = _two_sum(total, -largest)
                rest = (rest + (low + error)) / largest
            if not rest > 2.0**-20:  # or it could be what rounding left
                maximum, rest = _normalizer(x, at, length, before)
            if task == LOGARITHMS:
                _logarithms(x, at, length, maximum, _log_of_total(maximum, rest), values, to)
            else:
                pairs[0, row + i], pairs[1, row + i] = maximum, rest
        waiting = rows * length if task != NORMALIZERS else 0
        values, before = before, values
    if large:
        _fence()
    memory[0] = 0  # it must live until here


@njit(**_options)
def _pieces(x, out, step, maximum, total, found, large, first, last):
    """Do one `step` for pieces of a long row: find its maximum, sum its exponentials, or compute its results."""
    memory = _aligned(PIECE, x)
    x, out, found, values = _bare(x), _bare(out), _bare(found), _bare(memory)
    highest = _as(x[0], maximum[0])
    frame = _frame(highest)
    factor, log_of_total = _constants(highest).one, _constants(highest).zero
    if step == PROBABILITIES:
        factor = _as(factor, _reciprocal(total[0], total[1]))
    elif step == LOGARITHMS:
        log_of_total = _log_of_total(highest, total[0])
    for piece in range(first, last):
        at = piece * PIECE
        count = min(PIECE, x.size - at)
        if step == MAXIMA:
            found[0, piece] = _maximum(x, at, count)
        elif step == TOTALS:
            found[0, piece], found[1, piece], _, _ = _exponentials(x, at, count, frame, values, None)
        elif step == OTHERS:
            sum_, error, ties, _ = _exponentials(x, at, count, frame, values, highest)
            found[0, piece], found[1, piece] = sum_ + error, ties
        else:
            head = min(_to_next_line(out, at), count) if large else 0
            for i in range(0, count + 64, 64):
                if step == PROBABILITIES and i < count:
                    _next_block(x, at, i, count, frame, values, None, None)
                elif i < count:
                    _logarithms(x, at + i, min(64, count - i), highest, log_of_total, values, i)
                if i > 0:
                    _store_block(values, head + i - 64, count, factor, out, at, large)
            _store(values, 0, head, factor, out, at, False)
    if large:
        _fence()
    memory[0] = 0  # it must live until here


@njit(**_options)
def _exponentials(x, start, count, frame, values, left_out):
    """values[:count] from x[start : start + count], with 0 for those that are `left_out`: the sum in float64, what it
    lacks, how often the latter occurs; and, where `values` is None, the bits of the largest logit. None costs nothing.
    """
    sums = 0.0, 0.0, 0.0, _bits(x[start])
    for i in range(0, count, 64):
        sums = _next_block(x, start, i, count, frame, values, left_out, sums)
    return sums


@njit(**_inlined)
def _next_block(x, start, i, count, frame, values, left_out, sums):
    """The same for the 64 from i on, or as many as there are, added to the `sums` so far, unless those are None.

    A core has few places to keep what waits for memory, and a long loop fills them with arithmetic that waits for its
    logits: 0.48 ns from memory, as much as both take alone. In loops of 64, 0.3; but from the cache 0.23, not 0.2.
    """
    _prefetch(x, start + i + FAR)
    some = min(64, count - i)
    if some == 64:  # of a length known when compiled
        part, equal, highest = _block(x, start + i, 64, frame, values, i, left_out)
    else:
        part, equal, highest = _block(x, start + i, some, frame, values, i, left_out)
    if sums is None:
        return None
    total, error, ties, largest = sums
    if values is None:
        total, error = _add(total, error, part)
    elif i % 512 == 448 or i + 64 >= count:  # with the blocks' own sums of float32, results were 5.2 ULP off
        first = i - i % 512
        part, low = _sum(values, first, i + some - first)
        total, error = _add(total, error + low, part)
    return total, error, ties + np.float64(equal), max(largest, highest)


@njit(**_inlined)
def _reciprocal(total, error):
    """1 / (total + error), rounded once or so."""
    factor = 1 / total
    return factor + factor * (_fma(-total, factor, 1.0) - error * factor)


@njit(**_inlined)
def _add(total, error, part):
    """A sum of float64 needs twice its precision, one of float32 in float64 has it."""
    if _is_wide(part):
        total, rounded_off = _two_sum(total, part)
        return total, error + rounded_off
    return total + np.float64(part), error


@njit(fastmath={"reassoc"}, **_inlined)
def _block(x, start, count, frame, values, to, left_out):
    """The same for so few that a sum in their own type will do: one in float64 would halve the width of the loop."""
    _fill_registers()
    base, lowest, highest, shift = frame
    c = _constants(base)
    total = ties = c.zero
    largest = _bits(x[start])
    for i in range(count):
        logit = x[_u(start + i)]
        e = _exponential(logit - base, lowest, highest, shift)
        if left_out is not None:
            e = c.zero if logit == left_out else e
            ties += c.one if logit == left_out else c.zero
        if values is not None:
            values[_u(to + i)] = e
        else:
            largest = max(largest, _bits(logit))
        total += e
    return total, ties, largest


@njit(**_inlined)
def _sum(values, start, count):
    """The sum, in float64, and what it lacks: of positive float64, as it is rounded, 100 are up to 8 ULP off."""
    total = _plain_sum(values, start, count)
    if not _is_wide(values[0]):
        return total, 0.0
    return _high_and_low(values, start, count, _power_above(total))


@njit(fastmath={"reassoc"}, **_inlined)
def _plain_sum(values, start, count):
    _fill_registers()
    total = 0.0
    for i in range(start, start + count):
        total += np.float64(values[_u(i)])
    return total


@njit(fastmath={"reassoc"}, **_inlined)
def _high_and_low(values, start, count, unit):
    """The sum of the high parts, which are multiples of a unit so large that it is exact; and that of the low ones."""
    _fill_registers()
    high = low = 0.0
    for i in range(start, start + count):
        high_part, low_part = _split(values[_u(i)], unit)
        high += high_part
        low += low_part
    return high, low


@njit(**_inlined)
def _split(x, unit):
    high = (x + unit) - unit
    return high, x - high


@njit(**_inlined)
def _maximum(x, start, count):
    """The maximum, of the bits as integers: of floats, the loop does not run in vector registers.

    They have the same order, or where all are negative the opposite one. A NaN is greater than infinity or, with its
    sign bit set, less than all, and then left out.
    """
    _fill_registers()
    largest = _bits(x[start])
    for i in range(count):
        largest = max(largest, _bits(x[_u(start + i)]))
    if largest < 0:
        for i in range(count):
            largest = min(largest, _bits(x[_u(start + i)]))
    return _from_bits(largest)


@njit(**_options)
def _normalizer(x, start, count, values):
    """The maximum and the other exponentials relative to its own, which are 0 where it is infinite."""
    total, error, _, largest = _exponentials(x, start, count, _frame(_constants(x[start]).zero), None, None)
    return _normalizer_from(x, start, count, total, error, largest, values)


@njit(**_options)
def _normalizer_from(x, start, count, total, error, largest, values):
    """The same from what `_exponentials` found, if that will do; `values` may be overwritten."""
    c = _constants(x[start])
    if largest >= 0 and c.least <= total <= c.most:
        maximum = _from_bits(largest)
        rest = _relative(total + error, 0, maximum, c.zero)
        if rest >= 3:  # otherwise what the maximum's own term rounds off could count
            return maximum, rest
    maximum = _maximum(x, start, count)
    if _is_finite(maximum):
        total, error, ties, _ = _exponentials(x, start, count, _frame(maximum), values, maximum)
        return maximum, _relative(total + error, ties, maximum, maximum)
    return _as(maximum, np.nan) if _has_nan(x, start, count, 1) else maximum, 0.0


@njit(**_inlined)
def _log_of_total(maximum, rest):
    return _as(maximum, np.log1p(rest) if _is_finite(maximum) else np.nan)


@njit(**_inlined)
def _relative(total, ties, maximum, near):
    """The total in the frame of `near` and the ties but one, relative to the maximum's exponential."""
    base, lowest, highest, shift = _frame(near)
    return total / np.float64(_exponential(maximum - base, lowest, highest, shift)) + (ties - 1)


@njit(**_inlined)
def _is_finite(x):
    return abs(x) < np.inf


@njit(**_inlined)
def _has_nan(x, start, count, step):
    for i in range(start, start + count * step, step):  # noqa: SIM110 (Numba knows no any)
        if x[i] != x[i]:
            return True
    return False


@njit(**_inlined)
def _logarithms(x, start, count, maximum, log_of_total, values, to):
    _fill_registers()
    for i in range(count):
        values[_u(to + i)] = (x[_u(start + i)] - maximum) - log_of_total


@njit(**_inlined)
def _scale(values, start, count, factor):
    _fill_registers()
    for i in range(start, start + count):
        values[_u(i)] *= factor


@njit(**_inlined)
def _to_next_line(out, start):
    """How many elements lie before the first that starts a cache line."""
    return -(_address(out) // out.itemsize + start) % (64 // out.itemsize)


@njit(**_inlined)
def _store(values, first, count, factor, out, start, large):
    """out[start : start + count] = values[first : first + count] * factor, past the caches if the whole is `large`."""
    _fill_registers()
    head = tail = count
    if large:
        head = min(_to_next_line(out, start), count)
        tail = count - (count - head) % (64 // values.itemsize)
    for i in range(head):
        out[_u(start + i)] = values[_u(first + i)] * factor
    for i in range(head, tail, 64 // values.itemsize):
        _stream_line(values, first + i, factor, out, start + i)
    for i in range(tail, count):
        out[_u(start + i)] = values[_u(first + i)] * factor


@njit(**_inlined)
def _store_block(values, i, count, factor, out, start, large):
    """Store the 64 from i on, of `count`, or as many as there are, as `_store` does."""
    _fill_registers()
    if i + 64 > count:
        if i < count:
            _store(values, i, count - i, factor, out, start + i, large)
    elif large:
        for j in range(i, i + 64, 64 // values.itemsize):
            _stream_line(values, j, factor, out, start + j)
    else:
        for j in range(i, i + 64):
            out[_u(start + j)] = values[_u(j)] * factor


@njit(**_options)
def _aligned(size, like):
    """An array of the type of `like` that starts a cache line."""
    lanes = 64 // like.itemsize
    array = np.empty(size + lanes, like.dtype)
    start = -(_address(array) // like.itemsize) % lanes
    return array[start : start + size]


# --- down columns -----------------------------------------------------------------------------------------------------


@njit(**_options)
def _tiles(x, out, length, columns, pairs, task, large, first, last):
    """Do the `task` for the tiles from `first` to `last`: 64 columns of a matrix with this many, side by side."""
    _fill_registers()
    lanes = 64 // x.itemsize
    memory, columns_memory, totals_memory = _aligned(64 * length, x), _aligned(8 * 64, x), _aligned(2 * 64, np.empty(0))
    x, out, pairs = _bare(x), _bare(out), _bare(pairs)
    tile, lane, totals = _bare(memory), _bare(columns_memory), _bare(totals_memory)
    tile[:] = 0  # what is left of it in the last tile must be numbers
    across = -(-columns // 64)
    for number in range(first, last):
        column = number % across * 64
        count = min(64, columns - column)
        slice_ = number // across * columns + column
        start = number // across * length * columns + column
        guessed = task == PROBABILITIES and count == 64 and _guess_tile(x, start, columns, length, tile, totals)
        if not guessed:
            for k in range(length):
                at = start + k * columns
                _prefetch(x, at + 16 * columns)
                for j in range(count):
                    tile[_u(64 * k + j)] = x[_u(at + j)]
            _fill_tile(tile, length, task == PROBABILITIES, lane, totals)
        for j in range(count):
            maximum, total, error = lane[MAXIMUM + j], totals[j], totals[64 + j]
            if task == PROBABILITIES:
                lane[RESULT + j] = _reciprocal(total, error) if guessed or _is_finite(maximum) else np.nan
                continue
            ties = np.float64(lane[TIES + j])
            rest = _relative(total + error, ties, maximum, maximum) if _is_finite(maximum) else 0.0
            if task == LOGARITHMS:
                lane[RESULT + j] = np.log1p(rest) if _is_finite(maximum) else np.nan
            else:
                odd = not _is_finite(maximum) and _has_nan(tile, j, length, 64)
                pairs[0, slice_ + j], pairs[1, slice_ + j] = _as(maximum, np.nan) if odd else maximum, rest
        if task != NORMALIZERS:
            lined_up = large and (_address(out) // out.itemsize + start) % lanes == 0 and columns % lanes == 0
            for k in range(length):
                _finish_row(tile, k, task == PROBABILITIES, lane)
                at, done = start + k * columns, 0
                if lined_up:
                    done = count - count % lanes
                    for j in range(0, done, lanes):
                        _stream_line(tile, 64 * k + j, _constants(x[0]).one, out, at + j)
                for j in range(done, count):
                    out[_u(at + j)] = tile[_u(64 * k + j)]
    if large:
        _fence()
    memory[0] = columns_memory[0] = totals_memory[0] = 0  # they must live until here


# Where the 64 numbers of a kind begin that belong to the columns of a tile: in more arrays than two, LLVM would have to
# make sure at run time that they do not overlap; it gives up at so many, and no loop runs in vector registers (8 ns).
OTHER, TIES, MAXIMUM, BASE, LOWEST, HIGHEST, SHIFT, RESULT = range(0, 8 * 64, 64)


@njit(**_options)
def _guess_tile(x, start, columns, length, tile, totals):
    """Fill a tile with exponentials as if no maximum were needed; whether that was right, for all of its columns."""
    _fill_registers()
    c = _constants(tile[0])
    _, lowest, highest, shift = _frame(c.zero)
    totals[:] = 0
    for k in range(length):
        at = start + k * columns
        _prefetch(x, at + 16 * columns)
        for j in range(64):
            tile[_u(64 * k + j)] = _exponential(x[_u(at + j)], lowest, highest, shift)
        _add_row(tile, 64 * k, totals)
    for j in range(64):  # noqa: SIM110 (Numba knows no all)
        if not c.least <= totals[_u(j)] <= c.most:
            return False
    return True


@njit(**_inlined)
def _add_row(values, start, totals):
    """Add 64 exponentials to the totals of their columns: had 4 rows been summed first, results were 5.5 ULP off."""
    _fill_registers()
    for j in range(64):
        total, error = _add(totals[_u(j)], totals[_u(64 + j)], values[_u(start + j)])
        totals[_u(j)] = total
        totals[_u(64 + j)] = error


@njit(**_inlined)
def _fill_tile(tile, length, keep, lane, totals):
    """The maxima of 64 columns and the sums of their exponentials: kept, or without the largest, which are counted."""
    _fill_registers()
    c = _constants(tile[0])
    lane[TIES:MAXIMUM] = totals[:] = 0
    for j in range(64):
        lane[_u(MAXIMUM + j)] = -c.infinity
    for k in range(length):
        for j in range(64):
            lane[_u(MAXIMUM + j)] = _larger(tile[_u(64 * k + j)], lane[_u(MAXIMUM + j)])
    for j in range(64):
        base, lowest, highest, shift = _frame(lane[_u(MAXIMUM + j)])
        lane[_u(BASE + j)], lane[_u(LOWEST + j)] = base, lowest
        lane[_u(HIGHEST + j)], lane[_u(SHIFT + j)] = highest, shift
    for k in range(length):
        for j in range(64):
            x = tile[_u(64 * k + j)]
            below = x - lane[_u(BASE + j)]
            e = _exponential(below, lane[_u(LOWEST + j)], lane[_u(HIGHEST + j)], lane[_u(SHIFT + j)])
            if keep:
                tile[_u(64 * k + j)] = e
            else:
                lane[_u(OTHER + j)] = c.zero if x == lane[_u(MAXIMUM + j)] else e
                lane[_u(TIES + j)] += c.one if x == lane[_u(MAXIMUM + j)] else c.zero
        if keep:
            _add_row(tile, 64 * k, totals)
        else:
            _add_row(lane, OTHER, totals)


@njit(**_inlined)
def _finish_row(tile, k, keep, lane):
    _fill_registers()
    for j in range(64):
        if keep:
            tile[_u(64 * k + j)] *= lane[_u(RESULT + j)]
        else:
            tile[_u(64 * k + j)] = (tile[_u(64 * k + j)] - lane[_u(MAXIMUM + j)]) - lane[_u(RESULT + j)]


# --- softmax_vjp -----------------------------------------------------------------------------------------------------


@njit(**_options)
def _vjp_rows(p, v, out, doubtful, length, large, first, last):
    """p (v - <p, v>) for the rows from `first` to `last`; see `softmax_lib.with_numpy.softmax_vjp`.

    Rows are `doubtful` that have a v so near the mean that twice the precision is not enough.
    """
    memory, lane_memory = _aligned(SHORT, p), _aligned(5 * 64, np.empty(0))
    p, v, out, buffer, lane = _bare(p), _bare(v), _bare(out), _bare(memory), _bare(lane_memory)
    for row in range(first, last):
        start, stop = row * length, (row + 1) * length
        shares, directions = p[start:stop], v[start:stop]
        anchor = directions[min(_first(shares, _maximum(p, start, length)), length - 1)]
        # Near the end of the range, what is subtracted could leave it; a power of two goes in and out exactly.
        scale = 2.0**-64 if _largest_size(directions) > 1e290 else 1.0
        anchor *= scale
        mean, mean_low, excess, rounded_off = _dot_twice(shares, directions, anchor, scale, lane)
        for at in range(0, length, SHORT):
            to = min(at + SHORT, length)
            values = buffer[: to - at]
            if _block_vjp(shares[at:to], directions[at:to], anchor, scale, mean, mean_low, excess, rounded_off, values):
                doubtful[row] = True
            _store(buffer, 0, to - at, 1 / scale, out, start + at, large)
    if large:
        _fence()
    memory[0] = lane_memory[0] = 0  # they must live until here


@njit(**_options)
def _narrow_vjp_rows(p, v, out, length, large, first, last):
    """The same for float32, in float64; and one row is written while the next is read, as in `_rows`."""
    memory = _aligned(64, p)
    p, v, out, values = _bare(p), _bare(v), _bare(out), _bare(memory)
    anchor, one = _constants(p[0]).zero, _constants(p[0]).one
    mean = total = 0.0
    for row in range(first, last + 1):
        start, ready = row * length, (row - 1) * length
        head = min(_to_next_line(out, ready), length) if large else 0
        if row > first and head:
            _narrow_block_vjp(p, v, ready, head, anchor, mean, total, values)
            _store(values, 0, head, one, out, ready, False)
        mean_here = total_here = square = 0.0
        largest = np.int32(0)
        for i in range(0, length, 64):
            if row < last:
                _prefetch(p, start + i + FAR)
                _prefetch(v, start + i + FAR)
                some = min(64, length - i)
                if some == 64:
                    mean_part, total_part, square_part, highest = _dot_of_block(p, v, start + i, 64, None)
                else:
                    mean_part, total_part, square_part, highest = _dot_of_block(p, v, start + i, some, None)
                mean_here += mean_part
                total_here += total_part
                square += square_part
                largest = max(largest, highest)
            if row > first:
                at = ready + head + i
                some = min(64, length - head - i)
                if some == 64:
                    _narrow_block_vjp(p, v, at, 64, anchor, mean, total, values)
                elif some > 0:
                    _narrow_block_vjp(p, v, at, some, anchor, mean, total, values)
                _store_block(values, 0, some, one, out, at, large)
        mean, total, anchor = mean_here, total_here, _constants(one).zero
        # Where all of v is far from 0 beside its deviation, v - <p, v> is but the last digits of both.
        apart = square * total - mean * mean >= 2.0**-20 * mean * mean
        if row < last and not (largest < NEARLY_ONE and apart):
            anchor = v[start + min(_first(p[start : start + length], _from_bits(largest)), length - 1)]
            mean, total, _, _ = _dot_of_block(p, v, start, length, anchor)
    if large:
        _fence()
    memory[0] = 0  # it must live until here


@njit(**_inlined)
def _first(values, value):
    """Where this one is first."""
    _fill_registers()
    first = np.int32(values.size)
    for i in range(values.size):
        first = min(first, np.int32(i) if values[i] == value else np.int32(values.size))
    return first


@njit(**_inlined)
def _largest_size(values):
    """The largest absolute value of a float64, by its bits; a NaN's are larger than any."""
    _fill_registers()
    largest = np.int64(0)
    for i in range(values.size):
        largest = max(largest, _bits(values[i]) & np.int64(0x7FFFFFFFFFFFFFFF))
    return _from_bits(largest)


@njit(fastmath={"reassoc", "contract"}, **_inlined)
def _dot_of_block(p, v, start, count, anchor):
    """Of float32: sum(p (v - anchor)), sum(p) and sum(p (v - anchor)^2), in float64; the bits of the largest p."""
    _fill_registers()
    mean = total = square = 0.0
    largest = np.int32(0)
    for i in range(start, start + count):
        share, direction = np.float64(p[_u(i)]), np.float64(v[_u(i)])
        if anchor is not None:
            direction -= np.float64(anchor)
        mean += share * direction
        total += share
        square += share * direction * direction
        largest = max(largest, _bits(p[_u(i)]))
    return mean, total, square, largest


@njit(**_inlined)
def _narrow_block_vjp(p, v, start, count, anchor, mean, total, values):
    _fill_registers()
    for i in range(count):
        direction = np.float64(v[_u(start + i)]) - np.float64(anchor)
        values[_u(i)] = np.float64(p[_u(start + i)]) * _fma(direction, total, -mean)


@njit(**_inlined)
def _dot_twice(p, v, anchor, scale, lane):
    """sum(p (v - anchor)) in two parts, and sum(p) - 1, in twice the precision (Ogita, Rump and Oishi, 2005).

    And how much has gone into the second part.
    """
    _fill_registers()
    lane[:] = 0
    mean, mean_low, total, total_low, rounded_off = 0, 64, 128, 192, 256
    for start in range(0, p.size, 64):
        for j in range(min(64, p.size - start)):
            share = p[_u(start + j)]
            direction, direction_low = _two_sum(v[_u(start + j)] * scale, -anchor)
            product = share * direction
            product_low = _fma(share, direction_low, _fma(share, direction, -product))
            sums, error = _two_sum(lane[_u(mean + j)], product)
            lane[_u(mean + j)] = sums
            lane[_u(mean_low + j)] += error + product_low
            lane[_u(rounded_off + j)] += abs(error) + abs(product_low)
            sums, error = _two_sum(lane[_u(total + j)], share)
            lane[_u(total + j)] = sums
            lane[_u(total_low + j)] += error
    sums, sums_low, excess, excess_low, size = 0.0, 0.0, -1.0, 0.0, 0.0
    for j in range(min(64, p.size)):
        sums, error = _two_sum(sums, lane[mean + j])
        sums_low += error + lane[mean_low + j]
        size += abs(error) + lane[rounded_off + j]
        excess, error = _two_sum(excess, lane[total + j])
        excess_low += error + lane[total_low + j]
    return sums, sums_low, excess + excess_low, size


@njit(**_inlined)
def _block_vjp(p, v, anchor, scale, mean, mean_low, excess, rounded_off, out):
    """Whether a component is so near 0 that its digits are in doubt; see `softmax_lib.with_numpy._vjp_slices`."""
    _fill_registers()
    doubtful = np.int64(0)
    for i in range(p.size):
        direction, direction_low = _two_sum(v[_u(i)] * scale, -anchor)
        difference, difference_low = _two_sum(direction, -mean)
        surplus = direction * excess
        difference += (difference_low + direction_low) - mean_low + surplus
        rounded_once = abs(difference_low) + abs(direction_low) + abs(surplus)
        doubtful |= np.int64(abs(difference) < 4 * rounded_off + rounded_once / 16)
        out[_u(i)] = p[_u(i)] * difference
    return doubtful != 0


# --- on all cores ----------------------------------------------------------------------------------------------------


@njit(parallel=True, cache=True, error_model="numpy")
def _rows_on_all_cores(x, out, length, pairs, task, large, count, parts):
    for part in prange(parts):
        first, last = part * count // parts, (part + 1) * count // parts
        _rows(x, out, length, pairs, task, large, first, last)


@njit(parallel=True, cache=True, error_model="numpy")
def _pieces_on_all_cores(x, out, step, maximum, total, found, large, count, parts):
    for part in prange(parts):
        first, last = part * count // parts, (part + 1) * count // parts
        _pieces(x, out, step, maximum, total, found, large, first, last)


@njit(parallel=True, cache=True, error_model="numpy")
def _tiles_on_all_cores(x, out, length, columns, pairs, task, large, count, parts):
    for part in prange(parts):
        first, last = part * count // parts, (part + 1) * count // parts
        _tiles(x, out, length, columns, pairs, task, large, first, last)


@njit(parallel=True, cache=True, error_model="numpy")
def _vjp_rows_on_all_cores(p, v, out, doubtful, length, large, count, parts):
    for part in prange(parts):
        _vjp_rows(p, v, out, doubtful, length, large, part * count // parts, (part + 1) * count // parts)


@njit(parallel=True, cache=True, error_model="numpy")
def _narrow_vjp_rows_on_all_cores(p, v, out, length, large, count, parts):
    for part in prange(parts):
        _narrow_vjp_rows(p, v, out, length, large, part * count // parts, (part + 1) * count // parts)


# --- what Numba has no name for --------------------------------------------------------------------------------------


def _is_wide(x):
    """Whether `x` is a float64: known at compile time."""


@overload(_is_wide)
def _overload_is_wide(x):
    wide = x == types.float64
    return lambda x: wide


@njit(**_inlined)
def _u(index):
    """The index, known not to be negative: else Numba asks, and no loop that does runs in vector registers."""
    return np.uintp(index)


@intrinsic
def _as(typing, like, value):
    """`value` in the type of `like`."""
    return like(like, like), lambda context, builder, signature, arguments: arguments[1]


@intrinsic
def _fma(typing, a, b, c):
    """a * b + c, rounded once."""
    return a(a, a, a), lambda context, builder, signature, arguments: builder.fma(*arguments)


@intrinsic
def _larger(typing, a, b):
    """The larger, or the one that is no NaN. `a if a > b else b` would become a store under a mask: 0.6 ns, not 0.3.

    What was stored under a mask has to reach the cache before it can be read again.
    """

    def generate(context, builder, signature, arguments):
        kind = arguments[0].type
        larger = builder.module.declare_intrinsic("llvm.maxnum", [kind], ir.FunctionType(kind, [kind, kind]))
        return builder.call(larger, arguments)

    return a(a, a), generate


@intrinsic
def _bits(typing, x):
    """The bits of a float as an integer."""
    integer = types.Integer.from_bitwidth(x.bitwidth, True)
    return integer(x), lambda context, builder, signature, arguments: builder.bitcast(
        arguments[0], ir.IntType(x.bitwidth)
    )


@intrinsic
def _from_bits(typing, integer):
    """The inverse of `_bits`."""
    kind = {32: types.float32, 64: types.float64}[integer.bitwidth]
    return kind(integer), lambda context, builder, signature, arguments: builder.bitcast(
        arguments[0], context.get_value_type(kind)
    )


@njit(**_inlined)
def _power_above(x):
    """The least power of two above a positive float64."""
    return _from_bits((_bits(x) & np.int64(0x7FF << 52)) + np.int64(1 << 52))


@intrinsic
def _power_of_two(typing, rounded):
    """The float whose exponent is in the lowest bits of `rounded`."""

    def generate(context, builder, signature, arguments):
        bits = builder.bitcast(arguments[0], ir.IntType(rounded.bitwidth))
        shifted = builder.shl(bits, bits.type({32: 23, 64: 52}[rounded.bitwidth]))
        return builder.bitcast(shifted, arguments[0].type)

    return rounded(rounded), generate


@intrinsic
def _fill_registers(typing):
    """Have the loops of the calling function use registers of 512 bits, where there are any.

    LLVM takes half of each by default on Intel's (exp alone in float64: 0.94 ns, not 0.71). It must stand where the
    loop is: a function is compiled by itself before it is put into another.
    """

    def generate(context, builder, signature, arguments):
        # llvmlite's own `add` knows only attributes without a value.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


def _pointer(context, builder, kind, array, index, vector=None):
    pointer = builder.gep(make_array(kind)(context, builder, array).data, [index])
    return pointer if vector is None else builder.bitcast(pointer, vector.as_pointer())


@intrinsic
def _bare(typing, array):
    """The same array, but nobody counts references to it: 50 to 200 ns for every row otherwise."""

    def generate(context, builder, signature, arguments):
        bare = make_array(array)(context, builder, arguments[0])
        bare.meminfo = cgutils.get_null_value(bare.meminfo.type)
        return bare._getvalue()

    return array(array), generate


@intrinsic
def _address(typing, array):
    """Where it begins, as a number."""

    def generate(context, builder, signature, arguments):
        return builder.ptrtoint(make_array(array)(context, builder, arguments[0]).data, ir.IntType(64))

    return types.intp(array), generate


def _line(context, kind):
    return ir.VectorType(context.get_data_type(kind.dtype), 512 // kind.dtype.bitwidth)


@intrinsic
def _stream_line(typing, values, i, factor, out, j):
    """Store `factor` times a line of `values` from i on in `out` from j on, past the caches."""

    def generate(context, builder, signature, arguments):
        line = _line(context, values)
        source = _pointer(context, builder, values, *arguments[:2], line)
        target = _pointer(context, builder, out, *arguments[3:], line)
        one = builder.insert_element(ir.Constant(line, ir.Undefined), arguments[2], ir.IntType(32)(0))
        factors = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), line.count), None))
        product = builder.fmul(builder.load(source, align=values.dtype.bitwidth // 8), factors)
        store = builder.store(product, target, align=64)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(values, types.intp, values.dtype, out, types.intp), generate


@intrinsic
def _fence(typing):
    """Wait for such stores: they are not ordered with others, and another thread could read what was there before."""

    def generate(context, builder, signature, arguments):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _prefetch(typing, array, index):
    """Ask for the 64 elements from this index on to be brought into the cache."""

    def generate(context, builder, signature, arguments):
        flag, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        place = builder.bitcast(_pointer(context, builder, array, *arguments), byte)
        for line in range(array.dtype.bitwidth // 8):
            address = builder.gep(place, [ir.IntType(64)(64 * line)])
            builder.call(prefetch, [address, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate
