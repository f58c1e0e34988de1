"""Attention and a softmax read once, in a real browser: rows, switches and steps, by mouse, finger and keys."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from softmax_lib.widgets import AttentionExplorer, OnlineStepper
from tests.site.gallery import (
    HOSTILE,
    SCORES,
    TOKENS,
    Finger,
    first,
    first_frame,
    middle_of,
    probabilities,
    pull,
    values,
)
from tests.site.test_interactives import HOSTILE_FRAGMENTS, IN_A_NOTEBOOK

KINDS = ("AttentionExplorer", "OnlineStepper")
STEPPER = ([1.2, 0.4, 2.6, 0.8, 1.8], [2.0, 4.0, 7.0, 1.0, 9.0])
ROW = 4


def weights(widget: Locator) -> np.ndarray:
    shown = values(widget.locator(".sw-hidden td"))
    return np.reshape(shown, (-1, round(len(shown) ** 0.5)))


def row_of(widget: Locator) -> list[float]:
    return [float(box.input_value()) for box in widget.get_by_role("spinbutton", name="score of").all()]


def assert_attends(widget: Locator, scores=SCORES, *, tokens: int = 6, **state) -> AttentionExplorer:
    """Weights, strips and formula are those of Python's widget in this state."""
    ours = AttentionExplorer(scores, **state)
    np.testing.assert_allclose(weights(widget), ours.weights, rtol=1e-14, atol=0)
    seen = ours.query + 1 if ours.causal else tokens
    assert row_of(widget) == ours.scores[ours.query][:seen]
    strips = widget.locator("rect.sw-part").evaluate_all("bars => bars.map(bar => bar.width.baseVal.value)")
    mask = np.tri(tokens, dtype=bool) if ours.causal else np.ones((tokens, tokens), dtype=bool)
    whole = widget.locator("rect.sw-outline").evaluate("bar => bar.width.baseVal.value") + 1
    np.testing.assert_allclose(np.array(strips) / whole, ours.weights[mask], atol=0.005)
    return ours


def read(widget: Locator) -> dict[str, np.ndarray]:
    """What the hidden table says: with all digits, a row for each score that has been read."""
    cells = values(widget.locator(".sw-hidden td[data-value]"))
    return dict(zip(("weight", "m", "s", "output"), np.reshape(cells, (-1, 4)).T, strict=True))


def assert_reads(widget: Locator, step: int, scores=STEPPER[0]) -> OnlineStepper:
    ours = OnlineStepper(scores, STEPPER[1], step=step)
    known = read(widget)
    np.testing.assert_allclose(known["weight"], ours.weights, rtol=1e-15)
    assert (known["m"][-1], known["s"][-1]) == pytest.approx(ours.normalizer, rel=1e-14)
    assert known["output"][-1] == pytest.approx(ours.output, rel=1e-14)
    shown = float(widget.locator(".sw-formula .sw-marked").last.inner_text())
    assert shown == pytest.approx(ours.output, abs=0.005)
    return ours


def attention(page) -> Locator:
    return first(page, "attention")


def stepper(page, number: int = 1) -> Locator:
    return page.locator(f"#online-stepper-{number}")


# --- attention


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_a_pulled_score_moves_its_row_and_no_other(visit, served, width):
    page = visit(served, width=width)
    widget = attention(page)
    assert_attends(widget, query=ROW)
    axis = widget.locator(".sw-grid").evaluate_all("lines => lines.map(line => line.getAttribute('d'))")
    for dx in (-30, 15, -2000):
        pull(page, widget.get_by_role("slider", name="score of cat"), dx)
        row = row_of(widget)
        assert row[1] == round(row[1], 1) < 11.2
        assert_attends(widget, [*SCORES[:ROW], row, SCORES[5]], query=ROW)
    assert row_of(widget)[1] == -11  # the end of the axis, which stays where it is
    assert widget.locator(".sw-grid").evaluate_all("lines => lines.map(line => line.getAttribute('d'))") == axis
    widget.get_by_role("button", name="Reset").click()
    assert_attends(widget, query=ROW)


def test_both_switches_and_what_is_said_of_them(visit, served):
    page = visit(served)
    widget = attention(page)
    scale, mask = (widget.get_by_role("button", name=name) for name in ("÷ √16", "causal mask"))
    note = widget.locator(".sw-note")
    expect(note).to_have_text("“it” gives most to “cat”, 60\u2009%; without ÷ 4 it would be 99.7\u2009%.")
    heights = [widget.evaluate("w => w.offsetHeight")]
    for button, state in [
        (scale, {"scaled": False}),
        (mask, {"scaled": False, "causal": True}),
        (scale, {"causal": True}),
    ]:
        button.click()
        assert_attends(widget, query=ROW, **state)
        for each, on in ((scale, state.get("scaled", True)), (mask, state.get("causal", False))):
            expect(each).to_have_attribute("aria-pressed", str(on).lower())
        heights.append(widget.evaluate("w => w.offsetHeight"))
    expect(note).to_contain_text("The mask hides what comes after “it”: exactly 0")
    expect(widget.locator("svg")).to_contain_text("masked")
    assert max(heights) - min(heights) <= 40  # a formula with fewer terms may be a line shorter
    widget.get_by_role("radio", name="the").first.check(force=True)
    assert_attends(widget, causal=True)
    assert widget.get_by_role("slider").count() == 1
    expect(widget.locator(".sw-formula")).to_have_attribute("aria-label", re.compile(r"= 4\.48 / 4\.48 = 100\s%$"))


@pytest.mark.parametrize("width", [390, 1440])
def test_a_press_on_a_cell_or_a_share_selects_its_query_and_key(visit, served, width):
    page = visit(served, width=width)
    widget = attention(page)
    for row, column in ((0, 5), (3, 2)):
        page.mouse.click(*middle_of(widget.locator(f"[data-tap='{row} {column}'] rect").first))
        assert_attends(widget, query=row)
        expect(widget.get_by_role("radio", name=TOKENS[row]).first).to_be_checked()
        expect(widget.locator(".sw-formula")).to_have_attribute(
            "aria-label", re.compile(f"^share of {TOKENS[column]} ")
        )
    page.mouse.click(*middle_of(widget.locator("[data-tap='1 1'] rect.sw-part")))
    assert_attends(widget, query=1)


def test_keys_and_numbers_that_are_typed(visit, served):
    page = visit(served)
    widget = attention(page)
    slider = widget.get_by_role("slider", name="score of it")
    score = 5.2
    for key, step in [("ArrowRight", 0.1), ("ArrowDown", -0.1), ("PageUp", 1), ("PageDown", -1), ("ArrowUp", 0.1)]:
        slider.press(key)
        score += step
        assert row_of(widget)[ROW] == pytest.approx(score)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^it: score 5\.3, weight \d+\s%$"))
    slider.press("End")
    assert row_of(widget)[ROW] == 11
    box = widget.get_by_role("spinbutton", name="score of the")
    box.fill("-1e300")
    box.blur()
    row = row_of(widget)
    assert row[0] == -1e6
    assert_attends(widget, [*SCORES[:ROW], row, SCORES[5]], query=ROW)
    assert not re.search("NaN|Infinity", widget.locator("svg").evaluate("svg => svg.innerHTML"))
    radio = widget.get_by_role("radiogroup", name="query").get_by_role("radio", name="it")
    radio.press("ArrowDown")
    expect(widget.locator("svg")).to_contain_text("Scores of slept")


def test_a_link_restores_it_and_a_hostile_one_gives_a_valid_widget(visit, served):
    page = visit(f"{served}#attention-explorer-1?dimension=64&causal=true&query=2&key=1&scores=1,2,3;4,5,6;7,8,9.5")
    widget = attention(page)
    state = {"dimension": 64, "causal": True, "query": 2, "tokens": 3}
    assert_attends(widget, [[1, 2, 3], [4, 5, 6], [7, 8, 9.5]], **state)
    hostile = "scores=1e999,NaN;,;x&dimension=-1&scaled=<img>&query=99&key=-9"
    for fragment in [*HOSTILE_FRAGMENTS.values(), hostile]:
        page.evaluate("hash => { location.hash = hash; }", f"attention-explorer-1?{fragment}")
        found = weights(widget)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        assert 1 <= len(found) <= 8
    assert page.locator("img, iframe, main script").count() == 0
    expect(page.locator("#attention-explorer-4").get_by_role("slider", name=f"score of {HOSTILE}")).to_be_visible()


# --- a softmax read once


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_steps_lead_to_softmax_and_only_a_new_maximum_rescales(visit, served, width):
    page = visit(served, width=width, reduced_motion="reduce")
    widget = stepper(page)
    heights = {widget.evaluate("w => w.offsetHeight")}
    button, note = widget.get_by_role("button", name="Step"), widget.locator(".sw-note")
    assert_reads(widget, 2)
    expect(note).to_have_text("The maximum stays 1.2: nothing is rescaled.")
    button.click()
    assert_reads(widget, 3)
    expect(note).to_have_text("“sat” is a new maximum: all sums so far are multiplied by 0.25.")
    for step in (4, 5):
        button.click()
        ours = assert_reads(widget, step)
        heights.add(widget.evaluate("w => w.offsetHeight"))
    expect(note).to_contain_text("All is read: these are softmax’s weights.")
    bricks = widget.locator("svg .sw-clipped > rect:not(.sw-outline)").evaluate_all(
        "all => all.map(b => Math.min(b.width.baseVal.value, b.height.baseVal.value))"
    )
    tall = 24 * np.exp(np.array(ours.scores) - 2.6)
    np.testing.assert_allclose(bricks, tall, atol=0.02)
    expect(button).to_have_attribute("aria-disabled", "true")
    button.press("Enter")
    assert_reads(widget, 5)
    widget.get_by_role("button", name="Start again").click()
    assert_reads(widget, 1)
    assert len(heights) == 1


def test_on_the_way_to_a_new_maximum_the_old_bricks_shrink(visit, served):
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(served)
    widget = stepper(page)
    page.clock.pause_at("2026-01-02T00:00")
    bricks = widget.locator("svg .sw-clipped > rect:not(.sw-outline)")
    heights = "all => all.map(brick => brick.height.baseVal.value)"
    before = bricks.evaluate_all(heights)
    widget.get_by_role("button", name="Step").click()
    page.clock.run_for(225)
    between = bricks.evaluate_all(heights)
    page.clock.run_for(500)
    after = bricks.evaluate_all(heights)
    for i, factor in ((0, 1.2 - 2.6), (1, 1.2 - 2.6)):
        assert before[i] > between[i] > after[i]
        assert after[i] / before[i] == pytest.approx(np.exp(factor), abs=0.01)
    assert between[2] == after[2] == 24
    assert_reads(widget, 3)


@pytest.mark.parametrize("width", [390, 1440])
def test_a_score_is_pulled_and_a_name_or_a_brick_takes_the_reader_there(visit, served, width):
    page = visit(served, width=width)
    widget = stepper(page)
    pull(page, widget.get_by_role("slider", name="score of cat"), 25)
    row = row_of(widget)
    assert row[1] > 1.2
    assert_reads(widget, 2, row)
    widget.get_by_title("it", exact=True).click()
    assert_reads(widget, 5, row)
    page.mouse.click(*middle_of(widget.locator("rect[data-tap='2']").last))
    assert_reads(widget, 3, row)
    slider = widget.get_by_role("slider", name="score of it")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "it: score 5.0, not read yet")
    widget.get_by_title("it", exact=True).click()
    assert_reads(widget, 5, [*row[:4], 5])
    said = widget.get_by_role("status").first
    expect(said).to_have_text(re.compile(r"^m 5\.0, s 1\.\d+, output \d\.\d+\. “it” is a new maximum"))


def test_far_scores_and_equal_values_have_a_picture(visit, served):
    page = visit(served)
    for number in (2, 3, 4):
        widget = stepper(page, number)
        assert not re.search("NaN|Infinity|undefined", widget.evaluate("w => w.innerHTML"))
    known = read(stepper(page, 4))
    assert known["m"].tolist() == [-700, 700, 700]
    assert known["s"].tolist() == [1, 1, 1]


def test_a_link_restores_the_step_and_a_hostile_one_gives_a_valid_widget(visit, served):
    page = visit(f"{served}#online-stepper-1?step=4")
    widget = stepper(page)
    assert_reads(widget, 4)
    for fragment in [*HOSTILE_FRAGMENTS.values(), "step=99&scores=NaN,1e999&values=-1e999,x", "step=-1&scores=1"]:
        page.evaluate("hash => { location.hash = hash; }", f"online-stepper-1?{fragment}")
        assert read(widget)["weight"].sum() == pytest.approx(1)
        assert len(widget.get_by_role("slider").all()) <= 12
    assert page.locator("img, iframe, main script").count() == 0


# --- both


@pytest.mark.parametrize("width", [320, 390])
def test_a_finger_scrolls_wherever_it_begins_and_drags_sideways(visit, served, width):
    page = visit(served, width=width, has_touch=True)
    finger = Finger(page)
    for widget, grip in ((attention(page), "logit 1"), (stepper(page), "logit 1")):
        state = row_of(widget)
        for selector in ("[data-tap]", f"g[data-grip='{grip}']", ".sw-rail, rect.sw-part"):
            x, y = middle_of(widget.locator(f".sw-stage {selector}").first)
            scrolled = page.evaluate("scrollY")
            finger.swipe(x, y, 3, -120)
            assert page.evaluate("scrollY") != scrolled, selector
            assert row_of(widget) == state
        finger.swipe(*middle_of(widget.locator(f"g[data-grip='{grip}']")), 25, 3)
        assert row_of(widget)[1] != state[1]


def test_a_touch_that_the_browser_takes_back_leaves_all_as_it_was(visit, served):
    page = visit(served, width=390, has_touch=True)
    finger = Finger(page)
    for widget in (attention(page), stepper(page)):
        state = row_of(widget)
        x, y = middle_of(widget.locator("g[data-grip='logit 2']"))
        finger.send("touchStart", (x, y))
        for k in range(1, 6):
            finger.send("touchMove", (x + 6 * k, y))
            page.wait_for_timeout(16)
        assert row_of(widget) != state
        finger.send("touchCancel")
        expect(widget.get_by_role("spinbutton", name="score of sat")).to_have_value(re.compile(f"^{state[2]}0?$"))
        assert row_of(widget) == state


def test_it_lives_in_a_notebook(visit, served):
    page = visit(served, reduced_motion="reduce")
    for name in ("attention-explorer-1", "online-stepper-1"):
        page.locator(f"#{name}").evaluate(IN_A_NOTEBOOK)
    attention(page).get_by_role("button", name="causal mask").click()
    assert_attends(attention(page), query=ROW, causal=True)
    stepper(page).get_by_role("button", name="Step").click()
    assert_reads(stepper(page), 3)


def test_a_screen_reader_meets_names_tables_and_one_live_line(visit, served):
    page = visit(served)
    widget = attention(page)
    expect(widget.get_by_role("group", name="attention")).to_be_visible()
    expect(widget.get_by_role("table")).to_have_accessible_name("Weights of each query, ÷ 4")
    widget.get_by_role("slider", name="score of cat").press("ArrowLeft")
    expect(widget.get_by_role("status").first).to_have_text(re.compile(r"^it: the 4\.\d\s%, cat \d+\s%, sat"))
    widget = stepper(page)
    expect(widget.get_by_role("group", name="softmax in one pass")).to_be_visible()
    expect(widget.get_by_role("table")).to_have_accessible_name("After 2 of 5: m 1.2, s 1.45, output 2.62")


@pytest.mark.parametrize("width", [390, 1440])
def test_first_frames_have_the_numbers_and_nothing_to_press(visit, served, width):
    page = visit(served, width=width)
    for widget in page.locator(".softmax-widget").all():
        shown, live = values(widget.locator("[data-value]")), widget.evaluate("w => w.offsetHeight")
        widget.evaluate("(w, html) => { w.innerHTML = html; }", first_frame(widget))
        frame = next(each for each in widget.locator(".sw-still").all() if each.is_visible())
        assert widget.evaluate("w => w.offsetHeight") == pytest.approx(live, abs=2)
        assert widget.locator("button, input, [data-grip]").count() == 0
        assert not re.search("[Dd]rag", frame.locator("svg").inner_html())
        assert values(frame.locator("[data-value]")) == pytest.approx(shown, rel=1e-15)


def test_without_a_script_the_numbers_are_there(visit, served):
    page = visit(served, java_script_enabled=False)
    found = probabilities(page.locator("[data-widget=AttentionExplorer]").first)
    assert found == AttentionExplorer(SCORES).weights.ravel().tolist()
    assert (
        probabilities(page.locator("[data-widget=OnlineStepper]").first)
        == OnlineStepper(*STEPPER, step=2).weights.tolist()
    )
