"""Every Matplotlib figure of the book: a function each, which returns a :class:`Picture`. And the tables of numbers.

A figure says one thing, and its title says it. A picture is an SVG that the site sets inline, so that
its text takes the page's colour in light and dark; elsewhere (JupyterLab, GitHub, print) it stands on
white paper of its own. It is no wider than 6 inches, so that its words can be read on a phone.
"""

import io
import math
import re
import textwrap
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import wraps
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from softmax_lib.examples import Layer
from softmax_lib.with_numpy import softmax

# Okabe and Ito's colours, told apart by colour-blind readers too; the interactives use the same.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
_CLASSES = BLUE, VERMILION, GREEN, PURPLE  # cat, dog, tiger and none, as in the interactives

# Stand-ins, replaced in the SVG by CSS variables that the site sets; the fallbacks hold elsewhere.
_INK, _PAPER = "#010203", "#fefdfc"
_CSS = {_INK: "var(--figure-ink, #1f2328)", _PAPER: "var(--figure-paper, #ffffff)"}

_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")

_STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": _PAPER,
    "axes.facecolor": "none",
    **dict.fromkeys(["text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"], _INK),
    "svg.fonttype": "none",  # text stays text: small, selectable, in the page's font
}


class Picture:
    """A figure as SVG, with the text that stands for it where it cannot be seen."""

    def __init__(self, svg: str, alt: str) -> None:
        self.svg = svg
        self.alt = alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_svg_(self) -> str:
        return self.svg


class Table:
    """A table as HTML, and the line that stands for it where there is only text."""

    def __init__(self, html: str, summary: str) -> None:
        self.html = html
        self.summary = summary

    def __repr__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return self.html


def _picture(draw: Callable[..., tuple[Figure, str]]) -> Callable[..., Picture]:
    """Make a drawing function, which returns a figure and its alt text, return a `Picture`."""

    @wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Picture:
        with mpl.rc_context(_STYLE | {"svg.hashsalt": draw.__name__}):
            figure, alt = draw(*args, **kwargs)
            buffer = io.StringIO()
            figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
        return Picture(_for_the_page(buffer.getvalue(), alt), alt)

    return drawn


def _for_the_page(svg: str, alt: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    label = alt.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{float(width) * 4 / 3:.0f}" viewBox="0 0 {float(width):.2f} {float(height):.2f}" '
        f'role="img" aria-label="{label}" style="max-width: 100%; height: auto; stroke-linejoin: round">'
    )
    svg = svg[svg.index(">") + 1 :]
    # Pictures share a page: only ids that something refers to stay, and those are hashes.
    svg = re.sub(r' id="([^"]+)"', lambda name: name[0] if f"#{name[1]}" in svg else "", svg)
    for colour, css in _CSS.items():
        svg = svg.replace(colour, css)
    svg = re.sub(r"(font: [^;\"]*?|font-family: )'[^;\"]*", r"\1system-ui, sans-serif", svg)
    # Of a position, two decimals of a point are enough to see, and the same on every machine; words stay as they are.
    return head + re.sub(r"<[^>]*>", lambda tag: _LONG_NUMBER.sub(lambda n: f"{float(n[0]):.2f}", tag[0]), svg)


def _bars(axes: Axes, labels: Sequence[str], values: npt.ArrayLike, colour: str, form: str) -> None:
    values = np.asarray(values)
    bars = axes.bar(labels, values, color=colour, width=0.7)
    axes.bar_label(bars, [format(v, form).replace("-", "−") for v in values], padding=2)
    axes.margins(y=0.15)
    axes.axhline(0, color=_INK, linewidth=0.8)


@_picture
def plain_division_fails(logits: npt.ArrayLike) -> tuple[Figure, str]:
    """Shares by plain division beside shares of exponentials."""
    logits = np.asarray(logits)
    labels = [f"{z:g}" for z in logits]
    figure = Figure(figsize=(5.8, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _bars(left, labels, logits / logits.sum(), VERMILION, ".2f")
    _bars(right, labels, softmax(logits), BLUE, ".2f")
    left.set(title="z / Σz leaves 0 to 1", xlabel="logit z", ylabel="share")
    right.set(title="eᶻ / Σeᶻ never does", xlabel="logit z")
    alt = (
        f"Two bar charts for the logits {', '.join(labels)}. Plain division gives shares "
        f"{', '.join(f'{s:.2f}' for s in logits / logits.sum())}, below zero and above one; "
        f"softmax gives {', '.join(f'{p:.2f}' for p in softmax(logits))}."
    )
    return figure, alt


@_picture
def two_classes_are_the_sigmoid() -> tuple[Figure, str]:
    """The probability of the first of two classes, over the difference of their logits."""
    difference = np.linspace(-6, 6, 121)
    first = softmax(np.stack([difference, np.zeros_like(difference)]), axis=0)[0]
    figure = Figure(figsize=(5.6, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(difference, first, color=BLUE, linewidth=2.5)
    axes.plot([0], [0.5], "o", color=VERMILION)
    axes.annotate("equal logits: ½", (0, 0.5), (0.4, 0.4), color=_INK)
    axes.grid(alpha=0.25)
    axes.set(
        title="With two classes only the difference counts: the sigmoid",
        xlabel="difference of the logits, z₁ − z₂",
        ylabel="probability of class 1",
    )
    alt = (
        "Curve of the first class's probability against the difference of the two logits, from -6 to 6: "
        f"an S from {first[0]:.4f} through one half at zero to {first[-1]:.4f}."
    )
    return figure, alt


@_picture
def scaling_sharpens(logits: npt.ArrayLike, factors: Sequence[float] = (0.5, 1, 2, 4)) -> tuple[Figure, str]:
    """The probabilities of the same logits, multiplied by several factors."""
    logits = np.asarray(logits)
    probabilities = [softmax(logits * factor) for factor in factors]
    figure = Figure(figsize=(6, 2.8), layout="constrained")
    for axes, factor, p in zip(figure.subplots(1, len(factors), sharey=True), factors, probabilities, strict=True):
        _bars(axes, [f"{z:g}" for z in logits], p, BLUE, ".2f")
        axes.set(xlabel="logit z", title=f"{factor:g} · z", ylim=(0, 1.15))
    figure.axes[0].set_ylabel("probability")
    figure.suptitle("Multiplying the logits sharpens or flattens", x=0.02, ha="left", weight="bold")
    alt = "Four bar charts of softmax of the same logits multiplied by a factor. " + " ".join(
        f"Times {factor:g}, the largest probability is {p.max():.2f}."
        for factor, p in zip(factors, probabilities, strict=True)
    )
    return figure, alt


@_picture
def from_logits_to_probabilities(logits: npt.ArrayLike, labels: Sequence[str] | None = None) -> tuple[Figure, str]:
    """The three stages: logits, exponentials, probabilities."""
    logits = np.asarray(logits)
    labels = list(labels) if labels else [f"z{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(len(logits))]
    exponentials = np.exp(logits)
    stages = [
        ("logits z", logits, ORANGE, ".4g"),
        ("exponentials eᶻ", exponentials, GREEN, ".2f"),
        ("probabilities eᶻ/Σ", softmax(logits), BLUE, ".3f"),
    ]
    figure = Figure(figsize=(6, 0.32 * len(logits) + 0.7), layout="constrained")
    for axes, (title, values, colour, form) in zip(figure.subplots(1, 3, sharey=True), stages, strict=True):
        bars = axes.barh(labels, values, color=colour, height=0.7)
        axes.bar_label(bars, [format(v, form) for v in values], padding=3)
        axes.margins(x=0.4)
        axes.set_xlim(left=min(0, values.min()))
        axes.set_title(title)
        axes.tick_params(left=False, bottom=False, labelbottom=False)
        axes.spines["bottom"].set_visible(False)
    axes.invert_yaxis()
    top = int(np.argmax(logits))
    alt = (
        f"Three bar charts: the logits, their exponentials, and their probabilities. The largest logit, {logits[top]:g}"
        f" of {labels[top]}, has {exponentials[top] / exponentials.sum():.0%} of the sum of exponentials."
    )
    return figure, alt


@_picture
def axis_says_what_sums_to_one(batch: npt.ArrayLike) -> tuple[Figure, str]:
    """A batch normalised along its rows, and along its columns."""
    batch = np.asarray(batch)
    figure = Figure(figsize=(6, 2.4), layout="constrained")
    for axes, axis in zip(figure.subplots(1, 2, sharey=True), (-1, 0), strict=True):
        p = softmax(batch, axis=axis)
        axes.pcolormesh(p, cmap="Blues", vmin=0, vmax=1.6, edgecolor=_PAPER, linewidth=2)
        for (i, j), value in np.ndenumerate(p):
            axes.text(j + 0.5, i + 0.5, f"{value:.2f}", ha="center", va="center", color="#000000")
        axes.set_xticks(np.arange(batch.shape[1]) + 0.5, [f"class {j + 1}" for j in range(batch.shape[1])])
        axes.set_yticks(np.arange(batch.shape[0]) + 0.5, [f"example {i + 1}" for i in range(batch.shape[0])])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(f"axis={axis}: {'rows' if axis else 'columns'} sum to 1")
    axes.invert_yaxis()
    alt = (
        f"The same batch of {batch.shape[0]} examples by {batch.shape[1]} classes, twice as a grid of probabilities. "
        "With axis=-1 each row, one example, sums to one; with axis=0 each column does, which mixes the examples."
    )
    return figure, alt


@_picture
def layer_of_the_network(layer: Layer) -> tuple[Figure, str]:
    """The last layer as nodes and weighted connections."""
    hidden, weights = np.asarray(layer.hidden), np.asarray(layer.weights)
    logits = weights @ hidden + np.asarray(layer.bias)
    n, m = weights.shape
    ys_hidden, ys_logits = np.linspace(n - 1.5, 0.5, m), np.arange(n)[::-1].astype(float)
    figure = Figure(figsize=(5.8, 3.6), layout="constrained")
    axes = figure.subplots()
    for (i, j), weight in np.ndenumerate(weights):
        if weight:
            colour, line = (BLUE, "solid") if weight > 0 else (VERMILION, "dashed")
            ends = [ys_hidden[j], ys_logits[i]]
            axes.plot([0, 2], ends, color=colour, linestyle=line, linewidth=2.2 * abs(weight), zorder=1)
    nodes = [(0, y, f"{h:g}", f"h{'₁₂₃'[j]}", "right") for j, (y, h) in enumerate(zip(ys_hidden, hidden, strict=True))]
    nodes += [(2, y, f"{z:.3g}", name, "left") for y, z, name in zip(ys_logits, logits, layer.labels, strict=True)]
    for x, y, value, name, side in nodes:
        axes.plot([x], [y], "o", markersize=34, markerfacecolor=_PAPER, markeredgecolor=_INK, zorder=2)
        axes.text(x, y, value, ha="center", va="center", zorder=3)
        axes.text(x + (0.22 if side == "left" else -0.22), y, name, ha=side, va="center", weight="bold")
    axes.plot([], [], color=BLUE, label="positive weight")
    axes.plot([], [], color=VERMILION, linestyle="dashed", label="negative weight")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
    axes.set(title="Three hidden values become four logits", xlim=(-0.7, 2.7), ylim=(-0.6, n - 0.4))
    axes.axis("off")
    alt = (
        f"Diagram: three hidden nodes ({', '.join(f'{h:g}' for h in hidden)}) joined by weights to four output nodes, "
        + ", ".join(f"{name} {z:.3g}" for name, z in zip(layer.labels, logits, strict=True))
        + ". Line width shows the size of a weight; dashed lines are negative."
    )
    return figure, alt


@_picture
def probabilities_of_a_batch(probabilities: npt.ArrayLike, labels: Sequence[str]) -> tuple[Figure, str]:
    """One stacked bar an example, one segment a class."""
    probabilities = np.asarray(probabilities)
    rows = [f"input {i + 1}" for i in range(len(probabilities))]
    figure = Figure(figsize=(6, 0.75 * len(rows) + 1.4), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(rows))
    for label, colour, column in zip(labels, _CLASSES, probabilities.T, strict=True):
        bars = axes.barh(rows, column, left=left, color=colour, edgecolor=_PAPER, linewidth=2, height=0.7)
        names = [f"{label}\n{p:.2f}" if p > 0.08 else "" for p in column]
        axes.bar_label(bars, names, label_type="center", color="#ffffff" if colour == BLUE else "#000000", fontsize=10)
        left += column
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(title="Each input gets a distribution of its own", xlabel="probability", xlim=(0, 1))
    alt = "Stacked bars, one for each input. " + " ".join(
        f"{row}: " + ", ".join(f"{label} {p:.2f}" for label, p in zip(labels, ps, strict=True)) + "."
        for row, ps in zip(rows, probabilities, strict=True)
    )
    return figure, alt


@_picture
def where_exp_ends() -> tuple[Figure, str]:
    """For each floating-point format, the logits whose exponential it can hold."""
    formats = [("float16", 5, 10), ("bfloat16", 8, 7), ("float32", 8, 23), ("float64", 11, 52)]
    figure = Figure(figsize=(6, 3.1), layout="constrained")
    axes = figure.subplots()
    words = []
    for row, (name, exponent_bits, fraction_bits) in enumerate(formats):
        largest = 2 ** (exponent_bits - 1)  # as powers of two, since 2**1024 is no float64
        smallest = 2 - largest - fraction_bits - 1  # half of the smallest subnormal rounds to zero
        zero, subnormal, infinite = (power * np.log(2) for power in (smallest, 2 - largest, largest))
        axes.barh(row, infinite - zero, left=zero, height=0.55, color=BLUE)
        axes.barh(row, subnormal - zero, left=zero, height=0.55, color=ORANGE)
        axes.text(zero - 15, row, f"{zero:.1f}".replace("-", "−"), ha="right", va="center")
        axes.text(infinite + 15, row, f"{infinite:.1f}", ha="left", va="center")
        words.append(f"{name} from {zero:.1f} to {infinite:.1f}")
    axes.barh(0, 0, color=BLUE, label="held to full precision")
    axes.barh(0, 0, color=ORANGE, label="digits lost (subnormal)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.56), ncols=2, frameon=False)
    axes.set_yticks(range(len(formats)), [name for name, *_ in formats])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(
        title="Each format holds eᶻ only in a window:\nleft of it there is 0, right of it ∞",
        xlabel="logit z",
        xlim=(-1010, 920),
    )
    alt = (
        "Four horizontal bars on one axis of logits: where each format can hold the exponential. "
        + ", ".join(words)
        + ". The left end of each bar is marked as subnormal: there digits are lost. It is longest, 37, in float64."
    )
    return figure, alt


@_picture
def sums_that_stop_growing() -> tuple[Figure, str]:
    """What the probabilities of K equal logits sum to, if the ones are added in a narrow format."""
    classes = np.logspace(0, 5, 101)
    figure = Figure(figsize=(5.4, 3.3), layout="constrained")
    axes = figure.subplots()
    for name, stuck_at, colour, line in (("bfloat16", 256, VERMILION, "solid"), ("float16", 2048, ORANGE, "dashed")):
        axes.loglog(classes, np.maximum(classes, stuck_at) / stuck_at, color=colour, linestyle=line, linewidth=2.5)
        axes.text(1.2e5, 1e5 / stuck_at, f"{name}: {1e5 / stuck_at:.0f}", va="center")
    axes.loglog(classes, np.ones_like(classes), color=BLUE, linestyle="dotted", linewidth=2.5)
    axes.text(1.2e5, 1, "float32: 1", va="center")
    axes.grid(alpha=0.25)
    axes.set_xticks([1, 10, 100, 1_000, 10_000, 100_000], ["1", "10", "100", "1 000", "10 000", "100 000"])
    axes.set_yticks([1, 10, 100], ["1", "10", "100"])
    axes.minorticks_off()
    axes.set(
        title="A sum that is stuck makes\nthe probabilities add up to more than one",
        xlabel="classes K, all with the same logit",
        ylabel="sum of the probabilities",
    )
    alt = (
        "Line chart on logarithmic axes: the sum of K equal probabilities against K, up to 100 000 classes, by the "
        "format in which the exponentials were added. bfloat16 leaves 1 at K = 256 and reaches 391, "
        "float16 leaves it at 2048 and reaches 49, float32 stays at 1."
    )
    return figure, alt


@_picture
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
    for i, (label, colour) in enumerate(zip(labels, _CLASSES, strict=True)):
        axes.plot(nudges, paths[:, i], color=colour, linewidth=2.5)
        axes.plot(nudges, p[i] + slopes[i] * nudges, color=colour, linestyle="dashed", linewidth=1.3)
        axes.text(-3.08, paths[0, i], label, ha="right", va="center", weight="bold")
    axes.axvspan(-0.5, 0.5, color=_INK, alpha=0.08, linewidth=0)
    axes.plot([], [], color=_INK, linewidth=2.5, label="what happens")
    axes.plot([], [], color=_INK, linewidth=1.3, linestyle="dashed", label="what the slope predicts")
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


@_picture
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
        _bars(axes, list(labels), vector, VERMILION if eigenvalue < 1e-12 else BLUE, ".2f")
        axes.set(title=f"× {abs(eigenvalue):.2f}", ylim=(-1.0, 1.1))
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0, labelleft=False)
        words.append(
            f"times {abs(eigenvalue):.2f}: " + ", ".join(f"{n} {x:.2f}" for n, x in zip(labels, vector, strict=True))
        )
    figure.suptitle(
        f"A push on all logits alike does nothing;\nof any other, at most {eigenvalues[-1]:.2f} arrives",
        x=0.02,
        ha="left",
        weight="bold",
    )
    return figure, "Four bar charts, the eigenvectors of the Jacobian, titled with the eigenvalues. " + "; ".join(
        words
    ) + "."


@_picture
def slope_vanishes_when_sure() -> tuple[Figure, str]:
    """The slope of the first of two probabilities, over the difference of their logits."""
    lead = np.linspace(-8, 8, 161)
    p = softmax(np.stack([lead, np.zeros_like(lead)]), axis=0)
    figure = Figure(figsize=(5.6, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(lead, p[0] * p[1], color=BLUE, linewidth=2.5)
    axes.plot([0], [0.25], "o", color=VERMILION)
    axes.annotate("undecided: ¼", (0, 0.25), (0.5, 0.24), color=_INK)
    axes.annotate("sure: almost nothing", (6, 0.01), (3.4, 0.06), color=_INK)
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


@_picture
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
    """Of the Jacobian, the largest error; the exponentials are rounded correctly, so every machine draws the same."""

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


# --- what benchmarks/accuracy.py found -------------------------------------------------------------------------------

# What each library is called, in words and in a column's head, and how it is drawn.
_LIBRARIES = {
    "with_numpy": ("softmax_lib, NumPy", "NumPy", BLUE, "o"),
    "with_numba": ("softmax_lib, Numba", "Numba", GREEN, "D"),
    "scipy": ("SciPy", "SciPy", ORANGE, "^"),
    "torch": ("PyTorch", "PyTorch", VERMILION, "s"),
    "formula": ("the formula", "formula", PURPLE, "v"),
}
_OURS = ("with_numpy", "with_numba")
_FEWEST_ULP = 0.01  # where the axis begins
_EPSILONS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


@_picture
def errors_of_the_families(results: Sequence[dict[str, Any]], operation: str) -> tuple[Figure, str]:
    """The largest error of each library, for every family of inputs and every number format.

    The results are the rows of `benchmarks/results/accuracy.json`.
    """
    rows = [row for row in results if row["operation"] == operation and "max" in row]
    families, dtypes = (list(dict.fromkeys(row[key] for row in rows)) for key in ("family", "dtype"))
    libraries = [library for library in _LIBRARIES if any(row["library"] == library for row in rows)]
    errors = {(row["library"], row["dtype"], row["family"]): float(row["max"]) for row in rows}
    end = 10.0 ** math.ceil(math.log10(max(filter(math.isfinite, errors.values()))) + 0.1)

    def worst(library: str, *dtypes: str) -> float:
        return max(error for (of, dtype, _), error in errors.items() if of == library and dtype in dtypes)

    figure = Figure(figsize=(6, 1.6 + 0.78 * len(families)), layout="constrained")
    panels = figure.subplots(-(-len(dtypes) // 2), 2, sharex=True, sharey=True).ravel()
    for axes, dtype in zip(panels, dtypes, strict=True):
        promised = 4 if dtype == "float64" else 1
        axes.axvspan(_FEWEST_ULP / 2, promised, color=SKY, alpha=0.25, linewidth=0)
        if "with_numba" in libraries:
            axes.axvline(4, color=GREEN, linestyle="dashed", linewidth=1.5)
        for place, library in enumerate(libraries):
            _, _, colour, marker = _LIBRARIES[library]
            found = [errors.get((library, dtype, family), math.nan) for family in families]
            heights = np.arange(len(families)) + 0.2 * (place - (len(libraries) - 1) / 2)
            axes.semilogx(np.clip(found, _FEWEST_ULP, end), heights, marker, color=colour, markersize=5)
        for between in range(1, len(families)):
            axes.axhline(between - 0.5, color=_INK, alpha=0.2, linewidth=0.8)
        axes.set_title(dtype)
        axes.tick_params(axis="y", length=0)
    for axes in panels[len(dtypes) - 2 :]:
        axes.set_xlabel("largest error, ULP")
    ticks = range(-2, round(math.log10(end)) + 1, 2 if end < 1e6 else 4)
    axes.set_xticks([10.0**k for k in ticks], [_power_of_ten(k) for k in ticks])
    axes.minorticks_off()
    axes.set_xlim(_FEWEST_ULP / 2, 2 * end)
    axes.set_yticks(range(len(families)), [textwrap.fill(_family(name), 14) for name in families])
    axes.set_ylim(len(families) - 0.5, -0.5)
    marks = [axes.plot([], [], m, color=c, label=name)[0] for name, _, c, m in (_LIBRARIES[of] for of in libraries)]
    marks.append(axes.axvspan(0, 0, color=SKY, alpha=0.25, label="promised for NumPy"))
    if "with_numba" in libraries:
        marks.append(axes.axvline(-1, color=GREEN, linestyle="dashed", label="promised for Numba"))
    figure.legend(handles=marks, loc="outside lower center", ncols=2, frameon=False)
    ours = math.ceil(max(worst(library, *dtypes) for library in _OURS if library in libraries))
    figure.suptitle(
        f"{operation}: softmax_lib is never more than {ours} ULP off", x=0.02, ha="left", weight="bold", fontsize=12
    )
    worsts = (
        f"{dtype}: "
        + ", ".join(f"{_LIBRARIES[of][1]} at most {_plain(worst(of, dtype))}" for of in libraries)
        + " ULP."
        for dtype in dtypes
    )
    alt = (
        f"Dots on logarithmic axes: the largest error of {operation} for {len(families)} families of inputs, by "
        f"library (NumPy is softmax_lib's) and number format. {' '.join(worsts)}"
    )
    return figure, alt


def errors_table(results: Sequence[dict[str, Any]], operation: str) -> Table:
    """The same in numbers: a group of rows for each number format, a column for each library."""
    rows = [row for row in results if row["operation"] == operation]
    libraries = [library for library in _LIBRARIES if any(row["library"] == library for row in rows)]
    ours = sum(library in _OURS for library in libraries)
    heads = "".join(f'<th scope="col">{_LIBRARIES[library][1]}</th>' for library in libraries)
    groups = []
    for dtype in dict.fromkeys(row["dtype"] for row in rows):
        of_dtype = [row for row in rows if row["dtype"] == dtype]
        groups.append(f'<tbody><tr><th scope="rowgroup" colspan="{len(libraries) + 1}">{dtype}</th></tr>')
        for family in dict.fromkeys(row["family"] for row in of_dtype):
            found = {row["library"]: row for row in of_dtype if row["family"] == family}
            cells = "".join(f"<td>{_error(found.get(library, {}))}</td>" for library in libraries)
            groups.append(f'<tr><th scope="row">{_family(family)}</th>{cells}</tr>')
        groups.append("</tbody>")
    unit = "in ULP" if rows[0]["unit"] == "ulp" else "relative to the exact component"
    notes = "bold: a decimal digit or more is lost"
    if any("returned" in row for row in rows):
        notes += "; *: answered in float64"
    html = (
        f'<div class="pst-scrollable-table-container"><table class="table numbers">'
        f"<caption>{operation}: the largest error, {unit} <small>({notes})</small></caption>"
        f'<thead><tr><th scope="col" rowspan="2">family</th><th scope="colgroup" colspan="{ours}">softmax_lib</th>'
        f'<th scope="colgroup" colspan="{len(libraries) - ours}">others</th></tr><tr>{heads}</tr></thead>'
        f"{''.join(groups)}</table></div>"
    )
    return Table(html, f"Table of the largest errors of {operation}")


def _plain(error: float) -> str:
    return f"{error:.0f}" if 100 <= error < 1e5 else f"{error:.2g}".replace("e+", "e")


def _error(row: dict[str, Any]) -> str:
    """An error as HTML; bold if it is more than ten units in the last place, a decimal digit."""
    if "max" not in row:
        return "–"
    error, in_ulp = float(row["max"]), row["unit"] == "ulp"
    if error == 0 or math.isinf(error):
        text = "∞" if error else "0"
    elif _FEWEST_ULP <= error < 9999.5:
        text = f"{error:.{2 if error < 9.995 else 1 if error < 99.95 else 0}f}"
    elif in_ulp and error < 1:
        text = f"&lt; {_FEWEST_ULP}"
    else:  # "1.2e15", as in the interactives
        mantissa, exponent = f"{error:.1e}".split("e")
        text = f"{mantissa}e{int(exponent)}".replace("-", "−")
    text += "*" if "returned" in row else ""
    return f"<b>{text}</b>" if error > 10 * (1 if in_ulp else _EPSILONS[row["dtype"]]) else text


def _family(name: str) -> str:
    """A family's name, typeset."""
    for plain, set_ in (
        ("sigma ", "σ\u00a0=\u00a0"),
        ("K = 100000", "K\u00a0=\u00a010⁵"),
        ("-1e4", "−10⁴"),
        ("+1e4", "+10⁴"),
    ):
        name = name.replace(plain, set_)
    return name


def _power_of_ten(exponent: int) -> str:
    if -2 <= exponent <= 2:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


# --- what benchmarks/ladder.py and benchmarks/cpu.py found ------------------------------------------------------------

_RUNGS = {
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
_PEERS = {
    **_LIBRARIES,
    "jax": ("JAX", "JAX", PURPLE, "v"),
    "onnxruntime": ("ONNX Runtime", "ONNX", SKY, "P"),
}


@_picture
def ladder(results: dict[str, Any], shape: tuple[int, int]) -> tuple[Figure, str]:
    """What each rung takes for an element of a matrix of this shape, beside a copy; from `ladder.json`."""
    (found,) = (case["results"] for case in results["cases"] if tuple(case["shape"]) == shape)
    size = shape[0] * shape[1]
    nanoseconds = {name: one["seconds"]["median"] / size * 1e9 for name, one in found.items() if "seconds" in one}
    rungs = [name for name in (*results["rungs"], "with_numba") if name in nanoseconds]
    if shape[0] > 1:
        rungs.remove("softmax_pieces")  # for a single row: it would be longer than all others together
    limit = min(nanoseconds["copy"], nanoseconds["copy_nontemporal"])
    values = np.array([nanoseconds[name] for name in rungs])
    ours = np.array(rungs) == "with_numba"
    numba = ~ours & (np.arange(len(rungs)) >= rungs.index("softmax_articles"))
    one_core, heights = nanoseconds["copy_one_core"], np.arange(len(rungs))
    figure = Figure(figsize=(6, 0.3 * len(rungs) + 1.9), layout="constrained")
    axes = figure.subplots()
    axes.hlines(heights, limit, values, color=_INK, alpha=0.25, linewidth=1.5)
    for chosen, label, colour, marker in (
        (~ours & ~numba, "NumPy", ORANGE, "s"),
        (numba, "Numba", BLUE, "o"),
        (ours, "the library", GREEN, "D"),
    ):
        axes.semilogx(values[chosen], heights[chosen], marker, color=colour, markersize=7, label=label)
    covering = {"facecolor": _PAPER, "edgecolor": "none", "pad": 1}  # the dotted line, where it passes behind
    for height, value in enumerate(values):
        axes.text(1.12 * value, height, _two_digits(value), va="center", bbox=covering)
    axes.axvline(limit, color=_INK, linestyle="dashed", linewidth=1.5, label=f"copy: {_two_digits(limit)}")
    axes.axvline(one_core, color=_INK, linestyle="dotted", linewidth=1.5, label=f"on one core: {_two_digits(one_core)}")
    ticks = [tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if 0.8 * limit < tick < values.max()]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(0.8 * min(limit, one_core, values.min()), 1.8 * values.max())
    axes.set_yticks(heights, [_RUNGS[name] for name in rungs])
    axes.set_ylim(len(rungs) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("nanoseconds per element (logarithmic)")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(
        f"{shape[0]} × {shape[1]}: from NumPy's three lines to {values[0] / values.min():.0f} times their speed",
        x=0.02,
        ha="left",
        weight="bold",
        fontsize=12,
    )
    alt = (
        f"Dots on a logarithmic axis: nanoseconds per element of a {shape[0]} by {shape[1]} float32 softmax. "
        + "; ".join(f"{_RUNGS[name]}: {_two_digits(nanoseconds[name])}" for name in rungs)
        + f". A copy takes {_two_digits(limit)} on all cores, {_two_digits(one_core)} on one."
    )
    return figure, alt


def _two_digits(value: float) -> str:
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}"


@_picture
def speed_beside_peers(cases: Sequence[dict[str, Any]]) -> tuple[Figure, str]:
    """The speed of float32 softmax by library and shape, as a share of the faster copy's; from `cpu.json`."""
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
    axes.axvline(1, color=_INK, linestyle="dashed", linewidth=1.5)
    for between in range(1, len(rows)):
        axes.axhline(between - 0.5, color=_INK, alpha=0.2, linewidth=0.8)
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


# --- what a GPU does: pictures of counts and of data sheets, with nothing measured ------------------------------------


@_picture
def way_to_the_gpu(size: float, cpu: float, wire: float, memory: float) -> tuple[Figure, str]:
    """The least time for the softmax of `size` bytes, by where they lie; the speeds are in bytes per second."""
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
        axes.text(left, height, f" {_two_digits(left)}", va="center")
        words.append(f"{label.replace(chr(10), ' ')} {_two_digits(left)}")
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


@_picture
def calls_return_early(kernels: Sequence[str] = ("max", "x − m", "exp", "sum", "÷")) -> tuple[Figure, str]:
    """Python hands over kernels to the stream, and is done long before the stream is; a drawing, not to scale."""
    launch, work = 0.45, 1.6
    figure = Figure(figsize=(6, 2.7), layout="constrained")
    axes = figure.subplots()
    for k, name in enumerate(kernels):
        handed = k * launch
        axes.barh(1, launch - 0.06, left=handed, height=0.5, color=ORANGE)
        start = launch + k * work
        axes.barh(0, work - 0.06, left=start, height=0.5, color=SKY)
        axes.text(start + work / 2, 0, name, ha="center", va="center", color="#000000")
        axes.plot([handed + launch / 2, start + 0.1], [0.73, 0.27], color=_INK, alpha=0.4, linewidth=0.8)
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


@_picture
def crossover_of_the_limits(call: float, cpu: float, wire: float, memory: float) -> tuple[Figure, str]:
    """A model: `call` seconds for a call of the GPU, and bytes over bandwidth for everything else."""
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
    axes.set_xticks([10.0**k for k in range(3, 10)], [_power_of_ten(k) for k in range(3, 10)])
    axes.set_yticks([10.0**k for k in range(-3, 4)], [_power_of_ten(k) for k in range(-3, 4)])
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
        f"{_two_digits(cpu / wire + cpu / memory)} of the CPU's."
    )
    return figure, alt


@_picture
def traffic_of_softmax(versions: dict[str, Sequence[tuple[str, int, int]]]) -> tuple[Figure, str]:
    """How often each version moves the matrix: for every pass its name, and how often it reads and writes all."""
    figure = Figure(figsize=(6, 0.85 * len(versions) + 1.5), layout="constrained")
    axes = figure.subplots()
    words, totals = [], []
    for height, (version, passes) in enumerate(versions.items()):
        left = 0
        for name, reads, writes in passes:
            axes.barh(height, reads, left=left, height=0.5, color=BLUE, edgecolor=_PAPER, linewidth=1.5)
            axes.barh(
                height, writes, left=left + reads, height=0.5, color=ORANGE, edgecolor=_PAPER, linewidth=1.5, hatch="//"
            )
            axes.text(left + (reads + writes) / 2, height - 0.3, name, ha="center", va="bottom", fontsize=10)
            left += reads + writes
        axes.text(left + 0.1, height, f"{left} N", va="center", weight="bold")
        totals.append(left)
        steps = ", ".join(f"{name} reads {reads} and writes {writes}" for name, reads, writes in passes)
        words.append(f"{version.replace(chr(10), ' ')}: {steps}; together {left} N")
    axes.barh(0, 0, color=BLUE, label="read")
    axes.barh(0, 0, color=ORANGE, edgecolor=_PAPER, hatch="//", label="written")
    axes.set_yticks(range(len(versions)), list(versions))
    axes.set_ylim(len(versions) - 0.5, -0.75)
    axes.set_xlim(0, max(totals) + 0.8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("trips of the whole matrix, N numbers each")
    figure.suptitle("One kernel moves the matrix twice, not eight times", x=0.02, ha="left", weight="bold", fontsize=12)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure, f"Bars of the traffic with memory, to scale. {'. '.join(words)}."


@_picture
def sectors_of_a_warp(strides: Sequence[int] = (1, 2, 8)) -> tuple[Figure, str]:
    """The sectors of 32 bytes that move when the 32 threads of a warp read floats this far apart."""
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
            axes.add_patch(mpl.patches.Rectangle((x, row), 0.86, 0.8, color=colour, alpha=alpha, linewidth=0))
        share = 32 / (8 * count)
        apart = "neighbours" if stride == 1 else f"{stride} numbers apart"
        axes.set_title(f"{apart}: {count} sectors, {100 * share:g} % of them used", weight="normal", fontsize=11)
        axes.set(xlim=(-0.2, 34), ylim=(count / 4, -0.1))
        axes.axis("off")
        words.append(f"{apart}, {count} sectors of which {100 * share:g} % is used")
    handles = [
        mpl.patches.Patch(color=BLUE, label="asked for"),
        mpl.patches.Patch(color=ORANGE, alpha=0.45, label="moved for nothing"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(
        "Neighbouring threads should read neighbouring numbers", x=0.02, ha="left", weight="bold", fontsize=12
    )
    alt = (
        "Memory as squares, one for each number, eight to a sector: what moves when each of 32 threads reads a float. "
        f"{'; '.join(words)}."
    )
    return figure, alt


@_picture
def row_in_registers(columns: int = 64, threads: int = 8) -> tuple[Figure, str]:
    """Which thread takes which logits of a row, four at a time, and what it then holds."""
    loads = columns // (4 * threads)
    colours = [SKY, ORANGE, GREEN, PURPLE] * (threads // 4)
    figure = Figure(figsize=(6, 3.7), layout="constrained")
    axes = figure.subplots()
    width = 16.0 / threads  # of one thread's place

    def piece(x: float, y: float, thread: int, text: str) -> None:
        box = mpl.patches.Rectangle((x, y), width * 0.9, 0.42, facecolor=colours[thread], edgecolor=_PAPER)
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
            axes.annotate("", (x, bottom), (x, top), arrowprops={"arrowstyle": "->", "color": _INK, "linewidth": 1})
    for y, label in ((4.2, "logits in\nmemory"), (2.65, "registers"), (1.87, "of thread"), (0.7, "results in\nmemory")):
        axes.text(-0.3, y if label == "of thread" else y - 0.02, label, ha="right", va="center")
    axes.set(
        title=f"{threads} threads read a row of {columns} once, and keep it",
        xlim=(-3.2, 16),
        ylim=(0.1, 4.75),
    )
    axes.axis("off")
    alt = (
        f"Diagram: the {columns} logits of a row in memory, in groups of four. Of the first {4 * threads}, thread 0 "
        f"takes 0 to 3, thread 1 takes 4 to 7, and so on to thread {threads - 1}; the next {4 * threads} are dealt out "
        f"the same way. Each thread keeps its {columns // threads} numbers in registers, and writes their results to "
        "the same places."
    )
    return figure, alt


@_picture
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
            axes.plot([stage, stage + 1], [lane, lane], color=_INK, alpha=0.35, linewidth=1)
            axes.plot([stage, stage + 1], [lane ^ offset, lane], color=BLUE, linewidth=1.5)
        axes.text(stage + 0.5, -0.75, f"lane ^ {offset}", ha="center", va="center", family="monospace")
    largest = max(values)
    for stage, held in enumerate(stages):
        for lane in lanes:
            known = held[lane] == largest
            axes.plot(
                [stage], [lane], "o", markersize=19, zorder=3,
                markerfacecolor=GREEN if known else _PAPER, markeredgecolor=_INK, markeredgewidth=2 if known else 1,
            )  # fmt: skip
            colour = "#000000" if known else _INK
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

# What each contestant is called, and how it is drawn.
_ON_A_GPU = {
    "with_cupy": ("softmax_lib, CuPy", PURPLE, "D", "solid"),
    "torch": ("PyTorch", VERMILION, "s", "dashed"),
    "torch_compile": ("PyTorch, compiled", ORANGE, "v", "dashdot"),
    "triton": ("Triton", SKY, "P", (0, (6, 2, 1, 2, 1, 2))),
    "cupyx": ("cupyx", GREEN, "^", "dotted"),
    "cupy_lines": ("CuPy, three lines", BLUE, "o", (0, (1, 3))),
}
_WAYS = {
    "with_numpy": ("NumPy", BLUE, "o", "dotted"),
    "with_numba": ("Numba", GREEN, "s", "dashed"),
    "with_cupy": ("CuPy, data on the GPU", PURPLE, "D", "solid"),
    "with_cupy_and_transfers": ("CuPy, there and back", ORANGE, "v", "dashdot"),
}


@_picture
def softmax_on_a_gpu(cases: Sequence[dict[str, Any]]) -> tuple[Figure, str]:
    """The speed of softmax along rows as a share of the copy's, by the length of the rows; from `gpu.json`."""
    shares: dict[str, dict[str, dict[int, float]]] = {}  # by type, contestant and columns
    for case in cases:
        if (case["operation"], case["axis"]) == ("softmax", -1):
            of_type = shares.setdefault(case["dtype"], {name: {} for name in _ON_A_GPU})
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
            label, colour, marker, line = _ON_A_GPU[name]
            style = {"color": colour, "marker": marker, "linestyle": line, "label": label}
            axes.semilogx(*zip(*points, strict=True), **style, linewidth=1.8, zorder=3 if name == "with_cupy" else 2)
            (worst, at_worst), (best, at_best) = (choose((share, n) for n, share in points) for choose in (min, max))
            told.append(f"{label} from {_two_digits(worst)} at {at_worst} to {_two_digits(best)} at {at_best}")
            if missing := sorted(by_length.keys() - dict(points).keys()):
                told[-1] += f", no result at {', '.join(map(str, missing))}"
        axes.axhline(1, color=_INK, linestyle="dashed", linewidth=1.2)
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
    figure.suptitle(
        f"Of a copy's speed, the library reaches\n{100 * min(ours):.0f} % to {100 * max(ours):.0f} % on {dtype} rows",
        x=0.02,
        ha="left",
        weight="bold",
        fontsize=12,
    )
    alt = "Lines: the speed of softmax as a share of a copy's, against the columns of the matrix. " + " ".join(words)
    return figure, alt


@_picture
def crossover_measured(crossover: dict[str, Any]) -> tuple[Figure, str]:
    """How long a softmax of more and more rows takes on the processor, on the GPU, and there and back."""
    rows, columns = crossover["rows"], crossover["columns"]
    figure = Figure(figsize=(5.8, 4.2), layout="constrained")
    axes = figure.subplots()
    words = []
    for name, (label, colour, marker, line) in _WAYS.items():
        if name in crossover["seconds"]:
            microseconds = [1e6 * seconds for seconds in crossover["seconds"][name]]
            axes.loglog(rows, microseconds, color=colour, marker=marker, linestyle=line, linewidth=1.8, label=label)
            words.append(f"{label} {_two_digits(microseconds[0])} to {_two_digits(microseconds[-1])}")
    wins = []
    for name, over in crossover["wins_from"].items():
        for host, first in over.items():
            ahead = "never ahead" if first is None else "always ahead" if first == rows[0] else f"ahead from {first} on"
            wins.append(f"{_WAYS[name][0]} is {ahead} of {_WAYS[host][0]}")
    needed = list(crossover["wins_from"].get("with_cupy", {}).values())
    if not needed or None in needed:
        title = "Even with the data on it, the GPU is not ahead"
    elif max(needed) == rows[0]:
        title = "With the data on it, the GPU is always ahead"
    else:
        title = f"With the data on it, the GPU is ahead\nfrom {max(needed)} rows on"
        axes.axvline(max(needed), color=_INK, linestyle="dotted", linewidth=1.2)
    axes.grid(alpha=0.25)
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        exponents = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        axis.set_ticks([10.0**k for k in exponents], [_power_of_ten(k) for k in exponents])
    axes.minorticks_off()
    axes.set(title=title, xlabel=f"rows of {columns} float32 (logarithmic)", ylabel="microseconds (logarithmic)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, handlelength=3.5)
    alt = (
        f"Lines on logarithmic axes: the microseconds that a softmax of rows of {columns} float32 takes, from "
        f"{rows[0]} to {rows[-1]} rows. {'; '.join(words)}. {'; '.join(wins)}."
    )
    return figure, alt
