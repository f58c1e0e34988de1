"""The quiz in a real browser."""

from playwright.sync_api import expect

KINDS = ("Quiz",)


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


def test_the_quiz_opens_without_a_script(visit, served):
    page = visit(served, java_script_enabled=False)
    page.get_by_text("stay", exact=True).click()
    expect(page.get_by_text("The factor cancels.")).to_be_visible()
    expect(page.get_by_text("Only against the others.")).to_be_hidden()
