"""What is particular to the Numba backend: its ways through memory, threads, and compiling no more than once."""

import ast
import functools
import itertools
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import softmax_lib
from softmax_lib import with_numba
from softmax_lib.kernels import on_all_cores
from softmax_lib.kernels.rows import along_rows

pytestmark = pytest.mark.slow  # Numba compiles
PACKAGE = Path(softmax_lib.__file__).parent
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
    monkeypatch.setattr(on_all_cores, "SERIAL", 2**50)
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


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_class_has_the_probability_one(dtype):
    logits = np.append(np.linspace(-800, 800, 5001), [3e38, -3e38, 1e-40]).astype(dtype)
    odd = np.array([np.nan, -np.nan, np.inf, -np.inf], dtype)
    for axis in (0, 1):
        assert np.all(with_numba.softmax(np.expand_dims(logits, axis), axis) == 1)
        assert np.isnan(with_numba.softmax(np.expand_dims(odd, axis), axis)).all()
    assert np.all(with_numba.softmax(normal(400_000, 1, dtype=dtype)) == 1)  # on all cores


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("length", [2, 3, 12, 100, 1000, 3000])
def test_float32_logsumexp_near_zero_is_within_4_ulp(length, axis):
    for shift in (0, 1e-5, -1e-3, 0.1, -0.3, 1, -2):  # from log-probabilities
        x = normal(300, length, dtype=np.float64, scale=2)
        x = np.moveaxis(x - softmax_lib.logsumexp(x)[:, np.newaxis] + shift, 1, axis).astype(np.float32)
        expected = softmax_lib.logsumexp(x.astype(np.float64), axis)
        allowed = 4 * np.spacing(np.abs(expected).astype(np.float32)) + 1e-14  # what float64 rounds off
        assert np.all(np.abs(with_numba.logsumexp(x, axis) - expected) <= allowed)


def test_float32_logsumexp_near_zero_leaves_out_what_takes_no_part():
    x = np.log(np.float32([[0.5, 0.5, 9], [0.25, 0.75, 9], [9, 9, 9]]))
    where = [[True, True, False], [True, True, False], [True, True, True]]
    expected = softmax_lib.logsumexp(x, where=where, keepdims=True)
    assert_allclose(with_numba.logsumexp(x, where=where, keepdims=True), expected, rtol=3e-7, atol=1e-14)


TINY = {
    np.float64: [(-744.8, 1000), (-715.1, 10_000), (-740.0, 30), (-708.3, 200_000)],
    np.float32: [(-103.2, 1000), (-90.3, 10_000), (-101.0, 30), (-88.1, 200_000)],
}


@pytest.mark.parametrize(("dtype", "below", "count"), [(dtype, *case) for dtype in TINY for case in TINY[dtype]])
@pytest.mark.parametrize("shift", [0, 50, -3000])
@pytest.mark.parametrize("axis", [0, 1])
def test_many_exponentials_below_the_normal_numbers_keep_their_digits(dtype, below, count, shift, axis):
    # All of them are rounded alike: summed as subnormals they would be off by up to 43 %.
    row = np.append(0, np.full(count, below)).astype(dtype) + dtype(shift)
    x = np.stack([row, row, row], axis=1 - axis)
    first, one_hot = np.zeros(3, int), np.zeros_like(x)
    np.put_along_axis(one_hot, np.expand_dims(first, axis), 1, axis)
    with mpmath.workdps(50):
        rest = count * mpmath.exp(mpmath.mpf(float(row[1])) - mpmath.mpf(float(row[0])))
        loss, missing = float(mpmath.log1p(rest)), float(rest / (1 + rest))
        total = float(mpmath.mpf(float(row[0])) + mpmath.log1p(rest))
    found = {
        "log_softmax": (with_numba.log_softmax(x, axis).take(0, axis), -loss),
        "logsumexp": (with_numba.logsumexp(x, axis), total),
        "loss of the class": (with_numba.cross_entropy(x, first, axis), loss),
        "loss of the distribution": (with_numba.cross_entropy(x, one_hot, axis), loss),
        "gradient of the class": (with_numba.cross_entropy_grad(x, first, axis).take(0, axis), -missing),
        "gradient of the distribution": (with_numba.cross_entropy_grad(x, one_hot, axis).take(0, axis), -missing),
    }
    for name, (got, expected) in found.items():
        assert ulps(got, np.full(3, expected)) <= 4, name


def vector_products():
    """Probabilities and vectors of many kinds, by name."""
    random = np.random.default_rng(7)

    def p(size, scale=1.0):
        return softmax_lib.softmax(random.normal(size=size) * scale)

    def near_the_mean(shares, v):
        v[3] = 0
        rest = sum(Fraction(float(a)) for i, a in enumerate(shares) if i != 3)
        v[3] = float(sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(shares, v, strict=True)) / rest)
        return shares, v

    v = random.normal(size=200)
    wide = 10.0 ** random.uniform(-150, 150, 200)
    yield "ordinary", p(200), v
    yield "shares of many magnitudes", p(200, 30.0), v
    yield "shares down to the subnormals", p(200, 250.0), v
    yield "vectors of many magnitudes", p(200), v * wide
    yield "both of many magnitudes", p(200, 100.0), v * wide * 10.0 ** random.uniform(-150, 150, 200)
    yield "far from zero", p(200), v + 1e10
    yield "near the mean", *near_the_mean(p(200), v.copy())
    yield "far from zero and near the mean", *near_the_mean(p(200), v + 1e8)
    yield "nearly one-hot and far from zero", np.append(1, p(199) * 1e-20), 1 + 1e-10 * v
    yield "the surest far from all others", np.append(3, np.ones(5000)) / 5003, np.append(1e6, random.normal(size=5000))
    yield "longer than a block", p(3000, 3.0), random.normal(size=3000)
    yield "one large vector of little share", np.array([1, 1e-306, 1e-300]), np.array([0, 0, 1e300])
    yield "as wide as float64", np.array([0.5, 0.5]), np.array([1.7e308, -1.7e308])
    yield "as wide, of little share", np.array([1e-10, 1.0]), np.array([1.7e308, -1.7e308])
    yield "as wide, of no share", np.array([0.0, 0.75, 0.25]), np.array([1.7e308, 1e-300, -3e-300])
    yield "as wide, of the least share", np.array([5e-324, 1.0, 1e-9]), np.array([1.7e308, 1e-300, -3e-300])
    yield "thousands of tiny terms", np.append(1, np.full(5000, 1e-10)), np.append(0, np.full(5000, 3.3e-308))
    yield "no share at all", np.zeros(3), np.array([1.7e308, 1e-300, -1.0])
    yield "not probabilities", np.array([300.0, 2.0, 40.0]), np.array([1e300, -3.0, 1.0])


VECTOR_PRODUCTS = {name: arrays for name, *arrays in vector_products()}


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", VECTOR_PRODUCTS)
def test_the_vector_product_is_right_beside_the_size_of_its_terms(name, axis):
    p, v = VECTOR_PRODUCTS[name]
    got = with_numba.softmax_vjp(np.stack([p, p], 1 - axis), np.stack([v, v], 1 - axis), axis).take(1, 1 - axis)
    assert np.isfinite(got).all()
    p, v = ([Fraction(float(value)) for value in values] for values in (p, v))
    total, mean = sum(p), sum(a * b for a, b in zip(p, v, strict=True))
    order = sorted(range(len(v)), key=v.__getitem__)
    share_below = mean_below = Fraction(0)
    for i in order:  # sum_j p_j |v_i - v_j|, from those below and those above
        size = (v[i] * share_below - mean_below) + (mean - mean_below) - v[i] * (total - share_below)
        error = abs(Fraction(float(got[i])) - p[i] * (v[i] * total - mean))
        assert error <= Fraction(1, 10**14) * p[i] * size + Fraction(5e-324)
        share_below += p[i]
        mean_below += p[i] * v[i]


def test_a_vector_product_far_below_one_is_not_lost():
    assert with_numba.softmax_vjp([1.0, 1e-306, 1e-300], [0.0, 0.0, 1e300])[1] == -1e-306


def test_an_odd_vector_of_no_share_is_not_hidden():
    for odd in (np.nan, np.inf, -np.inf):
        assert np.isnan(with_numba.softmax_vjp([0.5, 0.5, 0.0], [1.0, 2.0, odd])).all()


# --- compiling and threads -------------------------------------------------------------------------------------------


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def copy_of_the_package(folder):
    """A copy, and the environment of a process that imports it and keeps there what it compiles."""
    copy = shutil.copytree(PACKAGE, folder / "softmax_lib", ignore=shutil.ignore_patterns("__pycache__", "static"))
    return copy, {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1", "NUMBA_CACHE_DIR": ""}


def test_the_package_of_kernels_alone_loads_nothing():
    assert run("import sys, softmax_lib.kernels; print('numba' in sys.modules)") == ["False"]


COUNT = """
import sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from softmax_lib import with_numba
modules = [module for name, module in sys.modules.items() if name.startswith("softmax_lib.kernels.")]
kernels = {k for module in modules for k in vars(module).values() if isinstance(k, Dispatcher)}
assert len(kernels) > 10
assert all(k.stats.cache_path for k in kernels)  # of all, what is compiled is kept
print(sum(len(k.overloads) for k in kernels))
with_numba.softmax(np.zeros((2, 200), np.float32), axis=0)  # along rows, there is three times as much to compile
print(sum(sum(k.stats.cache_misses.values()) for k in kernels), sum(sum(k.stats.cache_hits.values()) for k in kernels))
"""


def test_importing_compiles_nothing_and_a_second_process_nothing_again(tmp_path):
    compiled, misses, _ = run(COUNT, NUMBA_CACHE_DIR=str(tmp_path))
    assert compiled == "0"
    assert int(misses) > 0
    compiled, misses, hits = run(COUNT, NUMBA_CACHE_DIR=str(tmp_path))
    assert (compiled, misses) == ("0", "0")
    assert int(hits) == 1


REST = """
import numpy as np
from softmax_lib import with_numba
from softmax_lib.kernels.normalizers import rest_from  # small: a whole softmax takes twenty seconds to compile
rest = rest_from(2.0**61, 0, np.float32(0.3), np.float32(0))
stats = rest_from.stats
print(sum(stats.cache_misses.values()), sum(stats.cache_hits.values()), round(rest, 6), stats.cache_path)
"""


def test_a_change_in_any_file_of_kernels_compiles_all_anew(tmp_path):
    package, environment = copy_of_the_package(tmp_path)
    kept = str(package / "kernels" / "__pycache__")
    assert run(REST, **environment) == ["1", "0", "0.481636", kept]
    assert run(REST, **environment) == ["0", "1", "0.481636", kept]
    file = package / "kernels" / "exponential.py"  # not where the function stands
    text = file.read_text()
    assert text.count("0.16666576266288757, 0.5]") == 1
    file.write_text(text.replace("0.16666576266288757, 0.5]", "0.16666576266288757, 0.25]"))
    misses, hits, changed, _ = run(REST, **environment)
    assert (misses, hits) == ("1", "0")
    assert abs(float(changed) - 0.481636) > 1e-3


def test_kernels_are_compiled_from_nothing_outside_their_folder():
    # What the cache compares is that folder.
    for file in (PACKAGE / "kernels").glob("*.py"):
        imported = [
            node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        modules = [getattr(node, "module", None) or name.name for node in imported for name in node.names]
        ours = [module for module in modules if module.startswith("softmax_lib")]
        assert all(module.startswith("softmax_lib.kernels.") for module in ours), file.name
        assert not any(getattr(node, "level", 0) for node in imported), file.name


def test_where_no_folder_can_be_written_all_is_compiled_and_nothing_kept(tmp_path):
    package, environment = copy_of_the_package(tmp_path)
    (package / "kernels" / "__pycache__").write_text("A file here keeps even root from making a folder.")
    (tmp_path / "file").touch()
    below_a_file = dict.fromkeys(("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"), str(tmp_path / "file" / "folder"))
    assert run(REST, **environment | below_a_file) == ["1", "0", "0.481636", "None"]


def test_a_cache_that_is_lost_costs_only_time(tmp_path):
    cache = tmp_path / "cache"
    code = f"""
import shutil
from pathlib import Path
from softmax_lib.kernels.normalizers import rest_from
shutil.rmtree({str(cache)!r})
Path({str(cache)!r}).touch()
print(rest_from(2.0**501, 0, 0.0, 0.0))
"""
    assert run(code, NUMBA_CACHE_DIR=str(cache)) == ["1.0"]


def test_without_a_compiler_the_error_names_the_variable():
    code = """
try:
    import softmax_lib.with_numba
except ImportError as error:
    print(error)
"""
    told = " ".join(run(code, NUMBA_DISABLE_JIT="1"))
    assert "NUMBA_DISABLE_JIT" in told
    assert "unset it, or use softmax_lib, which has the same functions" in told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_child_process_does_without_the_threads_that_stayed_in_its_parent(layer):
    # GNU's OpenMP kills a child that asks for them.
    code = """
import os, signal
import numpy as np
from softmax_lib import softmax, with_numba
x = np.random.default_rng(0).normal(size=(300, 2000)).astype(np.float32)
expected = softmax(x.astype(np.float64))
def in_a_child():
    child = os.fork()
    if not child:
        signal.alarm(60)
        os._exit(not np.allclose(with_numba.softmax(x), expected, rtol=1e-6, atol=0))
    return os.waitpid(child, 0)[1]
before = in_a_child()
with_numba.softmax(x)
print(before, in_a_child())
"""
    assert run(code, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2") == ["0", "0"]


def test_one_core_is_enough():
    code = """
import numba, numpy as np
from softmax_lib import with_numba
assert numba.config.NUMBA_NUM_THREADS == 1
x = np.random.default_rng(0).normal(size=(100, 2000)).astype(np.float32)
assert abs(with_numba.softmax(x).sum(axis=1) - 1).max() < 1e-6
print(len(with_numba.along_rows_on_all_cores.overloads))
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
    monkeypatch.setattr(with_numba, "along_rows_on_all_cores", None)
    with on_all_cores._one_at_a_time:
        assert_array_equal(with_numba.softmax(x), expected)
    assert not on_all_cores._one_at_a_time.locked()


def test_the_cores_are_given_back_after_an_error(monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(with_numba, "along_rows_on_all_cores", broken)
    monkeypatch.setattr("numba.get_num_threads", lambda: 2)
    with pytest.raises(RuntimeError, match="broken"):
        with_numba.softmax(normal(300, 1000, dtype=np.float32))
    assert not on_all_cores._one_at_a_time.locked()


# --- inputs ----------------------------------------------------------------------------------------------------------


def test_read_only_arrays_are_neither_copied_nor_compiled_for():
    x = normal(4, 300, dtype=np.float32)
    expected = with_numba.softmax(x)
    kinds = len(along_rows.overloads)
    x.flags.writeable = False
    assert_array_equal(with_numba.softmax(x), expected)
    assert np.shares_memory(with_numba._plain(x), x)
    assert len(along_rows.overloads) == kinds


@pytest.mark.skipif(np.longdouble == np.float64, reason="longdouble is float64 here")
@pytest.mark.parametrize("name", sorted(with_numba.__all__))
def test_longdouble_is_refused(name):
    others = {"softmax_vjp": ([1.0, 0.0],), "cross_entropy": (0,), "cross_entropy_grad": (0,)}
    with pytest.raises(TypeError, match=f"{name} needs softmax_lib.with_numpy for longdouble"):
        getattr(with_numba, name)(np.longdouble([1, 2]), *others.get(name, ()))
