"""The figures on their pages: letters that a phone shows large enough, none cut, none over another, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser

from tests.site.serving import SITE, Site

# With no site there is nothing to discover, and the `site` fixture says so.
PAGES = [file.name for file in sorted(SITE.glob("*.html")) if "sw-figure" in file.read_text(encoding="utf-8")]

# For each figure the words that it shows: their size on the screen and where they stand, in CSS pixels.
WORDS = """
[...document.querySelectorAll(".sw-figure")].map((figure) => {
  const sheet = figure.getBoundingClientRect();
  const words = [...figure.querySelectorAll("text")].filter((text) => text.getClientRects().length);
  return words.map((text) => {
    const box = text.getBoundingClientRect();
    return {
      text: text.textContent,
      size: parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b),
      colour: getComputedStyle(text).fill,
      box: [box.left - sheet.left, box.top - sheet.top, box.right - sheet.left, box.bottom - sheet.top],
      sheet: [sheet.width, sheet.height],
    };
  });
})
"""

# Each figure that has room on the page: how much, and which of its drawings it shows.
DRAWINGS = """
[...document.querySelectorAll('.sw-figure')].map(figure => [
  figure.closest('.cell_output').clientWidth,
  [...figure.children].filter(child => child.getClientRects().length).map(child => child.classList[0]),
]).filter(([room]) => room)
"""

WIDTHS = (1440, 768, 390, 320)

every_page = pytest.mark.parametrize("name", PAGES or ["index.html"])


class Seen(NamedTuple):
    """What a page showed at a width: its figures' words in light and in dark, their drawings, and what stands out."""

    words: list
    dark_words: list
    drawings: list
    beyond: int


@pytest.fixture(scope="module")
def look(site: Site, browser: Browser) -> Callable[[str, int], Seen]:
    """Opens a page once for all tests, and looks at it at a width."""

    @cache
    def seen(name: str) -> dict[int, Seen]:
        page = browser.new_page(color_scheme="light")
        page.goto(site.url + name)
        page.evaluate("document.querySelectorAll('article details').forEach((box) => { box.open = true; })")
        page.evaluate("document.fonts.ready.then(() => null)")
        at = {}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            words, drawings = page.evaluate(WORDS), page.evaluate(DRAWINGS)
            beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            page.evaluate("document.documentElement.dataset.theme = 'dark'")
            at[width] = Seen(words, page.evaluate(WORDS), drawings, beyond)
            page.evaluate("document.documentElement.dataset.theme = 'light'")
        page.close()
        return at

    return lambda name, width: seen(name)[width]


@every_page
@pytest.mark.parametrize("width", [1440, 768, 390])
def test_the_smallest_label_has_twelve_pixels(look, name, width):
    figures = look(name, width).words
    assert figures
    for words in figures:
        assert words, "a figure shows no word"
        smallest = min(words, key=lambda word: word["size"])
        assert smallest["size"] >= 12, smallest


@every_page
@pytest.mark.parametrize("width", [1440, 390, 320])
def test_no_word_is_cut_and_none_stands_over_another(look, name, width):
    assert look(name, width).beyond <= 0
    for words in look(name, width).words:
        for word in words:
            left, top, right, bottom = word["box"]
            across, down = word["sheet"]
            assert left >= -1, word
            assert top >= -1, word
            assert right <= across + 1, word
            assert bottom <= down + 1, word
        for k, word in enumerate(words):
            for other in words[:k]:
                (a, b, c, d), (e, f, g, h) = word["box"], other["box"]
                # Lines of one label overlap by their ascenders, which is no harm.
                shared = min(c, g) - max(a, e), min(d, h) - max(b, f)
                assert min(shared) < 2 or shared[1] < 0.35 * (d - b), (word["text"], other["text"])


@every_page
def test_words_follow_the_theme(look, name):
    """Every figure has dark words on the light page, and light ones on the dark page."""

    def brightness(figures):
        return [[sum(map(int, word["colour"][4:-1].split(", "))) for word in words] for words in figures]

    seen = look(name, 1440)
    for light, dark in zip(brightness(seen.words), brightness(seen.dark_words), strict=True):
        assert max(light) < 400, light
        assert max(dark) > 600, dark
        assert sum(value < 300 for value in dark) <= sum(value < 100 for value in light), dark


@every_page
@pytest.mark.parametrize("width", [390, 1440])
def test_a_phone_gets_the_narrow_drawing_and_a_desk_the_wide_one(look, name, width):
    """By the room that a figure has: a folded box on a desk may have less than a page's column."""
    seen = look(name, width).drawings
    assert [drawings for _, drawings in seen] == [["sw-wide" if room >= 640 else "sw-narrow"] for room, _ in seen]
    assert all(room < 640 for room, _ in seen) if width == 390 else any(room >= 640 for room, _ in seen)
