"""A test marked `gpu` is skipped, with the reason, where there is no GPU; and what all processes of a run share."""

import os
import tempfile

import pytest

from tests.emulated_gpu.device import FOLDER
from tests.gpu import why_no_gpu


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder where what is compiled for the emulated device lies, which pytest-xdist's processes inherit."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="emulated_gpu_")
        os.environ[FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and (reason := why_no_gpu()):
        pytest.skip(reason)
