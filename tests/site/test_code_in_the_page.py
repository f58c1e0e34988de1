"""A chapter's code in the page: what a reader presses, types and sees, and each cell against its stored output."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.site.serving import SITE, Site
from tests.site.test_site import AXE, CHAPTERS

SLOW = 120_000  # ms: Python's start, on a busy machine
RUNNING = [name for name in CHAPTERS if "data-cell=" in (SITE / name).read_text(encoding="utf-8")]
NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?")

# Runs each cell, folded ones too, as its button does, and waits for its end.
RUN_ALL = """
async () => {
  const { press } = await import(new URL("_static/live/page.mjs", document.baseURI).href);
  const text = (cell, which) => [...cell.querySelectorAll(`.cell_output${which} :is(pre, svg)`)]
    .filter((part) => !part.closest("button") && !part.parentElement.closest("svg"))
    .map((part) => part.textContent.trim()).join("\\n");
  const found = [];
  for (const cell of document.querySelectorAll("[data-cell]:not([data-unseen])")) {
    await press(cell, "run");
    const status = cell.querySelector(".cell-status").textContent;
    found.push([cell.dataset.cell, text(cell, ":not(.is-new)"), text(cell, ".is-new"), status]);
  }
  return found;
}
"""


def same(stored: str, new: str) -> bool:
    """Whether two outputs say the same, numbers to twelve digits."""
    words = [" ".join(NUMBER.sub("#", text).split()) for text in (stored, new)]
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (stored, new)]
    return words[0].replace(" ", "") == words[1].replace(" ", "") and all(
        math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300) for a, b in zip(*numbers, strict=True)
    )


@pytest.fixture
def chapter(visit: Callable[..., Page], site: Site) -> Callable[..., Page]:
    """Opens a chapter, on which every other host is refused."""

    def open_chapter(name: str, **options) -> Page:
        page = visit(f"{site.url}{name}", **options)
        page.set_default_timeout(SLOW)
        asked = []
        page.context.on("request", lambda request: asked.append(request.url))
        page.asked = asked
        page.route(lambda url: urlsplit(url).netloc != urlsplit(site.url).netloc, lambda route: route.abort())
        return page

    return open_chapter


def cell(page: Page, code: str) -> Locator:
    """The first cell with this in its stored code."""
    return page.locator("[data-cell]:not([data-unseen])", has=page.locator("pre", has_text=code)).first


def run(box: Locator) -> str:
    box.get_by_role("button", name="Run", exact=True).click()
    expect(box.locator(".cell_output.is-new")).to_have_count(1, timeout=SLOW)
    expect(box.page.locator(".python-runs")).to_have_count(0, timeout=SLOW)
    return box.locator(".cell_output.is-new").inner_text()


def type_instead(box: Locator, code: str) -> None:
    """Opens the cell's editor and writes this in place of its code."""
    box.get_by_role("button", name="Edit").click()
    expect(box.get_by_role("textbox", name="Python code of this cell")).to_be_focused()
    box.page.keyboard.press("ControlOrMeta+a")
    box.page.keyboard.type(code)


@pytest.mark.parametrize("name", RUNNING)
def test_every_cell_gives_its_stored_output(chapter, name: str) -> None:
    page = chapter(name)
    found = page.evaluate(RUN_ALL)
    assert len(found) > 1
    assert [each for each in found if each[3]] == []
    assert [each[:3] for each in found if not same(each[1], each[2])] == []


def test_a_reader_runs_edits_errs_and_goes_back(chapter) -> None:
    page = chapter("formula.html")
    assert not [url for url in page.asked if "/python/" in url or "/live/" in url]
    box = cell(page, "exponentials / exponentials.sum()")
    stored = box.locator(".cell_output pre").inner_text()

    # The cell above that it needs runs first, in its own place.
    assert run(box).split() == stored.split()
    assert cell(page, "logits = np.array").locator(".is-new").inner_text().startswith("array([7.38")
    transferred = sum(
        file.stat().st_size
        for file in (SITE / "_static" / "python").iterdir()
        if any(file.name in url for url in page.asked)
    )
    assert 0 < transferred < 20e6

    type_instead(box, "print(1 / 4)\nundefined_name / 2")
    page.keyboard.press("Shift+Enter")
    error = box.locator(".is-error")
    expect(error).to_have_text(re.compile("NameError"), timeout=SLOW)
    assert error.inner_text().split("\n") == [
        "NameError: name 'undefined_name' is not defined",
        "  line 2: undefined_name / 2",
    ]
    assert "0.25" in box.locator(".stream").inner_text()
    expect(box.get_by_role("button", name="Run all cells above")).to_be_visible()
    expect(page.locator("input:focus")).to_have_count(0)  # a slash does not open the search

    page.reload()
    box = cell(page, "undefined_name")
    expect(box.locator(".cell_input pre")).to_have_text("print(1 / 4)\nundefined_name / 2")
    box.get_by_role("button", name="Reset").click()
    expect(cell(page, "exponentials / exponentials.sum()").locator(".cell_output pre")).to_have_text(stored)
    assert "undefined_name" not in page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage })")


def test_a_plot_of_the_readers_own_is_drawn(chapter) -> None:
    page = chapter("formula.html", width=390)
    box = cell(page, "logits = np.array")
    type_instead(box, "import matplotlib.pyplot as plt\nplt.bar(['cat', 'dog'], [0.3, 0.7])\nplt.show()")
    run(box)
    expect(box.locator(".is-new svg")).to_have_count(1)
    drawn = box.locator(".is-new svg").bounding_box()
    assert 300 < drawn["width"] <= 358
    assert drawn["height"] < drawn["width"]
    expect(box.locator(".is-new pre")).to_have_count(0)


def test_a_loop_without_end_is_stopped_while_the_page_lives(chapter) -> None:
    page = chapter("formula.html")
    box = cell(page, "logits = np.array")
    type_instead(box, "print('begun')\nwhile True: pass")
    box.get_by_role("button", name="Run", exact=True).click()
    expect(box.locator(".stream")).to_have_text("begun", timeout=SLOW)
    stop = box.get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    other = cell(page, "softmax(10 * logits)")
    other.get_by_role("button", name="Run", exact=True).click()
    expect(other.locator(".cell-status")).to_have_text("Another cell is running.")
    stop.click()
    expect(box.locator(".cell-status")).to_have_text(re.compile("Stopped"))
    box.get_by_role("button", name="Reset").click()
    assert "array([7.38" in run(box)


def test_a_name_that_only_another_cell_makes_is_found_by_running_all_above(chapter) -> None:
    page = chapter("formula.html")
    box = cell(page, "softmax(logits + 100)")
    type_instead(box, "mixed.sum()")
    page.keyboard.press("Shift+Enter")
    box.get_by_role("button", name="Run all cells above").click()
    expect(box.locator(".is-new")).to_have_text(re.compile(r"1\.0"), timeout=SLOW)


def test_python_asks_no_other_site(chapter, site: Site) -> None:
    page = chapter("formula.html")
    box = cell(page, "logits = np.array")
    type_instead(box, "from pyodide.http import open_url\nopen_url('https://example.org/')")
    page.keyboard.press("Shift+Enter")
    expect(box.locator(".is-error")).to_be_visible(timeout=SLOW)
    assert {urlsplit(url).netloc for url in page.asked if not url.startswith(("data:", "blob:"))} == {
        urlsplit(site.url).netloc
    }


def test_the_editor_is_accessible_and_left_by_keyboard(chapter) -> None:
    page = chapter("five_logits.html", width=320)
    box = cell(page, "softmax(large)")
    edit = box.get_by_role("button", name="Edit")
    edit.focus()
    page.keyboard.press("Enter")
    expect(box.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Tab")
    expect(edit).to_be_focused()
    page.keyboard.press("Tab")
    expect(box.get_by_role("button", name="Run", exact=True)).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run(document.querySelector('article')).then((found) => found.violations.map((each) => each.id))"
    )
    assert found == []


def test_a_page_from_a_folder_says_why_it_has_no_button(visit) -> None:
    page = visit((SITE / "formula.html").as_uri())
    expect(page.locator(".cell-bar")).to_have_count(0)
    expect(page.locator(".cell-note")).to_have_text(re.compile("web server"))


def test_a_chapter_about_a_machine_says_what_a_browser_lacks(chapter) -> None:
    page = chapter("numba.html")
    expect(page.locator(".cell-bar")).to_have_count(0)
    expect(page.locator(".cell-note")).to_have_text(re.compile("uses Numba"))


def test_a_verdict_is_read_without_scrolling(chapter) -> None:
    page = chapter("bug_museum.html", width=320)
    verdicts = page.locator(".cell_output pre", has_text=re.compile("^[✓✗]")).all()
    assert len(verdicts) == 22
    too_wide = "pre => pre.closest('details:not([open])') === null && pre.scrollWidth > pre.clientWidth"
    assert [each.inner_text() for each in verdicts if each.evaluate(too_wide)] == []
    box = cell(page, "check.timing(milliseconds)")
    run(box)
    said, hint = box.locator(".is-new pre").all()
    assert [said.text_content(), hint.text_content()] == box.locator(
        ".cell_output:not(.is-new) pre"
    ).all_text_contents()
    expect(hint).to_be_hidden()
    box.locator(".is-new").get_by_text("Hint").click()
    expect(hint).to_be_visible()
    assert not any(each.evaluate(too_wide) for each in (said, hint))
