"""The library's page has every public name, with its signature, its formula and an example."""

from __future__ import annotations

import inspect

import pytest
from bs4 import BeautifulSoup

import softmax_lib
from tests.site.serving import Site


@pytest.fixture(scope="module")
def page(site: Site) -> BeautifulSoup:
    return BeautifulSoup((site.folder / "api.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("name", softmax_lib.__all__)
def test_a_public_name_has_its_entry(page: BeautifulSoup, name: str) -> None:
    heading = page.find("dt", id=f"softmax_lib.{name}")
    assert heading, f"add {name} to book/api.md"
    signature = heading.get_text().replace("\n", "").rstrip("#")
    parameters = [p.name for p in inspect.signature(getattr(softmax_lib, name)).parameters.values()]
    shown = [part.get_text().split("=")[0] for part in heading.select(".sig-param")]
    assert signature.startswith(f"softmax_lib.{name}(")
    assert [part for part in shown if part != "*"] == parameters

    entry = heading.find_next_sibling("dd")
    formulas = [formula.select_one(".katex-html") for formula in entry.select(".math")]
    assert formulas
    assert all(formulas)
    titles = {part.get_text().strip(":") for part in entry.select(".field-list > dt, .rubric")}
    assert {"Parameters", "Returns", "Raises", "Examples"} <= titles
    assert entry.select_one(".doctest")


def test_the_page_has_nothing_else(page: BeautifulSoup) -> None:
    entries = [heading["id"].removeprefix("softmax_lib.") for heading in page.select("dl.py > dt")]
    assert sorted(entries) == sorted(softmax_lib.__all__)


def test_mentions_of_a_function_are_links(page: BeautifulSoup) -> None:
    mentions = page.select("article code.py-func")
    assert mentions
    assert all(mention.find_parent("a") for mention in mentions)
