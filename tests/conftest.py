"""The backends; the built site on a local port, and a Chromium to look at it with."""

from __future__ import annotations

import functools
import http.server
import importlib
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import emulated_gpu
import ml_dtypes
import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

import softmax_lib
from tools.browser import find


def why_no_gpu() -> str | None:
    try:
        importlib.import_module("softmax_lib.with_cupy").softmax([0.0])
    except (ImportError, RuntimeError) as reason:
        return str(reason)
    return None


EMULATED = "with_cupy, emulated"
STAND_IN = os.environ.get("SOFTMAX_BACKEND")  # a file to test in the place of with_numpy: test_mutations.py has bugs
NO_GPU = None if STAND_IN else why_no_gpu()
BACKENDS = ["with_numpy"] if STAND_IN else ["with_numpy", "with_numba", EMULATED]
# Without a GPU, one test of test_cupy.py is skipped, with the reason, for all that would run on one.
if not STAND_IN and not NO_GPU:
    BACKENDS.append(pytest.param("with_cupy", marks=pytest.mark.gpu))

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


def pytest_runtest_setup(item: pytest.Item) -> None:
    if NO_GPU and item.get_closest_marker("gpu"):
        pytest.skip(NO_GPU)


LACKS = {"with_numba": {"normalizer", "merge"}}


class Backend:
    """A backend's functions, of NumPy's arrays. One that it lacks on purpose skips the test that asks for it."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self.module = module

    def __getattr__(self, function: str) -> Any:
        if function not in softmax_lib.__all__:
            raise AttributeError(function)
        if function in LACKS.get(self.name, ()):
            pytest.skip(f"{self.name} has no {function}")
        found = getattr(self.module, function)
        return through_cupy(found, self.module.cp) if self.name.startswith("with_cupy") else found


def through_cupy(function: Callable[..., Any], cp: Any) -> Callable[..., Any]:
    """`function` with NumPy's arrays for CuPy's, and NumPy's scalars for those of no dimension."""

    def is_carried(array: np.ndarray) -> bool:
        known = array.dtype.kind in "biufc" or array.dtype == ml_dtypes.bfloat16
        return type(array) is np.ndarray and known and array.dtype.isnative and array.flags.aligned

    def to_numpy(result: Any) -> Any:
        return tuple(map(to_numpy, result)) if isinstance(result, tuple) else cp.asnumpy(result)[()]

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        out = options.get("out")
        if isinstance(out, np.ndarray) and not (is_carried(out) and out.flags.writeable):
            pytest.skip("CuPy has no such array")
        there: dict[int, Any] = {}  # what is one array here is one there

        def to_cupy(array: Any) -> Any:
            if not isinstance(array, np.ndarray) or not is_carried(array) or array.dtype == np.longdouble:
                return array
            return there.setdefault(id(array), cp.asarray(array))

        with np.errstate(all="ignore"):  # CuPy never warns; NumPy in its place does
            result = function(*map(to_cupy, args), **{name: to_cupy(value) for name, value in options.items()})
        if not isinstance(out, np.ndarray):
            return to_numpy(result)
        assert result is there[id(out)]
        out[...] = cp.asnumpy(result)
        return out

    return call


def load(param: str) -> Backend:
    name = f"softmax_lib.{param}"
    if STAND_IN:
        spec = importlib.util.spec_from_file_location(name, STAND_IN)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return Backend(param, module)
    try:
        module = emulated_gpu.with_cupy() if param == EMULATED else importlib.import_module(name)
        module.softmax([0.0])
    except (ImportError, emulated_gpu.NoCompiler) as reason:
        if param == "with_numpy":
            raise
        pytest.skip(f"{name} cannot run here: {reason}")
    return Backend(param, module)


@pytest.fixture(params=BACKENDS, scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    return load(request.param)


@pytest.fixture(scope="session")
def numpy_backend() -> Backend:
    """The NumPy backend alone, or its stand-in."""
    return load("with_numpy")


@pytest.fixture(params=[each for each in BACKENDS if "with_cupy" in str(each)], scope="session")
def cupy_backend(request: pytest.FixtureRequest) -> Backend:
    """The CuPy backend alone: on the emulated device, and on a GPU where there is one."""
    return load(request.param)


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
        pytest.fail("No Chromium: run `.venv/bin/python -m tools.browser`.", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()
