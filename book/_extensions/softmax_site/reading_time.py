"""How long a chapter takes, from what is in it, so that the figure is never older than the text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from docutils import nodes

# Readers of English non-fiction manage about 240 words a minute (Brysbaert, "How many words do we read per minute?",
# Journal of Memory and Language 109, 2019); a text that asks for thought after each sentence is read more slowly.
WORDS_PER_MINUTE = 200
# Nobody has measured these for this book: what it takes to follow an equation once, term by term; to read a line of
# code or of its output; and to look at a figure, a table or an interactive until its point is seen.
SECONDS_AN_EQUATION = 15
SECONDS_A_LINE = 3
SECONDS_A_FIGURE = 20


@dataclass
class Contents:
    """What a reader goes through. A formula within a sentence is a word of it."""

    words: int = 0
    equations: int = 0
    lines: int = 0
    figures: int = 0


def minutes(contents: Contents) -> int:
    """Whole minutes, at least one."""
    seconds = (
        contents.words * 60 / WORDS_PER_MINUTE
        + contents.equations * SECONDS_AN_EQUATION
        + contents.lines * SECONDS_A_LINE
        + contents.figures * SECONDS_A_FIGURE
    )
    return max(1, math.floor(seconds / 60 + 0.5))


def contents_of(node: nodes.Node) -> Contents:
    """Count what is in a document, or a part of one, without what is folded."""
    found = Contents()
    count(node, found)
    return found


def count(node: nodes.Node, found: Contents) -> None:
    if isinstance(node, nodes.Text):
        found.words += len(re.findall(r"\w[\w’'-]*", node.astext()))
    elif isinstance(node, nodes.math):
        found.words += 1
    elif isinstance(node, nodes.math_block):
        found.equations += 1
    elif isinstance(node, nodes.literal_block):
        found.lines += lines_in(node)
    elif isinstance(node, nodes.image | nodes.table):
        found.figures += 1
    elif isinstance(node, nodes.raw):
        found.figures += "softmax-widget" in node.astext()
    elif isinstance(node, nodes.Invisible) or (isinstance(node, nodes.Element) and is_folded(node)):
        return
    elif isinstance(node, nodes.Element) and node.get("nb_element") == "mime_bundle":
        shown = {child.get("mime_type"): child for child in node.children}
        if shown.keys() <= {"text/plain"}:
            found.lines += lines_in(node)
        elif "text/html" in shown and shown["text/html"].astext().lstrip().startswith("<pre"):  # what a check says
            found.lines += lines_in(shown["text/plain"])
        else:  # one thing in several forms, of which the page shows one
            found.figures += 1
    else:
        for child in node.children:
            count(child, found)


def is_folded(node: nodes.Element) -> bool:
    """Whether a reader sees this only on request: a solution, or code that makes a figure."""
    folded_code = node.get("nb_element") == "cell_code_source" and "hide_mode" in node.parent
    return folded_code or bool({"dropdown", "toggle"} & set(node.get("classes", [])))


def lines_in(node: nodes.Element) -> int:
    return sum(bool(text.strip()) for text in node.astext().splitlines())
