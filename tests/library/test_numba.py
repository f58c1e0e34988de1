"""What is particular to the Numba backend: its ways through memory, threads, and compiling no more than once."""

import functools
import itertools
import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import softmax_lib
from softmax_lib import with_numba

pytestmark = pytest.mark.slow  # Numba compiles
FLOATS = [np.float32, np.float64]
SHAPED = ["softmax", "log_softmax"]


def normal(*shape, dtype, scale=3.0, shift=0.0):
    return (np.random.default_rng(shape[-1]).normal(scale=scale, size=shape) + shift).astype(dtype)


def ulps(got, expected):
    """The largest error in ULP of the type of `got`; `expected` is wider or as wide."""
    assert got.dtype in FLOATS
    last_place = np.spacing(np.abs(expected).astype(got.dtype)).astype(np.float64)
    return np.max(np.abs(got.astype(np.float64) - expected) / last_place, initial=0)


def assert_as_numpy(x, axis=-1, within=6):
    """Every function of `x` is NumPy's in float64, to 4 ULP and what that itself is off by."""
    wide = x.astype(np.float64)
    for name in SHAPED:
        assert ulps(getattr(with_numba, name)(x, axis), getattr(softmax_lib, name)(wide, axis)) <= within, name
    rtol = 1e-14 if x.dtype == np.float64 else 1e-6
    assert_allclose(with_numba.logsumexp(x, axis), softmax_lib.logsumexp(wide, axis), rtol=rtol, atol=rtol)
    v = np.random.default_rng(0).normal(size=x.shape).astype(x.dtype)
    p = softmax_lib.softmax(x, axis)
    expected = softmax_lib.softmax_vjp(p.astype(np.float64), v.astype(np.float64), axis)
    assert_allclose(with_numba.softmax_vjp(p, v, axis), expected, rtol=rtol, atol=np.finfo(x.dtype).smallest_subnormal)


# --- every way through memory ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rows", [1, 15, 64, 67, 130])
def test_short_rows(dtype, rows):
    for length in [*range(1, 71), 127, 128]:
        assert_as_numpy(normal(rows, length, dtype=dtype))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("length", [129, 191, 192, 193, 511, 512, 513, 1023, 1024, 1025, 1087, 1088, 4097])
def test_rows(dtype, length):
    assert_as_numpy(normal(5, length, dtype=dtype))
    assert_as_numpy(normal(3, length, dtype=dtype, scale=20, shift=2e7))  # what is subtracted first then matters


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("length", [2**17 - 1, 2**17, 2**17 + 1, 5 * 2**15 - 1, 5 * 2**15, 5 * 2**15 + 1])
def test_long_rows(dtype, length):
    x = normal(2, length, dtype=dtype)
    x[0, 70_000] = 50  # the maximum of a row is not that of every piece
    x[1, : 2**15] = -np.inf  # and a piece may have none
    assert_as_numpy(x[0])
    for name in SHAPED:
        assert (
            ulps(getattr(with_numba, name)(x)[1, 2**15 :], getattr(softmax_lib, name)(x.astype(float))[1, 2**15 :]) <= 6
        )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(3, 5, 1), (2, 7, 63), (2, 130, 64), (3, 33, 65), (1, 2000, 70), (2, 8193, 2)])
def test_columns(dtype, shape):
    x = normal(*shape, dtype=dtype)
    for axis in (0, 1):
        assert_as_numpy(x, axis)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("shape", "axis"), [((1100, 2000), -1), ((70_000, 33), -1), ((1, 2**21 + 5), -1), ((300, 7040), 0)]
)
@pytest.mark.parametrize("offset", [0, 1, 7])
def test_results_that_go_past_the_caches(monkeypatch, dtype, shape, axis, offset):
    x = normal(*shape, dtype=dtype)
    given = x.copy()
    p = with_numba.softmax(x, axis)
    around = np.full(x.size + 32, 7, dtype)
    out = around[offset : offset + x.size].reshape(shape)
    calls = {name: functools.partial(getattr(with_numba, name), x, axis, out=out) for name in SHAPED}
    calls["logsumexp"] = functools.partial(with_numba.logsumexp, x, axis)
    calls["softmax_vjp"] = functools.partial(with_numba.softmax_vjp, p, x, axis, out=out)
    for name, call in calls.items():
        monkeypatch.setattr(with_numba, "STREAM", 2**50)
        expected = call().copy()
        monkeypatch.setattr(with_numba, "STREAM", 0)
        out[:] = 7
        assert_array_equal(call(), expected, name)
        assert np.all(around[:offset] == 7)
        assert np.all(around[offset + x.size :] == 7)
        assert_array_equal(x, given, name)


@pytest.mark.parametrize("shape", [(40, 3000), (5000, 24), (1, 300_000)])
def test_one_thread_and_several_agree_to_the_last_bit(monkeypatch, shape):
    x = normal(*shape, dtype=np.float32)
    together = {name: getattr(with_numba, name)(x) for name in [*SHAPED, "logsumexp"]}
    monkeypatch.setattr(with_numba, "SERIAL", 2**50)
    for name, expected in together.items():
        assert_array_equal(getattr(with_numba, name)(x), expected)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="a longdouble no wider than float64 is no reference")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("length", [20, 64, 300, 4096])
@pytest.mark.parametrize("shift", [0, 400])
def test_half_a_million_random_entries_are_within_4_units(shift, length, dtype):
    # Of so many, some show what a sum of a few entries rounds off: what test_accuracy.py tries is too little for that.
    wide = np.float64 if dtype == np.float32 else np.longdouble
    for scale in (0.1, 10):
        x = normal(250_000 // length, length, dtype=np.float64, scale=scale, shift=shift)
        x[::2, 0] += np.linspace(0, 40, len(x[::2]))
        x = x.astype(dtype)
        below = x.astype(wide) - x.max(axis=1, keepdims=True)
        exponentials = np.exp(below)
        others = exponentials.copy()
        np.put_along_axis(others, x.argmax(axis=1, keepdims=True), 0, axis=1)
        rest = others.sum(axis=1, keepdims=True)
        for function, exact in {"softmax": exponentials / (1 + rest), "log_softmax": below - np.log1p(rest)}.items():
            call = getattr(with_numba, function)
            unit = np.spacing(np.abs(exact).astype(dtype))
            for got in (call(x), call(np.ascontiguousarray(x.T), axis=0).T):
                assert np.max(np.abs(got - exact) / unit) <= 4, (function, scale)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="a longdouble no wider than float64 is no reference")
@pytest.mark.parametrize("seed", [26, 78])
def test_the_pieces_of_a_long_row_are_summed_as_exactly(seed):
    random = np.random.default_rng(seed)  # Two of the few whose totals show what a plain sum rounds off.
    x = random.normal(size=655_360) * random.choice([0.1, 3, 30]) + random.choice([0, 0, 50, -700, 900, -3000])
    x[random.random(x.size) > random.choice([0.1, 0.5, 0.9])] = -np.inf
    exact = np.exp(x.astype(np.longdouble) - x.max())
    exact /= exact.sum()
    assert np.max(np.abs(with_numba.softmax(x) - exact) / np.spacing(exact.astype(np.float64))) <= 4


@pytest.mark.parametrize("length", [40, 1000, 200_000])
@pytest.mark.parametrize("nan", [np.nan, -np.nan])
def test_a_nan_of_either_sign_is_seen_beside_an_infinity(length, nan):
    x = np.zeros((3, length))
    x[1, [3, length // 2]] = nan, np.inf
    x[2] = -np.inf
    x[2, -1] = nan
    assert_array_equal(with_numba.logsumexp(x), [np.log(length), np.nan, np.nan])
    assert np.isnan(with_numba.softmax(x)[1:]).all()
    assert np.isnan(with_numba.log_softmax(x)[1:]).all()


def test_a_float32_vector_product_loses_no_component():
    p, v = np.full(1000, 1e-20, np.float32), np.random.default_rng(0).normal(size=1000).astype(np.float32)
    p[500], v[500] = 1, 1
    # To the first order in the small ones, of which not one, but together they, are in the sure one's component.
    below = v.astype(float) - 1
    expected = p * below
    expected[500] = -expected.sum()
    assert_allclose(with_numba.softmax_vjp(p, v), expected, rtol=1e-6)


# --- accuracy --------------------------------------------------------------------------------------------------------

ROWS = {
    "ordinary": lambda n: np.random.default_rng(n).normal(size=n),
    "sigma 30": lambda n: np.random.default_rng(n).normal(scale=30, size=n),
    "all equal": lambda n: np.full(n, 0.1),
    "near ties": lambda n: 1 + 1e-6 * np.random.default_rng(n).normal(size=n),
    "one dominant": lambda n: np.r_[20.0, np.random.default_rng(n).normal(size=n - 1)],
    "shifted by 1e4": lambda n: 1e4 + np.random.default_rng(n).normal(size=n),
    "down to the subnormals": lambda n: np.linspace(-700, 0, n),
}


@pytest.mark.parametrize("size", [40, 1000, 200_000])
@pytest.mark.parametrize("name", ROWS)
def test_float64_is_within_4_ulp(name, size):
    x = ROWS[name](size)
    some = np.unique(np.r_[np.argmax(x), np.argmin(x), np.random.default_rng(0).integers(0, size, 60)])
    with mpmath.workdps(40):
        m = mpmath.mpf(x.max())
        exponentials = [mpmath.exp(mpmath.mpf(v) - m) for v in x] if size <= 1000 else None
        # Longer: 60 digits are not needed for the sum, only that it is right to 1e-18 (math.fsum of pairs of float64).
        total = mpmath.fsum(exponentials) if exponentials else _long_sum(x)
        expected = np.array([float(mpmath.exp(mpmath.mpf(x[i]) - m) / total) for i in some])
        logarithms = np.array([float(mpmath.mpf(x[i]) - m - mpmath.log(total)) for i in some])
    assert ulps(with_numba.softmax(x)[some], expected) <= 4
    assert ulps(with_numba.log_softmax(x)[some], logarithms) <= 4


def _long_sum(x):
    below = x.astype(np.longdouble) - x.astype(np.longdouble).max()
    return mpmath.mpf(str(np.sum(np.sort(np.exp(below)))))


@pytest.mark.parametrize(
    ("name", "size"),
    [*itertools.product(ROWS, [40, 1000, 100_000]), ("ordinary", 2**24), ("all equal", 2**24)],
)
def test_float32_is_within_4_ulp(name, size):
    x = ROWS[name](size).astype(np.float32)
    wide = x.astype(np.float64)
    for function in SHAPED:
        assert ulps(getattr(with_numba, function)(x), getattr(softmax_lib, function)(wide)) <= 4


@pytest.mark.skipif(np.longdouble == np.float64, reason="longdouble is float64 here")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("scale", [0.1, 3, 30])
def test_every_way_through_memory_is_within_4_ulp(dtype, axis, scale):
    for length in [2, 7, 22, 54, 78, 103, 115, 154, 186, 220, 295, 600, 1000, 1024, 1100, 3000]:
        x = np.moveaxis(normal(100, length, dtype=dtype, scale=scale), 1, axis).copy()
        for name in SHAPED:
            expected = getattr(softmax_lib, name)(x.astype(np.longdouble), axis)
            last_place = np.spacing(np.abs(expected).astype(dtype)).astype(np.longdouble)
            error = np.abs(getattr(with_numba, name)(x, axis).astype(np.longdouble) - expected) / last_place
            assert error.max() <= 4, (name, length)


# --- compiling and threads -------------------------------------------------------------------------------------------


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


COUNT = """
import numpy as np
from numba.core.dispatcher import Dispatcher
from softmax_lib import with_numba
kernels = [k for k in vars(with_numba).values() if isinstance(k, Dispatcher)]
assert len(kernels) > 10
print(sum(len(k.overloads) for k in kernels))
x = np.zeros((2, 200), np.float32)
with_numba.softmax(x)
with_numba.softmax(x, axis=0)
print(sum(sum(k.stats.cache_misses.values()) for k in kernels), sum(sum(k.stats.cache_hits.values()) for k in kernels))
"""


def test_importing_compiles_nothing_and_a_second_process_nothing_again(tmp_path):
    compiled, misses, _ = run(COUNT, NUMBA_CACHE_DIR=str(tmp_path))
    assert compiled == "0"
    assert int(misses) > 0
    compiled, misses, hits = run(COUNT, NUMBA_CACHE_DIR=str(tmp_path))
    assert (compiled, misses) == ("0", "0")
    assert int(hits) == 2


def test_one_core_is_enough():
    code = """
import numba, numpy as np
from softmax_lib import with_numba
assert numba.config.NUMBA_NUM_THREADS == 1
x = np.random.default_rng(0).normal(size=(100, 2000)).astype(np.float32)
assert abs(with_numba.softmax(x).sum(axis=1) - 1).max() < 1e-6
print(len(with_numba._rows_on_all_cores.overloads))
"""
    assert run(code, NUMBA_NUM_THREADS="1") == ["0"]


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_several_python_threads_at_once(layer):
    # Numba's own layer aborts the process where two of them come in together.
    code = """
import threading, numpy as np
from softmax_lib import with_numba
x = np.random.default_rng(0).normal(size=(300, 2000)).astype(np.float32)
expected = with_numba.softmax(x)
wrong = []
start = threading.Barrier(4)
def work():
    start.wait()
    for _ in range(100):
        if not np.array_equal(with_numba.softmax(x), expected):
            wrong.append(1)
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(len(wrong))
"""
    assert run(code, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2") == ["0"]


def test_who_finds_the_cores_taken_does_without_them(monkeypatch):
    x = normal(300, 1000, dtype=np.float32)
    expected = with_numba.softmax(x)
    monkeypatch.setattr(with_numba, "_rows_on_all_cores", None)
    with with_numba._one_at_a_time:
        assert_array_equal(with_numba.softmax(x), expected)
    assert not with_numba._one_at_a_time.locked()


def test_the_cores_are_given_back_after_an_error(monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(with_numba, "_rows_on_all_cores", broken)
    monkeypatch.setattr("numba.get_num_threads", lambda: 2)
    with pytest.raises(RuntimeError, match="broken"):
        with_numba.softmax(normal(300, 1000, dtype=np.float32))
    assert not with_numba._one_at_a_time.locked()


# --- inputs ----------------------------------------------------------------------------------------------------------


def test_read_only_arrays_are_neither_copied_nor_compiled_for():
    x = normal(4, 300, dtype=np.float32)
    expected = with_numba.softmax(x)
    kinds = len(with_numba._rows.overloads)
    x.flags.writeable = False
    assert_array_equal(with_numba.softmax(x), expected)
    assert np.shares_memory(with_numba._plain(x), x)
    assert len(with_numba._rows.overloads) == kinds


@pytest.mark.skipif(np.longdouble == np.float64, reason="longdouble is float64 here")
@pytest.mark.parametrize("name", sorted(with_numba.__all__))
def test_longdouble_is_refused(name):
    others = {"softmax_vjp": ([1.0, 0.0],), "cross_entropy": (0,), "cross_entropy_grad": (0,)}
    with pytest.raises(TypeError, match=f"{name} needs softmax_lib.with_numpy for longdouble"):
        getattr(with_numba, name)(np.longdouble([1, 2]), *others.get(name, ()))
