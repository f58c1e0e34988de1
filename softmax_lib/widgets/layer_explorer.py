"""A last layer, and the decision that its logits lead to."""

from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import softmax
from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import class_names, heads, probability_cell, show, show_given, stored_form, table
from softmax_lib.widgets.traits import check_count, check_index, trait

_FIELDS = INTERACTIVES["LayerExplorer"]


class LayerExplorer(Interactive):
    """A last layer, ``weights @ hidden + bias``, and the decision that its logits lead to.

    Parameters
    ----------
    hidden : sequence of m finite numbers
    weights : sequence of n rows of m finite numbers
    bias : sequence of n finite numbers
    labels : sequence of n str, optional
        At most 24 characters each. Both n and m are at most 12.
    selected : int, default 0
        The class whose weights and formulas are shown.
    wanted : int, optional
        The class that the reader is asked to make the network say; no task if left out.

    Examples
    --------
    >>> from softmax_lib.examples import ANIMALS
    >>> layer = LayerExplorer(**ANIMALS._asdict())
    >>> layer.logits.tolist()
    [1.25, 2.44, 0.78, 0.12]
    >>> layer.probabilities.round(8).tolist()
    [0.19101771, 0.62789072, 0.1193865, 0.06170507]
    """

    hidden = trait(_FIELDS["hidden"])
    weights = trait(_FIELDS["weights"])
    bias = trait(_FIELDS["bias"])
    labels = trait(_FIELDS["labels"])
    selected = trait(_FIELDS["selected"])
    wanted = trait(_FIELDS["wanted"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("bias", values["bias"], "rows of weights", values["weights"])
        check_count("labels", values["labels"], "rows of weights", values["weights"])
        check_count("hidden", values["hidden"], "columns of weights", values["weights"][0])
        check_index("selected", values["selected"], "rows of weights", values["weights"])
        if values["wanted"] is not None:
            check_index("wanted", values["wanted"], "rows of weights", values["weights"])

    @property
    def logits(self) -> npt.NDArray[np.float64]:
        # In the order in which the browser adds them; a BLAS would be free to choose another.
        products = np.zeros(len(self.bias))
        with np.errstate(over="ignore", invalid="ignore"):
            for weight, hidden in zip(np.array(self.weights).T, self.hidden, strict=True):
                products += weight * hidden
            logits: npt.NDArray[np.float64] = products + self.bias
        return logits

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        probabilities: npt.NDArray[np.float64] = softmax(self.logits)
        return probabilities

    def fallback(self) -> str:
        with np.errstate(over="ignore"):
            exponentials = np.exp(self.logits)
        columns = [*(f"hidden {j}" for j in range(1, len(self.hidden) + 1)), "bias"]
        rows = [
            "".join(
                f'<td class="sw-entry" data-column="{column}">{show_given(x)}</td>'
                for column, x in zip(columns, (*weights, bias), strict=True)
            )
            + f"<td>{show_given(z)}</td><td>{show(e)}</td>{probability_cell(p)}"
            for weights, bias, z, e, p in zip(
                self.weights, self.bias, self.logits, exponentials, self.probabilities, strict=True
            )
        ]
        hidden = ", ".join(f"{column} = {show_given(h)}" for column, h in zip(columns, self.hidden, strict=False))
        head = heads("class") + heads(*columns, kind="sw-entry") + heads("logit", "e<sup>z</sup>", "probability")
        names = class_names(self.labels, len(self.bias))
        content = (
            table("From a hidden layer to a decision", head, names, rows) + f"<p>Weights and bias, at {hidden}</p>"
        )
        return stored_form(
            "sw-layer", content, rows=len(rows), sliders=len(self.hidden), task=int(self.wanted is not None)
        )
