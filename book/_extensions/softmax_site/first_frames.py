"""The first frame of every interactive, drawn while the site is built.

It is what a reader without JavaScript sees, what stands on paper, and what holds the place until the script
has run. Node draws it, with the very code that the page runs: ``still.mjs`` is bundled from ``widgets/src``.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from bs4 import BeautifulSoup

from .node import node_binary

RENDERER = Path(__file__).with_name("still.mjs")


def add_first_frames(soup: BeautifulSoup) -> None:
    """Put each interactive's drawing, which holds its numbers as a table too, in place of the plain table."""
    interactives = soup.select(".softmax-widget[data-widget]")
    if not interactives:
        return
    asked = [{"widget": each["data-widget"], "state": each["data-state"]} for each in interactives]
    answer = subprocess.run(
        [node_binary(), str(RENDERER)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    for interactive, drawing in zip(interactives, json.loads(answer.stdout), strict=True):
        for hint in interactive.select(".sw-run"):  # it speaks to readers of a notebook
            hint.decompose()
        if drawing:
            interactive.clear()
            interactive.append(BeautifulSoup(drawing, "html.parser"))
