"""The minutes that a chapter says it takes, by values."""

from __future__ import annotations

import sys

import pytest
from docutils import nodes

from tests import ROOT

sys.path.insert(0, str(ROOT / "book" / "_extensions"))

from softmax_site.chapters import split_title
from softmax_site.directives import in_half_hours
from softmax_site.reading_time import Contents, contents_of, minutes


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (Contents(), 1),
        (Contents(words=200), 1),
        (Contents(words=1800), 9),
        (Contents(equations=8), 2),
        (Contents(lines=40), 2),
        (Contents(figures=6), 2),
        (Contents(words=1800, equations=8, lines=40, figures=6), 15),
        (Contents(words=290), 1),
        (Contents(words=310), 2),
    ],
)
def test_minutes(contents: Contents, expected: int) -> None:
    assert minutes(contents) == expected


def cell(*outputs: nodes.Node, folded: bool = False) -> nodes.container:
    code = nodes.literal_block("", "import math\n\nmath.exp(1.0)")
    whole = nodes.container("", nodes.container("", code, nb_element="cell_code_source"), *outputs)
    if folded:
        whole["hide_mode"] = "input"
    return whole


def bundle(*kinds: str) -> nodes.container:
    forms = [nodes.container("", nodes.literal_block("", "1\n2\n3"), mime_type=kind) for kind in kinds]
    return nodes.container("", *forms, nb_element="mime_bundle")


def test_what_is_counted() -> None:
    sentence = nodes.paragraph("", "", nodes.Text("A share’s logit is "), nodes.math("", "z_i"), nodes.Text(", above."))
    assert contents_of(sentence) == Contents(words=6)
    assert contents_of(nodes.math_block("", "a + b = c")) == Contents(equations=1)
    assert contents_of(cell()) == Contents(lines=2)
    assert contents_of(cell(bundle("text/plain"))) == Contents(lines=5)
    assert contents_of(cell(bundle("text/html", "text/plain"))) == Contents(lines=2, figures=1)
    assert contents_of(cell(bundle("image/svg+xml", "text/plain"), folded=True)) == Contents(figures=1)
    verdict = bundle("text/html", "text/plain")
    verdict.children[0].insert(0, nodes.Text("<pre>✗ Wrong.</pre>"))
    assert contents_of(cell(verdict)) == Contents(lines=5)
    solution = nodes.admonition("", nodes.paragraph("", "seven words that nobody has to read"), classes=["dropdown"])
    assert contents_of(nodes.section("", solution, nodes.comment("", "not shown"))) == Contents()
    interactive = nodes.raw("", '<div class="softmax-widget"></div>', format="html")
    assert contents_of(nodes.section("", interactive, nodes.table("", nodes.Text("1 2 3")))) == Contents(figures=2)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(20, "half an hour"), (55, "one hour"), (90, "one and a half hours"), (150, "two and a half hours")],
)
def test_a_length_of_time_in_words(minutes: int, said: str) -> None:
    assert in_half_hours(minutes) == said


def test_a_title_has_a_name_and_a_question() -> None:
    assert split_title("Softmax: what does it do?") == ("Softmax", "What does it do?")
    assert split_title("Glossary") == ("Glossary", "")
