"""An exponential that runs in vector registers, and the frame in which all that counts is in range.

What is computed is exp(x) 2^(headroom - n) for one whole number n near x_max / log(2). Dividing by
a power of two is exact. x - x_max is not, and exp amplifies what was rounded off there to 32 units
in the last place in float32.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.instructions import fma, power_of_two


class Format(NamedTuple):
    """What a float type needs to know of itself, in that type."""

    zero: np.floating[Any]
    one: np.floating[Any]
    infinity: np.floating[Any]
    log2_e: np.floating[Any]
    ln2_high: np.floating[Any]
    ln2_low: np.floating[Any]
    magic: np.floating[Any]
    """Adding it rounds to a whole number, and leaves that in the lowest bits."""
    bias: np.floating[Any]
    """In the bits of the result's power of two: the headroom, and what the format adds to every exponent."""
    below: np.floating[Any]
    """Logits further below the one that n was chosen for count as this far: their probability is 0."""
    above: np.floating[Any]
    """Logits further above count as this far, and make the total larger than `most`."""
    least: np.floating[Any]
    most: np.floating[Any]
    """A total in between shows that n was well chosen: nothing that counts left the range."""
    coefficients: tuple[np.floating[Any], ...]
    """Of Q in exp(r) = 1 + r + r^2 Q(r) for abs(r) <= log(2) / 2, from the highest power."""


def _format(kind: Any, headroom: int, least: int, most: int, coefficients: list[float]) -> Format:
    limits = np.finfo(kind)
    ln2_high = kind(math.log(2))
    return Format(
        zero=kind(0),
        one=kind(1),
        infinity=kind(math.inf),
        log2_e=kind(1 / math.log(2)),
        ln2_high=ln2_high,
        # The last summand is what float64 rounds off log(2).
        ln2_low=kind(0.6931471805599453 - float(ln2_high) + 2.3190468138462996e-17),
        magic=kind(1.5 * 2**limits.nmant),
        bias=kind(headroom + limits.maxexp - 1),
        below=kind(math.floor((headroom - limits.minexp) * math.log(2))),
        above=kind(math.floor((limits.maxexp - 1 - headroom) * math.log(2))),
        least=kind(2.0**least),
        most=kind(2.0**most),
        coefficients=tuple(map(kind, coefficients)),
    )


# The polynomials are mpmath.chebyfit's, with relative errors of 2^-26.5 and 2^-55.8. A slice with its maximum in
# float32 from -20 to 41, in float64 from -277 to 346, never needs that maximum to be found.
FLOAT32 = _format(
    np.float32,
    headroom=60,
    least=30,
    most=120,
    coefficients=[0.0013926250394433737, 0.00836323294788599, 0.04166655242443085, 0.16666576266288757, 0.5],
)
FLOAT64 = _format(
    np.float64,
    headroom=500,
    least=100,
    most=1000,
    coefficients=[
        *(2.5100472505694996e-08, 2.7620201591031547e-07, 2.7557268276905696e-06, 2.4801521057868204e-05),
        *(0.00019841269863171557, 0.0013888888917367081, 0.008333333333330039, 0.041666666666623824),
        *(0.16666666666666669, 0.5000000000000001),
    ],
)


def constants(x):
    """The format of the type of `x`: known at compile time."""


@overload(constants)
def _overload_constants(x):
    found = FLOAT32 if x == types.float32 else FLOAT64
    return lambda x: found


@compiled(forceinline=True)
def frame_around(maximum):
    """The frame for a slice with a maximum near this.

    It is what to subtract, the range of what counts, and what rounds and shifts. Up to 2^11 nothing
    need be subtracted. Beyond, the difference of any logit that counts is exact.
    """
    c = constants(maximum)
    base = maximum if abs(maximum) > 2048 else c.zero
    top = maximum - base
    n = fma(top, c.log2_e, c.magic) - c.magic
    return base, top - c.below, top + c.above, (c.magic + c.bias) - n


@compiled(forceinline=True)
def exponential(x, lowest, highest, shift):
    """exp(x) in the frame, of x less its base: to 1 unit in the last place, and NaN for a NaN."""
    c = constants(x)
    x = lowest if x < lowest else x
    x = highest if x > highest else x
    rounded = fma(x, c.log2_e, shift)
    n = rounded - shift
    r = fma(n, -c.ln2_low, fma(n, -c.ln2_high, x))
    q = c.coefficients[0]
    for coefficient in c.coefficients[1:]:
        q = fma(q, r, coefficient)
    return fma(fma(q, r, c.one), r, c.one) * power_of_two(rounded)
