"""The figures of the chapter on the Jacobian."""

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from softmax_lib.figures.paper import BLUE, CLASS_COLOURS, INK, ORANGE, VERMILION, bar_chart, heading, picture
from softmax_lib.with_numpy import softmax


@picture
def tangent_of_a_nudge(logits: npt.ArrayLike, labels: Sequence[str], nudged: int) -> tuple[Figure, str]:
    """How the probabilities follow a logit that is nudged, and what their slopes predict."""
    logits = np.asarray(logits, dtype=float)
    nudges = np.linspace(-3, 3, 121)
    moved = np.tile(logits, (len(nudges), 1))
    moved[:, nudged] += nudges
    paths, p = softmax(moved), softmax(logits)
    slopes = p * ((np.arange(len(p)) == nudged) - p[nudged])
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for i, (label, colour) in enumerate(zip(labels, CLASS_COLOURS, strict=True)):
        axes.plot(nudges, paths[:, i], color=colour, linewidth=2.5)
        axes.plot(nudges, p[i] + slopes[i] * nudges, color=colour, linestyle="dashed", linewidth=1.3)
        axes.text(-3.08, paths[0, i], label, ha="right", va="center", weight="bold")
    axes.axvspan(-0.5, 0.5, color=INK, alpha=0.08, linewidth=0)
    axes.plot([], [], color=INK, linewidth=2.5, label="what happens")
    axes.plot([], [], color=INK, linewidth=1.3, linestyle="dashed", label="what the slope predicts")
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 1.0), frameon=False)
    axes.set(
        title="Small nudges follow the slopes; large ones do not",
        xlabel=f"nudge of the logit of {labels[nudged]}",
        ylabel="probability",
        xlim=(-4, 3),
        xticks=range(-3, 4),
        ylim=(-0.2, 1.2),
    )
    alt = (
        f"Curves of the probabilities of {', '.join(labels)} while the logit of {labels[nudged]} is nudged by -3 to 3, "
        "each with its tangent at 0. Up to about half a unit they cannot be told apart; at 3 the tangent of "
        f"{labels[nudged]} says {p[nudged] + 3 * slopes[nudged]:.2f}, and the curve {paths[-1, nudged]:.2f}."
    )
    return figure, alt


@picture
def directions_of_the_jacobian(logits: npt.ArrayLike, labels: Sequence[str]) -> tuple[Figure, str]:
    """The eigenvectors of softmax's Jacobian, each with its eigenvalue."""
    p = softmax(np.asarray(logits, dtype=float))
    eigenvalues, vectors = np.linalg.eigh(np.diag(p) - np.outer(p, p))
    figure = Figure(figsize=(5.6, 4.6))
    figure.set_layout_engine("constrained", h_pad=0.12)
    words = []
    for axes, eigenvalue, vector in zip(
        figure.subplots(2, -(-len(p) // 2), sharey=True).flat, eigenvalues, vectors.T, strict=True
    ):
        vector = vector * np.sign(vector[np.argmax(np.abs(vector))])  # an eigenvector has no sign of its own
        bar_chart(axes, list(labels), vector, VERMILION if eigenvalue < 1e-12 else BLUE, ".2f")
        axes.set(title=f"× {abs(eigenvalue):.2f}", ylim=(-1.0, 1.1))
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0, labelleft=False)
        words.append(
            f"times {abs(eigenvalue):.2f}: " + ", ".join(f"{n} {x:.2f}" for n, x in zip(labels, vector, strict=True))
        )
    heading(
        figure,
        f"A push on all logits alike does nothing;\nof any other, at most {eigenvalues[-1]:.2f} arrives",
        size="large",
    )
    return figure, "Four bar charts, the eigenvectors of the Jacobian, titled with the eigenvalues. " + "; ".join(
        words
    ) + "."


@picture
def slope_vanishes_when_sure() -> tuple[Figure, str]:
    """The slope of the first of two probabilities, over the difference of their logits."""
    lead = np.linspace(-8, 8, 161)
    p = softmax(np.stack([lead, np.zeros_like(lead)]), axis=0)
    figure = Figure(figsize=(5.6, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(lead, p[0] * p[1], color=BLUE, linewidth=2.5)
    axes.plot([0], [0.25], "o", color=VERMILION)
    axes.annotate("undecided: ¼", (0, 0.25), (0.5, 0.24), color=INK)
    axes.annotate("sure: almost nothing", (6, 0.01), (3.4, 0.06), color=INK)
    axes.grid(alpha=0.25)
    axes.set(
        title="Two classes: the slope p(1 − p) vanishes on both sides",
        xlabel="difference of the logits, z₁ − z₂",
        ylabel="slope of p₁",
    )
    alt = (
        "Bell-shaped curve of the slope of the first of two probabilities against the difference of the logits, "
        f"from -8 to 8: one quarter at 0, {(p[0] * p[1])[110]:.2f} at a difference of 3, and next to nothing from 6 on."
    )
    return figure, alt


@picture
def gradient_check_error(logits: Sequence[float]) -> tuple[Figure, str]:
    """The error of central differences of softmax, over the step."""
    steps = [float(Decimal(10) ** (Decimal(-k) / 4)) for k in range(2, 53)]
    errors = [_central_difference_error(logits, h) for h in steps]
    best = int(np.argmin(errors))
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.loglog(steps, errors, "o-", color=BLUE, markersize=4, linewidth=1.5)
    axes.loglog([10**-0.5, 1e-7], [0.0156 * 10**-1.0, 0.0156 * 1e-14], color=VERMILION, linestyle="dashed")
    axes.loglog([1e-3, 1e-13], [2.0**-54 / 1e-3, 2.0**-54 / 1e-13], color=ORANGE, linestyle="dotted", linewidth=2)
    axes.text(6e-4, 1e-5, "truncation:\nproportional to h²", ha="right", va="center")
    axes.text(2e-9, 1e-10, "rounding:\nproportional to 1 / h", ha="right", va="center")
    axes.grid(alpha=0.25)
    axes.set(
        title="A gradient check is best at a step near 10⁻⁵",
        xlabel="step h",
        ylabel="largest error of an entry",
        xlim=(5e-14, 1),
        ylim=(1e-13, 1e-1),
    )
    alt = (
        "The largest error of a central-difference Jacobian of softmax against the step h, on logarithmic axes: a V. "
        f"From the right it falls with the square of h to about 10 to the {round(np.log10(errors[best]))} at h about "
        f"10 to the {round(np.log10(steps[best]))}, then rises, jagged, as 1/h, to about 10 to the "
        f"{round(np.log10(errors[-1]))} at h = 10 to the -13."
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
