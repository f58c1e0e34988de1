"""The figure of the chapter on arrays that do not fit: how the pairs of chunks become one."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.figures.paper import BLUE, COVER, INK2, RULE, WIDE, picture, sheet
from softmax_lib.with_numpy import merge, normalizer


@picture
def pairs_merge_in_a_tree(width: float, row: npt.ArrayLike) -> tuple[Figure, str]:
    """A row in four chunks, the pair of each, and what the pairs merge to, two by two."""
    row = np.asarray(row, float)
    figure = sheet(width, 430, "Each chunk becomes two numbers, and two pairs become one")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, 4), ylim=(0.2, 10.2))
    parts = np.split(row, 4)
    least = min(0, row.min())
    for left, part in enumerate(parts):
        places = left + 0.2 + 0.6 * (np.arange(part.size) + 0.5) / part.size
        colours = [BLUE if z == part.max() else RULE for z in part]
        axes.bar(places, 1.9 * (part - least) / (row.max() - least), 0.5 / part.size, 7.3, color=colours)
        axes.plot([left + 0.15, left + 0.85], [7.3, 7.3], color=INK2, linewidth=1.5)
        for place, z in zip(places, part, strict=True):
            top = 7.4 + 1.9 * (z - least) / (row.max() - least)
            axes.text(place, top, f"{z:.1f}".replace("-", "−"), ha="center", va="bottom", fontsize=13)
    level = [(left + 0.5, normalizer(part)) for left, part in enumerate(parts)]
    said = []
    for y in (5.4, 3.2, 1.0):
        for x, (maximum, total) in level:
            named = f"m = {maximum:.1f}\ns = {total:.3f}".replace("-", "−")
            axes.text(
                x, y, named, ha="center", va="center", fontsize=14 if width == WIDE else 12.5,
                weight="bold" if y == 1 else "normal", bbox=COVER | {"pad": 4},
            )  # fmt: skip
            said.append(named.replace("\n", ", "))
            if y == 5.4:
                axes.plot([x, x], [7.3, y], color=RULE, linewidth=2, zorder=0)
        pairs = list(zip(level[::2], level[1::2], strict=False))
        merged = [((a[0] + b[0]) / 2, merge(a[1], b[1])) for a, b in pairs]
        for (a, b), (x, _) in zip(pairs, merged, strict=True):
            for start in (a[0], b[0]):
                axes.plot([start, x], [y, y - 2.2], color=RULE, linewidth=2, zorder=0)
        level = merged
    return figure, f"A row of {row.size} logits in four chunks. From the top, the pairs are: {'; '.join(said)}."
