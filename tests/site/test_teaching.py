"""The page for teachers in a browser: every link to a picture opens it in that state, and its text says no more."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Locator, expect

from tests.book.test_chapters import CHAPTERS
from tests.book.test_teaching import paths
from tests.site.serving import SITE, Site

NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', {value: undefined})"


def soup_of(page: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


def state_links() -> list[tuple[str, str]]:
    """Address and text of each link to a picture in a state."""
    if not (SITE / "teaching.html").exists():
        return []
    links = soup_of("teaching").select("article a[href*='?']")
    return [(link["href"], link.get_text()) for link in links if not link["href"].startswith("http")]


def copied_fragment(widget: Locator) -> str:
    """What *Copy link* gives where there is no clipboard: the state that the picture is in."""
    widget.get_by_role("button", name="Copy link").click()
    return widget.get_by_role("textbox", name="link to this state").input_value().partition("#")[2]


def numbers(text: str) -> list[str]:
    return re.findall(r"−?\d+(?:\.\d+)?", text)


def test_there_are_links_to_pictures_of_every_step(site: Site) -> None:
    linked = {href.partition(".")[0] for href, _ in state_links()}
    assert linked == {name for name in paths()["four"] if (SITE / f"{name}.html").exists()}


@pytest.mark.parametrize(("href", "text"), state_links())
def test_a_link_opens_its_picture_in_its_state_and_says_what_is_seen(visit, site: Site, href: str, text: str) -> None:
    page = visit(site.url + href, script=NO_CLIPBOARD)
    fragment = href.partition("#")[2]
    widget = page.locator(f"#{fragment.partition('?')[0]}")
    assert copied_fragment(widget) == fragment
    shown = numbers(fragment.replace("-", "−")) + numbers(widget.inner_text())
    assert [number for number in numbers(text) if number not in shown] == []
    expect(widget).to_be_in_viewport()


def test_the_time_in_class_is_at_least_the_reading_time(site: Site) -> None:
    for steps in paths().values():
        for page, minutes in steps.items():
            if (SITE / f"{page}.html").exists():
                reading = int(re.search(r"(\d+) min", soup_of(page).select_one(".chapter-facts").get_text())[1])
                assert minutes >= reading + 2, page


def how_checked(soup: BeautifulSoup, page: str) -> dict[str, set[str]]:
    """For each exercise, what stands on the page between it and the next: a field for a number, a check of code."""
    found: dict[str, set[str]] = {}
    for part in soup.select("div.exercise[id], article pre, .softmax-widget[data-widget=NumberField]"):
        if part.name == "div" and "exercise" in part["class"]:
            found[f"{page}.html#{part['id']}"] = set()
        elif found and part.name == "div":
            found[[*found][-1]].add("a number")
        elif found and re.search(r"\bcheck\.\w+\(", part.get_text()):
            found[[*found][-1]].add("code")
    return found


def test_the_table_of_exercises_is_that_of_the_chapters(site: Site) -> None:
    (table,) = (t for t in soup_of("teaching").select("article table") if "what it tests" in t.get_text())
    names = table.select("td[colspan='3']")
    rows = [row.find_all("td") for row in table.select("tbody tr")]
    exercises = {cells[0].a["href"]: cells for cells in rows if len(cells) == 3}
    assert len(names) + len(exercises) == len(rows)
    assert {name.a["href"] for name in names} == {f"{path.stem}.html" for path in CHAPTERS}
    for path in CHAPTERS:
        soup = soup_of(path.stem)
        (name,) = (name for name in names if name.a["href"] == f"{path.stem}.html")
        assert name.get_text() in soup.select_one("article h1").get_text()
        titles = {f"{path.stem}.html#{box['id']}": box.p.get_text() for box in soup.select("div.exercise[id]")}
        listed = {href: cells for href, cells in exercises.items() if href.partition(".")[0] == path.stem}
        assert [*listed] == [*titles]
        assert all(f"({cells[0].get_text()})" in titles[href] for href, cells in listed.items())
        said = {href: set(cells[2].get_text().split(", ")) - {"–"} for href, cells in listed.items()}
        assert said == how_checked(soup, path.stem)
