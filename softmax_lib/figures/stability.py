"""The figures of the chapter on what breaks on a real computer."""

import numpy as np
from matplotlib.figure import Figure

from softmax_lib.figures.paper import BLUE, ORANGE, VERMILION, picture


@picture
def where_exp_ends() -> tuple[Figure, str]:
    """For each floating-point format, the logits whose exponential it can hold."""
    formats = [("float16", 5, 10), ("bfloat16", 8, 7), ("float32", 8, 23), ("float64", 11, 52)]
    figure = Figure(figsize=(6, 3.1), layout="constrained")
    axes = figure.subplots()
    words = []
    for row, (name, exponent_bits, fraction_bits) in enumerate(formats):
        largest = 2 ** (exponent_bits - 1)  # as powers of two, since 2**1024 is no float64
        smallest = 2 - largest - fraction_bits - 1  # half of the smallest subnormal rounds to zero
        zero, subnormal, infinite = (power * np.log(2) for power in (smallest, 2 - largest, largest))
        axes.barh(row, infinite - zero, left=zero, height=0.55, color=BLUE)
        axes.barh(row, subnormal - zero, left=zero, height=0.55, color=ORANGE)
        axes.text(zero - 15, row, f"{zero:.1f}".replace("-", "−"), ha="right", va="center")
        axes.text(infinite + 15, row, f"{infinite:.1f}", ha="left", va="center")
        words.append(f"{name} from {zero:.1f} to {infinite:.1f}")
    axes.barh(0, 0, color=BLUE, label="held to full precision")
    axes.barh(0, 0, color=ORANGE, label="digits lost (subnormal)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.56), ncols=2, frameon=False)
    axes.set_yticks(range(len(formats)), [name for name, *_ in formats])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(
        title="Each format holds eᶻ only in a window:\nleft of it there is 0, right of it ∞",
        xlabel="logit z",
        xlim=(-1010, 920),
    )
    alt = (
        "Four horizontal bars on one axis of logits: where each format can hold the exponential. "
        + ", ".join(words)
        + ". The left end of each bar is marked as subnormal: there digits are lost. It is longest, 37, in float64."
    )
    return figure, alt


@picture
def sums_that_stop_growing() -> tuple[Figure, str]:
    """What the probabilities of K equal logits sum to, if the ones are added in a narrow format."""
    classes = np.logspace(0, 5, 101)
    figure = Figure(figsize=(5.4, 3.3), layout="constrained")
    axes = figure.subplots()
    for name, stuck_at, colour, line in (("bfloat16", 256, VERMILION, "solid"), ("float16", 2048, ORANGE, "dashed")):
        axes.loglog(classes, np.maximum(classes, stuck_at) / stuck_at, color=colour, linestyle=line, linewidth=2.5)
        axes.text(1.2e5, 1e5 / stuck_at, f"{name}: {1e5 / stuck_at:.0f}", va="center")
    axes.loglog(classes, np.ones_like(classes), color=BLUE, linestyle="dotted", linewidth=2.5)
    axes.text(1.2e5, 1, "float32: 1", va="center")
    axes.grid(alpha=0.25)
    axes.set_xticks([1, 10, 100, 1_000, 10_000, 100_000], ["1", "10", "100", "1 000", "10 000", "100 000"])
    axes.set_yticks([1, 10, 100], ["1", "10", "100"])
    axes.minorticks_off()
    axes.set(
        title="A sum that is stuck makes\nthe probabilities add up to more than one",
        xlabel="classes K, all with the same logit",
        ylabel="sum of the probabilities",
    )
    alt = (
        "Line chart on logarithmic axes: the sum of K equal probabilities against K, up to 100 000 classes, by the "
        "format in which the exponentials were added. bfloat16 leaves 1 at K = 256 and reaches 391, "
        "float16 leaves it at 2048 and reaches 49, float32 stays at 1."
    )
    return figure, alt
