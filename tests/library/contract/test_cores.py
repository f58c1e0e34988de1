"""Work that is cut into blocks or shared among cores, several threads that ask for it, and child processes."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.library.contract.helpers import CALLS, CORE, NAN, normal


@pytest.mark.parametrize("function", [*CORE, "softmax_vjp"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(800, 1000), (1, 1_500_000)])
def test_cores_that_share_the_work_change_no_bit_and_stay_silent(backend, function, dtype, shape):
    if "emulated" in backend.name:
        pytest.skip("the emulated device is slow, and has no cores to share with")
    x = normal(*shape, dtype=dtype)
    x[1::3] += 2000
    x[-1, -1] = NAN  # in what the last to come gets
    arguments = [x, x] if function == "softmax_vjp" else [x]
    expected = np.concatenate(
        [np.atleast_1d(getattr(backend, function)(*(a[[i]] for a in arguments))) for i in range(len(x))]
    )
    with np.errstate(all="raise"):
        assert_array_equal(getattr(backend, function)(*arguments), expected)


def test_the_definition_works_in_the_thread_that_calls_it(numpy_backend, monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", None)  # whoever starts one fails
    x = normal(800, 1000)
    for function, call in CALLS.items():
        if function != "softmax_jacobian":
            call(getattr(numpy_backend, function), x if not function.startswith("cross") else x[0])


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_the_definition_is_interrupted_between_two_blocks():
    # The same row a million times: minutes of work, and no memory. A child of what a shell runs in the background
    # inherits that SIGINT is ignored, and then Python itself does not make it a KeyboardInterrupt.
    code = """
import signal, numpy, softmax_lib
signal.signal(signal.SIGINT, signal.default_int_handler)
x = numpy.broadcast_to(numpy.zeros(1000), (1_000_000, 1000))
print("ready", flush=True)
softmax_lib.logsumexp(x)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1)
        child.send_signal(signal.SIGINT)
        _, error = child.communicate(timeout=5)  # it takes some milliseconds, on a machine that does nothing else
    assert error.endswith("KeyboardInterrupt\n")


def test_a_call_imports_nothing_more():
    # A child process that is forked while another thread imports a module waits for that module for ever.
    code = """
import sys, numpy, softmax_lib
before = set(sys.modules)
x = numpy.zeros((3, 4))
softmax_lib.softmax(x, (0, 1), where=x == 0), softmax_lib.log_softmax(x, 0), softmax_lib.logsumexp(x)
softmax_lib.softmax([1, 2]), softmax_lib.merge(softmax_lib.normalizer(x), softmax_lib.normalizer(x))
softmax_lib.softmax_jacobian(x), softmax_lib.softmax_vjp(x, x)
softmax_lib.cross_entropy(x, [0, 1, 2]), softmax_lib.cross_entropy_grad(x, x + 0.25, label_smoothing=0.1)
print(sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_calls_from_many_threads_share_the_cores(backend):
    if "emulated" in backend.name:
        pytest.skip("the emulated device is slow, and has no cores to share with")
    arrays = [normal(600, 1000, seed=seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as callers:
        results = list(callers.map(backend.softmax, arrays))
    for x, result in zip(arrays, results, strict=True):
        assert_array_equal(result, backend.softmax(x))
