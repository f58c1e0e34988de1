"""The figure of the chapter on bugs that shipped."""

import numpy as np
from matplotlib.figure import Figure

from softmax_lib.figures.paper import BLUE, VERMILION, WIDE, grid, name_lines, name_y, picture, sheet
from softmax_lib.with_numpy import cross_entropy, softmax


@picture
def loss_of_softmax_twice(width: float) -> tuple[Figure, str]:
    """The loss of ten classes over the lead of the right one, with softmax applied once and twice."""
    figure = sheet(width, 340 if width == WIDE else 400, "With softmax twice, no lead brings the loss near 0")
    axes = figure.subplots()
    grid(axes)
    leads = np.linspace(0, 10, 101)
    logits = leads[:, None] * np.eye(10)[0]
    ends, words = [], []
    for name, given, colour, style in (
        ("once", logits, BLUE, "-"),
        ("twice", softmax(logits), VERMILION, "--"),
    ):
        losses = cross_entropy(given, np.zeros(len(leads), int))
        axes.plot(leads, losses, style, color=colour, linewidth=3)
        ends.append((leads[-1], losses[-1], name, colour))
        words.append(f"{name}, from {losses[0]:.2f} to {losses[-1]:.2f}")
    axes.set(xlabel="lead of the right class", xlim=(0, 10), ylim=(-0.15, 2.5), yticks=[0, 1, 2])
    name_y(axes, "loss of ten classes")
    name_lines(axes, ends)
    return (
        figure,
        f"The loss falls as the right class goes ahead by 0 to 10: with softmax {' and with it '.join(words)}.",
    )
