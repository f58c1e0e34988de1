"""The triangle of all shares that three classes can have, at a temperature."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import cross_entropy, softmax
from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import class_names, logit_table, show_given, stored_form
from softmax_lib.widgets.traits import check_count, trait

_FIELDS = INTERACTIVES["SimplexExplorer"]


class SimplexExplorer(Interactive):
    """All probability vectors over three classes as a triangle, with softmax(logits / temperature) as a dot in it.

    The dot can be dragged: the logits are then read backwards from its place, at the temperature that there is.

    Parameters
    ----------
    logits : sequence of 3 finite numbers
    labels : sequence of str, optional
        Three, at most 24 characters each; "class 1", "class 2" and "class 3" if left out.
    temperature : float, default 1
        Divides the logits; greater than 0.

    Examples
    --------
    >>> explorer = SimplexExplorer([2.0, 1.0, 0.0])
    >>> explorer.probabilities.round(8).tolist()
    [0.66524096, 0.24472847, 0.09003057]
    >>> round(explorer.entropy, 8), round(explorer.choices, 8)
    (0.83239558, 2.29881916)
    >>> explorer.temperature = 4
    >>> round(explorer.choices, 8)
    2.93908894
    """

    logits = trait(_FIELDS["logits"])
    labels = trait(_FIELDS["labels"])
    temperature = trait(_FIELDS["temperature"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("labels", values["labels"], "logits", values["logits"])

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        probabilities: npt.NDArray[np.float64] = softmax(self._scaled())
        return probabilities

    @property
    def entropy(self) -> float:
        """The entropy of the probabilities, in nats."""
        # The cross-entropy with themselves: from logits, nothing cancels where a share is nearly 1.
        return float(cross_entropy(self._scaled(), self.probabilities))

    @property
    def choices(self) -> float:
        """The effective number of choices, e to the entropy: as many equal ones are as uncertain."""
        return math.exp(self.entropy)

    def _scaled(self) -> npt.NDArray[np.float64]:
        # Only differences matter, and those from the maximum pass no double when they are divided.
        logits = np.array(self.logits)
        with np.errstate(over="ignore"):
            scaled: npt.NDArray[np.float64] = (logits - logits.max()) / self.temperature
        return scaled

    def fallback(self) -> str:
        names = class_names(self.labels, len(self.logits))
        caption = f"Logits and shares at temperature {show_given(self.temperature)}"
        choices = f'<p><span data-value="{self.choices!r}">{self.choices:.1f}</span> effective choices</p>'
        return stored_form("sw-simplex", logit_table(caption, names, self.logits, self.probabilities) + choices)
