"""Exponentials of logits, and sums that keep their last digits and still run in vector registers.

In float32 a copy on one core takes 0.3 to 0.5 ns an element. exp takes 0.17, and is so fast only in
loops as plain as these.
"""

import numpy as np

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.exponential import constants, exponential
from softmax_lib.kernels.instructions import (
    bits,
    fill_registers,
    fma,
    is_wide,
    power_above,
    prefetch,
    unsigned,
)

FAR = 512  # elements: how far ahead of where they are read they are asked for

# --- exponentials, and their sum as they are computed ----------------------------------------------------------------


@compiled()
def exponentials(x, start, count, frame, values, left_out):
    """Fill values[:count] from x[start : start + count], with 0 for those that equal `left_out`.

    What is returned is their sum in float64, what that lacks, how often `left_out` occurs and,
    where `values` is None, the bits of the largest logit. `values` and `left_out` may be None,
    which costs nothing.
    """
    sums = 0.0, 0.0, 0.0, bits(x[start])
    for i in range(0, count, 64):
        sums = next_exponentials(x, start, i, count, frame, values, left_out, sums)
    return sums


@compiled(forceinline=True)
def next_exponentials(x, start, i, count, frame, values, left_out, sums):
    """Compute the 64 from i on, or as many as there are, and add them to the `sums`, if not None.

    A core has few places to keep what waits for memory, and a long loop fills them with arithmetic
    that waits for its logits: 0.48 ns from memory, as much as both take alone. In loops of 64 it is
    0.3; but from the cache 0.23, not 0.2.
    """
    prefetch(x, start + i + FAR)
    some = min(64, count - i)
    if some == 64:  # of a length known when compiled
        part, equal, highest = few_exponentials(x, start + i, 64, frame, values, i, left_out)
    else:
        part, equal, highest = few_exponentials(x, start + i, some, frame, values, i, left_out)
    if sums is None:
        return None
    total, error, ties, largest = sums
    if values is None:
        total, error = add(total, error, part)
    elif i % 512 == 448 or i + 64 >= count:  # with the blocks' own sums of float32, results were 5.2 ULP off
        first = i - i % 512
        part, low = sum_of(values, first, i + some - first)
        total, error = add(total, error + low, part)
    return total, error, ties + np.float64(equal), max(largest, highest)


@compiled(fastmath={"reassoc"}, forceinline=True)
def few_exponentials(x, start, count, frame, values, to, left_out):
    """Compute so few exponentials that a sum in their own type will do.

    One in float64 would halve the number of floats on which an instruction works at once.
    """
    fill_registers()
    base, lowest, highest, shift = frame
    c = constants(base)
    total = ties = c.zero
    largest = bits(x[start])
    for i in range(count):
        logit = x[unsigned(start + i)]
        e = exponential(logit - base, lowest, highest, shift)
        if left_out is not None:
            e = c.zero if logit == left_out else e
            ties += c.one if logit == left_out else c.zero
        if values is not None:
            values[unsigned(to + i)] = e
        else:
            largest = max(largest, bits(logit))
        total += e
    return total, ties, largest


# --- sums of what is there already -----------------------------------------------------------------------------------


@compiled(forceinline=True)
def sum_of(values, start, count):
    """The sum, in float64, and what it lacks.

    Of positive float64, the sum as it is rounded is up to 8 ULP off for 100 of them.
    """
    total = _plain_sum(values, start, count)
    if not is_wide(values[0]):
        return total, 0.0
    return _high_and_low(values, start, count, power_above(total))


@compiled(fastmath={"reassoc"}, forceinline=True)
def _plain_sum(values, start, count):
    fill_registers()
    total = 0.0
    for i in range(start, start + count):
        total += np.float64(values[unsigned(i)])
    return total


@compiled(fastmath={"reassoc"}, forceinline=True)
def _high_and_low(values, start, count, unit):
    """The sum of the high parts, which is exact, and that of the low parts.

    The high parts are multiples of a unit that is large enough for that.
    """
    fill_registers()
    high = low = 0.0
    for i in range(start, start + count):
        high_part, low_part = _split(values[unsigned(i)], unit)
        high += high_part
        low += low_part
    return high, low


@compiled(forceinline=True)
def _split(x, unit):
    # In the loop above, where sums may be reordered, this would be cancelled.
    high = (x + unit) - unit
    return high, x - high


@compiled(forceinline=True)
def add(total, error, part):
    """Add a part to a total and to what that lacks.

    A sum of float64 needs twice its precision. One of float32 has it in float64.
    """
    if is_wide(part):
        total, rounded_off = two_sum(total, part)
        return total, error + rounded_off
    return total + np.float64(part), error


@compiled(forceinline=True)
def two_sum(a, b):
    """a + b as it is rounded, and what was rounded off, exactly (Knuth)."""
    total = a + b
    b_in_total = total - a
    return total, (a - (total - b_in_total)) + (b - b_in_total)


@compiled(forceinline=True)
def reciprocal(total, error):
    """1 / (total + error), rounded once or so."""
    factor = 1 / total
    return factor + factor * (fma(-total, factor, 1.0) - error * factor)
