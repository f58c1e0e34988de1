"""The interactives in a real browser: in a gallery of their own, and on the built pages that have one."""

import contextlib
import json
import math
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from softmax_lib import softmax, widgets
from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS, FIVE_LOGITS
from softmax_lib.widgets import JacobianExplorer, LayerExplorer, LogitExplorer, PrecisionLab, Quiz
from tests import ROOT
from tests.site import serving

AXE = ROOT / "widgets" / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = "<img src=x onerror=1>"

QUIZ = Quiz(
    "If every logit grows by 100, what do the probabilities do?",
    {"grow": "Only against the others.", "stay": "The factor cancels.", "overflow": "The maximum goes first."},
    "stay",
)
LONG_LABELS = [f"a label of 24 chars, {i:03d}" for i in range(12)]
GALLERY = [
    LogitExplorer(ANIMAL_LOGITS, ANIMALS.labels),
    JacobianExplorer(ANIMAL_LOGITS, ANIMALS.labels),
    PrecisionLab((*ANIMAL_LOGITS[:3], 12), ANIMALS.labels),
    LayerExplorer(**ANIMALS._asdict()),
    QUIZ,
    LogitExplorer(np.linspace(-3, 3, 12), LONG_LABELS),
    JacobianExplorer(np.linspace(-3, 3, 12), LONG_LABELS),
    PrecisionLab(np.linspace(-3, 3, 12), LONG_LABELS),
    JacobianExplorer([0.5]),
    JacobianExplorer([1.0, 2.0], [HOSTILE, "'\"&amp;</td>"]),
    LogitExplorer([0.5]),
    LogitExplorer([1.0, 2.0], [HOSTILE, "'\"&amp;</td>"]),
    LogitExplorer(FIVE_LOGITS, temperature=0.5, shift=3.0),
]
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' file:;
style-src 'self' file: 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width"><title>Gallery</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="widgets.css">
<style>body {{ max-width: 45rem; margin: 0 auto; padding: 0 1rem; font-family: sans-serif }}
html[data-theme="dark"] {{ background: #14181e; color: #e6e9ed }}</style>
<script src="page.js" defer></script></head>
<body><main><h1 id="a-heading">Gallery</h1>{}</main></body></html>"""

WITH_LOGITS = ["gallery", "index", "formula", "five_logits"]
WITH_LAYER = ["gallery", "cat_dog_tiger"]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every interactive on one page, under the site's security policy."""
    folder = tmp_path_factory.mktemp("gallery")
    for name in ("page.js", "widgets.js", "widgets.css"):
        shutil.copy(ROOT / "softmax_lib" / "static" / name, folder)
    outputs = (widget._repr_mimebundle_()[0]["text/html"] for widget in GALLERY)
    html = PAGE.format("".join(f"<p>Before it.</p>{output}<p>After it.</p>" for output in outputs))
    (folder / "index.html").write_text(html, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", name="served")
def served_gallery(gallery: Path) -> Iterator[str]:
    with serving.served(gallery) as url:
        yield url + "index.html"


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The address of the gallery, or of a page of the built site."""

    def find(name: str) -> str:
        if name == "gallery":
            return request.getfixturevalue("served")
        return f"{request.getfixturevalue('site').url}{name}.html"

    return find


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address in a window of its own; fails at the end if a script complained or opened a dialog."""
    complaints: list[str] = []
    contexts = contextlib.ExitStack()

    def open_page(address: str, *, width: int = 1440, script: str = "", permissions: tuple[str, ...] = (), **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.callback(context.close)
        context.grant_permissions(list(permissions))
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        if script:
            page.add_init_script(script)
        page.goto(address)
        return page

    with contexts:
        yield open_page
    assert complaints == []


def first(page: Page, kind: str) -> Locator:
    return page.locator(f"#{kind}-explorer-1")


def logits_of(widget: Locator) -> list[float]:
    return [float(box.input_value()) for box in widget.get_by_role("spinbutton", name="logit of").all()]


def setting(widget: Locator, name: str) -> float:
    return float(widget.get_by_role("spinbutton", name=name).input_value())


def probabilities(widget: Locator) -> list[float]:
    return [
        float(value)
        for value in widget.locator("[data-value]").evaluate_all("cells => cells.map(c => c.dataset.value)")
    ]


def assert_agrees_with_python(widget: Locator) -> list[float]:
    """Every probability is softmax_lib's, to 2 ULP, and every bar is as long as it says."""
    scaled = (np.array(logits_of(widget)) + setting(widget, "shift all")) / setting(widget, "temperature")
    shown = probabilities(widget)
    for ours, theirs in zip(softmax(scaled).tolist(), shown, strict=True):
        assert abs(ours - theirs) <= 2 * math.ulp(max(ours, theirs))
    shares = widget.locator(".sw-bar").evaluate_all(
        "bars => bars.map(b => b.firstChild.getBoundingClientRect().width / b.getBoundingClientRect().width)"
    )
    assert shares == pytest.approx(shown, abs=0.01)
    return shown


def drag(page: Page, slider: Locator, share: float, steps: int = 10) -> None:
    """Drags the thumb to this share of the track."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    at = slider.evaluate("s => (s.value - s.min) / (s.max - s.min)")
    thumb = 18
    x, y = box["x"] + thumb / 2, box["y"] + box["height"] / 2
    page.mouse.move(x + at * (box["width"] - thumb), y)
    page.mouse.down()
    page.mouse.move(x + share * (box["width"] - thumb), y, steps=steps)
    page.mouse.up()


# --- sliders and boxes


@pytest.mark.parametrize("name", WITH_LOGITS)
def test_a_drag_moves_the_numbers_and_the_bars(visit, address, name):
    page = visit(address(name))
    widget = first(page, "logit")
    before = assert_agrees_with_python(widget)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    slider = widget.get_by_role("slider", name="logit of").first
    drag(page, slider, 0.9)
    assert float(slider.input_value()) == pytest.approx(8, abs=0.3)
    assert logits_of(widget)[0] == float(slider.input_value())
    assert assert_agrees_with_python(widget) != before
    drag(page, widget.get_by_role("slider", name="temperature"), 0.6)
    assert setting(widget, "temperature") == pytest.approx(3, abs=0.1)
    assert_agrees_with_python(widget)
    assert requests == []


@pytest.mark.parametrize("name", WITH_LOGITS)
def test_keys_move_sliders(visit, address, name):
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
    assert float(slider.input_value()) == float(slider.get_attribute("max"))
    assert_agrees_with_python(widget)


def test_boxes_take_numbers_and_shrug_off_the_rest(visit, served):
    page = visit(served)
    widget = first(page, "logit")
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
    assert_agrees_with_python(widget)
    temperature = widget.get_by_role("spinbutton", name="temperature")
    temperature.fill("0")
    temperature.blur()
    assert float(temperature.input_value()) > 0
    assert_agrees_with_python(widget)


def test_a_decimal_point_can_be_typed(visit, served):
    box = first(visit(served), "logit").get_by_role("spinbutton", name="logit of dog")
    box.fill("")
    box.press_sequentially("1.05")
    assert box.input_value() == "1.05"


def test_a_temperature_below_one_can_be_typed(visit, served):
    widget = first(visit(served), "logit")
    box = widget.get_by_role("spinbutton", name="temperature")
    box.fill("")
    box.press_sequentially("0.05")
    assert box.input_value() == "0.05"
    box.blur()
    assert box.input_value() == "0.05"
    assert_agrees_with_python(widget)


@pytest.mark.parametrize("name", WITH_LOGITS)
def test_a_shift_explodes_the_exponentials_and_changes_no_probability(visit, address, name):
    widget = first(visit(address(name)), "logit")
    texts = widget.locator("[data-value]").all_inner_texts()
    before = probabilities(widget)
    shift = widget.get_by_role("slider", name="shift all")
    for key, exponential, ratio in [("End", "∞", "∞/∞"), ("Home", "0", "0/0")]:
        shift.press(key)
        assert set(widget.locator("tbody .sw-number").all_inner_texts()) == {exponential}
        assert widget.locator("[data-value]").all_inner_texts() == texts
        assert probabilities(widget) == pytest.approx(before, rel=1e-11)
        expect(widget.locator(".sw-note")).to_contain_text(f"{ratio} would be NaN")
        assert_agrees_with_python(widget)


def test_cold_softmax_says_that_it_is_exactly_sure(visit, served):
    widget = first(visit(served), "logit")
    widget.get_by_role("slider", name="logit of dog").press("End")
    widget.get_by_role("slider", name="logit of cat").press("Home")
    widget.get_by_role("slider", name="temperature").press("Home")
    assert probabilities(widget) == [0, 1, 0, 0]
    assert widget.locator("[data-value]").all_inner_texts() == ["0", "1", "0", "0"]
    widget.get_by_role("slider", name="shift all").press("ArrowLeft")
    widget.get_by_role("spinbutton", name="shift all").fill("-10")
    expect(widget.locator(".sw-note")).to_contain_text("p(dog) is exactly 1")
    expect(widget.locator(".sw-note")).to_contain_text("p(cat) is exactly 0")


def test_a_row_lights_up_its_terms(visit, served):
    widget = first(visit(served), "logit")
    formula = widget.locator(".sw-formula")
    expect(formula).to_have_accessible_name(
        "p(dog) = e^2.44 / (e^1.25 + e^2.44 + e^0.78 + e^0.12) = 11.47 / 18.27 = 0.6279"
    )
    widget.get_by_role("row", name="tiger").hover()
    expect(formula).to_have_accessible_name(re.compile(r"^p\(tiger\) = e\^0.78 .* = 2.181 / 18.27 = 0.1194$"))
    assert formula.locator(".sw-term.sw-lit").count() == 2
    widget.get_by_role("heading").or_(widget.locator("caption")).hover()
    widget.get_by_role("slider", name="logit of cat").focus()
    expect(formula).to_have_accessible_name(re.compile(r"^p\(cat\)"))


def test_the_summary_is_spoken_after_a_pause(visit, served):
    widget = first(visit(served), "logit")
    spoken = widget.get_by_role("status").first
    before = spoken.inner_text()
    assert before.startswith("Most likely: dog, 0.6279.")
    widget.get_by_role("slider", name="logit of cat").press("End")
    expect(widget.locator(".sw-summary")).to_contain_text("Most likely: cat")
    assert spoken.inner_text() == before
    expect(spoken).to_contain_text("Most likely: cat")


@pytest.mark.parametrize("name", WITH_LAYER)
def test_the_layer_multiplies_out_and_decides(visit, address, name):
    page = visit(address(name))
    widget = first(page, "layer")
    assert probabilities(widget) == softmax(ANIMAL_LOGITS).tolist()
    product = widget.locator(".sw-formula").first
    expect(product).to_have_accessible_name("z(dog) = 0·1.5 + 0.5·0.5 + 1·2 + 0.19 = 2.44")
    expect(widget.locator(".sw-summary")).to_have_text("Decision: dog (0.6279). Next: cat (0.1910).")
    drag(page, widget.get_by_role("slider", name="hidden 3"), 0.1)
    widget.get_by_role("spinbutton", name="weight of dog on hidden 2").fill("-1.5")
    widget.get_by_role("spinbutton", name="bias of none").fill("1")
    hidden = [float(slider.input_value()) for slider in widget.get_by_role("slider").all()]
    assert hidden[2] == pytest.approx(-8, abs=0.3)
    weights = [list(row) for row in ANIMALS.weights]
    weights[1][1] = -1.5
    expected = LayerExplorer(hidden, weights, [*ANIMALS.bias[:3], 1.0], ANIMALS.labels).probabilities.tolist()
    for ours, theirs in zip(expected, probabilities(widget), strict=True):
        assert abs(ours - theirs) <= 2 * math.ulp(max(ours, theirs))


def test_the_quiz_works_by_keyboard(visit, served):
    page = visit(served)
    quiz = page.locator("#quiz-1")
    quiz.get_by_role("button", name="grow").focus()
    page.keyboard.press("Enter")
    expect(quiz.get_by_text("✗ Not quite.")).to_be_visible()
    expect(quiz).to_contain_text("Only against the others.")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(quiz.get_by_text("✓ Right.")).to_be_visible()
    expect(quiz).not_to_contain_text("Only against the others.")
    expect(quiz.get_by_role("button", name="stay")).to_have_attribute("aria-pressed", "true")
    quiz.get_by_role("button", name="Reset").press("Enter")
    expect(quiz.get_by_text("Right.")).to_have_count(0)


# --- the Jacobian


def values(cells: Locator) -> list[float]:
    return [float(value) for value in cells.evaluate_all("cells => cells.map(c => c.dataset.value)")]


def assert_jacobian_agrees_with_python(widget: Locator, row: int, column: int) -> JacobianExplorer:
    """Every slope to 4 ULP, and the nudge's three columns."""
    ours = JacobianExplorer(logits_of(widget), ANIMALS.labels, row, column, setting(widget, "nudge"))
    for a, b in zip(ours.jacobian.ravel().tolist(), values(widget.locator(".sw-heat")), strict=True):
        assert abs(a - b) <= 4 * math.ulp(max(abs(a), abs(b)))
    shown = np.reshape(values(widget.locator(".sw-change")), (-1, 3))
    np.testing.assert_allclose(shown[:, 0], ours.predicted_change, rtol=1e-14)
    np.testing.assert_allclose(shown[:, 1], ours.change, rtol=1e-14)
    np.testing.assert_allclose(shown[:, 2], shown[:, 0] - shown[:, 1], rtol=0)
    return ours


def test_the_jacobian_follows_a_drag(visit, served):
    page = visit(served)
    widget = first(page, "jacobian")
    assert_jacobian_agrees_with_python(widget, 0, 0)
    drag(page, widget.get_by_role("slider", name="logit of dog"), 0.3)
    drag(page, widget.get_by_role("slider", name="nudge"), 0.8)
    assert setting(widget, "nudge") == pytest.approx(3, abs=0.1)
    assert assert_jacobian_agrees_with_python(widget, 0, 0).logits[1] == pytest.approx(-4, abs=0.3)


def test_a_cell_shows_its_formula_in_numbers(visit, served):
    page = visit(served)
    widget = first(page, "jacobian")
    formula = widget.locator(".sw-formula")
    expect(formula).to_have_accessible_name("∂p(cat)/∂z(cat) = p(cat) · (1 − p(cat)) = 0.1910 · (1 − 0.1910) = 0.1545")
    widget.get_by_role("button", name="∂p(tiger)/∂z(dog) = −0.0750").click()
    expect(formula).to_have_accessible_name("∂p(tiger)/∂z(dog) = −p(tiger) · p(dog) = −0.1194 · 0.6279 = −0.07496")
    assert_jacobian_agrees_with_python(widget, 2, 1)
    notes = widget.locator(".sw-note")
    expect(notes.first).to_contain_text("Each column adds up to 0, here −0.1199 + 0.2336 − 0.0750 − 0.0387 (rounded)")
    expect(notes.first).to_contain_text("Symmetric: ∂p(dog)/∂z(tiger) = −0.0750 too.")
    widget.get_by_role("spinbutton", name="logit of dog").fill("30")
    widget.get_by_role("button", name="∂p(dog)/∂z(dog)").click()
    # mpmath, 30 digits: the others together have 6.36253988410e-13, and the slope is 6.36253988409e-13
    expect(formula).to_have_accessible_name(re.compile(r"= \(1 − 6e-13\) · 6.363e-13 = 6.363e-13$"))


def test_cells_are_one_tab_stop_and_move_by_arrow_keys(visit, served):
    page = visit(served)
    widget = first(page, "jacobian")
    focused = "document.activeElement.getAttribute('aria-label')?.split(' =')[0]"
    widget.get_by_role("spinbutton", name="logit of none").focus()
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
        expect(widget.locator(".sw-formula")).to_have_accessible_name(re.compile("^" + re.escape(name)))
    page.keyboard.press("Tab")
    assert widget.get_by_role("slider", name="nudge").evaluate("s => s === document.activeElement")


def test_the_linear_prediction_says_when_it_fails(visit, served):
    widget = first(visit(served), "jacobian")
    widget.get_by_role("button", name="∂p(cat)/∂z(dog)").click()
    note = widget.locator(".sw-note").last
    expect(note).to_contain_text("The prediction is good: 1.4 % too large, for every class alike.")
    expect(note).to_contain_text("For the logit of dog, it stays within 10 % from −2.23 to 0.57.")
    nudge = widget.get_by_role("slider", name="nudge")
    nudge.press("End")
    expect(note).to_contain_text("The prediction has failed: it puts p(cat) at −0.4087, which is no probability.")
    nudge.press("Home")
    expect(note).to_contain_text("which is no probability")
    assert_jacobian_agrees_with_python(widget, 0, 1)
    widget.get_by_role("spinbutton", name="nudge").fill("1")
    expect(note).to_contain_text("The prediction has stopped being good: 21 % too large")


# --- narrow formats


def assert_lab_agrees_with_python(widget: Locator) -> PrecisionLab:
    lab = PrecisionLab(
        logits_of(widget),
        format=widget.get_by_role("combobox", name="format").input_value(),
        shift=setting(widget, "shift all"),
        scale=setting(widget, "scale all"),
    )
    shown = values(widget.locator("[data-value]"))
    np.testing.assert_allclose(shown, [*lab.probabilities, *lab.naive, *lab.shifted], rtol=1e-15)
    return lab


@pytest.mark.parametrize("format", ["float16", "bfloat16", "float32", "float64"])
def test_each_format_computes_as_in_python(visit, served, format):
    page = visit(served)
    widget = page.locator("#precision-lab-1")
    widget.get_by_role("combobox", name="format").select_option(format)
    assert assert_lab_agrees_with_python(widget).format == format
    expect(widget.locator("caption", has_text=f"Naive, in {format}")).to_be_visible()
    expect(widget.locator(".sw-verdicts .sw-lit th")).to_have_text(format)
    for name in ("shift all", "scale all"):
        for key in ("End", "Home"):
            widget.get_by_role("slider", name=name).press(key)
            assert_lab_agrees_with_python(widget)
    drag(page, widget.get_by_role("slider", name="shift all"), 0.97)
    assert np.isnan(assert_lab_agrees_with_python(widget).naive).any()
    expect(widget.locator(".sw-verdicts .sw-lit td").first).to_have_text("✗ NaN")


def test_in_float64_small_errors_are_not_counted(visit, served):
    widget = visit(served).locator("#precision-lab-1")
    widget.get_by_role("spinbutton", name="logit of none").fill("1.5")
    widget.get_by_role("combobox", name="format").select_option("float64")
    expect(widget.get_by_role("cell", name="within 4", exact=True)).to_have_count(8)
    expect(widget.locator(".sw-summary")).to_have_text(
        "float64: naive ✓ fine: within 4 ULP; shifted ✓ fine: within 4 ULP."
    )
    expect(widget.locator(".sw-note").last).to_have_text(
        "Fine: every probability is within 4 ULP of the double it is compared with."
    )
    expect(widget.locator(".sw-verdicts caption")).to_contain_text("itself a double, good to within 4 ULP")


def test_what_became_of_a_number_stands_there_in_words(visit, served):
    widget = visit(served).locator("#precision-lab-1")
    naive = widget.locator(".sw-steps").first
    expect(naive.get_by_role("row", name="none")).to_contain_text(re.compile("∞ overflow *NaN *NaN"))
    expect(naive.get_by_role("row", name="cat")).to_contain_text("0 over ∞")
    note = widget.locator(".sw-note")
    expect(note.first).to_have_text(
        "e^12 is beyond float16's largest number, 65504, so it became ∞; ∞ / ∞ is NaN, and everything else over ∞ is 0."
    )
    expect(note.last).to_contain_text("Fine: no probability is more than 2.548 ULP off.")
    expect(widget.locator(".sw-summary")).to_have_text("float16: naive ✗ NaN; shifted ✓ fine: 2.548 ULP.")
    widget.get_by_role("spinbutton", name="shift all").fill("-60")
    expect(naive.get_by_role("row", name="cat")).to_contain_text(re.compile("0 underflow *NaN"))
    expect(note.first).to_contain_text("0 / 0 is NaN")
    widget.get_by_role("spinbutton", name="scale all").fill("10")
    expect(note.last).to_contain_text("became exactly 0 instead of")


# --- the state and its links


@pytest.mark.parametrize("name", WITH_LOGITS)
def test_reset_and_links(visit, address, name):
    page = visit(address(name), permissions=("clipboard-read", "clipboard-write"))
    widget = first(page, "logit")
    stored = widget.inner_text()
    widget.get_by_role("slider", name="logit of").first.press("PageUp")
    widget.get_by_role("slider", name="temperature").press("ArrowRight")
    widget.get_by_role("spinbutton", name="shift all").fill("40")
    moved = assert_agrees_with_python(widget)
    widget.get_by_role("button", name="Copy link").click()
    expect(widget.get_by_text("✓ Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"#logit-explorer-1\?logits=[-\d.,]+&temperature=[\d.]+&shift=40$", link)
    widget.get_by_role("button", name="Reset").click()
    expect(widget.get_by_text("✓ Copied")).to_have_count(0)
    widget.get_by_role("button", name="Reset").blur()
    page.mouse.move(0, 0)
    assert widget.inner_text() == stored

    other = first(visit(link), "logit")
    assert probabilities(other) == moved
    expect(other).to_be_in_viewport()


def test_a_layer_and_a_quiz_restore_from_a_link(visit, served):
    page = visit(f"{served}#layer-explorer-1?hidden=1,2,-3&bias=0,0,0,9")
    widget = first(page, "layer")
    expected = LayerExplorer((1, 2, -3), ANIMALS.weights, (0, 0, 0, 9)).probabilities.tolist()
    assert probabilities(widget) == pytest.approx(expected, rel=1e-15)
    page.evaluate("location.hash = '#quiz-1?choice=stay'")
    expect(page.locator("#quiz-1").get_by_text("✓ Right.")).to_be_visible()
    expect(page.locator("#quiz-1")).to_be_in_viewport()
    page.evaluate("location.hash = '#a-heading'")
    expect(page.get_by_role("heading", name="Gallery")).to_be_in_viewport()


def test_a_jacobian_and_a_lab_restore_from_a_link(visit, served):
    page = visit(f"{served}#jacobian-explorer-1?logits=1,2,3,4&row=2&column=3&nudge=-1.5")
    widget = first(page, "jacobian")
    assert assert_jacobian_agrees_with_python(widget, 2, 3).nudge == -1.5
    expect(widget.locator(".sw-formula")).to_have_accessible_name(re.compile(r"^∂p\(tiger\)/∂z\(none\)"))
    page.evaluate("location.hash = '#precision-lab-1?format=bfloat16&shift=700&scale=2'")
    lab = page.locator("#precision-lab-1")
    made = assert_lab_agrees_with_python(lab)
    assert (made.format, made.shift, made.scale) == ("bfloat16", 700, 2)
    expect(lab).to_be_in_viewport()
    for restored in (widget, lab):
        restored.get_by_role("button", name="Reset").click()
    assert assert_jacobian_agrees_with_python(widget, 0, 0).logits == list(ANIMAL_LOGITS)
    assert assert_lab_agrees_with_python(lab).format == "float16"


def test_without_a_clipboard_the_link_is_shown_and_selected(visit, served):
    page = visit(served, script="Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    widget = first(page, "logit")
    widget.get_by_role("slider", name="logit of dog").press("PageUp")
    widget.get_by_role("button", name="Copy link").click()
    field = widget.get_by_role("textbox", name="link to this state")
    link = field.input_value()
    assert link == f"{served}#logit-explorer-1?logits=1.25,3.44,0.78,0.12"
    assert field.evaluate("f => f.value.slice(f.selectionStart, f.selectionEnd)") == link


HOSTILE_FRAGMENTS = {
    "nan": "logits=NaN,Infinity,-Infinity,1e999&temperature=NaN&shift=1e999",
    "zero": "logits=,,,&temperature=0&shift=",
    "huge": "logits=1e308,-1e308&temperature=1e-320&shift=1e308",
    "many": f"logits={'1,' * 10_000}&labels={'x,' * 10_000}",
    "proto": "__proto__=1&constructor=2&logits.__proto__=3",
    "megabyte": f"logits=1,2&labels={'a' * 1_000_000}",
    "markup": f"labels={HOSTILE},<script>alert(1)</script>,%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
    "escapes": "labels=%,%E0%A4%A,%00,%u202e&logits=%",
    "syntax": "?=&&==#?&logits&;=,",
}


@pytest.mark.parametrize("fragment", HOSTILE_FRAGMENTS.values(), ids=HOSTILE_FRAGMENTS)
def test_a_hostile_link_gives_a_valid_widget(visit, served, fragment):
    page = visit(f"{served}#logit-explorer-1?{fragment}")
    widget = first(page, "logit")
    shown = probabilities(widget)
    assert 1 <= len(shown) <= 12
    assert sum(shown) == pytest.approx(1)
    names = widget.locator("tbody th").all_inner_texts()
    assert all(0 < len(name) <= 24 for name in names)
    assert page.locator("img, iframe, object, main script").count() == 0
    assert page.locator("#logit-explorer-2 [data-value]").count() == 12
    widget.get_by_role("slider", name="temperature").press("ArrowRight")
    assert sum(probabilities(widget)) == pytest.approx(1)


HOSTILE_SETTINGS = "row=1e999&column=-3&nudge=NaN&format=<img src=x onerror=1>&scale=-1&shift=1e308"


@pytest.mark.parametrize("name", ["jacobian-explorer-1", "precision-lab-1"])
@pytest.mark.parametrize("fragment", [*HOSTILE_FRAGMENTS.values(), HOSTILE_SETTINGS], ids=[*HOSTILE_FRAGMENTS, "set"])
def test_a_hostile_link_gives_a_valid_jacobian_and_lab(visit, served, name, fragment):
    page = visit(f"{served}#{name}?{fragment}")
    widget = page.locator(f"#{name}")
    for _ in range(2):
        shown = values(widget.locator(".sw-p"))
        assert 1 <= len(shown) <= 12
        assert sum(shown) == pytest.approx(1)
        assert all(0 < len(label) <= 24 for label in widget.locator("tbody th").all_inner_texts())
        if name.startswith("jacobian"):
            slopes = np.reshape(values(widget.locator(".sw-heat")), (len(shown), -1))
            np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-15)
        widget.get_by_role("slider", name="logit of").first.press("ArrowRight")
    assert page.locator("img, iframe, object, main script").count() == 0


def test_stored_markup_stays_text(visit, served):
    page = visit(served)
    widget = page.locator("#logit-explorer-4")
    assert widget.locator("tbody th").first.inner_text() == HOSTILE
    expect(widget.get_by_role("slider", name=f"logit of {HOSTILE}")).to_be_visible()
    expect(page.get_by_role("button", name=f"∂p({HOSTILE})/∂z({HOSTILE})")).to_be_visible()
    assert page.locator("img").count() == 0


# --- where it runs


def test_it_works_from_disk(visit, gallery):
    page = visit((gallery / "index.html").as_uri(), permissions=("clipboard-read", "clipboard-write"))
    widget = first(page, "logit")
    drag(page, widget.get_by_role("slider", name="logit of cat"), 0.8)
    moved = assert_agrees_with_python(widget)
    widget.get_by_role("button", name="Copy link").click()
    field = widget.get_by_role("textbox", name="link to this state")
    expect(field.or_(widget.get_by_text("✓ Copied"))).to_be_visible()
    link = field.input_value() if field.is_visible() else page.evaluate("navigator.clipboard.readText()")
    assert link.startswith("file://")
    assert probabilities(first(visit(link), "logit")) == moved


@pytest.mark.parametrize("name", ["gallery", "index", "formula", "five_logits", "cat_dog_tiger"])
def test_without_a_script_tables_and_bars_are_there(visit, address, name):
    page = visit(address(name), java_script_enabled=False)
    found = page.locator(".softmax-widget:has(table)").all()
    assert found
    for widget in found:
        state = json.loads(widget.get_attribute("data-state") or "")
        kind = getattr(widgets, widget.get_attribute("data-widget") or "")
        cells = widget.locator(".sw-p").all()
        shown = [float(cell.get_attribute("data-value") or "nan") for cell in cells]
        assert shown == kind(**state).probabilities.tolist()
        for cell, p in zip(cells, shown, strict=True):
            bar, fill = cell.locator(".sw-bar").bounding_box(), cell.locator(".sw-bar > span").bounding_box()
            assert bar is not None
            assert fill is not None
            assert fill["width"] == pytest.approx(p * bar["width"], abs=1)


def test_the_quiz_opens_without_a_script(visit, served):
    page = visit(served, java_script_enabled=False)
    page.get_by_text("stay", exact=True).click()
    expect(page.get_by_text("The factor cancels.")).to_be_visible()
    expect(page.get_by_text("Only against the others.")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_overflows(visit, served, width):
    page = visit(served, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#logit-explorer-2").get_by_role("slider", name="shift all").press("End")
    first(page, "layer").get_by_role("spinbutton", name="bias of dog").fill("-123456.75")
    first(page, "jacobian").get_by_role("spinbutton", name="logit of dog").fill("-12.3456789")
    page.locator("#precision-lab-1").get_by_role("slider", name="scale all").press("End")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = "els => els.filter(e => Math.min(e.offsetWidth, e.offsetHeight) < 24).map(e => e.outerHTML)"
    assert page.locator(".softmax-widget :is(button, input, select)").evaluate_all(small) == []


LABELS = "labels=elephant,mongoose,tortoise,squirrel"
CUT = """w => [...w.querySelectorAll("table[class] :is(th, td)")].filter(cell => {
    const contents = document.createRange();
    contents.selectNodeContents(cell);
    const [inner, outer] = [contents, cell].map(box => box.getBoundingClientRect());
    const name = cell.querySelector(".sw-name") ?? cell;
    return inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5 || name.scrollWidth > name.clientWidth;
}).map(cell => cell.textContent)"""
CUT_NUMBERS = """w => [...w.querySelectorAll("td, td span")].filter(
    box => box.clientWidth && box.scrollWidth > box.clientWidth).map(box => box.textContent)"""
LINES = """w => [...w.querySelectorAll("tbody .sw-name")].map(
    name => Math.round(name.offsetHeight / parseFloat(getComputedStyle(name).lineHeight)))"""


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_no_label_and_no_number_is_cut(visit, served, width):
    page = visit(f"{served}#jacobian-explorer-1?{LABELS}&nudge=-0.001", width=width)
    page.evaluate(f"location.hash = 'precision-lab-1?{LABELS}&logits=5.5,-7.25,11.1,11&shift=-20&scale=1.3'")
    expect(page.locator("#precision-lab-1")).to_contain_text("mongoose")
    matrix = first(page, "jacobian").locator(".sw-scroll")
    assert matrix.evaluate("m => m.scrollWidth <= m.clientWidth")
    for name in ("jacobian-explorer-1", "precision-lab-1"):
        widget = page.locator(f"#{name}")
        assert widget.evaluate(CUT) == []
        assert set(widget.evaluate(LINES)) == {1}
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("name", WITH_LAYER)
def test_no_number_of_a_layer_is_cut(visit, address, name, width):
    page = visit(address(name), width=width)
    layer = first(page, "layer")
    for i, end in enumerate(["Home", "End", "Home"], 1):
        layer.get_by_role("slider", name=f"hidden {i}").press(end)
    expect(layer).to_contain_text("1.160e-11")
    assert layer.evaluate(CUT_NUMBERS) == []


@pytest.mark.parametrize("width", [320, 1440])
def test_nothing_but_bars_and_numbers_moves_in_a_drag(visit, served, width):
    page = visit(served, width=width)
    widget = first(page, "logit")
    places = """w => [...w.querySelectorAll("tr, td, th, input, .sw-formula, .sw-note, button")].map(e => {
        const {x, y, width, height} = e.getBoundingClientRect();
        return [x, y, width, height].map(n => Math.round(n + (n === y ? scrollY : 0)));
    })"""
    slider = widget.get_by_role("slider", name="logit of dog")
    slider.focus()
    before = widget.evaluate(places)
    for key in ["PageUp", "PageUp", "ArrowLeft", "End", "Home", "ArrowUp"]:
        slider.press(key)
        assert widget.evaluate(places) == before
    for key in ["End", "Home"]:
        widget.get_by_role("slider", name="shift all").focus()
        before = widget.evaluate(places)
        widget.get_by_role("slider", name="shift all").press(key)
        assert widget.evaluate(places) == before


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_stays_put_when_the_script_comes_late(visit, served, width):
    watch = """window.shift = 0; new PerformanceObserver(list => {
        for (const entry of list.getEntries()) shift += entry.value;
    }).observe({type: "layout-shift", buffered: true})"""
    page = visit("about:blank", width=width, script=watch)
    late = threading.Event()
    page.route("**/page.js", lambda route: (page.wait_for_timeout(500), late.set(), route.continue_()))
    page.goto(served)
    expect(first(page, "logit").get_by_role("slider").first).to_be_visible()
    page.wait_for_function("new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true))))")
    assert late.is_set()
    assert page.evaluate("shift") <= 0.02


# What a reader sees: the state of the controls, and all else. What is only spoken comes after a pause.
SEEN = """w => [
    [...w.querySelectorAll("input, select")].map(control => control.value),
    [...w.querySelectorAll(".sw > :not([role=status])")].map(part => part.outerHTML),
]"""
# The notebook's home, on a kernel that never answers.
IN_A_NOTEBOOK = """async old => {
    const {default: {render}} = await import("./widgets.js");
    const state = JSON.parse(old.dataset.state), listeners = new EventTarget();
    const values = {...state, _component: old.dataset.widget, _stored: state};
    const el = Object.assign(document.createElement("div"), {id: old.id});
    old.replaceWith(el);
    render({el, model: {
        get: name => values[name],
        set: (name, value) => { values[name] = value; listeners.dispatchEvent(new Event(`change:${name}`)); },
        save_changes() {},
        on: (event, listener) => listeners.addEventListener(event, listener),
        off: (event, listener) => listeners.removeEventListener(event, listener),
    }});
}"""
INPUTS = {
    "logit-explorer-1": [("logit of dog", "-3"), ("temperature", "2"), ("shift all", "7")],
    "layer-explorer-1": [("hidden 2", "-3"), ("bias of none", "4"), ("weight of dog on hidden 1", "-1")],
    "jacobian-explorer-1": [("logit of dog", "-3"), ("nudge", "2"), ("∂p(tiger)/∂z(dog)", None)],
    "jacobian-explorer-2": [("logit of a label of 24 chars, 000", "2"), ("nudge", "-2")],
    "precision-lab-1": [("logit of cat", "-3"), ("shift all", "-60"), ("scale all", "4"), ("format", "float32")],
    "quiz-1": [("grow", None)],
}


@pytest.mark.parametrize("home", ["page", "notebook"])
@pytest.mark.parametrize("name", INPUTS)
def test_it_follows_within_a_frame(visit, served, name, home):
    """On a clock that only the test moves: one frame after an input all is there, and nothing comes later."""
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(served)
    widget = page.locator(f"#{name}")
    if home == "notebook":
        widget.evaluate(IN_A_NOTEBOOK)
    page.clock.pause_at("2026-01-02T00:00")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for control_name, value in INPUTS[name]:
        roles = ("button",) if value is None else ("slider", "spinbutton", "combobox")
        for control in (found for role in roles for found in widget.get_by_role(role, name=control_name).all()):
            _, before = widget.evaluate(SEEN)
            if value is None:
                control.click()
            elif control.evaluate("c => c.tagName") == "SELECT":
                control.select_option(value)
            else:
                control.fill(value)
                value = str(float(value) + 0.5)
            page.clock.run_for(16)
            at_once = widget.evaluate(SEEN)
            page.clock.run_for(10_000)
            assert at_once[1] != before
            assert at_once == widget.evaluate(SEEN)
    assert requests == []


# --- how it looks


CONTRASTS = """() => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
    const light = colour => {
        canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    return [...document.querySelectorAll("table:not(.sw-verdicts) tbody tr")].map(row => {
        const fill = light(getComputedStyle(row.querySelector("th")).borderLeftColor);
        const paper = light(getComputedStyle(row.closest(".sw")).backgroundColor);
        return Math.max(fill, paper) / Math.min(fill, paper);
    });
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bars_stand_out_by_3_to_1(visit, served, theme):
    page = visit(served)
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 12
    assert min(contrasts) >= 3


SLOPE_CONTRASTS = (
    CONTRASTS.replace("table:not(.sw-verdicts) tbody tr", ".sw-heat")
    .replace(
        'light(getComputedStyle(row.querySelector("th")).borderLeftColor)',
        "light(getComputedStyle(row.firstChild).color)",
    )
    .replace('row.closest(".sw")', "row")
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_slopes_are_readable_on_their_colours(visit, served, theme):
    page = visit(served)
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    # Two equal logits have the strongest colours: slopes of a quarter, up and down.
    page.evaluate("location.hash = '#jacobian-explorer-1?logits=0,0,-99,-99'")
    expect(first(page, "jacobian").get_by_role("button", name="∂p(cat)/∂z(dog) = −0.2500")).to_be_visible()
    contrasts = page.evaluate(SLOPE_CONTRASTS)
    assert len(contrasts) > 100
    print(theme, min(contrasts))
    assert min(contrasts) >= 4.5
    fills = (
        first(page, "jacobian")
        .locator(".sw-heat")
        .evaluate_all("cells => cells.map(c => getComputedStyle(c).backgroundColor)")
    )
    assert len({fills[0], fills[1], fills[2]}) == 3
    assert fills[0] == fills[5]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(visit, served, width, theme):
    page = visit(served, width=width, reduced_motion="reduce")
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    page.locator("#quiz-1").get_by_role("button", name="grow").click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []


def test_it_prints_as_it_stands(visit, served):
    page = visit(served)
    widget = first(page, "logit")
    widget.get_by_role("slider", name="logit of cat").press("End")
    page.emulate_media(media="print")
    expect(widget.get_by_role("table")).to_be_visible()
    assert widget.get_by_role("button", name="Reset").is_hidden()
    assert widget.locator("[data-value]").first.inner_text() == "0.9993"
