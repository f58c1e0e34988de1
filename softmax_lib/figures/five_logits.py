"""The figures of the chapter on the five logits."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.figures.paper import BLUE, GREEN, ORANGE, PAPER, picture
from softmax_lib.with_numpy import softmax


@picture
def from_logits_to_probabilities(logits: npt.ArrayLike, labels: Sequence[str] | None = None) -> tuple[Figure, str]:
    """The three stages: logits, exponentials, probabilities."""
    logits = np.asarray(logits)
    labels = list(labels) if labels else [f"z{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(len(logits))]
    exponentials = np.exp(logits)
    stages = [
        ("logits z", logits, ORANGE, ".4g"),
        ("exponentials eᶻ", exponentials, GREEN, ".2f"),
        ("probabilities eᶻ/Σ", softmax(logits), BLUE, ".3f"),
    ]
    figure = Figure(figsize=(6, 0.32 * len(logits) + 0.7), layout="constrained")
    for axes, (title, values, colour, form) in zip(figure.subplots(1, 3, sharey=True), stages, strict=True):
        bars = axes.barh(labels, values, color=colour, height=0.7)
        axes.bar_label(bars, [format(v, form) for v in values], padding=3)
        axes.margins(x=0.4)
        axes.set_xlim(left=min(0, values.min()))
        axes.set_title(title)
        axes.tick_params(left=False, bottom=False, labelbottom=False)
        axes.spines["bottom"].set_visible(False)
    axes.invert_yaxis()
    top = int(np.argmax(logits))
    alt = (
        f"Three bar charts: the logits, their exponentials, and their probabilities. The largest logit, {logits[top]:g}"
        f" of {labels[top]}, has {exponentials[top] / exponentials.sum():.0%} of the sum of exponentials."
    )
    return figure, alt


@picture
def axis_says_what_sums_to_one(batch: npt.ArrayLike) -> tuple[Figure, str]:
    """A batch normalised along its rows, and along its columns."""
    batch = np.asarray(batch)
    figure = Figure(figsize=(6, 2.4), layout="constrained")
    for axes, axis in zip(figure.subplots(1, 2, sharey=True), (-1, 0), strict=True):
        p = softmax(batch, axis=axis)
        axes.pcolormesh(p, cmap="Blues", vmin=0, vmax=1.6, edgecolor=PAPER, linewidth=2)
        for (i, j), value in np.ndenumerate(p):
            axes.text(j + 0.5, i + 0.5, f"{value:.2f}", ha="center", va="center", color="#000000")
        axes.set_xticks(np.arange(batch.shape[1]) + 0.5, [f"class {j + 1}" for j in range(batch.shape[1])])
        axes.set_yticks(np.arange(batch.shape[0]) + 0.5, [f"example {i + 1}" for i in range(batch.shape[0])])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(f"axis={axis}: {'rows' if axis else 'columns'} sum to 1")
    axes.invert_yaxis()
    alt = (
        f"The same batch of {batch.shape[0]} examples by {batch.shape[1]} classes, twice as a grid of probabilities. "
        "With axis=-1 each row, one example, sums to one; with axis=0 each column does, which mixes the examples."
    )
    return figure, alt
