"""Softmax in narrow floating-point formats, every step rounded."""

import html
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from softmax_lib import softmax
from softmax_lib.widgets.facts import EXACT_TO_ULP, FORMATS, INTERACTIVES, MOST_ULP
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import (
    class_names,
    heads,
    logit_table,
    show,
    show_given,
    show_probability,
    show_share,
    stored_form,
    table,
)
from softmax_lib.widgets.traits import check_count, trait

_FIELDS = INTERACTIVES["PrecisionLab"]
_LONGEST_NAME = 12


class _Run(NamedTuple):
    """Softmax as a narrow format computes it, step by step."""

    powers: npt.NDArray[np.float64]
    exponentials: npt.NDArray[np.float64]
    total: float
    quotients: npt.NDArray[np.float64]


class PrecisionLab(Interactive):
    """The same logits in float16, bfloat16, float32 and float64, with the maximum subtracted and without.

    Parameters
    ----------
    logits : sequence of 1 to 12 finite numbers
    labels : sequence of str, optional
        As many as logits, at most 24 characters each; "class 1", "class 2" and so on if left out.
    format : {"float16", "bfloat16", "float32", "float64"}, default "float16"
        Every step is rounded to it.
    shift : float, default 0
        Added to every logit, after `scale`.
    scale : float, default 1
        Multiplies every logit; greater than 0.

    Examples
    --------
    >>> lab = PrecisionLab([10.0, 12.0], format="float16")
    >>> lab.naive.tolist()
    [0.0, nan]
    >>> lab.shifted.tolist()
    [0.11920166015625, 0.88037109375]
    >>> lab.probabilities.round(8).tolist()
    [0.11920292, 0.88079708]
    """

    logits = trait(_FIELDS["logits"])
    labels = trait(_FIELDS["labels"])
    format = trait(_FIELDS["format"])
    shift = trait(_FIELDS["shift"])
    scale = trait(_FIELDS["scale"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("labels", values["labels"], "logits", values["logits"])

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """As float64 has them."""
        probabilities: npt.NDArray[np.float64] = softmax(self._scaled())
        return probabilities

    @property
    def naive(self) -> npt.NDArray[np.float64]:
        """``exp(z) / exp(z).sum()`` in the chosen format."""
        return self._run(shifted=False).quotients

    @property
    def shifted(self) -> npt.NDArray[np.float64]:
        """``exp(z - z.max()) / exp(z - z.max()).sum()`` in the chosen format."""
        return self._run(shifted=True).quotients

    def _scaled(self) -> npt.NDArray[np.float64]:
        with np.errstate(over="ignore"):
            scaled: npt.NDArray[np.float64] = np.asarray(self.logits) * self.scale + self.shift
        return scaled

    @np.errstate(all="ignore")
    def _run(self, *, shifted: bool, format: str | None = None) -> _Run:
        format = format or self.format
        powers = round_to(format, self._scaled())
        if shifted:
            powers = round_to(format, powers - powers.max())
        exponentials = round_to(format, np.exp(powers))
        total = np.float64(0)
        for exponential in exponentials:
            total = round_to(format, total + exponential)
        return _Run(powers, exponentials, float(total), round_to(format, exponentials / total))

    def _ulps(self, run: _Run, format: str) -> npt.NDArray[np.float64]:
        """How far from `probabilities`, in units in the last place of the format."""
        return np.abs(run.quotients - self.probabilities) / _spacing(format, self.probabilities)

    def verdict(self, *, shifted: bool, format: str | None = None) -> str:
        """What became of softmax in a format, in two or three words and the reason: "✕ NaN: ∞ ÷ ∞"."""
        format = format or self.format
        run = self._run(shifted=shifted, format=format)
        names = class_names(self.labels, len(self.logits))
        if np.isnan(run.quotients).any():
            reason = "∞ − ∞" if np.isnan(run.powers).any() else "0 ÷ 0" if run.total == 0 else "∞ ÷ ∞"
            return f"✕ NaN: {reason}"
        if run.total == math.inf:
            return "✕ all 0: the sum is ∞"
        ulps = self._ulps(run, format)
        # A quotient of 0 is wrong only where another number of the format is much nearer.
        missed = np.where((run.quotients == 0) & (ulps > MOST_ULP), self.probabilities, 0)
        if missed.max() > 0:
            return (
                f"✕ wrong: {_few([names[missed.argmax()]])}: 0, not {show_share(missed.max()).replace('under ', '<')}"
            )
        digits = _digits_left(format, ulps.max())
        right = f"right to {digits} digit{'' if digits == 1 else 's'}"
        if ulps.max() > MOST_ULP:
            return f"≈ lost digits: {right}"
        none = [name for name, quotient in zip(names, run.quotients, strict=True) if quotient == 0]
        return f"✓ works: {_few(none)}: exactly 0" if none else f"✓ works: {right}"

    def fallback(self) -> str:
        names = class_names(self.labels, len(self.logits))
        plain = self.scale == 1 and self.shift == 0
        at = "" if plain else f", logits times {show_given(self.scale)} plus {show_given(self.shift)}"
        content = (
            logit_table(f"Logits, and their exact probabilities{at}", names, self.logits, self.probabilities)
            + self._steps("Naive", names, shifted=False)
            + self._steps("The maximum m subtracted first", names, shifted=True)
            + table(
                "In every format<small> In float64 the answer to compare with is itself a double, "
                f"good to within {EXACT_TO_ULP} ULP.</small>",
                heads("format", "e<sup>z</sup> fits for z", "naive", "shifted"),
                list(FORMATS),
                [
                    f"<td>{_show_window(f)}</td>"
                    f"<td>{html.escape(self.verdict(shifted=False, format=f))}</td>"
                    f"<td>{html.escape(self.verdict(shifted=True, format=f))}</td>"
                    for f in FORMATS
                ],
                "sw-verdicts",
            )
        )
        return stored_form("sw-precision", content, rows=len(names))

    def _steps(self, caption: str, names: list[str], *, shifted: bool) -> str:
        run = self._run(shifted=shifted)
        z = "z − m" if shifted else "z"
        zero = "over ∞" if run.total == math.inf else "underflow"
        rows = [
            f"<td>{show(power)}</td><td>{_step(exponential)}</td>"
            f'<td data-value="{float(quotient)!r}">{_step(quotient, zero, show_probability)}</td>'
            f"<td>{_show_ulps(self.format, ulps)}</td>"
            for power, exponential, quotient, ulps in zip(
                run.powers, run.exponentials, run.quotients, self._ulps(run, self.format), strict=True
            )
        ]
        return table(
            f"{caption}, in {self.format}",
            heads("class", f"<i>{z}</i>", f"e<sup>{z}</sup>", "quotient", "error, ULP"),
            names,
            rows,
            "sw-steps",
        )


class Window(NamedTuple):
    """Where e^z is neither 0 nor ∞ in a format. Between `least` and `normal` it has lost digits already."""

    least: float
    normal: float
    most: float


def window_of(format: str) -> Window:
    """What is at most half the least number becomes 0; what is half a step beyond the largest becomes ∞."""
    bits, exponent = FORMATS[format]
    ln2 = math.log(2)
    return Window(
        (1 - exponent - bits) * ln2, (1 - exponent) * ln2, exponent * ln2 + math.log(2 - math.ldexp(1.0, -bits))
    )


def round_to(format: str, x: Any) -> Any:
    """Round doubles once, to nearest and ties to even; to subnormals or infinity where that is nearest."""
    bits, exponent = FORMATS[format]
    unit = _spacing(format, x)
    rounded = np.rint(x / unit) * unit
    return np.where(np.abs(rounded) > math.ldexp(2 - 2.0 ** (1 - bits), exponent), np.copysign(np.inf, x), rounded)


def _spacing(format: str, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The distance from x to the format's next number away from 0."""
    bits, largest = FORMATS[format]
    exponent = np.where(np.equal(x, 0), -largest, np.frexp(x)[1] - 1)
    return np.asarray(np.ldexp(1.0, np.maximum(exponent, 1 - largest) - (bits - 1)))


def _show_ulps(format: str, error: float) -> str:
    """An error in ULP, where it means anything: float64 is compared with a float64."""
    return f"within {EXACT_TO_ULP}" if format == "float64" and error <= EXACT_TO_ULP else show(error)


def _step(x: float, zero: str = "underflow", show: Callable[[float], str] = show) -> str:
    """A number, and in words what became of it."""
    word = {0.0: zero, math.inf: "overflow"}.get(x)
    return f"{show(x)} <small>{word}</small>" if word else show(x)


def _show_window(format: str) -> str:
    window = window_of(format)
    return f"{window.least:.2f} to {window.most:.2f}".replace("-", "−")


def _few(names: list[str]) -> str:
    """Names of classes in few letters: "dog", "dog and tiger", "3 classes"."""
    if len(names) == 1:
        return names[0] if len(names[0]) <= _LONGEST_NAME else f"{names[0][: _LONGEST_NAME - 1]}…"
    together = " and ".join(names)
    return together if len(names) == 2 and len(together) <= _LONGEST_NAME + 5 else f"{len(names)} classes"


def _digits_left(format: str, error: float) -> int:
    """How many decimal digits an error of so many ULP leaves; half a ULP is the least that rounding promises."""
    everything = (FORMATS[format].bits - 1) * math.log10(2)
    return max(math.floor(everything - math.log10(max(error, 0.5))), 0)
