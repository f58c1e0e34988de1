"""A test marked `gpu` is skipped, with the reason, where there is no GPU."""

import pytest

from tests.gpu import why_no_gpu


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and (reason := why_no_gpu()):
        pytest.skip(reason)
