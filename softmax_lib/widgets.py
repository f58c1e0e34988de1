"""The interactives' Python face: traits, and the table that stands where no script runs.

What the reader sees move is in ``widgets/``; esbuild turns it into ``static/``. In a live notebook
the traits are two-way. The stored output of a cell is the same state as plain HTML, which the
site's script brings to life.
"""

import html
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from softmax_lib import softmax, softmax_jacobian

_STATIC = Path(__file__).parent / "static"
_MOST_CLASSES = 12
_LONGEST_LABEL = 24
_FORMATS = {"float16": (11, 15), "bfloat16": (8, 127), "float32": (24, 127), "float64": (53, 1023)}
"""Each format's significant bits, and the exponent of its largest numbers."""
_MOST_ULP = 10  # beyond this many, a decimal digit is lost
_EXACT_TO = 4  # what stands for the exact answer is a float64, good to this many ULP
_DEFAULTS = {
    "labels": None,
    "temperature": 1.0,
    "shift": 0.0,
    "scale": 1.0,
    "row": 0,
    "column": 0,
    "nudge": 0.1,
    "format": "float16",
    "choice": None,
}


class InvalidState(traitlets.TraitError, ValueError):
    """A value that no interactive can show. A TraitError too, so that traitlets rolls back."""


class _Number(traitlets.TraitType[float, float]):
    def __init__(self, *, positive: bool = False) -> None:
        super().__init__()
        self.positive = positive
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> float:
        number = _as_float(value)
        if number is None or (self.positive and number <= 0):
            rule = "a finite number greater than 0" if self.positive else "a finite number"
            raise InvalidState(f"{self.name} must be {rule}, got {value!r}")
        return number


class _Numbers(traitlets.TraitType[list[float], Any]):
    def __init__(self) -> None:
        super().__init__()
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> list[float]:
        numbers = _as_floats(value)
        if numbers is None:
            raise InvalidState(f"{self.name} must be 1 to {_MOST_CLASSES} finite numbers, got {value!r}")
        return numbers


class _Matrix(traitlets.TraitType[list[list[float]], Any]):
    def __init__(self) -> None:
        super().__init__()
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> list[list[float]]:
        rows = [_as_floats(row) for row in _as_list(value)]
        good = [row for row in rows if row is not None]
        if not 1 <= len(rows) <= _MOST_CLASSES or len(good) < len(rows) or len({len(row) for row in good}) > 1:
            raise InvalidState(
                f"{self.name} must be 1 to {_MOST_CLASSES} rows of equally many finite numbers, "
                f"at most {_MOST_CLASSES}, got {value!r}"
            )
        return good


class _Labels(traitlets.TraitType[list[str] | None, Any]):
    def __init__(self) -> None:
        super().__init__(None, allow_none=True)
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> list[str]:
        labels = _as_list(value)
        if not labels or not all(isinstance(label, str) and label.strip() for label in labels):
            raise InvalidState(f"{self.name} must be None or a sequence of texts, none empty, got {value!r}")
        for label in labels:
            if len(label) > _LONGEST_LABEL:
                raise InvalidState(f"{self.name} must have at most {_LONGEST_LABEL} characters each, got {label!r}")
        return labels


class _Index(traitlets.TraitType[int, Any]):
    def __init__(self) -> None:
        super().__init__()
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise InvalidState(f"{self.name} must be an index from 0, got {value!r}")
        return int(value)


class _Format(traitlets.TraitType[str, str]):
    def __init__(self) -> None:
        super().__init__("float16")
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> str:
        if not isinstance(value, str) or value not in _FORMATS:
            raise InvalidState(f"{self.name} must be one of {list(_FORMATS)}, got {value!r}")
        return value


class _Text(traitlets.TraitType[str, str]):
    def __init__(self) -> None:
        super().__init__()
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise InvalidState(f"{self.name} must be a text that is not empty, got {value!r}")
        return value


class _Choices(traitlets.TraitType[dict[str, str], Any]):
    def __init__(self) -> None:
        super().__init__()
        # A list of pairs in JavaScript: its objects put keys that look like integers first.
        self.tag(sync=True, to_json=lambda choices, _: [list(pair) for pair in choices.items()])

    def validate(self, obj: Any, value: Any) -> dict[str, str]:
        choices = dict(value) if isinstance(value, Mapping) else {}
        texts = [*choices.keys(), *choices.values()]
        if not 2 <= len(choices) <= _MOST_CLASSES or not all(isinstance(t, str) and t.strip() for t in texts):
            raise InvalidState(f"{self.name} must map 2 to {_MOST_CLASSES} texts to replies, none empty, got {value!r}")
        return choices


class _Interactive(anywidget.AnyWidget):
    """What all share: their files, and a stored form without ids, addresses or timings."""

    _esm = _STATIC / "widgets.js"
    _css = _STATIC / "widgets.css"
    _component = traitlets.Unicode().tag(sync=True)
    _stored = traitlets.Dict().tag(sync=True)  # what Reset goes back to
    _state_names: tuple[str, ...] = ()

    @traitlets.default("_component")
    def _default_component(self) -> str:
        # The name of the class below, also for a reader's own subclass.
        return next(c.__name__ for c in type(self).__mro__ if c.__module__ == __name__)

    @traitlets.default("_stored")
    def _default_stored(self) -> dict[str, Any]:
        state: dict[str, Any] = self.get_state(self._state_names)
        return state

    @traitlets.validate("logits", "labels", "row", "column", "hidden", "weights", "bias", "choices", "answer", "choice")
    def _only_what_fits_together(self, proposal: Any) -> Any:
        self._check({name: getattr(self, name) for name in self._state_names} | {proposal.trait.name: proposal.value})
        return proposal.value

    def _check(self, values: dict[str, Any]) -> None:
        """Raise if these values, each valid for itself, do not fit together."""
        raise NotImplementedError

    def __repr__(self) -> str:
        values = ((name, getattr(self, name)) for name in self._state_names)
        shown = (f"{n}={v!r}" for n, v in values if n not in _DEFAULTS or v != _DEFAULTS[n])
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return data | {"text/plain": repr(self), "text/html": self._html()}, metadata

    def _html(self) -> str:
        state = json.dumps(self.get_state(self._state_names), ensure_ascii=False, allow_nan=False)
        return (
            f'<div class="softmax-widget" data-widget="{self._component}" data-state="{html.escape(state)}">'
            f"{self._fallback()}</div>"
        )

    def _fallback(self) -> str:
        raise NotImplementedError


class _OfLogits(_Interactive):
    """What the interactives that start from logits share."""

    logits = _Numbers()
    labels = _Labels()

    def _check(self, values: dict[str, Any]) -> None:
        _check_count("labels", values["labels"], "logits", values["logits"])

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        probabilities: npt.NDArray[np.float64] = softmax(self._scaled())
        return probabilities

    def _scaled(self) -> npt.NDArray[np.float64]:
        return np.asarray(self.logits)

    def _names(self) -> list[str]:
        return self.labels or _default_labels(len(self.logits))

    def _probability_table(self, caption: str) -> str:
        rows = [
            f'<td class="sw-control">{_given(z)}</td>{_probability(p)}'
            for z, p in zip(self.logits, self.probabilities, strict=True)
        ]
        head = _heads("class") + _heads("logit <i>z</i>", kind="sw-control") + _heads("probability")
        return _table(caption, head, self._names(), rows)


class LogitExplorer(_OfLogits):
    """Sliders for logits, temperature and a shift of all logits; e^z, shares and probabilities follow.

    Parameters
    ----------
    logits : sequence of 1 to 12 finite numbers
    labels : sequence of str, optional
        As many as logits, at most 24 characters each; "class 1", "class 2" and so on if left out.
    temperature : float, default 1
        Divides the logits; greater than 0.
    shift : float, default 0
        Added to every logit.

    Examples
    --------
    >>> explorer = LogitExplorer([1.3, 5.1, 2.2, 0.7, 1.1])
    >>> explorer
    LogitExplorer(logits=[1.3, 5.1, 2.2, 0.7, 1.1])
    >>> explorer.probabilities.round(8).tolist()
    [0.02019046, 0.90253769, 0.04966053, 0.01108076, 0.01653055]
    """

    temperature = _Number(positive=True)
    shift = _Number()
    _state_names = ("logits", "labels", "temperature", "shift")

    def __init__(
        self,
        logits: Iterable[float],
        labels: Iterable[str] | None = None,
        temperature: float = 1.0,
        shift: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(logits=logits, labels=labels, temperature=temperature, shift=shift, **kwargs)

    def _scaled(self) -> npt.NDArray[np.float64]:
        with np.errstate(over="ignore"):
            return (np.asarray(self.logits) + self.shift) / self.temperature

    def _fallback(self) -> str:
        with np.errstate(over="ignore"):
            exponentials = np.exp(self._scaled())
        rows = [
            f'<td class="sw-control">{_given(z)}</td><td>{_show(e)}</td>{_probability(p)}'
            for z, e, p in zip(self.logits, exponentials, self.probabilities, strict=True)
        ]
        plain = self.temperature == 1 and self.shift == 0
        setting = "" if plain else f", T = {_given(self.temperature)}, c = {_given(self.shift)}"
        exponent = "z" if plain else "(z+c)/T"
        head = (
            _heads("class")
            + _heads("logit <i>z</i>", kind="sw-control")
            + _heads(f"e<sup>{exponent}</sup>", "probability")
        )
        table = _table(f"From logits to probabilities{setting}", head, self._names(), rows)
        return _stored("sw-logits", table, rows=len(rows))


class JacobianExplorer(_OfLogits):
    """Which probability moves when a logit is nudged: the Jacobian, and how far it can be trusted.

    Parameters
    ----------
    logits : sequence of 1 to 12 finite numbers
    labels : sequence of str, optional
        As many as logits, at most 24 characters each; "class 1", "class 2" and so on if left out.
    row, column : int, default 0
        The chosen cell, the derivative of the probability of class `row` by the logit of class `column`.
    nudge : float, default 0.1
        How far the logit of class `column` is moved.

    Examples
    --------
    >>> explorer = JacobianExplorer([0.0, 0.0], labels=["no", "yes"])
    >>> explorer.jacobian.tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    >>> explorer.predicted_change.tolist()
    [0.025, -0.025]
    >>> explorer.change.round(8).tolist()
    [0.02497919, -0.02497919]
    """

    row = _Index()
    column = _Index()
    nudge = _Number()
    _state_names = ("logits", "labels", "row", "column", "nudge")

    def __init__(
        self,
        logits: Iterable[float],
        labels: Iterable[str] | None = None,
        row: int = 0,
        column: int = 0,
        nudge: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(logits=logits, labels=labels, row=row, column=column, nudge=nudge, **kwargs)

    def _check(self, values: dict[str, Any]) -> None:
        super()._check(values)
        most = len(values["logits"]) - 1
        for name in ("row", "column"):
            if values[name] > most:
                raise InvalidState(f"{name} must be an index into logits, 0 to {most}, got {values[name]}")

    @property
    def jacobian(self) -> npt.NDArray[np.float64]:
        """Row i, column j: the derivative of probability i by logit j."""
        return softmax_jacobian(self.logits)

    @property
    def predicted_change(self) -> npt.NDArray[np.float64]:
        """What the Jacobian says that the nudge changes."""
        return self.jacobian[:, self.column] * self.nudge

    @property
    def change(self) -> npt.NDArray[np.float64]:
        """What the nudge changes: ``softmax(nudged logits) - softmax(logits)``."""
        before, j, h = self.probabilities, self.column, self.nudge
        logits = np.asarray(self.logits)
        logits[j] += h
        after: npt.NDArray[np.float64] = softmax(logits)
        # The difference would cancel; these are the same, with no subtraction.
        change: npt.NDArray[np.float64]
        change = before * after[j] * math.expm1(-h) if h > 0 else -after * before[j] * math.expm1(h)
        change[j] = 0
        change[j] = -math.fsum(change)
        return change

    def _fallback(self) -> str:
        labels = self._names()
        rows = [
            "".join(
                f'<td class="sw-heat {"sw-plus" if x > 0 else "sw-minus"}" style="--heat:{_heat(x)}" '
                f'data-value="{float(x)!r}">{_short(x)}</td>'
                for x in row
            )
            for row in self.jacobian
        ]
        title = "The Jacobian: each row a probability, each column a logit"
        head = _heads("∂p/∂z", *(_name(label) for label in labels))
        matrix = _table("The Jacobian", head, labels, rows, "sw-matrix").replace(
            "<caption>", '<caption class="sw-hidden">'
        )
        i, j = self.row, self.column
        row, column = html.escape(labels[i]), html.escape(labels[j])
        chosen = f"∂p({row})/∂z({column}) = {_show(self.jacobian[i, j])}."
        nudged = (
            f"Nudge the logit of {column} by {_given(self.nudge)}: p({row}) changes by {_show(self.change[i])}, "
            f"and the Jacobian predicts {_show(self.predicted_change[i])}."
        )
        content = (
            self._probability_table("Logits and probabilities")
            + f'<p class="sw-title">{title}</p><div class="sw-scroll">{matrix}</div><p>{chosen} {nudged}</p>'
        )
        return _stored("sw-jacobian", content, rows=len(rows), columns=len(rows))


class _Run(NamedTuple):
    """Softmax as a narrow format computes it, step by step."""

    powers: npt.NDArray[np.float64]
    exponentials: npt.NDArray[np.float64]
    total: float
    quotients: npt.NDArray[np.float64]


class PrecisionLab(_OfLogits):
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

    format = _Format()
    shift = _Number()
    scale = _Number(positive=True)
    _state_names = ("logits", "labels", "format", "shift", "scale")

    def __init__(
        self,
        logits: Iterable[float],
        labels: Iterable[str] | None = None,
        format: str = "float16",
        shift: float = 0.0,
        scale: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(logits=logits, labels=labels, format=format, shift=shift, scale=scale, **kwargs)

    @property
    def naive(self) -> npt.NDArray[np.float64]:
        """``exp(z) / exp(z).sum()`` in the chosen format."""
        return self._run(shifted=False).quotients

    @property
    def shifted(self) -> npt.NDArray[np.float64]:
        """The same after subtracting the maximum."""
        return self._run(shifted=True).quotients

    def _scaled(self) -> npt.NDArray[np.float64]:
        with np.errstate(over="ignore"):
            return np.asarray(self.logits) * self.scale + self.shift

    @np.errstate(all="ignore")
    def _run(self, *, shifted: bool, format: str | None = None) -> _Run:
        format = format or self.format
        powers = _round_to(format, self._scaled())
        if shifted:
            powers = _round_to(format, powers - powers.max())
        exponentials = _round_to(format, np.exp(powers))
        total = np.float64(0)
        for exponential in exponentials:
            total = _round_to(format, total + exponential)
        return _Run(powers, exponentials, float(total), _round_to(format, exponentials / total))

    def _ulps(self, run: _Run, format: str) -> npt.NDArray[np.float64]:
        """How far from `probabilities`, in units in the last place of the format."""
        return np.abs(run.quotients - self.probabilities) / _spacing(format, self.probabilities)

    def _verdict(self, *, shifted: bool, format: str) -> str:
        run = self._run(shifted=shifted, format=format)
        worst = self._ulps(run, format).max()
        missed = self.probabilities[run.quotients == 0].max(initial=0)
        if math.isnan(worst):
            return "✗ NaN"
        if missed > 0:
            return f"✗ 0 instead of {_show(missed)}"
        return f"{'≈ lost digits' if worst > _MOST_ULP else '✓ fine'}: {_show_ulps(format, worst)} ULP"

    def _fallback(self) -> str:
        labels = self._names()
        plain = self.scale == 1 and self.shift == 0
        at = "" if plain else f", logits times {_given(self.scale)} plus {_given(self.shift)}"
        return _stored(
            "sw-precision",
            self._probability_table(f"Logits, and their exact probabilities{at}")
            + self._steps("Naive", labels, shifted=False)
            + self._steps("The maximum m subtracted first", labels, shifted=True)
            + _table(
                "In every format<small> In float64 the answer to compare with is itself a double, "
                f"good to within {_EXACT_TO} ULP.</small>",
                _heads("format", "naive", "shifted"),
                list(_FORMATS),
                [
                    f"<td>{self._verdict(shifted=False, format=f)}</td><td>{self._verdict(shifted=True, format=f)}</td>"
                    for f in _FORMATS
                ],
                "sw-verdicts",
            ),
            rows=len(labels),
        )

    def _steps(self, caption: str, labels: list[str], *, shifted: bool) -> str:
        run = self._run(shifted=shifted)
        z = "z − m" if shifted else "z"
        zero = "over ∞" if run.total == math.inf else "underflow"
        rows = [
            f"<td>{_show(power)}</td><td>{_step(exponential)}</td>"
            f'<td data-value="{float(quotient)!r}">{_step(quotient, zero, _show_probability)}</td>'
            f"<td>{_show_ulps(self.format, ulps)}</td>"
            for power, exponential, quotient, ulps in zip(
                run.powers, run.exponentials, run.quotients, self._ulps(run, self.format), strict=True
            )
        ]
        return _table(
            f"{caption}, in {self.format}",
            _heads("class", f"<i>{z}</i>", f"e<sup>{z}</sup>", "quotient", "error, ULP"),
            labels,
            rows,
            "sw-steps",
        )


class LayerExplorer(_Interactive):
    """A last layer, ``weights @ hidden + bias``, and the decision that its logits lead to.

    Parameters
    ----------
    hidden : sequence of m finite numbers
    weights : sequence of n rows of m finite numbers
    bias : sequence of n finite numbers
    labels : sequence of n str, optional
        At most 24 characters each. Both n and m are at most 12.

    Examples
    --------
    >>> from softmax_lib.examples import ANIMALS
    >>> layer = LayerExplorer(**ANIMALS._asdict())
    >>> layer.logits.tolist()
    [1.25, 2.44, 0.78, 0.12]
    >>> layer.probabilities.round(8).tolist()
    [0.19101771, 0.62789072, 0.1193865, 0.06170507]
    """

    hidden = _Numbers()
    weights = _Matrix()
    bias = _Numbers()
    labels = _Labels()
    _state_names = ("hidden", "weights", "bias", "labels")

    def __init__(
        self,
        hidden: Iterable[float],
        weights: Iterable[Iterable[float]],
        bias: Iterable[float],
        labels: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(hidden=hidden, weights=weights, bias=bias, labels=labels, **kwargs)

    def _check(self, values: dict[str, Any]) -> None:
        _check_count("bias", values["bias"], "rows of weights", values["weights"])
        _check_count("labels", values["labels"], "rows of weights", values["weights"])
        _check_count("hidden", values["hidden"], "columns of weights", values["weights"][0])

    @property
    def logits(self) -> npt.NDArray[np.float64]:
        # In the order in which the browser adds them; a BLAS would be free to choose another.
        products = np.zeros(len(self.bias))
        with np.errstate(over="ignore", invalid="ignore"):
            for weight, hidden in zip(np.array(self.weights).T, self.hidden, strict=True):
                products += weight * hidden
            return products + self.bias

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        probabilities: npt.NDArray[np.float64] = softmax(self.logits)
        return probabilities

    def _fallback(self) -> str:
        labels = self.labels or _default_labels(len(self.bias))
        with np.errstate(over="ignore"):
            exponentials = np.exp(self.logits)
        names = [*(f"hidden {j}" for j in range(1, len(self.hidden) + 1)), "bias"]
        rows = [
            "".join(
                f'<td class="sw-entry" data-column="{name}">{_given(x)}</td>'
                for name, x in zip(names, (*weights, bias), strict=True)
            )
            + f"<td>{_given(z)}</td><td>{_show(e)}</td>{_probability(p)}"
            for weights, bias, z, e, p in zip(
                self.weights, self.bias, self.logits, exponentials, self.probabilities, strict=True
            )
        ]
        hidden = ", ".join(f"{name} = {_given(h)}" for name, h in zip(names, self.hidden, strict=False))
        head = _heads("class") + _heads(*names, kind="sw-entry") + _heads("logit", "e<sup>z</sup>", "probability")
        table = _table("From a hidden layer to a decision", head, labels, rows)
        at = f"<p>Weights and bias, at {hidden}</p>"
        return _stored("sw-layer", table + at, rows=len(rows), sliders=len(self.hidden))


class Quiz(_Interactive):
    """A question to answer before reading on; every choice has its reply.

    Parameters
    ----------
    question : str
    choices : mapping of str to str
        From each choice to what its reader should hear: why it is right, or which
        misconception it shows.
    answer : str
        The right choice.

    Examples
    --------
    >>> Quiz("Is softmax([0, 0]) a half each?", {"yes": "Equal logits.", "no": "Try it."}, "yes").choice
    """

    question = _Text()
    choices = _Choices()
    answer = _Text()
    choice = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    _state_names = ("question", "choices", "answer", "choice")

    def __init__(self, question: str, choices: Mapping[str, str], answer: str, **kwargs: Any) -> None:
        super().__init__(question=question, choices=choices, answer=answer, **kwargs)

    def _check(self, values: dict[str, Any]) -> None:
        for name in ("answer", "choice"):
            if values[name] not in values["choices"] and not (name == "choice" and values[name] is None):
                raise InvalidState(f"{name} must be one of the choices {list(values['choices'])}, got {values[name]!r}")

    def _fallback(self) -> str:
        verdicts = {choice: "Right." if choice == self.answer else "Not quite." for choice in self.choices}
        items = "".join(
            f"<details><summary>{html.escape(choice)}</summary>"
            f"<p><strong>{verdicts[choice]}</strong> {html.escape(reply)}</p></details>"
            for choice, reply in self.choices.items()
        )
        return _stored("sw-quiz", f'<p class="sw-question">{html.escape(self.question)}</p>{items}')


def _spacing(format: str, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The distance from x to the format's next number away from 0."""
    bits, top = _FORMATS[format]
    exponent = np.where(np.equal(x, 0), -top, np.frexp(x)[1] - 1)
    return np.asarray(np.ldexp(1.0, np.maximum(exponent, 1 - top) - (bits - 1)))


def _round_to(format: str, x: Any) -> Any:
    """Round doubles once, to nearest and ties to even; to subnormals or infinity where that is nearest."""
    bits, top = _FORMATS[format]
    unit = _spacing(format, x)
    rounded = np.rint(x / unit) * unit
    return np.where(np.abs(rounded) > math.ldexp(2 - 2.0 ** (1 - bits), top), np.copysign(np.inf, x), rounded)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else []


def _as_float(value: Any) -> float | None:
    if isinstance(value, bool | str | bytes):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _as_floats(value: Any) -> list[float] | None:
    numbers = [_as_float(item) for item in _as_list(value)]
    finite = [number for number in numbers if number is not None]
    return finite if 1 <= len(numbers) <= _MOST_CLASSES and len(finite) == len(numbers) else None


def _check_count(name: str, values: Sequence[Any] | None, other_name: str, others: Sequence[Any]) -> None:
    if values is not None and len(values) != len(others):
        raise InvalidState(f"{name} must be as many as {other_name}, {len(others)}, got {len(values)}: {values!r}")


def _default_labels(count: int) -> list[str]:
    return [f"class {i}" for i in range(1, count + 1)]


def _show(x: float) -> str:
    """Four significant digits, as in ``widgets/src/format.ts``."""
    if not math.isfinite(x):
        return {math.inf: "∞", -math.inf: "−∞"}.get(x, "NaN")
    if x == 0:
        return "0"
    mantissa, _, exponent = f"{x:.3e}".partition("e")
    text = f"{x:#.4g}".rstrip(".") if -4 <= int(exponent) < 4 else f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−", 1) if x < 0 else text


def _show_ulps(format: str, error: float) -> str:
    """An error in ULP, where it means anything: float64 is compared with a float64."""
    return f"within {_EXACT_TO}" if format == "float64" and error <= _EXACT_TO else _show(error)


def _short(x: float) -> str:
    """At most seven characters for a number from -1 to 1: "0.1545", "-4e-5"."""
    text = f"{x:.0e}".replace("e-0", "e-") if 0 < abs(x) < 0.00005 else f"{x:.4f}" if x else "0"
    return text.replace("-", "−", 1) if x < 0 else text.replace("nan", "NaN")


def _heat(x: float) -> str:
    """How much of its colour a cell of the Jacobian has; no entry is larger than a quarter."""
    return f"{min(abs(x) * 4, 1):.1%}" if math.isfinite(x) else "0%"


def _step(x: float, zero: str = "underflow", show: Callable[[float], str] = _show) -> str:
    word = {0.0: zero, math.inf: "overflow"}.get(x)
    return f"{show(x)} <small>{word}</small>" if word else show(x)


def _given(x: float) -> str:
    return f"{x:.6g}".replace("-", "−", 1) if x < 0 else f"{x:.6g}"


def _show_probability(p: float) -> str:
    if p == 1:
        return "1"
    return f"1 − {1 - p:.0e}".replace("e-0", "e-") if p < 1 and _show(p) == "1.000" else _show(p)


def _probability(p: float) -> str:
    width = f"{p:.2%}" if math.isfinite(p) else "0"
    return (
        f'<td class="sw-p" data-value="{float(p)!r}">'
        f'<span class="sw-bar"><span style="width:{width}"></span></span><span>{_show_probability(p)}</span></td>'
    )


def _name(label: str) -> str:
    return f'<b class="sw-name">{html.escape(label)}</b>'


def _heads(*names: str, kind: str = "") -> str:
    of_kind = f' class="{kind}"' if kind else ""
    return "".join(f'<th scope="col"{of_kind}>{name}</th>' for name in names)


def _table(caption: str, head: str, labels: Sequence[str], rows: Sequence[str], kind: str = "") -> str:
    of_kind = f' class="{kind}"' if kind else ""
    body = "".join(
        f'<tr class="sw-c{i % 8}"><th scope="row">{html.escape(label)}</th>{row}</tr>'
        for i, (label, row) in enumerate(zip(labels, rows, strict=True))
    )
    return f"<table{of_kind}><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _stored(kind: str, content: str, **sizes: int) -> str:
    """The `sizes` let the stylesheet keep the room that the live view will take."""
    style = "".join(f"--{name}:{size};" for name, size in sizes.items())
    return f'<div class="sw sw-stored {kind}" style="{style}">{content}</div>'
