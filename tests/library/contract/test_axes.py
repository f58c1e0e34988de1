"""Any axis or axes of an array of any shape and layout, and the errors about them."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.library.contract.helpers import CORE, NAN, SHAPED, normal


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
def test_what_is_needed_beside_the_result_is_little(numpy_backend, function, shape, axis):
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
