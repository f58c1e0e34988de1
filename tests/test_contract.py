"""What every backend promises: the values, the odd inputs, `out`, the axes, the errors and the invariants."""

import itertools
import math
import os
import re
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal, assert_array_max_ulp

import softmax_lib
from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS, FIVE_LOGITS

INF, NAN = np.inf, np.nan
LOG_2 = math.log(2)
NARROW = [np.float16, ml_dtypes.bfloat16, np.float32]
FLOATS = [*NARROW, np.float64, np.longdouble]
SHAPED = ["softmax", "log_softmax"]  # the result has the shape of x
CORE = [*SHAPED, "logsumexp"]
# How each function is called on logits alone.
CALLS = {
    **{name: lambda f, x: f(x) for name in [*CORE, "normalizer", "softmax_jacobian"]},
    "softmax_vjp": lambda f, x: f(x, np.ones(np.shape(x))),
    "cross_entropy": lambda f, x: f(x, 0),
    "cross_entropy_grad": lambda f, x: f(x, 0),
}

settings.register_profile("unhurried", deadline=None, derandomize=True)
settings.load_profile("unhurried")


def skip_longdouble_elsewhere(backend, dtype):
    if dtype is np.longdouble and backend.name != "with_numpy":
        pytest.skip("longdouble is NumPy's alone; test_longdouble_is_kept_or_refused sees to the others")


def normal(*shape, scale=1.0, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype(dtype)


def assert_same(backend, got, expected):
    """To the last bit; or to twice 4 ULP where a backend goes another way through memory along another axis."""
    if backend.name == "with_numpy":
        assert_array_equal(got, expected)
    else:
        format_ = np.finfo(np.asarray(expected).dtype)
        assert_allclose(got, expected, rtol=8 * format_.eps, atol=format_.smallest_subnormal)


# --- values ----------------------------------------------------------------------------------------------------------


def test_every_function_of_the_package_is_numpys(backend):
    for name in softmax_lib.__all__:
        assert callable(getattr(backend, name))
    assert set(CALLS) | {"merge"} == set(softmax_lib.__all__)


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_the_five_logits_come_out_to_the_sources_digits(backend, shift):
    exponentials = np.exp(FIVE_LOGITS)
    assert repr(exponentials.round(8).tolist()) == "[3.66929667, 164.0219073, 9.0250135, 2.01375271, 3.00416602]"
    assert exponentials.sum() == 181.73413619837197
    assert (exponentials / exponentials.sum()).sum() == 1.0
    probabilities = backend.softmax(np.array(FIVE_LOGITS) + shift)
    assert probabilities.round(8).tolist() == [0.02019046, 0.90253769, 0.04966053, 0.01108076, 0.01653055]


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_cat_dog_tiger_none_come_out_to_the_sources_digits(backend, shift):
    assert (np.array(ANIMALS.weights) @ ANIMALS.hidden + ANIMALS.bias).tolist() == list(ANIMAL_LOGITS)
    exponentials = np.exp(ANIMAL_LOGITS)
    printed = [0.19101770813831334, 0.627890718698843, 0.11938650086860875, 0.061705072294234845]
    assert exponentials.round(8).tolist() == [3.49034296, 11.47304074, 2.18147227, 1.12749685]
    assert exponentials.sum() == 18.27235281733425
    assert (exponentials / exponentials.sum()).tolist() == printed
    assert_array_max_ulp(backend.softmax(ANIMAL_LOGITS), np.array(printed), maxulp=2)
    # A shift of 1e4 rounds the logits themselves, by up to 9e-13.
    assert_allclose(backend.softmax(np.array(ANIMAL_LOGITS) + shift), printed, rtol=4e-12)


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_known_values_survive_any_shift(backend, shift):
    # mpmath, 50 digits: exp(k) / sum(exp(0..3)), and the logarithms
    probabilities = [0.03205860328008499, 0.08714431874203257, 0.23688281808991013, 0.6439142598879724]
    logarithms = [-3.4401896985611953, -2.4401896985611953, -1.4401896985611953, -0.44018969856119533]
    x = np.arange(4.0) + shift
    assert_allclose(backend.softmax(x), probabilities, rtol=1e-15)
    assert_allclose(backend.log_softmax(x), logarithms, rtol=1e-15)
    assert_allclose(backend.logsumexp(x) - shift, 3.4401896985611953, rtol=1e-15, atol=2 * np.spacing(abs(shift)))


def test_a_small_rest_is_not_swallowed(backend):
    # mpmath: log1p(exp(-40))
    assert_allclose(backend.log_softmax([0.0, -40.0]), [-4.248354255291589e-18, -40.0], rtol=1e-15)
    assert_allclose(backend.logsumexp([0.0, -40.0]), 4.248354255291589e-18, rtol=1e-15)
    assert_allclose(backend.cross_entropy([0.0, -40.0], 0), 4.248354255291589e-18, rtol=1e-15)


# --- odd inputs: the table of the design ----------------------------------------------------------------------------


def odd_slices(dtype):
    """Name: slice, its softmax, log_softmax and logsumexp."""
    largest, least = (float(f(ml_dtypes.finfo(dtype))) for f in (lambda i: i.max, lambda i: i.smallest_subnormal))
    if dtype is np.longdouble:
        largest, least = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    return {
        "nan": ([1, NAN, 2], [NAN] * 3, [NAN] * 3, NAN),
        "inf": ([1, INF, 2], [NAN] * 3, [NAN] * 3, INF),
        "infs": ([INF, INF], [NAN] * 2, [NAN] * 2, INF),
        "inf and -inf": ([-INF, INF], [NAN] * 2, [NAN] * 2, INF),
        "inf and nan": ([INF, NAN], [NAN] * 2, [NAN] * 2, NAN),
        "-inf and nan": ([-INF, NAN], [NAN] * 2, [NAN] * 2, NAN),
        "some -inf": ([0, -INF, 0], [0.5, 0, 0.5], [-LOG_2, -INF, -LOG_2], LOG_2),
        "some -inf, shifted": ([1024, -INF, 1024], [0.5, 0, 0.5], [-LOG_2, -INF, -LOG_2], 1024 + LOG_2),
        "all -inf": ([-INF] * 2, [NAN] * 2, [NAN] * 2, -INF),
        "empty": ([], [], [], -INF),
        "one entry": ([7], [1], [0], 7),
        "one masked entry": ([-INF], [NAN], [NAN], -INF),
        "0-d": (7, 1, 0, 7),
        "0-d nan": (NAN, NAN, NAN, NAN),
        "0-d -inf": (-INF, NAN, NAN, -INF),
        "widest spread": ([largest, -largest], [1, 0], [0, -INF], largest),
        "largest twice": ([largest, largest], [0.5, 0.5], [-LOG_2] * 2, largest),
        "least twice": ([-largest, -largest], [0.5, 0.5], [-LOG_2] * 2, -largest),
        "subnormals": ([least, 0, -least], [1 / 3] * 3, [-math.log(3)] * 3, math.log(3)),
        "far below": ([0, -12288], [1, 0], [0, -12288], 0),
    }


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("function", CORE)
@pytest.mark.parametrize("name", odd_slices(np.float64))
def test_odd_slices(backend, function, name, dtype):
    skip_longdouble_elsewhere(backend, dtype)
    x, *expected = odd_slices(dtype)[name]
    with np.errstate(all="raise"):  # silent, also for those who ask NumPy to raise
        got = getattr(backend, function)(np.array(x, dtype))
    assert got.dtype == dtype
    rounding = 1e-15 if dtype is np.longdouble else float(ml_dtypes.finfo(dtype).eps)  # LOG_2 is but a float64
    want = np.array(expected[CORE.index(function)], got.dtype)
    assert got.shape == want.shape
    assert_allclose(got.astype(np.longdouble), want.astype(np.longdouble), rtol=rounding, atol=0)


@pytest.mark.parametrize("name", odd_slices(np.float64))
def test_the_normalizer_of_an_odd_slice_gives_its_logsumexp(backend, name):
    x, *_, log_of_sum = odd_slices(np.float64)[name]
    with np.errstate(all="raise"):
        maximum, total = backend.normalizer(x)
    assert_array_equal(maximum, np.max(np.array(x, float), initial=-INF))
    assert_allclose(maximum + (np.log(total) if total else -INF), log_of_sum, rtol=1e-15)


def test_the_normalizer_counts_an_infinite_maximum(backend):
    for x, expected in [([INF, 1.0, INF], (INF, 2)), ([-INF, -INF], (-INF, 2)), ([], (-INF, 0)), (3.0, (3, 1))]:
        assert backend.normalizer(x) == expected
    maximum, total = backend.normalizer([1000.0, 1000.0, 999.0])
    assert maximum == 1000
    assert_allclose(total, 2 + math.exp(-1), rtol=1e-15)


@pytest.mark.parametrize(
    ("function", "of_rest", "of_nothing"), [("softmax", [0.25, 0, 0.75], 0), ("log_softmax", None, -INF)]
)
def test_where_leaves_out_entries(backend, function, of_rest, of_nothing):
    x = [[0.0, NAN, math.log(3)], [5.0, INF, 7.0], [NAN] * 3]
    where = [[True, False, True], [False] * 3, [False] * 3]
    of_rest = of_rest or [math.log(0.25), -INF, math.log(0.75)]
    got = getattr(backend, function)(x, where=where)
    assert_allclose(got, [of_rest, [of_nothing] * 3, [of_nothing] * 3], rtol=1e-15)
    across = getattr(backend, function)(np.transpose(x), 0, where=np.transpose(where))
    assert_array_equal(across, got.T)
    assert getattr(backend, function)(5.0, where=False) == of_nothing
    assert_array_equal(getattr(backend, function)([1.0, 2.0], where=[False] * 2), [of_nothing] * 2)


def test_where_leaves_out_entries_of_a_sum(backend):
    x = [[0.0, NAN, math.log(3)], [5.0, INF, 7.0]]
    where = [[True, False, True], [False] * 3]
    assert_allclose(backend.logsumexp(x, where=where), [math.log(4), -INF], rtol=1e-15)
    assert_allclose(backend.logsumexp(x, axis=None, where=where), math.log(4), rtol=1e-15)
    assert backend.logsumexp(5.0, where=False) == -INF


@pytest.mark.parametrize("dtype", NARROW)
def test_where_leaves_out_entries_of_narrow_floats(backend, dtype):
    x = normal(40, 300, scale=3).astype(dtype)
    where = x.astype(np.float64) < 2
    for function in CORE:
        wide = getattr(backend, function)(x.astype(np.float64), where=where)
        got = getattr(backend, function)(x, where=where)
        assert got.dtype == dtype
        of_one, of_zero = (float(np.spacing(dtype(number))) for number in (1, 0))
        assert_allclose(got.astype(np.float64), wide, rtol=2 * of_one, atol=of_zero)


def test_where_broadcasts(backend):
    x = normal(4, 5)
    mask = np.array([True, False, True, True, False])
    for function in CORE:
        call = getattr(backend, function)
        assert_array_equal(call(x, where=mask), call(x, where=np.broadcast_to(mask, x.shape)))
    assert_array_equal(backend.softmax(x, 0, where=mask[:4, np.newaxis])[1], np.zeros(5))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3)])
@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8])
def test_empty_axes_and_empty_batches(backend, shape, axis, dtype):
    x = np.empty(shape, dtype)
    float_type = np.float64 if dtype is np.int8 else dtype
    for function in SHAPED:
        got = getattr(backend, function)(x, axis)
        assert (got.shape, got.dtype) == (shape, float_type)
        assert getattr(backend, function)(x, axis, where=np.empty(shape, bool)).shape == shape
    expected = np.full_like(x.astype(float_type).sum(axis=axis), -INF)
    got = backend.logsumexp(x, axis)
    assert got.dtype == float_type
    assert_array_equal(got, expected)
    assert_array_equal(backend.normalizer(x, axis), [expected, np.zeros_like(expected)])


@pytest.mark.parametrize("x", [7, 7.0, np.float32(7), np.array(7.0), np.int8(7), True])
@pytest.mark.parametrize("axis", [-1, 0, None, (0,)])
def test_a_scalar_is_a_slice_of_one_entry(backend, x, axis):
    assert backend.softmax(x, axis) == 1
    assert backend.log_softmax(x, axis) == 0
    assert backend.logsumexp(x, axis) == x
    for function in CORE:
        got = getattr(backend, function)(x, axis)
        assert isinstance(got, np.float32 if isinstance(x, np.float32) else np.float64)


@pytest.mark.parametrize("dtype", FLOATS)
def test_full_reductions_are_numpy_scalars(backend, dtype):
    skip_longdouble_elsewhere(backend, dtype)
    x = np.ones((2, 3), dtype)
    assert isinstance(backend.logsumexp(x, axis=None), dtype)
    assert isinstance(backend.logsumexp(x[0]), dtype)
    assert isinstance(backend.cross_entropy(x[0], 1), dtype)
    wide = dtype if dtype is np.longdouble else np.float64
    assert all(isinstance(part, wide) for part in backend.normalizer(x, axis=None))
    assert all(isinstance(part, wide) for part in backend.merge(*[backend.normalizer(row) for row in x]))
    assert isinstance(backend.logsumexp(x, axis=None, keepdims=True), np.ndarray)


INTEGERS = {
    np.int8: [100, -100, 27],
    np.uint8: [200, 0, 255],
    np.int16: [32767, -32768, 32766],
    np.uint64: [2**40, 0, 2**40 + 1],
    np.int64: [3, -800, 5],
    np.bool_: [True, False, True],
    ml_dtypes.int4: [7, -8, 5],
    ml_dtypes.uint4: [15, 0, 14],
}


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("function", CALLS)
def test_integers_become_float64_before_anything_is_subtracted(backend, function, dtype):
    x = np.array(INTEGERS[dtype], dtype)
    call = CALLS[function]
    got = call(getattr(backend, function), x)
    assert_array_equal(got, call(getattr(backend, function), x.astype(np.float64)))
    assert np.asarray(got).dtype == np.float64


def test_the_difference_of_small_integers_does_not_wrap(backend):
    # SciPy 1.17 gives [0, nan].
    assert_allclose(backend.softmax(np.int8([100, -100])), [1, 1.3838965267367376e-87], rtol=1e-15)
    assert_array_equal(backend.log_softmax(np.int8([100, -100])), [-1.3838965267367376e-87, -200])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("function", [name for name in CALLS if name != "normalizer"])
def test_the_float_type_is_kept(backend, function, dtype):
    skip_longdouble_elsewhere(backend, dtype)
    x = np.array([[0.0, 1.5, -2.0]], dtype)
    call = getattr(backend, function)
    got = call(x, [0]) if function.startswith("cross") else CALLS[function](call, x)
    assert got.dtype == dtype
    assert got.dtype.isnative


@pytest.mark.parametrize("dtype", NARROW)
def test_narrow_floats_are_accumulated_in_a_wider_type(backend, dtype):
    # A running sum in bfloat16 stops at 256, in float16 at 2048.
    x = np.zeros(5000, dtype)
    eps = float(ml_dtypes.finfo(dtype).eps)
    assert_allclose(backend.softmax(x).astype(np.float64), 1 / 5000, rtol=eps)
    assert_allclose(np.float64(backend.logsumexp(x)), math.log(5000), rtol=eps)
    assert_allclose(backend.log_softmax(x).astype(np.float64), -math.log(5000), rtol=eps)
    exact = 1 / 5000 * (1 - 1 / 5000)
    direction = np.eye(1, 5000)[0].astype(dtype)
    assert_allclose(np.float64(backend.softmax_vjp(backend.softmax(x), direction)[0]), exact, rtol=2 * eps)


def test_longdouble_is_kept_or_refused(backend):
    x = np.longdouble([0, 1])
    if backend.name != "with_numpy":
        with pytest.raises(TypeError, match=f"got dtype {x.dtype}"):
            backend.softmax(x)
        return
    # mpmath: 1 / (1 + e)
    smaller = np.longdouble("0.26894142136999512074884075817861")
    got = backend.softmax(x)
    assert np.all(np.abs(got - [smaller, 1 - smaller]) <= 2 * np.finfo(np.longdouble).eps)
    assert abs(backend.softmax(x * 0 + 20000)[0] - np.longdouble(0.5)) == 0
    log_of_sum = np.longdouble("1.3132616875182228340489954949679")
    assert abs(backend.logsumexp(x) - log_of_sum) <= 2 * np.finfo(np.longdouble).eps
    assert abs(backend.log_softmax(x)[0] + log_of_sum) <= 2 * np.finfo(np.longdouble).eps
    jacobian = backend.softmax_jacobian(x)
    assert abs(jacobian[0, 1] + smaller * (1 - smaller)) <= np.finfo(np.longdouble).eps


def unaligned(x):
    buffer = np.zeros(x.nbytes + 1, np.uint8)[1:]
    view = buffer.view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def every_second(x):
    wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), NAN, x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


LAYOUTS = {
    "C order": lambda x: x.copy(),
    "F order": np.asfortranarray,
    "every second entry": every_second,
    "negative steps": lambda x: np.ascontiguousarray(x[::-1, ..., ::-1])[::-1, ..., ::-1],
    "swapped axes": lambda x: np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1),
    "unaligned": unaligned,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder("S")),
    "nested lists": lambda x: x.tolist(),
}


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_does_not_matter_and_the_input_is_not_written(backend, function, layout):
    x = normal(3, 4, 5, scale=300)
    same = LAYOUTS[layout](x)
    if isinstance(same, np.ndarray):
        same.flags.writeable = False
    call = getattr(backend, function)
    target = np.arange(12).reshape(3, 4) % 5
    for other in [target] if function.startswith("cross") else [x] if function == "softmax_vjp" else [None]:
        more = () if other is None else (other,)
        assert_array_equal(call(same, *more), call(x.copy(), *more))
    assert_array_equal(same, x)


@pytest.mark.parametrize("function", CORE)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_byte_swapped_narrow_float_comes_back_native(backend, function, dtype):
    x = normal(4, 5, dtype=dtype)
    got = getattr(backend, function)(x.astype(np.dtype(dtype).newbyteorder("S")))
    assert got.dtype == dtype
    assert got.dtype.isnative
    assert_array_equal(got, getattr(backend, function)(x))


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize("value", [0.0, 1e4, -1e4, -INF, INF, NAN, 5e-324, 1.7e308, -1.7e308])
@pytest.mark.parametrize("size", [1, 3, 70])
def test_nothing_warns_and_nothing_is_written(backend, function, value, size):
    x = np.zeros(size)
    x[-1] = value
    before = x.copy()
    with np.errstate(all="raise"):
        CALLS[function](getattr(backend, function), x)
    assert_array_equal(x, before)


@pytest.mark.parametrize("function", CALLS)
def test_the_settings_of_numpy_are_left_alone(backend, function):
    x = normal(3, 600)
    more = [np.arange(3)] if function.startswith("cross") else [x] if function == "softmax_vjp" else []
    with np.errstate(all="raise"):
        np.setbufsize(4096)
        getattr(backend, function)(x, *more)
        assert np.getbufsize() == 4096
        assert set(np.geterr().values()) == {"raise"}


# --- axes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3, np.int64(1), (0, 2), (2, 0), (-1, 0), (1,), (0, 1, 2), None, ()])
def test_axes(backend, axis):
    x = normal(3, 4, 5, scale=3)
    reduced = tuple(range(3)) if axis is None else axis if isinstance(axis, tuple) else int(axis)
    exponentials = np.exp(x)
    sums = exponentials.sum(axis=reduced, keepdims=True)
    assert_allclose(backend.softmax(x, axis), exponentials / sums, rtol=1e-14)
    assert_allclose(backend.log_softmax(x, axis), np.log(exponentials / sums), rtol=1e-12, atol=1e-15)
    assert_allclose(backend.logsumexp(x, axis), np.log(sums.squeeze(reduced)), rtol=1e-14, atol=1e-15)
    kept = backend.logsumexp(x, axis, keepdims=True)
    assert kept.shape == sums.shape
    assert_array_equal(kept, np.reshape(backend.logsumexp(x, axis), sums.shape))
    maximum, total = backend.normalizer(x, axis)
    assert_array_equal(maximum, x.max(axis=reduced))
    assert_allclose(total, (sums / np.exp(x.max(axis=reduced, keepdims=True))).squeeze(reduced), rtol=1e-14)


@pytest.mark.parametrize("axis", [(0, 3), (3, 1), (2, 0)])
def test_two_axes_of_four(backend, axis):
    exponentials = np.exp(normal(2, 3, 4, 5))
    expected = exponentials / exponentials.sum(axis=axis, keepdims=True)
    assert_allclose(backend.softmax(np.log(exponentials), axis), expected, rtol=1e-14)


@pytest.mark.parametrize(("shape", "axis"), [((1, 5, 3), (0, 2)), ((4, 1, 5, 3), (1, 3)), ((1, 4, 3, 2), (0, 3))])
def test_axes_of_length_one_among_others(backend, shape, axis):
    x = normal(*shape)
    expected = backend.softmax(np.squeeze(x), axis=-1)
    for out in (None, np.full(shape, NAN)):
        assert_allclose(np.squeeze(backend.softmax(x, axis, out=out)), expected, rtol=4e-15)


@pytest.mark.parametrize("function", CORE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", [lambda x: x.swapaxes(1, 2), np.asfortranarray, lambda x: x[::-1, ::-1, ::-1]])
def test_large_arrays_of_any_layout(backend, function, dtype, layout):
    if "emulated" in backend.name:
        pytest.skip("the emulated device is slow")
    x = layout(normal(256, 80, 80, dtype=dtype))
    for axis in (0, 1, 2):
        expected = getattr(backend, function)(x.copy(), axis)
        assert_allclose(getattr(backend, function)(x, axis), expected, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("function", [*SHAPED, "softmax_vjp", "logsumexp"])
@pytest.mark.parametrize("shape", [(9000, 400), (400, 9000), (8, 1_200_000)])
@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_needed_beside_the_result_is_little(numpy_backend, monkeypatch, function, shape, axis):
    monkeypatch.setattr(numpy_backend.module, "_CORES", 2)
    x = np.zeros(shape)
    tracemalloc.start()
    getattr(numpy_backend, function)(*[x] * (2 if function == "softmax_vjp" else 1), axis=axis)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * x.nbytes


@pytest.mark.parametrize("function", [*CORE, "normalizer"])
@pytest.mark.parametrize(
    ("axis", "error", "message"),
    [
        ((0, 0), ValueError, "repeated axis"),
        ((1, -1), ValueError, "repeated axis"),
        (2, np.exceptions.AxisError, "axis 2 is out of bounds for array of dimension 2"),
        (-3, np.exceptions.AxisError, "axis -3 is out of bounds for array of dimension 2"),
        ((0, 2), np.exceptions.AxisError, "axis 2 is out of bounds for array of dimension 2"),
        (1.0, TypeError, "axis must be an int, a tuple of ints or None, got 1.0"),
        (True, TypeError, "axis must be an int, a tuple of ints or None, got True"),
        ((0, False), TypeError, r"axis must be an int, a tuple of ints or None, got \(0, False\)"),
        ("0", TypeError, "axis must be an int, a tuple of ints or None, got '0'"),
        ([0], TypeError, r"axis must be an int, a tuple of ints or None, got \[0\]"),
    ],
)
def test_a_bad_axis_is_named(backend, function, axis, error, message):
    with pytest.raises(error, match=message):
        getattr(backend, function)(np.zeros((2, 3)), axis)


@pytest.mark.parametrize("axis", [1, -2, (0, -1)])
def test_a_scalar_has_but_one_axis(backend, axis):
    with pytest.raises(ValueError, match=r"out of bounds|repeated axis"):
        backend.softmax(1.0, axis)


# --- a slice is on its own ------------------------------------------------------------------------------------------


def many_rows(length, dtype):
    """Rows, odd ones among them, that need a shift and that do not: three blocks of 2**16 entries, one row the last."""
    rows = normal(2 * (2**16 // length) + 1, length, dtype=dtype)
    rows[1::3] += 2000
    rows[2::7] -= 2000
    rows[3::5, 0] = NAN
    rows[4::11, -1] = INF
    rows[5::13] = -INF
    rows[6::17, 1:] = -INF
    return rows


@pytest.mark.parametrize("function", CORE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [3, 40, 64, 65, 1000])
def test_a_row_does_not_depend_on_the_rows_beside_it(backend, function, dtype, length):
    rows = many_rows(length, dtype)
    call = getattr(backend, function)
    together = call(rows)
    count = len(rows)
    for some in [slice(0, 2), slice(5, 8), slice(1, None, 3), slice(0, None, 3), slice(count // 3, None)]:
        assert_array_equal(call(rows[some]), together[some])
    for row in {*range(20), count // 2 - 1, count // 2, count - 1}:
        assert_array_equal(call(rows[row]), together[row])
    assert_array_equal(call(rows[::-1])[::-1], together)
    assert_same(backend, call(rows.T, 0), together.T)


def test_a_float32_row_between_two_numbers_is_the_same_in_any_batch(backend):
    # The last place of its sum in float64 decides how one probability rounds to float32: one row in seven million.
    row = normal(64, seed=713_727, dtype=np.float32)
    assert_array_equal(backend.softmax(np.stack([row, row]))[0], backend.softmax(row))


@pytest.mark.parametrize("function", CORE)
@pytest.mark.parametrize("odd", [NAN, INF, -INF, 1.7e308])
def test_an_odd_slice_leaves_the_others_alone(backend, function, odd):
    x = normal(200, 300)
    call = getattr(backend, function)
    expected = call(x)
    x[17] = odd
    x[150, 3] = odd
    others = np.delete(np.arange(200), [17, 150])
    assert_array_equal(call(x)[others], expected[others])
    assert_same(backend, call(x.T, 0).T[others], expected[others])


def test_odd_slices_beside_each_other(backend):
    rows = np.array([[0.0, math.log(3)], [NAN, 1], [INF, 1], [-INF, -INF], [-INF, 1]])
    expected = [[0.25, 0.75], [NAN, NAN], [NAN, NAN], [NAN, NAN], [0, 1]]
    assert_allclose(backend.softmax(rows), expected, rtol=1e-15)
    assert_allclose(backend.softmax(rows.T, axis=0).T, expected, rtol=1e-15)
    assert_allclose(backend.log_softmax(rows), [[-math.log(4), math.log(0.75)], *[[NAN] * 2] * 3, [-INF, 0]])
    assert_allclose(backend.logsumexp(rows), [math.log(4), NAN, INF, -INF, 1], rtol=1e-15)


# --- long rows -------------------------------------------------------------------------------------------------------

LONG = {
    "no shift": lambda x: x,
    "largest above 600": lambda x: x + 690,  # up to 713, of which exp overflows
    "largest below -600": lambda x: x - 700,
    "smallest below -600": lambda x: np.where(np.arange(x.size) % 9 == 0, x - 680, x - 5),
    "masked": lambda x: np.where(np.arange(x.size) % 7 == 0, -INF, x),
    "masked and shifted": lambda x: np.where(np.arange(x.size) % 7 == 0, -INF, x + 5000),
    "largest last": lambda x: np.append(x[:-1], 30),
    "largest first": lambda x: np.append(30, x[1:]),
    "a part all masked": lambda x: np.where(np.arange(x.size) // 2**16 == 2, -INF, x),
}


def long_row(backend):
    """A length that no backend works on whole."""
    return 2**18 + 3 if "emulated" in backend.name else 2**20 + 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [2**18 + 3, 2**20 + 3])
@pytest.mark.parametrize("kind", LONG)
def test_long_rows(backend, kind, size, dtype):
    if size > long_row(backend):
        pytest.skip("the emulated device is slow, and goes the same way at both lengths")
    x = LONG[kind](normal(size, scale=5, seed=size)).astype(dtype)
    below = x.astype(np.float64) - x.max()
    exponentials = np.exp(below)
    log_of_rest = math.log1p(math.fsum(np.delete(exponentials, np.argmax(x))))
    ulps = 1 if backend.name == "with_numpy" else 4
    tolerance = max(ulps * np.finfo(dtype).eps, 2e-13)  # the reference rounds x - max x, and exp amplifies that
    smallest = np.finfo(dtype).smallest_subnormal
    assert_allclose(backend.softmax(x), exponentials / math.fsum(exponentials), rtol=tolerance, atol=smallest)
    assert_allclose(backend.logsumexp(x), x.max() + log_of_rest, rtol=tolerance)
    assert_allclose(backend.log_softmax(x), below - log_of_rest, rtol=tolerance)


def test_long_rows_of_odd_entries(backend):
    rows = normal(5, long_row(backend))
    expected = backend.softmax(rows[0])
    rows[1, -1], rows[2, 5], rows[3] = NAN, INF, -INF
    rows[4, ::2] = -INF
    got = backend.softmax(rows)
    assert_array_equal(got[0], expected)
    assert np.isnan(got[1:4]).all()
    assert not got[4, ::2].any()
    assert_allclose(got[4].sum(), 1, rtol=1e-14)
    assert np.isnan(backend.log_softmax(rows[1:4])).all()
    assert_array_equal(backend.logsumexp(rows)[1:4], [NAN, INF, -INF])
    assert_array_equal(backend.softmax(rows, where=rows < -INF), np.zeros_like(rows))
    masked = backend.softmax(rows[0], where=rows[0] > 0)
    assert_array_equal(masked, backend.softmax(np.where(rows[0] > 0, rows[0], -INF)))


def test_a_long_row_in_place(backend):
    for function, offset in itertools.product(SHAPED, (0, 800)):
        x = normal(2, long_row(backend)) + offset
        expected = getattr(backend, function)(x)
        assert getattr(backend, function)(x, out=x) is x
        assert_array_equal(x, expected)


def test_a_long_row_sums_to_one_along_any_axis(backend):
    x = normal(100_000, 2, dtype=np.float32)
    assert_allclose(backend.softmax(x, axis=0).astype(np.float64).sum(axis=0), 1, rtol=1e-7)


@pytest.mark.parametrize("function", CORE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(2, 50, 700), (5000, 300), (2, 40_000, 30)])
def test_columns_are_the_rows_of_the_transposed(backend, function, dtype, shape):
    if "emulated" in backend.name and math.prod(shape) > 2**18:
        pytest.skip("the emulated device is slow")
    x = normal(*shape, scale=5, dtype=dtype)
    x[..., ::5] += 3000
    x[..., ::7, 3] = -INF
    call = getattr(backend, function)
    rows = call(np.swapaxes(x, -1, -2).copy())
    expected = rows if function == "logsumexp" else np.swapaxes(rows, -1, -2)
    format_ = np.finfo(dtype)
    assert_allclose(call(x, -2), expected, rtol=8 * format_.eps, atol=format_.smallest_subnormal)


# --- several cores ---------------------------------------------------------------------------------------------------


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


# --- out -------------------------------------------------------------------------------------------------------------

OVERLAPS = {
    "in place": lambda square: (square, square),
    "another view of the same": lambda square: (square, square[:]),
    "one row down": lambda square: (square[:-1], square[1:]),
    "one row up": lambda square: (square[1:], square[:-1]),
    "one column right": lambda square: (square[:, :-1], square[:, 1:]),
    "one column left": lambda square: (square[:, 1:], square[:, :-1]),
    "rows reversed": lambda square: (square, square[::-1]),
    "columns reversed": lambda square: (square, square[:, ::-1]),
    "transposed": lambda square: (square, square.T),
    "into the transposed": lambda square: (square.T, square),
    "interleaved": lambda square: (square[::2], square[1::2]),
}


@pytest.mark.parametrize("function", SHAPED)
@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("axis", [-1, 0, (0, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_out_may_overlap_the_input(backend, function, overlap, axis, dtype):
    x, out = OVERLAPS[overlap](normal(260, 260, scale=300, dtype=dtype))
    expected = getattr(backend, function)(x.copy(), axis)
    assert getattr(backend, function)(x, axis, out=out) is out
    assert_array_equal(out, expected)


@pytest.mark.parametrize("function", SHAPED)
@pytest.mark.parametrize("axis", [0, 1, -1, (0, 2), None])
@pytest.mark.parametrize("layout", ["C order", "F order", "every second entry", "negative steps", "swapped axes"])
def test_out_may_have_any_layout(backend, function, axis, layout):
    x = normal(3, 4, 5, scale=300)
    where = x > -200
    out = LAYOUTS[layout](np.full_like(x, 7.0))
    call = getattr(backend, function)
    assert call(x, axis, where=where, out=out) is out
    assert_array_equal(out, call(x, axis, where=where))
    in_place = LAYOUTS[layout](x)
    assert call(in_place, axis, where=where, out=in_place) is in_place
    assert_array_equal(in_place, out)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_out_of_the_vector_product(backend, axis, dtype):
    p, v = backend.softmax(normal(260, 300, dtype=dtype), axis), normal(260, 300, seed=1, dtype=dtype)
    expected = backend.softmax_vjp(p, v, axis)
    for out in (np.full_like(p, 7.0), np.full_like(p, 7.0, order="F")):
        assert backend.softmax_vjp(p, v, axis, out=out) is out
        assert_array_equal(out, expected)
    for which in (0, 1):  # in place of p, and of v
        pair = [p.copy(), v.copy()]
        assert backend.softmax_vjp(*pair, axis, out=pair[which]) is pair[which]
        assert_array_equal(pair[which], expected)
        around = np.empty((261, 300), dtype)
        pair = [p.copy(), v.copy()]
        pair[which], out = around[:-1], around[1:]  # one row further down
        pair[which][...] = (p, v)[which]
        backend.softmax_vjp(*pair, axis, out=out)
        assert_array_equal(out, expected)


def test_what_lies_between_the_entries_of_out_is_untouched(backend):
    buffer = np.full((4, 10), 7.0)
    backend.softmax(normal(4, 5), out=buffer[:, ::2])
    assert_array_equal(buffer[:, 1::2], np.full((4, 5), 7.0))
    assert_allclose(buffer[:, ::2].sum(axis=1), 1, rtol=1e-15)


@pytest.mark.parametrize("function", SHAPED)
@pytest.mark.parametrize("dtype", FLOATS)
def test_out_of_every_float_type(backend, function, dtype):
    skip_longdouble_elsewhere(backend, dtype)
    x = normal(3, 5, dtype=dtype)
    expected = getattr(backend, function)(x)
    assert getattr(backend, function)(x, out=x) is x
    assert_array_equal(x, expected)


@pytest.mark.parametrize("function", SHAPED)
def test_out_of_a_scalar_of_nothing_and_of_integers(backend, function):
    call = getattr(backend, function)
    out = np.array(7.0)
    assert call(3.0, out=out) is out
    assert out == call(3.0)
    empty = np.empty((2, 0))
    assert call(empty, out=empty) is empty
    out = np.empty(3)
    assert_array_equal(call([1, 2, 3], out=out), call([1.0, 2.0, 3.0]))
    assert_array_equal(out, call([1.0, 2.0, 3.0]))


BAD_OUT = [
    (np.full(4, 7.0), ValueError, "out must have the shape of x, (3,), got (4,)"),
    (np.full((1, 3), 7.0), ValueError, "out must have the shape of x, (3,), got (1, 3)"),
    (np.full((), 7.0), ValueError, "out must have the shape of x, (3,), got ()"),
    (np.full(3, 7, np.float32), TypeError, "out must be an ndarray of dtype float64, got dtype float32"),
    (np.full(3, 7, np.int64), TypeError, "out must be an ndarray of dtype float64, got dtype int64"),
    (np.full(3, 7, ">f8"), TypeError, "out must be an ndarray of dtype float64, got dtype >f8"),
    (np.broadcast_to(7.0, (3,)), ValueError, "out must be writeable, got a read-only array"),
    ([7.0] * 3, TypeError, "out must be an ndarray of dtype float64, got list"),
    (7.0, TypeError, "out must be an ndarray of dtype float64, got float"),
    (np.ma.array(np.full(3, 7.0)), TypeError, "out must be an ndarray of dtype float64, got MaskedArray"),
]


@pytest.mark.parametrize("function", SHAPED)
@pytest.mark.parametrize(("out", "error", "message"), BAD_OUT)
def test_a_bad_out_is_named_and_not_written(backend, function, out, error, message):
    if backend.name.startswith("with_cupy"):
        message = message.replace("an ndarray", "a cupy.ndarray")
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        getattr(backend, function)([1.0, 2.0, 3.0], out=out)
    with pytest.raises(error, match=f"^{re.escape(message.replace('shape of x', 'shape of p'))}$"):
        backend.softmax_vjp([0.5, 0.25, 0.25], [1.0, 2.0, 3.0], out=out)
    assert_array_equal(out, np.full(np.shape(out), 7))


@pytest.mark.parametrize("function", SHAPED)
@pytest.mark.parametrize(
    "bad", [{"x": [1j] * 3}, {"axis": 1}, {"axis": 0.0}, {"axis": (0, 0)}, {"where": [1, 1, 1]}, {"where": [True] * 2}]
)
def test_a_refused_call_leaves_out_as_it_was(backend, function, bad):
    out = np.full(3, 7.0)
    with pytest.raises((TypeError, ValueError)):
        getattr(backend, function)(**{"x": [1.0, 2.0, 3.0], "out": out, **bad})
    assert_array_equal(out, [7.0] * 3)


# --- what is refused -------------------------------------------------------------------------------------------------

NOT_LOGITS = [
    np.array([1j]),
    np.array([1j], np.complex64),
    np.array([None]),
    np.array([2**70]),
    np.array(["abc"]),
    np.array([b"abc"]),
    np.array(["2020"], "datetime64[D]"),
    np.array([1], "timedelta64[s]"),
    np.zeros(1, [("a", float)]),
]


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize("x", NOT_LOGITS, ids=lambda x: str(x.dtype))
def test_what_is_not_real_and_numeric_is_refused(backend, function, x):
    message = f"{function} expects a real numeric array, got dtype {x.dtype}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        CALLS[function](getattr(backend, function), x)


@pytest.mark.parametrize("function", CALLS)
def test_masked_and_ragged_arrays_are_refused(backend, function):
    call = getattr(backend, function)
    name, filled = ("p", "p.filled(...)") if function == "softmax_vjp" else ("x", "x.filled(-np.inf)")
    message = f"masked arrays are not supported; pass {filled}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        CALLS[function](call, np.ma.ones(2))
    with pytest.raises(ValueError, match=f"{function}: {name} must be a rectangular array of numbers, got a ragged"):
        call([[1], [1, 2]], *([1] if function in ("softmax_vjp", "cross_entropy", "cross_entropy_grad") else []))


@pytest.mark.parametrize("function", ["cross_entropy", "cross_entropy_grad"])
def test_a_masked_or_ragged_target_is_refused(backend, function):
    call = getattr(backend, function)
    for target in (np.ma.array([0, 1], mask=[0, 1]), np.ma.array([[0.5, 0.5]] * 2, mask=[[0, 1]] * 2)):
        with pytest.raises(TypeError, match=r"^masked arrays are not supported; pass target.filled\(...\)$"):
            call([[1.0, 2.0], [3.0, 5.0]], target)
    with pytest.raises(ValueError, match=f"^{function}: target must be a rectangular array of numbers, got a ragged"):
        call([[1.0, 2.0], [3.0, 5.0]], [[1], [1, 2]])


@pytest.mark.parametrize("function", CORE)
def test_a_masked_or_ragged_where_is_refused(backend, function):
    call = getattr(backend, function)
    with pytest.raises(TypeError, match=r"^masked arrays are not supported; pass where.filled\(...\)$"):
        call([1.0, 2.0], where=np.ma.array([True, True], mask=[False, True]))
    with pytest.raises(ValueError, match=r"^where must be a rectangular array of bool, got a ragged sequence$"):
        call([[1.0, 2.0], [3.0, 5.0]], where=[[True], [True, False]])


@pytest.mark.parametrize("function", ["cross_entropy", "cross_entropy_grad"])
def test_an_empty_batch_has_an_empty_target(backend, function):
    assert getattr(backend, function)(np.zeros((0, 5)), []).size == 0


@pytest.mark.parametrize("dtype", NARROW)
def test_probabilities_of_any_type_are_a_target(backend, dtype):
    x = normal(200, 11, scale=3).astype(dtype)
    p = backend.softmax(x)
    entropy = -(p.astype(np.float64) * backend.log_softmax(x.astype(np.float64))).sum(axis=-1)
    assert_allclose(backend.cross_entropy(x.astype(np.float64), p), entropy, rtol=1e-12)


@pytest.mark.parametrize("function", CORE)
def test_a_bad_where_is_named(backend, function):
    call = getattr(backend, function)
    for where in ([1, 0], [1.0, 0.0], "xy"):
        with pytest.raises(TypeError, match=f"^where must be an array of bool, got dtype {np.asarray(where).dtype}$"):
            call([1.0, 2.0], where=where)
    message = re.escape("where must broadcast to the shape of x, (2,), got shape (3,)")
    with pytest.raises(ValueError, match=f"^{message}$"):
        call([1.0, 2.0], where=[True] * 3)
    with pytest.raises(ValueError, match="where must broadcast to the shape of x"):
        call([1.0, 2.0], where=np.ones((4, 2), bool))


BAD_TARGETS = [
    (2, "target must be a class index from 0 to 1, got 2"),
    (-1, "target must be a class index from 0 to 1, got -1"),
    (0.0, "target must be class indices of shape () or distributions of shape (2,), got float64 of shape ()"),
    (True, "target must be class indices of shape () or distributions of shape (2,), got bool of shape ()"),
    ([0.5], "target must be class indices of shape () or distributions of shape (2,), got float64 of shape (1,)"),
    ([[0.5, 0.5]], "target must be class indices of shape () or distributions of shape (2,), "),
    ([2.0, -1.0], "target must be a distribution, none negative or NaN, got -1.0"),
    ([NAN, 1.0], "target must be a distribution, none negative or NaN, got nan"),
    ([1.0, 1.0], "target must be a distribution that sums to 1, got a sum of 2.0"),
    ([0.0, 0.0], "target must be a distribution that sums to 1, got a sum of 0.0"),
    ([0.5, 0.4], "target must be a distribution that sums to 1, got a sum of 0.9"),
    ([INF, 0.0], "target must be a distribution that sums to 1, got a sum of inf"),
]


@pytest.mark.parametrize("function", ["cross_entropy", "cross_entropy_grad"])
@pytest.mark.parametrize(("target", "message"), BAD_TARGETS)
def test_a_bad_target_is_named(backend, function, target, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        getattr(backend, function)([1.0, 2.0], target)


@pytest.mark.parametrize("function", ["cross_entropy", "cross_entropy_grad"])
def test_the_target_that_is_wrong_is_found_in_a_batch(backend, function):
    call = getattr(backend, function)
    with pytest.raises(ValueError, match="target must be a class index from 0 to 2, got 3"):
        call(np.zeros((4, 3)), [0, 2, 3, 1])
    with pytest.raises(ValueError, match="target must be a class index from 0 to 2, got -2"):
        call(np.zeros((3, 4)), [0, 2, -2, 1], axis=0)
    with pytest.raises(ValueError, match=r"got a sum of 1\.5"):
        call(np.zeros((2, 3)), [[0.5, 0.5, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(ValueError, match="target must be a class index from 0 to -1, got 0"):
        call(np.empty((1, 0)), [0])
    with pytest.raises(ValueError, match=r"class indices of shape \(4,\) or distributions of shape \(4, 3\)"):
        call(np.zeros((4, 3)), [0, 1, 2])
    with pytest.raises(TypeError, match=f"^{function} expects a real numeric array, got dtype complex128$"):
        call([1.0, 2.0], [1j, 0])


@pytest.mark.parametrize("function", ["softmax_jacobian", "softmax_vjp", "cross_entropy", "cross_entropy_grad"])
def test_functions_of_one_axis_refuse_any_other(backend, function):
    call = getattr(backend, function)
    x = np.full((2, 2), 0.5)
    more = {"softmax_jacobian": (), "softmax_vjp": (x,)}.get(function, ([0, 1],))
    for axis in [None, (0,), (0, 1), 1.0, True]:
        with pytest.raises(TypeError, match=r"axis must be an int, .*got " + re.escape(repr(axis))):
            call(x, *more, axis=axis)
    with pytest.raises(np.exceptions.AxisError, match="axis 2 is out of bounds"):
        call(x, *more, axis=2)
    name = "p" if function == "softmax_vjp" else "x"
    scalar = () if function == "softmax_jacobian" else (0,)
    with pytest.raises(ValueError, match=f"^{name} must have an axis of classes, got a scalar$"):
        call(1.0, *scalar)


def test_a_bad_vector_or_pair_is_named(backend):
    for v, shape in [([1, 2, 3], "(3,)"), ([[1, 2]], "(1, 2)"), (1, "()")]:
        message = re.escape(f"v must have the shape of p, (2,), got {shape}")
        with pytest.raises(ValueError, match=f"^{message}$"):
            backend.softmax_vjp([0.5, 0.5], v)
    with pytest.raises(TypeError, match="softmax_vjp expects a real numeric array, got dtype complex128"):
        backend.softmax_vjp([0.5, 0.5], [1j, 0])
    with pytest.raises(TypeError, match=r"^a must be a pair \(maximum, total\) from normalizer, got 1\.0$"):
        backend.merge(1.0, (0.0, 1.0))
    with pytest.raises(TypeError, match=r"^b must be a pair \(maximum, total\) from normalizer, got \(1, 2, 3\)$"):
        backend.merge((0.0, 1.0), (1, 2, 3))
    with pytest.raises(TypeError, match="merge expects a real numeric array, got dtype complex128"):
        backend.merge((0.0, 1j), (0.0, 1.0))


# --- derivatives -----------------------------------------------------------------------------------------------------


def test_the_jacobian_of_cat_dog_tiger_none(backend):
    jacobian = backend.softmax_jacobian(ANIMAL_LOGITS)
    assert_allclose(np.diag(jacobian), [0.15452994, 0.23364396, 0.10513336, 0.05789756], atol=5e-9)
    assert_allclose(jacobian[0, 1], -0.11993825, atol=5e-9)
    assert_array_equal(jacobian, jacobian.T)
    assert_allclose(jacobian.sum(axis=0), 0, atol=1e-16)


def test_the_diagonal_of_the_jacobian_does_not_cancel(backend):
    jacobian = backend.softmax_jacobian([40.0, 0.0])
    rest = float(backend.softmax([40.0, 0.0])[1])
    assert_allclose(jacobian, [[rest, -rest], [-rest, rest]], rtol=1e-15)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_derivatives_along_any_axis(backend, axis):
    x, v = normal(2, 3, 4, 5)
    target = np.argmax(v, axis=axis)
    p = backend.softmax(x, axis)
    jacobian = backend.softmax_jacobian(x, axis)
    product = backend.softmax_vjp(p, v, axis)
    loss = backend.cross_entropy(x, target, axis)
    gradient = backend.cross_entropy_grad(x, target, axis)
    assert product.shape == gradient.shape == x.shape
    batch = np.delete(x.shape, axis)
    for index in np.ndindex(*batch):
        row = tuple(np.insert(np.array(index, object), axis % 3, slice(None)))
        assert_same(backend, jacobian[index], backend.softmax_jacobian(x[row]))
        assert_same(backend, product[row], backend.softmax_vjp(p[row], v[row]))
        assert_same(backend, loss[index], backend.cross_entropy(x[row], target[index]))
        assert_same(backend, gradient[row], backend.cross_entropy_grad(x[row], target[index]))


# A central difference errs by h**2 |f'''| / 6, by truncation, and by eps |f| / h, by rounding: with h = eps**(1/3),
# both are about eps**(2/3) = 4e-11, times values of order one here, and of the size of the shift for logsumexp.
STEP = np.finfo(float).eps ** (1 / 3)


def central_differences(function, x):
    """d function / d x_j, j along the last axis."""
    slopes = []
    for j in range(len(x)):
        above, below = x.copy(), x.copy()
        above[j] += STEP
        below[j] -= STEP
        slopes.append((function(above) - function(below)) / (above[j] - below[j]))
    return np.stack(slopes, axis=-1)


@pytest.mark.parametrize("shift", [0, 1000])
def test_derivatives_are_the_central_differences(backend, shift):
    x = np.array([0.3, -1.2, 2.0, 0.7]) + shift
    tolerance = 10 * STEP**2
    assert_allclose(backend.softmax_jacobian(x), central_differences(backend.softmax, x), rtol=0, atol=tolerance)
    for target in (0, 3, np.array([0.1, 0.2, 0.3, 0.4])):
        slopes = central_differences(lambda y, t=target: backend.cross_entropy(y, t), x)
        assert_allclose(backend.cross_entropy_grad(x, target), slopes, rtol=0, atol=tolerance)
    slopes = central_differences(backend.logsumexp, x)
    assert_allclose(backend.softmax(x), slopes, rtol=0, atol=tolerance * (1 + shift))


@pytest.mark.parametrize("scale", [1e-8, 1.0, 30.0])
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_the_vector_product_is_the_jacobians(backend, scale, size):
    for seed in range(10):
        x, v = normal(2, size, seed=seed)
        jacobian = backend.softmax_jacobian(scale * x)
        rounding = 1e-14 * (np.abs(jacobian) @ np.abs(v))
        assert np.all(np.abs(backend.softmax_vjp(backend.softmax(scale * x), v) - jacobian @ v) <= rounding)


def test_derivatives_of_odd_rows(backend):
    rows = np.array([[0.0, math.log(3)], [NAN, 1], [INF, 1], [-INF, -INF], [-INF, 1]])
    jacobian = backend.softmax_jacobian(rows)
    assert_allclose(jacobian[0], [[0.1875, -0.1875], [-0.1875, 0.1875]], rtol=1e-15)
    assert np.isnan(jacobian[1:4]).all()
    assert_array_equal(jacobian[4], np.zeros((2, 2)))
    p = backend.softmax(rows)
    product = backend.softmax_vjp(p, np.tile([1.0, 0.0], (5, 1)))
    assert_allclose(product[0], [0.1875, -0.1875], rtol=1e-15)
    assert np.isnan(product[1:4]).all()
    assert_array_equal(product[4], np.zeros(2))
    assert np.isnan(backend.softmax_vjp([0.5, 0.5], [NAN, 0])).all()
    gradient = backend.cross_entropy_grad(rows, [1] * 5)
    assert_allclose(gradient[0], [0.25, -0.25], rtol=1e-15)
    assert np.isnan(gradient[1:4]).all()
    assert_array_equal(gradient[4], np.zeros(2))
    assert_array_equal(backend.cross_entropy_grad([-INF, 1.0], 0), [-1, 1])


def test_derivatives_of_nothing(backend):
    assert backend.softmax_jacobian(np.empty((2, 0))).shape == (2, 0, 0)
    assert backend.softmax_jacobian(np.empty((0, 3))).shape == (0, 3, 3)
    for shape in [(2, 0), (0, 3)]:
        assert backend.softmax_vjp(np.empty(shape), np.empty(shape)).shape == shape
    for target in (np.empty(0, int), np.empty((0, 3))):
        assert backend.cross_entropy(np.empty((0, 3)), target).shape == (0,)
        assert backend.cross_entropy_grad(np.empty((0, 3)), target).shape == (0, 3)
    assert_array_equal(backend.softmax_jacobian([5.0]), [[0.0]])
    assert_array_equal(backend.softmax_vjp([1.0], [7.0]), [0.0])
    assert_array_equal(backend.cross_entropy_grad([5.0], 0), [0.0])


# --- loss ------------------------------------------------------------------------------------------------------------


def test_cross_entropy_of_indices_and_distributions(backend):
    assert_allclose(backend.cross_entropy(ANIMAL_LOGITS, 1), 0.465389142, atol=5e-10)
    x = normal(3, 5, seed=7)
    target = np.array([4, 0, 2])
    for one_hot in (np.eye(5)[target], np.eye(5, dtype=int)[target]):
        assert_same(backend, backend.cross_entropy(x, target), backend.cross_entropy(x, one_hot))
        # Indices and distributions have ways of their own; test_accuracy.py holds both against the exact gradient.
        assert_allclose(backend.cross_entropy_grad(x, target), backend.cross_entropy_grad(x, one_hot), rtol=2e-15)
    for function in (backend.cross_entropy, backend.cross_entropy_grad):
        assert_array_equal(function(x, target.astype(np.uint8)), function(x, target.tolist()))
    assert_same(backend, backend.cross_entropy(x.T, target, axis=0), backend.cross_entropy(x, target))
    logarithms = backend.log_softmax(x)
    assert_same(backend, backend.cross_entropy(x, target), -logarithms[np.arange(3), target])
    distributions = backend.softmax(normal(3, 5, seed=8))
    assert_allclose(backend.cross_entropy(x, distributions), -(distributions * logarithms).sum(axis=1), rtol=1e-14)
    gradient = backend.softmax(x) - distributions
    assert_allclose(backend.cross_entropy_grad(x, distributions), gradient, rtol=0, atol=1e-15)


def test_a_float16_distribution_passes_as_one(backend):
    distribution = np.full(300, 1 / 300, np.float16)  # sums to 0.99993
    assert_allclose(backend.cross_entropy(np.zeros(300), distribution), math.log(300), rtol=1e-3)


def test_cross_entropy_of_odd_rows(backend):
    rows = [[NAN, 1], [INF, 1], [-INF, -INF], [1.0, NAN]]
    assert np.isnan(backend.cross_entropy(rows, [0] * 4)).all()
    assert np.isnan(backend.cross_entropy(rows, [1] * 4)).all()
    assert_array_equal(backend.cross_entropy([[0.0, -INF], [3.0, 3.0]], [[1.0, 0.0], [0.5, 0.5]]), [0, LOG_2])
    assert backend.cross_entropy([0.0, -800.0], 1) == 800
    assert not np.signbit(backend.cross_entropy([0.0, -800.0], 0))
    assert backend.cross_entropy([5.0], 0) == 0
    assert backend.cross_entropy([0.0, -1.5e308], [0.0, 1.0]) == 1.5e308


@pytest.mark.parametrize("x", [[0.0, -INF], [0.0, 1.0, -INF], [0.0, 1.0, 2.0, 3.0, -INF]])
def test_the_loss_of_an_impossible_class_is_infinite(backend, x):
    assert backend.cross_entropy(x, len(x) - 1) == INF
    assert backend.cross_entropy(x, np.full(len(x), 1 / len(x))) == INF


# --- merge -----------------------------------------------------------------------------------------------------------


def test_pairs_merge(backend):
    maximum, total = backend.merge(backend.normalizer([3.0, -1.0]), backend.normalizer([4.0, 1.5]))
    assert maximum == 4
    assert_allclose(total, 1 + math.exp(-1) + math.exp(-2.5) + math.exp(-5), rtol=1e-15)
    a, b = backend.normalizer(np.zeros((2, 3))), backend.normalizer([1.0, 1.0, 1.0])
    maximum, total = backend.merge(a, b)
    assert_array_equal(maximum, [1, 1])
    assert_allclose(total, 3 + 3 * math.exp(-1), rtol=1e-15)
    assert np.isnan(backend.merge((NAN, NAN), (0.0, 1.0))).all()
    assert backend.merge((INF, 1.0), (INF, 2.0)) == (INF, 3)
    assert backend.merge((INF, 1.0), (5.0, 2.0)) == (INF, 1)
    assert backend.merge([-INF, 0.0], [-INF, 0.0]) == (-INF, 0)


# --- invariants ------------------------------------------------------------------------------------------------------

logits_arrays = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6),
    elements=st.floats(-1e3, 1e3),
)
rows_of_logits = hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-1e3, 1e3))
masked_rows = hnp.arrays(np.float64, st.integers(0, 12), elements=st.floats(-700, 700) | st.sampled_from([INF, -INF]))


@given(x=logits_arrays, data=st.data())
def test_probabilities_keep_order_and_ties_and_sum_to_one(backend, x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    before = x.copy()
    p = backend.softmax(x, axis=axis)
    assert_array_equal(x, before)
    assert np.all((p >= 0) & (p <= 1))
    assert_allclose(p.sum(axis=axis), 1, rtol=1e-14)
    slices = [np.moveaxis(a, axis, -1).reshape(-1, x.shape[axis]) for a in (x, p, backend.log_softmax(x, axis))]
    for logits, *results in zip(*slices, strict=True):
        order = np.argsort(logits, kind="stable")
        for result in results:
            assert np.all(np.diff(result[order]) >= 0)
            for i, j in itertools.combinations(range(len(logits)), 2):
                assert logits[i] != logits[j] or result[i] == result[j]


@given(x=hnp.arrays(np.float64, st.integers(1, 8), elements=st.integers(-500, 500)), shift=st.integers(-(2**40), 2**40))
def test_an_exact_shift_changes_nothing(backend, x, shift):
    assert_array_max_ulp(backend.softmax(x + shift), backend.softmax(x), maxulp=6)
    assert_array_max_ulp(backend.log_softmax(x + shift), backend.log_softmax(x), maxulp=6)


@given(x=rows_of_logits, data=st.data())
def test_permuted_logits_give_permuted_probabilities(backend, x, data):
    order = np.array(data.draw(st.permutations(range(len(x)))))
    assert_array_max_ulp(backend.softmax(x[order]), backend.softmax(x)[order], maxulp=2)
    assert_array_max_ulp(backend.log_softmax(x[order]), backend.log_softmax(x)[order], maxulp=2)
    assert_array_max_ulp(backend.logsumexp(x[order]), backend.logsumexp(x), maxulp=2)


@given(x=logits_arrays)
def test_no_layout_changes_a_bit(backend, x):
    expected = backend.softmax(x)
    strided = np.full((*x.shape, 2), NAN)[..., 0]
    strided[...] = x
    for same in (np.asfortranarray(x), strided, x[::-1].copy()[::-1]):
        assert_array_equal(backend.softmax(same), expected)
    read_only = x.copy()
    read_only.flags.writeable = False
    assert_array_equal(backend.softmax(read_only), expected)
    assert_same(backend, backend.softmax(x.T, axis=0), expected.T)


@given(x=masked_rows, data=st.data())
def test_where_is_the_same_as_minus_infinity(backend, x, data):
    where = data.draw(hnp.arrays(bool, x.shape))
    assume(where.any())
    masked = np.where(where, x, -INF)
    for function in CORE:
        assert_array_equal(getattr(backend, function)(x, where=where), getattr(backend, function)(masked))


@given(x=rows_of_logits)
def test_log_softmax_is_the_logarithm_of_softmax(backend, x):
    # exp amplifies the rounding of a logarithm of up to 745; below that lie subnormals and 0.
    logarithms = backend.log_softmax(x)
    assert np.all(logarithms <= 0)
    p = backend.softmax(x)
    assert_allclose(np.exp(logarithms), p, rtol=1e-12, atol=1e-307)
    likely = p > 1e-300
    assert_allclose(logarithms[likely], np.log(p[likely]), rtol=1e-12, atol=1e-15)


@given(x=rows_of_logits, data=st.data())
def test_logsumexp_grows_with_every_logit_and_lies_above_the_largest(backend, x, data):
    higher = x.copy()
    higher[data.draw(st.integers(0, len(x) - 1))] += data.draw(st.floats(0, 1e3))
    before, after = backend.logsumexp(x), backend.logsumexp(higher)
    assert after >= before - 2 * np.spacing(abs(before))
    rounding = 2 * np.spacing(1 + abs(x.max()))
    assert x.max() - rounding <= before <= x.max() + math.log(len(x)) + rounding


@given(x=rows_of_logits)
def test_the_jacobian_is_symmetric_and_its_rows_sum_to_zero(backend, x):
    jacobian = backend.softmax_jacobian(x)
    assert_array_equal(jacobian, jacobian.T)
    assert np.all(np.diag(jacobian) >= 0)
    assert np.all(np.abs(jacobian.sum(axis=1)) <= 1e-15 * np.diag(jacobian) + 1e-320)


@given(x=masked_rows, data=st.data())
def test_pairs_of_parts_merge_into_the_pair_of_the_whole(backend, x, data):
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(x))] * 2)))
    a, b, c = (backend.normalizer(part) for part in (x[:first], x[first:second], x[second:]))
    whole = backend.normalizer(x)
    assert_allclose(backend.merge(backend.merge(a, b), c), whole, rtol=1e-13)
    assert_allclose(backend.merge(a, backend.merge(b, c)), whole, rtol=1e-13)
    assert_array_equal(backend.merge(a, b), backend.merge(b, a))
    assert_array_equal(backend.merge(backend.normalizer([]), a), a)


# --- the package -----------------------------------------------------------------------------------------------------


def test_importing_loads_numpy_and_nothing_heavier():
    heavy = ["numba", "cupy", "dask", "matplotlib", "anywidget", "ipywidgets", "IPython", "scipy"]
    code = f"import sys, softmax_lib; print([m for m in {heavy!r} if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("numba", "needs Numba (pip install numba); without it, softmax_lib has the same functions"),
        (
            "cupy",
            "needs CuPy (pip install cupy-cuda12x) and an NVIDIA GPU; "
            "without them, softmax_lib.with_numba and softmax_lib have the same functions",
        ),
    ],
)
def test_a_backend_without_its_package_says_what_to_install(package, message):
    code = f"""
import sys
sys.modules[{package!r}] = None
try:
    import softmax_lib.with_{package}
except ImportError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == f"softmax_lib.with_{package} {message}\n"
