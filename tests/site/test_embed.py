"""The pages to embed, each in a frame on another site: it works, it fits, and it asks nobody else for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from softmax_lib.widgets.facts import INTERACTIVES
from tests.book.test_teaching import TEXT
from tests.site.gallery import AXE, pull
from tests.site.serving import SITE, Site, served
from tests.site.test_teaching import NO_CLIPBOARD, copied_fragment

# What the page for teachers says of each: its name, and the heights of a wide frame and of a narrow one.
SAID = {
    kind: (name, int(wide), int(narrow))
    for kind, name, wide, narrow in re.findall(
        r'^\| <a href="embed/(\w+)\.html">(.+)</a> \| (\d+) \| (\d+) \|$', TEXT, re.MULTILINE
    )
}
every_kind = pytest.mark.parametrize("kind", SAID)
STATES = {
    "LogitExplorer": "logits=3,1,0,-1&selected=1",
    "LayerExplorer": "hidden=0,0,0",
    "SamplingExplorer": "prompt=1&temperature=2&top_k=3",
    "SimplexExplorer": "temperature=0.25",
    "LossExplorer": "logits=0,8,0,0",
    "JacobianExplorer": "row=0&nudge=-1",
    "CalibrationExplorer": "temperature=3",
    "AttentionExplorer": "scaled=false&query=1",
    "OnlineStepper": "step=4",
    "PrecisionLab": "format=float32&shift=-12",
    "Ladder": "selected=2",
}
HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A course</title><link rel="icon" href="data:,">
<h1>A course</h1><div style="height: 2000px">Text.</div>{}"""
FRAME = '<p><iframe src="{}embed/{}.html#{}" title="{}" width="{}" height="{}" style="border: 0"></iframe></p>'
BEYOND = "page => [page.scrollHeight - page.clientHeight, page.scrollWidth - page.clientWidth]"


def id_of(kind: str) -> str:
    return re.sub(r"\B([A-Z])", r"-\1", kind).lower() + "-1"


def soup_of(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def course(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another site. A page for each kind shows it wide and narrow, in a state of its own, below what one sees first."""
    folder = tmp_path_factory.mktemp("course")
    for kind, (name, wide, narrow) in SAID.items():
        state = f"{id_of(kind)}?{STATES[kind]}"
        frames = [FRAME.format(site.url, kind, state, name, width, height) for width, height in sizes(wide, narrow)]
        (folder / f"{kind}.html").write_text(HOST.format("".join(frames)), encoding="utf-8")
    with served(folder) as url:
        yield url


def sizes(wide: int, narrow: int) -> list[tuple[int, int]]:
    return [(720, wide), (360, narrow)]


def test_every_interactive_that_needs_no_text_around_it_has_a_page_and_is_in_the_list(site: Site) -> None:
    assert set(SAID) == set(INTERACTIVES) - {"Guess", "GuessNumber", "NumberField", "Quiz"}
    assert {file.stem for file in (site.folder / "embed").iterdir()} == set(SAID)
    (frame,) = soup_of(site.folder / "teaching.html").select("div.highlight-html")
    name, height, _ = SAID["LogitExplorer"]
    assert f'title="{name}" width="100%" height="{height}"' in frame.get_text()


@every_kind
def test_a_page_to_embed_is_the_interactive_of_its_chapter_and_little_else(site: Site, kind: str) -> None:
    path = site.folder / "embed" / f"{kind}.html"
    soup = soup_of(path)
    assert soup.html["lang"] == "en"
    assert soup.title.get_text() == f"{SAID[kind][0]} — The softmax book"
    assert soup.select_one('meta[name="robots"]')["content"] == "noindex"
    assert kind not in (site.folder / "sitemap.xml").read_text(encoding="utf-8")
    (link,) = soup.select("a")
    (shown,) = soup.select(f".softmax-widget[data-widget={kind}]")
    with_state = re.search(r'<div class="softmax-widget".+?>', path.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert with_state in (path.parent / link["href"]).read_text(encoding="utf-8")
    assert shown.select_one(".sw-still svg")
    policy = soup.select_one('meta[http-equiv="Content-Security-Policy"]')["content"]
    assert policy.startswith("default-src 'none'")
    assert "script-src 'self' file:;" in policy
    wanted = [tag.get("src") or tag.get("href") for tag in soup.select("script, link")]
    wanted += re.findall(r'url\("([^"]+)"\)', soup.style.get_text())
    assert all((path.parent / file).is_file() for file in wanted if file != "data:,")
    assert path.stat().st_size < 100_000


@every_kind
def test_in_a_frame_it_takes_the_state_of_the_link_can_be_moved_and_fits(visit, site, course: str, kind: str) -> None:
    page = visit("about:blank", script=NO_CLIPBOARD)
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{course}{kind}.html")
    for frame in page.frames[1:]:
        expect(frame.get_by_role("button", name="Copy link")).to_be_attached()
    assert page.evaluate("scrollY") == 0
    for frame, (width, height) in zip(page.frames[1:], sizes(*SAID[kind][1:]), strict=True):
        widget = frame.locator(".softmax-widget")
        assert copied_fragment(widget) == f"{id_of(kind)}?{STATES[kind]}"
        before, needed = widget.locator("svg").first.inner_html(), 0
        control = widget.get_by_role("radio" if kind == "Ladder" else "slider").first
        for key in ("ArrowDown", "ArrowUp") if kind == "Ladder" else ("End", "Home"):
            control.press(key)
            needed = max(needed, frame.evaluate("document.querySelector('main').offsetHeight"))
            assert frame.locator("html").evaluate(BEYOND) == [0, 0], (width, key)
        assert widget.locator("svg").first.inner_html() != before
        assert height - needed < 80, width
    assert hosts == {urlsplit(course).netloc, urlsplit(site.url).netloc}


def test_in_a_frame_it_is_dragged_and_typed_into(visit, course: str) -> None:
    page = visit(f"{course}LogitExplorer.html")
    for at, frame in zip(page.locator("iframe").all(), page.frames[1:], strict=True):
        at.scroll_into_view_if_needed()  # what is out of sight is not painted, and never comes to rest
        widget = frame.locator(".softmax-widget")
        share = widget.locator("[data-value]").first
        before = share.get_attribute("data-value")
        pull(page, widget.get_by_role("slider", name="logit of dog"), 40)
        expect(share).not_to_have_attribute("data-value", before)
        for name in ("cat", "dog", "tiger", "none"):
            widget.get_by_role("spinbutton", name=f"logit of {name}").fill("1.5")
        expect(share).to_have_attribute("data-value", "0.25")


@pytest.mark.parametrize("kind", ["LogitExplorer", "Ladder"])
def test_axe_finds_nothing(visit, site: Site, kind: str) -> None:
    """Around these two; the interactives themselves are looked at in `test_interactives.py`."""
    page = visit(f"{site.url}embed/{kind}.html", width=720, color_scheme="light", reduced_motion="reduce")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    colours = set()
    for width, scheme in ((720, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        colours.add(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})")
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == [], scheme
    assert colours == {"rgb(251, 251, 248)", "rgb(19, 23, 28)"}


def test_without_a_script_the_first_frame_is_there(visit, site: Site) -> None:
    page = visit(f"{site.url}embed/LogitExplorer.html", java_script_enabled=False)
    state = json.loads(page.locator(".softmax-widget").get_attribute("data-state") or "")
    expect(page.locator(".sw-still:visible")).to_contain_text(state["labels"][0])


def test_it_opens_from_a_folder(visit) -> None:
    page = visit((SITE / "embed" / "SimplexExplorer.html").as_uri())
    expect(page.get_by_role("slider", name="temperature")).to_be_attached()
