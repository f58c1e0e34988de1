"""A small drawing for each chapter: its own figure, reduced, in the colours of the page.

A drawing is 108 by 80 pixels, and is computed from what the chapter's figure is computed from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

import softmax_lib
from softmax_lib import measurements, softmax
from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS, FIVE_LOGITS

from .machine import Layout, Point, machine

WIDTH, HEIGHT = 108, 80


# --- strokes ---------------------------------------------------------------------------------------------------------


def colour(index: int) -> str:
    return f"var(--sw-c{index})"


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def outline(points: Sequence[Point]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def polygon(points: Sequence[Point], fill: str, opacity: float = 1.0) -> str:
    clear = "" if opacity == 1 else f";opacity:{opacity}"
    return f'<polygon points="{outline(points)}" style="fill:{fill}{clear}"/>'


def bar(left: float, top: float, width: float, height: float, fill: str, more: str = "") -> str:
    size = f'width="{number(width)}" height="{number(height)}"'
    return f'<rect x="{number(left)}" y="{number(top)}" {size} style="fill:{fill}{more}"/>'


def dot(x: float, y: float, radius: float, fill: str, more: str = "") -> str:
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" style="fill:{fill}{more}"/>'


def line(points: Sequence[Point], stroke: str = "var(--sw-ink)", width: float = 1.5, more: str = "") -> str:
    style = f"fill:none;stroke:{stroke};stroke-width:{number(width)}{more}"
    return f'<polyline points="{outline(points)}" style="{style}"/>'


DASHES = ";stroke-dasharray:3 2.5"


# --- drawings --------------------------------------------------------------------------------------------------------


def formula() -> list[str]:
    """Horns, tower and strip."""
    at = Layout(zero=10, scale=5.5, unit=5, horns=24, tower=(52, 65), strip=(84, 98), top=9, height=62)
    return [polygon(shape.points, colour(shape.index), shape.opacity) for shape in machine([2.0, 1.0, 0.0], at)]


def five_logits() -> list[str]:
    """The shares of the five logits."""
    floor, room = 70, 58
    bars = [
        bar(14 + 17 * i, floor - room * share, 12, max(room * share, 1), colour(i))
        for i, share in enumerate(softmax(FIVE_LOGITS).tolist())
    ]
    return [*bars, line([(9, floor), (99, floor)])]


def cat_dog_tiger() -> list[str]:
    """The last layer: its weights as widths, its shares as areas."""
    left = [(20, 80 * (i + 0.8) / (len(ANIMALS.hidden) + 0.6)) for i in range(len(ANIMALS.hidden))]
    right = [(86, 80 * (i + 0.65) / (len(ANIMALS.labels) + 0.3)) for i in range(len(ANIMALS.labels))]
    weights = [
        line([left[j], right[i]], "var(--sw-rule)", 0.6 + 1.8 * abs(weight))
        for i, row in enumerate(ANIMALS.weights)
        for j, weight in enumerate(row)
        if weight
    ]
    shares = softmax(ANIMAL_LOGITS).tolist()
    outputs = [dot(*right[i], 12 * share**0.5, colour(i)) for i, share in enumerate(shares)]
    return [*weights, *(dot(x, y, 5, "var(--sw-ink)") for x, y in left), *outputs]


def temperature() -> list[str]:
    """The needle over the shares of four words, and twenty draws as dots, as near to their shares as whole dots are."""
    shares = softmax([2.0, 1.0, 0.0, -0.5]).tolist()
    edges = [12.0]
    drawn = []
    for i, share in enumerate(shares):
        drawn.append(bar(edges[-1], 14, 84 * share - 1, 16, colour(i)))
        edges.append(edges[-1] + 84 * share)
        for n in range(round(20 * share)):
            drawn.append(dot(16 + 22 * i + 6 * (n % 3), 69 - 6 * (n // 3), 2.6, colour(i)))
    needle = 12 + 84 * 0.72
    return [*drawn, line([(needle, 8), (needle, 34)], width=2.5), line([(9, 73), (99, 73)])]


def cross_entropy() -> list[str]:
    """The loss of the four animals, step by step, if it is a tiger."""
    logits, wanted = np.array(ANIMAL_LOGITS), ANIMALS.labels.index("tiger")
    losses = []
    for _ in range(9):
        losses.append(float(softmax_lib.cross_entropy(logits, wanted)))
        logits = logits - 1.5 * softmax_lib.cross_entropy_grad(logits, wanted)
    steps = [(12 + 10.5 * i, 70 - 27 * loss) for i, loss in enumerate(losses)]
    return [
        line([(8, 72), (100, 72)]),
        line(steps, "var(--sw-ink)", 2),
        *(dot(*step, 3, "var(--sw-ink)") for step in steps[:-1]),
        dot(*steps[-1], 5, colour(2)),
    ]


def calibration() -> list[str]:
    """What a network says against what is true, if its logits are two and a half times too large."""

    def at(said: float, true: float) -> Point:
        return 18 + 72 * said, 75 - 70 * true

    drawn = [line([at(0, 0), at(1, 1)])]
    for said in (0.15, 0.35, 0.5, 0.65, 0.8, 0.92):
        true = float(softmax([math.log(said / (1 - said)) / 2.5, 0.0])[0])
        drawn += [line([at(said, said), at(said, true)], "var(--sw-hi)", 4), dot(*at(said, true), 3.6, colour(0))]
    return drawn


def attention() -> list[str]:
    """Four words under a causal mask: each divides one whole among itself and those before it."""
    scores = [[0.0], [0.2, 1.4], [0.4, 2.2, 1.0], [-0.4, 1.0, 0.5, 1.2]]
    drawn = []
    for i, row in enumerate(scores):
        left = 12.0
        for j, share in enumerate(softmax(row).tolist()):
            drawn.append(bar(left, 9 + 16.5 * i, 84 * share - 1.5, 12, colour(j)))
            left += 84 * share
    return drawn


def jacobian() -> list[str]:
    """The share of *dog* over its logit, and the tangent at a point of it."""

    def at(logit: float, share: float) -> Point:
        return 9 + 9 * (logit + 5), 70 - 60 * share

    others = [z for i, z in enumerate(ANIMAL_LOGITS) if i != 1]
    steps = np.linspace(-5, 5, 41).tolist()
    curve = [at(z, softmax([z, *others])[0]) for z in steps]
    here = 1.6
    share = float(softmax([here, *others])[0])
    tangent = [at(here + step, share + share * (1 - share) * step) for step in (-2.2, 2.4)]
    return [
        line(curve, colour(1), 3),
        line(tangent, "var(--sw-ink)", 1.8, DASHES),
        dot(*at(here, share), 4.5, "var(--sw-ink)"),
    ]


def stability() -> list[str]:
    """The logits whose exponential each number format can hold, and one that only the widest can."""

    def at(logit: float) -> float:
        return float(54 + 8.2 * np.sign(logit) * np.log1p(abs(logit) / 3))

    logit = 100.0
    formats = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
    drawn = [line([(at(logit), 7), (at(logit), 73)], colour(0), 1.5)]
    for i, kind in enumerate(formats):
        info = ml_dtypes.finfo(kind)
        least = float(info.smallest_subnormal)  # half of it rounds to zero
        ends = math.log(least) - math.log(2), math.log(float(info.max))
        middle = 14 + 17.5 * i
        window = bar(at(ends[0]), middle - 5.5, at(ends[1]) - at(ends[0]), 11, "var(--sw-raise)")
        drawn.append(window.replace('"/>', ';stroke:var(--sw-ink);stroke-width:1.5"/>'))
        holds = logit < ends[1]
        drawn.append(dot(at(logit), middle, 3.4, colour(0) if holds else "var(--sw-wash)", f";stroke:{colour(0)}"))
    return drawn


def numba() -> list[str]:
    """What the rungs of the ladder cost, and the copy that none of them can beat."""
    case = measurements.read("ladder")["cases"][0]["results"]
    rungs = ["softmax_numpy", "softmax_plain", "softmax_polynomial", "softmax_integer_max", "softmax_threads"]
    seconds = [case[rung]["seconds"]["median"] for rung in rungs]
    copies = [name for name in case if name.startswith("copy")]
    limit = min((case[name]["seconds"]["median"] for name in copies), default=None)
    longest = max(seconds)
    bars = [
        bar(9, 10 + 12.5 * i, max(90 * time / longest, 1.5), 8, "var(--sw-rule)" if i < 4 else colour(2))
        for i, time in enumerate(seconds)
    ]
    mark = 9 + 90 * limit / longest if limit else 9
    return [*bars, line([(mark, 5), (mark, 75)], "var(--sw-ink)", 1.8, DASHES)]


def ladder() -> list[str]:
    """Every rung on the way from NumPy's three lines to the copy, which is the line at the top: how near it comes."""
    case = measurements.read("ladder")["cases"][0]["results"]
    seconds = [
        one["seconds"]["median"] for name, one in case.items() if name.startswith("softmax_") and "seconds" in one
    ]
    limit = min(one["seconds"]["median"] for name, one in case.items() if name.startswith("copy"))
    places = [(11 + 86 * i / (len(seconds) - 1), 72 - 58 * min(limit / time, 1)) for i, time in enumerate(seconds)]
    return [
        line([(8, 14), (100, 14)], "var(--sw-ink)", 1.8, DASHES),
        *(dot(*place, 3.2, colour(2)) for place in places),
    ]


def cupy() -> list[str]:
    """How often the matrix moves: in the three lines, one operation after another, and in one kernel."""
    trips = [(1, 0), (1, 1), (1, 1), (1, 0), (1, 1)]
    boxes = [colour(2 * written) for reads, writes in trips for written in (0,) * reads + (1,) * writes]
    three_lines = [bar(9 + 11.4 * i, 18, 9, 18, fill) for i, fill in enumerate(boxes)]
    return [*three_lines, *(bar(9 + 11.4 * i, 48, 9, 18, colour(2 * i)) for i in (0, 1))]


def dask() -> list[str]:
    """Four chunks of a row, each as high as its logits, whose pairs become two, and then one."""
    row = np.array([1.2, 2.1, 0.4, 3.0, 1.7, 2.4, 0.8, 1.0, 2.8, 1.5, 0.6, 1.9])
    bars = [bar(9 + 7.6 * i + 1.4 * (i // 3), 30 - 8 * z, 6, 8 * z, colour(i // 3)) for i, z in enumerate(row.tolist())]
    level: list[Point] = [(20 + 23.8 * i, 42.0) for i in range(4)]
    lines, dots = [], [dot(*at, 4, colour(i)) for i, at in enumerate(level)]
    for y in (57, 72):
        pairs = list(zip(level[::2], level[1::2], strict=True))
        level = [((a[0] + b[0]) / 2, y) for a, b in pairs]
        lines += [line([end, to], "var(--sw-rule)", 1.6) for pair, to in zip(pairs, level, strict=True) for end in pair]
        dots += [dot(*at, 4, "var(--sw-ink)") for at in level]
    return [*bars, *lines, *dots]


def bug_museum() -> list[str]:
    """The rows of a batch after one maximum for all of it: the rows far below it are NaN, and have no shares."""
    batch = np.array([[0.0, 1.0, 0.5], [800.0, 801.0, 801.5], [0.5, 0.0, 1.5], [801.0, 800.0, 800.5]])
    with np.errstate(invalid="ignore"):
        exponentials = np.exp(batch - batch.max())
        shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    drawn = []
    for i, row in enumerate(shares):
        left, top = 12.0, 9 + 16.5 * i
        if np.isnan(row).any():
            frame = [(left, top), (96, top), (96, top + 12), (left, top + 12), (left, top)]
            drawn.append(line(frame, "var(--sw-ink)", 1.5, DASHES))
            continue
        for j, share in enumerate(row.tolist()):
            drawn.append(bar(left, top, 84 * share - 1.5, 12, colour(j)))
            left += 84 * share
    return drawn


def kernel() -> list[str]:
    """Lanes of a warp that find their maximum in pairs."""
    lanes = [3, 5, 2, 7, 1, 4, 8, 6]
    level = [(11 + 12.3 * i, value) for i, value in enumerate(lanes)]
    lines, dots = [], []
    for depth in range(4):
        y = 12 + 19 * depth
        last = len(level) == 1
        dots += [dot(x, y, 5 if last else 3.6, colour(lanes.index(value) % 4)) for x, value in level]
        pairs = list(zip(level[::2], level[1::2], strict=False))
        level = [((a[0] + b[0]) / 2, max(a[1], b[1])) for a, b in pairs]
        lines += [
            line([(end[0], y), (to[0], y + 19)], "var(--sw-rule)", 1.6)
            for pair, to in zip(pairs, level, strict=True)
            for end in pair
        ]
    return lines + dots


def gradient_checks() -> list[str]:
    """The error of a check against its step, both logarithmic: it falls as two for one, and rises as one for one."""
    steps = [-14 + 0.5 * i for i in range(27)]
    errors = [math.log10(10 ** (2 * h) + 10 ** (-16 - h)) for h in steps]
    points = [(10 + 88 * (h + 14) / 13, 10 - 5.6 * error) for h, error in zip(steps, errors, strict=True)]
    best = max(points, key=lambda point: point[1])
    floor = line([(10, 72), (98, 72)], "var(--sw-line)")
    return [floor, line(points, colour(2), 2.6), dot(*best, 4, "var(--sw-ink)")]


def accuracy() -> list[str]:
    """The largest errors in units of the last digit: this library's and the others', on all inputs."""
    rows = measurements.read("accuracy")["results"]
    rows = [row for row in rows if row["operation"] == "softmax" and row["unit"] == "ulp" and "max" in row]
    families = sorted({(row["dtype"], row["family"]) for row in rows})

    def at(row: dict[str, Any]) -> Point:
        place = families.index((row["dtype"], row["family"])) / max(len(families) - 1, 1)
        return 13 + 82 * place, 66 - 10 * float(np.log10(np.clip(row["max"], 0.1, 1e5) / 0.1))

    half = at({**rows[0], "max": 0.5})[1]
    others = [dot(*at(row), 2.2, colour(1)) for row in rows if row["library"] in ("scipy", "torch")]
    ours = [dot(*at(row), 2.2, colour(2)) for row in rows if row["library"] == "with_numpy"]
    return [line([(8, half), (100, half)], "var(--sw-ink)", 1.5), *others, *ours]


DRAWINGS: dict[str, Callable[[], list[str]]] = {
    draw.__name__: draw
    for draw in (
        formula,
        five_logits,
        cat_dog_tiger,
        temperature,
        cross_entropy,
        jacobian,
        calibration,
        attention,
        stability,
        numba,
        cupy,
        dask,
        bug_museum,
        ladder,
        kernel,
        gradient_checks,
        accuracy,
    )
}


def miniature(chapter: str) -> str:
    """The drawing of a chapter as an SVG; a chapter without one gets an empty lane."""
    drawn = DRAWINGS[chapter]() if chapter in DRAWINGS else []
    head = (
        f'<svg class="miniature" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">'
    )
    return f"{head}{''.join(drawn)}</svg>"
