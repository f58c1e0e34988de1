"""`out`: any layout, any overlap with the input, and the errors about it."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.library.contract.helpers import FLOATS, LAYOUTS, SHAPED, normal, skip_longdouble_elsewhere


def many(backend):
    """As many rows as NumPy cuts into blocks; the emulated device takes a few of any matrix as it takes all."""
    return 40 if "emulated" in backend.name else 260


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
    x, out = OVERLAPS[overlap](normal(many(backend), many(backend), scale=300, dtype=dtype))
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
    rows = many(backend)
    p, v = backend.softmax(normal(rows, 300, dtype=dtype), axis), normal(rows, 300, seed=1, dtype=dtype)
    expected = backend.softmax_vjp(p, v, axis)
    for out in (np.full_like(p, 7.0), np.full_like(p, 7.0, order="F")):
        assert backend.softmax_vjp(p, v, axis, out=out) is out
        assert_array_equal(out, expected)
    for which in (0, 1):  # in place of p, and of v
        pair = [p.copy(), v.copy()]
        assert backend.softmax_vjp(*pair, axis, out=pair[which]) is pair[which]
        assert_array_equal(pair[which], expected)
        around = np.empty((rows + 1, 300), dtype)
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
    (np.full((1, 3), 7.0).view(np.matrix), TypeError, "out must be an ndarray of dtype float64, got matrix"),
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
