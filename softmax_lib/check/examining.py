"""How a reader's function is looked at: called with cases, and told of the first answer that is wrong.

An answer that a well-known mistake would give is recognised as such; any other wrong answer gets the hint of its case.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Function = Callable[..., Any]


class Verdict(NamedTuple):
    """Whether a function is right, and what there is to say of it."""

    right: bool
    says: str

    def __repr__(self) -> str:
        return f"{'✓' if self.right else '✗'} {self.says}"

    def _repr_html_(self) -> str:
        """The hint is folded: it would give the repair away to a reader who has not tried yet."""
        lines = escape(repr(self)).split("\n")
        verdict, *hints = (f'<pre style="white-space: pre-wrap">{line}</pre>' for line in lines)
        return verdict + "".join(f"<details><summary>Hint</summary>{hint}</details>" for hint in hints)

    def __bool__(self) -> bool:
        return self.right


class Case(NamedTuple):
    """What the function is called with, the hint for a wrong answer, and the mistakes that this case tells apart."""

    given: tuple[Any, ...]
    hint: str
    mistakes: Mapping[str, Function] = {}


def examine(function: Function, answer: Function, cases: Sequence[Case], atol: float = 1e-12) -> Verdict:
    """Call a function with the cases until its answer is not the right one; with `atol=0`, each digit counts."""
    for given, hint, mistakes in cases:
        shown = ", ".join(_written(each) for each in given)
        # Copies, and the reader's arrays may be changed by what the reader wrote.
        arguments = [np.array(each) if isinstance(each, list | np.ndarray) else each for each in given]
        before = [np.array(each) for each in arguments]
        with np.errstate(all="ignore"):
            wanted = np.asarray(answer(*before), dtype=float)
            try:
                found = np.asarray(function(*arguments), dtype=float)
            except Exception as error:  # whatever the reader's code raises is what they must see
                return Verdict(False, f"For {shown} your function raises {type(error).__name__}: {error}")
            if any(not np.array_equal(a, b) for a, b in zip(arguments, before, strict=True)):
                return Verdict(False, f"Your function changed what it was given, {shown}. Compute into a new array.")
            if _agree(found, wanted, atol):
                continue
            says = f"For {shown} your function gives {_written(found)}, and the answer is {_written(wanted)}."
            for mistake, wrong in mistakes.items():
                if _agree(found, np.asarray(wrong(*before)), atol):
                    return Verdict(False, f"{says}\n{mistake}")
        return Verdict(False, f"{says}\n{hint}")
    return Verdict(True, f"Right, in all {len(cases)} cases.")


def _agree(a: npt.NDArray[Any], b: npt.NDArray[Any], atol: float) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=atol, equal_nan=True)


def _written(value: Any) -> str:
    """A number or list with three decimals at most, or with three digits where that would leave 0."""
    shown = np.asarray(value)
    if shown.dtype.kind == "f":
        digits = np.vectorize(lambda x: float(f"{x:.2e}"), otypes=[float])(shown)
        shown = np.where(np.abs(shown) < 5e-4, digits, np.round(shown, 3))
    return str(shown.tolist())


def shares(ratios: npt.NDArray[np.float64], axis: int | None = -1) -> npt.NDArray[np.float64]:
    """What each number is of their sum."""
    return ratios / ratios.sum(axis=axis, keepdims=True)
