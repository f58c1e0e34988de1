"""The ladder, its bars and its race, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.site.gallery import HOSTILE, LADDER, values

KINDS = ("Ladder",)

LAST = len(LADDER.names) - 1


def rung(page: Page) -> Locator:
    return page.locator("#ladder-1")


def selected(widget: Locator) -> int:
    return widget.get_by_role("radio").evaluate_all("radios => radios.findIndex(radio => radio.checked)")


def words(widget: Locator) -> str:
    return widget.locator(".sw-rung-said").inner_text().replace("\n", " ")


def bars(widget: Locator) -> list[tuple[float, float]]:
    """Where each bar, or in the race each runner, begins and how wide it is."""
    found = widget.locator(".sw-rung-bar").evaluate_all(
        "bars => bars.map(b => [b.x.baseVal.value, b.width.baseVal.value])"
    )
    return [(start, length) for start, length in found]


def limit(widget: Locator) -> float:
    path = widget.locator(".sw-rung-limit").get_attribute("d") or ""
    return float(re.match(r"M([\d.]+) ", path)[1])


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_bars_are_as_long_as_the_times_of_the_file(visit, served, width):
    widget = rung(visit(served, width=width))
    assert values(widget.locator("[data-value]")) == LADDER.seconds
    shown = bars(widget)
    zero, per_second = shown[0][0], shown[0][1] / LADDER.seconds[0]
    for (start, length), seconds in zip(shown, LADDER.seconds, strict=True):
        assert start == zero
        assert length == pytest.approx(seconds * per_second, rel=1e-6)
    assert limit(widget) == pytest.approx(zero + LADDER.limit * per_second, rel=1e-6)
    assert selected(widget) == LAST


def test_a_rung_says_what_it_changed_and_how_many_times_as_fast_it_is(visit, served):
    widget = rung(visit(served))
    assert words(widget) == (
        "4 of 4: all cores, by rows 5.7 ms Each core gets its share. "
        "It is 34 times as fast as the rung before, and 15 times as fast as the first. "
        "It takes 1.4 times as long as one copy."
    )
    back, forth = (widget.get_by_role("button", name=name) for name in ("Back", "Next rung"))
    back.click()
    assert "It takes 3.7 times as long as the rung before, and 2.2 times as long as the first." in words(widget)
    back.click()
    assert "It is 1.7 times as fast as the first. It takes 13 times as long as one copy." in words(widget)
    back.click()
    assert selected(widget) == 0
    assert words(widget).endswith("The ladder begins here. It takes 22 times as long as one copy.")
    expect(back).to_have_attribute("aria-disabled", "true")
    forth.click()
    assert selected(widget) == 1
    expect(widget.get_by_role("status").first).to_contain_text("no temporaries. No new arrays. It is 1.7 times")


def test_the_reader_steps_by_keyboard(visit, served):
    page = visit(served)
    widget = rung(page)
    widget.get_by_role("radio", name="all cores, by rows, 5.7 ms").focus()
    page.keyboard.press("ArrowUp")
    assert selected(widget) == 2
    page.keyboard.press("ArrowLeft")
    assert selected(widget) == 1
    page.keyboard.press("ArrowDown")
    assert selected(widget) == 2
    assert words(widget).startswith("3 of 4: the articles' Numba 192 ms")
    widget.get_by_role("button", name="Back").press("Enter")
    assert selected(widget) == 1
    widget.get_by_role("button", name="Reset").press("Enter")
    assert selected(widget) == LAST


def test_two_ladders_of_a_page_do_not_share_a_selection(visit, served):
    page = visit(served)
    other = page.locator("#ladder-2")
    other.get_by_role("radio").first.click()
    assert (selected(rung(page)), selected(other)) == (LAST, 0)


def test_a_press_on_a_row_selects_it(visit, served):
    page = visit(served)
    widget = rung(page)
    widget.get_by_role("radio", name="no temporaries").click()
    assert selected(widget) == 1
    assert widget.locator(".sw-rung-above").count() == 2  # what has not been climbed yet


def test_each_runs_at_a_speed_proportional_to_its_own_and_nobody_passes_the_limit(visit, served):
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(served)
    widget = rung(page)
    before = bars(widget)
    page.clock.pause_at("2026-01-02T00:00")
    widget.get_by_role("button", name="Race").click()
    expect(widget).to_contain_text("slowed down 42 times")
    start = bars(widget)[0][0]
    page.clock.run_for(150)
    runs = [place - start for place, _ in bars(widget)]
    for run, seconds in zip(runs, LADDER.seconds, strict=True):
        assert run * seconds == pytest.approx(runs[0] * LADDER.seconds[0], rel=1e-6)
    speed = runs[0] * LADDER.seconds[0]
    front = limit(widget) - start - bars(widget)[0][1]
    assert front == pytest.approx(speed / LADDER.limit, rel=1e-6)
    assert front > max(runs) > 0
    page.clock.run_for(4000)
    assert bars(widget)[0][0] == bars(widget)[3][0] > bars(widget)[2][0]  # the articles' is still on its way
    expect(widget.get_by_text("clock 192 ms")).to_have_count(0)
    page.clock.run_for(4000)
    assert len({place for place, _ in bars(widget)}) == 1
    expect(widget.get_by_text("clock 192 ms")).to_have_count(1)
    page.clock.run_for(1300)
    assert bars(widget) == before
    expect(widget.locator(".sw-rung-note")).to_have_text(
        "First: one copy. Second: all cores, by rows. Last: the articles' Numba."
    )


def test_the_reader_can_skip_to_the_end(visit, served):
    widget = rung(visit(served))
    before = bars(widget)
    widget.get_by_role("button", name="Race").click()
    expect(widget.locator(".sw-rung-lane").first).to_be_attached()
    widget.get_by_role("button", name="Skip").click()
    assert bars(widget) == before
    expect(widget.locator(".sw-rung-note")).to_contain_text("First: one copy.")
    expect(widget.get_by_role("button", name="Race")).to_be_visible()


def test_without_motion_the_end_is_there_at_once(visit, served):
    widget = rung(visit(served, reduced_motion="reduce"))
    before = bars(widget)
    widget.get_by_role("button", name="Race").click()
    expect(widget.locator(".sw-rung-note")).to_contain_text("First: one copy.")
    assert widget.locator(".sw-rung-lane").count() == 0
    assert bars(widget) == before


def test_paper_shows_the_times_and_not_a_moment_of_the_race(visit, served):
    page = visit(served)
    widget = rung(page)
    widget.get_by_role("button", name="Race").click()
    expect(widget.locator(".sw-rung-lane").first).to_be_attached()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert widget.locator(".sw-rung-lane").count() == 0


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_moves_while_the_reader_steps_or_races(visit, served, width):
    widget = rung(visit(served, width=width))
    places = """w => [...w.querySelectorAll("svg, button, input, .sw-rung-words, .sw-rung-note")].map(e => {
        const {x, y, width, height} = e.getBoundingClientRect();
        return [x, y + scrollY, width, height].map(Math.round);
    })"""
    before = widget.evaluate(places)
    for name in ("Back", "Back", "Back", "Next rung", "Race", "Skip"):
        widget.get_by_role("button", name=name).click()
        assert widget.evaluate(places) == before


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_is_cut_or_overflows(visit, served, width):
    page = visit(served, width=width)
    widget = rung(page)
    outside = """w => [...w.querySelectorAll("svg text")].filter(text => {
        const [inner, outer] = [text, text.ownerSVGElement].map(e => e.getBoundingClientRect());
        return inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5 || inner.bottom > outer.bottom;
    }).map(text => text.textContent)"""
    assert widget.evaluate(outside) == []
    widget.get_by_role("button", name="Race").click()
    assert widget.evaluate(outside) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = widget.locator("svg text").evaluate_all("ts => ts.map(t => parseFloat(getComputedStyle(t).fontSize))")
    assert min(small) >= 12


FRAGMENTS = {
    "far": ("selected=99", LAST),
    "below": ("selected=-5", 0),
    "nan": ("selected=NaN", LAST),
    "infinite": ("selected=1e999", LAST),
    "between": ("selected=0.5", LAST),
    "forged": (f"seconds=1,2,3,4&limit=1e-9&names={HOSTILE},b,c,d&limit_name=mine&unit=s&selected=1", 1),
    "proto": ("__proto__=1&constructor=2&selected.__proto__=3", LAST),
}


@pytest.mark.parametrize(("fragment", "expected"), FRAGMENTS.values(), ids=FRAGMENTS)
def test_a_link_says_which_rung_and_cannot_change_what_was_measured(visit, served, fragment, expected):
    page = visit(f"{served}#ladder-1?{fragment}")
    widget = rung(page)
    assert selected(widget) == expected
    assert values(widget.locator("[data-value]")) == LADDER.seconds
    assert "mine" not in widget.inner_text()
    assert page.locator("img, iframe, object, main script").count() == 0


def test_a_link_to_a_rung_can_be_copied(visit, served):
    page = visit(served, permissions=("clipboard-read", "clipboard-write"))
    widget = rung(page)
    widget.get_by_role("button", name="Back").click()
    widget.get_by_role("button", name="Copy link").click()
    expect(widget.get_by_text("✓ Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{served}#ladder-1?selected={LAST - 1}"
    assert selected(rung(visit(link))) == LAST - 1


@pytest.mark.parametrize("width", [320, 1440])
def test_the_longest_and_the_shortest_times_can_be_shown(visit, served, width):
    page = visit(served, width=width)
    widget = page.locator("#ladder-2")
    assert "NaN" not in widget.inner_html()
    assert widget.locator("svg text").get_by_text(HOSTILE, exact=True).count() == 1
    widget.get_by_role("button", name="Race").click()
    assert "NaN" not in widget.inner_html()
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_the_times_stand_in_a_table(visit, served):
    widget = visit(served, java_script_enabled=False).locator('[data-widget="Ladder"]').first
    assert values(widget.locator("[data-value]")) == LADDER.seconds
    widths = widget.locator(".sw-bar > span").evaluate_all("bars => bars.map(b => b.getBoundingClientRect().width)")
    full = widths[2]
    assert full > 20
    for length, seconds in zip(widths, LADDER.seconds, strict=True):
        assert length == pytest.approx(full * seconds / LADDER.seconds[2], abs=1)
