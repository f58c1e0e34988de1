"""What is refused, and the error that says why."""

import re
from decimal import Decimal

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.library.contract.helpers import CALLS, CORE, INF, NAN, NARROW, normal

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
    if x.dtype == object:
        name, kind = "p" if function == "softmax_vjp" else "x", type(x[0]).__name__
        message += f" ({kind}); pass np.asarray({name}, float), a pandas object's {name}.to_numpy(float)"
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


class Sparse:
    def toarray(self):
        raise NotImplementedError


class OfBfloat16:
    """A tensor of a type that NumPy has not, as PyTorch's are."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Got unsupported ScalarType BFloat16")


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (Sparse(), "{function} expects {name} to be dense, got a Sparse; pass {name}.toarray()"),
        (
            OfBfloat16(),
            "{function}: {name} must be an array of numbers, but NumPy cannot read this tests.OfBfloat16 "
            "(Got unsupported ScalarType BFloat16); pass {name} as a NumPy array, a PyTorch tensor as "
            "{name}.detach().float().numpy()",
        ),
        (
            [Decimal(1), Decimal(2)],
            "{function} expects a real numeric array, got dtype object (Decimal); pass np.asarray({name}, float), a "
            "pandas object's {name}.to_numpy(float)",
        ),
    ],
)
def test_what_numpy_cannot_read_is_named_with_what_to_do(backend, function, x, message):
    call = getattr(backend, function)
    more = ([1.0, 2.0],) if function == "softmax_vjp" else (0,) if function.startswith("cross") else ()
    told = message.format(function=function, name="p" if function == "softmax_vjp" else "x")
    with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
        call(x, *more)


@pytest.mark.parametrize("function", CORE)
def test_a_mask_needs_an_infinity(numpy_backend, function):
    x = np.array([1, 2, 3], ml_dtypes.float8_e4m3fn)
    message = "where needs logits of a type that has an infinity, got dtype float8_e4m3fn"
    with pytest.raises(TypeError, match=f"^{message}$"):
        getattr(numpy_backend, function)(x, where=[True, True, False])


@pytest.mark.parametrize("function", CORE)
def test_an_array_is_no_axis(backend, function):
    with pytest.raises(TypeError, match=r"^axis must be an int, a tuple of ints or None, got array\(\[0, 1\]\)$"):
        getattr(backend, function)(np.zeros((2, 3)), np.array([0, 1]))


def test_a_share_that_rounding_made_negative_adds_nothing(backend):
    assert backend.cross_entropy([0.0, -INF], [1.0, -1e-17]) == 0


@pytest.mark.parametrize("function", ["cross_entropy", "cross_entropy_grad"])
def test_a_target_that_rounding_made_negative_passes(backend, function):
    call = getattr(backend, function)
    assert_allclose(call([1.0, 2.0], [1.0, -2.8e-17]), call([1.0, 2.0], [1.0, 0.0]), rtol=1e-15)
    with pytest.raises(ValueError, match=r"^target must be a distribution, none negative or NaN, got -1e-10$"):
        call([1.0, 2.0], [1.0, -1e-10])


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
    with pytest.raises(
        ValueError, match=r"^x must have at least one class along axis 1 for a target, got shape \(1, 0\)$"
    ):
        call(np.empty((1, 0)), [0])
    with pytest.raises(ValueError, match=r"class indices of shape \(4,\) or distributions of shape \(4, 3\)"):
        call(np.zeros((4, 3)), [0, 1, 2])
    for bad, dtype in ([1j, 0], "complex128"), (["cat", "dog"], "<U3"), ("cat", "<U3"):
        told = f"{function} expects a target of class indices or distributions, got dtype {dtype}"
        with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
            call([1.0, 2.0], bad)


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
