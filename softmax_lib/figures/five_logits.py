"""The figures of the chapter on the five logits."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from softmax_lib.figures.paper import (
    CLASS_FILLS,
    CLASS_TEXTS,
    INK,
    INK2,
    WIDE,
    number,
    picture,
    share,
    sheet,
    three_digits,
)
from softmax_lib.with_numpy import softmax


@picture
def from_logits_to_probabilities(
    width: float, logits: npt.ArrayLike, labels: Sequence[str] | None = None
) -> tuple[Figure, str]:
    """The three stages: logits, exponentials, probabilities."""
    logits = np.asarray(logits)
    labels = list(labels) if labels else [f"z{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(len(logits))]
    exponentials, n, top = np.exp(logits), len(logits), int(np.argmax(logits))
    p = softmax(logits)
    stages = [
        ("logit z", logits, [number(z, ".4g") for z in logits]),
        ("eᶻ", exponentials, [three_digits(e) for e in exponentials]),
        ("share", p, [share(s) for s in p]),
    ]
    title = f"The largest logit, {number(logits[top], 'g')} of {labels[top]}, gets a share of {share(p[top])}"
    figure = sheet(width, 100 + 34 * n, title)
    for axes, (name, values, numbers) in zip(figure.subplots(1, 3, sharey=True), stages, strict=True):
        bars = axes.barh(labels, values, color=CLASS_FILLS[:n], edgecolor=CLASS_TEXTS[:n], linewidth=1, height=24 / 34)
        axes.bar_label(bars, numbers, padding=4, weight="bold" if name == "share" else "normal")
        axes.set_xlim(min(0, values.min()), max(0, values.max()) * (1.4 if width == WIDE else 1.9))
        axes.axvline(0, color=INK, linewidth=1.5)
        axes.set_title(name)
        axes.tick_params(left=False, bottom=False, labelbottom=False)
        axes.spines[:].set_visible(False)
        for label, colour in zip(axes.get_yticklabels(), CLASS_TEXTS, strict=False):
            label.set(color=colour, weight="bold")
    axes.invert_yaxis()
    alt = (
        f"Three bar charts: the logits, their exponentials, and their probabilities. The exponential of the largest "
        f"logit, {logits[top]:g} of {labels[top]}, is {exponentials[top] / exponentials.sum():.0%} of their sum."
    )
    return figure, alt


@picture
def axis_says_what_sums_to_one(width: float, batch: npt.ArrayLike) -> tuple[Figure, str]:
    """A batch normalised along its rows, and along its columns."""
    batch = np.asarray(batch)
    rows, columns = batch.shape
    side_by_side = (1, 2) if width == WIDE else (2, 1)
    figure = sheet(width, 60 + (90 + 46 * rows) * side_by_side[0], "The axis says what sums to 100\u2009%")
    for axes, axis in zip(figure.subplots(*side_by_side).ravel(), (-1, 0), strict=True):
        p = softmax(batch, axis=axis)
        for (i, j), value in np.ndenumerate(p):
            cell = Rectangle((j + 0.02, i + 0.03), 0.96, 0.94, color=CLASS_FILLS[j], alpha=0.5 * value, linewidth=0)
            axes.add_patch(cell)
            axes.text(j + 0.5, i + 0.5, share(value), ha="center", va="center")
        whole = {"color": INK2, "va": "center"}
        if axis == -1:
            for i in range(rows):
                axes.text(columns + 0.08, i + 0.5, "= 100\u2009%", ha="left", **whole)
        else:
            for j in range(columns):
                axes.text(j + 0.5, rows + 0.2, "= 100\u2009%", ha="center", **whole)
        axes.set_xticks(np.arange(columns) + 0.5, [f"class {j + 1}" for j in range(columns)])
        axes.set_yticks(np.arange(rows) + 0.5, [f"example {i + 1}" for i in range(rows)])
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.spines[:].set_visible(False)
        axes.set(xlim=(0, columns + 0.7), ylim=(rows + 0.4, 0))
        axes.set_title(f"axis={axis}: each {'row' if axis else 'column'}")
    alt = (
        f"The same batch of {batch.shape[0]} examples by {batch.shape[1]} classes, twice as a grid of probabilities. "
        "With axis=-1 each row, one example, sums to one; with axis=0 each column does, which mixes the examples."
    )
    return figure, alt
