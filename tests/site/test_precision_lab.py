"""The windows of the formats in a real browser."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS
from softmax_lib.widgets import PrecisionLab
from softmax_lib.widgets.facts import FORMATS
from tests.site.gallery import Finger, middle_of, pull, setting, values

KINDS = ("PrecisionLab",)

LOGITS = [*ANIMAL_LOGITS[:3], 12]
APART = "logits=300,95,-30,0"


def lab_of(page: Page) -> Locator:
    return page.locator("#precision-lab-1")


def assert_lab_agrees_with_python(widget: Locator, logits: list[float]) -> PrecisionLab:
    """Shares, quotients and verdicts are Python's, and every lane shows the verdict on what its dots are now."""
    lab = PrecisionLab(
        logits,
        ANIMALS.labels,
        format=widget.get_by_role("combobox", name="format").input_value(),
        shift=setting(widget, "shift all"),
        scale=setting(widget, "scale all"),
    )
    naive, shifted = (values(widget.locator(".sw-steps").nth(k).locator("[data-value]")) for k in (0, 1))
    exact = values(widget.locator(".sw-hidden [data-value]"))
    np.testing.assert_allclose([*exact, *naive, *shifted], [*lab.probabilities, *lab.naive, *lab.shifted], rtol=1e-15)
    verdicts = [[lab.verdict(shifted=shifted, format=f) for shifted in (False, True)] for f in FORMATS]
    cells = widget.get_by_role("table", name="In every format").locator("td").all_inner_texts()
    assert cells == [one for both in verdicts for one in both]
    subtracted = widget.get_by_role("button", name="Put the largest back").count()
    assert lanes(widget) == [both[subtracted] for both in verdicts]
    return lab


def lanes(widget: Locator) -> list[str]:
    """The verdicts that stand beside the lanes."""
    texts = [widget.locator(f"svg [data-tap={name}] text").all_text_contents() for name in FORMATS]
    return [": ".join(text.strip() for text in lane[-2:]) for lane in texts]


def dots(widget: Locator) -> list[float]:
    """Where the grips are on the axis, from the left edge of the drawing."""
    grips = widget.locator("svg .sw-grip")
    return grips.evaluate_all("grips => grips.map(g => g.transform.baseVal[0].matrix.e)")


def moved(widget: Locator) -> list[float]:
    return [float(box.input_value()) for box in widget.get_by_role("spinbutton", name="logit of").all()]


def on_axis(widget: Locator, value: float) -> float:
    zero, thousand = widget.locator("svg").evaluate(
        """svg => ["0", "1000"].map(name =>
            [...svg.querySelectorAll("text")].find(text => text.textContent === name).x.baseVal[0].value)"""
    )
    compress = np.log1p(abs(value) / 3) / np.log1p(1000 / 3)
    return zero + np.sign(value) * compress * (thousand - zero)


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_computes_as_in_python(visit, served, format):
    widget = lab_of(visit(served))
    widget.get_by_role("combobox", name="format").select_option(format)
    assert assert_lab_agrees_with_python(widget, LOGITS).format == format
    expect(widget.locator("caption", has_text=f"Naive, in {format}")).to_be_visible()
    chosen = widget.locator("svg g:has(> .sw-chosen-name)")
    expect(chosen).to_have_count(1)
    expect(chosen).to_contain_text(format)
    for name, entries in {"shift all": ["1000", "-1000", "76.7"], "scale all": ["100", "0.000001", "3.5"]}.items():
        for entry in entries:
            widget.get_by_role("spinbutton", name=name).fill(entry)
            assert_lab_agrees_with_python(widget, LOGITS)
    widget.get_by_role("slider", name="shift all").press("End")
    assert np.isnan(assert_lab_agrees_with_python(widget, LOGITS).naive).any()
    assert lanes(widget)[list(FORMATS).index(format)] == "✕ NaN: ∞ ÷ ∞"


def test_a_dot_is_pulled_along_the_axis(visit, served):
    page = visit(f"{served}#precision-lab-1?{APART}")
    widget = lab_of(page)
    assert dots(widget) == pytest.approx([on_axis(widget, z) for z in (300, 95, -30, 0)], abs=0.1)
    before = dots(widget)
    pull(page, widget.get_by_role("slider", name="logit of tiger"), 60)
    logits = moved(widget)
    assert logits[:2] == [300, 95]
    assert -10 < logits[2] < 0
    assert dots(widget) == pytest.approx([*before[:2], before[2] + 60, before[3]], abs=2)
    assert_lab_agrees_with_python(widget, logits)
    pull(page, widget.get_by_role("slider", name="logit of cat"), 2000)
    assert moved(widget)[0] == 1000
    assert_lab_agrees_with_python(widget, moved(widget))


def test_the_bar_moves_all_by_the_same_amount(visit, served):
    page = visit(f"{served}#precision-lab-1?{APART}")
    widget = lab_of(page)
    pull(page, widget.get_by_role("slider", name="shift all"), -70)
    shift = setting(widget, "shift all")
    assert shift < -100
    assert moved(widget) == pytest.approx([300 + shift, 95 + shift, -30 + shift, shift])
    assert_lab_agrees_with_python(widget, [300, 95, -30, 0])
    x, y = middle_of(widget.get_by_role("slider", name="logit of cat"))
    page.mouse.move(x + 30, y)  # beside the last dot, where there is only the bar
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=5)
    page.mouse.up()
    assert setting(widget, "shift all") > shift
    assert_lab_agrees_with_python(widget, [300, 95, -30, 0])


def test_keys_move_dots_and_bar(visit, served):
    widget = lab_of(visit(served))
    cat = widget.get_by_role("slider", name="logit of cat")
    cat.focus()
    for key, value in [("ArrowRight", 1.4), ("PageUp", 2.4), ("PageDown", 1.4), ("Home", -1000), ("ArrowUp", -999)]:
        cat.press(key)
        assert float(cat.input_value()) == pytest.approx(value, abs=0.06)
        assert moved(widget)[0] == float(cat.input_value())
    cat.press("End")
    assert float(cat.input_value()) == 1000
    expect(cat).to_have_attribute("aria-valuetext", "cat: logit 1000, e^z is ∞ in float16")
    assert_lab_agrees_with_python(widget, [1000, *LOGITS[1:]])
    bar = widget.get_by_role("slider", name="shift all")
    for key, value in [("ArrowLeft", -1), ("PageUp", 9), ("Home", -1000), ("End", 1000)]:
        bar.press(key)
        assert setting(widget, "shift all") == value


def test_logits_can_be_typed_also_beyond_the_axis(visit, served):
    widget = lab_of(visit(served))
    box = widget.get_by_role("spinbutton", name="logit of cat")
    for text in ("-1000", "88.7228", "5000", "-0.5"):
        box.fill(text)
        box.blur()
        assert_lab_agrees_with_python(widget, [float(text), *LOGITS[1:]])
    box.fill("")
    box.press_sequentially("1.05")
    assert box.input_value() == "1.05"
    box.fill("5000")
    assert dots(widget)[0] == pytest.approx(on_axis(widget, 1000), abs=0.1)
    widget.get_by_role("spinbutton", name="shift all").fill("0.1")
    widget.get_by_role("spinbutton", name="logit of dog").fill("0.3")
    assert moved(widget)[1] == 0.3
    assert (
        lab_of(widget.page).locator(".sw-steps").first.get_by_role("row", name="dog").inner_text().split()[1]
        == "0.3000"
    )


def test_subtracting_the_largest_brings_all_back(visit, served):
    widget = lab_of(visit(f"{served}#precision-lab-1?{APART}", reduced_motion="reduce"))
    assert lanes(widget)[:3] == ["✕ NaN: ∞ ÷ ∞"] * 3
    before = dots(widget)
    rings = widget.locator("svg .sw-ring")
    expect(rings).to_have_count(0)
    widget.get_by_role("button", name="Subtract the largest").click()
    assert_lab_agrees_with_python(widget, [300, 95, -30, 0])
    assert lanes(widget) == ["✓ works: 3 classes: exactly 0"] * 3 + ["✓ works: right to 15 digits"]
    assert dots(widget) == pytest.approx([on_axis(widget, z) for z in (0, -205, -330, -300)], abs=0.1)
    assert rings.evaluate_all("rings => rings.map(ring => ring.cx.baseVal.value)") == pytest.approx(before)
    widget.get_by_role("slider", name="shift all").press("PageUp")
    assert dots(widget) == pytest.approx([on_axis(widget, z) for z in (0, -205, -330, -300)], abs=0.1)
    widget.get_by_role("button", name="Put the largest back").click()
    expect(rings).to_have_count(0)
    assert_lab_agrees_with_python(widget, [300, 95, -30, 0])


def test_the_dots_slide(visit, served):
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(f"{served}#precision-lab-1?{APART}")
    widget = lab_of(page)
    page.clock.pause_at("2026-01-02T00:00")
    widget.get_by_role("button", name="Subtract the largest").click()
    places = [dots(widget)[0]]
    for _ in range(5):
        page.clock.run_for(200)
        places.append(dots(widget)[0])
    assert places == sorted(places, reverse=True)
    assert len(set(places)) >= 4
    assert places[-1] == pytest.approx(on_axis(widget, 0), abs=0.1)


def test_a_sum_can_overflow_where_no_exponential_does(visit, served):
    widget = lab_of(visit(f"{served}#precision-lab-1?logits=88.5,88.5,88.5,88.5&format=float32"))
    assert_lab_agrees_with_python(widget, [88.5] * 4)
    assert lanes(widget)[2] == "✕ all 0: the sum is ∞"
    expect(widget.locator(".sw-note")).to_contain_text("Each exponential fits, but their sum passed float32's largest")
    widget.get_by_role("spinbutton", name="logit of cat").fill("-1000")
    widget.get_by_role("spinbutton", name="logit of dog").fill("-1000")
    widget.get_by_role("spinbutton", name="logit of tiger").fill("-1000")
    assert_lab_agrees_with_python(widget, [-1000, -1000, -1000, 88.5])
    assert lanes(widget)[2] == "✓ works: 3 classes: exactly 0"


def test_a_tap_on_a_lane_shows_its_steps(visit, served):
    widget = lab_of(visit(served))
    widget.locator("svg [data-tap=bfloat16] text").first.click()
    expect(widget.get_by_role("combobox", name="format")).to_have_value("bfloat16")
    assert_lab_agrees_with_python(widget, LOGITS)


def test_a_finger_that_scrolls_changes_nothing_and_one_that_goes_sideways_pulls(visit, served):
    page = visit(f"{served}#precision-lab-1?{APART}", width=390, has_touch=True)
    widget = lab_of(page)
    finger = Finger(page)
    x, y = middle_of(widget.get_by_role("slider", name="logit of tiger"))
    scrolled = page.evaluate("scrollY")
    finger.swipe(x, y, 3, -150)
    assert moved(widget) == [300, 95, -30, 0]
    assert page.evaluate("scrollY") > scrolled + 50
    x, y = middle_of(widget.get_by_role("slider", name="logit of tiger"))
    finger.swipe(x, y, 40, 0)
    assert moved(widget)[2] > -20
    assert moved(widget)[:2] == [300, 95]


def test_in_float64_small_errors_are_not_counted(visit, served):
    widget = lab_of(visit(served))
    widget.get_by_role("spinbutton", name="logit of none").fill("1.5")
    widget.get_by_role("combobox", name="format").select_option("float64")
    expect(widget.get_by_role("cell", name="within 4", exact=True)).to_have_count(8)
    assert lanes(widget)[3] == "✓ works: right to 15 digits"
    expect(widget.locator(".sw-note")).to_have_text(
        "float64. Fine: every share is within 4 ULP of the double it is compared with."
    )
    expect(widget.locator(".sw-yardstick")).to_contain_text("itself a double, good to within 4 ULP")


def test_what_became_of_a_number_stands_there_in_words(visit, served):
    widget = lab_of(visit(served, reduced_motion="reduce"))
    naive = widget.locator(".sw-steps").first
    expect(naive.get_by_role("row", name="none")).to_contain_text(re.compile("∞ overflow *NaN *NaN"))
    expect(naive.get_by_role("row", name="cat")).to_contain_text("0 over ∞")
    expect(naive.locator("caption")).to_contain_text("sum ∞")
    note = widget.locator(".sw-note")
    expect(note).to_contain_text(
        "exp(12) is beyond float16's largest number, 65504, so it became ∞; "
        "∞ / ∞ is NaN, and everything else over ∞ is 0."
    )
    widget.get_by_role("button", name="Subtract the largest").click()
    expect(note).to_contain_text("Fine: no share is more than 2.548 ULP off.")
    widget.get_by_role("button", name="Put the largest back").click()
    widget.get_by_role("spinbutton", name="shift all").fill("-60")
    expect(naive.get_by_role("row", name="cat")).to_contain_text(re.compile("0 underflow *NaN"))
    expect(note).to_contain_text("0 / 0 is NaN")
    widget.get_by_role("spinbutton", name="scale all").fill("10")
    widget.get_by_role("button", name="Subtract the largest").click()
    expect(note).to_contain_text(
        "Fine: the share of cat is so small that of all numbers in float16 exactly 0 is the nearest."
    )


def test_the_verdicts_are_spoken_after_a_pause(visit, served):
    widget = lab_of(visit(served))
    spoken = widget.locator("p[role=status]")
    expect(spoken).to_have_text("")
    widget.get_by_role("slider", name="shift all").press("End")
    expect(spoken).to_have_text(" ".join(f"{name}: ✕ NaN: ∞ ÷ ∞." for name in FORMATS))


def test_a_lab_restores_from_a_link(visit, served):
    page = visit(
        f"{served}#precision-lab-1?format=bfloat16&shift=700&scale=2", permissions=("clipboard-read", "clipboard-write")
    )
    lab = lab_of(page)
    made = assert_lab_agrees_with_python(lab, LOGITS)
    assert (made.format, made.shift, made.scale) == ("bfloat16", 700, 2)
    assert moved(lab) == pytest.approx([2 * z + 700 for z in LOGITS])
    expect(lab).to_be_in_viewport()
    lab.get_by_role("spinbutton", name="logit of dog").fill("-8")
    lab.get_by_role("button", name="Copy link").click()
    expect(lab.get_by_text("✓ Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("?logits=1.25,-354,0.78,12&format=bfloat16&shift=700&scale=2")
    assert_lab_agrees_with_python(lab_of(visit(link)), [LOGITS[0], -354, *LOGITS[2:]])
    lab.get_by_role("button", name="Reset").click()
    assert assert_lab_agrees_with_python(lab, LOGITS).format == "float16"


OUTSIDE = """svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(text => {
        const box = text.getBoundingClientRect();
        return box.left < frame.left - 0.5 || box.right > frame.right + 0.5 || box.bottom > frame.bottom + 0.5;
    }).map(text => text.textContent);
}"""
COVERED = """lab => {
    const boxes = [...lab.querySelectorAll(".sw-dot-name, .sw-at")]
        .map(each => each.getBoundingClientRect());
    return boxes.flatMap((a, i) => boxes.slice(0, i).filter(b =>
        a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 5 && b.top < a.bottom - 5)).length;
}"""
CUT = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).map(box => box.value)"


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize(
    "logits", ["300,95,-30,0", "88.5,88.5,88.5,88.5", "1000,-1000,1000,-1000", "5.5,-702.25,11.1,11"]
)
def test_nothing_in_the_picture_is_cut_or_covered(visit, served, width, logits):
    page = visit(f"{served}#precision-lab-1?logits={logits}&labels=elephant,mongoose,tortoise,squirrel", width=width)
    for widget in (lab_of(page), page.locator("#precision-lab-2")):
        expect(widget.locator("svg text").first).to_be_visible()
        assert widget.locator("svg").evaluate(OUTSIDE) == []
        assert widget.evaluate(COVERED) == 0
        assert widget.locator(".sw-box").evaluate_all(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
