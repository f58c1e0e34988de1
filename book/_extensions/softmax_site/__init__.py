"""What the book's site adds to Jupyter Book: its own face, and light, self-contained, readable pages.

* ``pages``: every page passes through `tidy_page` as it is written; ``stylesheet`` keeps the rules that pages use.
* ``chapters`` and ``reading_time``: what cards, sidebar and titles say of each chapter.
* ``directives``: an interactive, or the chapters' cards, on a page that is not a notebook.
* ``exercises``: the table of all exercises, read from the chapters.
* ``miniatures`` and ``share_cards``: drawings for the cards, and for links from elsewhere; both use ``machine``.
* ``typefaces``: the fonts, cut down to the letters that the pages use.
* ``glossary``: what links between pages lead to, and the definitions that a page shows in place.
* ``embed``: a small page for each interactive, to be shown within somebody else's page.
* ``runnable``: which code cells run in the page, and what each of them needs.
* ``templates``: what stands in for a template of the theme has that one's name.

Maths is rendered while the book is built, by the Node that comes with the Python environment. The repository's
address in ``_config.yml`` is the only one: the site's address follows from it.
"""

from __future__ import annotations

import html
import shutil
from pathlib import Path
from typing import Any

import sphinxext.opengraph
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinxcontrib import katex

from .chapters import chapters_of
from .directives import ChapterCards, SoftmaxChapters, SoftmaxWidget, place_cards
from .exercises import SoftmaxExercises
from .glossary import StateLinks, name_anchors
from .miniatures import miniature
from .node import node_binary
from .pages import FORMULA_STYLESHEET, STYLESHEET, UNUSED_SCRIPTS, TidyTemplates
from .runnable import PYTHON
from .share_cards import draw_card
from .stylesheet import formula_styles, self_contained, used_rules, used_variables, words_in
from .typefaces import cut_down, letters_in

TEMPLATES = Path(__file__).resolve().parent / "templates"
ROOT = TEMPLATES.parents[3]

# --- configuration ---------------------------------------------------------------------------------------------------


def configure(app: Sphinx, config: Config) -> None:
    """Derive from the repository's address, and from this folder, what would otherwise be said twice."""
    owner, repository = config.html_theme_options["repository_url"].rstrip("/").split("/")[-2:]
    site = f"https://{owner}.github.io/{repository}/"
    config.html_baseurl = config.html_baseurl or site
    config.ogp_site_url = config.html_baseurl
    config.ogp_site_name = config.html_title
    config.template_bridge = "softmax_site.TidyTemplates"
    config.html_theme_options |= {"logo": {"text": config.html_title}, "navbar_persistent": []}
    config.templates_path.insert(0, str(TEMPLATES))
    # `--toc` is a path from where the command runs; Sphinx would look for it from the book's folder.
    config.external_toc_path = str(Path(config.external_toc_path).resolve())


def page_description(doctree: nodes.document, *_: Any) -> str:
    """The page's own description, for previews; the theme would cut one out of the first paragraph."""
    found = (meta["content"] for meta in doctree.findall(nodes.meta) if meta.get("name") == "description")
    return next(found, "")


def tell_templates(app: Sphinx, page: str, _: str, context: dict[str, Any], __: nodes.document | None) -> None:
    """What the site's own templates say: the chapters, and which of them comes after this page."""
    chapters = chapters_of(app.env)
    context |= {"chapters": chapters, "miniature": miniature}
    if page in chapters:
        context["title"] = chapters[page].title  # in a window's title and on a share card a number says nothing
    if context.get("next"):
        context["next_chapter"] = chapters.get(context["next"]["link"].removesuffix(".html"))


# --- after the build -------------------------------------------------------------------------------------------------


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the one stylesheet and the page for lost readers, and delete what no page loads."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    interactives = ROOT / "softmax_lib" / "static"
    for asset in [interactives / "widgets.css", *interactives.glob("page*.js")]:
        shutil.copy(asset, static)
    shutil.rmtree(static / "vendor", ignore_errors=True)
    shutil.rmtree(static / "python", ignore_errors=True)
    if PYTHON.exists():
        shutil.copytree(PYTHON, static / "python")
    for file in static.rglob("*"):
        if file.name in UNUSED_SCRIPTS or file.suffix == ".map" or file.name.endswith("macros.html"):
            file.unlink()
    (Path(app.outdir) / "sitemap.xml").write_text(sitemap(app), encoding="utf-8")
    if TidyTemplates.stylesheets:
        letters = letters_in([*Path(app.outdir).glob("*.html"), *static.rglob("*.*js")])
        for font in [*static.glob("fonts/*.woff2"), *static.glob("katex/fonts/KaTeX_Ma*.woff2")]:
            cut_down(font, letters)
        words = words_in([*Path(app.outdir).glob("*.html"), *static.rglob("*.*js")])
        sheets = (used_rules(self_contained(static, sheet), words) for sheet in TidyTemplates.stylesheets)
        (static / STYLESHEET).write_text(used_variables("\n".join(sheets)), encoding="utf-8")
        (static / FORMULA_STYLESHEET).write_text(formula_styles(static, words), encoding="utf-8")
    # Nobody knows from which depth the page for lost readers is shown: it carries its colours with it.
    colours = (static / "tokens.css").read_text(encoding="utf-8")
    page = {"home": app.config.html_baseurl, "title": app.config.html_title, "tokens": colours}
    (Path(app.outdir) / "404.html").write_text(app.builder.templates.render("404.html", page), encoding="utf-8")


def sitemap(app: Sphinx) -> str:
    """All pages, also after a build that wrote only some of them (sphinx-sitemap would list only those)."""
    addresses = (app.config.html_baseurl + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs))
    urls = "".join(f"<url><loc>{html.escape(address)}</loc></url>\n" for address in addresses)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{urls}</urlset>
"""


def setup(app: Sphinx) -> dict[str, Any]:
    katex.NODEJS_BINARY = node_binary()
    # Over its Unix socket it connects as soon as the file exists, now and then before the server listens; over a
    # port it tries again. Five seconds are few for Node's first start on a busy machine.
    katex.KaTeXServer.start_server_process = katex.KaTeXServer.start_network_socket
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    sphinxext.opengraph.get_description = page_description
    sphinxext.opengraph.create_social_card = draw_card
    app.connect("config-inited", configure, priority=100)  # before the table of contents is read
    app.connect("doctree-read", name_anchors)
    app.connect("doctree-resolved", place_cards)
    app.connect("html-page-context", tell_templates, priority=100)  # before the share cards are drawn
    app.connect("build-finished", finish, priority=900)  # after the theme has written its pygments.css
    app.add_node(ChapterCards)
    app.add_directive("softmax-widget", SoftmaxWidget)
    app.add_directive("softmax-chapters", SoftmaxChapters)
    app.add_directive("softmax-exercises", SoftmaxExercises)
    app.add_post_transform(StateLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
