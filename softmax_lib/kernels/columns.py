"""Softmax and its relatives down columns, of which 64 lie side by side in a tile."""

import numpy as np
from numba import prange

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.exponential import constants, exponential, frame_around
from softmax_lib.kernels.instructions import (
    address,
    bare,
    cast_like,
    fence,
    fill_registers,
    is_finite,
    larger,
    prefetch,
    stream_line,
    unsigned,
)
from softmax_lib.kernels.normalizers import has_nan, rest_from
from softmax_lib.kernels.storing import aligned
from softmax_lib.kernels.sums import add, reciprocal
from softmax_lib.kernels.tasks import LOGARITHMS, NORMALIZERS, PROBABILITIES

# Where the 64 numbers of a kind begin that belong to the columns of a tile: in more arrays than two, LLVM would have to
# make sure at run time that they do not overlap; it gives up at so many, and no loop runs in vector registers (8 ns).
OTHER, TIES, MAXIMUM, BASE, LOWEST, HIGHEST, SHIFT, RESULT = range(0, 8 * 64, 64)


@compiled(parallel=True)
def down_columns_on_all_cores(x, out, length, columns, pairs, task, large, count, parts):
    for part in prange(parts):
        first, last = part * count // parts, (part + 1) * count // parts
        down_columns(x, out, length, columns, pairs, task, large, first, last)


@compiled()
def down_columns(x, out, length, columns, pairs, task, large, first, last):
    """Do the `task` for the tiles from `first` to `last`, each of 64 neighbouring columns."""
    fill_registers()
    lanes = 64 // x.itemsize
    memory, columns_memory, totals_memory = aligned(64 * length, x), aligned(8 * 64, x), aligned(2 * 64, np.empty(0))
    x, out, pairs = bare(x), bare(out), bare(pairs)
    tile, lane, totals = bare(memory), bare(columns_memory), bare(totals_memory)
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
                prefetch(x, at + 16 * columns)
                for j in range(count):
                    tile[unsigned(64 * k + j)] = x[unsigned(at + j)]
            _fill_tile(tile, length, task == PROBABILITIES, lane, totals)
        for j in range(count):
            maximum, total, error = lane[MAXIMUM + j], totals[j], totals[64 + j]
            if task == PROBABILITIES:
                lane[RESULT + j] = reciprocal(total, error) if guessed or is_finite(maximum) else np.nan
                continue
            ties = np.float64(lane[TIES + j])
            rest = rest_from(total + error, ties, maximum, maximum) if is_finite(maximum) else 0.0
            if task == LOGARITHMS:
                lane[RESULT + j] = np.log1p(rest) if is_finite(maximum) else np.nan
            else:
                odd = not is_finite(maximum) and has_nan(tile, j, length, 64)
                pairs[0, slice_ + j], pairs[1, slice_ + j] = cast_like(maximum, np.nan) if odd else maximum, rest
        if task != NORMALIZERS:
            lined_up = large and (address(out) // out.itemsize + start) % lanes == 0 and columns % lanes == 0
            for k in range(length):
                _finish_row(tile, k, task == PROBABILITIES, lane)
                at, done = start + k * columns, 0
                if lined_up:
                    done = count - count % lanes
                    for j in range(0, done, lanes):
                        stream_line(tile, 64 * k + j, constants(x[0]).one, out, at + j)
                for j in range(done, count):
                    out[unsigned(at + j)] = tile[unsigned(64 * k + j)]
    if large:
        fence()
    memory[0] = columns_memory[0] = totals_memory[0] = 0  # they must live until here


@compiled()
def _guess_tile(x, start, columns, length, tile, totals):
    """Fill a tile with exponentials as if no maximum were needed.

    What is returned is whether that was right for all of its columns.
    """
    fill_registers()
    c = constants(tile[0])
    _, lowest, highest, shift = frame_around(c.zero)
    totals[:] = 0
    for k in range(length):
        at = start + k * columns
        prefetch(x, at + 16 * columns)
        for j in range(64):
            tile[unsigned(64 * k + j)] = exponential(x[unsigned(at + j)], lowest, highest, shift)
        _add_row(tile, 64 * k, totals)
    for j in range(64):  # noqa: SIM110 (Numba knows no all)
        if not c.least <= totals[unsigned(j)] <= c.most:
            return False
    return True


@compiled(forceinline=True)
def _add_row(values, start, totals):
    """Add 64 exponentials to the totals of their columns.

    When 4 rows were summed in float32 first, results were 5.5 ULP off.
    """
    fill_registers()
    for j in range(64):
        total, error = add(totals[unsigned(j)], totals[unsigned(64 + j)], values[unsigned(start + j)])
        totals[unsigned(j)] = total
        totals[unsigned(64 + j)] = error


@compiled(forceinline=True)
def _fill_tile(tile, length, keep, lane, totals):
    """The maxima of 64 columns and the sums of their exponentials.

    These are kept in the tile; or else they are not, and the largest are counted and left out of
    the sums.
    """
    fill_registers()
    c = constants(tile[0])
    lane[TIES:MAXIMUM] = totals[:] = 0
    for j in range(64):
        lane[unsigned(MAXIMUM + j)] = -c.infinity
    for k in range(length):
        for j in range(64):
            lane[unsigned(MAXIMUM + j)] = larger(tile[unsigned(64 * k + j)], lane[unsigned(MAXIMUM + j)])
    for j in range(64):
        base, lowest, highest, shift = frame_around(lane[unsigned(MAXIMUM + j)])
        lane[unsigned(BASE + j)], lane[unsigned(LOWEST + j)] = base, lowest
        lane[unsigned(HIGHEST + j)], lane[unsigned(SHIFT + j)] = highest, shift
    for k in range(length):
        for j in range(64):
            x = tile[unsigned(64 * k + j)]
            below = x - lane[unsigned(BASE + j)]
            e = exponential(below, lane[unsigned(LOWEST + j)], lane[unsigned(HIGHEST + j)], lane[unsigned(SHIFT + j)])
            if keep:
                tile[unsigned(64 * k + j)] = e
            else:
                lane[unsigned(OTHER + j)] = c.zero if x == lane[unsigned(MAXIMUM + j)] else e
                lane[unsigned(TIES + j)] += c.one if x == lane[unsigned(MAXIMUM + j)] else c.zero
        if keep:
            _add_row(tile, 64 * k, totals)
        else:
            _add_row(lane, OTHER, totals)


@compiled(forceinline=True)
def _finish_row(tile, k, keep, lane):
    fill_registers()
    for j in range(64):
        at = unsigned(64 * k + j)
        if keep:
            tile[at] *= lane[unsigned(RESULT + j)]
        else:
            tile[at] = (tile[at] - lane[unsigned(MAXIMUM + j)]) - lane[unsigned(RESULT + j)]
