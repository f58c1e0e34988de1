"""The figure of the chapter on temperature and sampling."""

import numpy as np
from matplotlib.figure import Figure

from softmax_lib.examples import NextWord
from softmax_lib.figures.paper import BLUE, INK2, VERMILION, WIDE, grid, name_y, note, picture, sheet
from softmax_lib.with_numpy import softmax


@picture
def choices_grow_with_temperature(width: float, sure: NextWord, unsure: NextWord) -> tuple[Figure, str]:
    """The effective number of choices, e to the power of the entropy, of two prompts over the temperature."""
    figure = sheet(width, 360 if width == WIDE else 400, "The hotter, the more words are really open")
    axes = figure.subplots()
    grid(axes)
    temperatures = np.geomspace(0.25, 4, 65)
    words = []
    for prompt, colour, style, label_at, aligned in (
        (unsure, BLUE, "-", (0.9, 26), "right"),
        (sure, VERMILION, "--", (2.2, 12), "left"),
    ):
        p = softmax(np.array(prompt.logits) / temperatures[:, None])
        choices = np.exp(-np.sum(p * np.log(np.maximum(p, np.finfo(float).tiny)), axis=1))
        axes.plot(temperatures, choices, style, color=colour, linewidth=3)
        note(axes, *label_at, f"{prompt.text} …", color=colour, ha=aligned)
        at_marks = np.interp([0.25, 1, 4], temperatures, choices)
        words.append(f"{prompt.text}: {', '.join(f'{c:.1f}' for c in at_marks)}")
    most = len(unsure.logits)
    axes.axhline(most, color=INK2, linewidth=1, linestyle=":")
    note(axes, 0.26, most - 1, f"all {most} words alike", color=INK2, va="top")
    axes.set(
        xscale="log", xlabel="temperature", xlim=(0.25, 4), ylim=(0, most + 1), yticks=[1, *range(10, most + 1, 10)]
    )
    axes.set_xticks([0.25, 0.5, 1, 2, 4], ["¼", "½", "1", "2", "4"])
    axes.minorticks_off()
    name_y(axes, "effective choices")
    return figure, f"Effective number of choices at the temperatures ¼, 1 and 4. {'. '.join(words)}."
