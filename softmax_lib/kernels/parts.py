"""Parts of rows of which the rest is elsewhere: their results follow from the pairs of the whole rows."""

import numpy as np
from numba import prange

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.exponential import constants, exponential, frame_around
from softmax_lib.kernels.instructions import bare, cast_like, is_finite
from softmax_lib.kernels.normalizers import log_from, logarithms
from softmax_lib.kernels.storing import aligned, store
from softmax_lib.kernels.sums import few_exponentials, reciprocal


@compiled(parallel=True)
def parts_of_rows_on_all_cores(x, out, length, pairs, as_logarithms, count, parts):
    for part in prange(parts):
        first, last = part * count // parts, (part + 1) * count // parts
        parts_of_rows(x, out, length, pairs, as_logarithms, first, last)


@compiled()
def parts_of_rows(x, out, length, pairs, as_logarithms, first, last):
    """Fill the rows from `first` to `last` with probabilities or logarithms.

    A result depends on its own logit and the pair alone, so equal logits in different parts have equal probabilities.
    """
    memory = aligned(64, x)
    x, out, pairs, values = bare(x), bare(out), bare(pairs), bare(memory)
    c = constants(x[0])
    for row in range(first, last):
        maximum, rest = cast_like(x[0], pairs[0, row]), pairs[1, row]
        base, lowest, highest, shift = frame = frame_around(maximum)
        factor, log_of_total = c.one, log_from(maximum, rest)
        if not as_logarithms:
            total = (1 + rest) * np.float64(exponential(maximum - base, lowest, highest, shift))
            factor = cast_like(factor, reciprocal(total, 0.0) if is_finite(maximum) else np.nan)
        for i in range(0, length, 64):
            at, some = row * length + i, min(64, length - i)
            if as_logarithms:
                logarithms(x, at, some, maximum, log_of_total, values, 0)
            elif some == 64:  # of a length known when compiled
                few_exponentials(x, at, 64, frame, values, 0, None)
            else:
                few_exponentials(x, at, some, frame, values, 0, None)
            store(values, 0, some, factor, out, at, False)
    memory[0] = 0  # it must live until here
