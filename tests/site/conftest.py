"""The built site on a local port, and a Chromium to look at it with."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from softmax_lib.widgets.facts import INTERACTIVES
from tests import ROOT
from tests.site import serving
from tests.site.gallery import GALLERY, page_of
from tests.site.serving import SITE, Site, served
from tools.browser import find

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


expect.set_options(timeout=30_000)  # ms: two processes test at once, and a kernel may have much to do


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    if not (SITE / "index.html").exists():
        pytest.fail("The site is not built: run `make site` first.", pytrace=False)
    with served(SITE) as url:
        yield Site(SITE, url)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = find()
    if executable is None:
        pytest.fail("No Chromium: run `.venv/bin/python -m tools.browser`.", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def gallery(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every interactive on one page, under the site's security policy.

    A page with all of them takes a second to open. So a file of tests that names its `KINDS` gets those alone, each
    kind has a page of its own beside `index.html`, and `firsts.html` has one of each.
    """
    folder = tmp_path_factory.mktemp("gallery")
    shutil.copytree(ROOT / "softmax_lib" / "static", folder, dirs_exist_ok=True)
    kinds = getattr(request.module, "KINDS", tuple(INTERACTIVES))
    of_kind = {kind: [each for each in GALLERY if type(each).__name__ == kind] for kind in kinds}
    pages = {
        "index": [each for each in GALLERY if type(each).__name__ in kinds],
        "firsts": [first for first, *_ in of_kind.values()],
        **of_kind,
    }
    for name, interactives in pages.items():
        (folder / f"{name}.html").write_text(page_of(interactives), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", name="served")
def served_gallery(gallery: Path) -> Iterator[str]:
    with serving.served(gallery) as url:
        yield url + "index.html"


@pytest.fixture(scope="module")
def only(served: str) -> Callable[[str], str]:
    """The address of another page of the gallery: a kind's own, or `firsts`."""
    return lambda name: served.replace("index", name)


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The address of the gallery, or of a page of the built site."""

    def find(name: str) -> str:
        if name == "gallery":
            return request.getfixturevalue("served")
        return f"{request.getfixturevalue('site').url}{name}.html"

    return find


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address in a window of its own; fails at the end if a script complained or opened a dialog."""
    complaints: list[str] = []
    contexts = contextlib.ExitStack()

    def open_page(address: str, *, width: int = 1440, script: str = "", permissions: tuple[str, ...] = (), **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.callback(context.close)
        context.grant_permissions(list(permissions))
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        if script:
            page.add_init_script(script)
        page.goto(address)
        return page

    with contexts:
        yield open_page
    assert complaints == []
