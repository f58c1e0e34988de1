"""What the tests of the contract share: names for odd numbers, the types, layouts, calls and slices they go over."""

import math

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

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


def skip_longdouble_elsewhere(backend, dtype):
    if dtype is np.longdouble and backend.name != "with_numpy":
        pytest.skip("longdouble is NumPy's alone; test_longdouble_is_kept_or_refused sees to the others")


def normal(*shape, scale=1.0, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype(dtype)


def assert_same(backend, got, expected, terms=0.0):
    """To the last bit; or to twice 4 ULP where a backend goes another way through memory along another axis.

    That is 4 ULP of the `terms` where they cancel.
    """
    if backend.name == "with_numpy":
        assert_array_equal(got, expected)
    else:
        format_ = np.finfo(np.asarray(expected).dtype)
        atol = np.maximum(format_.smallest_subnormal, 8 * format_.eps * np.asarray(terms))
        assert np.isclose(got, expected, rtol=8 * format_.eps, atol=atol, equal_nan=True).all()


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
