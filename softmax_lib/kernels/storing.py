"""Results on their way to memory: past the caches if they are large, and else through them."""

import numpy as np

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.instructions import address, fill_registers, stream_line, unsigned


@compiled(forceinline=True)
def to_next_line(out, start):
    """How many elements lie before the first that starts a cache line."""
    return -(address(out) // out.itemsize + start) % (64 // out.itemsize)


@compiled(forceinline=True)
def store(values, first, count, factor, out, start, large):
    """out[start : start + count] = values[first : first + count] * factor.

    If the whole result is `large`, it goes past the caches, except for what is no whole line.
    """
    fill_registers()
    head = tail = count
    if large:
        head = min(to_next_line(out, start), count)
        tail = count - (count - head) % (64 // values.itemsize)
    for i in range(head):
        out[unsigned(start + i)] = values[unsigned(first + i)] * factor
    for i in range(head, tail, 64 // values.itemsize):
        stream_line(values, first + i, factor, out, start + i)
    for i in range(tail, count):
        out[unsigned(start + i)] = values[unsigned(first + i)] * factor


@compiled(forceinline=True)
def store_block(values, i, count, factor, out, start, large):
    """Store the 64 from i on, of `count`, or as many as there are, as `store` does."""
    fill_registers()
    if i + 64 > count:
        if i < count:
            store(values, i, count - i, factor, out, start + i, large)
    elif large:
        for j in range(i, i + 64, 64 // values.itemsize):
            stream_line(values, j, factor, out, start + j)
    else:
        for j in range(i, i + 64):
            out[unsigned(start + j)] = values[unsigned(j)] * factor


@compiled()
def aligned(size, like):
    """An array of the type of `like` that starts a cache line."""
    lanes = 64 // like.itemsize
    array = np.empty(size + lanes, like.dtype)
    start = -(address(array) // like.itemsize) % lanes
    return array[start : start + size]
