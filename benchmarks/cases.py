"""What is measured: operations on matrices, inputs, right answers, and the error of a result."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Inputs = tuple[Array, ...]
Call = Callable[[], Any]

# How often the array must cross the memory bus: softmax_vjp reads p and v and writes, cross_entropy only reads.
TRAFFIC = {"softmax": 2, "log_softmax": 2, "softmax_vjp": 3, "cross_entropy": 1, "copy": 2, "read": 1}
OPERATIONS = ("softmax", "log_softmax", "softmax_vjp", "cross_entropy")

# Rounding stays within these (a running sum in float32 is off by 1e-3 at 2**24 terms, and still the right function);
# every mistake goes far beyond them.
TOLERANCES = {"float32": 2e-3, "float64": 1e-11}

CACHE_LINE = 64  # bytes
SCALE = 0.5  # the copy multiplies by this; so who hands back the input itself is found out


class Case(NamedTuple):
    """One entry of the results: an operation on a matrix of one shape and type."""

    operation: str
    shape: tuple[int, int]
    dtype: str = "float32"
    axis: int = -1

    def __str__(self) -> str:
        along = "" if self.axis == -1 else f" along axis {self.axis}"
        return f"{self.operation} {self.shape[0]} x {self.shape[1]} {self.dtype}{along}"

    @property
    def bytes_moved(self) -> int:
        """What must be read and written, once each."""
        return TRAFFIC[self.operation] * math.prod(self.shape) * np.dtype(self.dtype).itemsize


# --- inputs ----------------------------------------------------------------------------------------------------------


def make_inputs(case: Case) -> Inputs:
    """Logits; for softmax_vjp probabilities and a vector; for cross_entropy logits and classes."""
    generator = np.random.default_rng(0)
    # A million normals are repeated, which is as fast as a copy. Their number is prime, so that no two rows are equal.
    normals = generator.standard_normal(1_000_003)
    x = aligned(case.shape, case.dtype)
    x[...] = np.resize((2 * normals).astype(case.dtype), case.shape)
    if case.operation == "softmax_vjp":
        p, v = aligned(case.shape, case.dtype), aligned(case.shape, case.dtype)
        for rows_p, rows_x in _blocks(case, p, x):
            rows_p[...] = exact("softmax", rows_x.astype(np.float64))[0]
        v[...] = np.resize(normals[::-1].astype(case.dtype), case.shape)
        return p, v
    if case.operation == "cross_entropy":
        classes = case.shape[case.axis]
        return x, generator.integers(0, classes, math.prod(case.shape) // classes)
    return (x,)


def aligned(shape: tuple[int, ...], dtype: str) -> Array:
    """An empty array that starts at a cache line.

    Non-temporal stores need that, and nobody gains by a lucky start.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + size].view(dtype).reshape(shape)


def aligned_copy(array: Array) -> Array:
    copied = aligned(array.shape, array.dtype.name)
    copied[...] = array
    return copied


def as_integers(array: Array) -> Array:
    """The bytes of an array as integers of eight bytes; a rest of fewer than eight is left out."""
    every_byte = array.reshape(-1).view(np.uint8)
    return every_byte[: every_byte.size // 8 * 8].view(np.int64)


# --- the right answers -----------------------------------------------------------------------------------------------


def error(case: Case, inputs: Inputs, result: Array) -> float:
    """The largest error of `result` against float64, relative to the numbers that it is made of."""
    if case.operation == "read":
        return 0.0 if result == as_integers(inputs[0]).sum() else math.inf
    shape = inputs[1].shape if case.operation == "cross_entropy" else case.shape
    if result.shape != shape or result.dtype != case.dtype:
        return math.inf
    worst = 0.0
    for got, *rows in _blocks(case, result, *inputs):
        wide = (array.astype(np.float64) if array.dtype.kind == "f" else array for array in rows)
        worst = max(worst, largest_error(got, *exact(case.operation, *wide)))
    return worst


def _blocks(case: Case, *arrays: Array) -> Iterator[Inputs]:
    """Views of some rows of each array, so that a million logits at a time become float64."""
    rows = [array.T if case.axis == 0 and array.ndim == 2 else array for array in arrays]
    step = max(2**20 // case.shape[case.axis], 1)
    return (tuple(array[start : start + step] for array in rows) for start in range(0, len(rows[0]), step))


def exact(operation: str, x: Array, other: Array | None = None) -> tuple[Array, Array]:
    """The result for some rows in float64, and the scale of its errors."""
    if operation == "copy":
        return SCALE * x, np.abs(x) + 1
    if operation == "softmax_vjp":
        assert other is not None
        inner = (x * other).sum(axis=-1, keepdims=True)
        return x * (other - inner), x * (np.abs(other) + np.abs(inner))
    shifted = x - x.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=-1, keepdims=True)
    if operation == "softmax":
        return exponentials / total, exponentials / total
    logarithms = shifted - np.log(total)
    if operation == "cross_entropy":
        assert other is not None
        logarithms = -np.take_along_axis(logarithms, other[:, np.newaxis], axis=-1)[:, 0]
    return logarithms, np.maximum(np.abs(logarithms), 1)


def largest_error(got: Array, exact: Array, scale: Array) -> float:
    """The largest |got - exact| / scale.

    Where the two are equal, be it 0 or -inf, there is no error; where one is NaN, it is infinite.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(got == exact, 0.0, np.abs(got - exact) / scale)
    return float(np.where(np.isnan(errors), np.inf, errors).max())


def smallest_normal(dtype: str) -> float:
    """Below this number a type has no relative precision that a result could be held to."""
    return 2.0**-126 if dtype == "bfloat16" else float(np.finfo(dtype).smallest_normal)
