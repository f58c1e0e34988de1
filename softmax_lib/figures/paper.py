"""What the figures of all chapters share: colours, pictures and tables, bars, number formats.

A figure is a function that the decorator `picture` makes return a :class:`Picture`. It says one
thing, and its title says it. A picture is an SVG that the site sets inline, so that its text takes
the page's colour in light and dark; elsewhere (JupyterLab, GitHub, print) it stands on white paper
of its own. It is no wider than 6 inches, so that its words can be read on a phone.
"""

import io
import math
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers too; the interactives use the same.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
CLASS_COLOURS = BLUE, VERMILION, GREEN, PURPLE  # cat, dog, tiger and none, as in the interactives

# These two stand in for CSS variables, which replace them in the SVG. The site sets the variables;
# elsewhere their fallbacks hold.
INK, PAPER = "#010203", "#fefdfc"
_CSS = {INK: "var(--figure-ink, #1f2328)", PAPER: "var(--figure-paper, #ffffff)"}

_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")

_STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    **dict.fromkeys(["text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"], INK),
    "svg.fonttype": "none",  # text stays text: small, selectable, in the page's font
}

# What each library is called, in words and in a column's head, and how it is drawn.
LIBRARIES = {
    "with_numpy": ("softmax_lib, NumPy", "NumPy", BLUE, "o"),
    "with_numba": ("softmax_lib, Numba", "Numba", GREEN, "D"),
    "scipy": ("SciPy", "SciPy", ORANGE, "^"),
    "torch": ("PyTorch", "PyTorch", VERMILION, "s"),
    "formula": ("the formula", "formula", PURPLE, "v"),
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


def picture(draw: Callable[..., tuple[Figure, str]]) -> Callable[..., Picture]:
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
    """Matplotlib's SVG with the page's font, colours and width, and with `alt` as its label."""
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
    # Pictures share a page, where an id must be unique. Only the ids that something refers to stay: they are hashes.
    svg = re.sub(r' id="([^"]+)"', lambda name: name[0] if f"#{name[1]}" in svg else "", svg)
    for colour, css in _CSS.items():
        svg = svg.replace(colour, css)
    svg = re.sub(r"(font: [^;\"]*?|font-family: )'[^;\"]*", r"\1system-ui, sans-serif", svg)
    # Two decimals are all that can be seen of a position, and all that is the same on every machine.
    # Only tags are rounded, so that the words between them stay as they are.
    return head + re.sub(r"<[^>]*>", lambda tag: _LONG_NUMBER.sub(lambda n: f"{float(n[0]):.2f}", tag[0]), svg)


def bar_chart(axes: Axes, labels: Sequence[str], values: npt.ArrayLike, colour: str, form: str) -> None:
    """Draw a bar for each value, with the value at its end in the format `form`."""
    values = np.asarray(values)
    bars = axes.bar(labels, values, color=colour, width=0.7)
    axes.bar_label(bars, [format(v, form).replace("-", "−") for v in values], padding=2)
    axes.margins(y=0.15)
    axes.axhline(0, color=INK, linewidth=0.8)


def heading(figure: Figure, title: str, size: float | str = 12) -> None:
    """Set a title over all panels of a figure, in the style of the titles over single panels."""
    figure.suptitle(title, x=0.02, ha="left", weight="bold", fontsize=size)


def two_digits(value: float) -> str:
    """A positive number with two significant digits, or with all that stand before the point."""
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}"


def power_of_ten(exponent: int) -> str:
    """A tick's label on a logarithmic axis: a number from 0.01 to 100, beyond it a power of ten."""
    if -2 <= exponent <= 2:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
