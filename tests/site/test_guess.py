"""A guess in a real browser: placed by mouse, finger and keys, then compared. Nothing gives it away before."""

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Locator, Page, expect

from softmax_lib import softmax, widgets
from softmax_lib.widgets.stored import show_share
from tests.site.gallery import logits_of, values
from tools.notebooks import BOOK

KINDS = ("Guess", "GuessNumber")

KEPT = "Object.entries(localStorage).filter(([name]) => name.startsWith('softmax guess'))"
CHAPTERS = sorted(path.stem for path in BOOK.glob("*.ipynb"))


def guess_of(page: Page) -> Locator:
    return page.locator("#guess-1")


def guessed(guess: Locator) -> list[float]:
    cells = guess.locator("[data-guess]").evaluate_all("cells => cells.map(c => c.dataset.guess)")
    return [float(value) for value in cells]


def state_of(widget: Locator) -> dict:
    return json.loads(widget.get_attribute("data-state") or "")


def grip(guess: Locator, i: int) -> tuple[float, float]:
    """The middle of the i-th grip, where a pointer takes it."""
    found = guess.locator(f'svg [data-grip="divider {i}"]')
    found.scroll_into_view_if_needed()
    box = found.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def length(guess: Locator) -> float:
    """The strip's length on the screen."""
    box = guess.locator("rect.sw-dashed").bounding_box()
    assert box is not None
    return max(box["width"], box["height"])


def swipe(page: Page, start: tuple[float, float], dx: float, dy: float, steps: int = 12) -> None:
    """A real finger, as the browser itself sees it: it may scroll the page and cancel the touch."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    send("touchStart", start)
    for step in range(1, steps + 1):
        send("touchMove", (start[0] + dx * step / steps, start[1] + dy * step / steps))
        page.wait_for_timeout(16)
    send("touchEnd")
    page.wait_for_timeout(50)


def verdict(shares: np.ndarray, guess: list[float]) -> str:
    points = round(50 * np.abs(shares - guess).sum())
    return f"You put {points} points in the wrong place." if points > 3 else "Very close."


def assert_covered(guess: Locator) -> None:
    """No number of the answer stands anywhere in the picture, seen or hidden."""
    text = guess.evaluate(
        "g => [...g.querySelectorAll('*')].flatMap(e => [e.ariaLabel ?? '', ...[...e.childNodes]"
        ".filter(node => node.nodeType === 3).map(node => node.data)]).join('\\n')"
    )
    state = state_of(guess)
    assert state["reason"] not in text
    assert guess.locator("[data-value], .sw-ribbon").count() == 0
    answers = [show_share(p) for p in softmax(state["logits"])] + [
        f"{e:.3g}" for e in np.exp(state["logits"]) if e != 1
    ]
    for answer in answers:
        assert not re.search(rf"(?<![\d.]){re.escape(answer)}(?![\d.])", text), (answer, text)


# --- placing


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_mouse_divides_the_strip_and_the_verdict_is_pythons(visit, served, width):
    page = visit(served, width=width, reduced_motion="reduce")
    guess = guess_of(page)
    assert guessed(guess) == pytest.approx([1 / 3] * 3)
    assert_covered(guess)
    whole, (x, y) = length(guess), grip(guess, 1)
    wide = width > 700
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x if wide else x - 0.2 * whole, y + 0.2 * whole if wide else y, steps=8)
    page.mouse.up()
    third = guessed(guess)[2]
    assert third == pytest.approx(1 / 3 - 0.2, abs=0.012)
    assert guessed(guess) == pytest.approx([1 / 3, 2 / 3 - third, third])
    expect(guess.get_by_role("slider", name="between dog and tiger")).to_be_focused()
    assert_covered(guess)
    placed, shares = guessed(guess), softmax(state_of(guess)["logits"])
    guess.get_by_role("button", name="Reveal").click()
    spoken = guess.get_by_role("status").filter(has_text="wrong place")
    expect(spoken).to_contain_text(verdict(shares, placed))
    expect(spoken).to_contain_text(state_of(guess)["reason"])
    np.testing.assert_allclose(values(guess.locator("[data-value]")), shares, rtol=4e-16)
    assert guessed(guess) == placed
    expect(guess.get_by_role("button", name="Guess again")).to_be_focused()


@pytest.mark.parametrize("how", ["grip beside a column", "grip under a row"])
def test_a_finger_on_a_grip_moves_it_along_the_strip(visit, served, how):
    wide = how == "grip beside a column"
    page = visit(served, width=1024 if wide else 390, has_touch=True)
    guess = guess_of(page)
    whole, start = length(guess), grip(guess, 0)
    before = page.evaluate("scrollY")
    swipe(page, start, 0 if wide else -0.2 * whole, 0.2 * whole if wide else 0)
    assert guessed(guess)[0] == pytest.approx(1 / 3 + 0.2, abs=0.03)
    assert page.evaluate("scrollY") == before


@pytest.mark.parametrize("width", [390, 1024])
def test_a_finger_elsewhere_scrolls_and_changes_nothing(visit, served, width):
    page = visit(served, width=width, has_touch=True)
    guess = guess_of(page)
    x, y = grip(guess, 0)
    scrolled = page.evaluate("scrollY")
    swipe(page, (x, y) if width == 390 else (x - 300, y), 0, -150)
    assert page.evaluate("scrollY") > scrolled + 50
    assert guessed(guess) == pytest.approx([1 / 3] * 3)


def test_dividers_are_sliders_with_names_and_values(visit, served):
    guess = guess_of(visit(served))
    first, second = guess.get_by_role("slider").all()
    expect(first).to_have_accessible_name("between cat and dog")
    expect(second).to_have_accessible_name("between dog and tiger")
    first.press("End")
    assert guessed(guess) == pytest.approx([0, 2 / 3, 1 / 3])
    for key, cat in [
        ("PageDown", 0.1),
        ("ArrowDown", 0.11),
        ("ArrowLeft", 0.12),
        ("ArrowUp", 0.11),
        ("ArrowRight", 0.1),
    ]:
        first.press(key)
        assert guessed(guess)[0] == pytest.approx(cat)
    assert re.fullmatch(r"cat 10\s%, dog 57\s%", first.get_attribute("aria-valuetext") or "")
    first.press("Home")  # takes the other divider along
    assert guessed(guess) == [1, 0, 0]
    second.press("PageUp")
    assert guessed(guess) == pytest.approx([0.9, 0, 0.1])
    spoken = guess.get_by_role("status").filter(has_text="cat 90")
    expect(spoken).to_have_text(re.compile(r"cat 90\s%, dog 0\s%, tiger 10\s%"))


# --- the answer


def test_a_good_guess_is_very_close(visit, served):
    guess = guess_of(visit(served, reduced_motion="reduce"))
    first, second = guess.get_by_role("slider").all()
    first.fill("35")
    second.fill("10")
    guess.get_by_role("button", name="Reveal").click()
    expect(guess.locator(".sw-verdict")).to_contain_text("Very close.")
    expect(guess.locator(".sw-verdict")).not_to_contain_text("points")


def test_the_cover_fades_and_with_less_motion_it_is_gone_at_once(visit, served):
    page = visit("about:blank")
    page.clock.install(time="2026-01-01T00:00")
    page.goto(served)
    page.clock.pause_at("2026-01-02T00:00")
    guess = guess_of(page)
    cover = guess.locator("rect.sw-cover")
    guess.get_by_role("button", name="Reveal").click()
    page.clock.run_for(450)
    opacity = float(cover.locator("xpath=../..").get_attribute("opacity") or "nan")
    assert opacity == pytest.approx(0.5, abs=0.15)
    assert guess.get_by_role("slider").count() == 0
    page.clock.run_for(600)
    expect(cover).to_have_count(0)
    expect(guess.get_by_role("slider", name="logit of cat")).to_be_visible()
    page.emulate_media(reduced_motion="reduce")
    guess.get_by_role("button", name="Guess again").click()
    guess.get_by_role("button", name="Reveal").click()
    page.clock.run_for(16)
    expect(cover).to_have_count(0)


def test_after_the_answer_it_is_a_machine_to_pull_and_the_guess_stays(visit, served):
    page = visit(served, reduced_motion="reduce")
    guess = guess_of(page)
    guess.get_by_role("button", name="Reveal").click()
    said = guess.locator(".sw-verdict").inner_text()
    for key in ("PageUp", "ArrowRight"):
        guess.get_by_role("slider", name="logit of tiger").press(key)
    assert logits_of(guess) == pytest.approx([2, 1, 1.1])
    np.testing.assert_allclose(values(guess.locator("[data-value]")), softmax(logits_of(guess)), rtol=4e-16)
    guess.get_by_role("spinbutton", name="logit of cat").fill("-1.5")
    np.testing.assert_allclose(values(guess.locator("[data-value]")), softmax([-1.5, 1, 1.1]), rtol=4e-16)
    assert guessed(guess) == pytest.approx([1 / 3] * 3)
    assert guess.locator(".sw-verdict").inner_text() == said
    guess.get_by_role("button", name="Guess again").click()
    assert_covered(guess)
    assert guess.locator("tbody td:nth-child(2)").all_inner_texts() == ["2.0", "1.0", "0.0"]


def test_who_skips_hears_the_reason_and_no_verdict(visit, served):
    page = visit(served, reduced_motion="reduce")
    guess = guess_of(page)
    guess.get_by_role("button", name="Skip").click()
    expect(guess.locator(".sw-verdict")).to_have_text(state_of(guess)["reason"])
    expect(guess.get_by_role("button", name="Guess again")).to_be_focused()
    assert guessed(guess) == []
    assert len(values(guess.locator("[data-value]"))) == 3
    expect(guess.locator("svg").get_by_text("your guess")).to_have_count(0)


def test_a_number_is_guessed_on_an_axis_that_stays(visit, served):
    page = visit(served, reduced_motion="reduce")
    guess = page.locator("#guess-number-1")
    state = state_of(guess)
    ticks = guess.locator("path.sw-rail").evaluate_all("paths => paths.map(p => p.getAttribute('d'))")
    slider = guess.get_by_role("slider", name="your guess")
    assert state["reason"] not in guess.inner_text()
    assert "15" not in guess.evaluate("g => g.textContent")
    for key, said in [
        ("Home", "1 times"),
        ("End", "1 000 times"),
        ("PageDown", "500 times"),
        ("ArrowLeft", "470 times"),
    ]:
        slider.press(key)
        assert (slider.get_attribute("aria-valuetext") or "").replace("\u2009", " ") == said
    box = slider.bounding_box()
    assert box is not None
    x, y = box["x"] + 22, box["y"] + 22
    rail = guess.locator("path.sw-rail").first.bounding_box()
    assert rail is not None
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(rail["x"] + 0.3 * rail["width"], y, steps=6)
    page.mouse.up()
    assert slider.get_attribute("aria-valuetext") == f"{1000**0.3:.2g} times"
    guess.get_by_role("button", name="Reveal").click()
    expect(guess.locator(".sw-verdict")).to_have_text(f"You said 7.9 times; it is 15.3 times. {state['reason']}")
    gap = guess.locator("rect.sw-error").bounding_box()
    assert gap is not None
    assert gap["width"] == pytest.approx(rail["width"] * np.log(15.3 / 7.9) / np.log(1000), abs=1.5)
    assert guess.locator("path.sw-rail").evaluate_all("paths => paths.map(p => p.getAttribute('d'))") == ticks
    guess.get_by_role("button", name="Guess again").click()
    slider.fill(str(100 * np.log(15.3) / np.log(1000)))
    guess.get_by_role("button", name="Reveal").click()
    expect(guess.locator(".sw-verdict")).to_contain_text("Very close: it is 15.3 times.")


# --- memory


def test_a_guess_is_remembered_and_can_be_forgotten(visit, served):
    page = visit(served, reduced_motion="reduce")
    guess = guess_of(page)
    guess.get_by_role("slider", name="between cat and dog").fill("40")
    guess.get_by_role("button", name="Reveal").click()
    said = guess.locator(".sw-verdict").inner_text()
    page.reload()
    assert guessed(guess) == pytest.approx([0.6, 0.4 - 1 / 3, 1 / 3])
    assert guess.locator(".sw-verdict").inner_text() == said
    assert page.locator("#guess-2 .sw-verdict").inner_text() == ""
    guess.get_by_role("button", name="Guess again").click()
    assert page.evaluate(KEPT) == []
    page.reload()
    assert guessed(guess) == pytest.approx([1 / 3] * 3)
    assert_covered(guess)


HOSTILE_MEMORY = ["", "null", "{", "[1]", '{"dividers": [1e999, 3]}', '{"dividers": [10, 90], "asked": [2, 1, 0]}']
HOSTILE_MEMORY += ['{"dividers": ["<img src=x onerror=1>", 0], "asked": [2, 1, 0], "shown": "guess"}', '{"place": 7}']


@pytest.mark.parametrize("kept", HOSTILE_MEMORY)
def test_what_was_kept_is_not_trusted(visit, served, kept):
    page = visit(served)
    guess_of(page).get_by_role("slider").first.press("ArrowUp")
    page.locator("#guess-number-1").get_by_role("slider").press("ArrowUp")
    page.evaluate(f"kept => {KEPT}.forEach(([name]) => localStorage.setItem(name, kept))", kept)
    page.reload()
    assert guessed(guess_of(page)) == pytest.approx([1 / 3] * 3)
    expect(page.locator("#guess-number-1").get_by_role("slider")).to_have_value("50")


def test_without_storage_a_guess_lasts_as_long_as_the_page(visit, served):
    blocked = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('blocked') }})"
    page = visit(served, script=blocked, reduced_motion="reduce")
    guess = guess_of(page)
    guess.get_by_role("slider").first.press("End")
    guess.get_by_role("button", name="Reveal").click()
    expect(guess.locator(".sw-verdict")).to_contain_text("points in the wrong place")
    guess.get_by_role("button", name="Guess again").click()
    assert guessed(guess) == pytest.approx([1 / 3] * 3)


# --- links, widths and pages without a script


HOSTILE_LINKS = ["logits=NaN,1e999", "logits=1e308,-1e308", f"logits={'1,' * 10_000}", "labels=<img src=x onerror=1>"]


@pytest.mark.parametrize("fragment", HOSTILE_LINKS)
def test_a_hostile_link_gives_a_valid_guess(visit, served, fragment):
    page = visit(f"{served}#guess-1?{fragment}", reduced_motion="reduce")
    guess = guess_of(page)
    assert sum(guessed(guess)) == pytest.approx(1)
    guess.get_by_role("button", name="Reveal").click()
    assert sum(values(guess.locator("[data-value]"))) == pytest.approx(1)
    assert page.locator("img").count() == 0


def test_a_hostile_link_gives_a_valid_axis(visit, served):
    page = visit(f"{served}#guess-number-1?low=5&high=-1e999&number=1e308", reduced_motion="reduce")
    guess = page.locator("#guess-number-1")
    guess.get_by_role("button", name="Reveal").click()
    expect(guess.locator(".sw-verdict")).to_contain_text("You said")
    assert "NaN" not in guess.inner_html()


OUTSIDE = """g => {
    const box = g.querySelector("svg").getBoundingClientRect();
    return [...g.querySelectorAll("svg text")].filter(text => {
        const {left, right, top, bottom} = text.getBoundingClientRect();
        return left < box.left - 1 || right > box.right + 1 || top < box.top - 1 || bottom > box.bottom + 1;
    }).map(text => text.textContent);
}"""


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_is_cut_and_nothing_below_moves_in_a_drag(visit, served, width):
    page = visit(served, width=width, reduced_motion="reduce")
    for name in ("guess-1", "guess-2", "guess-number-1"):
        guess = page.locator(f"#{name}")
        assert guess.evaluate(OUTSIDE) == []
        height = guess.evaluate("g => g.offsetHeight")
        guess.get_by_role("slider").first.press("End")
        assert guess.evaluate(OUTSIDE) == []
        assert guess.evaluate("g => g.offsetHeight") == height
        guess.get_by_role("button", name="Reveal").click()
        assert guess.evaluate(OUTSIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_the_answer_is_folded(visit, served):
    page = visit(served, java_script_enabled=False)
    guess = page.locator('[data-widget="Guess"]').first
    reason = guess.get_by_text("One logit more", exact=False)
    expect(reason).to_be_hidden()
    guess.get_by_text("Show the answer").click()
    expect(reason).to_be_visible()
    expect(reason).to_contain_text(re.compile(r"cat 67\s%, dog 24\s%, tiger 9\.0\s%"))


# --- the chapters


@pytest.mark.parametrize("name", CHAPTERS)
def test_nothing_on_a_chapters_page_gives_its_guess_away(site, name):
    """What comes before the guess, and its first frame; not the folded answer, the marks of the axis, the minutes."""
    page = BeautifulSoup((site.folder / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    article = page.select_one("article")
    guess = article.select_one('[data-widget^="Guess"]')
    kind, state = guess["data-widget"], json.loads(guess["data-state"])
    for beside in [*guess.select("details, g:has(> .sw-rail)"), *article.select(".chapter-facts")]:
        beside.decompose()
    before = reversed([string for string in guess.find_all_previous(string=True) if article in string.parents])
    text = re.sub(r"\s+", " ", " ".join([*before, *guess.find_all(string=True)]))
    assert state["question"] in text
    assert "Guess(" not in page.get_text()
    assert "answer=" not in page.get_text()
    if kind == "Guess":
        made = widgets.Guess(**state)
        answers = [f"{digits:.{n}f}" for p in made.probabilities for digits, n in ((p, 2), (p, 3), (100 * p, 0))]
    else:
        answers = [f"{state['number']:.{n}f}" for n in (0, 1, 2)]
    given = {f"{z:.{n}f}" for z in state.get("logits", []) for n in (0, 1, 2)}
    for answer in set(answers) - given:
        assert not re.search(rf"(?<![\d.,]){re.escape(answer)}(?![\d.])", text), (answer, text[-1500:])
