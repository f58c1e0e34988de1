r"""Softmax and its normalizer in NumPy: the definition that every other backend is held against.

The whole idea is three lines of :func:`softmax` and three of :func:`merge`; :func:`_exp_minus` and
:func:`_sum` keep them right to the last places, and the rest of the file says what happens to the
inputs that nobody expects.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.array_utils import normalize_axis_tuple

Array = npt.NDArray[Any]
Axis = int | tuple[int, ...] | None
Pair = tuple[Any, Any]

# Infinities and overflow are inputs with promised answers here, not accidents to warn about.
_quiet = np.errstate(all="ignore")


@_quiet
def softmax(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    where: npt.ArrayLike | None = None,
    out: Array | None = None,
) -> Any:
    r"""Probabilities from logits, :math:`p_i = e^{x_i} / \sum_j e^{x_j}`.

    Computed as :math:`e^{x_i - m} / \sum_j e^{x_j - m}` with :math:`m = \max_j x_j`: the same
    numbers, because only differences of logits matter, and no exponential can overflow.

    Parameters
    ----------
    x : array_like of real numbers
        Logits. Integers and booleans become float64 before anything is subtracted; ``-inf`` marks
        an entry that cannot be chosen.
    axis : int, tuple of int or None, default -1
        The axis along which the probabilities sum to one; several for a joint distribution,
        ``None`` for all.
    where : array_like of bool, optional
        Entries to take part, broadcast against `x`. The others get probability 0, whatever they hold.
    out : ndarray, optional
        Where to put the result: of the shape of `x` and of the float type of the result. It may be
        `x` itself.

    Returns
    -------
    ndarray or scalar
        Probabilities, in the shape and float type of `x`. float16, bfloat16 and float32 are
        computed in float64 and rounded once.

        A slice with a NaN or a ``+inf``, or with nothing but ``-inf``, is NaN: it has no answer.
        A slice in which `where` leaves nothing is 0.

    Raises
    ------
    TypeError
        `x` is not real and numeric, or masked; `axis`, `where` or `out` has the wrong type.
    ValueError
        `x` is ragged; `axis` repeats; `where` or `out` has the wrong shape or cannot be written.
    numpy.exceptions.AxisError
        `axis` is out of range.

    Notes
    -----
    Subtracting the maximum rounds, and exp amplifies what was rounded by up to 700 times. That
    rounding error is known exactly and is put back; see Blanchard, Higham and Higham, "Accurately
    computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021), for the rest.

    Examples
    --------
    >>> softmax([1.3, 5.1, 2.2, 0.7, 1.1]).round(8).tolist()
    [0.02019046, 0.90253769, 0.04966053, 0.01108076, 0.01653055]
    >>> softmax([1000.0, 1001.0]).round(8).tolist()
    [0.26894142, 0.73105858]
    >>> softmax([[1, 2], [3, 3]], axis=0).round(8).tolist()
    [[0.11920292, 0.26894142], [0.88079708, 0.73105858]]
    >>> softmax([2.0, 1.0, 7.0], where=[True, True, False]).round(8).tolist()
    [0.73105858, 0.26894142, 0.0]
    """
    logits = _as_logits("softmax", x)
    axes = _as_axes(logits, axis)
    if out is not None:
        _check_out(out, logits)
    taking_part = _as_where(where, logits)

    rows = _to_rows(_masked(logits, taking_part), axes)
    exponentials = _exp_minus(rows, _max(rows))
    probabilities = exponentials / _sum(exponentials)

    if taking_part is not None:
        probabilities[~_to_rows(taking_part, axes).any(axis=-1)] = 0
    return _finish(probabilities, logits, axes, out)


@_quiet
def log_softmax(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    where: npt.ArrayLike | None = None,
    out: Array | None = None,
) -> Any:
    r"""Logarithms of the probabilities, :math:`x_i - \log \sum_j e^{x_j}`, without forming them first.

    Parameters
    ----------
    x, axis, where, out
        As in :func:`softmax`.

    Returns
    -------
    ndarray or scalar
        In the shape and float type of `x`. A slice with a NaN or a ``+inf``, or with nothing but ``-inf``, is NaN;
        a masked entry is ``-inf``, as is a slice in which `where` leaves nothing.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`.

    Notes
    -----
    The maximum's own exponential is 1; left out of the sum and added by ``log1p``, it does not swallow a small
    rest: SciPy 1.17 gives 0 for the first entry below (scipy issue 19521).

    Examples
    --------
    >>> log_softmax([0.0, -40.0]).tolist()
    [-4.248354255291589e-18, -40.0]
    """
    logits = _as_logits("log_softmax", x)
    axes = _as_axes(logits, axis)
    if out is not None:
        _check_out(out, logits)
    taking_part = _as_where(where, logits)

    rows = _to_rows(_masked(logits, taking_part), axes)
    maximum = _max(rows)
    rest = _exp_minus(rows, maximum)
    if rows.shape[-1]:
        first = np.argmax(rows, axis=-1, keepdims=True)
        np.put_along_axis(rest, first, np.take_along_axis(rest, first, axis=-1) - 1, axis=-1)
    difference, rounded_off = _two_sum(rows, -maximum)
    logarithms = difference - (np.log1p(_sum(rest)) - np.where(np.isfinite(rounded_off), rounded_off, 0))

    if taking_part is not None:
        logarithms[~_to_rows(taking_part, axes).any(axis=-1)] = -np.inf
    return _finish(logarithms, logits, axes, out)


@_quiet
def logsumexp(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    keepdims: bool = False,
    where: npt.ArrayLike | None = None,
) -> Any:
    r"""Log of the sum of exponentials, :math:`\log \sum_i e^{x_i}`, without overflow.

    Parameters
    ----------
    x : array_like of real numbers
        Logits, as in :func:`softmax`.
    axis : int, tuple of int or None, default -1
        Axes to sum over.
    keepdims : bool, default False
        Keep the summed axes, with length 1.
    where : array_like of bool, optional
        Entries to sum, broadcast against `x`.

    Returns
    -------
    ndarray or scalar
        `x` without `axis`, in its float type. A slice with a NaN is NaN; with a ``+inf``, ``+inf``;
        an empty one, one of nothing but ``-inf``, and one in which `where` leaves nothing, ``-inf``.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`.

    Notes
    -----
    :math:`m + \log s` from the pair of :func:`normalizer`; the error bound is that of Blanchard,
    Higham and Higham (2021).

    Examples
    --------
    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    >>> logsumexp([[0.0, 0.0], [1.0, 2.0]], axis=1).round(8).tolist()
    [0.69314718, 2.31326169]
    """
    logits = _as_logits("logsumexp", x)
    axes = _as_axes(logits, axis)
    maximum, total = _pair(_masked(logits, _as_where(where, logits)), axes)
    result = (maximum + np.log(total)).astype(logits.dtype)
    if keepdims:
        result = result.reshape([1 if i in axes else n for i, n in enumerate(logits.shape)])
    return result[()]


@_quiet
def normalizer(x: npt.ArrayLike, axis: Axis = -1) -> Pair:
    r"""The pair :math:`(m, s) = (\max_i x_i, \sum_i e^{x_i - m})`.

    Everything softmax needs to know of a slice: probabilities are :math:`e^{x - m} / s` and the
    log-sum-exp is :math:`m + \log s`. Pairs of parts combine with :func:`merge`.

    Parameters
    ----------
    x : array_like of real numbers
        Logits, as in :func:`softmax`.
    axis : int, tuple of int or None, default -1
        Axes to reduce.

    Returns
    -------
    maximum, total : ndarray or scalar
        Each `x` without `axis`, in float64 (longdouble for longdouble). An empty slice gives
        ``(-inf, 0)``, which merges with any pair and leaves it as it was.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`.

    Notes
    -----
    An entry that equals the maximum counts 1, also where both are infinite, so that
    :math:`m + \log s` is right there too. Milakov and Gimelshein, "Online normalizer calculation
    for softmax", arXiv:1805.02867 (2018), name the pair.

    Examples
    --------
    >>> maximum, total = normalizer([1000.0, 1000.0, 999.0])
    >>> float(maximum), round(float(total), 8)
    (1000.0, 2.36787944)
    """
    logits = _as_logits("normalizer", x)
    maximum, total = _pair(logits, _as_axes(logits, axis))
    return maximum[()], total[()]


@_quiet
def merge(a: Pair, b: Pair) -> Pair:
    r"""Combine the :func:`normalizer` pairs of two parts into the pair of the whole.

    :math:`(m_a, s_a) \oplus (m_b, s_b) = (m,\; s_a e^{m_a - m} + s_b e^{m_b - m})` with
    :math:`m = \max(m_a, m_b)`. Associative and commutative, with the identity ``(-inf, 0)``: blocks
    on a CPU, tiles on a GPU, chunks on a cluster and the items of a stream all combine by it.

    Parameters
    ----------
    a, b : pair of array_like
        What :func:`normalizer` returned. The arrays of the two must broadcast together.

    Returns
    -------
    maximum, total : ndarray or scalar
        The pair of all entries of both parts.

    Raises
    ------
    TypeError
        `a` or `b` is not a pair of real arrays.

    Notes
    -----
    The reduction of Milakov and Gimelshein (2018), section 3.

    Examples
    --------
    >>> maximum, total = merge(normalizer([3.0, -1.0]), normalizer([4.0, 1.5]))
    >>> float(maximum), round(float(total), 8)
    (4.0, 1.45670239)
    >>> maximum, total = normalizer([3.0, -1.0, 4.0, 1.5])
    >>> float(maximum), round(float(total), 8)
    (4.0, 1.45670239)
    """
    m_a, s_a = _as_pair("a", a)
    m_b, s_b = _as_pair("b", b)
    maximum = np.maximum(m_a, m_b)
    total = s_a * _exp_minus(m_a, maximum, infinite=1.0) + s_b * _exp_minus(m_b, maximum, infinite=1.0)
    return maximum[()], total[()]


@_quiet
def softmax_jacobian(x: npt.ArrayLike, axis: int = -1) -> Array:
    r"""The derivative of softmax, :math:`J_{ij} = \partial p_i / \partial x_j = p_i (\delta_{ij} - p_j)`.

    For reading, not for training: K numbers in, K squared out. Training needs :func:`softmax_vjp`.

    Parameters
    ----------
    x : array_like of real numbers
        Logits, as in :func:`softmax`; not a scalar.
    axis : int, default -1
        The axis of the classes.

    Returns
    -------
    ndarray
        `x` without `axis`, and two axes of length K, i and j, at the end.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`; also for a scalar `x` or an `axis` that is no single int.

    Notes
    -----
    On the diagonal, :math:`1 - p_i` is the sum of the others: it does not cancel when :math:`p_i` is near 1.

    Examples
    --------
    >>> softmax_jacobian([0.0, 0.0]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    logits = _as_logits("softmax_jacobian", x)
    p = np.moveaxis(np.asarray(softmax(logits, _single(logits, axis))), axis, -1)
    wide = p.astype(np.result_type(p.dtype, np.float64))
    same = np.eye(p.shape[-1], dtype=bool)
    others = np.where(same, 0, wide[..., np.newaxis, :]).sum(axis=-1)
    jacobian = np.where(same, (wide * others)[..., np.newaxis], -wide[..., np.newaxis] * wide[..., np.newaxis, :])
    typed: Array = jacobian.astype(p.dtype)
    return typed


@_quiet
def softmax_vjp(p: npt.ArrayLike, v: npt.ArrayLike, axis: int = -1) -> Any:
    r"""Softmax's Jacobian times a vector, :math:`p \circ (v - \langle p, v \rangle)`, without the Jacobian.

    The Jacobian is symmetric, so this is the vector-Jacobian and the Jacobian-vector product in one.

    Parameters
    ----------
    p : array_like of real numbers
        Probabilities, from :func:`softmax`.
    v : array_like of real numbers
        Of the shape of `p`: for backpropagation, the gradient of the loss with respect to `p`.
    axis : int, default -1
        The axis of the classes.

    Returns
    -------
    ndarray
        In the shape and float type of `p`.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`; also where `v` has not the shape of `p`.

    Notes
    -----
    A constant added to `v` changes nothing, so v at the largest p is subtracted first. As it stands, the formula
    loses a component whole when p is near one-hot (TensorFlow issue 126633).

    Examples
    --------
    >>> softmax_vjp([0.5, 0.5], [1.0, 0.0]).tolist()
    [0.25, -0.25]
    """
    probabilities, vector = _as_logits("softmax_vjp", p), _as_logits("softmax_vjp", v)
    if vector.shape != probabilities.shape:
        raise ValueError(f"v must have the shape of p, {probabilities.shape}, got {vector.shape}")
    axes = (_single(probabilities, axis),)
    rows, directions = _to_rows(probabilities, axes), _to_rows(vector, axes)
    if rows.shape[-1]:
        largest = np.argmax(rows, axis=-1, keepdims=True)
        directions = directions - np.take_along_axis(directions, largest, axis=-1)
    return _finish(rows * (directions - _sum(rows * directions)), probabilities, axes, None)


@_quiet
def cross_entropy(x: npt.ArrayLike, target: npt.ArrayLike, axis: int = -1) -> Any:
    r"""Loss of each example from its logits, :math:`-\sum_i t_i \log p_i`.

    Parameters
    ----------
    x : array_like of real numbers
        Logits, as in :func:`softmax`; not probabilities.
    target : array_like
        Class indices, integers of the shape of `x` without `axis`; or distributions, of the shape of `x`,
        none negative, each summing to one along `axis` (to 1e-3, so that float16 ones pass).
    axis : int, default -1
        The axis of the classes.

    Returns
    -------
    ndarray or scalar
        `x` without `axis`, in its float type. A class with :math:`t_i = 0` adds nothing, also where its logit is
        ``-inf``.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`; ValueError also where `target` is out of range, of another shape or no distribution.

    Examples
    --------
    >>> round(float(cross_entropy([1.25, 2.44, 0.78, 0.12], 1)), 9)
    0.465389142
    """
    logits = _as_logits("cross_entropy", x)
    axis = _single(logits, axis)
    wide = np.result_type(logits.dtype, np.float64)
    logarithms = np.moveaxis(log_softmax(logits.astype(wide), axis), axis, -1)
    given = np.asarray(target)
    if given.dtype.kind in "iu" and given.shape == logarithms.shape[:-1]:
        count = logarithms.shape[-1]
        wrong = given[(given < 0) | (given >= count)]
        if wrong.size:
            raise ValueError(f"target must be a class index from 0 to {count - 1}, got {wrong.flat[0]}")
        loss = 0 - np.take_along_axis(logarithms, given[..., np.newaxis].astype(np.intp), axis=-1)[..., 0]
    else:
        loss = _expected_surprise(_as_logits("cross_entropy", target).astype(wide), logits, logarithms, axis)
    return loss.astype(logits.dtype)[()]


def _expected_surprise(target: Array, logits: Array, logarithms: Array, axis: int) -> Array:
    if target.shape != logits.shape:
        raise ValueError(
            f"target must be class indices of shape {logarithms.shape[:-1]} or distributions of shape "
            f"{logits.shape}, got shape {target.shape}"
        )
    shares = np.moveaxis(target, axis, -1)
    totals = shares.sum(axis=-1)
    if not (shares >= 0).all():
        raise ValueError(f"target must be a distribution, none negative or NaN, got {shares.min()}")
    if not np.allclose(totals, 1, rtol=0, atol=1e-3):
        worst = totals.flat[np.argmax(np.abs(totals - 1))]
        raise ValueError(f"target must be a distribution that sums to 1, got a sum of {worst}")
    surprise: Array = _sum(np.where(shares > 0, shares * (0 - logarithms), 0))[..., 0]
    return surprise


def _single(array: Array, axis: int) -> int:
    """`axis` as one axis that `array` has."""
    if array.ndim == 0:
        raise ValueError("x must have an axis of classes, got a scalar")
    axes = _as_axes(array, axis)
    if len(axes) != 1 or axis is None or isinstance(axis, tuple):
        raise TypeError(f"axis must be an int, got {axis!r}")
    return axes[0]


def _exp_minus(x: Array, maximum: Array, *, infinite: float = np.nan) -> Array:
    """exp(x - maximum), to the last place; `infinite` where both are the same infinity."""
    # Left out, what the subtraction rounds off costs up to 488 ULP (logits of sigma 100): exp turns
    # an absolute error into a relative one.
    difference, rounded_off = _two_sum(x, -maximum)
    exponential = np.exp(difference)
    exponential += np.where(np.isfinite(rounded_off), exponential * rounded_off, 0)
    return np.where(np.isinf(x) & (x == maximum), infinite, exponential)


def _sum(rows: Array) -> Array:
    """Sum along the last axis, kept, as if rounded once: with `np.sum`, softmax is off by 4.7 ULP at K = 12."""
    rounded_off = np.zeros((*rows.shape[:-1], 1), rows.dtype)
    while (half := rows.shape[-1] // 2) > 0:
        sums, rounded_off_here = _two_sum(rows[..., :half], rows[..., half : 2 * half])
        rounded_off += rounded_off_here.sum(axis=-1, keepdims=True)
        rows = np.concatenate([sums, rows[..., 2 * half :]], axis=-1)
    total: Array = rows.sum(axis=-1, keepdims=True) + rounded_off
    return total


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b as it is rounded, and what was rounded off, exactly (Knuth's two-sum)."""
    total = a + b
    b_in_total = total - a
    return total, (a - (total - b_in_total)) + (b - b_in_total)


def _finish(rows: Array, logits: Array, axes: tuple[int, ...], out: Array | None) -> Any:
    """`rows` in the shape and type of `logits`, in `out` if there is one."""
    result = _from_rows(rows, logits, axes)
    if out is None:
        return np.asarray(result, dtype=logits.dtype, order="C")[()]
    out[...] = result
    return out


def _pair(logits: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    rows = _to_rows(logits, axes)
    maximum = _max(rows)
    total = _sum(_exp_minus(rows, maximum, infinite=1.0))
    return maximum[..., 0], total[..., 0]


def _max(rows: Array) -> Array:
    maximum: Array = np.max(rows, axis=-1, keepdims=True, initial=-np.inf)
    return maximum


def _to_rows(array: Array, axes: tuple[int, ...]) -> Array:
    """`array` with `axes` moved last and joined into one, contiguous, in at least float64."""
    last = np.moveaxis(np.atleast_1d(array), axes, range(-len(axes), 0))
    split = last.ndim - len(axes)
    rows = last.reshape(*last.shape[:split], math.prod(last.shape[split:]))
    if array.dtype == bool:
        return rows
    return np.ascontiguousarray(rows, dtype=np.result_type(array.dtype, np.float64))


def _from_rows(rows: Array, like: Array, axes: tuple[int, ...]) -> Array:
    """The inverse of `_to_rows`, for an array of the shape of `like`."""
    shape = np.atleast_1d(like).shape
    joined = tuple(shape[axis] for axis in axes)
    last = rows.reshape(*rows.shape[:-1], *joined)
    return np.moveaxis(last, range(-len(axes), 0), axes).reshape(like.shape)


def _masked(logits: Array, taking_part: Array | None) -> Array:
    return logits if taking_part is None else np.where(taking_part, logits, -np.inf)


def _as_logits(function: str, x: npt.ArrayLike) -> Array:
    """`x` as a float array, or an error that says what is wrong with it."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError("masked arrays are not supported; pass x.filled(-np.inf)")
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{function}: x must be a rectangular array of numbers, got a ragged sequence") from error
    kind = array.dtype.kind
    if kind in "biu":
        return array.astype(np.float64)
    # ml_dtypes' bfloat16 has NumPy's kind "V" (void), but casts safely to float32; nothing else that
    # is no float does.
    if kind == "f" or (array.dtype.fields is None and np.can_cast(array.dtype, np.float32)):
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    raise TypeError(f"{function} expects a real numeric array, got dtype {array.dtype}")


def _as_axes(array: Array, axis: Axis) -> tuple[int, ...]:
    ndim = max(array.ndim, 1)  # a scalar is a slice of one entry
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not all(isinstance(a, int | np.integer) and not isinstance(a, bool) for a in axes):
        raise TypeError(f"axis must be an int, a tuple of ints or None, got {axis!r}")
    return tuple(normalize_axis_tuple(axes, ndim, "axis"))


def _as_where(where: npt.ArrayLike | None, logits: Array) -> Array | None:
    if where is None:
        return None
    mask = np.asarray(where)
    if mask.dtype != bool:
        raise TypeError(f"where must be an array of bool, got dtype {mask.dtype}")
    try:
        return np.broadcast_to(mask, logits.shape)
    except ValueError:
        raise ValueError(f"where must broadcast to the shape of x, {logits.shape}, got shape {mask.shape}") from None


def _check_out(out: Array, logits: Array) -> None:
    if not isinstance(out, np.ndarray) or out.dtype != logits.dtype:
        got = f"dtype {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
        raise TypeError(f"out must be an ndarray of dtype {logits.dtype}, got {got}")
    if out.shape != logits.shape:
        raise ValueError(f"out must have the shape of x, {logits.shape}, got {out.shape}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")


def _as_pair(name: str, pair: Pair) -> tuple[Array, Array]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"{name} must be a pair (maximum, total) from normalizer, got {pair!r}")
    maximum, total = (_as_logits("merge", part) for part in pair)
    return maximum, total
