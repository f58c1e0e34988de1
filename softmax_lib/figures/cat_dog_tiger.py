"""The figures of the chapter on cat, dog and tiger."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.examples import Layer
from softmax_lib.figures.paper import BLUE, CLASS_COLOURS, INK, PAPER, VERMILION, picture


@picture
def layer_of_the_network(layer: Layer) -> tuple[Figure, str]:
    """The last layer as nodes and weighted connections."""
    hidden, weights = np.asarray(layer.hidden), np.asarray(layer.weights)
    logits = weights @ hidden + np.asarray(layer.bias)
    n, m = weights.shape
    ys_hidden, ys_logits = np.linspace(n - 1.5, 0.5, m), np.arange(n)[::-1].astype(float)
    figure = Figure(figsize=(5.8, 3.6), layout="constrained")
    axes = figure.subplots()
    for (i, j), weight in np.ndenumerate(weights):
        if weight:
            colour, line = (BLUE, "solid") if weight > 0 else (VERMILION, "dashed")
            ends = [ys_hidden[j], ys_logits[i]]
            axes.plot([0, 2], ends, color=colour, linestyle=line, linewidth=2.2 * abs(weight), zorder=1)
    nodes = [(0, y, f"{h:g}", f"h{'₁₂₃'[j]}", "right") for j, (y, h) in enumerate(zip(ys_hidden, hidden, strict=True))]
    nodes += [(2, y, f"{z:.3g}", name, "left") for y, z, name in zip(ys_logits, logits, layer.labels, strict=True)]
    for x, y, value, name, side in nodes:
        axes.plot([x], [y], "o", markersize=34, markerfacecolor=PAPER, markeredgecolor=INK, zorder=2)
        axes.text(x, y, value, ha="center", va="center", zorder=3)
        axes.text(x + (0.22 if side == "left" else -0.22), y, name, ha=side, va="center", weight="bold")
    axes.plot([], [], color=BLUE, label="positive weight")
    axes.plot([], [], color=VERMILION, linestyle="dashed", label="negative weight")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
    axes.set(title="Three hidden values become four logits", xlim=(-0.7, 2.7), ylim=(-0.6, n - 0.4))
    axes.axis("off")
    alt = (
        f"Diagram: three hidden nodes ({', '.join(f'{h:g}' for h in hidden)}) joined by weights to four output nodes, "
        + ", ".join(f"{name} {z:.3g}" for name, z in zip(layer.labels, logits, strict=True))
        + ". Line width shows the size of a weight; dashed lines are negative."
    )
    return figure, alt


@picture
def probabilities_of_a_batch(probabilities: npt.ArrayLike, labels: Sequence[str]) -> tuple[Figure, str]:
    """A stacked bar for each example, with a segment for each class."""
    probabilities = np.asarray(probabilities)
    rows = [f"input {i + 1}" for i in range(len(probabilities))]
    figure = Figure(figsize=(6, 0.75 * len(rows) + 1.4), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(rows))
    for label, colour, column in zip(labels, CLASS_COLOURS, probabilities.T, strict=True):
        bars = axes.barh(rows, column, left=left, color=colour, edgecolor=PAPER, linewidth=2, height=0.7)
        names = [f"{label}\n{p:.2f}" if p > 0.08 else "" for p in column]
        axes.bar_label(bars, names, label_type="center", color="#ffffff" if colour == BLUE else "#000000", fontsize=10)
        left += column
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(title="Each input gets a distribution of its own", xlabel="probability", xlim=(0, 1))
    alt = "Stacked bars, one for each input. " + " ".join(
        f"{row}: " + ", ".join(f"{label} {p:.2f}" for label, p in zip(labels, ps, strict=True)) + "."
        for row, ps in zip(rows, probabilities, strict=True)
    )
    return figure, alt
