"""The book's chapters as its pages speak of them: number, part, name, minutes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from sphinx import addnodes
from sphinx.environment import BuildEnvironment

from .reading_time import contents_of, minutes


@dataclass(frozen=True)
class Chapter:
    """A numbered page of the table of contents."""

    page: str
    part: str
    number: int
    title: str
    minutes: int

    @property
    def name(self) -> str:
        return split_title(self.title)[0]

    @property
    def question(self) -> str:
        return split_title(self.title)[1]


def split_title(title: str) -> tuple[str, str]:
    """A title's name, which the sidebar shows, and what follows its colon, with a capital letter."""
    name, _, rest = title.partition(": ")
    return name, rest[:1].upper() + rest[1:]


@functools.cache
def chapters_of(env: BuildEnvironment) -> dict[str, Chapter]:
    """The chapters by page, in the order of the book; to be asked once all pages are read."""
    found = {}
    for tree in env.get_doctree(env.config.root_doc).findall(addnodes.toctree):
        for _, page in tree["entries"]:
            number = env.toc_secnumbers.get(page, {}).get("")
            if number:
                title, length = env.titles[page].astext(), minutes(contents_of(env.get_doctree(page)))
                found[page] = Chapter(page, tree.get("caption") or "", number[0], title, length)
    return found
