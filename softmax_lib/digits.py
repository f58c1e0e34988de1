"""Exponentials, sums and products that keep their last digits.

Each function works on stacks of slices, (outer, length, inner), along axis 1, and keeps that axis, with length 1, where
it sums. float64 and longdouble are worked on in their own precision; narrower types become float64.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

quiet = np.errstate(all="ignore")
"""Infinities and overflow are inputs with promised answers in this library, so NumPy need not warn of them."""


def wide(array: Array) -> np.dtype[Any]:
    """The type that `array` is computed in: float64, or longdouble for longdouble."""
    return np.promote_types(array.dtype, np.float64)


def as_wide(*arrays: Array) -> list[Array]:
    """The arrays in one type, float64 or, if one of them is, longdouble."""
    widest = np.result_type(np.float64, *(wide(array) for array in arrays))
    return [array.astype(widest, copy=False) for array in arrays]


def exp_of_difference(x: Array, y: Array) -> Array:
    """exp(x - y) to the last place, for y of which no x lies far above.

    The difference is rounded, and exp turns that absolute error into a relative one: of logits with sigma 100 it costs
    488 ULP. The rounding error is known exactly, and multiplying by exp(error) = 1 + error puts it back.
    """
    if x.itemsize < 8:  # The float64 difference of narrower floats is exact, as far as they can show.
        return np.exp(x.astype(wide(x)) - y)
    difference, rounded_off = two_difference(x, y)
    exponentials = np.exp(difference)
    # Where the difference is infinite its error is NaN, and the exponential is 0 whatever it is multiplied by.
    return exponentials + np.fmin(rounded_off, 1) * exponentials


def total(parts: Array, narrowest: Any = None) -> Array:
    """The sum of numbers from 0 to 1, rounded once or so; a plain sum of 12 is off by 4.7 ULP, of 1,000 by 10.

    A result in a type narrower than float64, the `narrowest`, does not show that, and gets the plain sum.
    """
    if narrowest is not None and narrowest != parts.dtype:
        return _sum(parts)
    high, low = exact_total(parts)
    return high + low


def exact_total(parts: Array) -> tuple[Array, Array]:
    """The sum of numbers from 0 to 1 as an exact high part and a low one, far below the last place of the whole.

    The high part of each number is the nearest multiple of a unit so large that such multiples are summed without
    rounding. The low parts are what is left (Rump, Ogita and Oishi, "Accurate floating-point summation", SIAM J. Sci.
    Comput. 31 (2008), section 3).
    """
    unit = 2.0 ** (parts.shape[1].bit_length() + 1)
    high = parts + unit
    high -= unit
    sum_of_high = _sum(high)
    low = np.subtract(parts, high, out=high)
    return sum_of_high, _sum(low)


def total_beyond_one(exponentials: Array, x: Array, maximum: Array) -> Array:
    """The sum of the `exponentials` of x - maximum less the 1 of the maximum itself, without cancellation."""
    high, low = exact_total(exponentials)
    rest: Array = (high - 1) + low
    if (small := rest < 2.0**-20).any() and x.shape[1] > 1:
        rest = np.where(small, _total_of_small(np.where(x == maximum, 0, exponentials), x, maximum), rest)
    return rest


def _total_of_small(exponentials: Array, x: Array, maximum: Array) -> Array:
    """The sum of `exponentials` that are small beside 1, of all but the maximum, rounded once or so."""
    about = _sum(exponentials)
    scale: Any = 1.0
    if (tiny := about < np.finfo(about.dtype).smallest_normal * 2.0**62).any():
        # Subnormal exponentials have lost digits, and all of them have: 1,000 times exp(-744.8) was 43 % off. So they
        # are summed e^128 times as large. Adding 128 to a number so far below 0 does not round.
        difference, rounded_off = two_difference(x.astype(about.dtype, copy=False), maximum)
        larger = np.exp(difference + 128) * (1 + np.fmin(rounded_off, 1))
        larger[x == maximum] = 0
        exponentials = np.where(tiny, larger, exponentials)
        scale = np.where(tiny, np.exp(-128.0), 1)
        about = _sum(exponentials)
    high = exponentials + 2 * about
    high -= 2 * about
    return np.where(np.isfinite(about), _sum(high) + _sum(exponentials - high), about) * scale


def _sum(stack: Array) -> Array:
    return np.add.reduce(stack, axis=1, keepdims=True)  # half a microsecond faster than stack.sum


def others(parts: Array) -> Array:
    """For each number the sum of all others in its slice, without cancellation."""
    if parts.shape[1] == 0:
        return parts
    largest = np.argmax(parts, axis=1, keepdims=True)
    smaller = parts.copy()
    np.put_along_axis(smaller, largest, 0, axis=1)
    return total(smaller) + (np.take_along_axis(parts, largest, axis=1) - parts)


# --- twice the precision ---------------------------------------------------------------------------------------------


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b as it is rounded, and what was rounded off, exactly (Knuth)."""
    rounded = a + b
    b_in_it = rounded - a
    return rounded, (a - (rounded - b_in_it)) + (b - b_in_it)


def two_difference(a: Array, b: Array) -> tuple[Array, Array]:
    """a - b as it is rounded, and what was rounded off, exactly."""
    rounded = a - b
    b_in_it = a - rounded
    return rounded, (a - (rounded + b_in_it)) + (b_in_it - b)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a * b as it is rounded, and what was rounded off, exactly (Dekker and Veltkamp); 0 where that overflows."""
    splitter = 2.0 ** ((np.finfo(a.dtype).nmant + 2) // 2) + 1
    a_high, b_high = (splitter * c - (splitter * c - c) for c in (a, b))
    product = a * b
    a_low, b_low = a - a_high, b - b_high
    rounded_off = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, np.where(np.isfinite(rounded_off), rounded_off, 0)


def sum_twice(numbers: Array, low: Array) -> tuple[Array, Array]:
    """The sum of `numbers` and of the much smaller `low` ones, as two floats that hold twice the precision together.

    Halves are added to each other, as in Ogita, Rump and Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26
    (2005), and what each addition rounds off joins the low ones.
    """
    sum_of_low = _sum(low)
    while (length := numbers.shape[1]) > 1:
        half = length // 2
        sums, rounded_off = two_sum(numbers[:, :half], numbers[:, half : 2 * half])
        sum_of_low += _sum(rounded_off)
        numbers = np.concatenate([sums, numbers[:, -1:]], axis=1) if length % 2 else sums
    return numbers, sum_of_low
