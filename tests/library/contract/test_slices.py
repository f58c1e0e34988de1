"""A slice is on its own: what lies beside it changes no bit of it."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.library.contract.helpers import CORE, INF, NAN, assert_same, normal


def many_rows(backend, length, dtype):
    """Rows, odd ones among them, that need a shift and that do not: three of NumPy's blocks, one row the last.

    The emulated device, which is slow, has other blocks, of one row to 128: there, fewer rows are many blocks.
    """
    block = 2**12 if "emulated" in backend.name else 2**16
    rows = normal(2 * (block // length) + 1, length, dtype=dtype)
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
    rows = many_rows(backend, length, dtype)
    call = getattr(backend, function)
    together = call(rows)
    count = len(rows)
    for some in [slice(0, 2), slice(5, 8), slice(1, None, 3), slice(0, None, 3), slice(count // 3, None)]:
        assert_array_equal(call(rows[some]), together[some])
    for row in {*range(min(20, count)), count // 2 - 1, count // 2, count - 1}:
        assert_array_equal(call(rows[row]), together[row])
    assert_array_equal(call(rows[::-1])[::-1], together)
    terms = 0.0
    if function == "logsumexp" and "with_cupy" in backend.name:  # m + log s near 0
        terms = np.nan_to_num(np.abs(rows).max(axis=-1), posinf=0)
    for columns in (rows.T, rows.T.copy()):  # as they lie, and apart
        assert_same(backend, call(columns, 0), together.T, terms)


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
