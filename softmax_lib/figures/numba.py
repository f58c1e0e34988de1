"""The figures of the chapter on Numba: what `benchmarks/ladder.py` and `cpu.py` found."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from softmax_lib.figures.paper import (
    COVER,
    INK,
    INK2,
    LIBRARIES,
    LINE,
    PURPLE,
    RULE,
    WIDE,
    grouped,
    marks,
    name_rows,
    picture,
    share,
    sheet,
    two_digits,
)


class Rung(NamedTuple):
    """What the pictures call a rung, and in a sentence or two what it changed."""

    name: str
    change: str


# The rungs of the chapter, in the order in which it climbs.
RUNGS = {
    "softmax_numpy": Rung(
        "NumPy, three lines", "Each operation reads the whole matrix, and three of the operations store a new matrix."
    ),
    "softmax_in_place": Rung(
        "no temporaries", "Results go into an array that exists already, so that NumPy asks for no new memory."
    ),
    "softmax_few_rows": Rung(
        "a few rows at a time", "A few rows fit into the cache, and stay there until they are finished."
    ),
    "softmax_articles": Rung(
        "NumPy's lines, compiled",
        "NumPy's code under Numba's decorator. The temporaries are back, the loops are plain ones, "
        "and a single maximum for the whole batch can give wrong answers.",
    ),
    "softmax_plain": Rung(
        "plain loops in Numba",
        "Loops over one row at a time need no temporaries. They still handle one number after the other.",
    ),
    "softmax_polynomial": Rung(
        "exp as a polynomial", "Multiplications and additions replace the call of exp. Vector registers can do those."
    ),
    "softmax_integer_max": Rung(
        "maximum of integers", "The floats are compared as integers, which vector registers can do as well."
    ),
    "softmax_blocked_sums": Rung(
        "sums in blocks", "The sum of a block may be reordered. Now all loops run in vector registers."
    ),
    "softmax_fused": Rung(
        "exp and sum in one pass", "The exponentials are added up while they are in registers, which saves a pass."
    ),
    "softmax_exp_first": Rung(
        "no maximum",
        "The maximum is left out at first. The sum shows which rows go out of range, and those are computed again.",
    ),
    "softmax_wide": Rung(
        "whole registers",
        "The compiler fills whole registers. No slices are made, because Numba spends time on keeping count of them.",
    ),
    "softmax_short_loops": Rung(
        "short loops, prefetch", "Short loops ask early for what they read next, so that the core waits less."
    ),
    "softmax_streamed": Rung(
        "past the caches",
        "Results go to memory in whole cache lines, so the old content of the lines need not be read first.",
    ),
    "softmax_overlapped": Rung(
        "reading while writing", "While one row is read, the results of the row before are stored."
    ),
    "softmax_threads": Rung("all cores, by rows", "Each core gets its share of the rows."),
    "softmax_pieces": Rung("all cores, by pieces", "The cores share one row, piece by piece."),
    "with_numba": Rung(
        "softmax_lib.with_numba",
        "The library chooses among these programs by the size of the matrix. It also handles other axes and types.",
    ),
}
# What each library is called, in words and in an alternative text, and how it is drawn.
_PEERS = {
    **LIBRARIES,
    "jax": ("JAX", "JAX", PURPLE, "v"),
    "onnxruntime": ("ONNX Runtime", "ONNX", INK, "P"),
}


def race(results: dict[str, Any], shape: tuple[int, int]) -> dict[str, Any]:
    """The rungs of a matrix of this shape, as the interactive `Ladder` takes them; the faster copy is the limit.

    The results are those of `measurements.read("ladder")`.
    """
    seconds, limit = _seconds(results, shape)
    rungs = _timed_rungs(results, shape)
    return {
        "names": [RUNGS[rung].name for rung in rungs],
        "seconds": [seconds[rung] for rung in rungs],
        "limit": limit,
        "changes": [RUNGS[rung].change for rung in rungs],
    }


def _seconds(results: dict[str, Any], shape: tuple[int, int]) -> tuple[dict[str, float], float]:
    """The median times of a case, by name, and that of the faster copy."""
    (found,) = (case["results"] for case in results["cases"] if tuple(case["shape"]) == shape)
    seconds = {name: one["seconds"]["median"] for name, one in found.items() if "seconds" in one}
    return seconds, min(seconds["copy"], seconds["copy_nontemporal"])


def _timed_rungs(results: dict[str, Any], shape: tuple[int, int]) -> list[str]:
    """The rungs that were timed in a case; the pieces, which are made for a single row, only there."""
    seconds, _ = _seconds(results, shape)
    rungs = [name for name in (*results["rungs"], "with_numba") if name in seconds]
    return [name for name in rungs if shape[0] == 1 or name != "softmax_pieces"]


@picture
def ladder(width: float, results: dict[str, Any], shape: tuple[int, int]) -> tuple[Figure, str]:
    """The time of each rung for an element of a matrix of this shape, beside a copy's.

    The results are those of `measurements.read("ladder")`.
    """
    seconds, fastest_copy = _seconds(results, shape)
    per_element = 1e9 / (shape[0] * shape[1])
    nanoseconds = {name: time * per_element for name, time in seconds.items()}
    rungs, limit = _timed_rungs(results, shape), fastest_copy * per_element
    values = np.array([nanoseconds[name] for name in rungs])
    ours = np.array(rungs) == "with_numba"
    numba = ~ours & (np.arange(len(rungs)) >= rungs.index("softmax_articles"))
    one_core, heights = nanoseconds["copy_one_core"], np.arange(len(rungs))
    gained = f"{values[0] / values.min():.0f} times their speed"
    title = f"{grouped(shape[0])} × {grouped(shape[1])}: from NumPy's three lines to {gained}"
    figure = sheet(width, (26 if width == WIDE else 42) * len(rungs) + 150, title)
    axes = figure.subplots()
    axes.hlines(heights, limit, values, color=LINE, linewidth=2)
    for chosen, marker in ((~ours & ~numba, "s"), (numba, "o"), (ours, "D")):
        fill = INK2 if marker == "s" else INK
        axes.semilogx(values[chosen], heights[chosen], marker, color=fill, markersize=11 if marker == "D" else 9)
    first = {int(np.argmax(numba)): " in Numba", 0: " in NumPy"}
    for height, value in enumerate(values):
        words = two_digits(value) + first.get(height, "")
        axes.annotate(
            words, (value, height), (9, 0), textcoords="offset points", va="center", bbox=COVER,
            weight="bold" if ours[height] else "normal",
        )  # fmt: skip
    for x, line, words, side, away in (
        (limit, "dashed", "a copy", "right", -5),
        (one_core, "dotted", "a copy on one core", "left", 5),
    ):
        axes.axvline(x, color=RULE, linestyle=line, linewidth=2, zorder=0)
        axes.annotate(
            f"{words}:\n{two_digits(x)}", (x, len(rungs) - 0.3), (away, 0), textcoords="offset points",
            ha=side, va="top", color=INK2,
        )  # fmt: skip
    ticks = [tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if 0.8 * limit < tick < values.max()]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(
        (0.6 if width == WIDE else 0.42) * min(limit, one_core, values.min()),
        (2.6 if width == WIDE else 4.5) * values.max(),
    )
    name_rows(axes, [RUNGS[name].name for name in rungs], width, 0.22)
    axes.set_ylim(len(rungs) + 1.2, -0.8)
    axes.set_xlabel("nanoseconds per element (logarithmic)")
    alt = (
        f"Dots on a logarithmic axis: nanoseconds per element of a {shape[0]} by {shape[1]} float32 softmax. "
        + "; ".join(f"{RUNGS[name].name}: {two_digits(nanoseconds[name])}" for name in rungs)
        + f". A copy takes {two_digits(limit)} on all cores, {two_digits(one_core)} on one."
    )
    return figure, alt


@picture
def speed_beside_peers(width: float, cases: Sequence[dict[str, Any]]) -> tuple[Figure, str]:
    """The speed of float32 softmax by library and shape, as a share of the faster copy's.

    The cases are those of `measurements.read("cpu")`.
    """
    chosen = [case for case in cases if (case["operation"], case["dtype"]) == ("softmax", "float32")]
    shares: dict[str, list[float]] = {name: [] for name in _PEERS if any(name in c["results"] for c in chosen)}
    for case in chosen:
        speeds = {name: one.get("gigabytes_per_second", math.nan) for name, one in case["results"].items()}
        limit = max(speeds["copy"], speeds["copy_nontemporal"])
        for name, found in shares.items():
            found.append(speeds.get(name, math.nan) / limit)
    rows = [
        f"{grouped(c['shape'][0])} × {grouped(c['shape'][1])}" + ("" if c["axis"] == -1 else "\naxis 0") for c in chosen
    ]
    ours = [one for one in shares["with_numba"] if one == one]
    title = f"With Numba, softmax reaches {share(min(ours))} to {share(max(ours))} of a copy's speed"
    figure = sheet(width, (50 if width == WIDE else 80) * len(rows) + 185, title)
    axes = figure.subplots()
    step = 0.14 if width == WIDE else 0.11
    for place, (name, found) in enumerate(shares.items()):
        _, _, colour, marker = _PEERS[name]
        heights = np.arange(len(rows)) + step * (place - (len(shares) - 1) / 2)
        axes.semilogx(found, heights, marker, color=colour, markersize=10 if name == "with_numba" else 8)
    axes.axvline(1, color=RULE, linestyle="dashed", linewidth=2, zorder=0)
    between = 0.5 if width == WIDE else 0.65
    axes.hlines(np.arange(1, len(rows)) - between, 0.005, 5, color=LINE, linewidth=1)
    name_rows(axes, rows, width, 0.38)
    axes.set_ylim(len(rows) - 0.5, -between)
    ticks = [0.01, 0.1, 1] if width != WIDE else [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]
    axes.set_xticks(ticks, [f"{100 * tick:g}" for tick in ticks[:-1]] + ["100\u2009%"])
    axes.minorticks_off()
    axes.set_xlim(0.7 * min(min(found) for found in shares.values()), 1.5)
    missing = any(math.isnan(one) for found in shares.values() for one in found)
    axes.set_xlabel("share of the copy's speed (logarithmic)" + "\nno dot: no result" * missing)
    marks(figure, [(_PEERS[name][0], *_PEERS[name][2:]) for name in shares], 3 if width == WIDE else 2)
    alt = "Dots on a logarithmic axis: the speed of float32 softmax as a share of a copy's, by library and shape. "
    alt += " ".join(
        f"{row.replace(chr(10), ' ')}: "
        + ", ".join(f"{_PEERS[name][1]} {found[i]:.2g}" for name, found in shares.items() if found[i] == found[i])
        + "."
        for i, row in enumerate(rows)
    )
    return figure, alt
