"""Given minus wanted in a real browser: bars, arrows, steps, and the loss that falls."""

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from softmax_lib.examples import ANIMALS
from softmax_lib.widgets import LossExplorer
from tests.site.gallery import Finger, first, first_frame, logits_of, middle_of, pull, values
from tests.site.test_interactives import HOSTILE_FRAGMENTS

KINDS = ("LossExplorer",)

LOGITS = (-1, 2, 0.5, 0)
COLUMNS = ("logits", "given", "wanted", "difference")


def table_of(widget: Locator) -> dict[str, list[float]]:
    """The hidden table: what the picture shows, with all digits."""
    cells = np.reshape(values(widget.locator(".sw-hidden td[data-value]")), (-1, len(COLUMNS)))
    return dict(zip(COLUMNS, cells.T.tolist(), strict=True))


def assert_agrees_with_python(widget: Locator, wanted: int = 0, **changes: float) -> LossExplorer:
    """Shares, gradient and loss are Python's, and the arrows lead to where its step does."""
    shown = table_of(widget)
    ours = LossExplorer(shown["logits"], wanted=wanted, **changes)
    for a, b in zip(ours.probabilities.tolist(), shown["given"], strict=True):
        assert abs(a - b) <= 2 * math.ulp(max(a, b))
    np.testing.assert_allclose(shown["wanted"], ours.target, rtol=1e-15)
    np.testing.assert_allclose(shown["difference"], ours.gradient, rtol=1e-12, atol=1e-15)
    assert loss_of(widget) == pytest.approx(ours.loss, abs=0.006, rel=0.01)
    tips = widget.evaluate(ARROWS)
    for (before, after), z, stepped in zip(tips, ours.logits, ours.stepped, strict=True):
        assert before == pytest.approx(np.clip(z, -5.2, 5.2), abs=0.01)
        assert after == pytest.approx(np.clip(stepped, -5.2, 5.2), abs=0.01)
    return ours


ARROWS = """w => {
    const [zero, ...lines] = [...w.querySelectorAll("svg .sw-zero")].map(p => p.getAttribute("d").match(/-?[\\d.]+/g));
    const grid = [...w.querySelectorAll("svg .sw-grid")].map(p => Number(p.getAttribute("d").match(/-?[\\d.]+/)[0]));
    const scale = (zero[0] - grid[0]) / 5;
    const arrows = [...w.querySelectorAll("svg path.sw-zero + path:not([class])")];
    return arrows.map(arrow => arrow.getAttribute("d").slice(1, -1).split("L").map(pair => Number(pair.split(" ")[0])))
        .map(xs => [xs[0], xs[3]].map(x => (x - zero[0]) / scale));
}"""


def loss_of(widget: Locator) -> float:
    return float(widget.locator(".sw-formula .sw-marked").inner_text())


def steps_of(widget: Locator) -> int:
    caption = widget.locator("caption").text_content() or ""
    found = re.search(r"after (\d+) steps?$", caption)
    assert found is not None
    return int(found[1])


def curve(widget: Locator) -> list[list[float]]:
    """The corners of the curve of the loss, in pixels."""
    path = widget.locator("svg .sw-join").get_attribute("d") or ""
    return [[float(x) for x in pair.split(" ")] for pair in path[1:].split("L")]


def press(widget: Locator, name: str) -> None:
    widget.get_by_role("button", name=name).click()


def still(visit: Callable[..., Page], served: str, **options) -> Locator:
    """The first picture, for a reader who wants no motion: a step is there at once."""
    return first(visit(served, reduced_motion="reduce", **options), "loss")


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_a_bar_is_pulled_and_shares_arrows_and_loss_follow(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "loss")
    before = assert_agrees_with_python(widget)
    axis = widget.locator("svg .sw-grid").evaluate_all("lines => lines.map(line => line.getAttribute('d'))")
    pull(page, widget.get_by_role("slider", name="logit of cat"), 40)
    after = assert_agrees_with_python(widget)
    assert after.logits[0] == round(after.logits[0], 1) > before.logits[0] + 1
    assert after.loss < before.loss - 1
    assert after.logits[1:] == list(LOGITS[1:])
    pull(page, widget.get_by_role("slider", name="logit of cat"), 2000)
    assert assert_agrees_with_python(widget).logits[0] == 5
    assert widget.locator("svg .sw-grid").evaluate_all("lines => lines.map(line => line.getAttribute('d'))") == axis
    expect(widget.locator(".sw-note")).to_have_text("Something has changed: a new curve begins.")


def test_a_step_adds_its_arrows_and_the_curve_goes_on(visit, served):
    widget = still(visit, served)
    ours = assert_agrees_with_python(widget)
    expect(widget.locator(".sw-note")).to_have_text("A step adds each arrow to its logit.")
    press(widget, "One step")
    # mpmath, 30 digits: z + 1.5 (y - p), and the loss there
    stepped = [0.44696930988687, 0.93485011567071, 0.26233293572753, -0.14415236128515]
    np.testing.assert_allclose(table_of(widget)["logits"], stepped, rtol=1e-13)
    np.testing.assert_allclose(table_of(widget)["logits"], ours.stepped, rtol=1e-15)
    assert (loss_of(widget), steps_of(widget)) == (1.39, 1)
    assert_agrees_with_python(widget)
    expect(widget.locator(".sw-note")).to_have_text("The loss has fallen from 3.34 to 1.39.")
    assert logits_of(widget) == [0.45, 0.93, 0.26, -0.14]
    corners = curve(widget)
    assert len(corners) == 2
    assert corners[1][0] - corners[0][0] == pytest.approx(5.86, abs=0.02)
    assert corners[1][1] > corners[0][1]


def test_ten_steps_learn_and_start_again_goes_back(visit, served):
    widget = still(visit, served)
    again = widget.get_by_role("button", name="Start again")
    expect(again).to_have_attribute("aria-disabled", "true")
    expect(widget.locator(".sw-chip small")).to_have_text("wanted")
    press(widget, "Ten steps")
    ours = LossExplorer(LOGITS)
    losses = [ours.loss]
    for _ in range(10):
        ours.logits = ours.stepped
        losses.append(ours.loss)
    np.testing.assert_allclose(table_of(widget)["logits"], ours.logits, rtol=1e-12)
    ys = [y for _, y in curve(widget)]
    assert len(ys) == 11
    assert ys == sorted(ys)
    drawn = np.array(ys)
    np.testing.assert_allclose(
        (drawn[-1] - drawn) / (drawn[-1] - drawn[0]),
        (np.array(losses) - losses[-1]) / (losses[0] - losses[-1]),
        atol=0.002,
    )
    assert loss_of(widget) < 0.1
    expect(widget.locator(".sw-chip small")).to_have_text("learnt")
    expect(widget.locator(".sw-note")).to_have_text("Learnt: the arrows have become short.")
    press(widget, "Ten steps")
    press(widget, "Ten steps")
    assert (steps_of(widget), len(curve(widget))) == (30, 21)
    expect(widget.locator(".sw-stage > svg")).to_contain_text("30")
    again.click()
    assert table_of(widget)["logits"] == list(LOGITS)
    assert (steps_of(widget), len(curve(widget))) == (0, 1)
    expect(again).to_have_attribute("aria-disabled", "true")


def test_a_tap_on_another_name_wants_another_class(visit, served):
    page = visit(served, reduced_motion="reduce")
    widget = first(page, "loss")
    press(widget, "Ten steps")
    widget.locator(".sw-chip label", has_text="tiger").click()
    expect(widget.get_by_role("radio", name="tiger")).to_be_checked()
    assert steps_of(widget) == 0
    expect(widget.locator(".sw-note")).to_have_text("Something has changed: a new curve begins.")
    began = assert_agrees_with_python(widget, 2)
    assert began.logits[0] > 2
    press(widget, "Ten steps")
    assert assert_agrees_with_python(widget, 2).loss < began.loss
    press(widget, "Start again")
    assert table_of(widget)["logits"] == began.logits
    press(widget, "Reset")
    assert assert_agrees_with_python(widget, 0).logits == list(LOGITS)
    other = page.locator("#loss-explorer-2")
    expect(other.get_by_role("radio").last).to_be_checked()


@pytest.mark.parametrize("width", [390, 1440])
def test_label_smoothing_has_a_rail_where_it_is_asked_for(visit, served, width):
    page = visit(served, width=width, reduced_motion="reduce")
    assert first(page, "loss").get_by_role("slider", name="label smoothing").count() == 0
    widget = page.locator("#loss-explorer-4")
    slider = widget.get_by_role("slider", name="label smoothing")
    pull(page, slider, 60)
    smoothing = float(slider.input_value())
    assert 0 < smoothing < 0.5
    assert smoothing == round(smoothing, 2)
    assert_agrees_with_python(widget, 0, smoothing=smoothing)
    slider.press("End")
    ours = assert_agrees_with_python(widget, 0, smoothing=0.5)
    assert ours.target.tolist() == [0.75, 0.25]
    # mpmath: -0.75 log 0.75 - 0.25 log 0.25 = 0.5623
    expect(widget.locator(".sw-note")).to_contain_text("With smoothing it cannot fall below 0.56.")
    for _ in range(3):
        press(widget, "Ten steps")
    assert loss_of(widget) == 0.56
    expect(widget.locator(".sw-chip small")).to_have_text("learnt")
    box = widget.get_by_role("spinbutton", name="label smoothing")
    box.fill("7")
    assert table_of(widget)["wanted"] == pytest.approx([0.5, 0.5])
    box.fill("0")
    assert table_of(widget)["wanted"] == [1, 0]


def test_a_step_that_is_too_large_says_so(visit, served):
    page = visit(f"{served}#loss-explorer-1?logits=1,1.2,-1,-4&rate=12", reduced_motion="reduce")
    widget = first(page, "loss")
    note = widget.locator(".sw-note")
    page.evaluate("location.hash = '#loss-explorer-1?logits=0,0,0,0&rate=1000&smoothing=0.2'")
    expect(widget.locator(".sw-stage > svg")).to_contain_text("to 600")
    ours = assert_agrees_with_python(widget, 0, rate=1000, smoothing=0.2)
    press(widget, "One step")
    ours.logits = ours.stepped
    assert ours.loss > 100
    expect(note).to_have_text(re.compile(r"^The step is too large: the loss has grown from 1\.39 to 120\."))
    expect(widget.locator(".sw-stage > svg")).to_contain_text("↑ 120")
    for _ in range(3):
        press(widget, "Ten steps")
    shown = table_of(widget)
    assert sum(shown["given"]) == pytest.approx(1)
    assert not re.search("NaN|Infinity|null", widget.locator(".sw-stage > svg").evaluate("svg => svg.innerHTML"))
    page.evaluate("location.hash = '#loss-explorer-1?logits=1e6,-1e6&rate=1e6&smoothing=0.9'")
    press(widget, "Ten steps")
    assert all(abs(z) <= 1e6 for z in table_of(widget)["logits"])


def test_keys_move_bars_and_choose_what_is_wanted(visit, served):
    page = visit(served)
    widget = first(page, "loss")
    slider = widget.get_by_role("slider", name="logit of dog")
    slider.focus()
    value = 2.0
    for key, step in [("ArrowRight", 0.1), ("ArrowUp", 0.1), ("ArrowLeft", -0.1), ("PageUp", 1), ("PageDown", -1)]:
        slider.press(key)
        value += step
        assert float(slider.input_value()) == pytest.approx(value)
        assert_agrees_with_python(widget)
    for key, end in (("Home", -5), ("End", 5)):
        slider.press(key)
        assert float(slider.input_value()) == end
    widget.get_by_role("radio", name="cat").focus()
    page.keyboard.press("ArrowDown")
    expect(widget.get_by_role("radio", name="dog")).to_be_checked()
    assert_agrees_with_python(widget, 1)
    widget.get_by_role("spinbutton", name="logit of none").fill("-2.25")
    assert assert_agrees_with_python(widget, 1).logits[3] == -2.25


def test_a_screen_reader_hears_names_values_and_after_a_step_the_loss(visit, served):
    page = visit(served, reduced_motion="reduce")
    widget = first(page, "loss")
    expect(widget.get_by_role("group", name="given minus wanted")).to_be_visible()
    expect(widget.get_by_role("radiogroup", name="wanted class")).to_have_count(1)
    slider = widget.get_by_role("slider", name="logit of cat")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^cat: logit −1\.0, given 3\.5\s%, wanted 100\s%$"))
    spoken = widget.get_by_role("status").first
    expect(spoken).to_have_text("")
    press(widget, "One step")
    assert spoken.inner_text() == ""
    shares = r"cat 25\s%, dog 41\s%, tiger 21\s%, none 14\s%\."
    loss = r"Loss 1\.39 after 1 step\. The loss has fallen from 3\.34 to 1\.39\."
    expect(spoken).to_have_text(re.compile(f"^{loss} {shares}$"))
    rows = widget.get_by_role("row").all_inner_texts()
    assert rows[1].split("\t") == ["cat", "0.45", "25\u2009%", "100\u2009%", "−75"]


@pytest.mark.parametrize("width", [320, 390])
def test_a_finger_that_scrolls_changes_nothing(visit, served, width):
    page = visit(served, width=width, has_touch=True)
    widget = first(page, "loss")
    before = table_of(widget)
    assert widget.locator(".sw-stage").evaluate("s => getComputedStyle(s).touchAction") == "pan-y"
    grip = widget.get_by_role("slider", name="logit of tiger")
    finger = Finger(page)
    finger.swipe(*middle_of(grip), dx=4, dy=-120)
    assert table_of(widget) == before
    assert page.evaluate("scrollY") > 0
    finger.swipe(*middle_of(grip), dx=40, dy=3)
    assert table_of(widget)["logits"][2] > before["logits"][2] + 0.5
    assert_agrees_with_python(widget)
    finger.tap(*middle_of(widget.locator(".sw-chip label", has_text="dog")))
    expect(widget.get_by_role("radio", name="dog")).to_be_checked()


def test_a_touch_that_the_browser_takes_back_leaves_bars_and_curve_as_they_were(visit, served):
    page = visit(served, width=390, has_touch=True, reduced_motion="reduce")
    widget = first(page, "loss")
    press(widget, "Ten steps")
    before = (table_of(widget), curve(widget))
    finger = Finger(page)
    x, y = middle_of(widget.get_by_role("slider", name="logit of cat"))
    finger.send("touchStart", (x, y))
    for k in range(1, 6):
        finger.send("touchMove", (x - 12 * k, y))
        page.wait_for_timeout(16)
    assert steps_of(widget) == 0
    finger.send("touchCancel")
    expect(widget.locator("caption")).to_contain_text("after 10 steps")
    assert (table_of(widget), curve(widget)) == before


def test_a_step_takes_its_time_and_ten_of_them_a_third_of_it_each(visit, served):
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(served)
    widget = first(page, "loss")
    page.clock.pause_at("2026-01-02T00:00")
    start = curve(widget)[-1]

    def place() -> float:
        return curve(widget)[-1][0] - start[0]

    press(widget, "One step")
    page.clock.run_for(225)
    halfway = place()
    page.clock.run_for(300)
    whole = place()
    assert 0.2 * whole < halfway < 0.8 * whole
    assert steps_of(widget) == 1
    press(widget, "Ten steps")
    page.clock.run_for(5 * 160)
    assert 1 < steps_of(widget) < 11
    page.clock.run_for(10 * 160)
    assert steps_of(widget) == 11
    press(widget, "Ten steps")
    page.clock.run_for(200)
    widget.get_by_role("slider", name="logit of cat").press("Home")
    page.clock.run_for(3000)
    assert (steps_of(widget), table_of(widget)["logits"][0]) == (0, -5)


def test_without_motion_a_step_is_there_at_once(visit, served):
    page = visit("about:blank", reduced_motion="reduce")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(served)
    widget = first(page, "loss")
    page.clock.pause_at("2026-01-02T00:00")
    press(widget, "Ten steps")
    assert steps_of(widget) == 10
    page.clock.run_for(16)
    assert curve(widget)[-1][0] - curve(widget)[0][0] == pytest.approx(58.6, abs=0.1)


def test_a_link_restores_what_was_wanted(visit, served):
    page = visit(f"{served}#loss-explorer-1?logits=1,2,3,4&wanted=3&smoothing=0.2&rate=2")
    widget = first(page, "loss")
    ours = assert_agrees_with_python(widget, 3, smoothing=0.2, rate=2)
    assert ours.logits == [1, 2, 3, 4]
    expect(widget.locator(".sw-subline")).to_contain_text("times the step size, 2:")
    press(widget, "Reset")
    assert assert_agrees_with_python(widget).logits == list(LOGITS)


HOSTILE_SETTINGS = "wanted=1e999&smoothing=NaN&rate=-1&smooth=true&logits=1e300,2,-1e300"


@pytest.mark.parametrize("fragment", [*HOSTILE_FRAGMENTS.values(), HOSTILE_SETTINGS], ids=[*HOSTILE_FRAGMENTS, "set"])
def test_a_hostile_link_gives_a_valid_picture(visit, served, fragment):
    page = visit(f"{served}#loss-explorer-1?{fragment}", reduced_motion="reduce")
    widget = first(page, "loss")
    for _ in range(2):
        shown = table_of(widget)
        assert 1 <= len(shown["given"]) <= 12
        assert sum(shown["given"]) == pytest.approx(1)
        assert sum(shown["difference"]) == pytest.approx(0, abs=1e-12)
        assert all(0 < len(label) <= 24 for label in widget.locator("tbody th").all_inner_texts())
        assert not re.search("NaN|Infinity|null", widget.locator(".sw-stage > svg").evaluate("svg => svg.innerHTML"))
        press(widget, "Ten steps")
    assert page.locator("img, iframe, object, main script").count() == 0


OUTSIDE = """w => {
    const svg = w.querySelector("svg").getBoundingClientRect();
    return [...w.querySelectorAll("svg text, .sw-chip, .sw-formula, .sw-buttons button")].filter(text => {
        const {left, right, top, bottom} = text.getBoundingClientRect();
        return left < svg.left - 1 || right > svg.right + 1
            || (text.closest("svg") && (top < svg.top - 1 || bottom > svg.bottom + 1));
    }).map(text => text.textContent);
}"""
CASES = ["", "logits=-4.9,4.9,5,-5", "logits=8,-9,3,3&wanted=1&rate=12", "labels=elephant,mongoose,tortoise,squirrel"]


@pytest.mark.parametrize("width", [320, 390, 700, 1440])
@pytest.mark.parametrize("fragment", CASES)
def test_nothing_in_the_picture_is_cut(visit, served, width, fragment):
    widget = first(visit(f"{served}#loss-explorer-1?{fragment}", width=width, reduced_motion="reduce"), "loss")
    assert widget.evaluate(OUTSIDE) == []
    press(widget, "One step")
    assert widget.evaluate(OUTSIDE) == []
    press(widget, "Ten steps")
    press(widget, "Ten steps")
    assert widget.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_but_the_drawing_moves_in_a_drag_or_a_step(visit, served, width):
    widget = still(visit, served, width=width)
    parts = "p:not([role]), .sw-stage > svg, .sw-formula, button, .sw-actions"
    places = f"""w => [...w.querySelectorAll("{parts}")].map(e => {{
        const {{x, y, width, height}} = e.getBoundingClientRect();
        return [x, y, width, height].map(n => Math.round(n + (n === y ? scrollY : 0)));
    }})"""
    slider = widget.get_by_role("slider", name="logit of cat")
    slider.focus()
    before = widget.evaluate(places)
    for key in ["PageUp", "PageUp", "ArrowLeft", "End", "Home", "ArrowUp"]:
        slider.press(key)
        assert widget.evaluate(places) == before
    for name in ["One step", "Ten steps", "Ten steps", "Ten steps", "Start again"]:
        press(widget, name)
        assert widget.evaluate(places) == before


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_first_frame_is_as_high_as_the_live_picture(visit, served, width):
    page = visit(served, width=width)
    for widget in page.locator(".softmax-widget").all():
        live = widget.bounding_box()
        words = widget.locator(".sw-subline").inner_text()
        widget.evaluate("(w, html) => { w.innerHTML = html; }", first_frame(widget))
        box = widget.bounding_box()
        assert live is not None
        assert box is not None
        assert box["height"] == pytest.approx(live["height"], abs=1)
        assert widget.locator("button, input, [data-grip]").count() == 0
        shown = widget.locator(".sw-still:visible").inner_text()
        assert "Tap a name" in words
        assert not re.search("Tap|drag|step along", shown)


def test_it_prints_as_it_stands(visit, served):
    page = visit(served, reduced_motion="reduce")
    widget = first(page, "loss")
    press(widget, "Ten steps")
    page.emulate_media(media="print")
    for name in ("One step", "Reset"):
        assert widget.get_by_role("button", name=name).is_hidden()
    assert widget.locator(".sw-grip").first.is_hidden()
    expect(widget.locator(".sw-stage > svg")).to_contain_text("after 10 steps")


def test_labels_are_those_of_the_notebook(visit, served):
    assert first(visit(served), "loss").locator("tbody th").all_inner_texts() == list(ANIMALS.labels)
