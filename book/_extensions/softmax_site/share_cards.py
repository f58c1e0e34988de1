"""The picture that a link to a page shows elsewhere: wordmark, the page's title, and softmax itself.

`draw_card` stands in for the drawing function of ``sphinxext.opengraph``, which puts its result into the page's head.
"""

from __future__ import annotations

import functools
import hashlib
import re
import tempfile
from pathlib import Path
from typing import Any

from fontTools.varLib.instancer import instantiateVariableFont
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Polygon

from .machine import Layout, machine
from .typefaces import unpacked

STATIC = Path(__file__).resolve().parents[2] / "_static"
TYPEFACE = STATIC / "fonts" / "bricolage-grotesque-normal.woff2"
WIDTH, HEIGHT = 1146, 600  # what sphinxext.opengraph says in the page's head
PICTURE = Layout(zero=180, scale=26, unit=20, horns=330, tower=(640, 750), strip=(920, 1030), top=320, height=235)


def draw_card(
    settings: dict[str, Any],
    site_name: str,
    page_title: str,
    description: str,
    address: str,
    page: str,
    *,
    outdir: str | Path,
    **_: Any,
) -> Path:
    """Draw a page's card, unless it is there already; return where it is in the site."""
    stamp = hashlib.sha1((site_name + page_title).encode(), usedforsecurity=False).hexdigest()[:8]
    card = Path("_images/social_previews") / f"{page.replace('/', '_')}_{stamp}.png"
    target = Path(outdir) / card
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        figure = draw("" if page_title == site_name else page_title)
        figure.savefig(target, facecolor=figure.get_facecolor(), pil_kwargs={"optimize": True})
    return card


def draw(title: str) -> Figure:
    """The wordmark over the picture, dark, with a page's title between them."""
    colours = dark_colours()
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor=colours["bg"])
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    axes.axis("off")
    for shape in machine([2.0, 1.0, 0.0, -1.0], PICTURE):
        fill = colours[f"c{shape.index}"]
        axes.add_patch(Polygon(shape.points, color=fill, alpha=shape.opacity, linewidth=0))
    axes.plot([PICTURE.zero] * 2, [PICTURE.top, PICTURE.top + PICTURE.height], color=colours["ink"], linewidth=1.5)
    soft = axes.text(64, 150, "soft", fontproperties=cut(200, 104 if title else 150), color=colours["ink"])
    end = soft.get_window_extent(FigureCanvasAgg(figure).get_renderer()).x1
    axes.text(end + 1, 150, "max", fontproperties=cut(800, 104 if title else 150), color=colours["ink"])
    name, _, question = title.partition(": ")
    axes.text(66, 216, name, fontproperties=cut(700, 40), color=colours["ink"], va="center")
    axes.text(66, 264, question, fontproperties=cut(400, 30), color=colours["ink2"], va="center")
    return figure


def dark_colours() -> dict[str, str]:
    """The colours of the dark theme, by the names they have in ``tokens.css``."""
    text = (STATIC / "tokens.css").read_text(encoding="utf-8")
    return dict(re.findall(r"--sw-(\w+): (?:light-dark\([^,]+, )?(#\w+)", text))


@functools.cache
def cut(weight: int, pixels: int) -> FontProperties:
    """The book's sans at one weight: Matplotlib cannot vary a typeface, and reads no woff2."""
    return FontProperties(fname=str(font_file(weight)), size=pixels * 72 / 100)


@functools.cache
def font_file(weight: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="softmax-book-"))
    font = instantiateVariableFont(unpacked(TYPEFACE), {"wght": weight})
    font.flavor = None
    font.save(folder / f"{weight}.ttf")
    return folder / f"{weight}.ttf"
