"""The reliability diagram and its temperature in a real browser."""

import math
import re

import pytest
from playwright.sync_api import Locator, expect

from softmax_lib.widgets import CalibrationExplorer
from tests.library.overconfident import overconfident
from tests.library.test_calibration_explorer import best_temperature
from tests.site.gallery import Finger, first, first_frame, middle_of, pull, values
from tests.site.test_interactives import HOSTILE_FRAGMENTS, HOSTILE_SETTINGS

KINDS = ("CalibrationExplorer",)

LOGITS, TRUTH = overconfident()


def box_of(widget: Locator) -> Locator:
    return widget.get_by_role("spinbutton", name="temperature")


def slider_of(widget: Locator) -> Locator:
    return widget.get_by_role("slider", name="temperature")


def temperature_of(widget: Locator) -> float:
    return float(box_of(widget).input_value())


def assert_agrees_with_python(widget: Locator) -> CalibrationExplorer:
    """Every number to 1e-12; and the dots, the dot of the loss and the grip stand where these numbers are."""
    ours = CalibrationExplorer(LOGITS, TRUTH, temperature_of(widget))
    error, loss = values(widget.locator(".sw-headline [data-value]"))
    assert [error, loss] == pytest.approx([ours.calibration_error, ours.loss], rel=1e-12, abs=1e-14)
    assert values(widget.locator(".sw-subline [data-value]")) == [ours.accuracy]
    cells = values(widget.locator(".sw-hidden td[data-value]"))
    for i, (count, said, true) in enumerate(ours.bins):
        assert cells[3 * i] == count
        if count:
            assert cells[3 * i + 1 : 3 * i + 3] == pytest.approx([said, true], rel=1e-12)
    expected = [(i, said, true) for i, (count, said, true) in enumerate(ours.bins) if count]
    assert dots(widget) == [pytest.approx(each, abs=0.001) for each in expected]
    return ours


FRAME = """w => {
    const axes = [...w.querySelectorAll("svg .sw-zero, svg .sw-rail")].map(line => line.getAttribute("d"));
    return [...axes, ...[...w.querySelectorAll("svg .sw-grid, svg .sw-loss-curve, svg .sw-tangent")].map(
        line => line.getAttribute("d"))];
}"""
DOTS = """w => [...w.querySelectorAll("svg .sw-bin-dot")].map(dot => [
    Number(dot.closest("[data-tap]").dataset.tap), Number(dot.getAttribute("cx")), Number(dot.getAttribute("cy"))])"""


def dots(widget: Locator) -> list[tuple[float, float, float]]:
    """Bin, said and true of each dot, from its place in the frame."""
    path = widget.locator("svg .sw-zero").first.get_attribute("d") or ""
    left, top, bottom, right = map(float, re.findall(r"[\d.]+", path))
    return [(i, (x - left) / (right - left), (bottom - y) / (bottom - top)) for i, x, y in widget.evaluate(DOTS)]


def on_the_rail(widget: Locator, temperature: float) -> float:
    """How far it is from the grip to this temperature, in pixels."""
    grip = widget.locator("[data-grip=temperature]").get_attribute("transform") or ""
    path = widget.locator("svg .sw-rail").first.get_attribute("d") or ""
    left, _, right = map(float, re.findall(r"[\d.]+", path))
    at = left + math.log(temperature / 0.25, 32) * (right - left)
    return at - float(re.findall(r"[\d.]+", grip)[0])


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_picture_follows_the_grip_and_no_axis_moves(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "calibration")
    frame = widget.evaluate(FRAME)
    before = assert_agrees_with_python(widget)
    assert before.temperature == 1
    for wanted in (2.5, 0.3, 6):
        pull(page, slider_of(widget), on_the_rail(widget, wanted), 30)
        after = assert_agrees_with_python(widget)
        assert after.temperature == pytest.approx(wanted, rel=0.02)
        assert on_the_rail(widget, after.temperature) == pytest.approx(0, abs=0.1)
        assert after.accuracy == before.accuracy
        assert after.loss != before.loss
        assert widget.evaluate(FRAME) == frame
    pull(page, slider_of(widget), on_the_rail(widget, 2.1))
    assert temperature_of(widget) == 2  # a mark catches within 7 %
    for far, end in ((1000, 8), (-1000, 0.25)):
        pull(page, slider_of(widget), far)
        assert assert_agrees_with_python(widget).temperature == end
        assert widget.evaluate(FRAME) == frame
    expect(widget.locator(".sw-headline")).to_have_text(re.compile(r"^Calibration error \d\d points, ?loss \d\.\d\d$"))


def test_lowest_loss_goes_where_python_finds_it_and_says_so(visit, served):
    page = visit(served)
    widget = first(page, "calibration")
    best = best_temperature(LOGITS, TRUTH)
    widget.get_by_role("button", name="Lowest loss").click()
    expect(widget.locator(".sw-note")).to_contain_text("Here, at 3.2, the loss is lowest.")
    assert temperature_of(widget) == pytest.approx(best, rel=2e-4)
    ours = assert_agrees_with_python(widget)
    for beside in (0.97, 1.03):
        assert ours.loss < CalibrationExplorer(LOGITS, TRUTH, best * beside).loss
    widget.get_by_role("button", name="Start again").click()
    expect(box_of(widget)).to_have_value("1")
    assert_agrees_with_python(widget)
    expect(widget.locator(".sw-note")).not_to_contain_text("lowest")


def test_a_journey_takes_time_unless_less_motion_is_wanted_and_ends_where_the_reader_acts(visit, served):
    calm = first(visit(served, reduced_motion="reduce"), "calibration")
    calm.get_by_role("button", name="Lowest loss").click()
    assert temperature_of(calm) == pytest.approx(best_temperature(LOGITS, TRUTH), rel=2e-4)
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(served)
    page.clock.pause_at("2026-01-02T00:00")
    widget = first(page, "calibration")
    widget.get_by_role("button", name="Lowest loss").click()
    assert temperature_of(widget) == 1
    page.clock.run_for(400)
    between = assert_agrees_with_python(widget).temperature
    assert 1.2 < between < 2.9
    slider_of(widget).press("Home")
    page.clock.run_for(1000)
    assert assert_agrees_with_python(widget).temperature == 0.25


@pytest.mark.parametrize("width", [320, 1440])
def test_a_tap_on_a_dot_or_a_count_says_its_numbers(visit, served, width):
    page = visit(f"{served}#calibration-explorer-1?temperature=2.5", width=width)
    widget = first(page, "calibration")
    bins = assert_agrees_with_python(widget).bins
    note = widget.locator(".sw-note")
    page.mouse.click(*middle_of(widget.locator("g[data-tap='9'] .sw-bin-dot")))
    expect(note).to_contain_text("It said 94\u2009% on average in 18 examples; 89\u2009% of them were right.")
    assert bins[9].examples == 18
    assert [bins[9].said, bins[9].true] == pytest.approx([0.94, 0.89], abs=0.005)
    expect(widget.locator(".sw-chosen-dot")).to_have_count(1)
    page.mouse.click(*middle_of(widget.locator("g[data-tap='4'] .sw-bin-count")))
    expect(note).to_contain_text(f"on average in {bins[4].examples} examples")
    expect(widget.get_by_role("radio", name="said 40 to 50 %: 45 examples")).to_be_checked()
    page.mouse.click(*middle_of(widget.get_by_role("radio", name="said 0 to 10 %")))
    expect(note).to_contain_text("At this temperature it says 0 to 10 % of no example.")
    expect(note).not_to_contain_text("Hollow")
    box_of(widget).fill("1")
    expect(widget.locator(".sw-few")).to_have_count(
        sum(0 < n < 5 for n, _, _ in assert_agrees_with_python(widget).bins)
    )
    expect(note).to_contain_text("Hollow: fewer than 5 examples, too few to say much.")


def test_keys_move_the_temperature_and_choose_a_bin(visit, served):
    page = visit(served)
    widget = first(page, "calibration")
    slider = slider_of(widget)
    exponent = 0.0
    for key, step in [("ArrowRight", 0.1), ("ArrowUp", 0.1), ("ArrowLeft", -0.1), ("PageUp", 1), ("PageDown", -1)]:
        slider.press(key)
        exponent += step
        assert assert_agrees_with_python(widget).temperature == pytest.approx(2**exponent, rel=1e-3)
    for key, end in (("Home", 0.25), ("End", 8)):
        slider.press(key)
        assert assert_agrees_with_python(widget).temperature == end
    text = slider.get_attribute("aria-valuetext") or ""
    assert re.fullmatch(r"temperature 8: calibration error \d\d points, loss 1\.66", text)
    bins = widget.get_by_role("radiogroup", name="bin").get_by_role("radio")
    bins.nth(3).focus()
    page.keyboard.press("Space")
    expect(bins.nth(3)).to_be_checked()
    page.keyboard.press("ArrowLeft")
    expect(bins.nth(2)).to_be_checked()
    expect(widget.locator(".sw-note")).to_contain_text("It said 2")
    expect(widget.get_by_role("status").first).to_have_text(
        re.compile(r"^temperature 8: calibration error .* It said 2")
    )


def test_a_link_carries_the_temperature_and_the_bin_alone(visit, served):
    page = visit(served, script="Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    widget = first(page, "calibration")
    box_of(widget).fill("2.5")
    widget.get_by_role("radio", name="said 90 to 100 %").check()
    widget.get_by_role("button", name="Copy link").click()
    link = widget.get_by_role("textbox", name="link to this state").input_value()
    assert link == f"{served}#calibration-explorer-1?temperature=2.5&selected=9"
    again = first(visit(link), "calibration")
    assert assert_agrees_with_python(again).temperature == 2.5
    expect(again.get_by_role("radio", name="said 90 to 100 %")).to_be_checked()
    again.get_by_role("button", name="Reset").click()
    assert assert_agrees_with_python(again).temperature == 1
    assert again.get_by_role("radio", checked=True).count() == 0


MORE_HOSTILE = ["temperature=1e-320&selected=1e999", "temperature=1e300&selected=-1", "logits=1;2&truth=9,9"]


@pytest.mark.parametrize("fragment", [*HOSTILE_FRAGMENTS.values(), HOSTILE_SETTINGS, *MORE_HOSTILE])
def test_a_hostile_link_gives_a_valid_picture(visit, served, fragment):
    page = visit(f"{served}#calibration-explorer-1?{fragment}")
    widget = first(page, "calibration")
    for _ in range(2):
        assert_agrees_with_python(widget)
        assert not re.search("NaN|Infinity|null", widget.locator("svg").evaluate("svg => svg.innerHTML"))
        slider_of(widget).press("ArrowRight")
    assert page.locator("img, iframe, object, main script").count() == 0


@pytest.mark.parametrize("width", [320, 390])
def test_a_finger_scrolls_upwards_and_drags_sideways(visit, served, width):
    page = visit(served, width=width, has_touch=True)
    widget = first(page, "calibration")
    finger = Finger(page)
    for element in ("[data-grip=temperature]", "g[data-tap='9'] .sw-bin-dot", ".sw-bin >> nth=8"):
        x, y = middle_of(widget.locator(element))
        scrolled = page.evaluate("scrollY")
        finger.swipe(x, y, 3, -120)
        assert page.evaluate("scrollY") > scrolled
        assert temperature_of(widget) == 1
        assert widget.get_by_role("radio", checked=True).count() == 0
    finger.swipe(*middle_of(widget.locator("[data-grip=temperature]")), on_the_rail(widget, 2.6), 4)
    assert assert_agrees_with_python(widget).temperature == pytest.approx(2.6, rel=0.05)
    finger.tap(*middle_of(widget.locator("g[data-tap='6'] .sw-bin-dot")))
    expect(widget.locator(".sw-note")).to_contain_text("It said 6")


OUTSIDE = """w => {
    const svg = w.querySelector("svg").getBoundingClientRect();
    return [...w.querySelectorAll("svg text, svg .sw-bin-dot, .sw-typed, .sw-bin")].filter(part => {
        const {left, right, top, bottom} = part.getBoundingClientRect();
        return left < svg.left - 0.5 || right > svg.right + 0.5 || top < svg.top - 0.5 || bottom > svg.bottom + 0.5;
    }).map(part => part.outerHTML);
}"""
PLACES = """w => [...w.querySelectorAll("p, svg, .sw-button-row, .sw-actions")].map(e => {
    const {x, y, width, height} = e.getBoundingClientRect();
    return [x, y, width, height].map(n => Math.round(n + (n === y ? scrollY : 0)));
})"""


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_is_cut_and_nothing_but_the_drawing_moves(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "calibration")
    before = widget.evaluate(PLACES)
    for temperature in ("0.25", "0.3", "1", "3.1", "3.136", "7.9", "8", "1000000", "0.000001"):
        for chosen in ("said 20 to 30 %", "said 90 to 100 %"):
            widget.get_by_role("radio", name=chosen).check()
            box_of(widget).fill(temperature)
            assert_agrees_with_python(widget)
            assert widget.evaluate(OUTSIDE) == []
            assert widget.evaluate(PLACES) == before
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_step_of_a_drag_computes_each_example_once(visit, served):
    """No test asserts a time. The curve of the loss and the search would be dozens of passes over all examples."""
    count = "const {exp} = Math; globalThis.calls = 0; Math.exp = x => { calls++; return exp(x); };"
    page = visit(served, script=count)
    opened = page.evaluate("calls")
    slider_of(first(page, "calibration")).press("ArrowRight")
    others, confidences = len(LOGITS) * (len(LOGITS[0]) - 1), len(LOGITS)
    assert page.evaluate("calls") - opened == others + confidences
    assert opened > 50 * others


@pytest.mark.parametrize("width", [390, 1440])
def test_the_first_frame_is_as_high_as_the_live_picture(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "calibration")
    live = widget.evaluate("w => w.offsetHeight")
    numbers = values(widget.locator(".sw-headline [data-value]"))
    widget.evaluate("(w, html) => { w.innerHTML = html; }", first_frame(widget))
    assert widget.evaluate("w => w.offsetHeight") == pytest.approx(live, abs=1)
    shown = widget.locator(".sw-still:visible")
    assert values(shown.locator(".sw-headline [data-value]")) == numbers
    assert shown.locator("button, input, .sw-grip").count() == 0
    assert "rag the" not in shown.inner_text()
    assert "Tap" not in shown.inner_text()
    expect(shown.locator("svg")).to_contain_text("temperature 1")


def test_without_a_script_the_bins_are_there(visit, served):
    page = visit(served, java_script_enabled=False)
    table = page.locator(".sw-stored table").first
    expect(table.locator("caption")).to_have_text(
        "At temperature 1: 49\u2009% right, calibration error 31.8 points, loss 2.32"
    )
    bins = [each for each in CalibrationExplorer(LOGITS, TRUTH).bins if each.examples]
    assert values(table.locator("[data-value]")) == [x for _, said, true in bins for x in (said, true)]
    assert table.locator("tbody tr").count() == len(bins)
