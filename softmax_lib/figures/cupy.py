"""The figures of the chapter on the GPU.

The first follow from counts and data sheets; the last show what was measured.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from softmax_lib.figures.paper import (
    BLUE,
    GREEN,
    HIGHLIGHT,
    INK,
    INK2,
    LINE,
    OCHRE,
    ON_HIGHLIGHT,
    PAPER,
    PURPLE,
    RULE,
    VERMILION,
    WASH,
    WIDE,
    grid,
    grouped,
    marks,
    name_lines,
    name_rows,
    name_y,
    note,
    picture,
    power_ticks,
    sheet,
    two_digits,
)

_MOVED = {"facecolor": PAPER, "edgecolor": INK2, "hatch": "////"}  # what travels, or is written


@picture
def calls_return_early(
    width: float, kernels: Sequence[str] = ("max", "x − m", "exp", "sum", "÷")
) -> tuple[Figure, str]:
    """Python hands over kernels to the stream, and is done long before it; not drawn to scale."""
    launch, work = 0.45, 1.6
    figure = sheet(width, 270 if width == WIDE else 340, "The call returns long before the work is done")
    axes = figure.subplots()
    for k, name in enumerate(kernels):
        handed, start = k * launch, launch + k * work
        axes.barh(0, launch - 0.06, left=handed, height=0.4, color=INK)
        axes.barh(1, work - 0.06, left=start, height=0.4, color=WASH, edgecolor=RULE, linewidth=1)
        axes.text(start + work / 2, 1, name, ha="center", va="center")
        axes.plot([handed + launch / 2, start + 0.1], [0.22, 0.78], color=RULE, linewidth=1)
    wrong, right = launch * len(kernels), launch + work * len(kernels)
    for x, text, side, dx in (
        (wrong, "the call returns:\nthe wrong clock stops", "left", 0.12),
        (right, "the right\nclock stops", "right", -0.12),
    ):
        axes.axvline(x, color=INK, linestyle="dashed", linewidth=1.5, zorder=0)
        axes.text(x + dx, -0.38, text, ha=side, va="bottom")
    if width == WIDE:
        name_rows(axes, ["Python\nhands over", "the GPU\nworks"], width, 0.22)
    else:  # Above its row, the second name would hide the first line.
        name_rows(axes, ["Python", ""], width, 0.22)
        axes.text(0, 1.24, "the GPU", va="top")
    axes.tick_params(length=0, labelbottom=False)
    limits = (1.35, -0.95) if width == WIDE else (1.6, -1.15)
    axes.set(xlabel="time (drawn, not measured)", xlim=(0, right + 0.15), ylim=limits)
    alt = (
        f"Two lines of time. On the upper one Python hands over {len(kernels)} kernels, {', '.join(kernels)}, one "
        "short step after another, and the call returns; a clock stopped there is wrong. On the lower one the GPU "
        "works through them in the same order, each for longer than it took to hand over; the right clock stops "
        "when the last is done."
    )
    return figure, alt


@picture
def way_to_the_gpu(width: float, size: float, cpu: float, wire: float, memory: float) -> tuple[Figure, str]:
    """The least time for the softmax of `size` bytes, by where they lie.

    The speeds are in bytes per second.
    """
    gigabytes = f"{size / 1e9:.2g} gigabyte" + "s" * (f"{size / 1e9:.2g}" != "1")
    softmax_there, each_way = 2e3 * size / memory, 1e3 * size / wire
    rows = [
        ("on the CPU", [(2e3 * size / cpu, False, "softmax")]),
        (
            "sent to the GPU\nand back",
            [(each_way, True, "there"), (softmax_there, False, ""), (each_way, True, "back")],
        ),
        ("on the GPU,\nif it lies there", [(softmax_there, False, "")]),
    ]
    title = f"The way there and back takes {2 * each_way / softmax_there:.0f} times as long as the softmax"
    figure = sheet(width, 290 if width == WIDE else 340, title)
    axes = figure.subplots()
    words = []
    for height, (label, parts) in enumerate(rows):
        left = 0.0
        for length, moved, text in parts:
            style = _MOVED if moved else {"color": INK2}
            axes.barh(height, length, left=left, height=0.36, **style)  # type: ignore[arg-type]
            axes.text(left + length / 2, height + 0.22, text, ha="center", va="top", color=INK2)
            left += length
        axes.annotate(two_digits(left), (left, height), (5, 0), textcoords="offset points", va="center", weight="bold")
        words.append(f"{label.replace(chr(10), ' ')} {two_digits(left)}")
    name_rows(axes, [label for label, _ in rows], width, 0.22)
    axes.margins(x=0.12)
    axes.set(ylim=(len(rows) - 0.5, -0.4 if width == WIDE else -0.65))
    axes.set_xlabel(f"least milliseconds for {gigabytes} of logits")
    return figure, f"Bars to scale, the least milliseconds for {gigabytes}: {'; '.join(words)}."


@picture
def crossover_of_the_limits(width: float, call: float, cpu: float, wire: float, memory: float) -> tuple[Figure, str]:
    """The least time for a softmax of more and more elements, on the CPU and on the GPU: a model.

    A call of the GPU takes `call` seconds, and everything else its bytes over the bandwidth.
    """
    elements = np.logspace(3, 9, 121)
    moved = 8 * elements
    lines = [
        ("CPU", moved / cpu, "dashed"),
        ("GPU,\nthere and back", call + moved / wire + moved / memory, "dotted"),
        ("GPU,\nif it lies there", call + moved / memory, "solid"),
    ]
    meet = call / (8 / cpu - 8 / memory)
    figure = sheet(width, 430, "The time of a call decides what is small")
    axes = figure.subplots()
    grid(axes)
    for _, times, line in lines:
        axes.loglog(elements, 1e3 * times, color=INK if line == "solid" else INK2, linestyle=line, linewidth=3)
    axes.plot([meet], [8e3 * meet / cpu], "o", color=HIGHLIGHT, markeredgecolor=INK, markersize=12, zorder=3)
    note(axes, 1.2 * meet, 3e3 * meet / cpu, f"about {grouped(round(meet, -3))}\nelements", va="top")
    power_ticks(axes.xaxis, range(3, 10, 1 if width == WIDE else 2))
    power_ticks(axes.yaxis, range(-3, 4))
    axes.minorticks_off()
    axes.set(xlabel="elements of a float32 matrix", xlim=(1e3, 1e9), ylim=(1e-4, 1e3))
    name_y(axes, "milliseconds, in the model")
    name_lines(axes, [(1e9, 1e3 * times[-1], name, INK) for name, times, _ in lines], 0.13)
    alt = (
        "Three lines on logarithmic axes, a model: the least time of a float32 softmax against the number of elements. "
        f"The CPU's rises from the start. The GPU's is flat, at the time of a call, and crosses it at {meet:.0f} "
        "elements if the data lie on the GPU; if they must be sent there and back, it ends up at "
        f"{two_digits(cpu / wire + cpu / memory)} of the CPU's."
    )
    return figure, alt


@picture
def traffic_of_softmax(width: float, versions: dict[str, Sequence[tuple[str, int, int]]]) -> tuple[Figure, str]:
    """How often each version moves the whole matrix.

    A version is a list of passes: a name, and how often the pass reads and writes the matrix.
    """
    row = 74 if width == WIDE else 92
    figure = sheet(width, row * len(versions) + 120, "One kernel moves the matrix twice, not eight times")
    axes = figure.subplots()
    words, totals = [], []
    for height, (version, passes) in enumerate(versions.items()):
        left = 0
        for name, reads, writes in passes:
            axes.barh(height, reads - 0.08, left=left + 0.04, height=0.34, color=INK2)
            if writes:
                axes.barh(height, writes - 0.08, left=left + reads + 0.04, height=0.34, **_MOVED)  # type: ignore[arg-type]
            axes.text(left + (reads + writes) / 2, height - 0.21, name, ha="center", va="bottom", color=INK2)
            left += reads + writes
        axes.text(left + 0.1, height, f"{left} N", va="center", weight="bold")
        totals.append(left)
        steps = ", ".join(f"{name} reads {reads} and writes {writes}" for name, reads, writes in passes)
        words.append(f"{version.replace(chr(10), ' ')}: {steps}; together {left} N")
    last = len(versions) - 1
    _, reads, writes = list(versions.values())[-1][-1]
    before = totals[-1] - reads - writes
    axes.text(before + reads - 0.08, last + 0.21, "read", ha="right", va="top", color=INK2)
    axes.text(before + reads + 0.08, last + 0.21, "written", ha="left", va="top", color=INK2)
    name_rows(axes, list(versions), width, 0.21 if width == WIDE else 0.42)
    axes.set_ylim(last + 0.6, -0.55 if width == WIDE else -0.75)
    axes.set_xlim(0, max(totals) + 0.8)
    axes.set_xlabel("trips of the whole matrix, N numbers each")
    return figure, f"Bars of the traffic with memory, to scale. {'. '.join(words)}."


@picture
def sectors_of_a_warp(width: float, strides: Sequence[int] = (1, 2, 8)) -> tuple[Figure, str]:
    """The sectors of 32 bytes that move when a warp's 32 threads read floats this far apart."""
    counts = [np.unique(np.arange(32) * stride // 8).size for stride in strides]
    across = 4  # sectors side by side
    lines = [-(-count // across) for count in counts]
    square = (width - 10) / (across * 8.6)
    figure = sheet(
        width, 110 + 46 * len(strides) + square * sum(lines), "Neighbouring threads should read neighbouring numbers"
    )
    panels = figure.subplots(len(strides), 1, height_ratios=lines)
    words = []
    for axes, stride, count in zip(panels, strides, counts, strict=True):
        wanted = set(np.arange(32) * stride)
        for asked, colour in ((True, INK), (False, RULE)):
            squares = []
            for number in range(8 * count):
                sector, place = divmod(number, 8)
                x, y = 8.6 * (sector % across) + place, sector // across
                if (number in wanted) == asked:
                    squares.append(Path.unit_rectangle().transformed(_at(x, y)))
            if squares:
                axes.add_patch(PathPatch(Path.make_compound_path(*squares), color=colour, linewidth=0))
        used = 32 / (8 * count)
        apart = "neighbours" if stride == 1 else f"{stride} numbers apart"
        axes.set_title(f"{apart}: {count} sectors, {100 * used:g}\u2009% used", weight="normal", fontsize="medium")
        axes.set(xlim=(0, 8.6 * across - 0.6), ylim=(-(-count // across), 0))
        axes.axis("off")
        words.append(f"{apart}, {count} sectors of which {100 * used:g} % is used")
    marks(figure, [("asked for", INK, "s"), ("moved for nothing", RULE, "s")], 2)
    alt = (
        "Memory as squares, one for each number, eight to a sector: what moves when each of 32 threads reads a float. "
        f"{'; '.join(words)}."
    )
    return figure, alt


def _at(x: float, y: float) -> Affine2D:
    """Makes a square of side 1 one that leaves a gap to the squares beside it."""
    return Affine2D().scale(0.86).translate(x, y + 0.07)


@picture
def row_in_registers(width: float, columns: int = 64, threads: int = 8) -> tuple[Figure, str]:
    """Which thread takes which logits of a row, four at a time, and what it then holds."""
    loads = columns // (4 * threads)
    figure = sheet(width, 400 if width == WIDE else 440, f"{threads} threads read a row of {columns} once, and keep it")
    axes = figure.subplots()
    heights = {"logits in memory": 0.0, "thread, and its registers": 2.6, "results in memory": 5.2}
    for label, top in heights.items():
        axes.text(0, top, label, va="bottom", color=INK2)
        for load in range(loads):
            for thread in range(threads):
                first = 4 * (load * threads + thread)
                _piece(axes, thread, top + 0.15 + 0.5 * load, f"{first}–{first + 3}", 14 if width == WIDE else 12)
    for thread in range(threads):
        x = thread + 0.45
        axes.text(x, 3.75, f"{thread}", ha="center", va="top", weight="bold")
        for start, end in ((1.25, 2.15), (4.15, 4.8)):
            axes.annotate("", (x, end), (x, start), arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.5})
    axes.set(xlim=(-0.05, threads), ylim=(6.4, -0.5))
    axes.axis("off")
    alt = (
        f"Diagram: the {columns} logits of a row in memory, in groups of four. Of the first {4 * threads}, thread 0 "
        f"takes 0 to 3, thread 1 takes 4 to 7, and so on to thread {threads - 1}; the next {4 * threads} are dealt out "
        f"the same way. Each thread keeps its {columns // threads} numbers in registers, and writes their results to "
        "the same places of the result."
    )
    return figure, alt


def _piece(axes: Axes, thread: int, y: float, text: str, size: float) -> None:
    """Four numbers of a row; neighbouring threads differ in shade."""
    axes.add_patch(Rectangle((thread, y), 0.92, 0.42, facecolor=LINE if thread % 2 else WASH, linewidth=0))
    axes.text(thread + 0.46, y + 0.22, text, ha="center", va="center", fontsize=size)


@picture
def butterfly(width: float, values: Sequence[int]) -> tuple[Figure, str]:
    """How lanes find their common maximum by exchanging with a partner, ever farther off."""
    lanes = np.arange(len(values))
    stages, offsets = [np.asarray(values)], list[int]()
    while 2 ** len(offsets) < len(values):
        offsets.append(2 ** len(offsets))
        stages.append(np.maximum(stages[-1], stages[-1][lanes ^ offsets[-1]]))
    title = f"After {len(offsets)} exchanges all {len(values)} lanes hold the maximum"
    figure = sheet(width, 90 + 44 * len(values), title)
    axes = figure.subplots()
    for stage, offset in enumerate(offsets):
        for lane in lanes:
            axes.plot([stage, stage + 1], [lane, lane], color=RULE, linewidth=1)
            axes.plot([stage, stage + 1], [lane ^ offset, lane], color=INK2, linewidth=2)
        axes.text(stage + 0.5, -0.85, f"lane ^ {offset}", ha="center", va="center", color=INK2)
    largest = max(values)
    for stage, held in enumerate(stages):
        for lane in lanes:
            known = held[lane] == largest
            axes.plot(
                [stage], [lane], "o", markersize=28, zorder=3, markeredgewidth=2 if known else 1,
                markerfacecolor=HIGHLIGHT if known else PAPER, markeredgecolor=INK,
            )  # fmt: skip
            colour, weight = (ON_HIGHLIGHT, "bold") if known else (INK, "normal")
            axes.text(
                stage, float(lane), str(held[lane]), ha="center", va="center", color=colour, weight=weight, zorder=4
            )
    axes.set_yticks(lanes, [f"lane {lane}" for lane in lanes])
    axes.tick_params(length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.set(xlim=(-0.2, len(offsets) + 0.2), ylim=(len(values) - 0.5, -1.1))
    alt = f"Diagram of {len(values)} lanes with the values {', '.join(map(str, values))}. " + " ".join(
        f"After the exchange with the lane {offset} away: {', '.join(map(str, held))}."
        for offset, held in zip(offsets, stages[1:], strict=True)
    )
    return figure, alt


# --- what benchmarks/gpu.py found ------------------------------------------------------------------------------------

# What each contestant is called, and how it is drawn: colour, marker, line. Hollow markers stand around what they meet.
CONTESTANTS: dict[str, tuple[str, str, str | MarkerStyle, Any]] = {
    "with_cupy": ("softmax_lib, CuPy", PURPLE, "D", "solid"),
    "torch": ("PyTorch", VERMILION, "s", "dashed"),
    "torch_compile": ("PyTorch, compiled", OCHRE, MarkerStyle("v", "none"), "dashdot"),
    "triton": ("Triton", INK, "P", (0, (6, 2, 1, 2, 1, 2))),
    "cupyx": ("cupyx", GREEN, MarkerStyle("s", "none"), "dotted"),
    "cupy_lines": ("CuPy, three lines", BLUE, "o", (0, (1, 3))),
}
# What each way to compute a softmax is called, and how it is drawn: colour, marker, line.
WAYS = {
    "with_numpy": ("NumPy", BLUE, "o", "dotted"),
    "with_numba": ("Numba", GREEN, "s", "dashed"),
    "with_cupy": ("CuPy, data on the GPU", PURPLE, "D", "solid"),
    "with_cupy_and_transfers": ("CuPy, there and back", OCHRE, "v", "dashdot"),
}


@picture
def softmax_on_a_gpu(width: float, cases: Sequence[dict[str, Any]]) -> tuple[Figure, str]:
    """The speed of softmax along many rows as a share of the copy's, by the length of the rows.

    The cases are those of `measurements.read("gpu")`.
    """
    shares: dict[str, dict[str, dict[int, float]]] = {}  # by type, contestant and columns
    for case in cases:
        if (case["operation"], case["axis"]) == ("softmax", -1) and case["shape"][0] > 1:
            of_type = shares.setdefault(case["dtype"], {name: {} for name in CONTESTANTS})
            for name, found in of_type.items():
                ratio = case["results"].get(name, {}).get("ratio_to_copy", {"median": math.nan})
                found[case["shape"][1]] = ratio["median"]
    shares = {dtype: found for dtype, found in shares.items() if len(found["with_cupy"]) > 1}
    lengths = sorted({n for found in shares.values() for n in found["with_cupy"]})
    ours = [share for share in next(iter(shares.values()))["with_cupy"].values() if not math.isnan(share)]
    reached = f"{100 * min(ours):.0f}\u2009% to {100 * max(ours):.0f}\u2009% on {next(iter(shares))} rows"
    figure = sheet(width, 190 * len(shares) + 160, f"Of a copy's speed, the library reaches {reached}")
    panels = figure.subplots(len(shares), 1, sharex=True, squeeze=False)[:, 0]
    words: list[str] = []
    for axes, (dtype, of_type) in zip(panels, shares.items(), strict=True):
        told = []
        for name, by_length in of_type.items():
            points = sorted((n, share) for n, share in by_length.items() if not math.isnan(share))
            if not points:
                continue
            label, colour, marker, line = CONTESTANTS[name]
            style = {"color": colour, "marker": marker, "linestyle": line, "label": label}
            if isinstance(marker, MarkerStyle):
                style |= {"markersize": 12, "markeredgewidth": 2, "zorder": 4}
            elif name == "with_cupy":  # It stays to be seen behind what meets it.
                style |= {"linewidth": 4.5, "markersize": 9}
            axes.semilogx(*zip(*points, strict=True), **({"linewidth": 2} | style))
            (worst, at_worst), (best, at_best) = (choose((share, n) for n, share in points) for choose in (min, max))
            if len(points) == 1:
                told.append(f"{label} {two_digits(best)} at {at_best}")
                continue
            told.append(f"{label} from {two_digits(worst)} at {at_worst} to {two_digits(best)} at {at_best}")
            if missing := sorted(by_length.keys() - dict(points).keys()):
                told[-1] += f", no result at {', '.join(map(str, missing))}"
        axes.axhline(1, color=RULE, linestyle="dashed", linewidth=1.5, zorder=0)
        axes.set_title(dtype if words else f"{dtype}: share of the copy's speed")
        axes.set_ylim(0, max(1.08, axes.get_ylim()[1]))
        axes.set_yticks([0, 0.5, 1], ["0", "50", "100\u2009%"])
        grid(axes)
        words.append(f"{dtype}: {'; '.join(told)}.")
    ticks = lengths[:1]
    for n in lengths:
        ticks += [n] if n >= 8 * ticks[-1] else []
    panels[-1].set_xticks(ticks, [grouped(n) for n in ticks])
    panels[-1].minorticks_off()
    panels[-1].set_xlabel("columns, the length of a row (logarithmic)")
    shown = {line.get_label() for axes in panels for line in axes.get_lines()}
    named = [(label, colour, marker) for label, colour, marker, _ in CONTESTANTS.values() if label in shown]
    marks(figure, named, 3 if width == WIDE else 2)
    alt = "Lines: the speed of softmax as a share of a copy's, against the columns of the matrix. " + " ".join(words)
    return figure, alt


@picture
def crossover_measured(width: float, crossover: dict[str, Any]) -> tuple[Figure, str]:
    """The time for a softmax of more and more rows, on the CPU, on the GPU, and there and back."""
    rows, columns = crossover["rows"], crossover["columns"]
    wins = []
    for name, over in crossover["wins_from"].items():
        for host, first in over.items():
            ahead = "never ahead" if first is None else "always ahead" if first == rows[0] else f"ahead from {first} on"
            wins.append(f"{WAYS[name][0]} is {ahead} of {WAYS[host][0]}")
    needed = list(crossover["wins_from"].get("with_cupy", {}).values())
    if not needed or None in needed:
        title = "Even with the data on it, the GPU is not ahead"
    elif max(needed) == rows[0]:
        title = "With the data on it, the GPU is always ahead"
    else:
        title = f"With the data on it, the GPU is ahead from {grouped(max(needed))} rows on"
    figure = sheet(width, 460, title)
    axes = figure.subplots()
    words = []
    for name, (label, colour, marker, line) in WAYS.items():
        if name in crossover["seconds"]:
            microseconds = [1e6 * seconds for seconds in crossover["seconds"][name]]
            axes.loglog(rows, microseconds, color=colour, marker=marker, linestyle=line, linewidth=2.5, label=label)
            words.append(f"{label} {two_digits(microseconds[0])} to {two_digits(microseconds[-1])}")
    grid(axes)
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        exponents = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        power_ticks(axis, exponents if width == WIDE or axis is axes.yaxis else exponents[::2])
    axes.minorticks_off()
    if needed and None not in needed and max(needed) > rows[0]:
        axes.axvline(max(needed), color=RULE, linewidth=1.5, zorder=0)
        side, x = ("left", 1.2) if max(needed) ** 2 < rows[0] * rows[-1] else ("right", 1 / 1.2)
        words_there = f"ahead from {grouped(max(needed))}"
        note(axes, x * max(needed), axes.get_ylim()[1], words_there, ha=side, va="top", color=INK2)
    axes.set(xlabel=f"rows of {columns} float32 (logarithmic)")
    name_y(axes, "microseconds (logarithmic)")
    named = [
        (label, colour, marker) for name, (label, colour, marker, _) in WAYS.items() if name in crossover["seconds"]
    ]
    marks(figure, named, 2)
    alt = (
        f"Lines on logarithmic axes: the microseconds that a softmax of rows of {columns} float32 takes, from "
        f"{rows[0]} to {rows[-1]} rows. {'; '.join(words)}. {'; '.join(wins)}."
    )
    return figure, alt
