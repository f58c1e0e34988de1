"""A softmax, and the mean that it weights, of scores that are read once, one after the other."""

from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import merge, normalizer, softmax
from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import class_names, heads, probability_cell, show, show_given, stored_form, table
from softmax_lib.widgets.traits import check_count, check_range, trait

_FIELDS = INTERACTIVES["OnlineStepper"]


class OnlineStepper(Interactive):
    r"""The pair (m, s) and the output :math:`\sum_j p_j v_j` along a row, score by score.

    Where a new maximum comes, what has been gathered is multiplied by :math:`e^{m_\mathrm{old} - m_\mathrm{new}}`.

    Parameters
    ----------
    scores : sequence of 1 to 12 finite numbers
    values : sequence of finite numbers, as many as scores
        The output is their mean, weighted by the softmax of the scores.
    labels : sequence of str, optional
        As many as scores, at most 24 characters each; "class 1", "class 2" and so on if left out.
    step : int, default 1
        How many scores have been read, from 1 to all.

    Examples
    --------
    >>> stepper = OnlineStepper([1.0, 3.0, 2.0], values=[10.0, 20.0, 60.0])
    >>> stepper.normalizer, stepper.output
    ((1.0, 1.0), 10.0)
    >>> stepper.step = 3
    >>> maximum, total = stepper.normalizer
    >>> maximum, round(total, 8), round(stepper.output, 8)
    (3.0, 1.50321472, 28.88883311)
    """

    scores = trait(_FIELDS["scores"])
    values = trait(_FIELDS["values"])
    labels = trait(_FIELDS["labels"])
    step = trait(_FIELDS["step"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("values", values["values"], "scores", values["scores"])
        check_count("labels", values["labels"], "scores", values["scores"])
        check_range("step", values["step"], 1, len(values["scores"]))

    @property
    def normalizer(self) -> tuple[float, float]:
        """The pair (m, s) of what has been read: each score is a part of its own, merged with those before."""
        pair = normalizer(())
        for score in self.scores[: self.step]:
            pair = merge(pair, normalizer([score]))
        maximum, total = pair
        return float(maximum), float(total)

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """The softmax of the scores that have been read."""
        weights: npt.NDArray[np.float64] = softmax(self.scores[: self.step])
        return weights

    @property
    def output(self) -> float:
        """The mean of the values that have been read, weighted by their softmax."""
        return float(self.weights @ self.values[: self.step])

    def fallback(self) -> str:
        names = class_names(self.labels, len(self.scores))[: self.step]
        rows = [
            f'<td class="sw-control">{show_given(score)}</td><td>{show_given(value)}</td>{probability_cell(weight)}'
            for score, value, weight in zip(self.scores, self.values, self.weights, strict=False)
        ]
        head = heads("read so far") + heads("score", kind="sw-control") + heads("value", "weight so far")
        maximum, total = self.normalizer
        said = f"m = {show_given(maximum)}, s = {show(total)}, output = {show(self.output)}."
        caption = f"After {self.step} of {len(self.scores)} scores"
        return stored_form("sw-online", f"{table(caption, head, names, rows)}<p>{said}</p>")
