"""What all tests share: a folder for what is compiled, and what is left out where what it needs is missing."""

import os
import tempfile
from importlib.util import find_spec

import pytest

from tests.emulated_gpu.device import FOLDER
from tests.gpu import why_no_gpu


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder where what is compiled for the emulated device lies, which pytest-xdist's processes inherit."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="emulated_gpu_")
        os.environ[FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)


# A machine that is there for its GPU may have no package of the book's.
NOTEBOOKS = ("nbformat", "nbclient", "yaml")
NEEDS = {
    "book": (*NOTEBOOKS, "nbconvert", "anywidget", "matplotlib"),
    "site": (*NOTEBOOKS, "anywidget", "bs4", "playwright"),
    "tools": NOTEBOOKS,
    "benchmarks/test_gpu_page.py": NOTEBOOKS,
    "benchmarks/test_ladder.py": NOTEBOOKS,
    **dict.fromkeys(
        [f"library/test_{name}_explorer.py" for name in ("attention", "calibration", "sampling", "simplex")]
        + ["library/test_widgets.py"],
        ("anywidget", "traitlets"),
    ),
}
MISSING = {path: [name for name in names if find_spec(name) is None] for path, names in NEEDS.items()}
collect_ignore = [path for path, missing in MISSING.items() if missing]


def pytest_report_header() -> list[str]:
    return [f"tests/{path} is left out: there is no {', '.join(names)}" for path, names in MISSING.items() if names]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and (reason := why_no_gpu()):
        pytest.skip(reason)
