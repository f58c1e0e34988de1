"""A small page for each interactive, in ``embed/``, for an `<iframe>` on somebody else's page."""

from __future__ import annotations

from pathlib import Path

from bs4 import BeautifulSoup
from sphinx.jinja2glue import BuiltinTemplateLoader

# Those that say something without a chapter around them: the page where each is first shown, and what it is called.
EMBEDS = {
    "LogitExplorer": ("index", "The softmax machine"),
    "LayerExplorer": ("cat_dog_tiger", "From a layer to a decision"),
    "SamplingExplorer": ("temperature", "The next word"),
    "SimplexExplorer": ("temperature", "The triangle of shares"),
    "LossExplorer": ("cross_entropy", "Given minus wanted"),
    "JacobianExplorer": ("jacobian", "A curve and its slopes"),
    "CalibrationExplorer": ("calibration", "What was said and what was true"),
    "AttentionExplorer": ("attention", "Attention, word by word"),
    "OnlineStepper": ("attention", "Softmax in one pass"),
    "PrecisionLab": ("stability", "Four number formats"),
    "Ladder": ("numba", "A race to the speed of memory"),
}


def write_embeds(soup: BeautifulSoup, page: str, folder: Path, templates: BuiltinTemplateLoader) -> None:
    """Write those of a finished page: each with the state and the first frame that it has there."""
    for kind, (home, title) in EMBEDS.items():
        if home == page:
            interactive = str(soup.select_one(f".softmax-widget[data-widget={kind}]"))
            shown = {"kind": kind, "title": title, "page": page, "interactive": interactive}
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{kind}.html").write_text(templates.render("embed.html", shown), encoding="utf-8")
