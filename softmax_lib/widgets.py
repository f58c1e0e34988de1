"""The interactives' Python face: traits, and the table that stands where no script runs.

What the reader sees move is in ``widgets/``; esbuild turns it into ``static/``. In a live notebook
the traits are two-way. The stored output of a cell is the same state as plain HTML, which the
site's script brings to life.
"""

import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from softmax_lib import softmax

_STATIC = Path(__file__).parent / "static"
_MOST_CLASSES = 12
_LONGEST_LABEL = 24


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
    """What the three share: their files, and a stored form without ids, addresses or timings."""

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

    def __repr__(self) -> str:
        values = ((name, getattr(self, name)) for name in self._state_names)
        defaults = {"labels": None, "temperature": 1.0, "shift": 0.0, "choice": None}
        shown = (f"{n}={v!r}" for n, v in values if n not in defaults or v != defaults[n])
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


class LogitExplorer(_Interactive):
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

    logits = _Numbers()
    labels = _Labels()
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

    @traitlets.validate("logits", "labels")
    def _as_many_labels_as_logits(self, proposal: Any) -> Any:
        values = {"logits": self.logits, "labels": self.labels, proposal.trait.name: proposal.value}
        _check_count("labels", values["labels"], "logits", values["logits"])
        return proposal.value

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        probabilities: npt.NDArray[np.float64] = softmax(self._scaled())
        return probabilities

    def _scaled(self) -> npt.NDArray[np.float64]:
        with np.errstate(over="ignore"):
            return (np.asarray(self.logits) + self.shift) / self.temperature

    def _fallback(self) -> str:
        labels = self.labels or _default_labels(len(self.logits))
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
            '<th scope="col">class</th><th scope="col" class="sw-control">logit <i>z</i></th>'
            f'<th scope="col">e<sup>{exponent}</sup></th><th scope="col">probability</th>'
        )
        table = _table(f"From logits to probabilities{setting}", head, labels, rows)
        return _stored("sw-logits", table, rows=len(rows))


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

    @traitlets.validate("hidden", "weights", "bias", "labels")
    def _shapes_that_fit(self, proposal: Any) -> Any:
        values = {name: getattr(self, name) for name in self._state_names} | {proposal.trait.name: proposal.value}
        _check_count("bias", values["bias"], "rows of weights", values["weights"])
        _check_count("labels", values["labels"], "rows of weights", values["weights"])
        _check_count("hidden", values["hidden"], "columns of weights", values["weights"][0])
        return proposal.value

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
        head = (
            '<th scope="col">class</th>'
            + "".join(f'<th scope="col" class="sw-entry">{name}</th>' for name in names)
            + '<th scope="col">logit</th><th scope="col">e<sup>z</sup></th><th scope="col">probability</th>'
        )
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

    @traitlets.validate("choices", "answer", "choice")
    def _among_choices(self, proposal: Any) -> Any:
        values = {name: getattr(self, name) for name in self._state_names} | {proposal.trait.name: proposal.value}
        for name in ("answer", "choice"):
            if values[name] not in values["choices"] and not (name == "choice" and values[name] is None):
                raise InvalidState(f"{name} must be one of the choices {list(values['choices'])}, got {values[name]!r}")
        return proposal.value

    def _fallback(self) -> str:
        verdicts = {choice: "Right." if choice == self.answer else "Not quite." for choice in self.choices}
        items = "".join(
            f"<details><summary>{html.escape(choice)}</summary>"
            f"<p><strong>{verdicts[choice]}</strong> {html.escape(reply)}</p></details>"
            for choice, reply in self.choices.items()
        )
        return _stored("sw-quiz", f'<p class="sw-question">{html.escape(self.question)}</p>{items}')


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


def _given(x: float) -> str:
    return f"{x:.6g}".replace("-", "−", 1) if x < 0 else f"{x:.6g}"


def _probability(p: float) -> str:
    text = "1" if p == 1 else f"1 − {1 - p:.0e}".replace("e-0", "e-") if _show(p) == "1.000" else _show(p)
    width = f"{p:.2%}" if math.isfinite(p) else "0"
    return (
        f'<td class="sw-p" data-value="{float(p)!r}">'
        f'<span class="sw-bar"><span style="width:{width}"></span></span><span>{text}</span></td>'
    )


def _table(caption: str, head: str, labels: Sequence[str], rows: Sequence[str]) -> str:
    body = "".join(
        f'<tr class="sw-c{i % 8}"><th scope="row">{html.escape(label)}</th>{row}</tr>'
        for i, (label, row) in enumerate(zip(labels, rows, strict=True))
    )
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _stored(kind: str, content: str, **sizes: int) -> str:
    """The `sizes` let the stylesheet keep the room that the live view will take."""
    style = "".join(f"--{name}:{size};" for name, size in sizes.items())
    return f'<div class="sw sw-stored {kind}" style="{style}">{content}</div>'
