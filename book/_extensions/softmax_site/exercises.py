"""The table of all exercises: what each tests is said there, and the rest is read from the chapters."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from .chapters import split_title

PART = re.compile(r"\{exercise\} (?P<title>.+)\n:label: (?P<label>\S+)|\b(?P<check>check\.\w+|NumberField)\(")


def exercises_of(chapter: Path) -> tuple[str, dict[str, tuple[str, set[str]]]]:
    """A chapter's title, and by label the title of each of its exercises and how it checks itself."""
    cells = nbformat.read(chapter, as_version=4).cells
    (title,) = re.findall(r"^# (.+)", "\n".join(cell.source for cell in cells), re.MULTILINE)[:1]
    found: dict[str, tuple[str, set[str]]] = {}
    for part in (part for cell in cells for part in PART.finditer(cell.source)):
        if part["label"]:
            found[part["label"]] = part["title"], set()
        elif found:
            _, checks = found[[*found][-1]]
            checks.add("a number" if part["check"] == "NumberField" else "code")
    return title, found


class SoftmaxExercises(SphinxDirective):
    """``softmax-exercises`` with, as YAML, what each exercise tests, by its label in its chapter."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        lines = ["| exercise | what it tests | checks itself |", "| --- | --- | --- |"]
        for chapter, tests in yaml.safe_load("\n".join(self.content)).items():
            file = Path(self.env.srcdir, f"{chapter}.ipynb")
            self.env.note_dependency(str(file))
            title, exercises = exercises_of(file)
            if set(tests) != set(exercises):
                raise self.error(f"softmax-exercises: {chapter} has {', '.join(exercises)}")
            lines.append(f"| **[{split_title(title)[0]}]({chapter}.ipynb)** | | |")
            for label, (name, checks) in exercises.items():
                link = f"[{name}]({chapter}.ipynb#{label})"
                lines.append(f"| {link} | {tests[label]} | {', '.join(sorted(checks)) or '–'} |")
        table = nodes.container()
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), self.content_offset, table)
        for row in table.findall(nodes.row):
            if not row[1].astext():  # a chapter's name stands above its exercises, over all columns
                row[0]["morecols"] = len(row) - 1
                del row[1:]
        return table.children
