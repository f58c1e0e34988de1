"""The figures of the chapter on the formula."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.figures.paper import (
    CLASS_FILLS,
    INK,
    INK2,
    WASH,
    WIDE,
    class_bars,
    grid,
    name_y,
    note,
    number,
    picture,
    share,
    sheet,
)
from softmax_lib.with_numpy import softmax


@picture
def plain_division_fails(width: float, logits: npt.ArrayLike) -> tuple[Figure, str]:
    """The shares that plain division gives, beside those of the exponentials."""
    logits = np.asarray(logits)
    labels = [number(z, "g") for z in logits]
    divided, p = logits / logits.sum(), softmax(logits)
    figure = sheet(width, 340, "Plain division gives shares below 0 and above 100\u2009%, softmax never does")
    left, right = figure.subplots(1, 2, sharey=True)
    class_bars(left, labels, divided, [number(100 * s, ".0f") + "\u2009%" for s in divided])
    class_bars(right, labels, p, [share(s) for s in p])
    low, high = min(0, divided.min()), max(1, divided.max())
    low, high = low - 0.2 * (high - low), high + 0.2 * (high - low)
    for axes, title in ((left, "z / Σz"), (right, "eᶻ / Σeᶻ")):
        grid(axes)
        axes.grid(visible=False)  # A line at 100 % would strike a number through; the grounds end there anyway.
        axes.axhspan(1, high, color=WASH, linewidth=0, zorder=0)
        axes.axhspan(low, 0, color=WASH, linewidth=0, zorder=0)
        axes.set(title=title, xlabel="logit z", ylim=(low, high))
        axes.set_yticks([0, 1], ["0", "100\u2009%"])
    never = "no share is over 100\u2009%" if width == WIDE else "never over 100\u2009%"
    right.text(0.5, 0.98, never, transform=right.transAxes, ha="center", va="top", color=INK2)
    alt = (
        f"Two bar charts for the logits {', '.join(labels)}. Plain division gives shares "
        f"{', '.join(f'{s:.2f}' for s in divided)}, below zero and above one; "
        f"softmax gives {', '.join(f'{s:.2f}' for s in p)}."
    )
    return figure, alt


@picture
def two_classes_are_the_sigmoid(width: float) -> tuple[Figure, str]:
    """The probability of the first of two classes, over the difference of their logits."""
    difference = np.linspace(-6, 6, 121)
    first = softmax(np.stack([difference, np.zeros_like(difference)]), axis=0)[0]
    figure = sheet(width, 340, "With two classes only the difference counts: the sigmoid")
    axes = figure.subplots()
    grid(axes, "y")
    axes.axhline(0, color=INK, linewidth=1.5)
    axes.axhline(1, color=INK, linewidth=1.5)
    axes.plot(difference, first, color=CLASS_FILLS[0], linewidth=4)
    axes.plot([0], [0.5], "o", color=INK, markersize=9)
    note(axes, 0.4, 0.5, "equal logits: 50\u2009%", va="center")
    axes.set_xticks(range(-6, 7, 2), [number(x, "d") for x in range(-6, 7, 2)])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100\u2009%"])
    axes.set(xlabel="difference of the logits, z₁ − z₂", xlim=(-6, 6))
    name_y(axes, "share of class 1")
    alt = (
        "Curve of the first class's probability against the difference of the two logits, from -6 to 6: "
        f"an S from {first[0]:.4f} through one half at zero to {first[-1]:.4f}."
    )
    return figure, alt
