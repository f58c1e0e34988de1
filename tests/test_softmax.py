"""What softmax, logsumexp, normalizer and merge promise, in every backend."""

import itertools
import subprocess
import sys
import warnings

import ml_dtypes
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal, assert_array_max_ulp
from scipy import special

from softmax_lib import (
    cross_entropy,
    log_softmax,
    logsumexp,
    merge,
    normalizer,
    softmax,
    softmax_jacobian,
    softmax_vjp,
)
from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS, FIVE_LOGITS

INF, NAN = np.inf, np.nan
logits_arrays = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6),
    elements=st.floats(-1e3, 1e3),
)


@pytest.fixture(autouse=True)
def no_runtime_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def exact(x):
    """Softmax and log-sum-exp of a list, from 50 digits rounded once to float64."""
    with mpmath.workdps(50):
        exponentials = [mpmath.exp(mpmath.mpf(float(v))) for v in x]
        total = mpmath.fsum(exponentials)
        return np.array([float(e / total) for e in exponentials]), float(mpmath.log(total))


def ulps(got, expected):
    return np.max(np.abs(got - expected) / np.spacing(np.abs(expected)))


# --- values ----------------------------------------------------------------------------------------------------------


def test_the_five_logits_come_out_to_the_sources_digits():
    exponentials = np.exp(FIVE_LOGITS)
    assert repr(exponentials.round(8).tolist()) == "[3.66929667, 164.0219073, 9.0250135, 2.01375271, 3.00416602]"
    assert exponentials.sum() == 181.73413619837197
    assert (exponentials / exponentials.sum()).sum() == 1.0
    assert softmax(FIVE_LOGITS).round(8).tolist() == [0.02019046, 0.90253769, 0.04966053, 0.01108076, 0.01653055]


def test_cat_dog_tiger_none_come_out_to_the_sources_digits():
    assert (np.array(ANIMALS.weights) @ ANIMALS.hidden + ANIMALS.bias).tolist() == list(ANIMAL_LOGITS)
    exponentials = np.exp(ANIMAL_LOGITS)
    printed = [0.19101770813831334, 0.627890718698843, 0.11938650086860875, 0.061705072294234845]
    assert exponentials.round(8).tolist() == [3.49034296, 11.47304074, 2.18147227, 1.12749685]
    assert exponentials.sum() == 18.27235281733425
    assert (exponentials / exponentials.sum()).tolist() == printed
    assert ulps(softmax(ANIMAL_LOGITS), np.array(printed)) <= 2


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_known_values_survive_any_shift(shift):
    # mpmath, 50 digits: exp(k) / sum(exp(0..3))
    expected = [0.03205860328008499, 0.08714431874203257, 0.23688281808991013, 0.6439142598879724]
    assert_allclose(softmax(np.arange(4.0) + shift), expected, rtol=1e-15)


@pytest.mark.parametrize("sigma", [1e-8, 1.0, 30.0, 100.0])
@pytest.mark.parametrize("size", [1, 2, 12, 1000])
def test_float64_is_within_4_ulp_of_the_exact_answer(sigma, size):
    x = np.random.default_rng(size).normal(scale=sigma, size=size)
    probabilities, log_of_sum = exact(x)
    normal = probabilities >= np.finfo(float).tiny
    assert ulps(softmax(x)[normal], probabilities[normal]) <= 4
    # Blanchard, Higham and Higham (2021): u (1 + |y + n - min x| / |y|), to first order
    bound = 2**-53 * (1 + abs(log_of_sum + size - x.min()) / abs(log_of_sum))
    assert abs(logsumexp(x) - log_of_sum) <= 1.01 * bound * abs(log_of_sum)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize("size", [3, 300, 100_000])
def test_narrow_floats_are_rounded_once(dtype, size):
    x = np.random.default_rng(size).normal(scale=3, size=size).astype(dtype)
    wide = special.softmax(x.astype(np.float64))
    got = softmax(x)
    assert got.dtype == dtype
    format_ = ml_dtypes.finfo(dtype)
    ulp = np.maximum(float(format_.eps) * 2 ** np.floor(np.log2(wide)), float(format_.smallest_subnormal))
    assert np.max(np.abs(got.astype(np.float64) - wide) / ulp) <= 0.5001


def test_a_long_row_sums_to_one_along_any_axis():
    x = np.random.default_rng(0).normal(size=(100_000, 2)).astype(np.float32)
    assert_allclose(softmax(x, axis=0).astype(np.float64).sum(axis=0), 1, rtol=1e-7)


def test_scipy_agrees_where_it_is_right():
    x = np.random.default_rng(1).normal(scale=5, size=(4, 5, 6))
    for axis in (0, 1, -1, (0, 2), None):
        assert_allclose(softmax(x, axis=axis), special.softmax(x, axis=axis), rtol=1e-13)
        assert_allclose(logsumexp(x, axis=axis), special.logsumexp(x, axis=axis), rtol=1e-13)
        kept = logsumexp(x, axis=axis, keepdims=True)
        assert_array_equal(kept, np.reshape(logsumexp(x, axis=axis), kept.shape))


# --- odd inputs ------------------------------------------------------------------------------------------------------

ODD = [
    # slice, softmax, logsumexp
    ([1.0, NAN, 2.0], [NAN] * 3, NAN),
    ([1.0, INF, 2.0], [NAN] * 3, INF),
    ([INF, INF], [NAN] * 2, INF),
    ([INF, NAN], [NAN] * 2, NAN),
    ([0.0, -INF, 0.0], [0.5, 0.0, 0.5], np.log(2)),
    ([-INF, -INF], [NAN] * 2, -INF),
    ([], [], -INF),
    ([7.0], [1.0], 7.0),
    ([1.7e308, -1.7e308], [1.0, 0.0], 1.7e308),
    ([5e-324, 0.0], [0.5, 0.5], np.log(2)),
    ([0.0, -800.0], [1.0, 0.0], 0.0),
]


@pytest.mark.parametrize(("x", "probabilities", "log_of_sum"), ODD)
def test_odd_slices(x, probabilities, log_of_sum):
    assert_array_equal(softmax(x), probabilities)
    assert_allclose(logsumexp(x), log_of_sum, rtol=1e-15)
    maximum, total = normalizer(x)
    assert_allclose(maximum + (np.log(total) if total else -INF), log_of_sum, rtol=1e-15)


def test_an_odd_slice_leaves_the_others_alone():
    rows = np.array([[0.0, np.log(3)], [NAN, 1], [INF, 1], [-INF, -INF], [-INF, 1]])
    expected = [[0.25, 0.75], [NAN, NAN], [NAN, NAN], [NAN, NAN], [0, 1]]
    assert_allclose(softmax(rows), expected, rtol=1e-15)
    assert_allclose(softmax(rows.T, axis=0).T, expected, rtol=1e-15)


def test_scalars_and_empty_batches():
    assert softmax(3.0) == 1
    assert isinstance(softmax(np.float32(3)), np.float32)
    assert logsumexp(3) == 3
    assert isinstance(logsumexp([1.0, 2.0]), np.float64)
    assert softmax(np.empty((0, 3))).shape == (0, 3)
    assert logsumexp(np.empty((0, 3))).shape == (0,)
    assert_array_equal(logsumexp(np.empty((2, 0))), [-INF, -INF])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_integers_become_float64_before_anything_is_subtracted(dtype):
    x = np.array([100, 0, 27], dtype)
    assert_array_equal(softmax(x), softmax(x.astype(float)))
    assert softmax(np.int8([100, -100])).tolist() == [1.0, 1.3838965267367376e-87]
    assert_array_equal(softmax([True, False]), softmax([1.0, 0.0]))


def test_where_leaves_out_entries():
    x = [[1.0, NAN, 2.0], [5.0, 6.0, 7.0]]
    where = [[True, False, True], [False] * 3]
    two = softmax([1.0, 2.0])
    assert_array_equal(softmax(x, where=where), [[two[0], 0, two[1]], [0, 0, 0]])
    assert_array_equal(logsumexp(x, where=where), [logsumexp([1.0, 2.0]), -INF])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_the_float_type_is_kept(dtype):
    assert softmax(np.zeros(3, dtype)).dtype == dtype
    assert logsumexp(np.zeros(3, dtype)).dtype == dtype
    swapped = np.arange(3).astype(np.dtype(dtype).newbyteorder("S"))
    assert_array_equal(softmax(swapped), softmax(np.arange(3).astype(dtype)))


def test_out_receives_the_result_even_in_place():
    x = np.random.default_rng(2).normal(size=(3, 4))
    expected = softmax(x, axis=0)
    assert softmax(x, axis=0, out=x) is x
    assert_array_equal(x, expected)
    row = np.arange(6.0)
    expected = softmax(row[1:])
    softmax(row[1:], out=row[:-1])  # overlapping
    assert_array_equal(row[:-1], expected)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (TypeError, "softmax expects a real numeric array, got dtype <U3", lambda: softmax("abc")),
        (TypeError, "softmax expects a real numeric array, got dtype complex128", lambda: softmax([1j])),
        (TypeError, "logsumexp expects a real numeric array, got dtype object", lambda: logsumexp([None])),
        (TypeError, "got dtype datetime64", lambda: softmax(np.array(["2020"], "M8[D]"))),
        (TypeError, r"masked arrays are not supported; pass x.filled\(-np.inf\)", lambda: softmax(np.ma.ones(2))),
        (ValueError, "x must be a rectangular array of numbers, got a ragged", lambda: softmax([[1], [1, 2]])),
        (np.exceptions.AxisError, "axis 2 is out of bounds", lambda: softmax([[1.0]], axis=2)),
        (ValueError, "repeated axis", lambda: softmax([[1.0]], axis=(0, -2))),
        (TypeError, "axis must be an int, a tuple of ints or None, got 1.0", lambda: softmax([1.0], axis=1.0)),
        (TypeError, "axis must be an int, a tuple of ints or None, got True", lambda: logsumexp([1.0], axis=True)),
        (TypeError, "where must be an array of bool, got dtype int64", lambda: softmax([1.0], where=[1])),
        (ValueError, r"where must broadcast .* \(1,\), got shape \(3,\)", lambda: softmax([1.0], where=[True] * 3)),
        (ValueError, r"out must have the shape of x, \(1,\), got \(2,\)", lambda: softmax([1.0], out=np.empty(2))),
        (
            TypeError,
            "out must be an ndarray of dtype float64, got dtype int64",
            lambda: softmax([1.0], out=np.array([1])),
        ),
        (TypeError, "out must be an ndarray of dtype float64, got list", lambda: softmax([1.0], out=[1.0])),
        (ValueError, "out must be writeable", lambda: softmax([1.0], out=np.broadcast_to(1.0, (1,)))),
        (TypeError, "a must be a pair", lambda: merge(1.0, (0.0, 1.0))),
    ],
)
def test_bad_input_is_named(error, message, call):
    with pytest.raises(error, match=message):
        call()


# --- logarithms, derivatives, loss ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [1e-8, 1.0, 30.0, 100.0])
@pytest.mark.parametrize("size", [2, 12, 1000])
def test_log_softmax_is_within_4_ulp_of_the_exact_answer(sigma, size):
    x = np.random.default_rng(size).normal(scale=sigma, size=size)
    with mpmath.workdps(60):
        log_of_sum = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(v)) for v in x))
        expected = np.array([float(mpmath.mpf(v) - log_of_sum) for v in x])
    got = log_softmax(x)
    assert np.all(np.abs(got - expected) <= 4 * np.spacing(np.abs(expected)))


def test_log_softmax_keeps_a_small_rest_and_odd_slices():
    assert log_softmax([0.0, -40.0]).tolist() == [-4.248354255291589e-18, -40.0]
    for x, expected in [
        ([1.0, NAN], [NAN, NAN]),
        ([1.0, INF], [NAN, NAN]),
        ([-INF, -INF], [NAN, NAN]),
        ([1.0, -INF], [0.0, -INF]),
        ([1.7e308, -1.7e308], [0.0, -INF]),
        ([], []),
    ]:
        assert_array_equal(log_softmax(x), expected)
    assert log_softmax(3.0) == 0
    assert_array_equal(log_softmax([1.0, 2.0], where=[False, False]), [-INF, -INF])
    x = np.random.default_rng(4).normal(size=(3, 4, 5))
    assert_allclose(log_softmax(x, axis=(0, 2)), special.log_softmax(x, axis=(0, 2)), rtol=1e-13)


def test_the_jacobian_of_cat_dog_tiger_none():
    jacobian = softmax_jacobian(ANIMAL_LOGITS)
    assert_allclose(np.diag(jacobian), [0.15452994, 0.23364396, 0.10513336, 0.05789756], atol=5e-9)
    assert_allclose(jacobian[0, 1], -0.11993825, atol=5e-9)
    assert_array_equal(jacobian, jacobian.T)
    assert_allclose(jacobian.sum(axis=0), 0, atol=1e-16)
    batch = np.random.default_rng(5).normal(size=(2, 3, 4))
    assert_array_equal(softmax_jacobian(batch, axis=1)[1, 2], softmax_jacobian(batch[1, :, 2]))
    assert softmax_jacobian([40.0, 0.0])[0, 0] == pytest.approx(float(softmax([40.0, 0.0])[1]), rel=1e-15)


def test_the_vector_product_is_the_jacobians_and_loses_no_component():
    generator = np.random.default_rng(6)
    for _ in range(50):
        x, v = generator.normal(size=(2, 7))
        assert_allclose(softmax_vjp(softmax(x), v), softmax_jacobian(x) @ v, rtol=1e-12, atol=1e-16)
    p = softmax([37.43, 0.0])
    with mpmath.workdps(50):
        exact = mpmath.mpf(p[0]) * mpmath.mpf(p[1])
        for got, sign in zip(softmax_vjp(p, [1.0, 0.0]), (1, -1), strict=True):
            assert abs(mpmath.mpf(got) - sign * exact) <= 1e-14 * exact
    batch = softmax(generator.normal(size=(3, 4)), axis=0)
    directions = generator.normal(size=(3, 4))
    assert_array_equal(softmax_vjp(batch, directions, axis=0)[:, 2], softmax_vjp(batch[:, 2], directions[:, 2]))


def test_cross_entropy_of_indices_and_distributions():
    assert_allclose(cross_entropy(ANIMAL_LOGITS, 1), 0.465389142, atol=5e-10)
    x = np.random.default_rng(7).normal(size=(3, 5))
    target = np.array([4, 0, 2])
    assert_array_equal(cross_entropy(x, target), cross_entropy(x, np.eye(5)[target]))
    assert_array_equal(cross_entropy(x.T, target, axis=0), cross_entropy(x, target))
    assert_array_equal(cross_entropy([[0.0, -INF]], [[1.0, 0.0]]), [0.0])
    assert cross_entropy([0.0, -800.0], 1) == 800
    assert not np.signbit(cross_entropy([0.0, -800.0], 0))


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "target must be a class index from 0 to 1, got 2", lambda: cross_entropy([1.0, 2.0], 2)),
        (ValueError, "target must be a class index from 0 to 1, got -1", lambda: cross_entropy([1.0, 2.0], -1)),
        (ValueError, r"target must be class indices of shape \(\)", lambda: cross_entropy([1.0, 2.0], [0.5])),
        (ValueError, "none negative or NaN, got -1.0", lambda: cross_entropy([1.0, 2.0], [2.0, -1.0])),
        (ValueError, "sums to 1, got a sum of 2.0", lambda: cross_entropy([1.0, 2.0], [1.0, 1.0])),
        (ValueError, r"v must have the shape of p, \(2,\), got \(3,\)", lambda: softmax_vjp([0.5, 0.5], [1, 2, 3])),
        (ValueError, "an axis of classes, got a scalar", lambda: softmax_jacobian(1.0)),
        (TypeError, "axis must be an int, got None", lambda: softmax_jacobian([1.0], axis=None)),
    ],
)
def test_bad_input_of_these_is_named(error, message, call):
    with pytest.raises(error, match=message):
        call()


# --- invariants ------------------------------------------------------------------------------------------------------


@given(logits_arrays, st.data())
def test_probabilities_keep_order_and_ties_and_sum_to_one(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    before = x.copy()
    p = softmax(x, axis=axis)
    assert_array_equal(x, before)
    assert np.all((p >= 0) & (p <= 1))
    assert_allclose(p.sum(axis=axis), 1, rtol=1e-14)
    pairs = zip(
        np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis]),
        np.moveaxis(p, axis, -1).reshape(-1, x.shape[axis]),
        strict=True,
    )
    for logits, probabilities in pairs:
        order = np.argsort(logits, kind="stable")
        assert np.all(np.diff(probabilities[order]) >= 0)
        for i, j in itertools.combinations(range(len(logits)), 2):
            assert logits[i] != logits[j] or probabilities[i] == probabilities[j]


@given(hnp.arrays(np.float64, st.integers(1, 8), elements=st.integers(-500, 500)), st.integers(-(2**40), 2**40))
def test_an_exact_shift_changes_nothing(x, shift):
    assert_array_max_ulp(softmax(x + shift), softmax(x), maxulp=6)


@given(logits_arrays)
def test_layout_does_not_matter(x):
    expected = softmax(x)
    strided = np.full((*x.shape, 2), NAN)[..., 0]
    strided[...] = x
    for same in (np.asfortranarray(x), strided, x[::-1][::-1]):
        assert_array_equal(softmax(same), expected)
    read_only = x.copy()
    read_only.flags.writeable = False
    assert_array_equal(softmax(read_only), expected)
    assert_array_equal(softmax(x.T, axis=0), expected.T)


@given(
    hnp.arrays(np.float64, st.integers(0, 12), elements=st.floats(-700, 700) | st.sampled_from([INF, -INF])), st.data()
)
def test_pairs_of_parts_merge_into_the_pair_of_the_whole(x, data):
    cut = data.draw(st.integers(0, len(x)))
    for merged in (
        merge(normalizer(x[:cut]), normalizer(x[cut:])),
        merge(normalizer(x[cut:]), normalizer(x[:cut])),
    ):
        assert_allclose(merged, normalizer(x), rtol=1e-13)
    assert_array_equal(merge(normalizer([]), normalizer(x)), normalizer(x))


# --- the package -----------------------------------------------------------------------------------------------------


def test_importing_loads_numpy_and_nothing_heavier():
    heavy = ["numba", "cupy", "dask", "matplotlib", "anywidget", "ipywidgets", "IPython", "scipy"]
    code = f"import sys, softmax_lib; print([m for m in {heavy!r} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
