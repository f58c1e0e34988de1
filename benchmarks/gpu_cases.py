"""What is measured on a GPU: cases that fit into its memory, their inputs and right answers."""

import math
from typing import Any

import numpy as np

from benchmarks import cases
from benchmarks.cases import TRAFFIC, Case, Inputs
from benchmarks.gpu_device import Gpu

GIB = 2**30
ROTATION = 10**9  # bytes that pass before an array is used again: twenty times the L2 cache of an H100
WORKING = 8  # arrays that the contestants allocate on their own, or keep in their pools

# Rounding in the type stays within these (bfloat16 near -16, where the logits less their maximum end, has steps of
# 0.06); every mistake goes far beyond them.
TOLERANCES = cases.TOLERANCES | {"float16": 2e-2, "bfloat16": 1e-1}

# --- what fits -------------------------------------------------------------------------------------------------------


def filled(operation: str, length: int, dtype: str = "float32", axis: int = -1, size: int = GIB) -> Case:
    """As many slices of this length as make an array of `size` bytes."""
    batch = size * 8 // int(dtype[-2:]) // length
    return Case(operation, (length, batch) if axis == 0 else (batch, length), dtype, axis)


def buffers(case: Case) -> int:
    """How many arrays are used in turn, so that `ROTATION` bytes move between two uses of one."""
    return 1 + math.ceil(ROTATION / case.bytes_moved)


def footprint(case: Case) -> int:
    """The bytes that a case takes: each buffer holds what is read, and an array for the result."""
    arrays = buffers(case) * max(TRAFFIC[case.operation], 2) + WORKING
    return arrays * math.prod(case.shape) * np.dtype(case.dtype).itemsize


def fitted(case: Case, free: int) -> Case | None:
    """The case, its batch halved until it fits into the memory; None if not even one slice does."""
    rows, columns = case.shape
    while footprint(case) > 0.8 * free:
        if (columns if case.axis == 0 else rows) == 1:
            return None
        rows, columns = (rows, columns // 2) if case.axis == 0 else (rows // 2, columns)
        case = case._replace(shape=(rows, columns))
    return case


# --- inputs ----------------------------------------------------------------------------------------------------------


def make_inputs(gpu: Gpu, case: Case) -> Inputs:
    """The arrays of `cases.make_inputs`, from the same numbers, on the device."""
    generator = np.random.default_rng(0)
    normals = generator.standard_normal(1_000_003)
    dtype = np.dtype(case.dtype)
    if case.operation == "softmax_vjp":
        p = _repeated(gpu, 2 * normals, case.shape, np.promote_types(dtype, np.float32))
        p -= p.max(axis=case.axis, keepdims=True)
        gpu.arrays.exp(p, out=p)
        p /= p.sum(axis=case.axis, keepdims=True)
        return p.astype(dtype, copy=False), _repeated(gpu, normals[::-1], case.shape, dtype)
    x = _repeated(gpu, 2 * normals, case.shape, dtype)
    if case.operation == "cross_entropy":
        rows, classes = case.shape
        return x, gpu.arrays.asarray(generator.integers(0, classes, rows))
    return (x,)


def _repeated(gpu: Gpu, values: Any, shape: tuple[int, int], dtype: Any) -> Any:
    array = gpu.arrays.empty(shape, dtype)
    flat, pattern = bits(array).reshape(-1), gpu.arrays.asarray(bits(values.astype(dtype)))
    for start in range(0, flat.size, pattern.size):
        flat[start : start + pattern.size] = pattern[: flat.size - start]
    return array


def bits(array: Any) -> Any:
    """The numbers as unsigned integers, which every CuPy moves and compares; not so bfloat16."""
    return array.view(np.dtype(f"uint{8 * array.itemsize}"))


# --- the right answers -----------------------------------------------------------------------------------------------


class Answer:
    """The right answer in float64 for some slices: the first, the last, and others by chance."""

    def __init__(self, gpu: Gpu, case: Case, inputs: Inputs) -> None:
        self.gpu, self.case = gpu, case
        batch, length = math.prod(case.shape) // case.shape[case.axis], case.shape[case.axis]
        others = np.random.default_rng(1).integers(0, batch, max(8, 2**18 // length))
        self.slices = np.unique([0, batch - 1, *others])
        self.shape = (batch,) if case.operation == "cross_entropy" else case.shape
        self.exact, scale = cases.exact(case.operation, *map(self._chosen, inputs))
        self.scale = scale + cases.smallest_normal(case.dtype)

    def _chosen(self, array: Any) -> Any:
        """The slices of an array, as rows: in float64, but class indices as they are."""
        axis = 1 if self.case.axis == 0 else 0
        taken = self.gpu.arrays.take(bits(array), self.gpu.arrays.asarray(self.slices), axis=axis)
        rows = self.gpu.to_host(taken).view(array.dtype)
        return (rows.T if self.case.axis == 0 else rows).astype(rows.dtype if rows.dtype.kind == "i" else np.float64)

    def error(self, result: Any) -> float:
        """The largest error of the chosen slices, relative to the numbers that they are made of."""
        if result.shape != self.shape or result.dtype != np.dtype(self.case.dtype):
            return math.inf
        if bool((bits(result) == unwritten(result)).any()):
            return math.inf
        return cases.largest_error(self._chosen(result), self.exact, self.scale)


def unwritten(array: Any) -> Any:
    """A number with all bits set: a NaN in every format, and one that no computation gives."""
    return np.iinfo(f"uint{8 * array.itemsize}").dtype.type(2 ** (8 * array.itemsize) - 1)
