"""The backends as fixtures: a test that takes one runs with each."""

import pytest

from tests.library.backends import BACKENDS, LEAVES_OUT, Backend, load


@pytest.fixture(params=BACKENDS, scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    return load(request.param)


@pytest.fixture(scope="session")
def numpy_backend() -> Backend:
    """The NumPy backend alone."""
    return load("with_numpy")


@pytest.fixture(params=[each for each in BACKENDS if "with_cupy" in str(each)], scope="session")
def cupy_backend(request: pytest.FixtureRequest) -> Backend:
    """The CuPy backend alone: on the emulated device, and on a GPU where there is one."""
    return load(request.param)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        left_out = LEAVES_OUT.get(item.callspec.params.get("backend", ""), {})
        for name in (item.path.name, item.originalname, item.name):
            if name in left_out:
                pytest.skip(left_out[name])
