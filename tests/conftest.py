"""The backends; the built site on a local port, and a Chromium to look at it with."""

from __future__ import annotations

import functools
import http.server
import importlib
import importlib.util
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

import softmax_lib
from tools.browser import find

BACKENDS = ["with_numpy", "with_numba"]

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Backend:
    """A backend's functions. One that it deliberately lacks skips the test that asks for it."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self.module = module

    def __getattr__(self, function: str) -> Any:
        if function not in softmax_lib.__all__:
            raise AttributeError(function)
        if self.name != "with_numpy" and not hasattr(self.module, function):
            pytest.skip(f"{self.name} has no {function}")
        return getattr(self.module, function)


@pytest.fixture(params=BACKENDS, scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    name = f"softmax_lib.{request.param}"
    # A file to test in its place: the bugs of test_mutations.py come in by this.
    if stand_in := os.environ.get("SOFTMAX_BACKEND"):
        spec = importlib.util.spec_from_file_location(name, stand_in)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return Backend(request.param, module)
    try:
        module = importlib.import_module(name)
        module.softmax([0.0])
    except (ImportError, RuntimeError) as reason:  # CuPy without a GPU raises the second
        if request.param == "with_numpy":
            raise
        pytest.skip(f"{name} cannot run here: {reason}")
    return Backend(request.param, module)


@dataclass(frozen=True)
class Site:
    """Where the built site lies, and the address it is served at, with a slash at the end."""

    folder: Path
    url: str


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a local port, at this address."""
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


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
        pytest.fail("No Chromium: run `make .venv/browser`.", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()
