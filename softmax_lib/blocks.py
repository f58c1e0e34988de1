"""Any array as a stack of slices, and a cache-full of it at a time.

A stack has the shape (outer, length, inner): its slices go along axis 1, and what belongs to neighbouring slices lies
side by side in memory wherever `inner` is more than 1. A kernel takes a block of a stack, contiguous, and returns an
array of it; it knows no axes, no `out` and no neighbours.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Block = tuple[slice, slice, slice]

BLOCK = 2**15
"""Entries worked on at once: half a dozen arrays of as many float64 stay in the caches."""
ACROSS = 64
"""Slices at once, at least, where neighbours in memory belong to different slices."""
LONG = 2**20
"""Entries of a block of which its slices are worked on in parts; one with fewer is worked on whole."""


class Stacking(NamedTuple):
    """How the axes of an array become the three of a stack."""

    shape: tuple[int, int, int]
    """Of the stack: outer, length, inner."""
    order: tuple[int, ...] | None
    """The axes of the array, those of slices in the middle; None where they are in that order already."""
    back: tuple[int, ...]
    """The inverse of the order."""
    kept: tuple[int, ...]
    """The axes in that order without those of slices."""

    def stack(self, array: Array) -> Array:
        """`array` as (outer, length, inner), a view if that can be; one with a class for each slice has length 1."""
        outer, length, inner = self.shape
        slices = outer * inner
        shape = (outer, array.size // slices if slices else length, inner)
        return (array if self.order is None else array.transpose(self.order)).reshape(shape)

    def unstack(self, stack: Array, shape: tuple[int, ...]) -> Array:
        """The array of this shape that `stack` was made from."""
        if self.order is None:
            return stack.reshape(shape)
        return stack.reshape([shape[axis] for axis in self.order]).transpose(self.back)

    def unstack_reduced(self, stack: Array, shape: tuple[int, ...]) -> Array:
        """The array of this shape without the axes of slices; `stack` has length 1 along them."""
        reduced = stack.reshape([shape[axis] for axis in self.kept])
        return reduced if self.order is None else reduced.transpose(np.argsort(self.kept))

    def stack_reduced(self, reduced: Array) -> Array:
        """`reduced`, an array without the axes of slices, as (outer, 1, inner)."""
        outer, _, inner = self.shape
        order = np.argsort(np.argsort(self.kept))
        return (reduced if self.order is None else reduced.transpose(order)).reshape(outer, 1, inner)


def stacking(array: Array, axes: tuple[int, ...]) -> Stacking:
    """The stacking of `array` in which slices lie along `axes`, and neighbours in memory stay neighbours."""
    return _stacking(array.shape, array.strides, axes)


@functools.lru_cache(256)
def _stacking(shape: tuple[int, ...], steps: tuple[int, ...], axes: tuple[int, ...]) -> Stacking:
    if not shape:  # A scalar is a slice of one entry.
        return Stacking((1, 1, 1), None, (), ())
    nearest = min((abs(steps[axis]) for axis in axes if shape[axis] > 1), default=math.inf)
    others = sorted((axis for axis in range(len(shape)) if axis not in axes), key=lambda axis: -abs(steps[axis]))
    inner = [axis for axis in others if 0 < abs(steps[axis]) < nearest]
    outer = [axis for axis in others if axis not in inner]
    order = (*outer, *sorted(axes), *inner)
    outer_count, length, inner_count = (math.prod(shape[axis] for axis in some) for some in (outer, axes, inner))
    back = tuple(sorted(range(len(order)), key=order.__getitem__))
    return Stacking(
        (outer_count, length, inner_count),
        None if order == back == tuple(range(len(order))) else order,
        back,
        (*outer, *inner),
    )


def blocks(shape: tuple[int, ...]) -> Iterator[Block]:
    """The cuts of a stack of this shape, of whole slices."""
    outer, length, inner = shape
    if math.prod(shape) == 0:
        return
    across = min(inner, max(BLOCK // length, ACROSS))
    deep = max(BLOCK // (length * across), 1)
    for i in range(0, outer, deep):
        for k in range(0, inner, across):
            yield slice(i, i + deep), slice(None), slice(k, k + across)


def parts(block: Array) -> list[slice]:
    """The cuts of a block's slices: one if it is not too long."""
    outer, length, inner = block.shape
    if block.size <= LONG:
        return [slice(None)]
    step = max(BLOCK // (outer * inner), 1)
    return [slice(start, start + step) for start in range(0, length, step)]


def merged(reduce_part: Callable[[Array], Any], merge: Callable[[Any, Any], Any], block: Array) -> Any:
    """What the parts of a block's slices reduce to, merged in a tree, so that a sum of many is rounded a few times."""
    found = [reduce_part(block[:, part]) for part in parts(block)]
    while len(found) > 1:
        found = [*map(merge, found[::2], found[1::2]), *found[len(found) // 2 * 2 :]]
    return found[0]


def by_parts(of_part: Callable[..., Array], block: Array, *of_whole: Array) -> Array:
    """What `of_part` makes of each part of a block's slices, given what was found of the whole slices."""
    if len(cuts := parts(block)) == 1:
        return of_part(block, *of_whole)
    result = np.empty(block.shape, of_whole[0].dtype)
    for part in cuts:
        result[:, part] = of_part(block[:, part], *of_whole)
    return result


def fill(kernel: Callable[..., Array], axes: tuple[int, ...], out: Array | None, *arrays: Array) -> Array:
    """What `kernel` makes of the slices of `arrays`, in the shape and type of the first; in `out`, if that is given."""
    first = arrays[0]
    layout = stacking(first, axes)
    stacks = [layout.stack(array) for array in arrays]
    if out is None and 0 < first.size <= BLOCK:
        return layout.unstack(kernel(*map(_prepared, stacks)), first.shape).astype(first.dtype, copy=False)
    # In place is safe, block by block; any other overlap is not.
    direct = out is not None and all(out is array or not np.may_share_memory(out, array) for array in arrays)
    result = out if out is not None and direct else np.empty_like(first, subok=False)
    into = layout.stack(result)
    for some in blocks(stacks[0].shape):
        into[some] = kernel(*(_prepared(stack[some]) for stack in stacks))
    if not np.may_share_memory(into, result):
        result[...] = layout.unstack(into, result.shape)
    if out is None or direct:
        return result
    out[...] = result
    return out


def reduce(
    kernel: Callable[..., Sequence[Array]], axes: tuple[int, ...], of_nothing: Sequence[float], *arrays: Array
) -> list[Array]:
    """The arrays that `kernel` reduces the slices of `arrays` to, without `axes`; an empty slice gives `of_nothing`."""
    first = arrays[0]
    layout = stacking(first, axes)
    stacks = [layout.stack(array) for array in arrays]
    outer, _, inner = stacks[0].shape
    results = [np.full((outer, 1, inner), value, np.promote_types(first.dtype, np.float64)) for value in of_nothing]
    for some in blocks(stacks[0].shape):
        for result, found in zip(results, kernel(*(_prepared(stack[some]) for stack in stacks)), strict=True):
            result[some] = found
    return [layout.unstack_reduced(result, first.shape) for result in results]


def _prepared(block: Array) -> Array:
    """The block as a kernel takes it: in at least float32, and contiguous, for exp by strides rounds otherwise."""
    return np.ascontiguousarray(block, np.float32 if block.itemsize < 4 else None)
