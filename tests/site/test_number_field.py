"""The field for a number in a real browser: what is typed, what is said of it, and what is remembered."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.site.gallery import NUMBER_FIELD
from tests.site.test_interactives import IN_A_NOTEBOOK

KINDS = ("NumberField",)

KEPT = "Object.entries(localStorage).filter(([name]) => name.startsWith('softmax field'))"


def field_of(page: Page, i: int = 1) -> Locator:
    return page.locator(f"#number-field-{i}")


def answer(field: Locator, typed: str) -> Locator:
    """Types it, presses Enter, and returns what is said."""
    box = field.get_by_role("textbox")
    box.fill(typed)
    box.press("Enter")
    return field.get_by_role("status")


@pytest.mark.parametrize("home", ["page", "notebook"])
def test_a_wrong_number_is_told_what_it_shows_and_a_right_one_why_it_is_right(visit, served, home):
    page = visit(served)
    field = field_of(page)
    if home == "notebook":
        field.evaluate(IN_A_NOTEBOOK)
    box = field.get_by_role("textbox")
    expect(box).to_have_accessible_name(NUMBER_FIELD.question)
    expect(field.get_by_role("status")).to_have_text("")
    expect(box).to_have_attribute("aria-invalid", "false")
    expect(answer(field, "4.1")).to_have_text(f"✗ Not quite. {NUMBER_FIELD.mistakes[4.096]}")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_be_focused()
    box.press("End")
    page.keyboard.type("5")
    expect(field.get_by_role("status")).to_have_text("")
    expect(answer(field, "100")).to_have_text(f"✗ Not quite. Too large. {NUMBER_FIELD.hint}")
    box.fill("8,19 milliseconds")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(field.get_by_role("status")).to_have_text(f"✓ Right. {NUMBER_FIELD.reason}")
    expect(field.get_by_role("button", name="Check")).to_be_focused()
    expect(box).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize("typed", ["", "   ", "abc", "<img src=x onerror=1>", "1e999"])
def test_what_is_no_number_is_told_so(visit, served, typed):
    page = visit(served)
    assert "Write a number, such as" in answer(field_of(page), typed).inner_text()
    assert page.locator("img").count() == 0


def test_a_share_is_taken_in_per_cent_and_as_a_number(visit, served):
    page = visit(served)
    for typed in ("25", "25 %", "0.25", "0,25", "1/4"):
        expect(answer(field_of(page, 2), typed)).to_have_text("✓ Right. ¼.")
    expect(answer(field_of(page, 2), "1/2")).to_have_text(re.compile("<img src=x onerror=1>$"))
    expect(answer(field_of(page, 3), "−1e-9")).to_contain_text("✓ Right.")
    assert page.locator("img").count() == 0


def test_before_it_is_answered_nothing_of_the_answer_is_there_to_read(visit, served):
    page = visit(served)
    text = field_of(page).evaluate("f => f.textContent + [...f.querySelectorAll('*')].map(e => e.ariaLabel ?? e.title)")
    said = [NUMBER_FIELD.hint, NUMBER_FIELD.reason, *NUMBER_FIELD.mistakes.values(), "8.19", "4.09", "2.04"]
    assert [words for words in said if words in text] == []


def test_what_was_checked_is_remembered(visit, served):
    page = visit(served)
    answer(field_of(page), "8.2")
    field_of(page, 2).get_by_role("textbox").fill("7")  # not checked
    page.reload()
    expect(field_of(page).get_by_role("textbox")).to_have_value("8.2")
    expect(field_of(page).get_by_role("status")).to_have_text(f"✓ Right. {NUMBER_FIELD.reason}")
    expect(field_of(page, 2).get_by_role("textbox")).to_have_value("")
    answer(field_of(page), "")
    page.reload()
    expect(field_of(page).get_by_role("textbox")).to_have_value("")
    expect(field_of(page).get_by_role("status")).to_have_text("")


@pytest.mark.parametrize("kept", ["", "null", "{", "7", "[1]", '{"right": true}', '"<img src=x onerror=1>"'])
def test_what_was_kept_is_not_trusted(visit, served, kept):
    page = visit(served)
    answer(field_of(page), "8.2")
    page.evaluate(f"kept => {KEPT}.forEach(([name]) => localStorage.setItem(name, kept))", kept)
    page.reload()
    expect(field_of(page).get_by_role("textbox")).to_be_visible()
    expect(field_of(page)).not_to_contain_text("Right.")
    assert page.locator("img").count() == 0


def test_without_storage_an_answer_lasts_as_long_as_the_page(visit, served):
    blocked = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('blocked') }})"
    expect(answer(field_of(visit(served, script=blocked)), "8.2")).to_contain_text("✓ Right.")


@pytest.mark.parametrize("fragment", ["tolerance=1e6", "answer=NaN&mistakes=1&unit=%", "answer=1e308&tolerance=-1"])
def test_a_hostile_link_gives_a_field_that_judges(visit, served, fragment):
    field = field_of(visit(f"{served}#number-field-1?{fragment}"))
    expect(answer(field, "-50")).to_contain_text("✗ Not quite.")


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_it_fits_and_moves_nothing_while_one_types(visit, served, width):
    page = visit(served, width=width)
    for i in (1, 2, 3):
        height = field_of(page, i).evaluate("f => f.offsetHeight")
        field_of(page, i).get_by_role("textbox").fill("1234567890" * 3)
        assert field_of(page, i).evaluate("f => f.offsetHeight") == height
        for part in (field_of(page, i).get_by_role("textbox"), field_of(page, i).get_by_role("button")):
            assert part.evaluate("e => e.offsetHeight") >= 44
        answer(field_of(page, i), "1e300")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_the_answer_is_folded(visit, served):
    page = visit(served, java_script_enabled=False)
    field = page.locator('[data-widget="NumberField"]').first
    reason = field.get_by_text(NUMBER_FIELD.reason)
    expect(reason).to_be_hidden()
    field.get_by_text("Show the answer").click()
    expect(reason).to_be_visible()
    expect(reason).to_contain_text("8.192 milliseconds.")
