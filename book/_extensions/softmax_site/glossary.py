"""What links between pages lead to: anything with an id, an interactive in a state, a term's definition."""

from __future__ import annotations

import functools
import re

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.transforms.post_transforms import SphinxPostTransform


def name_anchors(app: Sphinx, page: nodes.document) -> None:
    """Let a plain link, `glossary.md#term-logit`, lead to whatever has an id; MyST knows those of headings alone."""
    anchors = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    ids = [name for node in page.findall(nodes.Element) for name in node.get("ids", [])]
    ids += [name for raw in page.findall(nodes.raw) for name in re.findall(r'<a id="([^"]+)">', raw.astext())]
    for name in ids:
        anchors.setdefault(name, (0, name, ""))


class StateLinks(SphinxPostTransform):
    """Lets a link lead to an interactive in a state, `formula.ipynb#logit-explorer-1?shift=3`, which is nobody's id."""

    default_priority = 8  # before MyST looks for the id

    def run(self, **_: object) -> None:
        for link in list(self.document.findall(addnodes.pending_xref)):
            fragment = link.get("reftargetid") or ""
            if "?" in fragment:
                page = self.app.builder.get_relative_uri(self.env.docname, link["reftarget"])
                link.replace_self(nodes.reference("", "", *link.children, refuri=f"{page}#{fragment}", internal=True))


@functools.cache
def definitions(builder: StandaloneHTMLBuilder) -> dict[str, str]:
    """The definition of each term of the glossary as HTML, by the term's id."""
    terms = (page for (kind, _), (page, _) in builder.env.domaindata["std"]["objects"].items() if kind == "term")
    found = {}
    for page in sorted(set(terms)):
        for item in builder.env.get_and_resolve_doctree(page, builder).findall(nodes.definition_list_item):
            shown = nodes.container()
            shown += [child.deepcopy() for part in item.findall(nodes.definition) for child in part.children]
            text = builder.render_partial(shown)["fragment"]
            text = text.replace('href="#', f'href="{builder.get_target_uri(page)}#')  # seen from another page
            for term in item.findall(nodes.term):
                found.update(dict.fromkeys(term["ids"], text))
    return found


def add_definitions(soup: BeautifulSoup, known: dict[str, str]) -> None:
    """Put the definitions that the page links to at its end, where its script finds them, also without a server."""
    links = (link["href"].partition("#") for link in soup.select("article a.reference.internal[href*='#term-']"))
    wanted = sorted({term for page, _, term in links if page and term in known})
    if not wanted:
        return
    store = soup.new_tag("div", attrs={"class": "definitions", "hidden": ""})
    for term in wanted:
        entry = BeautifulSoup(known[term], "html.parser").find("div")
        entry.attrs = {"data-definition": term}
        for marked in entry.find_all(id=True):
            del marked["id"]
        store.append(entry)
    soup.select_one("article").insert_after(store)
