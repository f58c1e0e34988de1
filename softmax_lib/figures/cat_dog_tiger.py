"""The figures of the chapter on cat, dog and tiger."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.examples import Layer
from softmax_lib.figures.paper import (
    CLASS_FILLS,
    CLASS_TEXTS,
    INK,
    INK2,
    PAPER,
    WIDE,
    grid,
    number,
    picture,
    share,
    sheet,
    spread,
)


@picture
def layer_of_the_network(width: float, layer: Layer) -> tuple[Figure, str]:
    """The last layer as nodes and weighted connections."""
    hidden, weights = np.asarray(layer.hidden), np.asarray(layer.weights)
    logits = weights @ hidden + np.asarray(layer.bias)
    n, m = weights.shape
    ys_hidden, ys_logits = np.linspace(n - 1.5, 0.5, m), np.arange(n)[::-1].astype(float)
    figure = sheet(width, 400, "Three hidden values become four logits")
    axes = figure.subplots()
    for (i, j), weight in np.ndenumerate(weights):
        if weight:
            axes.plot(
                [0, 2], [ys_hidden[j], ys_logits[i]], color=CLASS_FILLS[i], linewidth=4 * abs(weight),
                linestyle="solid" if weight > 0 else (0, (2, 1)), zorder=1,
            )  # fmt: skip
    away = 0.18 if width == WIDE else 0.28
    for j, (y, value) in enumerate(zip(ys_hidden, hidden, strict=True)):
        axes.plot([0], [y], "o", markersize=46, markerfacecolor=PAPER, markeredgecolor=INK, markeredgewidth=1.5)
        axes.text(0, y, f"{value:g}", ha="center", va="center", zorder=3)
        axes.text(-away, y, f"h{'₁₂₃'[j]}", ha="right", va="center", weight="bold")
    for i, (y, value, name) in enumerate(zip(ys_logits, logits, layer.labels, strict=True)):
        axes.plot(
            [2], [y], "o", markersize=46, markerfacecolor=PAPER, markeredgecolor=CLASS_TEXTS[i], markeredgewidth=2
        )
        axes.text(2, y, number(value, ".3g"), ha="center", va="center", zorder=3)
        axes.text(2 + away, y, name, ha="left", va="center", weight="bold", color=CLASS_TEXTS[i])
    note = "thickness: size of the weight\ndashed: negative weight"
    axes.text(1, -0.75, note.replace("\n", " · ") if width == WIDE else note, ha="center", va="center", color=INK2)
    axes.set(xlim=(-0.5, 2.5) if width == WIDE else (-0.6, 2.85), ylim=(-1, n - 0.6))
    axes.axis("off")
    alt = (
        f"Diagram: three hidden nodes ({', '.join(f'{h:g}' for h in hidden)}) joined by weights to four output nodes, "
        + ", ".join(f"{name} {z:.3g}" for name, z in zip(layer.labels, logits, strict=True))
        + ". Line width shows the size of a weight; dashed lines are negative."
    )
    return figure, alt


@picture
def probabilities_of_a_batch(width: float, probabilities: npt.ArrayLike, labels: Sequence[str]) -> tuple[Figure, str]:
    """A stacked bar for each example, with a segment for each class."""
    probabilities = np.asarray(probabilities)
    rows = [f"input {i + 1}" for i in range(len(probabilities))]
    figure = sheet(width, 110 + 88 * len(rows), "Each input gets shares of its own")
    axes = figure.subplots()
    for row, ps in enumerate(probabilities):
        ends = np.cumsum(ps)
        middles = ends - ps / 2
        places = spread(middles, 0.07 if width == WIDE else 0.15)
        for i, (label, p) in enumerate(zip(labels, ps, strict=True)):
            axes.barh(row, p, left=ends[i] - p, height=0.42, color=CLASS_FILLS[i], edgecolor=PAPER, linewidth=2)
            axes.plot(
                [places[i], middles[i]], [row - 0.31, row - 0.22], color=CLASS_TEXTS[i], linewidth=1.5, clip_on=False
            )
            axes.text(
                places[i], row - 0.32, f"{label}\n{share(p)}", ha="center", va="bottom",
                color=CLASS_TEXTS[i], weight="bold",
            )  # fmt: skip
    axes.set_yticks(range(len(rows)), rows)
    grid(axes, "x")
    axes.grid(visible=False)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100\u2009%"])
    axes.set(xlabel="share of the class", xlim=(0, 1), ylim=(len(rows) - 0.7, -0.8))
    alt = "Stacked bars, one for each input. " + " ".join(
        f"{row}: " + ", ".join(f"{label} {p:.2f}" for label, p in zip(labels, ps, strict=True)) + "."
        for row, ps in zip(rows, probabilities, strict=True)
    )
    return figure, alt
