"""The triangle in a real browser: from logits to the dot, back from the dot to logits, and along its path."""

import math
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from softmax_lib.widgets import SimplexExplorer
from tests.site.gallery import HOSTILE, Finger, first, first_frame, logits_of, middle_of, probabilities, pull, values
from tests.site.test_interactives import HOSTILE_FRAGMENTS

KINDS = ("SimplexExplorer",)

LOGITS = [0.9, 0.15, -1.05]
LEAST = 0.001

NUMBERS = """(w, selector) => [...w.querySelectorAll(selector)].map(
    e => (e.getAttribute("d") ?? e.getAttribute("transform")).match(/-?[\\d.]+(e-?\\d+)?/g).map(Number))"""


def numbers(widget: Locator, selector: str) -> np.ndarray:
    """The numbers of paths, or of places, in pixels of the drawing."""
    return np.array(widget.evaluate(NUMBERS, f".sw-stage > svg {selector}"))


def corners(widget: Locator) -> np.ndarray:
    return numbers(widget, "linearGradient + path")[0].reshape(3, 2)


def dot(widget: Locator) -> np.ndarray:
    return numbers(widget, "[data-grip=dot]")[0]


def logits_and_shares(widget: Locator) -> tuple[list[float], list[float]]:
    """With all digits, from the hidden table."""
    cells = np.reshape(values(widget.locator(".sw-hidden td[data-value]")), (3, 2))
    return cells[:, 0].tolist(), cells[:, 1].tolist()


def temperature_of(widget: Locator) -> float:
    return float(widget.get_by_role("spinbutton", name="temperature").input_value())


def assert_agrees_with_python(widget: Locator) -> SimplexExplorer:
    """Shares and choices are Python's, and dot, lines and strip stand where these numbers are."""
    logits, shares = logits_and_shares(widget)
    ours = SimplexExplorer(logits, temperature=temperature_of(widget))
    for a, b in zip(ours.probabilities.tolist(), shares, strict=True):
        assert abs(a - b) <= 2 * math.ulp(max(a, b))
    (choices,) = values(widget.locator("svg [data-value]"))
    assert choices == pytest.approx(ours.choices, rel=1e-14)
    assert widget.locator(".sw-choices").text_content() == f"{ours.choices:.1f}"
    triangle, place = corners(widget), dot(widget)
    np.testing.assert_allclose(place, ours.probabilities @ triangle, atol=0.02)
    height = triangle[0, 1] - triangle[2, 1]
    for share, line in zip(shares, numbers(widget, ".sw-measure"), strict=True):
        np.testing.assert_allclose(line[:2], place, atol=0.02)
        assert np.hypot(*(line[2:] - line[:2])) == pytest.approx(share * height, abs=0.03)
    widths = widget.locator("svg rect[height='40']").evaluate_all("bars => bars.map(bar => bar.width.baseVal.value)")
    assert [width / sum(widths) for width in widths] == pytest.approx(shares, abs=0.01)
    return ours


FRAME = ".sw-level, .sw-grid, .sw-zero, .sw-rail"


@pytest.mark.parametrize(("width", "temperature"), [(320, 1), (390, 2), (700, 2), (1440, 1)])
def test_the_dot_is_dragged_anywhere_and_the_logits_follow_backwards(visit, served, width, temperature):
    page = visit(f"{served}#simplex-explorer-1?temperature={temperature}", width=width)
    widget = first(page, "simplex")
    assert assert_agrees_with_python(widget).logits == LOGITS
    frame = widget.evaluate(NUMBERS, FRAME)
    for dx, dy in ((10, -35), (-6, -20), (25, 30)):
        before = dot(widget)
        pull(page, widget.locator(".sw-upright"), dx, dy)
        ours = assert_agrees_with_python(widget)
        np.testing.assert_allclose(dot(widget), np.add(before, [dx, dy]), atol=0.05)
        assert ours.temperature == temperature
        assert sum(ours.logits) == pytest.approx(0, abs=1e-12)
        logarithms = np.log(ours.probabilities)
        np.testing.assert_allclose(ours.logits, temperature * (logarithms - logarithms.mean()), atol=1e-12)
        assert logits_of(widget) == pytest.approx(ours.logits, abs=0.005)
        assert widget.evaluate(NUMBERS, FRAME) == frame
    if temperature == 1:
        expect(widget.locator(".sw-hint")).to_have_text("found from the shares")
    else:
        expect(widget.locator(".sw-hint")).to_have_text("÷ temperature")
        expect(widget.locator("svg")).to_contain_text(re.compile(f"÷ T = −?{abs(ours.logits[0] / 2):.1f}"))


@pytest.mark.parametrize("width", [320, 1440])
def test_a_dot_that_is_dragged_out_of_the_triangle_stays_at_the_nearest_place_inside(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "simplex")
    for dx, dy, largest in ((-900, 300, 0), (900, 300, 1), (0, -1500, 2)):
        pull(page, widget.locator(".sw-upright"), dx, dy)
        ours = assert_agrees_with_python(widget)
        expected = np.full(3, LEAST)
        expected[largest] = 1 - 2 * LEAST
        if largest < 2:
            np.testing.assert_allclose(ours.probabilities, expected, rtol=1e-9)
        assert np.argmax(ours.probabilities) == largest
        assert ours.probabilities.min() == pytest.approx(LEAST, rel=1e-9)
        assert max(map(abs, ours.logits)) < 5
        widget.get_by_role("button", name="Reset").click()
        assert assert_agrees_with_python(widget).logits == LOGITS


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_a_bar_is_pulled_and_the_dot_follows(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "simplex")
    before = assert_agrees_with_python(widget)
    pull(page, widget.get_by_role("slider", name="logit of tiger"), 30)
    after = assert_agrees_with_python(widget)
    assert after.logits[2] == round(after.logits[2], 1) > before.logits[2] + 0.8
    assert after.logits[:2] == LOGITS[:2]
    assert after.probabilities[2] > before.probabilities[2]
    expect(widget.locator(".sw-hint")).to_contain_text("drag a bar")
    pull(page, widget.get_by_role("slider", name="logit of tiger"), 2000)
    assert assert_agrees_with_python(widget).logits[2] == 5


@pytest.mark.parametrize("width", [390, 1440])
def test_heat_moves_the_dot_along_its_path_from_corner_to_middle(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "simplex")
    path = numbers(widget, ".sw-way")[0].reshape(-1, 2)
    triangle = corners(widget)
    np.testing.assert_allclose(path[0], triangle[0], atol=0.01)
    np.testing.assert_allclose(path[-1], triangle.mean(axis=0), atol=0.01)
    slider = widget.get_by_role("slider", name="temperature")
    seen = []
    for dx in (30, 25, -9, 12, 1000, -1000, 45):
        pull(page, slider, dx)
        ours = assert_agrees_with_python(widget)
        seen.append(ours.temperature)
        assert ours.logits == LOGITS
        np.testing.assert_array_equal(numbers(widget, ".sw-way")[0].reshape(-1, 2), path)
        assert np.min(np.hypot(*(path - dot(widget)).T)) < 6
    assert seen[4:6] == [4, 0.25]
    rail = numbers(widget, ".sw-rail")[0]
    fifth = math.log(1.05, 16) * (rail[2] - rail[0])
    slider.press("Home")
    pull(page, slider, (rail[2] - rail[0]) / 2 + fifth)
    assert temperature_of(widget) == 1  # a mark catches within 7 %
    labels = widget.locator(".sw-way-mark + text, .sw-way-end + text").all_text_contents()
    assert labels == ["∞", "4", "2", "½", "¼"]  # the dot stands at 1


def test_ties_end_in_the_middle_of_an_edge_and_equal_logits_nowhere(visit, served):
    page = visit(served)
    tied, equal = page.locator("#simplex-explorer-2"), page.locator("#simplex-explorer-3")
    path, triangle = numbers(tied, ".sw-way")[0].reshape(-1, 2), corners(tied)
    np.testing.assert_allclose(path[0], (triangle[1] + triangle[2]) / 2, atol=0.01)
    expect(tied.locator("svg")).to_contain_text("cold: an edge")
    words = "Cold leads halfway between a label of 24 chars, 001 and a label of 24 chars, 002, whose logits are equal."
    expect(tied.locator(".sw-note")).to_contain_text(words)
    assert assert_agrees_with_python(tied).choices == pytest.approx(2)
    middle = corners(equal).mean(axis=0)
    np.testing.assert_allclose(numbers(equal, ".sw-way")[0].reshape(-1, 2), [middle, middle], atol=0.02)
    for key in ("Home", "End"):
        equal.get_by_role("slider", name="temperature").press(key)
        np.testing.assert_allclose(dot(equal), middle, atol=0.02)
    expect(equal.locator(".sw-note")).to_have_text(
        "Entropy 1.1 nats, and e1.1 = 3.0: as uncertain as 3.0 equal choices. "
        "All logits are equal: no temperature moves the dot."
    )
    assert assert_agrees_with_python(equal).choices == pytest.approx(3)
    widget = first(page, "simplex")
    expect(widget.locator(".sw-note")).to_contain_text("Cold leads to the corner of cat.")
    assert page.locator("img").count() == 0
    expect(equal.get_by_role("slider", name=f"logit of {HOSTILE}")).to_be_visible()


def test_keys_move_each_logit_and_the_temperature(visit, served):
    widget = first(visit(served), "simplex")
    for i, name in enumerate(("cat", "dog", "tiger")):
        slider = widget.get_by_role("slider", name=f"logit of {name}")
        value = LOGITS[i]
        for key, step in [("ArrowRight", 0.1), ("ArrowUp", 0.1), ("ArrowLeft", -0.1), ("PageUp", 1), ("PageDown", -1)]:
            slider.press(key)
            value += step
            assert assert_agrees_with_python(widget).logits[i] == pytest.approx(value)
        for key, end in (("Home", -5), ("End", 5)):
            slider.press(key)
            assert assert_agrees_with_python(widget).logits[i] == end
    slider = widget.get_by_role("slider", name="temperature")
    for key, expected in [("ArrowRight", 2**0.1), ("PageUp", 2**1.1), ("Home", 0.25), ("End", 4)]:
        slider.press(key)
        assert assert_agrees_with_python(widget).temperature == pytest.approx(expected, rel=1e-3)
    assert widget.get_by_role("slider").count() == 4


def test_numbers_are_typed_and_may_leave_the_axes(visit, served):
    page = visit(served)
    widget = first(page, "simplex")
    widget.get_by_role("spinbutton", name="logit of dog").fill("-2.25")
    assert assert_agrees_with_python(widget).logits == [0.9, -2.25, -1.05]
    widget.get_by_role("spinbutton", name="temperature").fill("40")
    assert assert_agrees_with_python(widget).temperature == 40
    for logit, temperature in (("1000000", "0.000001"), ("-1e300", "0.25")):
        widget.get_by_role("spinbutton", name="logit of dog").fill(logit)
        widget.get_by_role("spinbutton", name="temperature").fill(temperature)
        assert_agrees_with_python(widget)
        assert not re.search("NaN|Infinity|null", widget.locator("svg").evaluate("svg => svg.innerHTML"))
        pull(page, widget.locator(".sw-upright"), 0, -40)
        assert assert_agrees_with_python(widget).temperature == float(temperature)


def test_a_screen_reader_hears_names_values_and_choices(visit, served):
    widget = first(visit(served), "simplex")
    expect(widget.get_by_role("group", name="triangle of shares")).to_be_visible()
    slider = widget.get_by_role("slider", name="logit of cat")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^cat: logit 0\.9, share 62\s%$"))
    heat = widget.get_by_role("slider", name="temperature")
    expect(heat).to_have_attribute("aria-valuetext", "temperature 1: 2.4 effective choices")
    spoken = widget.get_by_role("status").first
    expect(spoken).to_have_text("")
    heat.press("End")
    assert spoken.inner_text() == ""
    expect(spoken).to_have_text(re.compile(r"^cat 41\s%, dog 34\s%, tiger 25\s%: 2\.9 effective choices$"))
    rows = widget.get_by_role("row").all_inner_texts()
    assert rows[1].split("\t") == ["cat", "0.9", "41\u2009%"]
    expect(widget.get_by_role("table")).to_have_accessible_name(
        "Logits and shares at temperature 4: 2.9 effective choices"
    )


@pytest.mark.parametrize("width", [320, 390])
def test_a_finger_scrolls_wherever_it_begins_but_on_the_dot_and_a_tap_changes_nothing(visit, served, width):
    page = visit(served, width=width, has_touch=True)
    widget = first(page, "simplex")
    finger = Finger(page)
    assert widget.locator(".sw-stage").evaluate("s => getComputedStyle(s).touchAction") == "pan-y"
    grip = widget.locator(".sw-upright")
    assert grip.evaluate("g => [getComputedStyle(g).touchAction, g.offsetWidth, g.offsetHeight]") == ["none", 44, 44]
    # The face, beside the dot; the strip; a logit's grip; the temperature's.
    starts = [
        ("linearGradient + path", 0, -40),
        (".sw-level", 0, 0),
        ("svg rect[height='40']", 0, 0),
        ("g[data-grip='logit 1']", 0, 0),
        ("[data-grip=temperature]", 0, 0),
    ]
    for selector, dx, dy in starts:
        page.evaluate("scrollTo(0, 0)")
        x, y = middle_of(widget.locator(selector).first)
        scrolled = page.evaluate("scrollY")
        finger.swipe(x + dx, y + dy, 3, -120)
        assert page.evaluate("scrollY") > scrolled, selector
        assert assert_agrees_with_python(widget).logits == LOGITS
        assert temperature_of(widget) == 1
    for selector in ("linearGradient + path", "svg rect[height='40']"):
        x, y = middle_of(widget.locator(selector).first)
        finger.tap(x, y - 40)
        assert assert_agrees_with_python(widget).logits == LOGITS
    for dx, dy in ((0, -40), (12, 0), (-9, 25)):
        x, y = middle_of(grip)
        before, scrolled = dot(widget), page.evaluate("scrollY")
        finger.swipe(x, y, dx, dy)
        assert page.evaluate("scrollY") == scrolled
        assert_agrees_with_python(widget)
        np.testing.assert_allclose(dot(widget), np.add(before, [dx, dy]), atol=0.05)
    finger.swipe(*middle_of(widget.locator("g[data-grip='logit 1']")), 25, 3)
    assert assert_agrees_with_python(widget).logits[1] == round(logits_of(widget)[1], 1)


def test_a_touch_that_the_browser_takes_back_leaves_the_dot_where_it_was(visit, served):
    page = visit(f"{served}#simplex-explorer-1?temperature=2", width=390, has_touch=True)
    widget = first(page, "simplex")
    finger = Finger(page)
    x, y = middle_of(widget.locator(".sw-upright"))
    finger.send("touchStart", (x, y))
    for k in range(1, 6):
        finger.send("touchMove", (x, y - 8 * k))
        page.wait_for_timeout(16)
    assert assert_agrees_with_python(widget).logits != LOGITS
    finger.send("touchCancel")
    expect(widget.get_by_role("spinbutton", name="logit of cat")).to_have_value("0.9")
    assert assert_agrees_with_python(widget).logits == LOGITS


def test_a_link_restores_the_dot_exactly(visit, served):
    page = visit(served, script="Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    widget = first(page, "simplex")
    pull(page, widget.locator(".sw-upright"), 31, -57)
    widget.get_by_role("spinbutton", name="temperature").fill("2.5")
    moved = logits_and_shares(widget)
    widget.get_by_role("button", name="Copy link").click()
    link = widget.get_by_role("textbox", name="link to this state").input_value()
    assert link.startswith(f"{served}#simplex-explorer-1?logits=")
    again = first(visit(link), "simplex")
    assert logits_and_shares(again) == moved
    assert assert_agrees_with_python(again).temperature == 2.5
    again.get_by_role("button", name="Reset").click()
    ours = assert_agrees_with_python(again)
    assert (ours.logits, ours.temperature) == (LOGITS, 1)


MORE_HOSTILE = ["temperature=1e-320&logits=1e300,-1e300", "temperature=1e300&logits=1", "logits=1,2,3,4,5&labels=a"]


@pytest.mark.parametrize("fragment", [*HOSTILE_FRAGMENTS.values(), *MORE_HOSTILE])
def test_a_hostile_link_gives_a_valid_triangle(visit, served, fragment):
    page = visit(f"{served}#simplex-explorer-1?{fragment}")
    widget = first(page, "simplex")
    for _ in range(2):
        assert sum(assert_agrees_with_python(widget).probabilities) == pytest.approx(1)
        assert all(0 < len(label) <= 24 for label in widget.locator("tbody th").all_inner_texts())
        assert not re.search("NaN|Infinity|null", widget.locator("svg").evaluate("svg => svg.innerHTML"))
        widget.get_by_role("slider", name="temperature").press("ArrowRight")
    assert page.locator("img, iframe, object, main script").count() == 0


OUTSIDE = """w => {
    const svg = w.querySelector("svg").getBoundingClientRect();
    return [...w.querySelectorAll("svg text, .sw-rail-box, .sw-grip > circle:last-of-type")].filter(part => {
        const {left, right, top, bottom} = part.getBoundingClientRect();
        return left < svg.left - 1 || right > svg.right + 1 || top < svg.top - 1 || bottom > svg.bottom + 1;
    }).map(part => part.outerHTML);
}"""
HEIGHTS = """w => [...w.querySelectorAll("p:not([role]), .sw-stage, .sw-actions")].map(
    e => [e.offsetTop, e.offsetHeight])"""
LABELS = "labels=mongoose,tortoise,squirrel"


@pytest.mark.parametrize("width", [320, 390, 660, 1440])
def test_nothing_is_cut_and_nothing_but_the_drawing_moves(visit, served, width):
    page = visit(f"{served}#simplex-explorer-1?{LABELS}", width=width)
    for name, (cat, dog, tiger) in (
        ("simplex-explorer-1", ("mongoose", "tortoise", "squirrel")),
        ("simplex-explorer-2", [f"a label of 24 chars, {i:03d}" for i in range(3)]),
    ):
        widget = page.locator(f"#{name}")
        before = widget.evaluate(HEIGHTS)
        for temperature in ("1", "3.136", "0.000001"):
            widget.get_by_role("spinbutton", name="temperature").fill(temperature)
            for label, key in [
                (cat, "Home"),
                (dog, "End"),
                (tiger, "End"),
                (dog, "Home"),
                (tiger, "Home"),
                (cat, "End"),
            ]:
                widget.get_by_role("slider", name=f"logit of {label}").press(key)
                assert_agrees_with_python(widget)
                assert widget.evaluate(OUTSIDE) == []
                assert widget.evaluate(HEIGHTS) == before
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_first_frame_is_as_high_as_the_live_picture(visit, served, width):
    page = visit(served, width=width)
    for widget in page.locator(".softmax-widget").all():
        live = widget.evaluate("w => w.offsetHeight")
        shown = values(widget.locator("[data-value]"))
        widget.evaluate("(w, html) => { w.innerHTML = html; }", first_frame(widget))
        frame = widget.locator(".sw-still:visible")
        assert widget.evaluate("w => w.offsetHeight") == pytest.approx(live, abs=1)
        assert widget.locator("button, input, [data-grip]").count() == 0
        assert not re.search("[Dd]rag", frame.inner_text())
        assert values(frame.locator("[data-value]")) == pytest.approx(shown, rel=1e-15)
        assert len(numbers(frame, ".sw-measure")) == 3


def test_fills_of_one_triangle_are_not_those_of_another(visit, served):
    page = visit(served)
    ids = page.locator("linearGradient").evaluate_all("all => all.map(each => each.id)")
    assert len(set(ids)) == len(ids) == 9
    fills = page.locator("linearGradient + path").evaluate_all("all => all.map(each => each.getAttribute('fill'))")
    assert fills == [f"url(#{name})" for name in ids]


def test_it_prints_as_it_stands(visit, served):
    page = visit(served)
    widget = first(page, "simplex")
    widget.get_by_role("slider", name="temperature").press("End")
    page.emulate_media(media="print")
    assert widget.get_by_role("button", name="Reset").is_hidden()
    assert widget.locator(".sw-grip").first.is_hidden()
    assert widget.locator(".sw-hint").is_hidden()
    expect(widget.locator(".sw-choices")).to_have_text("2.9")


def test_without_a_script_the_numbers_are_there(visit, served):
    page = visit(served, java_script_enabled=False)
    widget = page.locator("[data-widget=SimplexExplorer]").first
    ours = SimplexExplorer(LOGITS)
    assert probabilities(widget) == [*ours.probabilities, ours.choices]
    expect(widget).to_contain_text("2.4 effective choices")
