"""The last layer as a network, in a real browser: nodes, edges, the decision, and the task."""

import math
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from softmax_lib import softmax
from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS
from softmax_lib.widgets import LayerExplorer
from tests.site.gallery import WITH_LAYER, first, probabilities

KINDS = ("LayerExplorer",)

CUT_NUMBERS = """w => [...w.querySelectorAll(".sw-stage input[type=number], .sw-product input")].filter(
    box => box.scrollWidth > box.clientWidth).map(box => box.value)"""
CUT_TEXTS = """w => {
    const outer = w.querySelector("svg").getBoundingClientRect();
    return [...w.querySelectorAll("svg text")].filter(text => {
        const {left, right, top, bottom} = text.getBoundingClientRect();
        return left < outer.left - 1 || right > outer.right + 1 || top < outer.top - 1 || bottom > outer.bottom + 1;
    }).map(text => text.textContent);
}"""


def hidden_of(widget: Locator) -> list[float]:
    return [float(box.input_value()) for box in widget.get_by_role("spinbutton", name=re.compile("^hidden")).all()]


def pull(page: Page, widget: Locator, j: int, by: float) -> None:
    """Drags node `j` sideways by this many pixels."""
    widget.scroll_into_view_if_needed()
    box = widget.locator(f'[data-grip="hidden {j}"]').bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by, y, steps=5)
    page.mouse.up()


def select(widget: Locator, label: str) -> None:
    widget.locator(".sw-chip label", has_text=label).click()


def assert_agrees_with_python(widget: Locator, layer: LayerExplorer) -> None:
    for ours, theirs in zip(layer.probabilities.tolist(), probabilities(widget), strict=True):
        assert abs(ours - theirs) <= 2 * math.ulp(max(ours, theirs))


@pytest.mark.parametrize("name", WITH_LAYER)
def test_the_layer_multiplies_out_and_decides(visit, address, name):
    page = visit(address(name))
    widget = first(page, "layer")
    assert probabilities(widget) == softmax(ANIMAL_LOGITS).tolist()
    product = widget.locator(".sw-product")
    expect(product).to_have_accessible_name("z(dog) = 0·1.5 + 0.5·0.5 + 1·2 + 0.19 = 2.44")
    expect(widget.locator(".sw-formula").last).to_have_accessible_name(re.compile(r"^share of dog = .* = 63\s%$"))
    expect(widget.locator("svg")).to_contain_text(re.compile(r"decision: dog 63\s%"))
    before = hidden_of(widget)
    pull(page, widget, 2, -53)
    hidden = hidden_of(widget)
    assert hidden[:2] == before[:2]
    assert hidden[2] == pytest.approx(-3, abs=0.6)
    widget.get_by_role("spinbutton", name="weight of dog on hidden 2").fill("-1.5")
    widget.get_by_role("spinbutton", name="bias of none").fill("1")
    weights = [list(row) for row in ANIMALS.weights]
    weights[1][1] = -1.5
    assert_agrees_with_python(widget, LayerExplorer(hidden, weights, [*ANIMALS.bias[:3], 1.0], ANIMALS.labels))


def test_keys_move_a_node(visit, served):
    widget = first(visit(served), "layer")
    slider = widget.get_by_role("slider", name="hidden 2")
    value = 0.5
    for key, step in [("ArrowRight", 0.1), ("ArrowDown", -0.1), ("PageUp", 1), ("PageDown", -1)]:
        slider.press(key)
        value += step
        assert hidden_of(widget) == pytest.approx([1.5, value, 2])
    expect(slider).to_have_attribute("aria-valuetext", "hidden 2: 0.5. Decision: dog")
    for key, end in [("Home", -5), ("End", 5)]:
        slider.press(key)
        assert hidden_of(widget) == [1.5, end, 2]
        assert_agrees_with_python(widget, LayerExplorer((1.5, end, 2), ANIMALS.weights, ANIMALS.bias))


def test_edges_are_as_thick_as_what_flows_through_and_dashed_where_it_is_negative(visit, served):
    widget = first(visit(served), "layer")
    edges = widget.locator("svg path[stroke-width]")
    lines = """paths => paths.map(p => [p.parentElement.dataset.tap, Number(p.getAttribute("stroke-width")),
        p.hasAttribute("stroke-dasharray")])"""
    for hidden in (ANIMALS.hidden, (-1.5, 0.5, 2.0)):
        widget.get_by_role("spinbutton", name="hidden 1", exact=True).fill(str(hidden[0]))
        drawn: dict[str, list[tuple[float, bool]]] = {}
        for of, thickness, dashed in edges.evaluate_all(lines):
            drawn.setdefault(of, []).append((thickness, dashed))
        for i, row in enumerate(ANIMALS.weights):
            products = [w * h for w, h in zip(row, hidden, strict=True)]
            assert drawn[str(i)] == [(max(4 * abs(p), 0.9), p < 0) for p in products]


def test_a_name_or_a_node_selects_the_class_whose_weights_can_be_typed(visit, served):
    page = visit(served)
    widget = first(page, "layer")
    weights = widget.get_by_role("spinbutton", name="weight of")
    assert [box.input_value() for box in weights.all()] == ["0", "0.5", "1"]
    select(widget, "tiger")
    expect(widget.get_by_role("radio", name="tiger")).to_be_checked()
    assert [box.input_value() for box in weights.all()] == ["-0.5", "0.5", "0.5"]
    expect(widget.locator(".sw-product")).to_have_accessible_name(re.compile(r"^z\(tiger\) = \(−0.5\)·1.5 \+"))
    widget.locator('svg g[data-tap="3"] > circle').nth(1).click()
    expect(widget.get_by_role("radio", name="none")).to_be_checked()
    assert [box.input_value() for box in weights.all()] == ["0", "1.5", "-0.5"]


def test_make_it_a_tiger_and_then_with_one_weight(visit, served):
    page = visit(served)
    widget = first(page, "layer")
    task, spoken = widget.locator(".sw-task"), widget.get_by_role("status").first
    expect(task).to_have_text("Drag the hidden nodes until the network says tiger.")
    widget.get_by_role("slider", name="hidden 1").press("Home")
    widget.get_by_role("slider", name="hidden 3").press("PageDown")
    expect(task).to_have_text(
        re.compile(r"^✓ The network says tiger, 85\s%. Now with one weight only: press Reset, then change one weight.$")
    )
    expect(spoken).to_contain_text("Done: The network says tiger")
    widget.get_by_role("button", name="Reset").click()
    expect(task).to_have_text("Now with one weight only: change it until the network says tiger.")
    select(widget, "tiger")
    box = widget.get_by_role("spinbutton", name="weight of tiger on hidden 1")
    box.fill("0.5")
    expect(task).to_have_text("Now with one weight only: change it until the network says tiger.")
    widget.get_by_role("spinbutton", name="weight of tiger on hidden 3").fill("2")
    expect(task).to_have_text(
        "The network says tiger, with 2 numbers changed. Now with one weight only: press Reset, then change one weight."
    )
    box.fill("-0.5")
    expect(task).to_have_text(re.compile(r"^✓ One weight was enough: the network says tiger, \d\d\s%\.$"))


def test_without_a_wanted_class_there_is_no_task(visit, served):
    expect(visit(served).locator("#layer-explorer-2 .sw-task")).to_have_count(0)


def test_a_link_carries_the_whole_layer(visit, served):
    page = visit(served, permissions=("clipboard-read", "clipboard-write"))
    widget = first(page, "layer")
    select(widget, "none")
    widget.get_by_role("spinbutton", name="weight of none on hidden 3").fill("1.25")
    widget.get_by_role("slider", name="hidden 1").press("ArrowLeft")
    moved = probabilities(widget)
    widget.get_by_role("button", name="Copy link").click()
    expect(widget.get_by_text("✓ Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("?hidden=1.4,0.5,2&weights=1,0.5,-0.5;0,0.5,1;-0.5,0.5,0.5;0,1.5,1.25&selected=3")
    other = first(visit(link), "layer")
    assert probabilities(other) == moved
    expect(other.get_by_role("radio", name="none")).to_be_checked()


@pytest.mark.parametrize(
    "fragment",
    [
        "hidden=NaN,1e999,&weights=;;x,y&bias=",
        f"hidden={'9,' * 999}&weights={'1;' * 999}",
        "selected=99&wanted=-1&hidden=1e308",
    ],
)
def test_a_hostile_link_gives_a_valid_layer(visit, served, fragment):
    page = visit(f"{served}#layer-explorer-1?{fragment}&labels=<img src=x onerror=1>")
    widget = first(page, "layer")
    for _ in range(2):
        assert 1 <= len(probabilities(widget)) <= 12
        assert sum(probabilities(widget)) == pytest.approx(1)
        assert widget.locator("svg").evaluate("s => s.outerHTML").find("NaN") == -1
        widget.get_by_role("slider").first.press("ArrowRight")
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("name", WITH_LAYER)
def test_no_number_of_a_layer_is_cut(visit, address, name, width):
    page = visit(address(name), width=width)
    layer = first(page, "layer")
    for i, end in enumerate(["Home", "End", "Home"], 1):
        layer.get_by_role("slider", name=f"hidden {i}").press(end)
        assert layer.evaluate(CUT_NUMBERS) == []
        assert layer.evaluate(CUT_TEXTS) == []
    expect(layer.locator("[data-value]").nth(1)).to_have_text(re.compile("under 0.1"))


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_moves_while_a_node_does(visit, served, width):
    widget = first(visit(served, width=width), "layer")
    places = """w => [...w.querySelectorAll(".sw-box, .sw-formula, .sw-task, .sw-actions, .sw-chip")].map(e => {
        const {x, y} = e.getBoundingClientRect();
        return [x, y - w.getBoundingClientRect().y].map(Math.round);
    })"""
    in_stage = f"w => ({places})(w.querySelector('.sw-stage'))"
    tops = "w => [...w.querySelectorAll('.sw > *')].map(e => Math.round(e.offsetTop))"
    before = widget.evaluate(in_stage), widget.evaluate(tops)
    for i, key in [(1, "Home"), (2, "Home"), (3, "PageDown"), (3, "Home"), (1, "End")]:
        widget.get_by_role("slider", name=f"hidden {i}").press(key)
        assert (widget.evaluate(in_stage), widget.evaluate(tops)) == before


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_the_whole_layer_on_one_screen(visit, served, width):
    assert first(visit(served, width=width), "layer").evaluate("w => w.offsetHeight") <= 844


def test_a_finger_that_moves_down_changes_nothing_and_one_that_moves_sideways_does(visit, served):
    page = visit(served, width=390, has_touch=True)
    widget = first(page, "layer")
    widget.scroll_into_view_if_needed()
    assert widget.locator(".sw-stage").evaluate("s => getComputedStyle(s).touchAction") == "pan-y"
    box = widget.locator('[data-grip="hidden 1"]').bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for (dx, dy), moved in [((3, 120), False), ((16, 2), True)]:
        before = hidden_of(widget)
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for k in range(1, 6):
            point = {"x": x + dx * k / 5, "y": y + dy * k / 5}
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(100)
        assert (hidden_of(widget) != before) == moved
        box = widget.locator('[data-grip="hidden 1"]').bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
