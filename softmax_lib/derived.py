"""What follows from probabilities and from the normalizer's pair: losses, gradients and the Jacobian.

`maximum` and `rest` are the pair (m, s - 1) of each slice: the logits' largest, and the sum of the other exponentials
relative to its own. A function with an argument `xp` takes the arrays of that library, numpy or cupy.
"""

from typing import Any

import numpy as np


def loss_of_classes(logits: Any, classes: Any, axis: int, maximum: Any, rest: Any, xp: Any = np) -> Any:
    """-log p of each example's class, m - x_c + log s."""
    chosen = xp.take_along_axis(logits, xp.expand_dims(classes, axis), axis).reshape(classes.shape)
    # An infinite maximum leaves no answer: less itself, it is NaN.
    return (maximum - chosen.astype(maximum.dtype)) + (xp.log1p(rest) + (maximum - maximum))


def loss_of_shares(logarithms: Any, shares: Any, axis: int, xp: Any = np) -> Any:
    """-sum_i t_i log p_i; a class without a share adds nothing, also where its logarithm is infinite."""
    loss = xp.where(shares <= 0, 0, shares * (0 - logarithms)).sum(axis=axis)
    return xp.where(xp.isnan(logarithms).any(axis=axis), np.nan, loss)


def subtract_classes(p: Any, logits: Any, classes: Any, axis: int, maximum: Any, rest: Any) -> Any:
    """p - t in place, where t is 1 for each example's class and 0 for all others.

    If the class has the largest logit, p - 1 would be all rounding error where p is nearly 1; it is minus the sum of
    the others, -(s - 1) / s. Of another class p is at most a half, and nothing cancels.
    """
    at = np.expand_dims(classes, axis)
    maximum, rest = maximum.reshape(at.shape), rest.reshape(at.shape)
    less_one = np.take_along_axis(p, at, axis).astype(rest.dtype) - 1
    here = np.where(np.take_along_axis(logits, at, axis) == maximum, -rest / (1 + rest), less_one)
    np.put_along_axis(p, at, np.where(np.isinf(maximum), np.nan, here).astype(p.dtype), axis)
    return p


def one_hot(classes: Any, count: int) -> Any:
    """Distributions, (outer, count, inner), of which all is at the class; `classes` has the shape (outer, 1, inner)."""
    return np.arange(count)[:, np.newaxis] == classes


def smoothed(shares: Any, label_smoothing: float, axis: int = 1) -> Any:
    """Distributions along `axis` of which a part is spread evenly, (1 - e) t + e / K."""
    if label_smoothing == 0 or shares.size == 0:
        return shares
    return (1 - label_smoothing) * shares + label_smoothing / shares.shape[axis]


def jacobian(p: Any, others: Any, xp: Any = np) -> Any:
    """p_i (delta_ij - p_j) along the last axis; 1 - p_i is the sum of the `others`, which does not cancel."""
    diagonal = xp.eye(p.shape[-1], dtype=bool)
    return xp.where(diagonal, (p * others)[..., np.newaxis], -p[..., :, np.newaxis] * p[..., np.newaxis, :])
