"""The Jacobian, and how far its prediction of a nudge holds."""

import html
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import softmax, softmax_jacobian
from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import class_names, heads, logit_table, show, show_given, show_short, stored_form, table
from softmax_lib.widgets.traits import check_count, check_index, trait

_FIELDS = INTERACTIVES["JacobianExplorer"]


class JacobianExplorer(Interactive):
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

    logits = trait(_FIELDS["logits"])
    labels = trait(_FIELDS["labels"])
    row = trait(_FIELDS["row"])
    column = trait(_FIELDS["column"])
    nudge = trait(_FIELDS["nudge"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("labels", values["labels"], "logits", values["logits"])
        for name in ("row", "column"):
            check_index(name, values[name], "logits", values["logits"])

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        probabilities: npt.NDArray[np.float64] = softmax(self.logits)
        return probabilities

    @property
    def jacobian(self) -> npt.NDArray[np.float64]:
        """Row i, column j: the derivative of probability i by logit j."""
        return softmax_jacobian(self.logits)

    @property
    def predicted_change(self) -> npt.NDArray[np.float64]:
        """What the Jacobian says that the nudge changes."""
        predicted: npt.NDArray[np.float64] = self.jacobian[:, self.column] * self.nudge
        return predicted

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

    def fallback(self) -> str:
        names = class_names(self.labels, len(self.logits))
        rows = [
            "".join(
                f'<td class="sw-heat {"sw-plus" if x > 0 else "sw-minus"}" style="--heat:{_heat(x)}" '
                f'data-value="{float(x)!r}">{show_short(x)}</td>'
                for x in row
            )
            for row in self.jacobian
        ]
        title = "The Jacobian: each row a probability, each column a logit"
        head = heads("∂p/∂z", *(f'<b class="sw-name">{html.escape(name)}</b>' for name in names))
        matrix = table("The Jacobian", head, names, rows, "sw-matrix").replace(
            "<caption>", '<caption class="sw-hidden">'
        )
        i, j = self.row, self.column
        row, column = html.escape(names[i]), html.escape(names[j])
        chosen = f"∂p({row})/∂z({column}) = {show(self.jacobian[i, j])}."
        nudged = (
            f"Nudge the logit of {column} by {show_given(self.nudge)}: p({row}) changes by {show(self.change[i])}, "
            f"and the Jacobian predicts {show(self.predicted_change[i])}."
        )
        content = (
            logit_table("Logits and probabilities", names, self.logits, self.probabilities)
            + f'<p class="sw-title">{title}</p><div class="sw-scroll">{matrix}</div><p>{chosen} {nudged}</p>'
        )
        return stored_form("sw-jacobian", content, rows=len(rows), columns=len(rows))


def _heat(x: float) -> str:
    """How much of its colour a cell of the Jacobian has; no entry is larger than a quarter."""
    return f"{min(abs(x) * 4, 1):.1%}" if math.isfinite(x) else "0%"
