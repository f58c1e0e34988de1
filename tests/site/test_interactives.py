"""What all interactives promise, in a real browser: in a gallery of their own, and on the built pages."""

import json
import re

import pytest
from playwright.sync_api import Locator, expect

from softmax_lib import widgets
from softmax_lib.examples import ANIMALS
from softmax_lib.widgets import LayerExplorer
from softmax_lib.widgets.facts import INTERACTIVES
from tests.site.gallery import AXE, HOSTILE, first, first_frame, probabilities, pull, values

# --- the state and its links


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


def test_without_a_clipboard_the_link_is_shown_and_selected(visit, only):
    page = visit(only("LogitExplorer"), script="Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    widget = first(page, "logit")
    widget.get_by_role("slider", name="logit of dog").press("PageUp")
    widget.get_by_role("button", name="Copy link").click()
    field = widget.get_by_role("textbox", name="link to this state")
    link = field.input_value()
    assert link == f"{only('LogitExplorer')}#logit-explorer-1?logits=1.25,3.44,0.78,0.12&selected=1"
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
def test_a_hostile_link_gives_a_valid_widget(visit, only, fragment):
    page = visit(f"{only('LogitExplorer')}#logit-explorer-1?{fragment}")
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


@pytest.mark.parametrize("fragment", [*HOSTILE_FRAGMENTS.values(), HOSTILE_SETTINGS], ids=[*HOSTILE_FRAGMENTS, "set"])
def test_a_hostile_link_gives_a_valid_lab(visit, only, fragment):
    page = visit(f"{only('PrecisionLab')}#precision-lab-1?{fragment}")
    widget = page.locator("#precision-lab-1")
    for _ in range(2):
        shown = values(widget.locator(".sw-p, .sw-hidden [data-value]"))
        assert 1 <= len(shown) <= 12
        assert sum(shown) == pytest.approx(1)
        assert all(0 < len(label) <= 24 for label in widget.locator("tbody th").all_inner_texts())
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
    page = visit((gallery / "LogitExplorer.html").as_uri(), permissions=("clipboard-read", "clipboard-write"))
    widget = first(page, "logit")
    pull(page, widget.get_by_role("slider", name="logit of cat"), 30)
    moved = probabilities(widget)
    widget.get_by_role("button", name="Copy link").click()
    field = widget.get_by_role("textbox", name="link to this state")
    expect(field.or_(widget.get_by_text("✓ Copied"))).to_be_visible()
    link = field.input_value() if field.is_visible() else page.evaluate("navigator.clipboard.readText()")
    assert link.startswith("file://")
    assert probabilities(first(visit(link), "logit")) == moved


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["gallery", "index", "formula", "five_logits", "cat_dog_tiger"])
def test_without_a_script_the_numbers_are_there(visit, address, name, width):
    page = visit(address(name), width=width, java_script_enabled=False)
    found = page.locator(":is([data-widget=LogitExplorer], [data-widget=LayerExplorer])").all()
    assert found
    for widget in found:
        state = json.loads(widget.get_attribute("data-state") or "")
        kind = getattr(widgets, widget.get_attribute("data-widget") or "")
        assert probabilities(shown_form(widget)) == pytest.approx(kind(**state).probabilities.tolist(), rel=1e-15)
        assert widget.locator("button, input, .sw-grip").count() == 0
        assert "drag" not in widget.inner_text()


def shown_form(widget: Locator) -> Locator:
    """On the site the first frame for this width; elsewhere a table."""
    (form,) = (form for form in widget.locator(".sw-still, .sw-stored").all() if form.is_visible())
    return form


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_overflows(visit, served, width):
    page = visit(served, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#logit-explorer-2").get_by_role("slider", name="shift all").press("End")
    first(page, "layer").get_by_role("spinbutton", name="bias of dog").fill("-123456.75")
    first(page, "jacobian").get_by_role("spinbutton", name="logit of cat").fill("-12.3456789")
    page.locator("#precision-lab-1").get_by_role("spinbutton", name="scale all").fill("100")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = "els => els.filter(e => Math.min(e.offsetWidth, e.offsetHeight) < 24).map(e => e.outerHTML)"
    assert page.locator(".softmax-widget :is(button, input, select)").evaluate_all(small) == []


LABELS = "labels=elephant,mongoose,tortoise,squirrel"
CUT = """w => [...w.querySelectorAll("table[class]:not(.sw-hidden, .sw-hidden *) :is(th, td)")].filter(cell => {
    const contents = document.createRange();
    contents.selectNodeContents(cell);
    const [inner, outer] = [contents, cell].map(box => box.getBoundingClientRect());
    const name = cell.querySelector(".sw-name") ?? cell;
    return inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5 || name.scrollWidth > name.clientWidth;
}).map(cell => cell.textContent)"""
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


@pytest.mark.parametrize("width", [390, 1440])
def test_a_first_frame_is_as_high_as_what_follows_and_has_nothing_to_press(visit, served, width):
    """So the page stays put when the script comes late."""
    page = visit(served, width=width)
    drawn = page.locator(".softmax-widget[id$='-1']:not([data-widget=Quiz])")
    for widget in drawn.all():
        name, live = widget.get_attribute("id"), widget.evaluate("w => w.offsetHeight")
        widget.evaluate("(w, html) => { w.innerHTML = html; }", first_frame(widget))
        assert widget.evaluate("w => w.offsetHeight") == pytest.approx(live, abs=2), name
        assert widget.locator("button, input, [data-grip]").count() == 0, name
        assert "drag" not in "".join(widget.locator("svg:visible").all_text_contents()), name


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_stays_put_when_the_script_comes_late(visit, site, width):
    page = visit("about:blank", width=width)
    page.route("**/page*.js", lambda route: route.fulfill(body=""))
    heights = "[...document.querySelectorAll('.softmax-widget')].map(widget => widget.offsetHeight)"
    page.goto(f"{site.url}cat_dog_tiger.html")
    still = page.evaluate(heights)
    page.unroute("**/page*.js")
    page.reload()
    expect(page.get_by_role("slider").first).to_be_attached()
    assert page.evaluate(heights) == pytest.approx(still, abs=2)


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
    "loss-explorer-1": [("logit of cat", "-3")],
    "loss-explorer-4": [("label smoothing", "0.3"), ("logit of '", "-1")],
    "jacobian-explorer-1": [("logit of cat", "-3"), ("nudge", "2"), ("∂p(tiger)/∂z(dog)", None)],
    "jacobian-explorer-2": [("logit of a label of 24 chars, 000", "2"), ("nudge", "-2")],
    "calibration-explorer-1": [("temperature", "1.5")],
    "simplex-explorer-1": [("logit of cat", "-3"), ("temperature", "2")],
    "sampling-explorer-1": [("top-p", "0.6"), ("top-k", "3"), ("temperature", "1.5")],
    "sampling-explorer-3": [("sentence", "1"), ("top-k", "1")],
    "attention-explorer-1": [("score of cat", "-3"), ("÷ √16", None), ("causal mask", None)],
    "online-stepper-1": [("score of sat", "-1")],
    "precision-lab-1": [("logit of cat", "-3"), ("shift all", "-60"), ("scale all", "4"), ("format", "float32")],
    "quiz-1": [("grow", None)],
    "number-field-1": [("Check", None)],
}


def kind_of(name: str) -> str:
    """Of which kind an interactive with this id is."""
    (kind,) = (kind for kind in INTERACTIVES if kind.lower() == re.sub(r"-\d+$|-", "", name))
    return kind


@pytest.mark.parametrize("home", ["page", "notebook"])
@pytest.mark.parametrize("name", INPUTS)
def test_it_follows_within_a_frame(visit, only, name, home):
    """On a clock that only the test moves: one frame after an input all is there, and nothing comes later."""
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(only(kind_of(name)))
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


LIGHTNESS = """const light = colour => {
        const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
        canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const contrast = (a, b) => Math.max(light(a), light(b)) / Math.min(light(a), light(b));"""
TOKENS = f"""() => {{
    {LIGHTNESS}
    const probe = document.querySelector(".softmax-widget").appendChild(document.createElement("i"));
    const resolved = name => (probe.style.color = `var(--sw-${{name}})`, getComputedStyle(probe).color);
    const on = (name, paper) => [name, contrast(resolved(name), resolved(paper))];
    const ofClasses = [..."01234567"].flatMap(i => ["t" + i, "c" + i]);
    const onPage = ["ink", "ink2", "rule", "bad", ...ofClasses].map(name => on(name, "bg"));
    return Object.fromEntries([...onPage, on("hi-ink", "hi")]);
}}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out_from_the_page(visit, only, theme):
    """4.5 to 1 for text, 3 to 1 for most fills. Pink is just below, and yellows are: a name stands at every share."""
    page = visit(only("Quiz"))
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    contrasts = page.evaluate(TOKENS)
    texts = ["ink", "ink2", "bad", "hi-ink", *(f"t{i}" for i in range(8))]
    assert {name: contrasts[name] for name in texts if contrasts[name] < 4.5} == {}
    fills = ["rule", "c0", "c1", "c2", "c7"]
    assert {name: contrasts[name] for name in fills if contrasts[name] < 3} == {}


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1440, "light")])
def test_axe_finds_nothing(visit, only, width, theme):
    page = visit(only("firsts"), width=width, reduced_motion="reduce")
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    page.locator("#quiz-1").get_by_role("button", name="grow").click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []


def test_it_prints_as_it_stands(visit, only):
    page = visit(only("LogitExplorer"))
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    widget = first(page, "logit")
    widget.get_by_role("slider", name="logit of cat").press("End")
    page.emulate_media(media="print")
    assert widget.get_by_role("button", name="Reset").is_hidden()
    assert widget.locator(".sw-grip").first.is_hidden()
    expect(widget.locator("svg")).to_contain_text(re.compile(r"91\s%"))
    assert widget.locator("svg text").first.evaluate("text => getComputedStyle(text).fill") == "rgb(26, 29, 33)"


def test_paper_gets_what_stands_there_with_answers_and_nothing_to_press(visit, only):
    page = visit(only("firsts"))
    widget = first(page, "logit")
    widget.get_by_role("slider", name="logit of cat").press("End")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".softmax-widget :is(button, input, select, [data-grip])").count() == 0
    answers = page.locator(".softmax-widget details")
    assert answers.count() == 4  # two guesses, a number to find and a quiz
    assert all(answer.get_attribute("open") is not None for answer in answers.all())
    expect(page.locator("#quiz-1")).to_contain_text("stay. The factor cancels.")
    widths = page.locator(".sw-stage > svg").evaluate_all("all => all.map(each => each.clientWidth)")
    assert {width <= 680 for width in widths} == {True}
    expect(widget.locator("svg")).to_contain_text(re.compile(r"91\s%"))
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(widget.get_by_role("slider", name="logit of cat")).to_have_value("5")
    expect(page.locator("#quiz-1").get_by_role("button", name="stay")).to_be_visible()
