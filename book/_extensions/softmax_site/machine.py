"""The book's picture as plain polygons: bars, horns, tower and strip of softmax, for a miniature or a share card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softmax_lib import softmax

Point = tuple[float, float]
RIBBON, CHOSEN_RIBBON = 0.26, 0.5  # how opaque horns are drawn, and the horn of the chosen class


@dataclass(frozen=True)
class Layout:
    """Where the parts stand, in pixels."""

    zero: float  # the logit 0
    scale: float  # one logit
    unit: float  # e⁰ = 1, on the tower and as the thickness of a bar
    horns: float  # where they begin
    tower: tuple[float, float]
    strip: tuple[float, float]
    top: float
    height: float


@dataclass(frozen=True)
class Shape:
    """A polygon in the colour of a class."""

    index: int
    points: list[Point]
    opacity: float = 1.0


def box(left: float, right: float, top: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def machine(logits: Sequence[float], at: Layout) -> list[Shape]:
    """The shapes of the picture, those that lie under others first; the first class is the chosen one."""
    exponentials = np.exp(logits)
    bricks = at.top + at.height - at.unit * np.cumsum([0, *exponentials[::-1]])[::-1]  # edges, from the top
    shares = at.top + at.height * np.cumsum([0, *softmax(logits)])
    ribbons, solids = [], []
    for i, logit in enumerate(logits):
        opacity = RIBBON if i else CHOSEN_RIBBON
        row = at.top + at.height * (i + 0.5) / len(logits)
        tip = at.zero + at.scale * logit
        upper, lower = row - at.unit / 2, row + at.unit / 2
        ribbons.append(Shape(i, box(max(tip, at.zero), at.horns, upper, lower), opacity))
        ribbons.append(Shape(i, horn(row, (bricks[i] + bricks[i + 1]) / 2, logit, at), opacity))
        edges = [(at.tower[1], bricks[i]), (at.strip[0], shares[i])]
        edges += [(at.strip[0], shares[i + 1]), (at.tower[1], bricks[i + 1])]
        ribbons.append(Shape(i, edges, opacity))
        solids.append(Shape(i, box(min(tip, at.zero), max(tip, at.zero), upper, lower)))
        solids.append(Shape(i, box(*at.tower, bricks[i], bricks[i + 1])))
        solids.append(Shape(i, box(*at.strip, shares[i], shares[i + 1])))
    return ribbons + solids


def horn(row: float, brick: float, logit: float, at: Layout, samples: int = 24) -> list[Point]:
    """One unit at its row that is multiplied on its way, and arrives at its brick e^z units thick."""
    way = np.linspace(0, 1, samples)
    across = at.horns + (at.tower[0] - at.horns) * way
    middle = row + (brick - row) * way**2 * (3 - 2 * way)
    half = np.maximum(at.unit * np.exp(logit * way), 0.9) / 2
    upper, lower = zip(across, middle - half, strict=True), zip(across[::-1], (middle + half)[::-1], strict=True)
    return [(float(x), float(y)) for x, y in (*upper, *lower)]
