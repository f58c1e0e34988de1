"""What softmax must know of a row: its maximum, and the rest.

The rest is the sum of the other exponentials, relative to the maximum's own.
"""

import numpy as np

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.exponential import constants, exponential, frame_around
from softmax_lib.kernels.instructions import bits, cast_like, fill_registers, from_bits, is_finite, unsigned
from softmax_lib.kernels.sums import exponentials


@compiled()
def normalizer(x, start, count, values):
    """The maximum and the rest of a row; the rest is 0 where the maximum is infinite.

    `values` may be overwritten.
    """
    total, error, _, largest = exponentials(x, start, count, frame_around(constants(x[start]).zero), None, None)
    return normalizer_from(x, start, count, total, error, largest, values)


@compiled()
def normalizer_from(x, start, count, total, error, largest, values):
    """The same, from what `exponentials` found in the frame around 0 if that will do."""
    c = constants(x[start])
    if largest >= 0 and c.least <= total <= c.most:
        maximum = from_bits(largest)
        rest = rest_from(total + error, 0, maximum, c.zero)
        if rest >= 3:  # otherwise what the maximum's own term rounds off could count
            return maximum, rest
    maximum = maximum_of(x, start, count)
    if is_finite(maximum):
        total, error, ties, _ = exponentials(x, start, count, frame_around(maximum), values, maximum)
        return maximum, rest_from(total + error, ties, maximum, maximum)
    return cast_like(maximum, np.nan) if has_nan(x, start, count, 1) else maximum, 0.0


@compiled(forceinline=True)
def rest_from(total, ties, maximum, near):
    """The rest, from a total in the frame around `near`.

    The total leaves out `ties` entries: all that equal the maximum, or none. If it leaves out none,
    the maximum's own exponential is taken away again.
    """
    base, lowest, highest, shift = frame_around(near)
    return total / np.float64(exponential(maximum - base, lowest, highest, shift)) + (ties - 1)


@compiled(forceinline=True)
def log_from(maximum, rest):
    """Logarithm of the total, relative to the maximum's exponential; NaN if that is infinite."""
    return cast_like(maximum, np.log1p(rest) if is_finite(maximum) else np.nan)


@compiled(forceinline=True)
def logarithms(x, start, count, maximum, log_of_total, values, to):
    """Fill values[to : to + count] with the log-probabilities of x[start : start + count]."""
    fill_registers()
    for i in range(count):
        values[unsigned(to + i)] = (x[unsigned(start + i)] - maximum) - log_of_total


@compiled(forceinline=True)
def maximum_of(x, start, count):
    """The maximum, found by the bits as integers.

    A loop over floats does not run in vector registers. Integers have the same order, or where all
    are negative the opposite one. A NaN is greater than infinity or, with its sign bit set, less
    than all, and then left out.
    """
    fill_registers()
    largest = bits(x[start])
    for i in range(count):
        largest = max(largest, bits(x[unsigned(start + i)]))
    if largest < 0:
        for i in range(count):
            largest = min(largest, bits(x[unsigned(start + i)]))
    return from_bits(largest)


@compiled(forceinline=True)
def has_nan(x, start, count, step):
    for i in range(start, start + count * step, step):  # noqa: SIM110 (Numba knows no any)
        if x[i] != x[i]:
            return True
    return False
