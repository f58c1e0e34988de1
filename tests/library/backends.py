"""The backends that the contract is held against, each called with NumPy's arrays."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import softmax_lib
from tests.emulated_gpu import device
from tests.gpu import why_no_gpu

EMULATED = "with_cupy, emulated"
ONLY = os.environ.get("SOFTMAX_BACKEND")  # the one backend to test, where one is enough
ALL = ("with_numpy", "with_numba", "with_dask", EMULATED)
if ONLY not in (None, "with_cupy", *ALL):
    raise ValueError(f"SOFTMAX_BACKEND must be one of {ALL} or 'with_cupy', got {ONLY!r}")
BACKENDS: list[Any] = [name for name in ALL if ONLY in (None, name)]
# Without a GPU, one test of test_cupy.py is skipped, with the reason, for all that would run on one.
if ONLY in (None, "with_cupy") and not why_no_gpu():
    BACKENDS.append(pytest.param("with_cupy", marks=pytest.mark.gpu))
LACKS = {
    "with_numba": {"normalizer", "merge"},
    "with_dask": {"merge", "softmax_jacobian", "softmax_vjp"},
}


SUBNORMAL = ("subnormal exponentials", "many subnormal exponentials", "exponentials that round to 0")
LISTS = "test_layout_does_not_matter_and_the_input_is_not_written[with_dask-nested lists-log_softmax]"
# Tests that a backend does not run, and files of them, each with the reason.
LEAVES_OUT = {
    "with_dask": {
        LISTS: "a list is not cut",
        "test_out.py": "Dask's arrays are made, not filled: with_dask has no out",
        "test_invariants.py": "test_dask.py has these for arrays cut anywhere, with fewer calls: one takes 10 ms",
        "test_cores_that_share_the_work_change_no_bit_and_stay_silent": "calls by the hundred, and one takes 10 ms",
        "test_large_arrays_of_any_layout": "what works in the chunks runs it",
        "test_columns_are_the_rows_of_the_transposed": "what works in the chunks runs it",
        **dict.fromkeys(
            [
                *(f"test_float64[with_dask-{name}]" for name in SUBNORMAL),
                f"test_the_gradient_of_the_loss_of_every_kind_of_class[with_dask-{SUBNORMAL[0]}]",
                f"test_the_loss_of_every_class[with_dask-{SUBNORMAL[0]}]",
            ],
            "pairs keep few digits of what is below 1e-307 of a maximum in another chunk",
        ),
        "test_a_row_does_not_depend_on_the_rows_beside_it": "calls by the hundred, and one takes 10 ms",
    }
}


class Backend:
    """A backend's functions, of NumPy's arrays. One that it lacks on purpose skips the test that asks for it."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self.module = module

    def __getattr__(self, function: str) -> Any:
        if function not in softmax_lib.__all__:
            raise AttributeError(function)
        if function in LACKS.get(self.name, ()):
            pytest.skip(f"{self.name} has no {function}")
        found = getattr(self.module, function)
        if self.name == "with_dask":
            return through_dask(found)
        return through_cupy(found, self.module.cp) if self.name.startswith("with_cupy") else found


def through_cupy(function: Callable[..., Any], cp: Any) -> Callable[..., Any]:
    """`function` with NumPy's arrays for CuPy's, and NumPy's scalars for those of no dimension."""

    def is_carried(array: np.ndarray) -> bool:
        known = array.dtype.kind in "biufc" or array.dtype == ml_dtypes.bfloat16
        return type(array) is np.ndarray and known and array.dtype.isnative and array.flags.aligned

    def to_numpy(result: Any) -> Any:
        return tuple(map(to_numpy, result)) if isinstance(result, tuple) else cp.asnumpy(result)[()]

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        out = options.get("out")
        if isinstance(out, np.ndarray) and not (is_carried(out) and out.flags.writeable):
            pytest.skip("CuPy has no such array")
        there: dict[int, Any] = {}  # what is one array here is one there

        def to_cupy(array: Any) -> Any:
            if not isinstance(array, np.ndarray) or not is_carried(array) or array.dtype == np.longdouble:
                return array
            return there.setdefault(id(array), cp.asarray(array))

        with np.errstate(all="ignore"):  # CuPy never warns; NumPy in its place does
            result = function(*map(to_cupy, args), **{name: to_cupy(value) for name, value in options.items()})
        if not isinstance(out, np.ndarray):
            return to_numpy(result)
        assert result is there[id(out)]
        out[...] = cp.asnumpy(result)
        return out

    return call


def through_dask(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with Dask's arrays for NumPy's logits, cut in two along every axis, and NumPy's for its results.

    Where another array is Dask's, it must be cut as the logits are, so targets and masks stay as they are here.
    """
    import dask
    import dask.array as da

    def to_dask(x: Any) -> Any:
        carried = type(x) is np.ndarray and x.dtype != object
        return da.from_array(x, tuple(-(-n // 2) for n in x.shape)) if carried else x

    def to_numpy(result: Any) -> Any:
        return tuple(each[()] for each in result) if isinstance(result, tuple) else result[()]

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if "out" in options:
            pytest.skip("Dask's arrays are made, not filled: with_dask has no out")
        given = (to_dask(args[0]), *args[1:]) if args else ()
        (result,) = dask.compute(function(*given, **options), scheduler="synchronous")
        return to_numpy(result)

    return call


def load(param: str) -> Backend:
    name = f"softmax_lib.{param}"
    try:
        module = device.with_cupy() if param == EMULATED else importlib.import_module(name)
        module.softmax([0.0])
    except (ImportError, device.NoCompiler) as reason:
        if param == "with_numpy":
            raise
        pytest.skip(f"{name} cannot run here: {reason}")
    return Backend(param, module)
