"""The figures of the chapter on what breaks on a real computer."""

import numpy as np
from matplotlib.figure import Figure

from softmax_lib.figures.paper import (
    INK,
    INK2,
    PAPER,
    WIDE,
    grid,
    name_lines,
    name_rows,
    name_y,
    number,
    picture,
    power_ticks,
    sheet,
)


@picture
def where_exp_ends(width: float) -> tuple[Figure, str]:
    """For each floating-point format, the logits whose exponential it can hold."""
    formats = [("float16", 5, 10), ("bfloat16", 8, 7), ("float32", 8, 23), ("float64", 11, 52)]
    figure = sheet(
        width,
        330 if width == WIDE else 430,
        "Each format holds eᶻ only in a window: left of it there is 0, right of it ∞",
    )
    axes = figure.subplots()
    words = []
    for row, (name, exponent_bits, fraction_bits) in enumerate(formats):
        largest = 2 ** (exponent_bits - 1)  # as powers of two, since 2**1024 is no float64
        smallest = 2 - largest - fraction_bits - 1  # half of the smallest subnormal rounds to zero
        zero, subnormal, infinite = (power * np.log(2) for power in (smallest, 2 - largest, largest))
        axes.barh(row, infinite - subnormal, left=subnormal, height=0.4, color=INK2)
        axes.barh(
            row, subnormal - zero, left=zero, height=0.4, facecolor=PAPER, edgecolor=INK2, hatch="////", linewidth=1
        )
        for end, side, away in ((zero, "right", -5), (infinite, "left", 5)):
            axes.annotate(number(end, ".1f"), (end, row), (away, 0), textcoords="offset points", ha=side, va="center")
        words.append(f"{name} from {zero:.1f} to {infinite:.1f}")
    last = len(formats) - 1
    axes.text(0, last + 0.28, "all digits", ha="center", va="top", color=INK2)
    axes.text(zero, last + 0.28, "digits lost", ha="left", va="top", color=INK2)
    name_rows(axes, [name for name, *_ in formats], width, 0.28)
    axes.set_xticks([-500, 0, 500], ["−500", "0", "500"])
    edge = 950 if width == WIDE else 1090
    axes.set(xlabel="logit z", xlim=(-edge, edge), ylim=(last + 0.75, -0.5 if width == WIDE else -0.75))
    alt = (
        "Four horizontal bars on one axis of logits: where each format can hold the exponential. "
        + ", ".join(words)
        + ". The left end of each bar is marked as subnormal: there digits are lost. It is longest, 37, in float64."
    )
    return figure, alt


@picture
def sums_that_stop_growing(width: float) -> tuple[Figure, str]:
    """What the probabilities of K equal logits sum to, if the ones are added in a narrow format."""
    classes = np.logspace(0, 5, 101)
    figure = sheet(width, 380, "A sum that is stuck makes the shares add up to more than 100\u2009%")
    axes = figure.subplots()
    grid(axes)
    ends = [(1e5, 1.0, "float32: 1", INK)]
    for name, stuck_at, line in (("bfloat16", 256, "solid"), ("float16", 2048, "dashed")):
        axes.loglog(classes, np.maximum(classes, stuck_at) / stuck_at, color=INK, linestyle=line, linewidth=3)
        ends.append((1e5, 1e5 / stuck_at, f"{name}: {1e5 / stuck_at:.0f}", INK))
    axes.loglog(classes, np.ones_like(classes), color=INK2, linestyle="dotted", linewidth=3)
    power_ticks(axes.xaxis, range(0, 6, 1 if width == WIDE else 2))
    power_ticks(axes.yaxis, range(3))
    axes.minorticks_off()
    axes.set(xlabel="classes K, all with the same logit", xlim=(1, 1e5), ylim=(0.8, 600))
    name_y(axes, "sum of the probabilities")
    name_lines(axes, ends)
    alt = (
        "Line chart on logarithmic axes: the sum of K equal probabilities against K, up to 100 000 classes, by the "
        "format in which the exponentials were added. bfloat16 leaves 1 at K = 256 and reaches 391, "
        "float16 leaves it at 2048 and reaches 49, float32 stays at 1."
    )
    return figure, alt
