"""The figure of the chapter on attention."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from softmax_lib.figures.paper import BLUE, VERMILION, WIDE, grid, name_y, note, picture, share, sheet


@picture
def undivided_scores_saturate(
    width: float, dimensions: Sequence[int], undivided: Sequence[float], divided: Sequence[float]
) -> tuple[Figure, str]:
    """The mean of the largest weight of a query, over the length of queries and keys, with and without ÷ √d."""
    figure = sheet(width, 340 if width == WIDE else 380, "Undivided, the largest weight takes nearly all")
    axes = figure.subplots()
    grid(axes)
    for weights, colour, style, name, above in (
        (undivided, VERMILION, "--", "undivided", -12),
        (divided, BLUE, "-", "divided by √d", 4),
    ):
        axes.plot(dimensions, [100 * weight for weight in weights], style, color=colour, linewidth=3)
        note(axes, dimensions[-1], 100 * weights[-1] + above, name, color=colour, ha="right", weight="bold")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="d, how many numbers a query has", ylim=(0, 110), yticks=range(0, 101, 25))
    shown = dimensions[:: 1 if width == WIDE else 2]
    axes.set_xticks(shown, map(str, shown))
    axes.minorticks_off()
    name_y(axes, "mean of the largest weight, %")
    ends = [f"{share(weights[0])} at d = {dimensions[0]}, {share(weights[-1])} at d = {dimensions[-1]}"
            for weights in (undivided, divided)]  # fmt: skip
    return figure, f"Mean of the largest weight. Undivided: {ends[0]}. Divided by √d: {ends[1]}."
