"""The figures of the chapter on the GPU.

The first follow from counts and data sheets; the last show what was measured.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from softmax_lib.figures.paper import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    VERMILION,
    heading,
    picture,
    power_of_ten,
    two_digits,
)


@picture
def calls_return_early(kernels: Sequence[str] = ("max", "x − m", "exp", "sum", "÷")) -> tuple[Figure, str]:
    """Python hands over kernels to the stream, and is done long before it; not drawn to scale."""
    launch, work = 0.45, 1.6
    figure = Figure(figsize=(6, 2.7), layout="constrained")
    axes = figure.subplots()
    for k, name in enumerate(kernels):
        handed = k * launch
        axes.barh(1, launch - 0.06, left=handed, height=0.5, color=ORANGE)
        start = launch + k * work
        axes.barh(0, work - 0.06, left=start, height=0.5, color=SKY)
        axes.text(start + work / 2, 0, name, ha="center", va="center", color="#000000")
        axes.plot([handed + launch / 2, start + 0.1], [0.73, 0.27], color=INK, alpha=0.4, linewidth=0.8)
    wrong, right = launch * len(kernels), launch + work * len(kernels)
    for x, text, side in (
        (wrong, "the call returns:\nthe wrong clock stops", "left"),
        (right, "the right one\nstops", "right"),
    ):
        axes.axvline(x, color=VERMILION if x == wrong else GREEN, linestyle="dashed", linewidth=1.8)
        axes.text(x + (0.12 if side == "left" else -0.12), 1.42, text, ha=side, va="center")
    axes.set_yticks([1, 0], ["Python\nhands over", "the GPU\nworks"])
    axes.tick_params(length=0, labelbottom=False)
    axes.spines["left"].set_visible(False)
    axes.set(
        title="The call returns long before the work is done",
        xlabel="time (drawn, not measured)",
        xlim=(0, right + 0.15),
        ylim=(-0.4, 1.75),
    )
    alt = (
        f"Two lines of time. On the upper one Python hands over {len(kernels)} kernels, {', '.join(kernels)}, one "
        "short step after another, and the call returns; a clock stopped there is wrong. On the lower one the GPU "
        "works through them in the same order, each for longer than it took to hand over; the right clock stops "
        "when the last is done."
    )
    return figure, alt


@picture
def way_to_the_gpu(size: float, cpu: float, wire: float, memory: float) -> tuple[Figure, str]:
    """The least time for the softmax of `size` bytes, by where they lie.

    The speeds are in bytes per second.
    """
    softmax_there, each_way = 2e3 * size / memory, 1e3 * size / wire
    rows = [
        ("on the CPU", [(2e3 * size / cpu, SKY, "")]),
        ("sent to the GPU\nand back", [(each_way, ORANGE, "in"), (softmax_there, BLUE, ""), (each_way, ORANGE, "out")]),
        ("on the GPU,\nif it lies there", [(softmax_there, BLUE, "")]),
    ]
    figure = Figure(figsize=(6, 2.9), layout="constrained")
    axes = figure.subplots()
    words = []
    for height, (label, parts) in enumerate(rows):
        left = 0.0
        for width, colour, text in parts:
            axes.barh(height, width, left=left, height=0.55, color=colour)
            axes.text(left + width / 2, height, text, ha="center", va="center", color="#000000")
            left += width
        axes.text(left, height, f" {two_digits(left)}", va="center")
        words.append(f"{label.replace(chr(10), ' ')} {two_digits(left)}")
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.12)
    axes.barh(0, 0, color=ORANGE, label="over PCIe")
    axes.barh(0, 0, color=SKY, label="CPU's memory")
    axes.barh(0, 0, color=BLUE, label="GPU's memory")
    axes.set(
        title=f"The way there and back takes {2 * each_way / softmax_there:.0f} times\nas long as the softmax",
        xlabel=f"least milliseconds for {size / 1e9:.1f} gigabytes of logits",
    )
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure, f"Bars to scale, the least milliseconds for {size / 1e9:.1f} gigabytes: {'; '.join(words)}."


@picture
def crossover_of_the_limits(call: float, cpu: float, wire: float, memory: float) -> tuple[Figure, str]:
    """The least time for a softmax of more and more elements, on the CPU and on the GPU: a model.

    A call of the GPU takes `call` seconds, and everything else its bytes over the bandwidth.
    """
    elements = np.logspace(3, 9, 121)
    moved = 8 * elements
    lines = [
        ("CPU", moved / cpu, ORANGE, "dashed"),
        ("GPU, sent there and back", call + moved / wire + moved / memory, PURPLE, "dotted"),
        ("GPU, if it lies there", call + moved / memory, BLUE, "solid"),
    ]
    meet = call / (8 / cpu - 8 / memory)
    figure = Figure(figsize=(5.8, 3.7), layout="constrained")
    axes = figure.subplots()
    for label, times, colour, line in lines:
        axes.loglog(elements, 1e3 * times, color=colour, linestyle=line, linewidth=2.5, label=label)
    axes.plot([meet], [8e3 * meet / cpu], "o", color=VERMILION, markersize=8)
    axes.annotate(f"about {round(meet, -3):.0f} elements", (meet, 8e3 * meet / cpu), (1.6 * meet, 2.2e3 * meet / cpu))
    axes.grid(alpha=0.25)
    axes.set_xticks([10.0**k for k in range(3, 10)], [power_of_ten(k) for k in range(3, 10)])
    axes.set_yticks([10.0**k for k in range(-3, 4)], [power_of_ten(k) for k in range(-3, 4)])
    axes.minorticks_off()
    axes.set(
        title="The price of a call decides what is small",
        xlabel="elements of a float32 matrix",
        ylabel="milliseconds, in the model",
        xlim=(1e3, 1e9),
        ylim=(1e-4, 1e3),
    )
    axes.legend(loc="upper left", frameon=False)
    alt = (
        "Three lines on logarithmic axes, a model: the least time of a float32 softmax against the number of elements. "
        f"The CPU's rises from the start. The GPU's is flat, at the price of a call, and crosses it at {meet:.0f} "
        "elements if the data lie on the GPU; if they must be sent there and back, it ends up at "
        f"{two_digits(cpu / wire + cpu / memory)} of the CPU's."
    )
    return figure, alt


@picture
def traffic_of_softmax(versions: dict[str, Sequence[tuple[str, int, int]]]) -> tuple[Figure, str]:
    """How often each version moves the whole matrix.

    A version is a list of passes: a name, and how often the pass reads and writes the matrix.
    """
    figure = Figure(figsize=(6, 0.85 * len(versions) + 1.5), layout="constrained")
    axes = figure.subplots()
    words, totals = [], []
    for height, (version, passes) in enumerate(versions.items()):
        left = 0
        for name, reads, writes in passes:
            axes.barh(height, reads, left=left, height=0.5, color=BLUE, edgecolor=PAPER, linewidth=1.5)
            axes.barh(
                height, writes, left=left + reads, height=0.5, color=ORANGE, edgecolor=PAPER, linewidth=1.5, hatch="//"
            )
            axes.text(left + (reads + writes) / 2, height - 0.3, name, ha="center", va="bottom", fontsize=10)
            left += reads + writes
        axes.text(left + 0.1, height, f"{left} N", va="center", weight="bold")
        totals.append(left)
        steps = ", ".join(f"{name} reads {reads} and writes {writes}" for name, reads, writes in passes)
        words.append(f"{version.replace(chr(10), ' ')}: {steps}; together {left} N")
    axes.barh(0, 0, color=BLUE, label="read")
    axes.barh(0, 0, color=ORANGE, edgecolor=PAPER, hatch="//", label="written")
    axes.set_yticks(range(len(versions)), list(versions))
    axes.set_ylim(len(versions) - 0.5, -0.75)
    axes.set_xlim(0, max(totals) + 0.8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("trips of the whole matrix, N numbers each")
    heading(figure, "One kernel moves the matrix twice, not eight times")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure, f"Bars of the traffic with memory, to scale. {'. '.join(words)}."


@picture
def sectors_of_a_warp(strides: Sequence[int] = (1, 2, 8)) -> tuple[Figure, str]:
    """The sectors of 32 bytes that move when a warp's 32 threads read floats this far apart."""
    figure = Figure(figsize=(6, 4.4))
    figure.set_layout_engine("constrained", h_pad=0.1)
    counts = [np.unique(np.arange(32) * stride // 8).size for stride in strides]
    panels = figure.subplots(len(strides), 1, height_ratios=[count / 4 + 1 for count in counts])
    words = []
    for axes, stride, count in zip(panels, strides, counts, strict=True):
        wanted = set(np.arange(32) * stride)
        for number in range(8 * count):
            row, column = divmod(number, 32)
            x = column + 0.6 * (column // 8)  # a gap after each sector
            colour, alpha = (BLUE, 1.0) if number in wanted else (ORANGE, 0.45)
            axes.add_patch(Rectangle((x, row), 0.86, 0.8, color=colour, alpha=alpha, linewidth=0))
        share = 32 / (8 * count)
        apart = "neighbours" if stride == 1 else f"{stride} numbers apart"
        axes.set_title(f"{apart}: {count} sectors, {100 * share:g} % of them used", weight="normal", fontsize=11)
        axes.set(xlim=(-0.2, 34), ylim=(count / 4, -0.1))
        axes.axis("off")
        words.append(f"{apart}, {count} sectors of which {100 * share:g} % is used")
    handles = [Patch(color=BLUE, label="asked for"), Patch(color=ORANGE, alpha=0.45, label="moved for nothing")]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    heading(figure, "Neighbouring threads should read neighbouring numbers")
    alt = (
        "Memory as squares, one for each number, eight to a sector: what moves when each of 32 threads reads a float. "
        f"{'; '.join(words)}."
    )
    return figure, alt


@picture
def row_in_registers(columns: int = 64, threads: int = 8) -> tuple[Figure, str]:
    """Which thread takes which logits of a row, four at a time, and what it then holds."""
    loads = columns // (4 * threads)
    colours = [SKY, ORANGE, GREEN, PURPLE] * (threads // 4)
    figure = Figure(figsize=(6, 3.7), layout="constrained")
    axes = figure.subplots()
    width = 16.0 / threads  # of the place that a thread takes

    def piece(x: float, y: float, thread: int, text: str) -> None:
        box = Rectangle((x, y), width * 0.9, 0.42, facecolor=colours[thread], edgecolor=PAPER)
        axes.add_patch(box)
        axes.text(x + width * 0.45, y + 0.21, text, ha="center", va="center", color="#000000", fontsize=10.5)

    for load in range(loads):
        for thread in range(threads):
            first = 4 * (load * threads + thread)
            for y in (4.2 - 0.5 * load, 0.7 - 0.5 * load):
                piece(thread * width, y, thread, f"{first}–{first + 3}")
            piece(thread * width, 2.65 - 0.5 * load, thread, f"{first}–{first + 3}")
    for thread in range(threads):
        x = (thread + 0.45) * width
        axes.text(x, 1.87, f"{thread}", ha="center", va="center", fontsize=10)
        for top, bottom in ((3.62, 3.15), (1.68, 1.2)):
            axes.annotate("", (x, bottom), (x, top), arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1})
    for y, label in ((4.2, "logits in\nmemory"), (2.65, "registers"), (1.87, "of thread"), (0.7, "results in\nmemory")):
        axes.text(-0.3, y if label == "of thread" else y - 0.02, label, ha="right", va="center")
    axes.set(title=f"{threads} threads read a row of {columns} once, and keep it", xlim=(-3.2, 16), ylim=(0.1, 4.75))
    axes.axis("off")
    alt = (
        f"Diagram: the {columns} logits of a row in memory, in groups of four. Of the first {4 * threads}, thread 0 "
        f"takes 0 to 3, thread 1 takes 4 to 7, and so on to thread {threads - 1}; the next {4 * threads} are dealt out "
        f"the same way. Each thread keeps its {columns // threads} numbers in registers, and writes their results to "
        "the same places."
    )
    return figure, alt


@picture
def butterfly(values: Sequence[int]) -> tuple[Figure, str]:
    """How lanes find their common maximum by exchanging with a partner, ever farther off."""
    lanes = np.arange(len(values))
    stages, offsets = [np.asarray(values)], list[int]()
    while 2 ** len(offsets) < len(values):
        offsets.append(2 ** len(offsets))
        stages.append(np.maximum(stages[-1], stages[-1][lanes ^ offsets[-1]]))
    figure = Figure(figsize=(6, 3.9), layout="constrained")
    axes = figure.subplots()
    for stage, offset in enumerate(offsets):
        for lane in lanes:
            axes.plot([stage, stage + 1], [lane, lane], color=INK, alpha=0.35, linewidth=1)
            axes.plot([stage, stage + 1], [lane ^ offset, lane], color=BLUE, linewidth=1.5)
        axes.text(stage + 0.5, -0.75, f"lane ^ {offset}", ha="center", va="center", family="monospace")
    largest = max(values)
    for stage, held in enumerate(stages):
        for lane in lanes:
            known = held[lane] == largest
            axes.plot(
                [stage], [lane], "o", markersize=19, zorder=3,
                markerfacecolor=GREEN if known else PAPER, markeredgecolor=INK, markeredgewidth=2 if known else 1,
            )  # fmt: skip
            colour = "#000000" if known else INK
            axes.text(stage, float(lane), str(held[lane]), ha="center", va="center", color=colour, zorder=4)
    axes.set_yticks(lanes, [f"lane {lane}" for lane in lanes])
    axes.tick_params(length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.set_title(f"After {len(offsets)} exchanges all {len(values)} lanes hold the maximum", pad=10)
    axes.set(xlim=(-0.25, len(offsets) + 0.25), ylim=(len(values) - 0.5, -1.05))
    alt = f"Diagram of {len(values)} lanes with the values {', '.join(map(str, values))}. " + " ".join(
        f"After the exchange with the lane {offset} away: {', '.join(map(str, held))}."
        for offset, held in zip(offsets, stages[1:], strict=True)
    )
    return figure, alt


# --- what benchmarks/gpu.py found ------------------------------------------------------------------------------------

# What each contestant is called, and how it is drawn: colour, marker, line.
CONTESTANTS = {
    "with_cupy": ("softmax_lib, CuPy", PURPLE, "D", "solid"),
    "torch": ("PyTorch", VERMILION, "s", "dashed"),
    "torch_compile": ("PyTorch, compiled", ORANGE, "v", "dashdot"),
    "triton": ("Triton", SKY, "P", (0, (6, 2, 1, 2, 1, 2))),
    "cupyx": ("cupyx", GREEN, "^", "dotted"),
    "cupy_lines": ("CuPy, three lines", BLUE, "o", (0, (1, 3))),
}
# What each way to compute a softmax is called, and how it is drawn: colour, marker, line.
WAYS = {
    "with_numpy": ("NumPy", BLUE, "o", "dotted"),
    "with_numba": ("Numba", GREEN, "s", "dashed"),
    "with_cupy": ("CuPy, data on the GPU", PURPLE, "D", "solid"),
    "with_cupy_and_transfers": ("CuPy, there and back", ORANGE, "v", "dashdot"),
}


@picture
def softmax_on_a_gpu(cases: Sequence[dict[str, Any]]) -> tuple[Figure, str]:
    """The speed of softmax along rows as a share of the copy's, by the length of the rows.

    The cases are those of `benchmarks/results/gpu.json`.
    """
    shares: dict[str, dict[str, dict[int, float]]] = {}  # by type, contestant and columns
    for case in cases:
        if (case["operation"], case["axis"]) == ("softmax", -1):
            of_type = shares.setdefault(case["dtype"], {name: {} for name in CONTESTANTS})
            for name, found in of_type.items():
                ratio = case["results"].get(name, {}).get("ratio_to_copy", {"median": math.nan})
                found[case["shape"][1]] = ratio["median"]
    shares = {dtype: found for dtype, found in shares.items() if len(found["with_cupy"]) > 1}
    lengths = sorted({n for found in shares.values() for n in found["with_cupy"]})
    figure = Figure(figsize=(6, 1.9 * len(shares) + 1.5), layout="constrained")
    panels = figure.subplots(len(shares), 1, sharex=True, squeeze=False)[:, 0]
    words = []
    for axes, (dtype, of_type) in zip(panels, shares.items(), strict=True):
        told = []
        for name, by_length in of_type.items():
            points = sorted((n, share) for n, share in by_length.items() if not math.isnan(share))
            if not points:
                continue
            label, colour, marker, line = CONTESTANTS[name]
            style = {"color": colour, "marker": marker, "linestyle": line, "label": label}
            axes.semilogx(*zip(*points, strict=True), **style, linewidth=1.8, zorder=3 if name == "with_cupy" else 2)
            (worst, at_worst), (best, at_best) = (choose((share, n) for n, share in points) for choose in (min, max))
            told.append(f"{label} from {two_digits(worst)} at {at_worst} to {two_digits(best)} at {at_best}")
            if missing := sorted(by_length.keys() - dict(points).keys()):
                told[-1] += f", no result at {', '.join(map(str, missing))}"
        axes.axhline(1, color=INK, linestyle="dashed", linewidth=1.2)
        axes.set_title(dtype, weight="normal", fontsize=11)
        axes.set_ylim(0, max(1.08, axes.get_ylim()[1]))
        axes.grid(alpha=0.25)
        words.append(f"{dtype}: {'; '.join(told)}.")
    ticks = lengths[:1]
    for n in lengths:
        ticks += [n] if n >= 8 * ticks[-1] else []
    panels[-1].set_xticks(ticks, [str(n) for n in ticks])
    panels[-1].minorticks_off()
    panels[-1].set_xlabel("columns, the length of a row (logarithmic)")
    figure.supylabel("share of the copy's speed", fontsize=11)
    handles = {h.get_label(): h for axes in panels for h in axes.get_lines() if not str(h.get_label()).startswith("_")}
    figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=2, frameon=False, handlelength=3.5)
    dtype, of_type = next(iter(shares.items()))
    ours = [share for share in of_type["with_cupy"].values() if not math.isnan(share)]
    heading(
        figure,
        f"Of a copy's speed, the library reaches\n{100 * min(ours):.0f} % to {100 * max(ours):.0f} % on {dtype} rows",
    )
    alt = "Lines: the speed of softmax as a share of a copy's, against the columns of the matrix. " + " ".join(words)
    return figure, alt


@picture
def crossover_measured(crossover: dict[str, Any]) -> tuple[Figure, str]:
    """The time for a softmax of more and more rows, on the CPU, on the GPU, and there and back."""
    rows, columns = crossover["rows"], crossover["columns"]
    figure = Figure(figsize=(5.8, 4.2), layout="constrained")
    axes = figure.subplots()
    words = []
    for name, (label, colour, marker, line) in WAYS.items():
        if name in crossover["seconds"]:
            microseconds = [1e6 * seconds for seconds in crossover["seconds"][name]]
            axes.loglog(rows, microseconds, color=colour, marker=marker, linestyle=line, linewidth=1.8, label=label)
            words.append(f"{label} {two_digits(microseconds[0])} to {two_digits(microseconds[-1])}")
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
        title = f"With the data on it, the GPU is ahead\nfrom {max(needed)} rows on"
        axes.axvline(max(needed), color=INK, linestyle="dotted", linewidth=1.2)
    axes.grid(alpha=0.25)
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        exponents = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        axis.set_ticks([10.0**k for k in exponents], [power_of_ten(k) for k in exponents])
    axes.minorticks_off()
    axes.set(title=title, xlabel=f"rows of {columns} float32 (logarithmic)", ylabel="microseconds (logarithmic)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, handlelength=3.5)
    alt = (
        f"Lines on logarithmic axes: the microseconds that a softmax of rows of {columns} float32 takes, from "
        f"{rows[0]} to {rows[-1]} rows. {'; '.join(words)}. {'; '.join(wins)}."
    )
    return figure, alt
