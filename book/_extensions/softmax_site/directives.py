"""Two directives for pages that are not notebooks: an interactive, and the book's chapters as cards."""

from __future__ import annotations

import importlib
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .chapters import Chapter, chapters_of
from .miniatures import miniature


class SoftmaxWidget(SphinxDirective):
    """``softmax-widget`` with a class of `softmax_lib.widgets` and, as YAML, its keyword arguments."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        widgets = importlib.import_module("softmax_lib.widgets")
        kind = getattr(widgets, name, None)
        if not isinstance(kind, type) or name.startswith("_"):
            raise self.error(f"softmax-widget: softmax_lib.widgets has no class {name!r}")
        try:
            arguments = yaml.safe_load("\n".join(self.content)) or {}
            bundle = kind(**arguments)._repr_mimebundle_()
        except Exception as problem:  # whatever the class says is what the author needs to read
            raise self.error(f"softmax-widget: {name} does not take these arguments: {problem}") from problem
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return [nodes.raw("", data["text/html"], format="html")]


class ChapterCards(nodes.General, nodes.Element):
    """The place of the chapters' cards until all chapters are read, and their minutes known."""


class SoftmaxChapters(SphinxDirective):
    """``softmax-chapters`` with, as YAML, a line about each part of the book."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        return [ChapterCards("", about=yaml.safe_load("\n".join(self.content)) or {})]


def place_cards(app: Sphinx, doctree: nodes.document, _: str) -> None:
    """Put the cards in place: the first three parts side by side, and those after them across the width."""
    for place in list(doctree.findall(ChapterCards)):
        chapters = chapters_of(app.env)
        parts: dict[str, list[Chapter]] = {}
        for chapter in chapters.values():
            parts.setdefault(chapter.part, []).append(chapter)
        sections = [{"name": name, "about": place["about"].get(name), "chapters": of} for name, of in parts.items()]
        context: dict[str, Any] = {
            "parts": sections,
            "chapters": list(chapters.values()),
            "how_many": in_words(len(chapters)).capitalize(),
            "hours": in_half_hours(sum(chapter.minutes for chapter in chapters.values())),
            "miniature": miniature,
        }
        place.replace_self(nodes.raw("", app.builder.templates.render("chapter-cards.html", context), format="html"))


def in_words(number: int) -> str:
    """A small number as a word."""
    words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    words += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
    return words[number] if number < len(words) else str(number)


def in_half_hours(minutes: int) -> str:
    """A length of time as one says it, to the half hour: "two and a half hours"."""
    halves = max(1, round(minutes / 30))
    whole, half = divmod(halves, 2)
    if not whole:
        return "half an hour"
    return f"{in_words(whole)}{' and a half' if half else ''} hour{'s' if whole > 1 or half else ''}"
