"""Softmax and its relatives along a row too long for the cache: in pieces, on all cores."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import prange

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.exponential import FLOAT32, FLOAT64, constants, frame_around
from softmax_lib.kernels.instructions import bare, cast_like, fence
from softmax_lib.kernels.normalizers import log_from, logarithms, maximum_of, rest_from
from softmax_lib.kernels.on_all_cores import on_all_cores
from softmax_lib.kernels.storing import aligned, store, store_block, to_next_line
from softmax_lib.kernels.sums import exponentials, next_exponentials, reciprocal, sum_of
from softmax_lib.kernels.tasks import LOGARITHMS, NORMALIZERS, PROBABILITIES

Array = npt.NDArray[Any]

PIECE = 2**15  # elements of a row that are worked on at once
MAXIMA, TOTALS, OTHERS = range(3, 6)  # steps on the way to a task, and numbered behind those


@np.errstate(all="ignore")
def along_long_row(x: Array, out: Array, task: int, large: bool) -> tuple[Any, Any]:
    """Work on one row in pieces, as often as need be.

    What is returned is its maximum and the rest, unless for probabilities, which may not need them.
    """
    pieces = -(-x.size // PIECE)
    maximum, total, found = np.zeros(1), np.zeros(2), np.empty((2, pieces))

    def run(step: int) -> Any:
        arguments = (x, out, step, maximum, total, found, large)
        on_all_cores(_pieces, _pieces_on_all_cores, pieces, x.size, arguments)
        return found

    def sums(step: int) -> tuple[Any, Any]:
        of_pieces, more = run(step)
        high, low = sum_of(of_pieces, 0, pieces)
        return high + low, more.sum()

    c = FLOAT64 if x.itemsize == 8 else FLOAT32
    if task == PROBABILITIES:
        total[:] = sums(TOTALS)
        if not c.least <= total[0] <= c.most:
            maximum[0] = run(MAXIMA)[0].max()
            total[:] = sums(TOTALS) if np.isfinite(maximum[0]) else np.nan
    else:
        maximum[0] = run(MAXIMA)[0].max()
        if np.isfinite(maximum[0]):
            highest = x.dtype.type(maximum[0])
            total[0] = rest_from(*sums(OTHERS), highest, highest)
        elif task == LOGARITHMS:
            total[0] = np.nan
        elif np.isnan(x).any():
            maximum[0] = np.nan
    if task != NORMALIZERS:
        run(task)
    return maximum[0], total[0]


@compiled(parallel=True)
def _pieces_on_all_cores(x, out, step, maximum, total, found, large, count, parts):
    for part in prange(parts):
        first, last = part * count // parts, (part + 1) * count // parts
        _pieces(x, out, step, maximum, total, found, large, first, last)


@compiled()
def _pieces(x, out, step, maximum, total, found, large, first, last):
    """Do one `step` for some pieces of a row.

    It finds their maxima, sums their exponentials, or computes their results.
    """
    memory = aligned(PIECE, x)
    x, out, found, values = bare(x), bare(out), bare(found), bare(memory)
    highest = cast_like(x[0], maximum[0])
    frame = frame_around(highest)
    factor, log_of_total = constants(highest).one, constants(highest).zero
    if step == PROBABILITIES:
        factor = cast_like(factor, reciprocal(total[0], total[1]))
    elif step == LOGARITHMS:
        log_of_total = log_from(highest, total[0])
    for piece in range(first, last):
        at = piece * PIECE
        count = min(PIECE, x.size - at)
        if step == MAXIMA:
            found[0, piece] = maximum_of(x, at, count)
        elif step == TOTALS:
            found[0, piece], found[1, piece], _, _ = exponentials(x, at, count, frame, values, None)
        elif step == OTHERS:
            sum_, error, ties, _ = exponentials(x, at, count, frame, values, highest)
            found[0, piece], found[1, piece] = sum_ + error, ties
        else:
            head = min(to_next_line(out, at), count) if large else 0
            for i in range(0, count + 64, 64):
                if step == PROBABILITIES and i < count:
                    next_exponentials(x, at, i, count, frame, values, None, None)
                elif i < count:
                    logarithms(x, at + i, min(64, count - i), highest, log_of_total, values, i)
                if i > 0:
                    store_block(values, head + i - 64, count, factor, out, at, large)
            store(values, 0, head, factor, out, at, False)
    if large:
        fence()
    memory[0] = 0  # it must live until here
