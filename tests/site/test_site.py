"""Every page of the built site, as files and in a real browser: what `book/_extensions/softmax_site/` promises."""

from __future__ import annotations

import copy
import functools
import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Locator, Page, Request, expect
from sphinx.util.images import get_image_size

from tests import ROOT
from tests.site.serving import SITE, Site

# With no site there is nothing to discover, and the `site` fixture says so.
PAGES = sorted(file.name for file in SITE.glob("*.html")) or ["index.html"]
CHAPTERS = [name for name in PAGES if (SITE / "_sources" / name.replace(".html", ".ipynb")).exists()]
TEXTS = [name for name in PAGES if name not in ("404.html", "search.html")]
AXE = ROOT / "widgets" / "node_modules" / "axe-core" / "axe.min.js"
RAW_TEX = re.compile(r"\\(frac|sum|begin|mathrm|operatorname|left|exp|sigma)\b|\$[^$\s][^$]*\\[a-z]+[^$]*\$")

WATCH_SHIFTS = """
window.layoutShift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""

SCROLLS_BY_KEYBOARD = """
[...document.querySelectorAll("pre, .pst-scrollable-table-container")]
  .every((box) => box.scrollWidth <= box.clientWidth || box.tabIndex === 0)
"""

FIND_VIOLATIONS = 'axe.run({resultTypes: ["violations"]}).then((result) => result.violations)'

TYPEFACES = {"Bricolage Grotesque Variable normal", "Source Serif 4 Variable normal"}
LOADED_TYPEFACES = """
document.fonts.ready.then((fonts) =>
  [...fonts].filter((font) => font.status === "loaded")
    .map((font) => `${font.family.replaceAll('"', "")} ${font.style}`))
"""

# Boxes and shapes that are drawn all but white, with enough of their markup to find them.
WHITE = """
() => {
  const white = (colour) => {
    const [r, g, b, alpha = 1] = (colour.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    return colour.startsWith("rgb") && Math.min(r, g, b) > 245 && alpha > 0.5;
  };
  return [...document.querySelectorAll("body, body *")]
    .filter((element) => element.getClientRects().length)
    .filter((element) => {
      const style = getComputedStyle(element);
      const shape = element.matches("svg rect, svg path, svg polygon, svg circle");
      return white(style.backgroundColor) || (shape && white(style.fill));
    })
    .map((element) => element.outerHTML.slice(0, 120));
}
"""

BLOCK_STORAGE = """
Object.defineProperty(window, "localStorage", {
  configurable: true, // as the browser's own is
  get() { throw new DOMException("blocked", "SecurityError"); },
});
"""

every_page = pytest.mark.parametrize("name", PAGES)
every_text = pytest.mark.parametrize("name", TEXTS)


def taken_back(request: Request) -> bool:
    """Whether the page itself gave the request up, as the search does with its excerpts when the reader moves on."""
    return request.resource_type == "fetch" and request.failure == "net::ERR_ABORTED"


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[tuple[Page, dict[str, list[Any]]]]:
    """A fresh page, with a record of all that it asks for and complains about."""
    context = browser.new_context(**options)
    page = context.new_page()
    seen: dict[str, list[Any]] = {"responses": [], "problems": []}
    page.on("response", lambda response: seen["responses"].append(response))
    page.on("requestfailed", lambda request: taken_back(request) or seen["problems"].append(f"failed: {request.url}"))
    page.on("pageerror", lambda error: seen["problems"].append(f"error: {error}"))
    page.on("console", lambda line: line.type in ("error", "warning") and seen["problems"].append(line.text))
    yield page, seen
    context.close()


@functools.cache
def soup_of(name: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / name).read_text(encoding="utf-8"), "html.parser")


def config() -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return settings


# --- as files --------------------------------------------------------------------------------------------------------


@every_page
def test_nothing_is_loaded_from_elsewhere(site: Site, name: str) -> None:
    wants = [tag.get("src") for tag in soup_of(name).select("[src]")]
    wants += [tag["href"] for tag in soup_of(name).select('link:not([rel="canonical"])[href]')]
    wants += re.findall(r"url\(['\"]?([^'\")]+)", (site.folder / name).read_text(encoding="utf-8"))
    assert [want for want in wants if re.match(r"[a-z]+:(?!image/)|//", want) and "data:image/" not in want] == []


def test_stylesheets_load_only_what_is_there(site: Site) -> None:
    for sheet in (site.folder / "_static" / name for name in ("book.css", "formulas.css", "widgets.css")):
        text = sheet.read_text(encoding="utf-8")
        assert "@import" not in text
        wanted = [url for url in re.findall(r"url\(['\"]?([^'\")]+)", text) if not url.startswith(("data:", "#"))]
        missing = [url for url in wanted if not (sheet.parent / url).is_file()]
        assert missing == []


@every_page
def test_title_and_description(site: Site, name: str) -> None:
    def about(page: str) -> tuple[str, str]:
        found = soup_of(page)
        descriptions = found.select('meta[name="description"]')
        assert len(descriptions) == 1, f"{page} has {len(descriptions)} descriptions"
        return found.title.get_text().strip(), descriptions[0]["content"]

    title, description = about(name)
    assert config()["title"] in title
    assert 50 <= len(description) <= 170
    others = [about(page) for page in PAGES if page != name]
    assert title not in [other[0] for other in others]
    assert description not in [other[1] for other in others]


@every_text
def test_preview_and_canonical_address(site: Site, name: str) -> None:
    soup = soup_of(name)
    owner, repository = config()["repository"]["url"].split("/")[-2:]
    home = f"https://{owner}.github.io/{repository}/"
    preview = {meta["property"]: meta["content"] for meta in soup.select('meta[property^="og:"]')}
    assert soup.html["lang"] == "en"
    assert soup.select_one('link[rel="canonical"]')["href"] == preview["og:url"] == home + name
    assert preview["og:description"] == soup.select_one('meta[name="description"]')["content"]
    card = site.folder / preview["og:image"].removeprefix(home)
    assert get_image_size(card) == (1146, 600)
    others = [soup_of(other).select_one('meta[property="og:image"]')["content"] for other in TEXTS if other != name]
    assert preview["og:image"] not in others
    assert f"<loc>{home}{name}</loc>" in (site.folder / "sitemap.xml").read_text(encoding="utf-8")


@every_page
def test_links_lead_somewhere(site: Site, name: str) -> None:
    dead = []
    for link in soup_of(name).select("a[href]"):
        address = urlsplit(urljoin(f"http://site/{name}", link["href"]))
        if address.netloc != "site" or address.scheme != "http":
            continue
        target = site.folder / (unquote(address.path).lstrip("/") or "index.html")
        fragment = unquote(address.fragment)
        if "?" in fragment:  # a picture in a state, which no page has as an id: test_teaching.py opens those
            fragment = ""
        arrives = target.is_file() and (not fragment or soup_of(target.name).find(id=fragment))
        if not arrives:
            dead.append(link["href"])
    assert dead == []


@every_text
def test_maths_is_rendered(site: Site, name: str) -> None:
    article = copy.copy(soup_of(name).select_one("article"))
    assert article.select(".katex-error") == []
    maths = article.select(".math")
    assert all(element.select_one(".katex-html") and element.select_one("math") for element in maths)
    for element in article.select("pre, code, annotation"):
        element.decompose()
    found = RAW_TEX.search(article.get_text())
    assert found is None, f"raw TeX: {found[0]}"


@every_text
def test_ids_are_unique(site: Site, name: str) -> None:
    ids = [element["id"] for element in soup_of(name).find_all(id=True)]
    assert sorted(set(ids)) == sorted(ids)


@every_text
def test_a_percent_sign_stays_with_its_number_and_the_footer_in_the_column(site: Site, name: str) -> None:
    soup = soup_of(name)
    assert soup.select_one(".prev-next-footer + footer.bd-footer-content")
    article = copy.copy(soup.select_one("article"))
    for element in article.select("pre, code, annotation, script"):
        element.decompose()
    assert re.findall(r".{12}\d %", article.get_text()) == []


def test_a_name_with_a_hyphen_is_one_word(site: Site) -> None:
    heading = soup_of("temperature.html").find(id="why-cut-top-k-top-p-and-min-p").h2
    assert [span.get_text() for span in heading.select(".together")] == ["Top-k", "top-p", "min-p"]


def test_code_in_a_table_breaks_where_its_words_end(site: Site) -> None:
    code = next(c for c in soup_of("cross_entropy.html").select("td code") if "sparse_" in c.get_text())
    assert "sparse_<wbr" in str(code)


def test_folded_functions_are_named(site: Site) -> None:
    summaries = [words.get_text() for words in soup_of("ladder.html").select("details.hide > summary > .collapsed")]
    assert {"Show the code of softmax_numpy", "Show the code of check and gain"} <= set(summaries)
    assert "Show the code" in summaries  # of a figure: it stands right under it


@every_text
def test_buttons_of_the_repository(site: Site, name: str) -> None:
    source = name.replace(".html", ".ipynb" if name in CHAPTERS else ".md")
    repository = config()["repository"]["url"]
    links = {link.get_text().strip(): link["href"] for link in soup_of(name).select(".book-menu-item[href]")}
    assert links["Repository"] == repository
    assert links["Suggest edit"] == f"{repository}/edit/main/book/{source}"
    assert links["Open issue"] == f"{repository}/issues/new?title=Issue%20on%20page%20%2F{name}"
    if name in CHAPTERS:
        path = repository.removeprefix("https://github.com/")
        assert links["Run on Binder"] == f"https://mybinder.org/v2/gh/{path}/main?urlpath=lab/tree/book/{source}"
        assert links["Run on Colab"] == f"https://colab.research.google.com/github/{path}/blob/main/book/{source}"
        assert links["Download notebook"] == f"_sources/{source}"
        assert json.loads((site.folder / "_sources" / source).read_text(encoding="utf-8"))["nbformat"] == 4
    else:
        assert not {"Run on Binder", "Run on Colab"} & links.keys()


def toc() -> list[tuple[int, str, str]]:
    """Number, part and page of each chapter, from `_toc.yml`."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    pages = [
        (part["caption"], chapter["file"]) for part in parts if part.get("numbered") for chapter in part["chapters"]
    ]
    return [(number, caption, page) for number, (caption, page) in enumerate(pages, 1)]


def test_a_chapter_has_one_name_number_and_length_everywhere(site: Site) -> None:
    front = soup_of("index.html")
    assert [f"{page}.html" for _, _, page in toc()] == [card["href"] for card in front.select("a.chapter-card")]
    assert {f"{page}.html" for _, _, page in toc()} == set(CHAPTERS)
    for number, part, page in toc():
        card = front.select_one(f'a.chapter-card[data-chapter="{page}"]')
        minutes = re.search(r"\d+ min", card.get_text())[0]
        name = card.select_one(".chapter-name").get_text()
        assert card.select_one(".chapter-facts").get_text() == f"{number} · {minutes}"
        assert len(card.select("svg.miniature > *")) >= 3
        chapter = soup_of(f"{page}.html")
        title = chapter.select_one("article h1").get_text().removesuffix("#")
        assert title.startswith(f"{number}. {name}")
        assert chapter.title.get_text() == f"{title.removeprefix(f'{number}. ')} — {config()['title']}"
        assert chapter.select_one("article h1 + .chapter-facts").get_text() == f"{part} · {minutes}"
        for other in CHAPTERS:
            link = soup_of(other).select_one(f'nav.bd-links a[data-chapter="{page}"]')
            assert link.get_text() == f"{number} {name}"


@pytest.mark.parametrize(("number", "part", "page"), toc())
def test_a_chapter_leads_to_the_next(site: Site, number: int, part: str, page: str) -> None:
    ahead = soup_of(f"{page}.html").select_one(".prev-next-area a")
    following = [other for other in toc() if other[0] == number + 1]
    if following:
        assert ahead["href"] == f"{following[0][2]}.html"
        assert re.match(rf"Next · {number + 1} · \d+ min\w", ahead.get_text())
    else:
        assert ahead.get_text() == "Next: The library"


@every_text
def test_folded_code_stands_below_what_it_makes(site: Site, name: str) -> None:
    folded = soup_of(name).select("div.cell > details.hide")
    assert bool(folded) == (name in CHAPTERS)
    for code in folded:
        assert code.find_previous_sibling(class_="cell_output") or not code.parent.select(".cell_output")
        assert code.find_next_sibling() is None


@every_text
def test_every_linked_term_has_its_definition_in_the_page(site: Site, name: str) -> None:
    soup = soup_of(name)
    linked = {link["href"].partition("#")[2] for link in soup.select('article a[href^="glossary.html#term-"]')}
    assert {entry["data-definition"] for entry in soup.select(".definitions[hidden] > [data-definition]")} == linked
    assert bool(linked) == (name in CHAPTERS or name == "api.html")
    for term in linked:
        definition = soup_of("glossary.html").find(id=term).find_next_sibling("dd")
        stored = soup.select_one(f'[data-definition="{term}"]')
        assert stored.get_text().split() == definition.get_text().split()


# --- in a browser ----------------------------------------------------------------------------------------------------


@every_page
def test_a_page_is_light_quiet_and_still(browser: Browser, site: Site, name: str) -> None:
    with opened(browser, viewport={"width": 412, "height": 823}) as (page, seen):
        page.add_init_script(WATCH_SHIFTS)
        wire = page.context.new_cdp_session(page)
        # Slow enough that the text is there before the fonts and scripts are.
        slow = {"offline": False, "latency": 100, "downloadThroughput": 400_000, "uploadThroughput": 100_000}
        wire.send("Network.emulateNetworkConditions", slow)
        page.goto(site.url + name, wait_until="networkidle", timeout=120_000)
        assert seen["problems"] == []
        hosts = {urlsplit(response.url).netloc for response in seen["responses"]}
        assert hosts == {urlsplit(site.url).netloc}
        assert {response.status for response in seen["responses"]} <= {200, 304}
        weight = sum(len(gzip.compress(response.body(), 6)) for response in seen["responses"])
        assert weight <= 260_000, f"{name} loads {weight} bytes"
        shift = page.evaluate("window.layoutShift")
        assert shift <= 0.02, f"{name} shifts by {shift}"


@pytest.fixture(scope="module", params=PAGES)
def dark_page(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """A page on a desk in the dark, opened once for the tests that only look at it."""
    options: dict[str, Any] = {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}}
    with opened(browser, bypass_csp=True, reduced_motion="reduce", **options) as (page, _):
        page.goto(site.url + request.param)
        yield page


def test_nothing_is_white_in_the_dark(dark_page: Page) -> None:
    assert dark_page.evaluate(WHITE) == []
    dark_page.evaluate("document.body.style.background = 'white'")
    assert dark_page.evaluate(WHITE) != []  # it would be found
    dark_page.evaluate("document.body.style.background = ''")


def test_a_page_is_accessible(dark_page: Page) -> None:
    """On a desk in the dark and on a phone in the light: what is wrong is wrong in one of the two."""
    if not AXE.exists():
        pytest.fail("axe-core is not installed: run `npm ci` in widgets/.", pytrace=False)
    dark_page.add_script_tag(path=AXE)
    for width, scheme in ((1440, "dark"), (390, "light")):
        dark_page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", scheme)
        dark_page.set_viewport_size({"width": width, "height": 900})
        dark_page.wait_for_function(SCROLLS_BY_KEYBOARD)  # the theme marks code a while after a change of size
        violations = dark_page.evaluate(FIND_VIOLATIONS)
        found = [(v["id"], [node["html"][:120] for node in v["nodes"][:3]]) for v in violations]
        assert found == [], f"at {width} px, {scheme}"


def test_a_page_fits_its_window(dark_page: Page) -> None:
    for width in (320, 768, 1440):
        dark_page.set_viewport_size({"width": width, "height": 800})
        assert dark_page.evaluate("document.documentElement.scrollWidth") <= width
        ahead = dark_page.locator(".prev-next-area .chapter-words")
        assert all(words.bounding_box()["width"] >= 130 for words in ahead.all())


@pytest.mark.parametrize("dark_page", TEXTS, indirect=True)
def test_a_page_prints_its_text_alone(dark_page: Page) -> None:
    dark_page.set_viewport_size({"width": 800, "height": 1000})
    dark_page.emulate_media(media="print")
    assert dark_page.locator("article h1").is_visible()
    assert dark_page.locator("article").bounding_box()["width"] >= 760
    for what in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer"):
        assert not dark_page.locator(f"{what}:visible").count()
    dark_page.emulate_media(media="screen")


def test_paper_is_white_with_dark_code_and_shows_folded_functions(browser: Browser, site: Site) -> None:
    with opened(browser, color_scheme="dark", viewport={"width": 1440, "height": 900}) as (page, seen):
        page.goto(f"{site.url}ladder.html")
        functions = page.locator("div.cell:not(:has(.cell_output)) details.hide .highlight")
        drawing = page.locator("div.cell:has(.sw-figure) details.hide .highlight").first
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert functions.count() > 10
        assert all(code.is_visible() for code in functions.all())
        assert not drawing.is_visible()
        looks = "span => [getComputedStyle(span).color, getComputedStyle(span.closest('.cell_input')).opacity]"
        found = page.locator("details.hide[open] .highlight span").evaluate_all(f"all => all.map({looks})")
        assert {tuple(look) for look in found} == {("rgb(26, 29, 33)", "1")}
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert not any(code.is_visible() for code in functions.all())
        assert seen["problems"] == []


@every_text
def test_a_page_reads_without_scripts(browser: Browser, site: Site, name: str) -> None:
    with opened(browser, java_script_enabled=False) as (page, seen):
        page.goto(site.url + name)
        assert page.locator("article h1").is_visible()
        soup = soup_of(name)
        for what in (".katex-html", "article table"):
            assert page.locator(what).count() == len(soup.select(what))
        for table in page.locator("article :not(details, .sw-still *) > table").all():
            assert table.is_visible() or table.locator("xpath=ancestor::details").count()
        assert seen["problems"] == []


@every_page
def test_a_page_opens_from_a_folder(browser: Browser, site: Site, name: str) -> None:
    with opened(browser) as (page, seen):
        page.goto((site.folder / name).as_uri())
        assert page.locator("h1").first.is_visible()
        assert {urlsplit(response.url).scheme for response in seen["responses"]} <= {"file", "data"}
        assert seen["problems"] == []
        if name not in ("404.html", "search.html"):  # one has no typeface, one no text
            assert set(page.evaluate(LOADED_TYPEFACES)) >= TYPEFACES


@pytest.mark.parametrize("from_folder", [False, True], ids=["served", "from a folder"])
def test_search_and_theme(browser: Browser, site: Site, from_folder: bool) -> None:
    home = (site.folder / "index.html").as_uri() if from_folder else site.url
    with opened(browser, color_scheme="dark", viewport={"width": 1440, "height": 900}) as (page, seen):
        page.goto(home)
        background = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert page.evaluate(background) == "rgb(19, 23, 28)"
        page.locator(".theme-switch-button").first.click()
        assert page.evaluate(background) == "rgb(251, 251, 248)"
        # Chromium keeps the choice in another process, and a reload at once can read before it is written there.
        page.wait_for_timeout(1000)
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == "light"

        page.keyboard.press("Control+k")
        page.locator("#pst-search-dialog input").fill("softmax")
        page.keyboard.press("Enter")
        first = page.locator("#search-results .search a").first
        first.wait_for()
        first.click()
        page.wait_for_load_state()
        assert "softmax" in page.locator("article").inner_text().lower()
        assert seen["problems"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("why is my loss nan", "9. Overflow, underflow, NaN > Why is my loss NaN?"),
        ("derivative", "6. The derivative of softmax: if I nudge one logit, what moves?"),
        ("dervative", "6. The derivative of softmax: if I nudge one logit, what moves?"),
        ("overflow", "9. Overflow, underflow, NaN: what breaks on a real computer?"),
        ("temperature", "4. Temperature and sampling: how sure, and what comes next?"),
        ("what does the temperature do", "1. Softmax > What does the temperature do?"),
        ("attention", "8. Attention: what does softmax do in a transformer?"),
        ("jacobian", "6. The derivative of softmax > The Jacobian in numbers"),
        ("top-p", "4. Temperature and sampling > Why cut? Top-k, top-p and min-p"),
    ],
)
def test_search_finds_a_section_by_its_title(browser: Browser, site: Site, query: str, found: str) -> None:
    with opened(browser) as (page, seen):
        page.goto(f"{site.url}search.html?q={query}")
        results = page.locator("#search-results .search li")
        results.first.locator("a").wait_for()
        page.wait_for_load_state("networkidle")
        assert results.first.locator("a").inner_text() == found
        places = results.locator("a").evaluate_all("links => links.map(link => link.href.replace(/[?].*?(#|$)/, '$1'))")
        assert len(places) == len(set(places))
        # A formula in an excerpt stands there once, and not as its source as well; buttons are none of the text.
        assert not re.search(
            r"\\frac|\\sum|\\operatorname|Open issue|Show the code", "".join(results.all_inner_texts())
        )
        assert seen["problems"] == []


def test_keyboard_alone(browser: Browser, site: Site) -> None:
    with opened(browser, viewport={"width": 1440, "height": 900}) as (page, _):
        page.goto(site.url + (CHAPTERS or PAGES)[0])
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
        expect(page.locator("#pst-skip-link a")).to_be_in_viewport(ratio=1)  # when it has slid in
        menu = page.locator(".book-menu").first
        menu.locator("summary").focus()
        page.keyboard.press("Enter")
        assert menu.get_attribute("open") is not None
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className").startswith("book-menu-item")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Escape")
        assert menu.get_attribute("open") is None
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


# --- what the reader has read ----------------------------------------------------------------------------------------


def read_to_the_end(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("article .is-read")).to_have_count(0)
    page.evaluate("document.querySelector('.prev-next-footer').scrollIntoView()")
    expect(page.locator("article .is-read")).to_have_text("· ✓ read")


@pytest.mark.parametrize("from_folder", [False, True], ids=["served", "from a folder"])
def test_chapters_that_were_read_are_remembered(browser: Browser, site: Site, from_folder: bool) -> None:
    home = site.folder.as_uri() + "/" if from_folder else site.url
    with opened(browser, viewport={"width": 1440, "height": 900}) as (page, seen):
        page.goto(home + "index.html")
        begin, progress = page.locator("[data-begin]"), page.locator("[data-progress]").first
        expect(begin).to_have_text("Begin with chapter 1")
        expect(progress).to_be_hidden()
        assert page.locator(".is-read").count() == 0

        for _, _, chapter in toc()[:2]:
            read_to_the_end(page, f"{home}{chapter}.html")
        page.goto(home + "index.html")
        expect(begin).to_have_text("Go on with chapter 3")
        assert begin.get_attribute("href") == f"{toc()[2][2]}.html"
        expect(progress).to_contain_text(f"2 of {len(toc())} read")
        read = [mark.evaluate("mark => mark.closest('a').dataset.chapter") for mark in page.locator(".is-read").all()]
        assert read == [chapter for _, _, chapter in toc()[:2]]

        page.get_by_role("button", name="Forget").click()
        expect(begin).to_have_text("Begin with chapter 1")
        expect(progress).to_be_hidden()
        page.reload()
        assert page.locator(".is-read").count() == 0
        assert page.evaluate("localStorage.getItem('softmax-book: chapters read')") is None
        assert seen["problems"] == []


@pytest.mark.parametrize("stored", ["{}", "null", "[1, {}]", "not JSON", '"formula"'])
def test_a_strange_memory_does_no_harm(browser: Browser, site: Site, stored: str) -> None:
    with opened(browser) as (page, seen):
        page.add_init_script(f"localStorage.setItem('softmax-book: chapters read', {json.dumps(stored)})")
        page.goto(site.url)
        expect(page.locator("[data-begin]")).to_have_text("Begin with chapter 1")
        assert seen["problems"] == []


def test_reading_without_a_memory(browser: Browser, site: Site) -> None:
    with opened(browser, viewport={"width": 1440, "height": 900}) as (page, seen):
        page.add_init_script(BLOCK_STORAGE)
        read_to_the_end(page, f"{site.url}{CHAPTERS[0]}")
        page.locator(".theme-switch-button").first.click()
        expect(page.locator("html")).not_to_have_attribute("data-mode", "auto")
        page.goto(site.url)
        expect(page.locator("[data-begin]")).to_have_text("Begin with chapter 1")
        assert seen["problems"] == []


@pytest.mark.parametrize("name", ["index.html", *CHAPTERS[:1]])
def test_without_scripts_nothing_speaks_of_progress(browser: Browser, site: Site, name: str) -> None:
    with opened(browser, java_script_enabled=False, color_scheme="dark") as (page, _):
        page.goto(site.url + name)
        assert not any(line.is_visible() for line in page.locator("[data-progress], .is-read, .pst-js-only").all())
        background = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert background == "rgb(251, 251, 248)"  # a page without a script is light


# --- a term's definition, in place -----------------------------------------------------------------------------------


def first_term(page: Page) -> tuple[Locator, str]:
    link = page.locator("article a[href^='glossary.html#term-']").first
    link.scroll_into_view_if_needed()
    term = str(link.get_attribute("href")).partition("#")[2]
    return link, soup_of("glossary.html").find(id=term).find_next_sibling("dd").get_text().split(maxsplit=3)[0]


@pytest.mark.parametrize("from_folder", [False, True], ids=["served", "from a folder"])
def test_a_term_is_defined_where_it_stands(browser: Browser, site: Site, from_folder: bool) -> None:
    home = site.folder.as_uri() + "/" if from_folder else site.url
    with opened(browser, viewport={"width": 1440, "height": 900}) as (page, seen):
        page.goto(home + "jacobian.html")
        link, begins = first_term(page)
        definition = page.locator(".definition")
        link.hover()
        expect(definition).to_contain_text(begins)
        definition.hover()
        page.wait_for_timeout(500)
        expect(definition).to_be_visible()  # the pointer may rest on it
        page.keyboard.press("Escape")
        expect(definition).to_have_count(0)
        page.mouse.move(0, 0)

        link.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(definition).to_contain_text(begins)
        assert link.get_attribute("aria-describedby") == definition.get_attribute("id")
        page.keyboard.press("Escape")
        expect(definition).to_have_count(0)
        page.keyboard.press("Enter")
        page.wait_for_url("**/glossary.html#term-*")
        assert seen["problems"] == []


def test_a_term_is_defined_on_the_first_tap(browser: Browser, site: Site) -> None:
    with opened(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as (page, _):
        page.goto(f"{site.url}jacobian.html")
        link, begins = first_term(page)
        link.tap()
        definition = page.locator(".definition")
        expect(definition).to_contain_text(begins)
        box = definition.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        page.locator("article h1").tap()
        expect(definition).to_have_count(0)
        link.tap()
        expect(definition).to_be_visible()
        assert page.url.endswith("jacobian.html")
        link.tap()
        page.wait_for_url("**/glossary.html#term-*")


def test_a_security_policy_stops_foreign_scripts(browser: Browser, site: Site) -> None:
    with opened(browser) as (page, seen):
        page.goto(site.url)
        page.evaluate("""
          const inline = document.createElement("script");
          inline.textContent = "window.intruder = 1";
          document.body.append(inline);
          document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.intruder = 2'>");
        """)
        page.wait_for_timeout(100)
        assert page.evaluate("window.intruder") is None
        assert any("Content Security Policy" in problem for problem in seen["problems"])
