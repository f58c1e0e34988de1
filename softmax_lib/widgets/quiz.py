"""A question to answer before reading on."""

import html
from typing import Any

from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import stored_form
from softmax_lib.widgets.traits import InvalidState, trait

_FIELDS = INTERACTIVES["Quiz"]


class Quiz(Interactive):
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

    question = trait(_FIELDS["question"])
    choices = trait(_FIELDS["choices"])
    answer = trait(_FIELDS["answer"])
    choice = trait(_FIELDS["choice"])

    def check(self, values: dict[str, Any]) -> None:
        for name in ("answer", "choice"):
            if values[name] not in values["choices"] and not (name == "choice" and values[name] is None):
                raise InvalidState(f"{name} must be one of the choices {list(values['choices'])}, got {values[name]!r}")

    def fallback(self) -> str:
        verdicts = {choice: "Right." if choice == self.answer else "Not quite." for choice in self.choices}
        items = "".join(
            f"<details><summary>{html.escape(choice)}</summary>"
            f"<p><strong>{verdicts[choice]}</strong> {html.escape(reply)}</p></details>"
            for choice, reply in self.choices.items()
        )
        return stored_form("sw-quiz", f'<p class="sw-question">{html.escape(self.question)}</p>{items}')
