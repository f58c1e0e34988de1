"""The figure of the chapter on calibration."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.figures.paper import BLUE, HIGHLIGHT, INK, INK2, PAPER, WIDE, grid, note, picture, sheet


@picture
def reliability(width: float, networks: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]) -> tuple[Figure, str]:
    """For each network, (confidences, whether right): the share of right answers over the confidence, in ten bins."""
    figure = sheet(width, 440 if width == WIDE else 790, "One network says too little, the other too much")
    panels = figure.subplots(*((1, len(networks)) if width == WIDE else (len(networks), 1)))
    words = []
    for axes, (name, (confidences, right)) in zip(panels, networks.items(), strict=True):
        confidences, right = np.asarray(confidences), np.asarray(right)
        grid(axes)
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1.5)
        bins = np.minimum((10 * confidences).astype(int), 9)
        dots = []
        for b in np.unique(bins):
            said, true, n = confidences[bins == b].mean(), right[bins == b].mean(), int((bins == b).sum())
            few = n < 5
            for colour, thick in ((INK, 5), (HIGHLIGHT, 3)) if not few else ((INK2, 1.5),):
                axes.plot([said, said], [said, true], color=colour, linewidth=thick, solid_capstyle="butt")
            axes.scatter(
                said, true, s=30 + 2.2 * n, color=PAPER if few else BLUE, edgecolor=BLUE, zorder=3, clip_on=False
            )
            dots.append(f"{said:.2f} said, {true:.2f} right, {n} pictures")
        axes.set(title=name, xlabel="probability that it said", xlim=(-0.02, 1.04), ylim=(-0.04, 1.06))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([0, 0.5, 1], ["0", "50", "100\u2009%"])
        note(axes, 0.02, 0.97, "share that\nwas right", color=INK2, va="top")
        words.append(f"{name}: {'; '.join(dots)}")
    legend = "The larger a dot, the more pictures;\na hollow dot: fewer than five"
    figure.supxlabel(
        legend.replace("\n", " ") if width == WIDE else legend, x=0.004, ha="left", fontsize="medium", color=INK2
    )
    return figure, f"Reliability diagrams, dots of what was right over what was said, in bins. {'. '.join(words)}."
