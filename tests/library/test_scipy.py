"""SciPy agrees where it is right; and its own tests of these functions, run against ours.

The second is a pytest of its own, on the tests that SciPy ships, with SciPy's conftest; this file is a plugin to it.
"""

import functools
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

import softmax_lib
from tests import ROOT

THEIR_TESTS = "scipy.special.tests.test_logsumexp"

# What is raised, and why that is meant.
WEIGHTED = "unexpected keyword argument 'b'", "a sum with weights of either sign is another function"
SIGNED = "unexpected keyword argument 'return_sign'", "without such weights there is but one sign"
COMPLEX = "expects a real numeric array, got dtype complex", "probabilities are of real logits"
DIFFERENCES = {
    r"test_logsumexp_(b|b_zero|b_shape|sign|sign_zero|sign_shape|shape)\[": WEIGHTED,
    r"test_(no_writeback|gh22903|gh23548|dtypes_ab)\[": WEIGHTED,
    r"test_device\[.*(1\.0|x_raw2)\]": WEIGHTED,
    r"test_logsumexp_complex_sign\[": SIGNED,
    r"test_device\[.*1j\]": COMPLEX,
    r"test_dtypes_a\[.*complex": COMPLEX,
    r"test_(gh21610|gh21709_small_imaginary)\[": COMPLEX,
    r"test_gh22601_infinite_elements\[.*j": COMPLEX,
}


def pytest_collection_modifyitems(items):
    """Put our functions in the place of SciPy's, which go over all axes where none is named."""
    for name in ["softmax", "log_softmax", "logsumexp"]:
        setattr(items[0].module, name, functools.partial(getattr(softmax_lib, name), axis=None))
    for tests in DIFFERENCES:
        assert any(re.match(tests, item.name) for item in items), f"no test of SciPy's is called {tests}"


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    for tests, (message, reason) in DIFFERENCES.items():
        if re.match(tests, pyfuncitem.name):
            with pytest.raises(TypeError, match=message):  # or the difference is none, and the test fails
                yield
            pytest.xfail(reason)
    return (yield)


@pytest.mark.slow
def test_scipys_own_tests_pass(tmp_path, capsys):
    options = ["-c", os.devnull, "-p", "no:cacheprovider", "-p", __name__, "-q"]
    command = [sys.executable, "-m", "pytest", "--pyargs", THEIR_TESTS, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they ask for none
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    with capsys.disabled():
        print(f"\nSciPy's own tests, against ours: {run.stdout.strip().splitlines()[-1]}")


def test_scipy_agrees_where_it_is_right():
    x = np.random.default_rng(1).normal(scale=5, size=(4, 5, 6))
    for axis in (0, 1, -1, (0, 2), None):
        assert_allclose(softmax_lib.softmax(x, axis=axis), special.softmax(x, axis=axis), rtol=1e-13)
        assert_allclose(softmax_lib.logsumexp(x, axis=axis), special.logsumexp(x, axis=axis), rtol=1e-13)
        kept = special.logsumexp(x, axis=axis, keepdims=True)
        assert_array_equal(softmax_lib.logsumexp(x, axis=axis, keepdims=True).shape, kept.shape)
        # SciPy's logarithm of a probability near one has an absolute error, not a relative one.
        logarithms = special.log_softmax(x, axis=axis)
        assert_allclose(softmax_lib.log_softmax(x, axis=axis), logarithms, rtol=1e-13, atol=1e-15)
