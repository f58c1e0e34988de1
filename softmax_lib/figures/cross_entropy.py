"""The figures of the chapter on cross-entropy."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from softmax_lib.figures.paper import (
    BLUE,
    CLASS_TEXTS,
    HIGHLIGHT,
    INK,
    INK2,
    ON_HIGHLIGHT,
    VERMILION,
    WASH,
    WIDE,
    grid,
    name_lines,
    name_y,
    note,
    number,
    picture,
    share,
    sheet,
)
from softmax_lib.with_numpy import softmax


@picture
def slopes_of_three_losses(width: float) -> tuple[Figure, str]:
    """Three losses of two classes, over the lead of the right class, and their slopes."""
    lead = np.linspace(-8, 8, 129)
    p, wrong = softmax(np.stack([lead, np.zeros_like(lead)]), axis=0)
    losses = {
        "−ln p": (-np.log(p), -wrong),
        "squared error": (2 * wrong**2, -4 * p * wrong**2),
        "1 − p": (wrong, -p * wrong),
    }
    figure = sheet(
        width, 380 if width == WIDE else 620, "Only the logarithm still pulls when the answer is quite wrong"
    )
    panels = figure.subplots(*((1, 2) if width == WIDE else (2, 1)))
    dashes = ("solid", "dashed", "dotted")
    for panel, (axes, title) in enumerate(zip(panels, ("the loss", "its slope"), strict=True)):
        grid(axes)
        for (name, curves), colour, dash in zip(losses.items(), CLASS_TEXTS, dashes, strict=False):
            axes.plot(lead, curves[panel], color=colour, linestyle=dash, linewidth=3)
            if panel == 0:
                at, above = {"−ln p": (-3.4, 3.9), "squared error": (-7.8, 2.25), "1 − p": (-7.8, 0.45)}[name]
                note(axes, at, above, name, color=colour, weight="bold")
        axes.set(title=title, xlabel="lead of the right class", xlim=(-8, 8))
        axes.set_xticks([-8, -4, 0, 4, 8], ["−8", "−4", "0", "4", "8"])
    panels[0].set_yticks([0, 2, 4, 6, 8])
    panels[1].set_yticks([-1, -0.5, 0], ["−1", "−0.5", "0"])
    alt = (
        "Two panels over the lead of the right class, from -8 to 8. The losses: −ln p falls from 8 along a straight "
        "line and then flattens to 0; the squared error and 1 − p are flat at 2 and at 1, fall around 0, and are flat "
        f"at 0. Their slopes at -8: −ln p {-wrong[0]:.2f}, squared error {-4 * p[0] * wrong[0] ** 2:.4f}, "
        f"1 − p {-p[0] * wrong[0]:.4f}."
    )
    return figure, alt


@picture
def learning_curves(
    width: float, epochs: Sequence[int], losses: Mapping[str, Sequence[float]], start: float
) -> tuple[Figure, str]:
    """The mean loss after each epoch, for several sets of pictures, and where it started."""
    figure = sheet(width, 360, "The loss falls fast, then slowly")
    axes = figure.subplots()
    grid(axes)
    last = epochs[-1]
    axes.axhline(start, color=INK2, linestyle="dotted", linewidth=1.5)
    note(axes, last, start * 1.08, "nothing learned", ha="right", va="bottom", color=INK2)
    ends = []
    for (name, values), colour, dash in zip(losses.items(), (BLUE, VERMILION), ("solid", "dashed"), strict=True):
        axes.plot([0, *epochs], [start, *values], color=colour, linestyle=dash, linewidth=3)
        ends.append((last, values[-1], name, colour))
    axes.set(xlabel="epochs", xlim=(0, last * (1.3 if width == WIDE else 1.6)), yscale="log", ylim=(0.05, start * 1.7))
    axes.set_xticks([x for x in axes.get_xticks() if x <= last])
    axes.set_yticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
    axes.minorticks_off()
    name_y(axes, "mean loss (logarithmic)")
    name_lines(axes, ends)
    words = "; ".join(f"{name} from {start:.2f} to {values[-1]:.2f}" for name, values in losses.items())
    return figure, f"Lines of the mean loss against the epochs: {words}."


@picture
def confusion(width: float, counts: npt.ArrayLike) -> tuple[Figure, str]:
    """How often each class got each answer."""
    counts = np.asarray(counts)
    classes = len(counts)
    figure = sheet(width, 420 if width == WIDE else 400, "Right answers stand on the diagonal")
    axes = figure.subplots()
    for (row, column), count in np.ndenumerate(counts):
        if row == column or count:
            fill = WASH if row == column else HIGHLIGHT
            axes.add_patch(PathPatch(_squares([(column, row, 0.92)]), facecolor=fill, linewidth=0))
            axes.text(column, row, count, ha="center", va="center", color=INK if row == column else ON_HIGHLIGHT)
    axes.set(xlim=(-0.6, classes - 0.4), ylim=(classes - 0.4, -0.6), xlabel="the answer")
    axes.set_ylabel("the digit", labelpad=10)
    axes.set_xticks(range(classes))
    axes.set_yticks(range(classes))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    wrong = [(count, i, j) for (i, j), count in np.ndenumerate(counts) if i != j and count]
    words = "; ".join(f"{count} times {j} for a {i}" for count, i, j in sorted(wrong, reverse=True))
    return figure, f"Table of digits against answers. Right: {np.trace(counts)} of {counts.sum()}. Wrong: {words}."


@picture
def surest_mistakes(
    width: float, pictures: npt.ArrayLike, answers: npt.ArrayLike, probabilities: npt.ArrayLike, shown: int = 8
) -> tuple[Figure, str]:
    """The pictures with a wrong answer, those of the largest probability first."""
    pictures, answers, p = (np.asarray(a) for a in (pictures, answers, probabilities))
    said = p.argmax(axis=-1)
    wrong = np.flatnonzero(said != answers)
    first = wrong[np.argsort(-p[wrong, said[wrong]], kind="stable")][:shown]
    columns = 4 if width == WIDE else 2
    rows = -(-len(first) // columns)
    figure = sheet(width, 70 + 200 * rows if width == WIDE else 80 + 205 * rows, "The most confident mistakes")
    words = []
    for axes, i in zip(figure.subplots(rows, columns).flat, first, strict=False):
        _halftone(axes, pictures[i].reshape(8, 8))
        sure = share(p[i, said[i]])
        axes.set_title(f"says {said[i]}, {sure}", pad=4)
        axes.set_xlabel(f"it is a {answers[i]}")
        words.append(f"a {answers[i]} taken for {said[i]} with {sure}")
    return figure, f"Pictures of digits with wrong answers: {'; '.join(words)}."


@picture
def what_each_class_looks_for(width: float, weights: npt.ArrayLike) -> tuple[Figure, str]:
    """The rows of W as pictures: filled squares for positive weights, hollow ones for negative."""
    weights = np.asarray(weights)
    columns = 5 if width == WIDE else 2
    rows = -(-len(weights) // columns)
    figure = sheet(
        width, 90 + 165 * rows if width == WIDE else 100 + 185 * rows, "Ink here speaks for the digit ■ or against it □"
    )
    largest = np.abs(weights).max()
    for digit, (axes, row) in enumerate(zip(figure.subplots(rows, columns).flat, weights, strict=False)):
        _halftone(axes, row.reshape(8, 8) / largest)
        axes.set_title(str(digit), pad=4)
    middle = weights[0].reshape(8, 8)[3:5, 3:5].mean()
    return figure, (
        "Ten pictures of 8 by 8 squares, one for each digit: a square's size is that of the weight, filled where it is "
        f"positive, hollow where negative. In the middle of the 0 the weights are {number(middle, '.1f')} on average."
    )


def _squares(places: Sequence[tuple[float, float, float]]) -> Path:
    """One path of many squares, (x, y, side) around their middles: one path is a tenth of the bytes of many."""
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)])
    vertices = [np.array([x, y]) + side * corners for x, y, side in places]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(places)
    return Path(np.concatenate(vertices), codes)


def _halftone(axes: Axes, values: npt.NDArray[np.float64]) -> None:
    """Draw a picture in squares whose area is the value, hollow where it is negative; specks are left out."""
    for sign, face in ((1, INK), (-1, "none")):
        places = [(j, i, abs(v) ** 0.5) for (i, j), v in np.ndenumerate(values) if sign * v > 0.03]
        if places:
            axes.add_patch(PathPatch(_squares(places), facecolor=face, edgecolor=INK, linewidth=0 if sign > 0 else 1))
    n = len(values)
    axes.set(xlim=(-0.7, n - 0.3), ylim=(n - 0.3, -0.7), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
