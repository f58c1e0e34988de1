"""Softmax and its relatives along rows, each of which is read once."""

import numpy as np
from numba import prange

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.exponential import constants, exponential, frame_around
from softmax_lib.kernels.instructions import (
    bare,
    bits,
    cast_like,
    fence,
    fill_registers,
    unsigned,
)
from softmax_lib.kernels.normalizers import (
    log_from,
    logarithms,
    maximum_of,
    normalizer,
    normalizer_from,
)
from softmax_lib.kernels.storing import aligned, store, store_block, to_next_line
from softmax_lib.kernels.sums import (
    exponentials,
    few_exponentials,
    next_exponentials,
    reciprocal,
    sum_of,
    two_sum,
)
from softmax_lib.kernels.tasks import LOGARITHMS, NORMALIZERS, PROBABILITIES

SHORT = 2**10  # elements of short rows that are worked on together


@compiled(parallel=True)
def along_rows_on_all_cores(x, out, length, pairs, task, large, count, parts):
    for part in prange(parts):
        first, last = part * count // parts, (part + 1) * count // parts
        along_rows(x, out, length, pairs, task, large, first, last)


@compiled()
def along_rows(x, out, length, pairs, task, large, first, last):
    """Do the `task` for the rows from `first` to `last`.

    While a row is read, the one before it is written, block by block. 4096 x 4096 on two cores
    takes 0.26 ns; when the one waited for the other, it was 0.31.
    """
    if length < SHORT:
        _short_rows(x, out, length, pairs, task, large, first, last)
        return
    padded = -(-length // 64) * 64
    memory = aligned(2 * padded, x)
    x, out, pairs, values, before = bare(x), bare(out), bare(pairs), bare(memory[:padded]), bare(memory[padded:])
    c = constants(x[0])
    maximum, log_of_total, factor = c.zero, c.zero, c.one
    for row in range(first, last + 1):  # in the last turn only a row before is left
        start, ready = row * length, (row - 1) * length
        sums = 0.0, 0.0, 0.0, bits(x[start if row < last else 0])
        head = min(to_next_line(out, ready), length) if large and row > first else 0
        if task == PROBABILITIES:
            store(before, 0, head, factor, out, ready, False)
            for i in range(0, length, 64):
                if row < last:
                    sums = next_exponentials(x, start, i, length, frame_around(c.zero), values, None, sums)
                if row > first:
                    store_block(before, head + i, length, factor, out, ready, large)
        else:
            if task == LOGARITHMS:
                logarithms(x, ready, head, maximum, log_of_total, before, 0)
                store(before, 0, head, factor, out, ready, False)
            for i in range(0, length, 64):
                if row < last:
                    sums = next_exponentials(x, start, i, length, frame_around(c.zero), None, None, sums)
                if row > first and task == LOGARITHMS:
                    at = head + i
                    logarithms(x, ready + at, min(64, length - at), maximum, log_of_total, before, at)
                    store_block(before, at, length, factor, out, ready, large)
        if row == last:
            break
        total, error, _, largest = sums
        if task == PROBABILITIES:
            if not c.least <= total <= c.most:
                frame = frame_around(maximum_of(x, start, length))
                total, error, _, _ = exponentials(x, start, length, frame, values, None)
            factor = cast_like(factor, reciprocal(total, error))
        else:
            maximum, rest = normalizer_from(x, start, length, total, error, largest, values)
            log_of_total = log_from(maximum, rest)
            if task == NORMALIZERS:
                pairs[0, row], pairs[1, row] = maximum, rest
        values, before = before, values
    if large:
        fence()
    memory[0] = 0  # it must live until here


@compiled()
def _short_rows(x, out, length, pairs, task, large, first, last):
    """The same for several rows at a time.

    Exponentials know no rows, so one loop computes those of all. 32 columns take 0.42 ns; when rows
    were turned into columns of vector registers, it was 0.63.
    """
    together = SHORT // length
    memory = aligned(2 * SHORT, x)
    x, out, pairs, values, before = bare(x), bare(out), bare(pairs), bare(memory[:SHORT]), bare(memory[SHORT:])
    c = constants(x[0])
    waiting = 0  # results of the rows before, to be stored
    for row in range(first, last + together, together):
        several = max(min(together, last - row), 0)
        start, ready = row * length, (row - together) * length
        head = min(to_next_line(out, ready), waiting) if large else 0
        store(before, 0, head, c.one, out, ready, False)
        for i in range(0, max(several * length, waiting), 64):
            if i < several * length:
                next_exponentials(x, start, i, several * length, frame_around(c.zero), values, None, None)
            if i < waiting:
                store_block(before, head + i, waiting, c.one, out, ready, large)
        for i in range(several):
            at, to = start + i * length, i * length
            total, error = sum_of(values, to, length)
            fits = c.least <= total <= c.most
            if task == PROBABILITIES:
                if length == 1:
                    # e times the reciprocal of e need not be 1; and an infinity less itself is NaN.
                    values[to] = c.one + (x[at] - x[at])
                    continue
                if not fits:
                    few_exponentials(x, at, length, frame_around(maximum_of(x, at, length)), values, to, None)
                    total, error = sum_of(values, to, length)
                _scale(values, to, length, cast_like(c.one, reciprocal(total, error)))
                continue
            maximum = maximum_of(x, at, length)
            rest = 0.0
            if fits:
                _, lowest, highest, shift = frame_around(c.zero)
                largest = np.float64(exponential(maximum, lowest, highest, shift))
                rest, low = two_sum(total, -largest)
                rest = (rest + (low + error)) / largest
            if not rest > 2.0**-20:  # or it could be what rounding left
                maximum, rest = normalizer(x, at, length, before)
            if task == LOGARITHMS:
                logarithms(x, at, length, maximum, log_from(maximum, rest), values, to)
            else:
                pairs[0, row + i], pairs[1, row + i] = maximum, rest
        waiting = several * length if task != NORMALIZERS else 0
        values, before = before, values
    if large:
        fence()
    memory[0] = 0  # it must live until here


@compiled(forceinline=True)
def _scale(values, start, count, factor):
    fill_registers()
    for i in range(start, start + count):
        values[unsigned(i)] *= factor
