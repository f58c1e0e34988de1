"""What a chunk of an array contributes to softmax: :mod:`softmax_lib.with_dask` sends these functions to the chunks.

They take and return NumPy's arrays, and keep the axes that they reduce, with length 1. In a chunk works
:mod:`softmax_lib.with_numba` where Numba is installed, on one core, because Dask gives the other cores other chunks;
where it is not, the definition works.
"""

from contextlib import nullcontext
from functools import reduce
from typing import Any

import numpy as np

from softmax_lib import derived, inputs, with_numpy
from softmax_lib.digits import quiet
from softmax_lib.inputs import Array

backend: Any = with_numpy
on_one_core: Any = nullcontext
try:
    from softmax_lib import with_numba
    from softmax_lib.kernels import on_all_cores
except ImportError:
    pass
else:
    backend, on_one_core = with_numba, on_all_cores.on_one_core

PAIRS = np.dtype([("maximum", np.float64), ("rest", np.float64)])
"""A pair as the definition has it: the maximum, and s - 1."""
OF_CLASSES = np.dtype([*PAIRS.descr, ("chosen", np.float64)])
"""A pair, and the logit of each example's class, or -inf where the class is in another part."""


@quiet
def pairs_of(x: Array, axes: tuple[int, ...], kind: np.dtype[Any] = PAIRS) -> Array:
    pairs = np.empty([1 if i in axes else n for i, n in enumerate(x.shape)], kind)
    maximum, rest = (np.reshape(part, pairs.shape) for part in backend.normalizers(x, axes))
    if (infinite := np.isinf(maximum)).any():  # Numba's kernels do not count the entries that equal it
        rest = np.where(infinite, (x == maximum).sum(axis=axes, keepdims=True) - 1, rest)
    pairs["maximum"], pairs["rest"] = maximum, rest
    return pairs


@quiet
def pairs_and_chosen(x: Array, target: Array, axis: int, first: int) -> Array:
    found = pairs_of(x, (axis,), OF_CLASSES)
    place = target - first
    here = (place >= 0) & (place < x.shape[axis])
    found["chosen"] = np.where(here, np.take_along_axis(x, np.where(here, place, 0), axis), -np.inf)
    return found


@quiet
def merged(parts: list[Array]) -> Array:
    """The pairs of several parts as one."""
    merged = np.empty_like(parts[0])
    merged["maximum"], merged["rest"] = reduce(with_numpy.merge_of, ((part["maximum"], part["rest"]) for part in parts))
    if merged.dtype == OF_CLASSES:
        merged["chosen"] = reduce(np.maximum, (part["chosen"] for part in parts))
    return merged


@quiet
def part(x: Array, pairs: Array, axes: tuple[int, ...], logarithms: bool) -> Array:
    return backend.of_part(x, axes, pairs["maximum"], pairs["rest"], logarithms=logarithms)


@quiet
def log_of_sum(pairs: Array) -> Array:
    return pairs["maximum"] + np.log1p(pairs["rest"])


@quiet
def loss_of_class(found: Array) -> Array:
    maximum = found["maximum"]
    return (maximum - found["chosen"]) + (np.log1p(found["rest"]) + (maximum - maximum))


@quiet
def loss_of_shares(x: Array, pairs: Array, shares: Array, axis: int) -> Array:
    logarithms = part(x.astype(np.float64), pairs, (axis,), logarithms=True)
    return np.expand_dims(derived.loss_of_shares(logarithms, shares, axis), axis)


@quiet
def gradient_of_class(x: Array, pairs: Array, target: Array, axis: int, first: int) -> Array:
    p = part(x, pairs, (axis,), logarithms=False)
    here = np.nonzero(one_hot(x, target, axis, first))
    maximum, rest = (np.broadcast_to(pairs[name], x.shape)[here] for name in ("maximum", "rest"))
    # See derived.subtract_classes.
    of_largest = -rest / (1 + rest) + (maximum - maximum)
    p[here] = np.where(x[here] == maximum, of_largest, p[here].astype(rest.dtype) - 1)
    return p


@quiet
def gradient_of_shares(x: Array, pairs: Array, shares: Array, others: Array, axis: int) -> Array:
    p = part(x.astype(np.float64), pairs, (axis,), logarithms=False)
    others_of_p = np.where(x == pairs["maximum"], pairs["rest"] / (1 + pairs["rest"]), 1 - p)
    return p * others - shares * others_of_p


def one_hot(x: Array, target: Array, axis: int, first: int) -> Array:
    """Whether each entry belongs to its example's class; `first` is the first class of this chunk."""
    beside = [-1 if i == axis else 1 for i in range(x.ndim)]
    return first + np.arange(x.shape[axis]).reshape(beside) == target


def checked_classes(target: Array, axis: int, count: int, caller: str, ignore_index: int | None) -> Array:
    """Class indices, with -1 for examples that do not count."""
    target = target.squeeze(axis)
    logits = np.broadcast_to(0.0, (*target.shape[:axis], count, *target.shape[axis:]))
    wanted = inputs.as_target(caller, target, logits, axis, 0.0, ignore_index)
    classes = wanted.classes if wanted.ignored is None else np.where(wanted.ignored, -1, wanted.classes)
    return np.expand_dims(classes, axis)


def checked_shares(result: Array, least: Array, sums: Array, given: np.dtype[Any]) -> Array:
    if least.size:
        inputs.check_distributions(given, least.min(), sums)
    return result
