"""The curve, its tangent and the Jacobian in a real browser."""

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS
from softmax_lib.widgets import JacobianExplorer
from tests.site.gallery import first, values
from tests.site.test_interactives import HOSTILE_FRAGMENTS, HOSTILE_SETTINGS

KINDS = ("JacobianExplorer",)

COLUMNS = ("logits", "shares", "predicted", "actual", "difference")


def table_of(widget: Locator) -> dict[str, list[float]]:
    """The hidden table: what the picture shows, with all digits."""
    cells = np.reshape(values(widget.locator(".sw-hidden td[data-value]")), (-1, len(COLUMNS)))
    return dict(zip(COLUMNS, cells.T.tolist(), strict=True))


def nudge_of(widget: Locator) -> float:
    return float(widget.get_by_role("spinbutton", name="nudge").input_value())


def assert_agrees_with_python(widget: Locator, row: int, column: int) -> JacobianExplorer:
    """Every share to 2 ULP, every slope to 4, and what the nudge changes; and the picture shows these numbers."""
    shown = table_of(widget)
    ours = JacobianExplorer(shown["logits"], ANIMALS.labels, row, column, nudge_of(widget))
    for a, b in zip(ours.probabilities.tolist(), shown["shares"], strict=True):
        assert abs(a - b) <= 2 * math.ulp(max(a, b))
    for a, b in zip(ours.jacobian.ravel().tolist(), values(widget.locator(".sw-heat")), strict=True):
        assert abs(a - b) <= 4 * math.ulp(max(abs(a), abs(b)))
    np.testing.assert_allclose(shown["predicted"], ours.predicted_change, rtol=1e-14)
    np.testing.assert_allclose(shown["actual"], ours.change, rtol=1e-14)
    np.testing.assert_allclose(shown["difference"], np.subtract(shown["predicted"], shown["actual"]), rtol=0)
    logit, share = start_of(widget)
    assert logit == pytest.approx(np.clip(shown["logits"][column], -5, 5), abs=0.01)
    assert share == pytest.approx(shown["shares"][row], abs=0.002)
    return ours


FRAME = """w => {
    const [none, all] = [...w.querySelectorAll("svg .sw-zero")].map(line => line.getAttribute("d").match(/[\\d.]+/g));
    const axis = w.querySelector("svg .sw-rail").getAttribute("d").match(/[\\d.]+/g);
    return [axis[0], axis[2], none[1], all[1]].map(Number);
}"""


def place(widget: Locator, grip: str) -> tuple[float, float]:
    """Where the middle of a grip is, as a logit and a share."""
    left, right, none, all_ = widget.evaluate(FRAME)
    found = re.findall(r"[-\d.]+", widget.locator(f"[data-grip={grip}]").get_attribute("transform") or "")
    x, y = map(float, found)
    return (x - left) / (right - left) * 10 - 5, (none - y) / (none - all_)


def start_of(widget: Locator) -> tuple[float, float]:
    return place(widget, "start")


def pull(page: Page, widget: Locator, grip: str, by: float, down: float = 0) -> None:
    """Pulls a grip with the mouse, by so many units of the logit's axis."""
    left, right, *_ = widget.evaluate(FRAME)
    disc = widget.locator(f"[data-grip={grip}]")
    disc.scroll_into_view_if_needed()
    box = disc.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by * (right - left) / 10, y + down, steps=8)
    page.mouse.up()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_picture_follows_a_pull(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "jacobian")
    assert_agrees_with_python(widget, 0, 0)
    frame = widget.evaluate(FRAME)
    pull(page, widget, "start", -2, down=60)
    assert assert_agrees_with_python(widget, 0, 0).logits == pytest.approx([-0.7, *ANIMAL_LOGITS[1:]], abs=0.11)
    pull(page, widget, "foot", 2.4)
    assert nudge_of(widget) == pytest.approx(2.5, abs=0.11)
    assert place(widget, "foot") == pytest.approx((start_of(widget)[0] + nudge_of(widget), -0.25), abs=0.01)
    assert_agrees_with_python(widget, 0, 0)
    pull(page, widget, "start", 20)
    assert table_of(widget)["logits"][0] == 5
    # The foot would be at 7.5: it waits at the end of the axis, and the nudge is still what it was.
    assert nudge_of(widget) == pytest.approx(2.5, abs=0.11)
    assert place(widget, "foot")[0] == pytest.approx(5, abs=0.01)
    pull(page, widget, "foot", -20)
    assert nudge_of(widget) == -3
    assert_agrees_with_python(widget, 0, 0)
    assert widget.evaluate(FRAME) == frame


def test_line_and_curve_end_where_python_says(visit, served):
    widget = first(visit(f"{served}#jacobian-explorer-1?row=0&column=1&nudge=-1.5"), "jacobian")
    ours = assert_agrees_with_python(widget, 0, 1)
    _, _, none, all_ = widget.evaluate(FRAME)
    before = ours.probabilities[0]
    for mark, change in ((".sw-ring", ours.predicted_change[0]), (".sw-ring + circle", ours.change[0])):
        y = float(widget.locator(f"svg {mark}").get_attribute("cy") or "nan")
        assert (none - y) / (none - all_) == pytest.approx(before + change, abs=0.002)
    for name, change in (("predicted", ours.predicted_change[0]), ("actual", ours.change[0])):
        number = widget.locator("svg g", has_text=name).locator("text").nth(1)
        assert number.text_content() == f"+{change * 100:.0f}"


def test_keys_move_dot_and_foot(visit, served):
    widget = first(visit(served), "jacobian")
    dot, foot = (widget.get_by_role("slider", name=name) for name in ("logit of cat", "nudge"))
    for slider, value in ((dot, 1.25), (foot, 0.1)):
        for key, step in [("ArrowRight", 0.1), ("ArrowUp", 0.1), ("ArrowLeft", -0.1), ("PageUp", 1), ("PageDown", -1)]:
            slider.press(key)
            value += step
            assert float(slider.input_value()) == pytest.approx(value)
            assert_agrees_with_python(widget, 0, 0)
        for key, end in (("Home", "min"), ("End", "max")):
            slider.press(key)
            assert float(slider.input_value()) == float(slider.get_attribute(end) or "nan")
            assert_agrees_with_python(widget, 0, 0)
    assert [dot.get_attribute("max"), foot.get_attribute("max")] == ["5", "3"]
    expect(foot).to_have_attribute(
        "aria-valuetext", re.compile(r"^nudge 3\.0: predicted \+[\d.]+, actual \+[\d.]+ points$")
    )
    dot.focus()
    ring = dot.evaluate("s => [getComputedStyle(s).outlineStyle, getComputedStyle(s).outlineWidth]")
    assert ring == ["solid", "3px"]


def test_numbers_can_be_typed(visit, served):
    widget = first(visit(served), "jacobian")
    box = widget.get_by_role("spinbutton", name="logit of cat")
    box.fill("-3.25")
    assert table_of(widget)["logits"][0] == -3.25
    box.fill("")
    box.press_sequentially("-e")
    assert table_of(widget)["logits"][0] == -3.25
    widget.get_by_role("spinbutton", name="nudge").fill("0.05")
    assert assert_agrees_with_python(widget, 0, 0).nudge == 0.05


def test_a_nudge_past_the_foot_is_shown_true_in_its_number(visit, served):
    widget = first(visit(f"{served}#jacobian-explorer-1?nudge=40&row=1&column=1"), "jacobian")
    ours = assert_agrees_with_python(widget, 1, 1)
    assert ours.nudge == 40
    # 2.44 + 3 is past the end of the axis.
    assert place(widget, "foot")[0] == pytest.approx(5, abs=0.01)
    expect(widget.locator("svg .sw-ring")).to_have_count(0)
    expect(widget.locator("svg .sw-torn")).to_have_count(1)
    change = (ours.predicted_change[1] * 100).round()
    assert change == 935
    expect(widget.locator("svg")).to_contain_text("+935")
    widget.get_by_role("slider", name="nudge").press("Home")
    assert nudge_of(widget) == -3
    assert place(widget, "foot")[0] == pytest.approx(-0.56, abs=0.01)
    expect(widget.locator("svg .sw-ring")).to_have_count(1)


def test_a_cell_chooses_the_curve_and_shows_its_formula_in_numbers(visit, served):
    page = visit(served)
    widget = first(page, "jacobian")
    formula = widget.locator(".sw-formula")
    expect(formula).to_have_accessible_name("slope ∂p(cat)/∂z(cat) = p(cat) · (1 − p(cat)) = 0.19 · 0.81 = 0.15")
    widget.get_by_role("button", name="∂p(tiger)/∂z(dog) = −0.075").click()
    expect(formula).to_have_accessible_name("slope ∂p(tiger)/∂z(dog) = −p(tiger) · p(dog) = −0.12 · 0.63 = −0.075")
    expect(widget.locator("svg")).to_contain_text("share of tiger")
    assert_agrees_with_python(widget, 2, 1)
    notes = widget.locator(".sw-note")
    expect(notes.last).to_contain_text("Each column adds up to 0, here −0.120 + 0.234 − 0.075 − 0.039:")
    expect(notes.last).to_contain_text("Symmetric: ∂p(dog)/∂z(tiger) = −0.075 too.")
    widget.get_by_role("spinbutton", name="logit of dog").fill("30")
    widget.get_by_role("button", name="∂p(dog)/∂z(dog)").click()
    # mpmath, 30 digits: the others together have 6.36253988410e-13, and the slope is 6.36253988409e-13
    assert values(widget.locator(".sw-heat:has(.sw-chosen)")) == [pytest.approx(6.36253988409e-13, rel=1e-11)]
    expect(formula).to_have_accessible_name(re.compile(r"= 1\.00 · 6\.4 × 10⁻¹³ = 6\.4 × 10⁻¹³$"))


def test_cells_are_one_tab_stop_and_move_by_arrow_keys(visit, served):
    page = visit(served)
    widget = first(page, "jacobian")
    focused = "document.activeElement.getAttribute('aria-label')?.split(' =')[0]"
    widget.get_by_role("slider", name="nudge").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "∂p(cat)/∂z(cat)"
    for key, name in [
        ("ArrowLeft", "∂p(cat)/∂z(cat)"),
        ("ArrowRight", "∂p(cat)/∂z(dog)"),
        ("ArrowDown", "∂p(dog)/∂z(dog)"),
        ("End", "∂p(dog)/∂z(none)"),
        ("ArrowUp", "∂p(cat)/∂z(none)"),
        ("Home", "∂p(cat)/∂z(cat)"),
    ]:
        page.keyboard.press(key)
        assert page.evaluate(focused) == name
        assert widget.locator(".sw-chosen").get_attribute("aria-label").startswith(name)
        expect(widget.locator("[aria-pressed=true]")).to_have_count(1)
        expect(widget.locator(".sw-matrix [tabindex='0']")).to_have_count(1)
        expect(widget.locator(".sw-formula")).to_have_accessible_name(re.compile("^slope " + re.escape(name)))
    page.keyboard.press("Tab")
    assert widget.get_by_role("button", name="Reset").evaluate("s => s === document.activeElement")


def test_the_linear_prediction_says_when_it_fails(visit, served):
    widget = first(visit(served), "jacobian")
    widget.get_by_role("button", name="∂p(cat)/∂z(dog)").click()
    note = widget.locator(".sw-note").first
    expect(note).to_contain_text("The line is good: 1.4 % too large, for every class alike.")
    expect(note).to_contain_text("The gap is under 10 % of the change for h from −2.23 to 0.57.")
    nudge = widget.get_by_role("slider", name="nudge")
    nudge.press("End")
    expect(note).to_contain_text("The line promises the impossible: a share of −17 % for cat.")
    nudge.press("Home")
    expect(note).to_contain_text("The line promises the impossible: a share of −7 % for dog.")
    assert_agrees_with_python(widget, 0, 1)
    widget.get_by_role("spinbutton", name="nudge").fill("1")
    expect(note).to_contain_text("The line has stopped being good: 21 % too large")


def test_a_jacobian_restores_from_a_link(visit, served):
    page = visit(f"{served}#jacobian-explorer-1?logits=1,2,3,4&row=2&column=3&nudge=-1.5")
    widget = first(page, "jacobian")
    assert assert_agrees_with_python(widget, 2, 3).nudge == -1.5
    expect(widget.locator(".sw-formula")).to_have_accessible_name(re.compile(r"^slope ∂p\(tiger\)/∂z\(none\)"))
    widget.get_by_role("button", name="Reset").click()
    assert assert_agrees_with_python(widget, 0, 0).logits == list(ANIMAL_LOGITS)


@pytest.mark.parametrize("fragment", [*HOSTILE_FRAGMENTS.values(), HOSTILE_SETTINGS], ids=[*HOSTILE_FRAGMENTS, "set"])
def test_a_hostile_link_gives_a_valid_jacobian(visit, served, fragment):
    page = visit(f"{served}#jacobian-explorer-1?{fragment}")
    widget = first(page, "jacobian")
    for _ in range(2):
        shares = table_of(widget)["shares"]
        assert 1 <= len(shares) <= 12
        assert sum(shares) == pytest.approx(1)
        names = widget.locator("tbody .sw-name").all_inner_texts()
        assert len(names) == len(shares)
        assert all(0 < len(name) <= 24 for name in names)
        slopes = np.reshape(values(widget.locator(".sw-heat")), (len(shares), -1))
        np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-15)
        assert not re.search("NaN|Infinity|null", widget.locator("svg").evaluate("svg => svg.innerHTML"))
        widget.get_by_role("slider", name="logit of").press("ArrowRight")
    assert page.locator("img, iframe, object, main script").count() == 0


TOUCH = """([x, y, moves, type]) => {
    const fire = (kind, dx, dy) => document.elementFromPoint(x, y).dispatchEvent(new PointerEvent(kind, {
        bubbles: true, pointerId: 7, pointerType: "touch", isPrimary: true, button: 0,
        clientX: x + dx, clientY: y + dy}));
    Element.prototype.setPointerCapture = () => {};
    fire("pointerdown", 0, 0);
    for (const [dx, dy] of moves) fire("pointermove", dx, dy);
    fire(type, ...moves.at(-1));
}"""


def touch(page: Page, widget: Locator, moves: list[list[int]], end: str) -> None:
    disc = widget.locator("[data-grip=start]")
    disc.scroll_into_view_if_needed()
    box = disc.bounding_box()
    assert box is not None
    page.evaluate(TOUCH, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, moves, end])


def test_a_finger_that_scrolls_changes_nothing(visit, served):
    page = visit(served, width=390, has_touch=True)
    widget = first(page, "jacobian")
    before = table_of(widget)
    assert widget.locator(".sw-stage").evaluate("s => getComputedStyle(s).touchAction") == "pan-y"
    touch(page, widget, [[2, 30], [5, 90]], "pointerup")
    assert table_of(widget) == before
    touch(page, widget, [[20, 0], [60, 5]], "pointercancel")
    assert table_of(widget) == before
    touch(page, widget, [[20, 0], [60, 5]], "pointerup")
    assert table_of(widget) != before
    assert_agrees_with_python(widget, 0, 0)


LONGEST = (
    "labels=elephant,mongoose,tortoise,a label of 24 characters&logits=-4.96,4.87,-0.01,4.99&row=3&column=3&nudge=-2.99"
)
OUTSIDE = """w => {
    const svg = w.querySelector("svg").getBoundingClientRect();
    return [...w.querySelectorAll("svg text, .sw-typed, .sw-formula > span")].filter(text => {
        const {left, right, top, bottom} = text.getBoundingClientRect();
        return left < svg.left - 0.5 || right > svg.right + 0.5
            || (text.closest("svg, .sw-stage") && (top < svg.top - 0.5 || bottom > svg.bottom + 0.5));
    }).map(text => text.textContent);
}"""


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("fragment", ["", LONGEST, "row=1&column=1&nudge=3", "nudge=1e6&logits=4.96,2,-1,0"])
def test_nothing_in_the_picture_is_cut(visit, served, width, fragment):
    widget = first(visit(f"{served}#jacobian-explorer-1?{fragment}", width=width), "jacobian")
    assert widget.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("width", [320, 1440])
def test_nothing_but_the_drawing_moves_in_a_drag(visit, served, width):
    widget = first(visit(served, width=width), "jacobian")
    places = """w => [...w.querySelectorAll("p, svg, .sw-matrix, .sw-matrix *, .sw-formula, .sw-actions")].map(e => {
        const {x, y, width, height} = e.getBoundingClientRect();
        return [x, y, width, height].map(n => Math.round(n + (n === y ? scrollY : 0)));
    })"""
    for name in ("logit of cat", "nudge"):
        slider = widget.get_by_role("slider", name=name)
        slider.focus()
        before = widget.evaluate(places)
        for key in ["PageUp", "PageUp", "ArrowLeft", "End", "Home", "ArrowUp"]:
            slider.press(key)
            assert widget.evaluate(places) == before


CONTRASTS = """() => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
    const light = colour => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return a === 1 ? 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05 : NaN;
    };
    return [...document.querySelectorAll(".sw-heat")].map(cell => {
        const text = cell.querySelector("span");
        const chip = light(getComputedStyle(text).backgroundColor);
        const paper = Number.isNaN(chip) ? light(getComputedStyle(cell).backgroundColor) : chip;
        const ink = light(getComputedStyle(text).color);
        return Math.max(ink, paper) / Math.min(ink, paper);
    });
}"""
LOOKS = "cells => cells.map(c => [getComputedStyle(c).backgroundColor, getComputedStyle(c).backgroundPosition])"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_slopes_are_readable_and_their_sign_is_told_without_a_hue(visit, served, theme):
    page = visit(served)
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    # Two equal logits have the strongest colours: slopes of a quarter, up and down.
    page.evaluate("location.hash = '#jacobian-explorer-1?logits=0,0,-99,-99'")
    widget = first(page, "jacobian")
    expect(widget.get_by_role("button", name="∂p(cat)/∂z(dog) = −0.250")).to_be_visible()
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert min(contrasts) >= 4.5
    up, down, flat, *others = widget.locator(".sw-heat").evaluate_all(LOOKS)
    assert up == others[2]
    assert up[0] == down[0] != flat[0]
    assert up[1] != down[1]
    assert widget.locator(".sw-heat").nth(0).inner_text() == "+0.250"


@pytest.mark.parametrize("width", [390, 1440])
def test_the_first_frame_is_as_high_as_the_live_picture(visit, address: Callable[[str], str], width):
    still, live = (visit(address("jacobian"), width=width, java_script_enabled=live) for live in (False, True))
    for page in (still, live):
        page.reload()  # `font-display: optional`: only a second visit has the book's own typefaces for sure
    expect(live.locator("#jacobian-explorer-1 svg")).to_be_visible()
    widgets = [page.locator(".softmax-widget[data-widget=JacobianExplorer]").first for page in (still, live)]
    boxes = [widget.bounding_box() for widget in widgets]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["height"] == pytest.approx(boxes[1]["height"], abs=1)
    assert widgets[0].locator("button, input, .sw-grip").count() == 0
    assert "rag the" not in widgets[0].inner_text()
