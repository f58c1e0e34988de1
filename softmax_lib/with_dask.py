"""Softmax of arrays in chunks, on one machine or on many: lazily, for Dask's arrays.

The functions are those of :mod:`softmax_lib.with_numpy`, whose docstrings say what they promise. They take Dask's
arrays, cut along any axis, and what NumPy can read, and return Dask's arrays. A chunk is reduced to the pairs (m, s) of
its parts of slices, and the pairs are merged in a tree: two numbers a slice and chunk travel, unless Dask moves a
chunk to share the work. In a chunk works :mod:`softmax_lib.with_numba` where Numba is installed, on one core, and the
definition where it is not.

What does not depend on entries is checked at the call. The entries of a `target` of Dask's are checked as they are
computed.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

try:
    import dask.array as da
    from dask.core import flatten
except ImportError as missing:
    raise ImportError(
        "softmax_lib.with_dask needs Dask (pip install 'dask[array,distributed]'); "
        "without it, softmax_lib has the same functions for arrays that fit into memory"
    ) from missing

from softmax_lib import derived, inputs, of_chunks
from softmax_lib.inputs import Array, Axis, Pair
from softmax_lib.of_chunks import OF_CLASSES, PAIRS

__all__ = ["cross_entropy", "cross_entropy_grad", "log_softmax", "logsumexp", "normalizer", "softmax"]

Chunks = tuple[tuple[int, ...], ...]


# --- the public functions --------------------------------------------------------------------------------------------


def softmax(x: Any, axis: Axis = -1, *, where: Any = None) -> Any:
    """See :func:`softmax_lib.softmax`. Within 4 ULP; longdouble is a TypeError, and there is no `out`.

    Where slices are cut, their logits are needed twice: first for the pairs, then for the probabilities.
    """
    return _along_axis("softmax", x, axis, where, nothing=0.0)


def log_softmax(x: Any, axis: Axis = -1, *, where: Any = None) -> Any:
    """See :func:`softmax_lib.log_softmax`. Within 4 ULP; longdouble is a TypeError, and there is no `out`.

    Of exponentials below 1e-307, relative to a maximum in another chunk, few digits are kept.
    """
    return _along_axis("log_softmax", x, axis, where, nothing=-np.inf)


def logsumexp(x: Any, axis: Axis = -1, *, keepdims: bool = False, where: Any = None) -> Any:
    """See :func:`softmax_lib.logsumexp`. float32 is within 4 ULP, of the maximum if that is more; no longdouble."""
    logits = _as_logits("logsumexp", x)
    axes = inputs.as_axes(logits, axis)
    pairs = _pairs(_masked("logsumexp", logits, where), axes)
    result = _map(of_chunks.log_of_sum, pairs, dtype=logits.dtype)
    return result if keepdims and logits.ndim else result.squeeze(axes)


def normalizer(x: Any, axis: Axis = -1) -> Pair:
    """See :func:`softmax_lib.normalizer`. longdouble is a TypeError."""
    logits = _as_logits("normalizer", x)
    axes = inputs.as_axes(logits, axis)
    pairs = _pairs(_masked("normalizer", logits, None), axes).squeeze(axes)
    return pairs["maximum"], 1 + pairs["rest"]


def cross_entropy(
    x: Any, target: Any, axis: int = -1, *, label_smoothing: float = 0.0, ignore_index: int | None = None
) -> Any:
    """See :func:`softmax_lib.cross_entropy`. longdouble is a TypeError.

    With class indices, a third number travels beside each pair: the logit of the class.
    """
    logits = _as_logits("cross_entropy", x)
    axis = inputs.as_axis(logits, axis)
    wanted = _as_target("cross_entropy", target, logits, axis, label_smoothing, ignore_index)
    ones = _with_ones(logits.chunks, (axis,))
    if wanted.is_plain:
        firsts = _firsts(logits, axis)
        found = _map(
            of_chunks.pairs_and_chosen, logits, wanted.classes, dtype=OF_CLASSES, chunks=ones, axis=axis, firsts=firsts
        )
        loss = _map(of_chunks.loss_of_class, _tree(found, (axis,)), dtype=np.float64)
    else:
        arrays = logits, _pairs(logits, (axis,)), _shares(wanted, logits, axis)
        loss = _map(of_chunks.loss_of_shares, *arrays, dtype=np.float64, chunks=ones, axis=axis).sum(
            axis=axis, keepdims=True
        )
    return _checked(loss, wanted, axis).squeeze(axis).astype(logits.dtype)


def cross_entropy_grad(
    x: Any, target: Any, axis: int = -1, *, label_smoothing: float = 0.0, ignore_index: int | None = None
) -> Any:
    """See :func:`softmax_lib.cross_entropy_grad`. longdouble is a TypeError."""
    logits = _as_logits("cross_entropy_grad", x)
    axis = inputs.as_axis(logits, axis)
    wanted = _as_target("cross_entropy_grad", target, logits, axis, label_smoothing, ignore_index)
    pairs = _pairs(logits, (axis,))
    if wanted.is_plain:
        firsts = _firsts(logits, axis)
        gradient = _map(
            of_chunks.gradient_of_class, logits, pairs, wanted.classes, dtype=logits.dtype, axis=axis, firsts=firsts
        )
    else:
        shares = _shares(wanted, logits, axis)
        arrays = logits, pairs, shares, _others(shares, axis)
        gradient = _map(of_chunks.gradient_of_shares, *arrays, dtype=logits.dtype, axis=axis)
    return _checked(gradient, wanted, axis)


# --- from any array to chunks and back -------------------------------------------------------------------------------


def _map(function: Callable[..., Array], *arrays: Any, dtype: Any, chunks: Chunks | None = None, **options: Any) -> Any:
    meta = np.empty((0,) * max(array.ndim for array in arrays), dtype)
    options |= {"function": function, "to": dtype}
    return da.map_blocks(_call, *arrays, chunks=chunks, meta=meta, token=function.__name__.strip("_"), **options)


def _call(
    *blocks: Array,
    function: Callable[..., Array],
    to: Any,
    block_id: tuple[int, ...],
    firsts: Sequence[int] | None = None,
    **options: Any,
) -> Array:
    if firsts is not None:
        options["first"] = firsts[block_id[options["axis"]]]
    with of_chunks.on_one_core():
        return function(*blocks, **options).astype(to, copy=False)


def _along_axis(function: str, x: Any, axis: Axis, where: Any, nothing: float) -> Any:
    logits = _as_logits(function, x)
    axes = inputs.as_axes(logits, axis)
    masked = _masked(function, logits, where)
    if 0 in logits.shape:
        return logits
    if all(masked.numblocks[a] == 1 for a in axes):  # slices that lie in one chunk are read once
        result = _map(getattr(of_chunks.backend, function), masked, dtype=logits.dtype, axis=axes)
    else:
        pairs, logarithms = _pairs(masked, axes), function == "log_softmax"
        result = _map(of_chunks.part, masked, pairs, dtype=logits.dtype, axes=axes, logarithms=logarithms)
    if where is not None:
        mask = da.broadcast_to(_as_mask(function, where, masked), masked.shape, masked.chunks)
        result = da.where(mask.any(axis=axes, keepdims=True), result, logits.dtype.type(nothing))
    return result.reshape(logits.shape)


def _pairs(x: Any, axes: tuple[int, ...]) -> Any:
    """The pair of each slice."""
    return _tree(_map(of_chunks.pairs_of, x, dtype=PAIRS, chunks=_with_ones(x.chunks, axes), axes=axes), axes)


def _tree(found: Any, axes: tuple[int, ...]) -> Any:
    """What was found of the chunks, merged a few at a time, and the results again."""
    how = {"combine": _merged, "concatenate": False, "keepdims": True, "dtype": found.dtype, "meta": found._meta}
    return da.reduction(found, _merged, _merged, axis=axes, **how)


def _merged(found: Any, axis: tuple[int, ...], keepdims: bool) -> Array:
    return of_chunks.merged(list(flatten([found])))


def _as_logits(function: str, x: Any) -> Any:
    if not isinstance(x, da.Array):
        return da.from_array(inputs.as_logits_up_to_float64(function, x))
    _check_known(function, "x", x)
    return x.astype(inputs.as_logits_up_to_float64(function, x._meta).dtype)


def _check_known(function: str, name: str, array: Any) -> None:
    if np.isnan(array.shape).any():
        raise ValueError(
            f"{function}: {name} must have chunks of known sizes, got {array.chunks}; "
            f"call {name}.compute_chunk_sizes() first"
        )


def _cut(function: str, name: str, array: Any, chunks: Chunks) -> Any:
    """`array` in chunks as those of x: of NumPy's it is cut, and one of Dask's must be, as that may move all of it."""
    if not isinstance(array, da.Array):
        return da.from_array(array, chunks)
    if array.chunks != chunks:
        raise ValueError(
            f"{function}: {name} must have the chunks of x, {chunks}, got {array.chunks}; pass {name}.rechunk({chunks})"
        )
    return array


def _with_ones(chunks: Chunks, axes: tuple[int, ...]) -> Chunks:
    return tuple((1,) * len(sizes) if i in axes else sizes for i, sizes in enumerate(chunks))


def _masked(function: str, logits: Any, where: Any) -> Any:
    """The logits with at least one axis, and -inf where they take no part."""
    logits = logits if logits.ndim else logits.reshape(1)
    if where is None:
        return logits
    return _map(inputs.masked, logits, _as_mask(function, where, logits), dtype=logits.dtype)


def _as_mask(function: str, where: Any, logits: Any) -> Any:
    given = where
    if isinstance(where, da.Array):
        _check_known(function, "where", where)
        given = np.broadcast_to(np.zeros((), where.dtype), where.shape)  # of its type and shape, and no larger
    inputs.as_mask(given, logits)
    shape = np.shape(where)
    chunks = logits.chunks[logits.ndim - len(shape) :]
    chunks = tuple((1,) if n == 1 else sizes for n, sizes in zip(shape, chunks, strict=True))
    return _cut(function, "where", where if isinstance(where, da.Array) else np.asarray(where), chunks)


def _as_target(
    function: str, target: Any, logits: Any, axis: int, label_smoothing: Any, ignore_index: Any
) -> inputs.Target:
    """`target` in chunks: distributions, or class indices with an axis of classes, -1 for those that are ignored."""
    options = axis, label_smoothing, ignore_index
    chunks = logits.chunks[:axis] + logits.chunks[axis + 1 :]
    if isinstance(target, da.Array):
        _check_known(function, "target", target)
        wanted = inputs.as_target(function, *_stand_ins(target, logits, axis), *options)
    else:
        wanted = inputs.as_target(function, target, logits, *options)
        target = np.asarray(target)
    if wanted.shares is not None:
        return wanted._replace(shares=_cut(function, "target", target, logits.chunks))
    cut = da.expand_dims(_cut(function, "target", target, chunks), axis)
    rule = {"axis": axis, "count": logits.shape[axis], "caller": function, "ignore_index": ignore_index}
    classes = _map(of_chunks.checked_classes, cut, dtype=np.int64, **rule)
    return wanted._replace(classes=classes, ignored=None if ignore_index is None else classes < 0)


def _stand_ins(target: Any, logits: Any, axis: int) -> Pair:
    """Arrays of NumPy with the type and shape of a target and its logits, but at most one example if both fit."""
    one = [min(n, 1) for n in logits.shape]
    one[axis] = logits.shape[axis]
    batch = np.delete(logits.shape, axis).tolist()
    if target.shape == logits.shape:
        shares = np.zeros(one, target.dtype)
        shares[(slice(None),) * axis + (slice(0, 1),)] = 1
        return shares, np.broadcast_to(0.0, one)
    if list(target.shape) == batch and target.dtype.kind in "iu":
        return np.zeros(np.delete(one, axis), target.dtype), np.broadcast_to(0.0, one)
    return np.broadcast_to(np.zeros((), target.dtype), target.shape), logits


def _checked(result: Any, wanted: inputs.Target, axis: int) -> Any:
    """A loss or a gradient, once the target is known to be distributions; 0 for examples that do not count."""
    if wanted.shares is not None:
        shares = wanted.shares.astype(np.float64)
        found = (getattr(shares, name)(axis=axis, keepdims=True) for name in ("min", "sum"))
        result = _map(of_chunks.checked_shares, result, *found, dtype=result.dtype, given=wanted.shares.dtype)
    return wanted.without_ignored(result, xp=da)


def _firsts(logits: Any, axis: int) -> tuple[int, ...]:
    """The first class of each chunk."""
    return tuple(np.cumsum((0, *logits.chunks[axis][:-1])).tolist())


def _shares(wanted: inputs.Target, logits: Any, axis: int) -> Any:
    shares = wanted.shares
    if shares is None:
        shares = _map(
            of_chunks.one_hot, logits, wanted.classes, dtype=np.bool_, axis=axis, firsts=_firsts(logits, axis)
        )
    return derived.smoothed(shares.astype(np.float64), wanted.label_smoothing, axis)


def _others(shares: Any, axis: int) -> Any:
    """For each share, the sum of the others of its example: from the smaller ones up, so that nothing cancels."""
    largest = shares.max(axis=axis, keepdims=True)
    is_largest = shares == largest
    ties = is_largest.sum(axis=axis, keepdims=True)
    rest = da.where(is_largest, 0, shares).sum(axis=axis, keepdims=True)
    return da.where(is_largest, rest + (ties - 1) * largest, (rest - shares) + ties * largest)
