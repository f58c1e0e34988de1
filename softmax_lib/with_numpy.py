r"""Softmax and its normalizer in NumPy: the definition that every other backend is held against.

The whole idea is in :func:`_softmax_slices` and :func:`merge`, a few lines each; :func:`_exponentials` and
:func:`_sum` keep them right to the last places, and the end of the file says what happens to the inputs
that nobody expects. What works on slices takes a stack of them, (outer, length, inner), and goes along its axis 1.
"""

import functools
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from itertools import chain, zip_longest
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.array_utils import normalize_axis_tuple

Array = npt.NDArray[Any]
Axis = int | tuple[int, ...] | None
Pair = tuple[Any, Any]
Kernel = Callable[[Array, Array], None]

_CACHED = 2**18
"""Logits worked on at once. What is made of them stays in the last cache; SciPy's goes through memory. Of a quarter as
many, two threads so often wait for each other's Python that all takes 1.2 to 1.6 times as long."""
_LONG = 2**20
"""Logits at most of slices that are worked on whole; longer ones are cut into parts."""
_BUFFER = 1024
"""Entries of NumPy's buffer in the place of its 8192, in which it widens and narrows what it works on: with the result
still in the first-level cache, float32 takes nine tenths of the time."""
_SHORT = 256
"""Entries of the longest slice that is divided by its total. Longer ones are multiplied by the reciprocal, in half the
time; what that rounds off leaves float64 within 3.7 ULP."""
_ACROSS = 256
"""Slices at once, at least, where neighbours in memory belong to different ones; with 128, columns take up to 1.3 times
as long."""
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Cores that this process may use, and that share what is large."""
_SHARE = 2**17
"""Entries that a thread must have to be worth waking, which takes some 50 us."""

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

    Where an exponential or the sum would leave the range of float64, computed as
    :math:`e^{x_i - m} / \sum_j e^{x_j - m}` with the whole part m of :math:`\max_j x_j`: the same numbers, because
    only differences of logits matter.

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

        A slice in which a NaN or a ``+inf`` takes part, or nothing but ``-inf``, is NaN throughout: it has
        no answer. A slice in which `where` leaves nothing is 0.

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
    Subtracting rounds, and exp amplifies what was rounded off by up to 700 times. So nothing is subtracted where
    nothing need be; elsewhere the rounding error, which is known exactly, is put back. See Blanchard, Higham and
    Higham, "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021), for the rest.

    Arrays of 2^18 entries and more, single slices of 2^20, are shared among the cores that the process may use.

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
    return _along_axis("softmax", _softmax_slices, x, axis, where, out, nothing=0.0)


def _softmax_slices(logits: Array, probabilities: Array) -> None:
    """As if nothing need be subtracted; of that the total tells whether it was right."""
    if len(_parts(logits)) > 1:
        _softmax_in_parts(logits, probabilities)
        return
    exponentials = _exponentials(logits, 0.0, probabilities)
    total = _sum(exponentials, logits.dtype)
    if not 1 <= total.min() <= total.max() <= 1e290:
        shift = _shift(logits, _max(logits), total)
        if not isinstance(shift, float):
            exponentials = _exponentials(logits, shift, probabilities)
            total = _sum(exponentials, logits.dtype)
    if total.dtype == probabilities.dtype and logits.shape[1] <= _SHORT:
        np.divide(exponentials, total, out=probabilities)  # to the digits that a reader finds by hand
    else:
        np.multiply(exponentials, 1 / total, out=probabilities, casting="unsafe")


def _softmax_in_parts(logits: Array, probabilities: Array) -> None:
    """The same in parts. Exponentials that the result cannot hold are computed twice: to store so many takes longer."""
    shift: Array | float = 0.0

    def exponentials(part: slice) -> Array:
        return _exponentials(logits[:, part], shift, probabilities[:, part])

    total = _sum_of_parts(logits, exponentials)
    if not 1 <= total.min() <= total.max() <= 1e290:
        shift = _shift(logits, _max(logits), total)
        if not isinstance(shift, float):
            total = _sum_of_parts(logits, exponentials)

    def divide(part: slice) -> None:
        into = probabilities[:, part]
        np.multiply(into if _holds(into, total.dtype) else exponentials(part), 1 / total, out=into, casting="unsafe")

    _on_all_cores(divide, _parts(logits), logits.size)


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
    return _along_axis("log_softmax", _log_softmax_slices, x, axis, where, out, nothing=-np.inf)


def _log_softmax_slices(logits: Array, logarithms: Array) -> None:
    maximum = _max(logits)
    log_of_total = np.where(np.isinf(maximum), np.nan, np.log1p(_rest(logits, maximum)))

    def subtract(part: slice) -> None:
        np.subtract(logits[:, part] - maximum, log_of_total, out=logarithms[:, part], casting="unsafe")

    _on_all_cores(subtract, _parts(logits), logits.size)


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
    :math:`m + \log(1 + r)`, where r sums the exponentials of all but the maximum, relative to its own; the error
    bound is that of Blanchard, Higham and Higham (2021).

    Examples
    --------
    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    >>> logsumexp([[0.0, 0.0], [1.0, 2.0]], axis=1).round(8).tolist()
    [0.69314718, 2.31326169]
    """
    logits = _as_logits("logsumexp", x)
    axes = _as_axes(logits, axis)
    maximum, rest = _maximum_and_rest(_masked(logits, _as_where(where, logits)), axes)
    result: Array = (maximum + np.log1p(rest)).astype(logits.dtype)
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
    maximum, rest = _maximum_and_rest(logits, _as_axes(logits, axis))
    return maximum[()], (1 + rest)[()]


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
    # The difference of equal infinities would be NaN.
    total: Any = sum(s * np.exp(np.where(m == maximum, 0, m - maximum)) for m, s in ((m_a, s_a), (m_b, s_b)))
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
    axis = _single(logits, axis)
    p = np.moveaxis(softmax(logits.astype(_wide(logits)), axis), axis, -1)
    jacobian: Array = -p[..., :, np.newaxis] * p[..., np.newaxis, :]
    diagonal = np.arange(p.shape[-1])
    jacobian[..., diagonal, diagonal] = p * _others(p, p.ndim - 1)
    return jacobian.astype(logits.dtype)


@_quiet
def softmax_vjp(p: npt.ArrayLike, v: npt.ArrayLike, axis: int = -1, *, out: Array | None = None) -> Array:
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
    out : ndarray, optional
        Where to put the result: of the shape and float type of `p`. It may be `p` or `v` itself.

    Returns
    -------
    ndarray
        In the shape and float type of `p`.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`, with `p` in the place of `x`; also where `v` has not the shape of `p`.

    Notes
    -----
    What is computed is :math:`p_i \sum_j p_j (v_i - v_j)`, relative to v at the largest p and in twice the precision
    (Ogita, Rump and Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26 (2005)): as it stands, the formula
    loses a component whole when p is near one-hot (TensorFlow issue 126633), and digits wherever
    :math:`v_i` is near the mean. In float64, a slice with a :math:`v_i` so near it that not even this leaves 14
    digits is summed exactly, in Python's time: 20 us and more.

    Examples
    --------
    >>> softmax_vjp([0.5, 0.5], [1.0, 0.0]).tolist()
    [0.25, -0.25]
    """
    probabilities, vector = _as_logits("softmax_vjp", p, name="p"), _as_logits("softmax_vjp", v, name="v")
    if vector.shape != probabilities.shape:
        raise ValueError(f"v must have the shape of p, {probabilities.shape}, got {vector.shape}")
    axes = (_single(probabilities, axis, name="p"),)
    if out is not None:
        _check_out(out, probabilities, name="p")
    # In place is safe, block by block; any other overlap is not.
    direct = out is not None and all(out is a or not np.may_share_memory(out, a) for a in (probabilities, vector))
    product = out if out is not None and direct else np.empty_like(probabilities, order="C", subok=False)
    shares, vectors, into = (_to_stack(array, axes) for array in (probabilities, vector, product))

    def multiply(block: Array, some: Any) -> None:
        into[some] = _vjp_slices(block.astype(_wide(block), copy=False), vectors[some])

    _block_by_block(multiply, shares, in_parts=False)
    if not np.may_share_memory(into, product):
        product[...] = into.reshape(product.shape)
    if out is None or direct:
        return product
    out[...] = product
    return out


def _vjp_slices(p: Array, v: Array) -> Array:
    # Near the end of the range, what is subtracted below could leave it; a power of two goes in and out exactly.
    scale = np.where(np.abs(v).max(axis=1, keepdims=True) > 1e290, 2.0**-64, 1)
    v = v * scale
    anchor = np.take_along_axis(v, np.argmax(p, axis=1, keepdims=True), axis=1).astype(p.dtype)
    centred, centred_low = _two_sum(v, -anchor)
    products, products_low = _two_product(p, centred)
    mean, mean_low, rounded_off = _sum_twice(products, products_low + p * centred_low)
    # Rounded probabilities do not sum to one exactly, and p_i (v_i - <p, v>) takes that for granted.
    total, total_low, _ = _sum_twice(p, np.zeros_like(p[:, :1]))
    surplus = centred * (total - 1 + total_low)
    difference, difference_low = _two_sum(centred, -mean)
    difference += (difference_low + centred_low - mean_low) + surplus
    if p.dtype == np.float64:
        rounded_off = 4 * rounded_off + (np.abs(difference_low) + np.abs(centred_low) + np.abs(surplus)) / 16
        doubtful = (np.abs(difference) < rounded_off) & (p != 0)
        if doubtful.any():
            _correct(difference, doubtful, p, v)
    product: Array = p * difference / scale
    return product


def _correct(difference: Array, doubtful: Array, p: Array, v: Array) -> None:
    """Round the `doubtful` of v sum(p) - <p, v> but once: so near 0 that twice the precision is not enough.

    They are rare, and take Python's time: some 20 us a slice.
    """
    outer, inner = np.nonzero(doubtful.any(axis=1))
    doubtful, p, v = (array.swapaxes(1, 2)[outer, inner] for array in (doubtful, p, v))
    products = np.concatenate(_two_product(p, v), axis=1)
    finite = np.isfinite(np.abs(products).sum(axis=1, keepdims=True))
    total, mean = _exact_sums(p), _exact_sums(np.where(finite, products, 0))
    some, entry = np.nonzero(doubtful & finite)
    terms = np.concatenate([*_two_product(v[some, entry, np.newaxis], total[some]), -mean[some]], axis=1)
    difference[outer[some], entry, inner[some]] = list(map(math.fsum, terms.tolist()))


def _exact_sums(terms: Array) -> Array:
    """In each row a few floats that together are exactly the sum of the row."""
    sums = []
    for row in terms:
        parts = [math.fsum(row.data)]
        while parts[-1]:
            parts.append(math.fsum(chain(row.data, (-part for part in parts))))
        sums.append(parts)
    return np.array(list(zip_longest(*sums, fillvalue=0.0))).T


@_quiet
def cross_entropy(x: npt.ArrayLike, target: npt.ArrayLike, axis: int = -1) -> Any:
    r"""Loss of each example from its logits, :math:`-\sum_i t_i \log p_i`.

    Parameters
    ----------
    x : array_like of real numbers
        Logits, as in :func:`softmax`; not probabilities.
    target : array_like
        Class indices, integers of the shape of `x` without `axis`; or distributions, of the shape of `x`,
        none negative, each summing to one along `axis`: to 1e-3, or to two units in the last place of 1, so that
        rounded ones pass.
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
    classes, shares = _as_target("cross_entropy", target, logits, axis)
    if classes is not None:
        maximum, rest = _maximum_and_rest(logits, (axis,))
        chosen = np.take_along_axis(logits, np.expand_dims(classes, axis), axis).reshape(classes.shape)
        loss = (maximum - chosen) + np.log1p(rest)
        return np.where(np.isinf(maximum), np.nan, loss).astype(logits.dtype)[()]
    surprise = 0 - log_softmax(logits.astype(shares.dtype), axis)
    # A class without a share adds nothing, also where its surprise is infinite.
    terms = np.where(shares == 0, 0, shares * surprise)
    nan = np.isnan(surprise).any(axis=axis)
    loss = _sum(_to_stack(terms, (axis,)), terms.dtype).reshape(nan.shape)
    return np.where(nan, np.nan, loss).astype(logits.dtype)[()]


@_quiet
def cross_entropy_grad(x: npt.ArrayLike, target: npt.ArrayLike, axis: int = -1) -> Array:
    r"""Gradient of :func:`cross_entropy` with respect to the logits, :math:`p_i - t_i`.

    Parameters
    ----------
    x, target, axis
        As in :func:`cross_entropy`.

    Returns
    -------
    ndarray
        In the shape and float type of `x`; of each example's own loss, not of their mean.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`cross_entropy`.

    Notes
    -----
    The difference :math:`p_i - 1` of a class that is nearly certain is all rounding error; minus the sum of the others
    is not. So with class indices every component is within 1e-14 of the exact one, relatively. With distributions it is
    :math:`p_i \sum_{j \ne i} t_j - t_i \sum_{j \ne i} p_j`, and a component near 0, where the probability nearly is
    its target, keeps the rounding error of the probability.

    Examples
    --------
    >>> cross_entropy_grad([0.0, 0.0], 0).tolist()
    [-0.5, 0.5]
    >>> cross_entropy_grad([50.0, 0.0], 0).tolist()
    [-1.928749847963918e-22, 1.928749847963918e-22]
    """
    logits = _as_logits("cross_entropy_grad", x)
    axis = _single(logits, axis)
    classes, shares = _as_target("cross_entropy_grad", target, logits, axis)
    if classes is not None:
        return _minus_one_hot(softmax(logits, axis), classes, logits, _maximum_and_rest(logits, (axis,)), axis)
    p = softmax(logits.astype(shares.dtype), axis)
    gradient: Array = p * _others(shares, axis) - shares * _others(p, axis)
    return gradient.astype(logits.dtype, copy=False)


def _minus_one_hot(p: Array, classes: Array, logits: Array, maximum_and_rest: Any, axis: int) -> Array:
    """`p`, less 1 where the class of each example is; in place."""
    at = np.expand_dims(classes, axis)
    maximum, rest = (part.reshape(at.shape) for part in maximum_and_rest)
    # Of the maximum, 1 - p is the sum of the others; of another class p is at most 1/2, and nothing cancels.
    here = np.where(
        np.take_along_axis(logits, at, axis) == maximum,
        -rest / (1 + rest),
        np.take_along_axis(p, at, axis).astype(rest.dtype) - 1,
    )
    np.put_along_axis(p, at, np.where(np.isinf(maximum), np.nan, here), axis)
    return p


def _as_target(function: str, target: npt.ArrayLike, logits: Array, axis: int) -> tuple[Any, Any]:
    """`target` as class indices, or else as distributions, in at least float64; the other is None."""
    shape = logits.shape[:axis] + logits.shape[axis + 1 :]
    count = logits.shape[axis]
    given = _as_logits(function, target, name="target")
    classes = np.asarray(target)
    if given.shape == shape and (classes.dtype.kind in "iu" or given.size == 0):
        wrong = given[(given < 0) | (given >= count)]
        if wrong.size:
            raise ValueError(f"target must be a class index from 0 to {count - 1}, got {wrong.flat[0]:.0f}")
        return classes.astype(np.intp, copy=False), None
    if given.shape != logits.shape:
        raise ValueError(
            f"target must be class indices of shape {shape} or distributions of shape {logits.shape}, "
            f"got {classes.dtype} of shape {given.shape}"
        )
    shares = given.astype(_wide(logits))
    if not (shares >= 0).all():
        raise ValueError(f"target must be a distribution, none negative or NaN, got {shares[~(shares >= 0)].flat[0]}")
    sums = np.atleast_1d(shares.sum(axis=axis))
    excess = np.abs(sums - 1)
    if (excess > _rounding(given)).any():
        worst = sums.flat[np.argmax(excess)]
        raise ValueError(f"target must be a distribution that sums to 1, got a sum of {worst}")
    return None, shares


def _rounding(shares: Any) -> float:
    """How far from 1 the sum of a distribution may be, for those that were rounded to their type."""
    return max(1e-3, 2 * float(np.spacing(shares.dtype.type(1))))


def _single(array: Array, axis: int, name: str = "x") -> int:
    """`axis` as one axis that `array` has, counted from the first."""
    if array.ndim == 0:
        raise ValueError(f"{name} must have an axis of classes, got a scalar")
    axes = _as_axes(array, axis)
    if len(axes) != 1 or axis is None or isinstance(axis, tuple):
        raise TypeError(f"axis must be an int, got {axis!r}")
    return axes[0]


def _shift(logits: Array, maximum: Array, total: Array | float = math.nan) -> Array | float:
    """What to subtract before exp: nothing from slices whose exponentials and their sum, `total` if known, fit."""
    if logits.min(initial=0) >= -600 and maximum.max(initial=0) <= 600:
        return 0.0
    lowest = logits.min(axis=1, keepdims=True)
    fits = ((total >= 1) & (total <= 1e290)) | ((maximum <= 600) & ((maximum >= 0) | (lowest >= -600)))
    # A whole number: then what x - shift rounds off is x - ((x - shift) + shift), exactly (Dekker).
    return 0.0 if fits.all() else np.where(fits, 0, np.floor(maximum))


def _exponentials(logits: Array, shift: Array | float, into: Array | None = None) -> Array:
    """exp(logits - shift), to the last place, in at least float64; in `into`, if that can be."""
    wide = _wide(logits)
    into = into if into is not None and _holds(into, wide) else None
    if isinstance(shift, float):
        exponentials: Array = np.exp(logits, out=into, dtype=wide)
        return exponentials
    difference = np.subtract(logits, shift, out=into)
    rounded_off = logits - (difference + shift)
    exponentials = np.exp(difference, out=difference)
    # Left out, this costs up to 488 ULP (logits of sigma 100): exp turns an absolute error into a relative one.
    # Where the difference is infinite it is NaN or infinite, and exp is 0.
    exponentials += exponentials * np.fmin(rounded_off, 1, out=rounded_off)
    return exponentials


def _holds(array: Array, exponentials: np.dtype[Any]) -> bool:
    """Whether `array` is to hold them; by strides, exp would take longer, and round otherwise."""
    return array.dtype == exponentials and array.flags.c_contiguous


def _sum(positive: Array, narrowest: np.dtype[Any]) -> Array:
    """Sum along axis 1, kept, as if rounded once or so; or far beyond what a `narrowest` type shows.

    With `np.sum` alone, softmax is off by 4.7 ULP at K = 12 and by 10 at 1,000. Here the high parts of the entries are
    multiples of a unit so large that their sum is exact, and the low parts hardly count.
    """
    if positive.dtype != narrowest:
        return _fast_sum(positive)
    about = _fast_sum(positive)
    unit = 2 * about
    high = positive + unit
    high -= unit
    total = _fast_sum(high) + _fast_sum(np.subtract(positive, high, out=high))
    return np.where(np.isfinite(unit), total, about)


def _fast_sum(stack: Array) -> Array:
    """Like `np.sum` along axis 1, kept: 0.2 ns an entry, not 0.3 to 0.6, and less exact."""
    total: Array = np.einsum("ijk->ik", stack)[:, np.newaxis]
    return total


def _sum_of_parts(logits: Array, function: Callable[[slice], Array]) -> Array:
    parts = _parts(logits)
    if len(parts) == 1:
        return _sum(function(parts[0]), logits.dtype)
    outer, _, inner = logits.shape
    totals = np.empty((outer, len(parts), inner), _wide(logits))

    def add(i: int) -> None:
        totals[:, [i]] = _sum(function(parts[i]), logits.dtype)

    _on_all_cores(add, range(len(parts)), logits.size)
    return _sum(totals, totals.dtype)


def _rest(logits: Array, maximum: Array) -> Array:
    """The exponentials of all entries but the maximum, summed, relative to the maximum's: s - 1."""
    shift = _shift(logits, maximum)
    largest = np.where(np.isinf(maximum), 1, np.exp(maximum - shift))  # Infinite maxima count 1 each.
    if largest.dtype == logits.dtype:
        return _rest_alone(logits, maximum, shift, largest)
    # What this difference rounds off shows in no narrower type, unless the maximum is nearly all of the sum.
    rest: Array = _sum_of_parts(logits, lambda part: _exponentials(logits[:, part], shift)) / largest - 1
    dominated = ~(rest >= 2**-10)
    if dominated.any():

        def those(stack: Any) -> Any:
            return stack if isinstance(stack, float) else stack.swapaxes(1, 2)[dominated[:, 0]][..., np.newaxis]

        rest[dominated] = _rest_alone(*map(those, (logits, maximum, shift, largest)))[:, 0, 0]
    return rest


def _rest_alone(logits: Array, maximum: Array, shift: Array | float, largest: Array) -> Array:
    """The same without the maximum's exponential, `largest`, in the sum: without cancellation."""

    def smaller(part: slice) -> Array:
        exponentials = _exponentials(logits[:, part], shift)
        exponentials[logits[:, part] == maximum] = 0
        return exponentials

    ties = np.count_nonzero(logits == maximum, axis=1, keepdims=True) - 1
    rest: Array = _sum_of_parts(logits, smaller) / largest + ties
    return rest


def _others(shares: Array, axis: int) -> Array:
    """For each entry, the sum along `axis` of all the others, without cancellation."""
    if shares.shape[axis] == 0:
        return shares
    largest = np.argmax(shares, axis=axis, keepdims=True)
    smaller = shares.copy()
    np.put_along_axis(smaller, largest, 0, axis=axis)
    rest = _sum(_to_stack(smaller, (axis,)), smaller.dtype).reshape(largest.shape)
    others: Array = (rest - smaller) + np.take_along_axis(shares, largest, axis=axis)
    np.put_along_axis(others, largest, rest, axis=axis)
    return others


def _sum_twice(stack: Array, low: Array) -> tuple[Array, Array, Array]:
    """The sum of both along axis 1, kept, in two floats, twice the precision; and how much has gone into the second."""
    low_sum, size = low.sum(axis=1, keepdims=True), np.abs(low).sum(axis=1, keepdims=True)
    while (length := stack.shape[1]) > 1:
        half = length // 2
        sums, rounded_off = _two_sum(stack[:, :half], stack[:, half : 2 * half])
        low_sum += rounded_off.sum(axis=1, keepdims=True)
        size += np.abs(rounded_off).sum(axis=1, keepdims=True)
        stack = np.concatenate([sums, stack[:, -1:]], axis=1) if length % 2 else sums
    return stack, low_sum, size


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b as it is rounded, and what was rounded off, exactly (Knuth)."""
    total = a + b
    b_in_total = total - a
    return total, (a - (total - b_in_total)) + (b - b_in_total)


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a * b as it is rounded, and what was rounded off, exactly (Dekker and Veltkamp); 0 where that overflows."""
    splitter = 2.0 ** ((np.finfo(a.dtype).nmant + 2) // 2) + 1
    a_high, b_high = (splitter * c - (splitter * c - c) for c in (a, b))
    product = a * b
    a_low, b_low = a - a_high, b - b_high
    rounded_off = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, np.where(np.isfinite(rounded_off), rounded_off, 0)


def _wide(array: Array) -> np.dtype[Any]:
    return np.promote_types(array.dtype, np.float64)


def _max(logits: Array) -> Array:
    maximum: Array = np.max(logits, axis=1, keepdims=True, initial=-np.inf)
    return maximum.astype(_wide(logits), copy=False)


def _along_axis(
    function: str,
    of_slices: Kernel,
    x: npt.ArrayLike,
    axis: Axis,
    where: npt.ArrayLike | None,
    out: Array | None,
    nothing: float,
) -> Any:
    """Fill the result, block by block; with `nothing` where `where` leaves none."""
    logits = _as_logits(function, x)
    axes = _as_axes(logits, axis)
    if out is not None:
        _check_out(out, logits)
    taking_part = _as_where(where, logits)

    # In place is safe, block by block; any other overlap is not.
    direct = out is not None and (out is logits or not np.may_share_memory(out, logits))
    result = out if out is not None and direct else np.empty_like(logits, order="C", subok=False)
    stack, into = _to_stack(_masked(logits, taking_part), axes), _to_stack(result, axes)

    def fill(block: Array, some: Any) -> None:
        # Kernels write before they are done with their logits.
        found = np.empty(block.shape, into.dtype) if out is logits else into[some]
        of_slices(block, found)
        if out is logits:
            into[some] = found

    _block_by_block(fill, stack)
    if taking_part is not None:
        none = ~_to_stack(taking_part, axes).any(axis=1)
        into.swapaxes(1, 2)[none] = nothing
    if not np.may_share_memory(into, result):
        result[...] = _from_stack(into, result.shape, axes)
    if out is None:
        return result[()]
    if not direct:
        out[...] = result
    return out


def _maximum_and_rest(logits: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    stack = _to_stack(logits, axes)
    outer, _, inner = stack.shape
    maximum = np.full((outer, 1, inner), -np.inf, _wide(stack))
    rest = np.full_like(maximum, -1)

    def reduce(block: Array, some: Any) -> None:
        maximum[some] = _max(block)
        rest[some] = _rest(block, maximum[some])

    _block_by_block(reduce, stack)
    left = [n for i, n in enumerate(logits.shape) if i not in axes]
    return maximum.reshape(left), rest.reshape(left)


def _block_by_block(work: Callable[[Array, Any], None], stack: Array, in_parts: bool = True) -> None:
    """`work` on some slices at a time, in at least float32, and on where they are.

    As many as stay in the cache, or a few more where they are neighbours in memory. If it works `in_parts`, it may get
    more than `_LONG` entries, and has the cores share them.
    """
    outer, length, inner = stack.shape
    if stack.size == 0:
        return
    np.setbufsize(_BUFFER)  # Leaving `_quiet` takes it back.
    working = np.result_type(stack.dtype, np.float32)
    neighbours = _has_neighbours(stack)
    most = _LONG if in_parts else _LONG // 4  # softmax_vjp makes a dozen arrays of as many float64
    cached = min(_CACHED, -(-stack.size // _threads(stack.size)))
    across = min(inner, max(1, cached // length, min(_ACROSS, most // length)))
    if in_parts and neighbours and length * min(inner, _ACROSS) > most:
        across = min(inner, cached // 16)  # The wider, the fewer gaps in the memory of a part.
    deep = max(1, cached // (length * across))
    if not neighbours:
        deep = max(deep, min(_ACROSS, most // (length * across)))
    deep = min(deep, outer)

    def on_block(some: Any) -> None:
        # Far apart, entries drive each other out of the cache: they are first copied as they lie.
        block = stack[some] if neighbours else np.ascontiguousarray(stack[some].copy(order="K"))
        work(block.astype(working, copy=False), some)

    blocks = [
        (slice(i, i + deep), slice(None), slice(k, k + across))
        for i in range(0, outer, deep)
        for k in range(0, inner, across)
    ]
    if in_parts and deep * length * across > _LONG:  # The cores share each of them.
        for some in blocks:
            on_block(some)
    else:
        _on_all_cores(on_block, blocks, stack.size)


def _has_neighbours(stack: Array) -> bool:
    """Whether the entries along the last axis, of more than one, lie beside each other in memory."""
    return stack.strides[2 if stack.shape[2] > 1 else 1] == stack.itemsize


def _on_all_cores(work: Callable[[Any], None], pieces: Sequence[Any], entries: int) -> None:
    """`work` on each of the pieces; if they are large, in several threads, of which NumPy lets all compute at once."""
    threads = min(len(pieces), _threads(entries))
    if threads < 2:
        for piece in pieces:
            work(piece)
        return
    queue: SimpleQueue[Any] = SimpleQueue()
    for piece in [*pieces, *threads * [None]]:
        queue.put(piece)

    def work_off() -> None:
        for piece in iter(queue.get, None):
            work(piece)

    helpers = []
    with suppress(RuntimeError):  # Where no thread is to be had, as at the interpreter's end, this one does it all.
        for _ in range(threads - 1):
            # What `_quiet` and the size of the buffer say belongs to a context.
            helpers.append(_pool().submit(copy_context().run, work_off))
    try:
        work_off()
    finally:
        for helper in helpers:
            if not helper.cancel():  # It may have others to help.
                helper.result()


def _threads(entries: int) -> int:
    """How many are worth waking for so many entries, the caller's own among them."""
    return max(1, min(_CORES, entries // _SHARE))


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Threads that are kept: to start one takes 200 us."""
    return ThreadPoolExecutor(max(_CORES - 1, 1), "softmax_lib")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # A child process has none of its parent's threads.


def _parts(logits: Array) -> list[slice]:
    """The cuts of long slices; one for any others."""
    outer, length, inner = logits.shape
    step = max(1, _CACHED // (outer * inner)) if logits.size > _LONG else length
    return [slice(start, start + step) for start in range(0, length, step)]


def _to_stack(array: Array, axes: tuple[int, ...]) -> Array:
    """`array` as (outer, length, inner), where `axes` are joined in the middle; a view if that can be."""
    array = np.atleast_1d(array)
    order, first, last = _order(array.ndim, axes)
    moved = array.transpose(order)
    shape = moved.shape
    return moved.reshape(math.prod(shape[:first]), math.prod(shape[first:last]), math.prod(shape[last:]))


def _from_stack(stack: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """The inverse of `_to_stack`, for an array of this shape."""
    order, *_ = _order(len(shape), axes)
    return stack.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))


@functools.cache
def _order(ndim: int, axes: tuple[int, ...]) -> tuple[list[int], int, int]:
    """All axes, with `axes` beside each other, where the first of them is; and from where to where they are."""
    first = min(axes, default=0)
    behind = [axis for axis in range(first, ndim) if axis not in axes]
    return [*range(first), *sorted(axes), *behind], first, first + len(axes)


def _masked(logits: Array, taking_part: Array | None) -> Array:
    return logits if taking_part is None else np.where(taking_part, logits, -np.inf)


def _as_logits(function: str, x: npt.ArrayLike, name: str = "x") -> Array:
    """`x` as a float array, or an error that says what is wrong with it."""
    _refuse_masked(x, name)
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{function}: {name} must be a rectangular array of numbers, got a ragged sequence") from error
    kind = array.dtype.kind
    # NumPy's kind of ml_dtypes' types is "V" (void). But its int4 casts safely to int8, and its bfloat16 to float32;
    # nothing else of that kind does.
    if kind in "biu" or np.can_cast(array.dtype, np.int8):
        return array.astype(np.float64)
    if kind == "f" or (array.dtype.fields is None and np.can_cast(array.dtype, np.float32)):
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    raise TypeError(f"{function} expects a real numeric array, got dtype {array.dtype}")


def _refuse_masked(array: object, name: str) -> None:
    if isinstance(array, np.ma.MaskedArray):
        fill = "-np.inf" if name == "x" else "..."
        raise TypeError(f"masked arrays are not supported; pass {name}.filled({fill})")


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
    _refuse_masked(where, "where")
    try:
        mask = np.asarray(where)
    except ValueError as error:
        raise ValueError("where must be a rectangular array of bool, got a ragged sequence") from error
    if mask.dtype != bool:
        raise TypeError(f"where must be an array of bool, got dtype {mask.dtype}")
    try:
        return np.broadcast_to(mask, logits.shape)
    except ValueError:
        raise ValueError(f"where must broadcast to the shape of x, {logits.shape}, got shape {mask.shape}") from None


def _check_out(out: Array, logits: Array, name: str = "x") -> None:
    is_array = isinstance(out, np.ndarray) and not isinstance(out, np.ma.MaskedArray)
    if not is_array or out.dtype != logits.dtype:
        got = f"dtype {out.dtype}" if is_array else type(out).__name__
        raise TypeError(f"out must be an ndarray of dtype {logits.dtype}, got {got}")
    if out.shape != logits.shape:
        raise ValueError(f"out must have the shape of {name}, {logits.shape}, got {out.shape}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")


def _as_pair(name: str, pair: Pair) -> tuple[Array, Array]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"{name} must be a pair (maximum, total) from normalizer, got {pair!r}")
    maximum, total = (_as_logits("merge", part) for part in pair)
    return maximum, total
