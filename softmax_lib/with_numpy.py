r"""Softmax in NumPy: the definition that every other backend is held against.

First the mathematics, of stacks of slices, (outer, length, inner), along axis 1; then the same for any array. `digits`
keeps the last places, `blocks` turns arrays into stacks, and `inputs` says what is refused.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import blocks, derived, inputs
from softmax_lib.digits import (
    as_wide,
    exp_of_difference,
    others,
    quiet,
    sum_twice,
    total,
    total_beyond_one,
    two_difference,
    two_product,
    wide,
)
from softmax_lib.inputs import Array, Axis, Pair

# --- of slices -------------------------------------------------------------------------------------------------------


def softmax_of(x: Array) -> Array:
    """p_i = exp(x_i - m) / sum_j exp(x_j - m), where m is the largest x."""
    maximum = x.max(axis=1, keepdims=True)
    exponentials = exp_of_difference(x, maximum)
    exponentials /= total(exponentials, x.dtype)
    return exponentials


def normalizer_of(x: Array) -> Pair:
    """The pair (m, s) with s = sum_j exp(x_j - m), as m and s - 1: in s, the 1 of m itself would swallow a small rest.

    Entries that equal m count 1 each, also where m is infinite.
    """
    maximum = x.max(axis=1, keepdims=True)
    exponentials = exp_of_difference(x, maximum)
    if (infinite := np.isinf(maximum)).any():
        exponentials = np.where(infinite, x == maximum, exponentials)
    return maximum.astype(exponentials.dtype), total_beyond_one(exponentials, x, maximum)


def merge_of(a: Pair, b: Pair) -> Pair:
    """The pair of two parts from theirs: m = max(m_a, m_b) and s = s_a exp(m_a - m) + s_b exp(m_b - m), less 1."""
    (m_a, rest_a), (m_b, rest_b) = a, b
    maximum = np.maximum(m_a, m_b)
    # Equal infinities are as near as equal numbers; their difference would be NaN.
    factor_a, factor_b = (np.where(m == maximum, 1, exp_of_difference(m, maximum)) for m in (m_a, m_b))
    rest = np.where(m_a >= m_b, rest_a + (1 + rest_b) * factor_b, rest_b + (1 + rest_a) * factor_a)
    return maximum, rest


def softmax_of_part(x: Array, maximum: Array, rest: Array) -> Array:
    """Probabilities of a part of slices, from the pair of the whole. An infinite m leaves no answer: m - m is NaN."""
    return exp_of_difference(x, maximum) / (1 + rest + (maximum - maximum))


def log_softmax_of(x: Array, maximum: Array, rest: Array) -> Array:
    """log p_i = (x_i - m) - log s, from the pair of the slice."""
    return (x - maximum) - (np.log1p(rest) + (maximum - maximum))


def vector_product_of(p: Array, v: Array) -> Array:
    """p_i (v_i - sum_j p_j v_j), relative to v at the largest p: then it loses nothing where p is nearly one-hot."""
    p, v = as_wide(p, v)
    # Near the end of the range a difference could leave it; a power of two goes in and out exactly.
    scale = np.where(np.abs(v).max(axis=1, keepdims=True) > 1e290, 2.0**-64, 1)
    anchor = np.take_along_axis(v, np.argmax(p, axis=1, keepdims=True), axis=1)
    centred, centred_low = two_difference(v * scale, anchor * scale)
    products, products_low = two_product(p, centred)
    mean, mean_low = sum_twice(products, products_low + p * centred_low)
    # Rounded probabilities do not sum to 1 exactly, and p_i (v_i - mean) takes for granted that they do.
    sum_of_p, sum_of_p_low = sum_twice(p, np.zeros_like(p[:, :1]))
    difference, difference_low = two_difference(centred, mean)
    difference += difference_low + centred_low - mean_low + centred * (sum_of_p - 1 + sum_of_p_low)
    return p / scale * difference


def cross_entropy_of(x: Array, target: Array) -> Array:
    """-sum_i t_i log p_i, of distributions t."""
    return derived.loss_of_shares(log_softmax_of(x, *normalizer_of(x)), target, axis=1)[:, np.newaxis]


def softmax_and_others_of(x: Array) -> Pair:
    """p_i, and the sum of all others, ((1 - e_i) + (s - 1)) / s with e_i = exp(x_i - m): no term is negative."""
    maximum = x.max(axis=1, keepdims=True)
    exponentials = exp_of_difference(x, maximum)
    rest = total_beyond_one(exponentials, x, maximum)
    return exponentials / (1 + rest), ((1 - exponentials) + rest) / (1 + rest)


def cross_entropy_grad_of(x: Array, target: Array) -> Array:
    """p_i - t_i, as p_i sum_(j != i) t_j - t_i sum_(j != i) p_j: nothing cancels where p and t are nearly one-hot."""
    p, others_of_p = softmax_and_others_of(x)
    return p * others(target) - target * others_of_p


# --- of any array ----------------------------------------------------------------------------------------------------


@quiet
def softmax(x: npt.ArrayLike, axis: Axis = -1, *, where: npt.ArrayLike | None = None, out: Array | None = None) -> Any:
    r"""Probabilities from logits, :math:`p_i = e^{x_i} / \sum_j e^{x_j}`.

    It is computed as :math:`e^{x_i - m} / \sum_j e^{x_j - m}` with :math:`m = \max_j x_j`. The result is the same,
    because only differences of logits matter, and this form does not overflow.

    Parameters
    ----------
    x : array_like of real numbers
        Logits. Integers and booleans become float64 before anything is subtracted; ``-inf`` marks
        an entry that cannot be chosen.
    axis : int, tuple of int or None, default -1
        The axis along which the probabilities sum to one; several for a joint distribution,
        ``None`` for all.
    where : array_like of bool, optional
        Entries to take part, broadcast against `x`. The others get probability 0, whatever they hold, unless their
        whole slice is NaN. A slice is what sums to one, for example a row.
    out : ndarray, optional
        Where to put the result: of the shape of `x` and of the float type of the result. It may be
        `x` itself.

    Returns
    -------
    ndarray or scalar
        Probabilities, in the shape and float type of `x`. float16, bfloat16 and float32 are computed in float64 and
        then rounded, bfloat16 by way of float32.

        If a NaN or a ``+inf`` takes part in a slice, or nothing but ``-inf``, the whole slice is NaN, because softmax
        is not defined there. A slice in which `where` leaves nothing is 0.

    Raises
    ------
    TypeError
        `x` is not an array of real numbers, or it is a ``numpy.ma`` masked array; `axis`, `where` or `out` has the
        wrong type.
    ValueError
        `x` has rows of different lengths; `axis` names an axis twice; `where` has the wrong shape; `out` has the wrong
        shape or cannot be written.
    numpy.exceptions.AxisError
        `axis` is out of range.

    Notes
    -----
    The subtraction rounds, and exp amplifies this rounding error by up to 745 times. The error can be computed exactly,
    and is put back. So ``softmax(x + c)`` has the same bits as ``softmax(x)`` wherever ``x + c`` is exact. The other
    errors are analysed by Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions",
    IMA J. Numer. Anal. 41 (2021).

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
    return _of_any_array("softmax", _softmax_by_parts, x, axis, where, out, nothing=0.0)


@quiet
def log_softmax(
    x: npt.ArrayLike, axis: Axis = -1, *, where: npt.ArrayLike | None = None, out: Array | None = None
) -> Any:
    r"""Logarithms of the probabilities, :math:`x_i - \log \sum_j e^{x_j}`, without forming them first.

    Parameters
    ----------
    x, axis, where, out
        As in :func:`softmax`.

    Returns
    -------
    ndarray or scalar
        Logarithms, in the shape and float type of `x`. A slice with a NaN or a ``+inf``, or with nothing but
        ``-inf``, is NaN. An entry that `where` leaves out is ``-inf``, as is every entry of a slice in which it leaves
        nothing.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`.

    Notes
    -----
    The maximum's own exponential is 1. It is left out of the sum and added by ``log1p``, so that a small rest of the
    sum is not lost. SciPy 1.17 adds it to the sum, and gives 0 for the first entry below (SciPy issue 19521).

    Examples
    --------
    >>> log_softmax([0.0, -40.0]).tolist()
    [-4.248354255291589e-18, -40.0]
    """
    return _of_any_array("log_softmax", _log_softmax_by_parts, x, axis, where, out, nothing=-np.inf)


@quiet
def logsumexp(x: npt.ArrayLike, axis: Axis = -1, *, keepdims: bool = False, where: npt.ArrayLike | None = None) -> Any:
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
        An array of the shape of `x` without `axis`, in the float type of `x`. It is NaN for a slice with a NaN, and
        ``+inf`` for one with a ``+inf``. It is ``-inf`` for an empty slice, for one of nothing but ``-inf``, and for
        one in which `where` leaves nothing.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`.

    Notes
    -----
    The result is :math:`m + \log(1 + r)`. Here r is the sum of all exponentials but the maximum's, divided by the
    maximum's. The error bound is that of Blanchard, Higham and Higham (2021).

    Examples
    --------
    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    >>> logsumexp([[0.0, 0.0], [1.0, 2.0]], axis=1).round(8).tolist()
    [0.69314718, 2.31326169]
    """
    logits = inputs.as_logits("logsumexp", x)
    axes = inputs.as_axes(logits, axis)
    maximum, rest = normalizers(inputs.masked(logits, inputs.as_mask(where, logits)), axes)
    result: Array = (maximum + np.log1p(rest)).astype(logits.dtype)
    if keepdims:
        result = result.reshape([1 if i in axes else n for i, n in enumerate(logits.shape)])
    return result[()]


@quiet
def normalizer(x: npt.ArrayLike, axis: Axis = -1) -> Pair:
    r"""The pair :math:`(m, s) = (\max_i x_i, \sum_i e^{x_i - m})`.

    The pair is all that softmax needs to know of a slice: probabilities are :math:`e^{x - m} / s` and the
    log-sum-exp is :math:`m + \log s`. :func:`merge` combines the pairs of parts.

    Parameters
    ----------
    x : array_like of real numbers
        Logits, as in :func:`softmax`.
    axis : int, tuple of int or None, default -1
        Axes to reduce.

    Returns
    -------
    maximum, total : ndarray or scalar
        Two arrays of the shape of `x` without `axis`, in float64 (longdouble for longdouble). An empty slice gives
        ``(-inf, 0)``, which merges with any pair and leaves it as it was.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`.

    Notes
    -----
    An entry that equals the maximum counts as 1, also where both are infinite, so that
    :math:`m + \log s` is right there too. Milakov and Gimelshein, "Online normalizer calculation
    for softmax", arXiv:1805.02867 (2018), name the pair.

    Examples
    --------
    >>> maximum, total = normalizer([1000.0, 1000.0, 999.0])
    >>> float(maximum), round(float(total), 8)
    (1000.0, 2.36787944)
    """
    logits = inputs.as_logits("normalizer", x)
    maximum, rest = normalizers(logits, inputs.as_axes(logits, axis))
    return maximum[()], (1 + rest)[()]


@quiet
def merge(a: Pair, b: Pair) -> Pair:
    r"""Combine the :func:`normalizer` pairs of two parts into the pair of the whole.

    :math:`(m_a, s_a) \oplus (m_b, s_b) = (m,\; s_a e^{m_a - m} + s_b e^{m_b - m})` with
    :math:`m = \max(m_a, m_b)`. The order and the grouping of merges do not matter but for rounding, and merging with
    ``(-inf, 0)`` changes nothing. So a row can be cut into blocks on a CPU, tiles on a GPU or chunks on many machines.

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
    (m_a, s_a), (m_b, s_b) = (
        [inputs.as_logits("merge", part, name) for part in inputs.as_pair(name, pair)]
        for name, pair in (("a", a), ("b", b))
    )
    maximum, rest = merge_of((m_a, s_a - 1), (m_b, s_b - 1))
    return maximum[()], (1 + rest)[()]


@quiet
def softmax_jacobian(x: npt.ArrayLike, axis: int = -1) -> Array:
    r"""The derivative of softmax, :math:`J_{ij} = \partial p_i / \partial x_j = p_i (\delta_{ij} - p_j)`.

    It is for looking at, not for training, because K logits give K squared numbers. Training needs
    :func:`softmax_vjp`.

    Parameters
    ----------
    x : array_like of real numbers
        Logits, as in :func:`softmax`; not a scalar.
    axis : int, default -1
        The axis of the classes.

    Returns
    -------
    ndarray
        An array of the shape of `x` without `axis`, and with two axes of length K, i and j, at the end.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`; also for a scalar `x` or an `axis` that is no single int.

    Notes
    -----
    On the diagonal, :math:`1 - p_i` is computed as the sum of the other probabilities, so that no digits cancel when
    :math:`p_i` is near 1.

    Examples
    --------
    >>> softmax_jacobian([0.0, 0.0]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    logits = inputs.as_logits("softmax_jacobian", x)
    axis = inputs.as_axis(logits, axis)
    rows = np.moveaxis(logits.astype(wide(logits)), axis, -1)
    p, others_of_p = (
        blocks.fill(lambda x, i=i: softmax_and_others_of(x)[i], (rows.ndim - 1,), None, rows) for i in (0, 1)
    )
    jacobian: Array = derived.jacobian(p, others_of_p)
    return jacobian.astype(logits.dtype, copy=False)


@quiet
def softmax_vjp(p: npt.ArrayLike, v: npt.ArrayLike, axis: int = -1, *, out: Array | None = None) -> Array:
    r"""Softmax's Jacobian times a vector, :math:`p \circ (v - \langle p, v \rangle)`, without the Jacobian.

    The Jacobian is symmetric, so the vector-Jacobian product and the Jacobian-vector product are the same.

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
    As it is usually written, the formula loses a whole component where p is nearly one-hot (TensorFlow issue 126633).
    What is computed is :math:`p_i \sum_j p_j (v_i - v_j)`. First v at the largest p is subtracted from v, and the sums
    have twice the precision (Ogita, Rump and Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26 (2005)). In
    float64 the error is at most 1e-14 of :math:`p_i \sum_j p_j |v_i - v_j|`, which is the size of the terms. Where they
    cancel, the relative error of the result can be larger.

    Examples
    --------
    >>> softmax_vjp([0.5, 0.5], [1.0, 0.0]).tolist()
    [0.25, -0.25]
    """
    probabilities, vector = inputs.as_logits("softmax_vjp", p, "p"), inputs.as_logits("softmax_vjp", v, "v")
    inputs.check_same_shape(probabilities, vector)
    axes = (inputs.as_axis(probabilities, axis, "p"),)
    if out is not None:
        inputs.check_out(out, probabilities, "p")
    return blocks.fill(vector_product_of, axes, out, probabilities, vector)


@quiet
def cross_entropy(
    x: npt.ArrayLike,
    target: npt.ArrayLike,
    axis: int = -1,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Any:
    r"""Loss of each example from its logits, :math:`-\sum_i t_i \log p_i`.

    Parameters
    ----------
    x : array_like of real numbers
        Logits, as in :func:`softmax`; not probabilities.
    target : array_like
        Class indices, integers of the shape of `x` without `axis`; or distributions, of the shape of `x`, whose
        entries are not negative and sum to one along `axis`. Rounded distributions pass: a sum may be off by 1e-3, or
        in a short format by two units in the last place of 1, and an entry may be below 0 by four such units.
    axis : int, default -1
        The axis of the classes.
    label_smoothing : float from 0 to 1, default 0
        The share of each target that is spread evenly over all K classes:
        :math:`(1 - \varepsilon) t_i + \varepsilon / K` takes the place of :math:`t_i`.
    ignore_index : int, optional
        Examples with this class index have loss 0, whatever their logits are. It need not be a valid class.

    Returns
    -------
    ndarray or scalar
        An array of the shape of `x` without `axis`, in the float type of `x`. A class with :math:`t_i = 0` adds
        nothing, also where its logit is ``-inf``.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`softmax`; ValueError also where `target` is out of range, of another shape or no distribution,
        where `label_smoothing` is not from 0 to 1, and for an `ignore_index` beside distributions.

    Examples
    --------
    >>> round(float(cross_entropy([1.25, 2.44, 0.78, 0.12], 1)), 9)
    0.465389142
    >>> cross_entropy([[1.0, 0.0], [3.0, 5.0]], [0, -1], ignore_index=-1).round(8).tolist()
    [0.31326169, 0.0]
    """
    logits = inputs.as_logits("cross_entropy", x)
    axis = inputs.as_axis(logits, axis)
    wanted = inputs.as_target("cross_entropy", target, logits, axis, label_smoothing, ignore_index)
    if wanted.is_plain:
        loss = derived.loss_of_classes(logits, wanted.classes, axis, *normalizers(logits, (axis,)))
    else:
        kernel = _of_distributions(lambda x, t: (cross_entropy_of(x, t),), wanted)
        (loss,) = blocks.reduce(kernel, (axis,), (0,), logits, wanted.beside(axis))
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
    r"""Gradient of :func:`cross_entropy` with respect to the logits, :math:`p_i - t_i`.

    Parameters
    ----------
    x, target, axis, label_smoothing, ignore_index
        As in :func:`cross_entropy`.

    Returns
    -------
    ndarray
        In the shape and float type of `x`. It is the gradient of each example's own loss, not of the mean loss.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As for :func:`cross_entropy`.

    Notes
    -----
    For a class that is nearly certain, :math:`p_i - 1` would be all rounding error. So minus the sum of the other
    probabilities is computed instead. In float64, with class indices, the relative error of every component that is not
    subnormal is at most 1e-14. With distributions and with `label_smoothing`, a component is
    :math:`p_i \sum_{j \ne i} t_j - t_i \sum_{j \ne i} p_j`, and its error at most 1e-14 of the size of these two terms.

    Examples
    --------
    >>> cross_entropy_grad([0.0, 0.0], 0).tolist()
    [-0.5, 0.5]
    >>> cross_entropy_grad([50.0, 0.0], 0).tolist()
    [-1.9287498479639178e-22, 1.9287498479639178e-22]
    """
    logits = inputs.as_logits("cross_entropy_grad", x)
    axis = inputs.as_axis(logits, axis)
    wanted = inputs.as_target("cross_entropy_grad", target, logits, axis, label_smoothing, ignore_index)
    kernel = _of_distributions(cross_entropy_grad_of, wanted)
    return wanted.without_ignored(blocks.fill(kernel, (axis,), None, logits, wanted.beside(axis)), axis)


# --- from any array to slices and back -------------------------------------------------------------------------------


def _of_any_array(
    function: str,
    kernel: Callable[[Array], Array],
    x: npt.ArrayLike,
    axis: Axis,
    where: npt.ArrayLike | None,
    out: Array | None,
    nothing: float,
) -> Any:
    """What `kernel` makes of the slices of `x`; a slice of which `where` leaves none is all `nothing`."""
    logits = inputs.as_logits(function, x)
    axes = inputs.as_axes(logits, axis)
    if out is not None:
        inputs.check_out(out, logits)
    mask = inputs.as_mask(where, logits)
    result = blocks.fill(kernel, axes, out, inputs.masked(logits, mask))
    if mask is not None:
        none = ~mask.any(axis=axes if mask.ndim else None, keepdims=True)
        result[np.broadcast_to(none, result.shape)] = nothing
    return result if out is not None else result[()]


def normalizers(logits: Array, axes: tuple[int, ...]) -> Pair:
    """The pairs of all slices, `logits` without `axes`; that of an empty slice is the one that changes no other."""
    maximum, rest = blocks.reduce(_normalizer_by_parts, axes, (-np.inf, -1), logits)
    return maximum, rest


def of_part(x: Array, axes: tuple[int, ...], maximum: Array, rest: Array, *, logarithms: bool) -> Array:
    """Probabilities or their logarithms of a part of slices, from the pairs of the whole, which have `axes` of 1."""
    kernel = log_softmax_of if logarithms else softmax_of_part
    return blocks.fill(lambda *part: blocks.by_parts(kernel, *part), axes, None, x, maximum, rest)


def _normalizer_by_parts(x: Array) -> Pair:
    """`normalizer_of`; the pairs of slices too long for the caches are merged from those of their parts."""
    return blocks.merged(normalizer_of, merge_of, x)


def _softmax_by_parts(x: Array) -> Array:
    whole = x.size <= blocks.LONG
    return softmax_of(x) if whole else blocks.by_parts(softmax_of_part, x, *_normalizer_by_parts(x))


def _log_softmax_by_parts(x: Array) -> Array:
    return blocks.by_parts(log_softmax_of, x, *_normalizer_by_parts(x))


def _of_distributions(kernel: Callable[[Array, Array], Any], wanted: inputs.Target) -> Callable[[Array, Array], Any]:
    """`kernel` with its target as distributions, which are made from class indices a block at a time."""

    def of_block(x: Array, target: Array) -> Any:
        shares = target if wanted.shares is not None else derived.one_hot(target, x.shape[1])
        return kernel(x, derived.smoothed(shares.astype(wide(x)), wanted.label_smoothing))

    return of_block
