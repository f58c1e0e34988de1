"""What the reader places in the picture before seeing the answer: shares, or a number."""

from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import softmax
from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import class_names, folded_answer, show_given, show_share
from softmax_lib.widgets.traits import InvalidState, check_count, trait

_SHARES = INTERACTIVES["Guess"]
_NUMBER = INTERACTIVES["GuessNumber"]


class Guess(Interactive):
    """The softmax machine with its middle covered: the reader divides the strip, then sees the true shares.

    After that the bars can be pulled, as in a `LogitExplorer`. The guess stays in the reader's browser.

    Parameters
    ----------
    logits : sequence of 1 to 12 finite numbers
    labels : sequence of str, optional
        As many as logits, at most 24 characters each; "class 1", "class 2" and so on if left out.
    question : str
        What is given, and what to do.
    reason : str
        Why the shares are what they are, in a sentence that is shown with them.

    Examples
    --------
    >>> guess = Guess([2, 1, 0], question="How is the strip divided?", reason="One logit more is 2.7 times the share.")
    >>> guess.probabilities.round(2).tolist()
    [0.67, 0.24, 0.09]
    """

    logits = trait(_SHARES["logits"])
    labels = trait(_SHARES["labels"])
    question = trait(_SHARES["question"])
    reason = trait(_SHARES["reason"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("labels", values["labels"], "logits", values["logits"])

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """The shares that are to be guessed."""
        probabilities: npt.NDArray[np.float64] = softmax(np.asarray(self.logits))
        return probabilities

    def fallback(self) -> str:
        names = class_names(self.labels, len(self.logits))
        given = ", ".join(f"{name} {show_given(z)}" for name, z in zip(names, self.logits, strict=True))
        shares = ", ".join(f"{name} {show_share(p)}" for name, p in zip(names, self.probabilities, strict=True))
        return folded_answer(self.question, f"Shares: {shares}. {self.reason}", given=f"Logits: {given}.")


class GuessNumber(Interactive):
    """A point to place on an axis, before the true one is shown beside it.

    Parameters
    ----------
    number : float
        The answer.
    low, high : float
        The ends of the axis; the answer lies between them.
    question : str
    reason : str
        Why the number is what it is, in a sentence that is shown with it.
    unit : str, default ""
        What is counted, at most 24 characters: it stands after every number.
    logarithmic : bool, default False
        Whether equal steps along the axis are equal factors; then `low` is greater than 0.

    Examples
    --------
    >>> GuessNumber(2.718, 1, 100, question="One logit more?", reason="A factor of e.", unit="times").number
    2.718
    """

    number = trait(_NUMBER["number"])
    low = trait(_NUMBER["low"])
    high = trait(_NUMBER["high"])
    question = trait(_NUMBER["question"])
    reason = trait(_NUMBER["reason"])
    unit = trait(_NUMBER["unit"])
    logarithmic = trait(_NUMBER["logarithmic"])

    def check(self, values: dict[str, Any]) -> None:
        low, number, high = (values[name] for name in ("low", "number", "high"))
        if not low <= number <= high or low == high:
            raise InvalidState(f"number must lie on the axis from low to high, got {number!r} and {low!r} to {high!r}")
        if values["logarithmic"] and low <= 0:
            raise InvalidState(f"low must be greater than 0 on a logarithmic axis, got {low!r}")

    def fallback(self) -> str:
        low, high, number = (f"{show_given(x)} {self.unit}".strip() for x in (self.low, self.high, self.number))
        return folded_answer(self.question, f"{number}. {self.reason}", given=f"Somewhere between {low} and {high}.")
