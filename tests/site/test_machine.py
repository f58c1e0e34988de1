"""The softmax machine in a real browser: what it draws is what Python computes, and it takes mouse, finger and keys."""

import math
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from softmax_lib import softmax
from tests.site.gallery import WITH_LOGITS, Finger, first, logits_of, middle_of, probabilities, pull, setting

KINDS = ("LogitExplorer",)

SHIFTED, COLD = "shift all", "temperature"


def length(widget: Locator, part: str, i: int) -> float:
    """How long a class's rectangle is, across the flow: in the tower, or in the strip."""
    return widget.locator(".sw-stage").evaluate(
        """(stage, [part, i]) => {
            const rects = [...stage.querySelectorAll(`rect[data-tap="${i}"]:not([data-grip])`)];
            const rect = part === "tower" ? rects[0] : rects[1];
            const {width, height} = rect.getBoundingClientRect();
            return stage.clientWidth < 600 ? width : height;
        }""",
        [part, i],
    )


def assert_agrees_with_python(widget: Locator, shift: float = 0.0, temperature: float = 1.0) -> list[float]:
    """Every probability is softmax_lib's, to 2 ULP, and every share in the strip is as long as it says."""
    shown = probabilities(widget)
    for ours, theirs in zip(softmax((np.array(logits_of(widget)) + shift) / temperature).tolist(), shown, strict=True):
        assert abs(ours - theirs) <= 2 * math.ulp(max(ours, theirs))
    lengths = np.array([length(widget, "strip", i) for i in range(len(shown))])
    np.testing.assert_allclose(lengths / lengths.sum(), shown, atol=0.01)
    return shown


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", WITH_LOGITS)
def test_a_bar_is_pulled_and_all_follows(visit, address, name, width):
    page = visit(address(name), width=width)
    widget = first(page, "logit")
    before = assert_agrees_with_python(widget)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    slider = widget.get_by_role("slider", name="logit of").nth(1)
    old = float(slider.input_value())
    pull(page, slider, -40)
    new = logits_of(widget)[1]
    assert float(slider.input_value()) == new
    assert new < old - 1
    assert new == round(new, 1)
    assert assert_agrees_with_python(widget) != before
    expect(widget.get_by_role("radio").nth(1)).to_be_checked()
    assert requests == []


def test_the_tower_keeps_its_scale_until_the_reader_moves_the_camera(visit, served):
    page = visit(served)
    widget = first(page, "logit")
    grip = widget.get_by_role("slider", name="logit of dog")
    camera = widget.get_by_role("button", name=re.compile("tower|Closer"))
    brick = length(widget, "tower", 0)
    assert brick == pytest.approx(12 * math.exp(1.25), rel=0.01)  # all of it is in sight, so it is half as near
    grip.press("End")
    assert length(widget, "tower", 0) == pytest.approx(brick, abs=0.1)
    assert length(widget, "tower", 1) == pytest.approx(12 * math.exp(5), rel=0.01)
    expect(camera).to_have_text("See the whole tower")
    stage = widget.locator("svg")
    expect(stage).to_contain_text("× this height")
    page.emulate_media(reduced_motion="reduce")
    camera.click()
    expect(camera).to_have_text("Closer again")
    assert length(widget, "tower", 1) == pytest.approx(1.5 * math.exp(5), rel=0.01)
    assert length(widget, "tower", 0) == pytest.approx(1.5 * math.exp(1.25), rel=0.02)
    expect(stage).to_contain_text("= 10")
    grip.press("Home")
    assert length(widget, "tower", 0) == pytest.approx(1.5 * math.exp(1.25), rel=0.02)
    camera.click()
    expect(camera).to_have_count(0)
    assert length(widget, "tower", 0) == pytest.approx(2 * brick, abs=0.2)


@pytest.mark.parametrize("name", WITH_LOGITS)
def test_keys_move_grips(visit, address, name):
    widget = first(visit(address(name)), "logit")
    slider = widget.get_by_role("slider", name="logit of").first
    slider.focus()
    value = float(slider.input_value())
    for key, step in [("ArrowRight", 0.1), ("ArrowUp", 0.1), ("ArrowLeft", -0.1), ("PageUp", 1), ("PageDown", -1)]:
        slider.press(key)
        value += step
        assert float(slider.input_value()) == pytest.approx(value)
        assert_agrees_with_python(widget)
    slider.press("Home")
    assert float(slider.input_value()) == float(slider.get_attribute("min"))
    slider.press("End")
    assert float(slider.input_value()) == float(slider.get_attribute("max")) >= 5
    assert_agrees_with_python(widget)


def test_a_screen_reader_hears_names_values_and_on_release_the_shares(visit, served):
    page = visit(served)
    widget = first(page, "logit")
    expect(widget.get_by_role("group", name="softmax machine")).to_be_visible()
    slider = widget.get_by_role("slider", name="logit of dog")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^dog: logit 2\.44, share 63\s%$"))
    spoken = widget.get_by_role("status").first
    expect(spoken).to_have_text("")
    slider.press("End")
    assert spoken.inner_text() == ""
    expect(spoken).to_have_text(re.compile(r"^cat 2\.2\s%, dog 96\s%, tiger 1\.4\s%, none 0\.7\s%\. "))
    rows = widget.get_by_role("row").all_inner_texts()
    assert [re.split(r"\s+", row)[:3] for row in rows[1:3]] == [["cat", "1.25", "3.49"], ["dog", "5.0", "148"]]


def test_boxes_take_numbers_and_shrug_off_the_rest(visit, served):
    widget = first(visit(served), "logit")
    box = widget.get_by_role("spinbutton", name="logit of dog")
    box.fill("-3.25")
    assert widget.get_by_role("slider", name="logit of dog").input_value() == "-3.25"
    before = assert_agrees_with_python(widget)
    box.fill("")
    box.press_sequentially("-e")
    assert probabilities(widget) == before
    box.blur()
    assert box.input_value() == "-3.25"
    box.fill("1e9")
    assert box.input_value() == "1000000"
    assert sum(probabilities(widget)) == 1
    temperature = widget.get_by_role("spinbutton", name=COLD)
    temperature.fill("0")
    temperature.blur()
    assert float(temperature.input_value()) > 0
    box.fill("")
    box.press_sequentially("1.05")
    assert box.input_value() == "1.05"
    temperature.fill("")
    temperature.press_sequentially("0.05")
    assert temperature.input_value() == "0.05"
    assert_agrees_with_python(widget, temperature=0.05)


def test_a_shift_moves_the_tower_and_not_the_strip(visit, served):
    page = visit(served)
    widget = first(page, "logit")
    strip = [length(widget, "strip", i) for i in range(4)]
    brick = length(widget, "tower", 1)
    before = probabilities(widget)
    pull(page, widget.get_by_role("slider", name=SHIFTED), -30)
    shift = setting(widget, SHIFTED)
    assert -2 < shift < -1
    assert [length(widget, "strip", i) for i in range(4)] == pytest.approx(strip, abs=0.05)
    assert length(widget, "tower", 1) == pytest.approx(brick * math.exp(shift), rel=0.02)
    assert probabilities(widget) == pytest.approx(before, rel=1e-13)
    expect(widget.locator("svg").get_by_text(f"z − {-shift:.1f}", exact=True)).to_be_visible()
    expect(widget.locator("svg")).to_contain_text(f"All logits − {-shift:.1f}: tower × {math.exp(shift):.2g}")
    box = widget.get_by_role("spinbutton", name=SHIFTED)
    for typed, said in [("1000", "∞ ÷ ∞ would be NaN"), ("-1000", "0 ÷ 0 would be NaN")]:
        box.fill(typed)
        expect(widget.locator(".sw-note")).to_contain_text(said)
        assert probabilities(widget) == pytest.approx(before, rel=1e-11)
        assert_agrees_with_python(widget, float(typed))
    box.fill("0")
    expect(widget.locator(".sw-note")).to_have_count(0)


def test_the_temperature_divides_and_its_marks_catch(visit, served):
    page = visit(served)
    widget = first(page, "logit")
    slider = widget.get_by_role("slider", name=COLD)
    one, half = (middle_of(widget.locator("svg").get_by_text(mark, exact=True))[0] for mark in "1½")
    pull(page, slider, half - one + 1.2)
    assert setting(widget, COLD) == 0.5
    expect(slider).to_have_attribute("aria-valuetext", "temperature 0.5")
    assert_agrees_with_python(widget, temperature=0.5)
    expect(widget.locator("svg")).to_contain_text("z ÷ 0.5")
    assert widget.locator(".sw-ghost").count() == 4
    slider.press("ArrowLeft")
    assert setting(widget, COLD) == 0.4665  # 2⁻¹·¹, to the four digits that the box shows
    slider.press("Home")
    assert setting(widget, COLD) == 0.25
    for _ in range(20):
        slider.press("ArrowRight")
    assert setting(widget, COLD) == 1


def test_cold_softmax_says_that_it_is_exactly_sure(visit, served):
    widget = first(visit(served), "logit")
    widget.get_by_role("spinbutton", name=COLD).fill("0.001")
    assert probabilities(widget) == [0, 1, 0, 0]
    texts = widget.locator("[data-value]").all_inner_texts()
    assert [text.replace("\u2009", "") for text in texts] == ["0%", "100%", "0%", "0%"]
    note = widget.locator(".sw-note")
    expect(note).to_contain_text("∞ ÷ ∞ would be NaN")
    widget.get_by_role("spinbutton", name=SHIFTED).fill("-2.5")
    expect(note).to_contain_text("The share of dog is exactly 100 %")
    expect(note).to_contain_text("The share of cat is exactly 0")


def test_a_tap_on_any_part_of_a_class_selects_it(visit, served):
    page = visit(served)
    widget = first(page, "logit")
    formula = widget.locator(".sw-formula")

    def shows(name: str) -> None:
        expect(widget.get_by_role("radio", name=name)).to_be_checked()
        expect(formula).to_have_accessible_name(re.compile(rf"^share of {name} = "))

    expect(formula).to_have_accessible_name(
        "share of cat = e^1.25 / (e^1.25 + e^2.44 + e^0.78 + e^0.12) = 3.49 / 18.3 = 19\u2009%"
    )
    widget.locator("svg rect[data-tap='1']:not([data-grip])").last.click()
    shows("dog")
    assert formula.locator(".sw-term.sw-marked").count() == 2
    page.mouse.click(*middle_of(widget.get_by_text("tiger", exact=True).first))
    shows("tiger")
    widget.get_by_role("radio", name="tiger").press("ArrowDown")
    shows("none")


@pytest.mark.parametrize("name", WITH_LOGITS)
def test_reset_and_links(visit, address, name):
    page = visit(address(name), permissions=("clipboard-read", "clipboard-write"))
    widget = first(page, "logit")
    stored = widget.inner_text()
    widget.get_by_role("slider", name="logit of").first.press("PageUp")
    widget.locator(".sw-chip label").nth(2).click()
    moved = assert_agrees_with_python(widget)
    widget.get_by_role("button", name="Copy link").click()
    expect(widget.get_by_text("✓ Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"#logit-explorer-1\?logits=[-\d.,]+&selected=2$", link)
    widget.get_by_role("button", name="Reset").click()
    expect(widget.get_by_text("✓ Copied")).to_have_count(0)
    page.wait_for_function("!document.querySelector('[role=status]')?.textContent || true")
    assert widget.locator(".sw-stage").inner_text() in stored

    other = first(visit(link), "logit")
    assert probabilities(other) == moved
    expect(other.get_by_role("radio").nth(2)).to_be_checked()
    expect(other).to_be_in_viewport()


# --- fingers


def touched(visit, address: str, width: int) -> tuple[Page, Locator]:
    page = visit(address, width=width, has_touch=True, is_mobile=True)
    return page, first(page, "logit")


@pytest.mark.parametrize("width", [320, 390])
def test_a_vertical_swipe_scrolls_and_changes_nothing_wherever_it_begins(visit, served, width):
    page, widget = touched(visit, served, width)
    finger = Finger(page)
    before = logits_of(widget)
    stage = widget.locator(".sw-stage")
    starts = [
        widget.get_by_role("slider", name="logit of dog"),
        widget.get_by_role("slider", name=SHIFTED),
        widget.get_by_role("slider", name=COLD),
        widget.get_by_role("spinbutton", name="logit of cat"),
        widget.get_by_text("tiger", exact=True).first,
        widget.locator("svg rect[data-tap='1']").last,
        stage.locator(".sw-ribbon").first,
        widget.locator(".sw-formula"),
    ]
    for start in starts:
        x, y = middle_of(start)
        begun = page.evaluate("scrollY")
        up = begun > 300
        finger.swipe(x, y, 3, 160 if up else -160)
        assert abs(page.evaluate("scrollY") - begun) > 60, start
        assert logits_of(widget) == before
        assert (setting(widget, SHIFTED), setting(widget, COLD)) == (0, 1)
        expect(widget.get_by_role("radio", name="cat")).to_be_checked()


@pytest.mark.parametrize("width", [320, 390])
def test_a_finger_drags_sideways_and_taps(visit, served, width):
    page, widget = touched(visit, served, width)
    finger = Finger(page)
    x, y = middle_of(widget.get_by_role("slider", name="logit of dog"))
    finger.swipe(x, y, -60, 4)
    assert logits_of(widget)[1] < 0.5
    assert_agrees_with_python(widget)
    expect(widget.get_by_role("radio", name="dog")).to_be_checked()
    assert page.evaluate("scrollX") == 0
    finger.tap(*middle_of(widget.locator("svg text").filter(has_text="none").first))
    expect(widget.get_by_role("radio", name="none")).to_be_checked()
    finger.tap(*middle_of(widget.get_by_text("cat", exact=True).first))
    expect(widget.get_by_role("radio", name="cat")).to_be_checked()


def test_a_touch_that_the_page_takes_puts_everything_back(visit, served):
    page, widget = touched(visit, served, 390)
    finger = Finger(page)
    before = logits_of(widget)
    x, y = middle_of(widget.get_by_role("slider", name="logit of dog"))
    finger.send("touchStart", (x, y))
    for k in range(1, 6):
        finger.send("touchMove", (x - 10 * k, y))
        page.wait_for_timeout(16)
    assert logits_of(widget) != before
    finger.send("touchCancel")
    page.wait_for_timeout(50)
    assert logits_of(widget) == before
    expect(widget.get_by_role("radio", name="cat")).to_be_checked()


# --- what stays where it is


@pytest.mark.parametrize("width", [320, 1440])
def test_nothing_but_the_picture_moves_in_a_drag(visit, served, width):
    widget = first(visit(served, width=width), "logit")
    places = """w => [...w.querySelectorAll(
        ".sw-stage, .sw-chip, .sw-box, .sw-formula, .sw-actions, svg .sw-grid"
    )].map(e => {
        const {x, y, width, height} = e.getBoundingClientRect();
        return [x, y + scrollY, width, e.className === "sw-formula" ? 0 : height].map(Math.round);
    })"""
    slider = widget.get_by_role("slider", name="logit of dog")
    slider.focus()
    before = widget.evaluate(places)
    for key in ["PageUp", "PageUp", "ArrowLeft", "End", "Home", "ArrowUp"]:
        slider.press(key)
        assert widget.evaluate(places) == before, key
    shift = widget.get_by_role("slider", name=SHIFTED)
    for key in ["End", "Home"]:
        shift.press(key)
        assert widget.evaluate(places) == before, key


@pytest.mark.parametrize("width", [320, 390, 700, 1440])
def test_no_text_of_the_picture_is_cut_or_covers_another(visit, served, width):
    page = visit(served, width=width)
    cut_and_covered = """w => {
        const stage = w.querySelector(".sw-stage").getBoundingClientRect();
        const texts = [...w.querySelectorAll("svg text")].filter(text => text.textContent);
        const boxes = texts.map(text => ({name: text.textContent, ...text.getBoundingClientRect().toJSON()}));
        const isCut = r => r.left < stage.left - 1 || r.right > stage.right + 1 || r.bottom > stage.bottom + 1;
        const meet = (r, q) =>
            r.left < q.right - 2 && q.left < r.right - 2 && r.top < q.bottom - 5 && q.top < r.bottom - 5;
        const pairs = boxes.flatMap((r, i) => boxes.slice(i + 1).filter(q => meet(r, q)).map(q => [r.name, q.name]));
        return [boxes.filter(isCut).map(r => r.name), pairs];
    }"""
    crowded = ["logits=5,5,5,5&shift=3", "logits=-5,-5,-5,-5&temperature=0.5"]
    for state in ["", "logits=2,1,0,-1", "logits=5,1,0,-1", *crowded]:
        page.evaluate(f"location.hash = '#logit-explorer-1?{state}'")
        widget = first(page, "logit")
        page.wait_for_timeout(50)
        assert widget.evaluate(cut_and_covered) == [[], []], state
