"""Rows that are longer than what a backend works on at once."""

import itertools
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.library.contract.helpers import CORE, INF, NAN, SHAPED, normal

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
    """A length of float64 that no backend works on whole."""
    return 2**17 + 3 if "emulated" in backend.name else 2**20 + 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [2**18 + 3, 2**20 + 3])
@pytest.mark.parametrize("kind", LONG)
def test_long_rows(backend, kind, size, dtype):
    if ("emulated" in backend.name or backend.name == "with_dask") and size > 2**18 + 3:
        pytest.skip("it goes the same way at both lengths, and slowly")
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
    x = normal(20_000 if "emulated" in backend.name else 100_000, 2, dtype=np.float32)
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
