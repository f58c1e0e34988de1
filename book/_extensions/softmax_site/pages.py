"""Every page passes through `tidy_page` as it is written, and leaves it light, self-contained and accessible.

Unused scripts go, stylesheets become one file, foldable boxes become `<details>`, folded code stands under what
it makes, and a Content-Security-Policy allows the site's own scripts alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any, ClassVar

from bs4 import BeautifulSoup, NavigableString, Tag
from sphinx.builders import Builder
from sphinx.jinja2glue import BuiltinTemplateLoader
from sphinx.util import logging
from sphinx.util.images import get_image_size

from .chapters import Chapter, chapters_of
from .embed import write_embeds
from .first_frames import add_first_frames
from .glossary import add_definitions, definitions
from .runnable import PYTHON, add_runnable_cells, code_of

STYLESHEET = "book.css"
FORMULA_STYLESHEET = "formulas.css"

# Loaded by the theme or an extension, and without a use on these pages.
UNUSED_SCRIPTS = {
    "fontawesome.js",  # 540 KB gzipped for twenty icons: icons.css draws them
    "bootstrap.js",  # its menus and tooltips: <details> and title do that
    "togglebutton.js",  # foldable boxes: <details> does that
    "design-tabs.js",
    "sphinx-thebe.js",
}
UNUSED_STYLES = {"katex.min.css", "katex-math.css", "sphinx-thebe.css", "togglebutton.css"}
SEARCH_SCRIPTS = {"searchtools.js", "language_data.js", "searchindex.js", "search.js"}

# Sets the colour theme before the first paint, so that a dark page does not flash white, and asks for the typefaces of
# every page before the stylesheet does. From a folder a browser refuses that, and complains. Where storage is blocked,
# the theme's script would stop at its first look into it: it gets a storage that lasts as long as the page.
EARLY_SCRIPT = """
(function (root) {
  try { localStorage.getItem("mode"); } catch (e) {
    var kept = new Map();
    Object.defineProperty(window, "localStorage", { value: {
      getItem: function (key) { return kept.has(key) ? kept.get(key) : null; },
      setItem: function (key, value) { kept.set(key, String(value)); },
      removeItem: function (key) { kept.delete(key); }
    } });
  }
  var mode = localStorage.getItem("mode") || "auto";
  var dark = mode === "dark" || (mode !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.mode = mode;
  root.dataset.theme = dark ? "dark" : "light";
  if (location.protocol === "file:") return;
  ["bricolage-grotesque", "source-serif-4"].forEach(function (face) {
    var link = document.createElement("link");
    Object.assign(link, { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "anonymous" });
    link.href = root.dataset.content_root + "_static/fonts/" + face + "-normal.woff2";
    document.head.append(link);
  });
})(document.documentElement);
"""

# Names that are read as one word.
HYPHENED = re.compile(r"\b([Tt]op-[kp]|[Mm]in-p|[12]-D)\b")

logger = logging.getLogger(__name__)


class TidyTemplates(BuiltinTemplateLoader):
    """Sphinx's templates, with every finished page passed through `tidy_page`."""

    stylesheets: ClassVar[dict[str, None]] = {}  # of all pages, in the order of the cascade

    def init(self, builder: Builder, *args: Any, **options: Any) -> None:
        super().init(builder, *args, **options)
        self.builder = builder
        self.python = PYTHON.exists()

    def render(self, template: str, context: dict[str, Any]) -> str:
        page = super().render(template, context)
        if "<html" not in page:
            return page
        if "pagename" not in context:  # the page for lost readers, or one to embed: nothing in it is the theme's
            return page
        soup = BeautifulSoup(page, "html.parser")
        soup.body["data-page"] = context["pagename"]
        add_definitions(soup, definitions(self.builder))
        name_chapters(soup, chapters_of(self.builder.env))
        if context["pagename"] == self.builder.config.root_doc:
            dress_front_page(soup)
        if self.python:
            add_runnable_cells(soup, code_of(Path(self.builder.srcdir, f"{context['pagename']}.ipynb")))
        images = {name: Path(self.builder.srcdir, source) for source, name in self.builder.images.items()}
        tidy = tidy_page(soup, context["pagename"], self.stylesheets, images)
        write_embeds(soup, context["pagename"], Path(self.builder.outdir, "embed"), self)
        return tidy


def tidy_page(soup: BeautifulSoup, name: str, stylesheets: dict[str, None], images: dict[str, Path]) -> str:
    """Return the page light, self-contained and accessible; note the stylesheets that it wants."""
    keep_needed_scripts(soup, name)
    join_stylesheets(soup, stylesheets)
    place_images(soup, images)
    add_widget_assets(soup)
    add_first_frames(soup)
    fold_boxes(soup)
    put_folded_code_below(soup)
    name_folded_functions(soup)
    keep_punctuation(soup)
    keep_together(soup)
    move_footer(soup)
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
    # The book's part of the search builds on Sphinx's, and must be there when the index comes and the search begins.
    if index := soup.select_one('script[src^="searchindex.js"]'):
        index.insert_before(soup.select_one('script[src*="_static/search.js"]').extract())


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
            image.replace_with(BeautifulSoup(lighter(source.read_text(encoding="utf-8")), "html.parser"))
            continue
        size = get_image_size(str(source)) if source else None
        if size and not image.has_attr("width"):
            image["width"], image["height"] = (str(length) for length in size)
            image["loading"] = "lazy"


def lighter(svg: str) -> str:
    """Matplotlib's drawing without what no eye sees: hundredths of a pixel, turns by 0°, empty groups, line ends."""

    def to_tenths(attribute: re.Match[str]) -> str:
        return re.sub(r"(?<=\d\.\d)\d+", "", attribute[0])

    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg)
    svg = re.sub(r' (d|x|y|transform)="[^"]*"', to_tenths, svg)
    svg = re.sub(r"\s+", " ", re.sub(r"<g>\s*</g>|<g/>", "", svg))
    # A rectangle is four numbers.
    return re.sub(r"M (\S+) (\S+) L (\S+) \2 L \3 (\S+) L \1 \4(?: L \1 \2)? z", r"M\1 \2H\3V\4H\1z", svg)


def add_widget_assets(soup: BeautifulSoup) -> None:
    """Load the interactives' style, what they share, and a script for each kind that the page shows."""
    kinds = dict.fromkeys(interactive["data-widget"] for interactive in soup.select(".softmax-widget[data-widget]"))
    if kinds:
        soup.head.append(soup.new_tag("link", rel="stylesheet", href="_static/widgets.css"))
    for name in ["page", *(f"page.{kind}" for kind in kinds)] if kinds else []:
        soup.head.append(soup.new_tag("script", src=f"_static/{name}.js", defer=""))


def fold_boxes(soup: BeautifulSoup) -> None:
    """Make boxes marked ``dropdown`` native: they fold without a script, and by keyboard."""
    for box in soup.select("div.admonition.dropdown, div.admonition.toggle"):
        title = box.find(class_="admonition-title")
        if title is not None:
            box.name, title.name = "details", "summary"
            for link in title.find_all("a"):  # a press unfolds the box: it cannot also follow a link
                link.unwrap()


def put_folded_code_below(soup: BeautifulSoup) -> None:
    """Move folded code under what it makes: a reader came for the figure, and above a quiz it is in the way."""
    for code in soup.select("div.cell > details.above-input"):
        if code.find_next_sibling(class_="cell_output"):
            code.parent.append(code.extract())


def name_chapters(soup: BeautifulSoup, chapters: dict[str, Chapter]) -> None:
    """Say under a chapter's title what it is; in the sidebar a chapter has the name before its title's colon."""
    here = soup.body["data-page"]
    if here in chapters:
        facts = (
            f'<p class="chapter-facts" data-chapter="{here}">{chapters[here].part} · {chapters[here].minutes} min</p>'
        )
        soup.select_one("article h1").insert_after(BeautifulSoup(facts, "html.parser"))
    for link in soup.select("nav.bd-links a.reference"):
        page = here if link["href"] == "#" else link["href"].removesuffix(".html")
        if page in chapters:
            number = f'<span class="chapter-number">{chapters[page].number}</span> '
            link.string = chapters[page].name
            link.insert(0, BeautifulSoup(number, "html.parser"))
            link["data-chapter"] = page
    if navigation := soup.select_one("nav.bd-links"):
        progress = '<p class="reading-progress" data-progress hidden></p>'
        navigation.insert_after(BeautifulSoup(progress, "html.parser"))


def dress_front_page(soup: BeautifulSoup) -> None:
    """The front page is named by the wordmark, and the styles know it by a class."""
    soup.body["class"] = [*soup.body.get("class", []), "front"]
    heading = soup.select_one("article h1")
    heading.clear()
    heading.append(BeautifulSoup('<span class="wordmark">soft<b>max</b></span>', "html.parser"))


def _together(soup: BeautifulSoup, words: str = "") -> Tag:
    """What is not broken at the end of a line."""
    span = soup.new_tag("span", attrs={"class": "together"})
    span.string = words
    return span


def keep_punctuation(soup: BeautifulSoup) -> None:
    """Keep a short formula on one line with the bracket before it and the comma after it: browsers break there."""
    for formula in soup.select("article span.math"):
        before, after = formula.previous_sibling, formula.next_sibling
        opening = re.search(r"[(\[“]$", before) if isinstance(before, NavigableString) else None
        closing = re.match(r"[,.;:?!)\]”’]+", after) if isinstance(after, NavigableString) else None
        shown = formula.select_one(".katex-html")
        if shown is None or len(shown.get_text()) > 20 or not (opening or closing):
            continue
        together = formula.wrap(_together(soup))
        if opening:
            before.replace_with(before[: opening.start()])
            together.insert(0, opening[0])
        if closing:
            after.replace_with(after[closing.end() :])
            together.append(closing[0])


def name_folded_functions(soup: BeautifulSoup) -> None:
    """Say what folded code defines, where nothing of it is seen: the text speaks of it."""
    for folded in soup.select("div.cell:not(:has(.cell_output)) details.hide"):
        if names := [name.get_text() for name in folded.select("span.nf")]:
            for words in folded.select("summary p"):
                words.append(f" of {' and '.join(names)}")


def keep_together(soup: BeautifulSoup) -> None:
    """Break neither before a percent sign, nor in "top-p" or short code; in a table's code, where its words end."""
    for article in soup.select("article"):
        for text in article.find_all(string=re.compile(r"\d %")):
            if not text.find_parent(["pre", "code"]):
                text.replace_with(re.sub(r"(?<=\d) %", "\u202f%", text))
    for text in soup.find_all(string=HYPHENED):
        if text.find_parent("article") and not text.find_parent(
            ["pre", "code", "script", "style", "svg", "annotation"]
        ):
            words = [word for word in HYPHENED.split(text) if word]
            text.replace_with(*(_together(soup, word) if HYPHENED.fullmatch(word) else word for word in words))
    for code in soup.select("article code:not(pre code)"):
        if code.find_parent("td"):
            pieces = re.split(r"(?<=[_(=.])|(?<=[a-z])(?=[A-Z])", code.get_text())
            code.clear()
            for piece in pieces:
                code.extend([piece, soup.new_tag("wbr")])
        elif len(code.get_text()) <= 20:
            code["class"] = [*code.get("class", []), "together"]


def move_footer(soup: BeautifulSoup) -> None:
    """Put the page's last lines under its text, in the same column: the theme centres them on the window."""
    if links := soup.select_one(".prev-next-footer"):
        links.insert_after(soup.select_one("footer.bd-footer-content").extract())


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
    digest = base64.b64encode(hashlib.sha256(EARLY_SCRIPT.encode()).digest()).decode()
    # A page opened from a folder has no origin that 'self' could name, so its scheme is named too;
    # on a web server `file:` matches nothing.
    policy = (
        "default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'self' file:; connect-src 'self'; "
        f"script-src 'self' file: 'sha256-{digest}' 'wasm-unsafe-eval'; worker-src 'self'; "
        "style-src 'self' file: 'unsafe-inline'; "
        "img-src 'self' file: data:; font-src 'self' file: data:"
    )
    soup.html["data-theme"] = "light"  # without a script the page is light
    script = soup.new_tag("script")
    script.string = EARLY_SCRIPT
    soup.head.insert(0, script)
    soup.head.insert(0, soup.new_tag("meta", attrs={"http-equiv": "Content-Security-Policy", "content": policy}))
    soup.head.insert(0, soup.head.find("meta", charset=True).extract())
