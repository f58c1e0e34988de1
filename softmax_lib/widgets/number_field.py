"""A number to find by hand, and what a wrong one shows."""

from typing import Any

from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import folded_answer, show_given
from softmax_lib.widgets.traits import InvalidState, trait

_FIELDS = INTERACTIVES["NumberField"]


class NumberField(Interactive):
    """A field for a number that the reader finds by hand; a wrong one is told which misconception it shows.

    "0.25", "0,25", "1/4" and "25 %" are the same number. What was checked stays in the reader's browser.

    Parameters
    ----------
    question : str
    answer : float
        In per cent if the `unit` is "%"; then a share such as 0.25 is accepted too.
    mistakes : mapping of float to str
        From a wrong answer to the misconception that it shows, in the unit of the answer.
    hint : str
        What to look at, after any other wrong answer.
    reason : str
        Why the answer is what it is, in one sentence.
    unit : str, default ""
        What stands behind the field, at most 24 characters.
    tolerance : float, default 0.01
        How far from the answer, as a part of it, a number still counts as right. A mistake is recognised as widely.

    Examples
    --------
    >>> NumberField(
    ...     "What is softmax of two equal logits, each?",
    ...     0.5,
    ...     {1: "The shares of all classes sum to 1.", 2: "That is how many there are."},
    ...     hint="Equal logits have equal shares.",
    ...     reason="Two equal shares sum to 1.",
    ... ).mistakes[1]
    'The shares of all classes sum to 1.'
    """

    question = trait(_FIELDS["question"])
    answer = trait(_FIELDS["answer"])
    mistakes = trait(_FIELDS["mistakes"])
    hint = trait(_FIELDS["hint"])
    reason = trait(_FIELDS["reason"])
    unit = trait(_FIELDS["unit"])
    tolerance = trait(_FIELDS["tolerance"])

    def check(self, values: dict[str, Any]) -> None:
        answer, tolerance = values["answer"], values["tolerance"]
        if tolerance >= 1:
            raise InvalidState(f"tolerance must be a part of the answer, less than 1, got {tolerance!r}")
        for wrong in values["mistakes"]:
            if abs(wrong - answer) <= tolerance * abs(answer):
                raise InvalidState(
                    f"mistakes must differ from the answer {answer!r} by more than the tolerance, got {wrong!r}"
                )

    def fallback(self) -> str:
        return folded_answer(self.question, f"{f'{show_given(self.answer)} {self.unit}'.strip()}. {self.reason}")
