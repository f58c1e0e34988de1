"""Odd inputs: the table of the design, the types, and any layout in memory."""

import math

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.library.contract.helpers import (
    CALLS,
    CORE,
    FLOATS,
    INF,
    LAYOUTS,
    LOG_2,
    NAN,
    NARROW,
    SHAPED,
    normal,
    skip_longdouble_elsewhere,
)


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
