"""What the figures of all chapters share: colours, pictures and tables, bars, names, number formats.

A figure is a function that the decorator `picture` makes return a :class:`Picture`. It says one
thing, and its title says it. Its first argument is the width to draw for, in CSS pixels: `picture`
asks for the page's column and for a phone's, and puts both drawings into one SVG. The site sets
that SVG inline, where its text takes the page's typeface, its colours follow the page in light and
dark, and `figures.css` shows the drawing that fits. Elsewhere (JupyterLab, GitHub) the wide drawing
stands on white paper of its own, also where styles are dropped: each is an attribute beside it. A
notebook that is not trusted shows no SVG, so a small PNG of the wide drawing is stored with it.
"""

import inspect
import io
import math
import re
import statistics
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import get_named_colors_mapping
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

P = ParamSpec("P")

# The widths that a figure is drawn for: one unit of Matplotlib's SVG is one CSS pixel.
WIDE, NARROW = 745, 358

# The page's colours by Matplotlib's names for them, each with its light value, which holds where the page sets none,
# and with what stands in for it while an SVG is drawn.
_LIGHT: dict[str, str] = {}
_STAND_INS: dict[str, str] = {}


def _token(name: str, light: str) -> str:
    """Name the colour `--sw-name` of the page's `tokens.css` for Matplotlib."""
    _LIGHT[f"sw-{name}"] = light
    _STAND_INS[f"sw-{name}"] = f"#0102{len(_STAND_INS):02x}"
    get_named_colors_mapping()[f"sw-{name}"] = light
    return f"sw-{name}"


PAPER = _token("bg", "#ffffff")
INK, INK2 = _token("ink", "#1a1d21"), _token("ink2", "#5a6069")
RULE, LINE, WASH = _token("rule", "#8a9099"), _token("line", "#d4d6da"), _token("wash", "#efefea")
HIGHLIGHT, ON_HIGHLIGHT = _token("hi", "#f6e96b"), _token("hi-ink", "#1a1d21")
# The classes' colours, in the order of the classes: Okabe and Ito's, told apart by colour-blind readers
# too. The interactives use the same. The second are for writing, and for lines and dots that must be
# seen on the page's paper.
CLASS_FILLS = tuple(
    _token(f"c{i}", light)
    for i, light in enumerate(
        ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#8a9099"),
    )
)
CLASS_TEXTS = BLUE, VERMILION, GREEN, PURPLE, OCHRE, SKY, OLIVE, GREY = tuple(
    _token(f"t{i}", light)
    for i, light in enumerate(
        ("#0072b2", "#b84f00", "#007a58", "#a34e80", "#7a5c00", "#1f6e9e", "#6b6300", "#5a6069"),
    )
)

# The box of a text that hides what is behind it.
COVER = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}

_LINES = re.compile(r'<g id="lines-(?P<aligned>\w+) (?P<widths>[\d. ]+)">.*?</text>\s*</g>', re.DOTALL)
# Where a line is aligned: SVG's word for it, and how much of the line stands before that place.
_ANCHORS = {"center": ("middle", 0.5), "right": ("end", 1.0)}
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")

_STYLE: dict[Any, Any] = {
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
    "figure.constrained_layout.w_pad": 3 / 72,
    "figure.constrained_layout.h_pad": 7 / 72,
    "figure.constrained_layout.wspace": 0.06,
    "figure.constrained_layout.hspace": 0.06,
    "grid.color": LINE,
    "grid.linewidth": 1,
    "hatch.linewidth": 1.5,
    "text.color": INK,
    **dict.fromkeys(["axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"], INK2),
    **dict.fromkeys(["xtick.color", "ytick.color"], RULE),
    # Text stays text: small, selectable, in the page's typeface. Matplotlib lays it out by the
    # metrics of DejaVu Sans, which is wider than that typeface, so what fits there fits on the page.
    "svg.fonttype": "none",
}
_FONT = "var(--sw-sans, system-ui, sans-serif)"

# What each library is called, in words and in a column's head, and how it is drawn.
LIBRARIES = {
    "with_numpy": ("softmax_lib, NumPy", "NumPy", BLUE, "o"),
    "with_numba": ("softmax_lib, Numba", "Numba", GREEN, "D"),
    "scipy": ("SciPy", "SciPy", OCHRE, "^"),
    "torch": ("PyTorch", "PyTorch", VERMILION, "s"),
    "formula": ("the formula", "formula", PURPLE, "v"),
}


class Picture:
    """A figure as SVG, with the text that stands for it where it cannot be seen, and what draws it as PNG."""

    def __init__(self, svg: str, alt: str, png: Callable[[], bytes]) -> None:
        self.svg = svg
        self.alt = alt
        self._png = png

    def __repr__(self) -> str:
        return self.alt

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_png_(self) -> bytes:
        return self._png()


class Table:
    """A table as HTML, and the line that stands for it where there is only text."""

    def __init__(self, html: str, summary: str) -> None:
        self.html = html
        self.summary = summary

    def __repr__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return self.html


def picture(draw: Callable[Concatenate[float, P], tuple[Figure, str]]) -> Callable[P, Picture]:
    """Make a drawing function, which returns a figure and its alt text, return a `Picture`.

    The drawing function takes the width before its other arguments; the picture has every width.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Picture:
        drawings = []
        for width in (WIDE, NARROW):
            with _drawing_in(_STAND_INS, draw.__name__, width):
                figure, alt = draw(width, *args, **kwargs)
                _note_widths(figure)
                buffer = io.StringIO()
                figure.savefig(buffer, format="svg", metadata={"Date": None})
            drawings.append(_for_the_page(buffer.getvalue()))
        wide, narrow = drawings

        def png() -> bytes:
            with _drawing_in(_LIGHT, draw.__name__, WIDE):
                figure, _ = draw(WIDE, *args, **kwargs)
                return _small_png(figure)

        return Picture(_together(wide, narrow, alt), alt, png)

    signature = inspect.signature(draw)
    asked = list(signature.parameters.values())[1:]
    vars(drawn)["__signature__"] = signature.replace(parameters=asked, return_annotation=Picture)
    return drawn


@contextmanager
def _drawing_in(colours: dict[str, str], name: str, width: float) -> Iterator[None]:
    """What Matplotlib is set to while it draws."""
    # The ids in an SVG are hashes with this salt, and the two drawings share a page.
    style = {"font.size": 14 if width == WIDE else 13.5, "svg.hashsalt": f"{name} {width}"}
    for token, colour in colours.items():
        get_named_colors_mapping()[token] = colour  # one at a time: `update` would leave Matplotlib's cache as it was
    with mpl.rc_context(_STYLE | style):
        yield


def _small_png(figure: Figure) -> bytes:
    """The figure with a pixel for each CSS pixel, in 64 colours: some kilobytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=72)
    image = PIL.Image.open(buffer).convert("RGB").quantize(64, dither=PIL.Image.Dither.NONE)
    buffer = io.BytesIO()
    image.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _note_widths(figure: Figure) -> None:
    """Leave beside each text of several lines how wide Matplotlib takes them to be: see `_anchored`."""
    figure.draw_without_rendering()  # ticks have their names only then
    for text in figure.findobj(Text):
        lines, aligned = text.get_text().split("\n"), text.get_horizontalalignment()
        if len(lines) > 1 and aligned in _ANCHORS:
            font = text.get_fontproperties()
            widths = [text_to_path.get_text_width_height_descent(each, font, ismath=False)[0] for each in lines]
            text.set_gid(" ".join([f"lines-{aligned}", *(f"{_ANCHORS[aligned][1] * w:.2f}" for w in widths)]))


def _anchored(group: re.Match[str]) -> str:
    """Lines whose ends or middles stand at one place: Matplotlib places their beginnings, by its own typeface."""
    anchor, _ = _ANCHORS[group["aligned"]]
    widths = map(float, group["widths"].split())

    def line(start: re.Match[str]) -> str:
        return f"{start[1]}; text-anchor: {anchor}{start[2]}{float(start[3]) + next(widths)}"

    return re.sub(r'(<text style="[^"]*)("[^>]*?translate\()([-\d.]+)', line, group[0])


def _for_the_page(svg: str) -> tuple[str, str]:
    """What is in Matplotlib's SVG, with the page's typeface and colours, and its width and height."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = _LINES.sub(_anchored, svg)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    svg = svg[svg.index(">") + 1 : svg.rindex("</svg>")]
    # Pictures share a page, where an id must be unique. Only the ids that something refers to stay: they are hashes.
    svg = re.sub(r' id="([^"]+)"', lambda name: name[0] if f"#{name[1]}" in svg else "", svg)
    for name, stand_in in _STAND_INS.items():
        svg = svg.replace(stand_in, f"var(--{name}, {_LIGHT[name]})")
    svg = re.sub(r"(font: [^;\"]*?|font-family: )'[^;\"]*", rf"\1{_FONT}", svg)
    # Two decimals are all that can be seen of a position, and all that is the same on every machine.
    # Only tags are rounded, so that the words between them stay as they are.
    svg = re.sub(r"<[^>]*>", lambda tag: _LONG_NUMBER.sub(lambda n: f"{float(n[0]):.2f}", tag[0]), svg)
    svg = re.sub(r' style="([^"]*)"', _as_attributes, svg)
    return svg.strip(), f"{float(width):.0f} {float(height):.0f}"


def _where_unset(value: str) -> str:
    """The value that holds where the page sets none."""
    return re.sub(r"var\(--[\w-]+, ([^()]*)\)", r"\1", value)


def _as_attributes(style: re.Match[str]) -> str:
    """A style as attributes, which GitHub keeps; what the page sets is a style as well, and wins where there is one."""
    properties = [entry.strip().split(": ", 1) for entry in style[1].split(";") if entry.strip()]
    attributes = "".join(f' {name}="{_where_unset(value)}"' for name, value in properties)
    pages = "; ".join(f"{name}: {value}" for name, value in properties if "var(" in value)
    return attributes + (f' style="{pages}"' if pages else "")


def _together(wide: tuple[str, str], narrow: tuple[str, str], alt: str) -> str:
    """One SVG of both drawings: it shows the wide one, until a stylesheet says otherwise."""
    label = alt.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    width, height = wide[1].split()
    ratios = "; ".join(
        f"--{name}: {size.replace(' ', ' / ')}" for name, size in (("wide", wide[1]), ("narrow", narrow[1]))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="sw-figure" '
        f'width="{width}" height="{height}" role="img" aria-label="{label}" '
        f'stroke-linejoin="round" style="max-width: 100%; {ratios}">\n'
        f'<svg class="sw-wide" viewBox="0 0 {wide[1]}" width="100%" height="100%">\n{wide[0]}\n</svg>\n'
        f'<svg class="sw-narrow" viewBox="0 0 {narrow[1]}" width="100%" height="100%" display="none">\n'
        f"{narrow[0]}\n</svg>\n</svg>\n"
    )


def sheet(width: float, height: float, title: str) -> Figure:
    """An empty figure of so many CSS pixels, under a title whose lines are broken to the width."""
    size, characters = (20, 54) if width == WIDE else (18, 28)
    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    figure.suptitle(_lines(title, characters), x=0.004, ha="left", weight="bold", fontsize=size)
    return figure


def _lines(text: str, characters: int) -> str:
    """The text in as few lines as so many characters allow, and these as even as can be."""
    needed = len(textwrap.wrap(text, characters))
    even = next(n for n in range(1, characters + 1) if len(textwrap.wrap(text, n)) == needed)
    return "\n".join(textwrap.wrap(text, even))


def name_y(axes: Axes, name: str) -> None:
    """Say above the axis what it shows, where the words take no room from the drawing beside them."""
    axes.set_ylabel(name, rotation=0, ha="left", va="bottom")
    axes.yaxis.set_label_coords(0, 1.03)


def class_bars(axes: Axes, labels: Sequence[str], values: npt.ArrayLike, numbers: Sequence[str]) -> BarContainer:
    """Draw an upright bar for each class in its colour, with its number at its end."""
    values = np.asarray(values)
    n = len(values)
    bars = axes.bar(labels, values, color=CLASS_FILLS[:n], edgecolor=CLASS_TEXTS[:n], linewidth=1, width=0.7)
    axes.bar_label(bars, numbers, padding=3)
    axes.axhline(0, color=INK, linewidth=1.5)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    return bars


def name_rows(axes: Axes, names: Sequence[str], width: float, lift: float) -> None:
    """Name the rows of a chart: beside them in a wide drawing; above them, hiding what passes behind, in a narrow one.

    The rows stand at 0, 1, 2 …, downwards; `lift` is how far above its row a name stands.
    """
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    rows = range(len(names))
    if width == WIDE:
        axes.set_yticks(rows, names)
        axes.tick_params(axis="y", labelcolor=INK)
        return
    axes.set_yticks([])
    for row, name in zip(rows, names, strict=True):
        name = name.replace("\n", " ")
        axes.text(0, row - lift, name, transform=axes.get_yaxis_transform(), va="bottom", bbox=COVER)


def note(axes: Axes, x: float, y: float, words: str, **style: Any) -> None:
    """Write words that hide the grid behind them, which would strike them through, but no curve."""
    axes.text(x, y, words, bbox=COVER, zorder=1, **style)


def name_lines(axes: Axes, ends: Iterable[tuple[float, float, str, str]], apart: float = 0.075) -> None:
    """Write a name at the right end of each line: (x, y, name, colour).

    Names keep at least `apart`, a share of the axes' height, from each other. The axes' limits must be final.
    """
    ends = sorted(ends, key=lambda end: end[1])
    places = (axes.transData - axes.transAxes).transform([(x, y) for x, y, *_ in ends])
    heights = spread([y for _, y in places], apart)
    for (*_, name, colour), (x, _), height in zip(ends, places, heights, strict=True):
        axes.text(x + 0.015, height, name, transform=axes.transAxes, color=colour, va="center", weight="bold")


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Places in the same order, as near to the `wanted` ones as a distance of `gap` between neighbours allows.

    What crowds becomes a block, which stands around the mean of what it wants.
    """
    blocks = list[list[float]]()
    for rank, place in enumerate(wanted):
        block = [place - rank * gap]
        while blocks and statistics.mean(blocks[-1]) > statistics.mean(block):
            block = blocks.pop() + block
        blocks.append(block)
    starts = [statistics.mean(block) for block in blocks for _ in block]
    return [start + rank * gap for rank, start in enumerate(starts)]


def marks(figure: Figure, named: Sequence[tuple[str, str, str | MarkerStyle]], columns: int) -> None:
    """Say under the drawing whose marks they are, (name, colour, marker), where dots stand too close to be named.

    The marker "band" stands for an area and "--" for a dashed line.
    """
    handles: list[Patch | Line2D] = []
    for name, colour, marker in named:
        if marker == "band":
            handles.append(Patch(facecolor=colour, edgecolor=RULE, label=name))  # WASH alone can hardly be seen.
        elif marker == "--":
            handles.append(Line2D([], [], color=colour, linestyle="--", linewidth=1.5, label=name))
        else:
            handles.append(Line2D([], [], color=colour, marker=marker, linestyle="", label=name))
    figure.legend(
        handles=handles, loc="outside lower left", ncols=columns, frameon=False,
        handletextpad=0.3, handlelength=1.4, columnspacing=1.2, borderpad=0, labelspacing=0.3,
    )  # fmt: skip


def grid(axes: Axes, axis: str = "both") -> None:
    """Draw the grid, and leave the axes' own lines and ticks out."""
    axes.grid(axis=axis)  # type: ignore[arg-type]
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.tick_params(axis="x", pad=8)  # Nearer, the numbers of both axes meet at the corner.


def share(p: float) -> str:
    """A share as the book writes it: 64 %, 2.4 %, <0.1 %, and exactly 0 as 0 %."""
    if 0 < p < 0.001:
        return "<0.1\u2009%"
    if 0.999 < p < 1:
        return ">99.9\u2009%"
    whole = p in (0, 1) or (float(f"{100 * p:.1f}") >= 10 and p < 0.99)
    return f"{100 * p:.{0 if whole else 1}f}\u2009%"


def number(value: float, form: str) -> str:
    """A number in the format `form`, with a true minus."""
    return format(value, form).replace("-", "−")


def two_digits(value: float) -> str:
    """A positive number with two significant digits, or with all that stand before the point."""
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}"


def three_digits(value: float) -> str:
    """A positive number with three significant digits, or with all that stand before the point."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"


def grouped(n: float) -> str:
    """A whole number: its digits stand in groups of three from 10 000 on."""
    return f"{n:,.0f}".replace(",", "\u2009") if n >= 10_000 else f"{n:.0f}"


def power_ticks(axis: Axis, exponents: Sequence[int], before_first: str = "") -> None:
    """Mark the powers of ten: as plain numbers, or all as powers where a number would need more than six digits."""
    values = [10.0**k for k in exponents]
    if all(-3 <= k <= 5 for k in exponents):
        names = [grouped(value) if value >= 1 else f"{value:g}" for value in values]
    else:
        raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
        names = ["10" + str(k).translate(raised) if k else "1" for k in exponents]
        axis.set_tick_params(labelsize="large")  # The exponents are small.
    axis.set_ticks(values, [before_first + name if name == names[0] else name for name in names])
