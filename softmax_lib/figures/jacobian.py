"""The figures of the chapter on the Jacobian."""

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.figures.paper import (
    CLASS_FILLS,
    CLASS_TEXTS,
    INK,
    INK2,
    WASH,
    WIDE,
    class_bars,
    grid,
    name_y,
    note,
    number,
    picture,
    power_ticks,
    share,
    sheet,
)
from softmax_lib.with_numpy import softmax


@picture
def tangent_of_a_nudge(width: float, logits: npt.ArrayLike, labels: Sequence[str], nudged: int) -> tuple[Figure, str]:
    """How the probabilities follow a logit that is nudged, and what their slopes predict."""
    logits = np.asarray(logits, dtype=float)
    nudges = np.linspace(-3, 3, 49)
    moved = np.tile(logits, (len(nudges), 1))
    moved[:, nudged] += nudges
    paths, p = softmax(moved), softmax(logits)
    slopes = p * ((np.arange(len(p)) == nudged) - p[nudged])
    figure = sheet(width, 430, "Small nudges follow the slopes; large ones do not")
    axes = figure.subplots()
    grid(axes, "y")
    for low, high in ((-0.25, 0), (1, 1.25)):
        axes.axhspan(low, high, color=WASH, linewidth=0, zorder=0)
    for edge in (0, 1):
        axes.axhline(edge, color=INK, linewidth=1.5)
    for i, (label, colour, written) in enumerate(zip(labels, CLASS_FILLS, CLASS_TEXTS, strict=False)):
        axes.plot(nudges, paths[:, i], color=colour, linewidth=4)
        axes.plot(nudges, p[i] + slopes[i] * nudges, color=written, linestyle="dashed", linewidth=1.5)
        axes.text(-3.1, paths[0, i], label, ha="right", va="center", weight="bold", color=written)
    over = (1.08 - p[nudged]) / slopes[nudged]  # where the tangent of the nudged logit reaches 108 %
    axes.text(over - 0.15, 1.08, "the slope says", ha="right", va="center")
    note(axes, 2.95, 0.85, "what happens" if width == WIDE else "what\nhappens", ha="right", va="top")
    axes.text(-2.95, 1.19, "no share is over 100\u2009%", va="center", color=INK2)
    axes.set_xticks(range(-3, 4), [number(x, "+d") if x else "0" for x in range(-3, 4)])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100\u2009%"])
    axes.set(xlabel=f"nudge of the logit of {labels[nudged]}", xlim=(-3.6 if width == WIDE else -4.1, 3))
    axes.set_ylim(-0.25, 1.25)
    name_y(axes, "share")
    alt = (
        f"Curves of the probabilities of {', '.join(labels)} while the logit of {labels[nudged]} is nudged by -3 to 3, "
        "each with its tangent at 0. Up to about half a unit they cannot be told apart; at 3 the tangent of "
        f"{labels[nudged]} says {p[nudged] + 3 * slopes[nudged]:.2f}, and the curve {paths[-1, nudged]:.2f}."
    )
    return figure, alt


@picture
def directions_of_the_jacobian(width: float, logits: npt.ArrayLike, labels: Sequence[str]) -> tuple[Figure, str]:
    """The eigenvectors of softmax's Jacobian, each with its eigenvalue."""
    p = softmax(np.asarray(logits, dtype=float))
    eigenvalues, vectors = np.linalg.eigh(np.diag(p) - np.outer(p, p))
    title = f"All logits changed alike: no effect. Any other change: at most {share(eigenvalues[-1])} of it"
    figure = sheet(width, 500, title)
    words = []
    for axes, eigenvalue, vector in zip(
        figure.subplots(2, -(-len(p) // 2), sharey=True).flat, eigenvalues, vectors.T, strict=True
    ):
        vector = vector * np.sign(vector[np.argmax(np.abs(vector))])  # an eigenvector has no sign of its own
        class_bars(axes, list(labels), vector, [number(x, ".2f") for x in vector])
        axes.set(title=f"× {abs(eigenvalue):.2f}", ylim=(-1.15, 1.2))
        axes.spines["left"].set_visible(False)
        axes.tick_params(length=0, labelleft=False)
        words.append(
            f"times {abs(eigenvalue):.2f}: " + ", ".join(f"{n} {x:.2f}" for n, x in zip(labels, vector, strict=True))
        )
    return figure, "Four bar charts, the eigenvectors of the Jacobian, titled with the eigenvalues. " + "; ".join(
        words
    ) + "."


@picture
def slope_vanishes_when_sure(width: float) -> tuple[Figure, str]:
    """The slope of the first of two probabilities, over the difference of their logits."""
    lead = np.linspace(-8, 8, 161)
    p = softmax(np.stack([lead, np.zeros_like(lead)]), axis=0)
    figure = sheet(width, 340, "Two classes: the slope p(1\u00a0−\u00a0p) vanishes on both sides")
    axes = figure.subplots()
    grid(axes, "y")
    axes.axhline(0, color=INK, linewidth=1.5)
    axes.plot(lead, p[0] * p[1], color=CLASS_FILLS[0], linewidth=4)
    axes.plot([0], [0.25], "o", color=INK, markersize=9)
    axes.text(0.7, 0.252, "undecided: 0.25", va="center")
    height, sure = (0.025, "sure: almost nothing") if width == WIDE else (0.05, "sure:\nalmost nothing")
    note(axes, 8, height, sure, ha="right", va="bottom")
    axes.set_xticks(range(-8, 9, 4), [number(x, "d") for x in range(-8, 9, 4)])
    axes.set(xlabel="difference of the logits, z₁ − z₂", xlim=(-8, 8), ylim=(-0.005, 0.275))
    axes.set_yticks([0, 0.1, 0.2], ["0", "0.1", "0.2"])
    name_y(axes, "slope of p₁")
    alt = (
        "Bell-shaped curve of the slope of the first of two probabilities against the difference of the logits, "
        f"from -8 to 8: one quarter at 0, {(p[0] * p[1])[110]:.2f} at a difference of 3, and next to nothing from 6 on."
    )
    return figure, alt


@picture
def gradient_check_error(width: float, logits: Sequence[float]) -> tuple[Figure, str]:
    """The error of central differences of softmax, over the step."""
    steps = [float(Decimal(10) ** (Decimal(-k) / 4)) for k in range(2, 53)]
    errors = [_central_difference_error(logits, h) for h in steps]
    best = int(np.argmin(errors))
    figure = sheet(width, 430, "A gradient check is best at a step near 10⁻⁵")
    axes = figure.subplots()
    grid(axes)
    axes.loglog([10**-0.5, 1e-7], [0.0156 * 10**-1.0, 0.0156 * 1e-14], color=INK2, linestyle="dashed", linewidth=2)
    axes.loglog([1e-3, 1e-13], [2.0**-54 / 1e-3, 2.0**-54 / 1e-13], color=INK2, linestyle="dotted", linewidth=2.5)
    axes.loglog(steps, errors, "o-", color=INK, markersize=5, linewidth=2)
    note(axes, 3e-4, 1e-4, "truncation:\nproportional to h²", ha="right", va="center")
    note(axes, 1e-13, 1e-10, "rounding:\nproportional\nto 1 / h", va="center")
    axes.minorticks_off()
    power_ticks(axes.xaxis, range(-12, 1, 2 if width == WIDE else 4))
    power_ticks(axes.yaxis, range(-12, 0, 2))
    axes.set(xlabel="step h", xlim=(5e-14, 1), ylim=(1e-13, 1e-1))
    name_y(axes, "largest error of an entry")
    alt = (
        "The largest error of a central-difference Jacobian of softmax against the step h, on logarithmic axes: a V. "
        f"From the right it falls with the square of h to about 10 to the {round(np.log10(errors[best]))} at h about "
        f"10 to the {round(np.log10(steps[best]))}, then rises, jagged, as 1/h, to more than 10 to the "
        f"{math.floor(np.log10(errors[-1]))} at h = 10 to the -13."
    )
    return figure, alt


def _central_difference_error(logits: Sequence[float], h: float) -> float:
    """The largest error of an entry of the Jacobian.

    The exponentials are correctly rounded, so that every machine draws the same curve.
    """

    def probabilities(z: Sequence[float]) -> list[float]:
        exponentials = [float(Decimal(x).exp()) for x in z]
        total = math.fsum(exponentials)
        return [e / total for e in exponentials]

    exact = [Decimal(x).exp() for x in logits]
    p = [e / sum(exact) for e in exact]
    worst = Decimal(0)
    for j in range(len(p)):
        after = probabilities([x + h * (k == j) for k, x in enumerate(logits)])
        before = probabilities([x - h * (k == j) for k, x in enumerate(logits)])
        for i, (a, b) in enumerate(zip(after, before, strict=True)):
            worst = max(worst, abs(Decimal((a - b) / (2 * h)) - p[i] * ((i == j) - p[j])))
    return float(worst)
