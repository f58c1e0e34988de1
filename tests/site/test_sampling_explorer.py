"""The next word in a real browser: shares, cuts and draws are Python's, and dots fall where they were drawn."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from softmax_lib.widgets import SamplingExplorer
from tests.site.gallery import GALLERY, Finger, first, first_frame, middle_of, pull, values
from tests.site.test_interactives import HOSTILE_FRAGMENTS, HOSTILE_SETTINGS

KINDS = ("SamplingExplorer",)
CAT, MANY, THREE = (each for each in GALLERY if isinstance(each, SamplingExplorer))
WORDS = list(CAT.prompts[0].words)


def like(widget: SamplingExplorer, **changes) -> SamplingExplorer:
    state = widget.get_state([*widget._fields]) | changes
    return SamplingExplorer(**state)


def slider(widget: Locator, name: str) -> Locator:
    return widget.get_by_role("slider", name=name, exact=True)


def button(widget: Locator, name: str) -> Locator:
    return widget.get_by_role("button", name=name, exact=True)


def shown_settings(widget: Locator) -> dict:
    """What the controls, and the line under them, say."""
    note = re.match(r"(\d+) draws? from seed (\d+);", widget.locator(".sw-note").inner_text())
    assert note
    k = re.match(r"top-k (\w+):", slider(widget, "top-k").get_attribute("aria-valuetext") or "")
    assert k
    return {
        "temperature": float(widget.get_by_role("spinbutton", name="temperature").input_value()),
        "top_p": float(slider(widget, "top-p").input_value()),
        "top_k": None if k[1] == "off" else int(k[1]),
        "draws": int(note[1]),
        "seed": int(note[2]),
    }


DOTS = """w => [...w.querySelectorAll("svg .sw-draw")].map(
    dot => [Number(dot.getAttribute("cx")), Number(dot.getAttribute("cy"))])"""
PARTS = """w => {
    const rows = Map.groupBy(w.querySelectorAll("svg .sw-part"), part => Number(part.getAttribute("y")));
    return [...rows].sort(([a], [b]) => a - b).map(([, parts]) => parts
        .map(part => [Number(part.getAttribute("x")), Number(part.getAttribute("width"))]).sort(([a], [b]) => a - b));
}"""
EXPECTED = """w => [...w.querySelectorAll("svg .sw-expected")].map(box => Number(box.getAttribute("height")))"""


def in_columns(numbers) -> np.ndarray:
    numbers = np.array(numbers)
    return numbers if len(numbers) <= 8 else np.append(numbers[:7], numbers[7:].sum())


def assert_agrees_with_python(widget: Locator, of: SamplingExplorer = CAT, **more) -> SamplingExplorer:
    """The table to 1e-12; strips, outlines, dots and needle stand where its numbers are."""
    ours = like(of, **shown_settings(widget) | more)
    cells = np.reshape(values(widget.locator(".sw-hidden td[data-value]")), (-1, 3))
    np.testing.assert_allclose(cells[:, 0], ours.shares, rtol=1e-12, atol=0)
    np.testing.assert_allclose(cells[:, 1], ours.renormalised, rtol=1e-12, atol=0)
    assert cells[:, 2].tolist() == ours.counts
    width = float(widget.locator("svg").get_attribute("width") or "")
    kept = in_columns(ours.renormalised)
    passed = ours.kept[: len(kept)]
    shares, again = widget.evaluate(PARTS)
    assert sum(length for _, length in shares) == pytest.approx(width, abs=8)
    assert [x for x, _ in again] == pytest.approx((np.cumsum(kept) - kept)[passed] * width, abs=0.02)
    heights = widget.evaluate(EXPECTED)
    pitch = min(10.6 if width >= 600 else 8.2, (width / len(kept) - 3) / (8 if width >= 600 else 5))
    in_a_row = 8 if width >= 600 else 5
    assert heights == pytest.approx(np.maximum(kept[passed] * 100 / in_a_row * pitch, 2), abs=0.02)
    column = width / len(kept)
    counts = in_columns(ours.counts)
    dots = widget.evaluate(DOTS)
    assert np.bincount([int(x / column) for x, _ in dots], minlength=len(kept)).tolist() == counts.tolist()
    words = ours.prompts[ours.prompt].words
    if ours.draws:
        expect(widget.locator(".sw-shown b")).to_have_text(ours.drawn[-1])
        (x,) = re.findall(r"M([\d.]+)", widget.locator(".sw-needle path").first.get_attribute("d") or "")
        number = np.random.Generator(np.random.Philox(key=ours.seed)).random(ours.draws)[-1]
        assert float(x) == pytest.approx(number * width)
        expect(widget.locator(".sw-needle text")).to_have_text(f"{number:.2f}")
    else:
        expect(widget.locator(".sw-shown b")).to_have_text("\u00a0")
        assert widget.locator(".sw-needle").count() == 0
    cut = widget.locator(".sw-word.sw-cut").count()
    assert cut == sum(~passed)
    assert widget.locator("svg").get_by_text("cut", exact=True).count() == cut
    if len(words) <= 8:
        assert widget.locator(".sw-word").all_inner_texts() == list(words)
    return ours


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_each_grip_moves_what_it_says_and_clears_the_draws(visit, served, width):
    page = visit(served, width=width, reduced_motion="reduce")
    widget = first(page, "sampling")
    room = float(widget.locator("svg").get_attribute("width") or "")
    assert assert_agrees_with_python(widget).draws == 37
    pull(page, slider(widget, "top-p"), -0.2 * room)
    ours = assert_agrees_with_python(widget)
    assert (ours.top_p, ours.draws, ours.seed) == (0.8, 0, 7)
    expect(widget.locator("svg")).to_contain_text(f"÷ {ours.shares[ours.kept].sum():.2f} kept")
    expect(widget.locator("svg")).to_contain_text("top-p 0.8")
    button(widget, "Sample").click()
    assert assert_agrees_with_python(widget).draws == 1
    pull(page, slider(widget, "top-k"), -5.4 / 8 * room)
    ours = assert_agrees_with_python(widget)
    assert (ours.top_k, ours.draws, ours.kept.sum()) == (3, 0, 3)
    pull(page, slider(widget, "top-k"), room)
    assert assert_agrees_with_python(widget).top_k is None
    pull(page, slider(widget, "top-p"), room)
    assert assert_agrees_with_python(widget).top_p == 1
    button(widget, "Sample 100").click()
    assert assert_agrees_with_python(widget).draws == 100
    for far, temperature, word in ((room, 4, "hot: rare words gain"), (-room, 0.25, "cold: the likeliest gains")):
        pull(page, slider(widget, "temperature"), far)
        ours = assert_agrees_with_python(widget)
        assert (ours.temperature, ours.draws, ours.seed) == (temperature, 0, 7)
        expect(widget.locator("svg")).to_contain_text(word)
        expect(widget.locator("svg")).to_contain_text(f"at temperature {temperature:g}")
    pull(page, slider(widget, "top-k"), -room)
    ours = assert_agrees_with_python(widget)
    assert (ours.top_k, ours.renormalised[0]) == (1, 1)


def test_the_same_chance_meets_other_shares_and_clear_brings_another(visit, served):
    page = visit(served, reduced_motion="reduce")
    widget = first(page, "sampling")
    for _ in range(3):
        button(widget, "Sample").click()
    assert assert_agrees_with_python(widget).draws == 40
    widget.get_by_role("spinbutton", name="temperature").fill("2")
    button(widget, "Sample 100").click()
    hot = assert_agrees_with_python(widget)
    assert (hot.seed, hot.draws) == (7, 100)
    assert hot.counts != like(CAT, draws=100).counts
    button(widget, "Sample 100").click()
    assert (assert_agrees_with_python(widget).seed, len(widget.evaluate(DOTS))) == (8, 100)
    button(widget, "Sample").click()
    ours = assert_agrees_with_python(widget)
    assert (ours.seed, ours.draws) == (9, 1)
    button(widget, "Clear").click()
    ours = assert_agrees_with_python(widget)
    assert (ours.seed, ours.draws) == (10, 0)
    expect(widget.locator(".sw-note")).to_have_text("0 draws from seed 10; outlines: expected in 100")
    page.evaluate("location.hash = 'sampling-explorer-1?seed=4294967295'")
    expect(widget.locator(".sw-note")).to_contain_text("37 draws from seed 4294967295;")
    button(widget, "Clear").click()
    assert assert_agrees_with_python(widget).seed == 0


def test_a_dot_falls_from_the_needle_and_a_hundred_one_after_the_other(visit, served):
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(f"{served}#sampling-explorer-1?draws=0")
    widget = first(page, "sampling")
    expect(widget.locator(".sw-note")).to_contain_text("0 draws")
    page.clock.pause_at("2026-01-02T00:00")
    button(widget, "Sample").click()
    number = np.random.Generator(np.random.Philox(key=7)).random(1)[0]
    room = float(widget.locator("svg").get_attribute("width") or "")
    expect(widget.locator(".sw-shown b")).to_have_text(like(CAT, draws=1).drawn[0])
    places = []
    for wait in (100, 200, 200, 200):
        page.clock.run_for(wait)
        places += widget.evaluate(DOTS)
    sideways, heights = np.transpose(places)
    assert (np.diff(np.abs(sideways - number * room)) >= 0).all()
    first_way, second_way, _ = np.diff(heights)
    assert second_way > 1.5 * first_way > 0
    assert_agrees_with_python(widget)
    button(widget, "Sample 100").click()
    page.clock.run_for(16)
    begun = len(widget.evaluate(DOTS))
    assert begun <= 1
    page.clock.run_for(22 * 50)
    assert 45 <= len(widget.evaluate(DOTS)) <= 55
    expect(widget.locator(".sw-note")).to_contain_text("100 draws from seed 8")
    slider(widget, "temperature").press("ArrowRight")
    assert widget.evaluate(DOTS) == []
    page.clock.run_for(5000)
    assert assert_agrees_with_python(widget).draws == 0


def test_where_less_motion_is_wanted_all_dots_lie_at_once(visit, served):
    widget = first(visit(served, reduced_motion="reduce"), "sampling")
    button(widget, "Sample 100").click()
    before = widget.evaluate(DOTS)
    assert assert_agrees_with_python(widget).draws == 100
    assert widget.evaluate(DOTS) == before


def test_keys_move_every_grip(visit, served):
    page = visit(served)
    widget = first(page, "sampling")
    p, k, t = (slider(widget, name) for name in ("top-p", "top-k", "temperature"))
    for key, expected in [("ArrowLeft", 0.99), ("PageDown", 0.89), ("ArrowUp", 0.9), ("Home", 0.01), ("End", 1)]:
        p.press(key)
        assert assert_agrees_with_python(widget).top_p == expected
    for key, wanted in [("ArrowLeft", 7), ("ArrowDown", 6), ("ArrowRight", 7), ("Home", 1), ("End", None)]:
        k.press(key)
        assert assert_agrees_with_python(widget).top_k == wanted
    for key, exponent in [("ArrowRight", 0.1), ("PageDown", -0.9), ("Home", -2), ("End", 2)]:
        t.press(key)
        assert assert_agrees_with_python(widget).temperature == pytest.approx(2**exponent, rel=1e-3)
    k.press("Home")
    assert k.get_attribute("aria-valuetext") == "top-k 1: 1 of 8 words kept"
    assert p.get_attribute("aria-valuetext") == "top-p off: 1 of 8 words kept"
    assert t.get_attribute("aria-valuetext") == "temperature 4, hot: rare words gain: 1 of 8 words kept"
    button(widget, "Sample").press("Enter")
    expect(widget.get_by_role("status").first).to_have_text(
        re.compile(r"^drew mat, 1 of 100; 1 of 8 words kept; mat 100\s%, floor 0\s%, ")
    )


def test_more_than_eight_words_share_the_last_column(visit, served):
    page = visit(f"{served}#sampling-explorer-2?top_k=20&draws=100&seed=3", reduced_motion="reduce")
    widget = page.locator("#sampling-explorer-2")
    names = widget.locator(".sw-word")
    ours = assert_agrees_with_python(widget, MANY)
    assert (ours.top_k, ours.kept.sum()) == (20, 20)
    expect(names.last).to_have_text("13 of 29")
    expect(widget.locator("svg")).to_contain_text("top-k 20")
    k = slider(widget, "top-k")
    for key, wanted, name in [("ArrowLeft", 7, "29 others"), ("ArrowRight", None, "29 others")]:
        k.press(key)
        assert assert_agrees_with_python(widget, MANY).top_k == wanted
        expect(names.last).to_have_text(name)
    slider(widget, "top-p").press("PageDown")
    ours = assert_agrees_with_python(widget, MANY)
    assert 8 < ours.kept.sum() < 36
    expect(names.last).to_have_text(f"{ours.kept.sum() - 7} of 29")
    assert widget.locator(".sw-word").first.get_attribute("title") == ours.prompts[0].words[0]


def test_a_reader_chooses_among_prompts(visit, served):
    page = visit(served, reduced_motion="reduce")
    assert first(page, "sampling").get_by_role("combobox").count() == 0
    widget = page.locator("#sampling-explorer-3")
    height = widget.evaluate("w => w.offsetHeight")
    chooser = widget.get_by_role("combobox", name="sentence")
    assert chooser.locator("option").all_inner_texts()[1] == f"Two words after {'W' * 50} …"
    begins = "w => w.querySelector('.sw-shown').offsetTop - w.querySelector('.sw-sentences').offsetTop"
    button(widget, "Sample 100").click()
    assert assert_agrees_with_python(widget, THREE).draws == 100
    for prompt, top_k in [(2, 5), (1, None), (0, None)]:  # where there are fewer words, no cut is left
        chooser.select_option(str(prompt))
        ours = assert_agrees_with_python(widget, THREE, prompt=prompt)
        assert (ours.draws, ours.top_k, ours.top_p) == (0, top_k, 0.9)
        expect(widget.locator(".sw-shown")).to_contain_text(ours.prompts[prompt].text)
        assert widget.evaluate("w => w.offsetHeight") == height
        assert widget.evaluate(begins) == 0


def test_a_link_carries_how_words_were_drawn(visit, served):
    page = visit(
        served, script="Object.defineProperty(navigator, 'clipboard', {value: undefined})", reduced_motion="reduce"
    )
    widget = page.locator("#sampling-explorer-3")
    slider(widget, "top-k").press("End")
    slider(widget, "top-p").press("ArrowLeft")
    widget.get_by_role("spinbutton", name="temperature").fill("0.5")
    button(widget, "Clear").click()
    button(widget, "Sample 100").click()
    button(widget, "Copy link").click()
    link = widget.get_by_role("textbox", name="link to this state").input_value()
    assert link == f"{served}#sampling-explorer-3?temperature=0.5&top_k=none&top_p=0.89&seed=1&draws=100"
    again = visit(link, reduced_motion="reduce").locator("#sampling-explorer-3")
    ours = assert_agrees_with_python(again, THREE)
    assert again.evaluate(DOTS) == widget.evaluate(DOTS)
    assert (ours.temperature, ours.top_k, ours.top_p, ours.seed, ours.draws) == (0.5, None, 0.89, 1, 100)
    button(again, "Reset").click()
    ours = assert_agrees_with_python(again, THREE)
    assert (ours.temperature, ours.top_k, ours.top_p, ours.seed, ours.draws) == (1, 5, 0.9, 0, 0)


MORE_HOSTILE = [
    "temperature=1e-320&top_k=0&top_p=0&seed=-1&draws=1e9",
    "temperature=1e300&top_k=1e999&top_p=2&seed=1e300&draws=0.5&prompt=-7",
    "prompts=a,b;c&prompt=99&top_k=null&top_p=null&seed=none&draws=none",
]


@pytest.mark.parametrize("fragment", [*HOSTILE_FRAGMENTS.values(), HOSTILE_SETTINGS, *MORE_HOSTILE])
def test_a_hostile_link_gives_a_valid_picture(visit, served, fragment):
    page = visit(f"{served}#sampling-explorer-1?{fragment}", reduced_motion="reduce")
    widget = first(page, "sampling")
    for _ in range(2):
        assert_agrees_with_python(widget)
        assert not re.search("NaN|Infinity|null|undefined", widget.locator("svg").evaluate("svg => svg.innerHTML"))
        slider(widget, "top-p").press("ArrowRight")
        button(widget, "Sample").click()
    assert page.locator("img, iframe, object, main script").count() == 0


@pytest.mark.parametrize("width", [320, 390])
def test_a_finger_scrolls_upwards_and_drags_sideways(visit, served, width):
    page = visit(served, width=width, has_touch=True, reduced_motion="reduce")
    widget = first(page, "sampling")
    room = float(widget.locator("svg").get_attribute("width") or "")
    finger = Finger(page)
    before = shown_settings(widget)
    grips = [f"[data-grip={name}]" for name in ("top-p", "top-k", "temperature")]
    for element in (*grips, ".sw-word >> nth=3", ".sw-sentences", ".sw-draw >> nth=0"):
        x, y = middle_of(widget.locator(element))
        scrolled = page.evaluate("scrollY")
        finger.swipe(x, y, 3, -120)
        assert page.evaluate("scrollY") > scrolled
        assert shown_settings(widget) == before
        assert_agrees_with_python(widget)
    for grip in grips:
        x, y = middle_of(widget.locator(grip))
        finger.send("touchStart", (x, y))
        finger.send("touchMove", (x - 60, y))
        assert assert_agrees_with_python(widget).draws == 0
        finger.send("touchCancel")
        assert shown_settings(widget) == before
    finger.swipe(*middle_of(widget.locator(grips[0])), -0.3 * room, 4)
    assert assert_agrees_with_python(widget).top_p == pytest.approx(0.7, abs=0.02)
    finger.swipe(*middle_of(widget.locator(grips[1])), -room / 2, 4)
    assert assert_agrees_with_python(widget).top_k == 4
    finger.swipe(*middle_of(widget.locator(grips[2])), -room, 4)
    assert assert_agrees_with_python(widget).temperature == 0.25


OUTSIDE = """w => {
    const svg = w.querySelector("svg").getBoundingClientRect();
    return [...w.querySelectorAll("svg text, svg .sw-draw, .sw-word, .sw-rail-box")].filter(part => {
        const {left, right, top, bottom} = part.getBoundingClientRect();
        return left < svg.left - 0.5 || right > svg.right + 0.5 || top < svg.top - 0.5 || bottom > svg.bottom + 0.5;
    }).map(part => part.outerHTML);
}"""
COVERED = """w => {
    const boxes = [...w.querySelectorAll("svg text, .sw-word")].filter(part => part.textContent).map(part => {
        const range = document.createRange();
        range.selectNodeContents(part);
        const inner = range.getBoundingClientRect(), outer = part.getBoundingClientRect();
        const [left, right] = [Math.max(inner.left, outer.left), Math.min(inner.right, outer.right)];
        return [part.textContent, left, right, outer.top + 3, outer.bottom - 3];
    });
    return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
        a[1] < b[2] - 0.5 && b[1] < a[2] - 0.5 && a[3] < b[4] && b[3] < a[4]).map(b => [a[0], b[0]]));
}"""
PLACES = """w => [...w.querySelectorAll("p, svg, .sw-sentences, .sw-buttons, .sw-actions")].map(e => {
    const {x, y, width, height} = e.getBoundingClientRect();
    return [x, y, width, height].map(n => Math.round(n + (n === y ? scrollY : 0)));
})"""
STATES = [
    *("draws=0", "temperature=0.25&draws=100", "temperature=4&draws=100&top_p=0.97", "draws=100&top_k=1"),
    *("top_p=0.01&draws=1", "temperature=0.35&draws=100", "top_p=0.1", "top_k=2&top_p=0.93&draws=16&seed=4294967295"),
    *("temperature=1.234567&draws=11", "temperature=1000000&draws=99", "temperature=0.000001"),
]


@pytest.mark.parametrize("width", [320, 390, 640, 1440])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_nothing_is_cut_or_covered_and_nothing_but_the_drawing_moves(visit, served, width, number):
    page = visit(served, width=width, reduced_motion="reduce")
    widget = page.locator(f"#sampling-explorer-{number}")
    before = widget.evaluate(PLACES)
    for state in STATES:
        page.evaluate("hash => location.hash = hash", f"sampling-explorer-{number}?{state}")
        drawn = re.search(r"draws=(\d+)", state)
        if drawn:
            expect(widget.locator(".sw-note")).to_have_text(re.compile(f"^{drawn[1]} draws? from"))
        assert_agrees_with_python(widget, [CAT, MANY, THREE][number - 1])
        assert widget.evaluate(OUTSIDE) == [], state
        assert widget.evaluate(COVERED) == [], state
        assert widget.evaluate(PLACES) == before, state
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_first_frame_is_as_high_as_the_live_picture(visit, served, width, number):
    page = visit(served, width=width)
    widget = page.locator(f"#sampling-explorer-{number}")
    live = widget.evaluate("w => w.offsetHeight")
    numbers = values(widget.locator("td[data-value]"))
    widget.evaluate("(w, html) => { w.innerHTML = html; }", first_frame(widget))
    assert widget.evaluate("w => w.offsetHeight") == pytest.approx(live, abs=1)
    shown = widget.locator(".sw-still:visible")
    assert values(shown.locator("td[data-value]")) == pytest.approx(numbers, rel=1e-14)
    assert shown.locator("button, input, select, .sw-grip").count() == 0
    assert len(shown.evaluate(DOTS)) == [37, 0, 0][number - 1]


def test_without_a_script_the_words_are_there(visit, served):
    page = visit(served, java_script_enabled=False)
    table = page.locator(".sw-stored table").first
    expect(table.locator("caption")).to_have_text(
        "What follows “The cat sat on the” at temperature 1: 8 of 8 words kept"
    )
    assert values(table.locator("[data-value]")) == np.column_stack([CAT.shares, CAT.renormalised]).ravel().tolist()
    assert table.locator("tbody th").all_inner_texts() == WORDS
