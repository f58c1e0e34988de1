"""The figures of the chapter on Numba: what `benchmarks/ladder.py` and `cpu.py` found."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from softmax_lib.figures.paper import (
    BLUE,
    GREEN,
    INK,
    LIBRARIES,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    heading,
    picture,
    two_digits,
)

# What the figure calls each rung of the chapter, in the order in which the chapter climbs.
RUNGS = {
    "softmax_numpy": "NumPy, three lines",
    "softmax_in_place": "no temporaries",
    "softmax_few_rows": "a few rows at a time",
    "softmax_articles": "the articles' Numba",
    "softmax_plain": "plain loops in Numba",
    "softmax_polynomial": "exp as a polynomial",
    "softmax_integer_max": "maximum of integers",
    "softmax_blocked_sums": "sums in blocks",
    "softmax_fused": "exp and sum in one pass",
    "softmax_exp_first": "no maximum",
    "softmax_wide": "whole registers",
    "softmax_short_loops": "short loops, prefetch",
    "softmax_streamed": "past the caches",
    "softmax_overlapped": "reading while writing",
    "softmax_threads": "all cores, by rows",
    "softmax_pieces": "all cores, by pieces",
    "with_numba": "softmax_lib.with_numba",
}
# What each library is called, in words and in an alternative text, and how it is drawn.
_PEERS = {
    **LIBRARIES,
    "jax": ("JAX", "JAX", PURPLE, "v"),
    "onnxruntime": ("ONNX Runtime", "ONNX", SKY, "P"),
}


@picture
def ladder(results: dict[str, Any], shape: tuple[int, int]) -> tuple[Figure, str]:
    """The time of each rung for an element of a matrix of this shape, beside a copy's.

    The results are those of `benchmarks/results/ladder.json`.
    """
    (found,) = (case["results"] for case in results["cases"] if tuple(case["shape"]) == shape)
    size = shape[0] * shape[1]
    nanoseconds = {name: one["seconds"]["median"] / size * 1e9 for name, one in found.items() if "seconds" in one}
    rungs = [name for name in (*results["rungs"], "with_numba") if name in nanoseconds]
    if shape[0] > 1:
        rungs.remove("softmax_pieces")  # It is made for a single row, and takes far longer for many.
    limit = min(nanoseconds["copy"], nanoseconds["copy_nontemporal"])
    values = np.array([nanoseconds[name] for name in rungs])
    ours = np.array(rungs) == "with_numba"
    numba = ~ours & (np.arange(len(rungs)) >= rungs.index("softmax_articles"))
    one_core, heights = nanoseconds["copy_one_core"], np.arange(len(rungs))
    figure = Figure(figsize=(6, 0.3 * len(rungs) + 1.9), layout="constrained")
    axes = figure.subplots()
    axes.hlines(heights, limit, values, color=INK, alpha=0.25, linewidth=1.5)
    for chosen, label, colour, marker in (
        (~ours & ~numba, "NumPy", ORANGE, "s"),
        (numba, "Numba", BLUE, "o"),
        (ours, "the library", GREEN, "D"),
    ):
        axes.semilogx(values[chosen], heights[chosen], marker, color=colour, markersize=7, label=label)
    covering = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}  # A label hides the dotted line behind it.
    for height, value in enumerate(values):
        axes.text(1.12 * value, height, two_digits(value), va="center", bbox=covering)
    axes.axvline(limit, color=INK, linestyle="dashed", linewidth=1.5, label=f"copy: {two_digits(limit)}")
    axes.axvline(one_core, color=INK, linestyle="dotted", linewidth=1.5, label=f"on one core: {two_digits(one_core)}")
    ticks = [tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if 0.8 * limit < tick < values.max()]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(0.8 * min(limit, one_core, values.min()), 1.8 * values.max())
    axes.set_yticks(heights, [RUNGS[name] for name in rungs])
    axes.set_ylim(len(rungs) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("nanoseconds per element (logarithmic)")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    heading(
        figure, f"{shape[0]} × {shape[1]}: from NumPy's three lines to {values[0] / values.min():.0f} times their speed"
    )
    alt = (
        f"Dots on a logarithmic axis: nanoseconds per element of a {shape[0]} by {shape[1]} float32 softmax. "
        + "; ".join(f"{RUNGS[name]}: {two_digits(nanoseconds[name])}" for name in rungs)
        + f". A copy takes {two_digits(limit)} on all cores, {two_digits(one_core)} on one."
    )
    return figure, alt


@picture
def speed_beside_peers(cases: Sequence[dict[str, Any]]) -> tuple[Figure, str]:
    """The speed of float32 softmax by library and shape, as a share of the faster copy's.

    The cases are those of `benchmarks/results/cpu.json`.
    """
    chosen = [case for case in cases if (case["operation"], case["dtype"]) == ("softmax", "float32")]
    shares: dict[str, list[float]] = {name: [] for name in _PEERS if any(name in c["results"] for c in chosen)}
    for case in chosen:
        speeds = {name: one.get("gigabytes_per_second", math.nan) for name, one in case["results"].items()}
        limit = max(speeds["copy"], speeds["copy_nontemporal"])
        for name, found in shares.items():
            found.append(speeds.get(name, math.nan) / limit)
    rows = [f"{c['shape'][0]} × {c['shape'][1]}" + ("" if c["axis"] == -1 else "\naxis 0") for c in chosen]
    figure = Figure(figsize=(6, 0.55 * len(rows) + 1.6), layout="constrained")
    axes = figure.subplots()
    for place, (name, found) in enumerate(shares.items()):
        label, _, colour, marker = _PEERS[name]
        heights = np.arange(len(rows)) + 0.1 * (place - (len(shares) - 1) / 2)
        size = 8 if name == "with_numba" else 6
        axes.semilogx(found, heights, marker, color=colour, markersize=size, label=label)
    axes.axvline(1, color=INK, linestyle="dashed", linewidth=1.5)
    for between in range(1, len(rows)):
        axes.axhline(between - 0.5, color=INK, alpha=0.2, linewidth=0.8)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.tick_params(axis="y", length=0)
    axes.set(title="How much of a copy's speed softmax reaches", xlabel="share of the copy's speed (logarithmic)")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    alt = "Dots on a logarithmic axis: the speed of float32 softmax as a share of a copy's, by library and shape. "
    alt += " ".join(
        f"{row.replace(chr(10), ' ')}: "
        + ", ".join(f"{_PEERS[name][1]} {found[i]:.2g}" for name, found in shares.items() if found[i] == found[i])
        + "."
        for i, row in enumerate(rows)
    )
    return figure, alt
