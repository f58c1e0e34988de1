"""The figures of the chapter on the formula."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.figures.paper import BLUE, INK, VERMILION, bar_chart, heading, picture
from softmax_lib.with_numpy import softmax


@picture
def plain_division_fails(logits: npt.ArrayLike) -> tuple[Figure, str]:
    """The shares that plain division gives, beside those of the exponentials."""
    logits = np.asarray(logits)
    labels = [f"{z:g}" for z in logits]
    figure = Figure(figsize=(5.8, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    bar_chart(left, labels, logits / logits.sum(), VERMILION, ".2f")
    bar_chart(right, labels, softmax(logits), BLUE, ".2f")
    left.set(title="z / Σz leaves 0 to 1", xlabel="logit z", ylabel="share")
    right.set(title="eᶻ / Σeᶻ never does", xlabel="logit z")
    alt = (
        f"Two bar charts for the logits {', '.join(labels)}. Plain division gives shares "
        f"{', '.join(f'{s:.2f}' for s in logits / logits.sum())}, below zero and above one; "
        f"softmax gives {', '.join(f'{p:.2f}' for p in softmax(logits))}."
    )
    return figure, alt


@picture
def scaling_sharpens(logits: npt.ArrayLike, factors: Sequence[float] = (0.5, 1, 2, 4)) -> tuple[Figure, str]:
    """The probabilities of the same logits, multiplied by several factors."""
    logits = np.asarray(logits)
    probabilities = [softmax(logits * factor) for factor in factors]
    figure = Figure(figsize=(6, 2.8), layout="constrained")
    for axes, factor, p in zip(figure.subplots(1, len(factors), sharey=True), factors, probabilities, strict=True):
        bar_chart(axes, [f"{z:g}" for z in logits], p, BLUE, ".2f")
        axes.set(xlabel="logit z", title=f"{factor:g} · z", ylim=(0, 1.15))
    figure.axes[0].set_ylabel("probability")
    heading(figure, "Multiplying the logits sharpens or flattens", size="large")
    alt = "Four bar charts of softmax of the same logits multiplied by a factor. " + " ".join(
        f"Times {factor:g}, the largest probability is {p.max():.2f}."
        for factor, p in zip(factors, probabilities, strict=True)
    )
    return figure, alt


@picture
def two_classes_are_the_sigmoid() -> tuple[Figure, str]:
    """The probability of the first of two classes, over the difference of their logits."""
    difference = np.linspace(-6, 6, 121)
    first = softmax(np.stack([difference, np.zeros_like(difference)]), axis=0)[0]
    figure = Figure(figsize=(5.6, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(difference, first, color=BLUE, linewidth=2.5)
    axes.plot([0], [0.5], "o", color=VERMILION)
    axes.annotate("equal logits: ½", (0, 0.5), (0.4, 0.4), color=INK)
    axes.grid(alpha=0.25)
    axes.set(
        title="With two classes only the difference counts: the sigmoid",
        xlabel="difference of the logits, z₁ − z₂",
        ylabel="probability of class 1",
    )
    alt = (
        "Curve of the first class's probability against the difference of the two logits, from -6 to 6: "
        f"an S from {first[0]:.4f} through one half at zero to {first[-1]:.4f}."
    )
    return figure, alt
