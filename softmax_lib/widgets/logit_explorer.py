"""Logits, temperature and a shift, and the probabilities that follow."""

from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import softmax
from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import class_names, heads, probability_cell, show, show_given, stored_form, table
from softmax_lib.widgets.traits import check_count, check_index, trait

_FIELDS = INTERACTIVES["LogitExplorer"]


class LogitExplorer(Interactive):
    """The softmax machine: bars for the logits to pull, a tower of their exponentials, and their shares of it.

    Parameters
    ----------
    logits : sequence of 1 to 12 finite numbers
    labels : sequence of str, optional
        As many as logits, at most 24 characters each; "class 1", "class 2" and so on if left out.
    temperature : float, default 1
        Divides the logits; greater than 0.
    shift : float, default 0
        Added to every logit.
    selected : int, default 0
        The class that the formula shows.
    sliders : sequence of "shift" and "temperature", default both
        Which of the two can be moved under the picture.

    Examples
    --------
    >>> explorer = LogitExplorer([1.3, 5.1, 2.2, 0.7, 1.1])
    >>> explorer
    LogitExplorer(logits=[1.3, 5.1, 2.2, 0.7, 1.1])
    >>> explorer.probabilities.round(8).tolist()
    [0.02019046, 0.90253769, 0.04966053, 0.01108076, 0.01653055]
    """

    logits = trait(_FIELDS["logits"])
    labels = trait(_FIELDS["labels"])
    temperature = trait(_FIELDS["temperature"])
    shift = trait(_FIELDS["shift"])
    selected = trait(_FIELDS["selected"])
    sliders = trait(_FIELDS["sliders"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("labels", values["labels"], "logits", values["logits"])
        check_index("selected", values["selected"], "logits", values["logits"])

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        probabilities: npt.NDArray[np.float64] = softmax(self._scaled())
        return probabilities

    def _scaled(self) -> npt.NDArray[np.float64]:
        with np.errstate(over="ignore"):
            scaled: npt.NDArray[np.float64] = (np.asarray(self.logits) + self.shift) / self.temperature
        return scaled

    def fallback(self) -> str:
        with np.errstate(over="ignore"):
            exponentials = np.exp(self._scaled())
        rows = [
            f'<td class="sw-control">{show_given(z)}</td><td>{show(e)}</td>{probability_cell(p)}'
            for z, e, p in zip(self.logits, exponentials, self.probabilities, strict=True)
        ]
        plain = self.temperature == 1 and self.shift == 0
        setting = "" if plain else f", T = {show_given(self.temperature)}, c = {show_given(self.shift)}"
        exponent = "z" if plain else "(z+c)/T"
        head = (
            heads("class")
            + heads("logit <i>z</i>", kind="sw-control")
            + heads(f"e<sup>{exponent}</sup>", "probability")
        )
        names = class_names(self.labels, len(self.logits))
        return stored_form(
            "sw-logits", table(f"From logits to probabilities{setting}", head, names, rows), rows=len(rows)
        )
