"""Several cores that share the work, and several threads that ask for it."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.library.contract.helpers import CORE, NAN, normal


@pytest.mark.parametrize("function", [*CORE, "softmax_vjp"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(800, 1000), (1, 1_500_000)])
def test_cores_that_share_the_work_change_no_bit_and_stay_silent(backend, monkeypatch, function, dtype, shape):
    if "emulated" in backend.name:
        pytest.skip("the emulated device is slow, and has no cores to share with")
    x = normal(*shape, dtype=dtype)
    x[1::3] += 2000
    x[-1, -1] = NAN  # in what the last to come gets
    arguments = [x, x] if function == "softmax_vjp" else [x]
    expected = np.concatenate(
        [np.atleast_1d(getattr(backend, function)(*(a[[i]] for a in arguments))) for i in range(len(x))]
    )
    monkeypatch.setattr(backend.module, "_CORES", 3, raising=False)  # with_numpy's, on a machine that has but one
    with np.errstate(all="raise"):
        assert_array_equal(getattr(backend, function)(*arguments), expected)


def test_at_the_end_of_the_interpreter_one_core_does_it_all():
    code = """
import atexit, numpy, softmax_lib
softmax_lib.with_numpy._CORES = 2
atexit.register(lambda: print(softmax_lib.softmax(numpy.zeros((1000, 1000))).sum()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (round(float(done.stdout)), done.stderr) == (1000, "")


def test_an_error_on_another_core_is_raised(numpy_backend, monkeypatch):
    elsewhere = threading.Event()

    def fail_elsewhere(logits, probabilities):
        if threading.current_thread() is not threading.main_thread():
            elsewhere.set()
            raise MemoryError("no memory left")
        assert elsewhere.wait(60)

    monkeypatch.setattr(numpy_backend.module, "_CORES", 2)
    monkeypatch.setattr(numpy_backend.module, "_softmax_slices", fail_elsewhere)
    with pytest.raises(MemoryError, match="no memory left"):
        numpy_backend.softmax(np.zeros((1000, 1000)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_process_has_threads_of_its_own():
    code = """
import os, threading, numpy, softmax_lib
softmax_lib.with_numpy._CORES = 2
x = numpy.zeros((1000, 1000))
softmax_lib.softmax(x)
child = os.fork()
total = softmax_lib.softmax(x).sum()
assert threading.active_count() == 2
if child:
    assert os.waitpid(child, 0)[1] == 0
    print(total)
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (round(float(done.stdout)), done.stderr) == (1000, "")


def test_calls_from_many_threads_share_the_cores(backend, monkeypatch):
    if "emulated" in backend.name:
        pytest.skip("the emulated device is slow, and has no cores to share with")
    monkeypatch.setattr(backend.module, "_CORES", 2, raising=False)
    arrays = [normal(600, 1000, seed=seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as callers:
        results = list(callers.map(backend.softmax, arrays))
    for x, result in zip(arrays, results, strict=True):
        assert_array_equal(result, backend.softmax(x))
