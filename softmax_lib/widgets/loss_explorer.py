"""The loss of logits, its gradient, given minus wanted, and the steps that follow from it."""

import html
from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import cross_entropy, cross_entropy_grad, softmax
from softmax_lib.widgets.facts import INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import (
    class_names,
    heads,
    probability_cell,
    show,
    show_given,
    show_short,
    stored_form,
    table,
)
from softmax_lib.widgets.traits import InvalidState, check_count, check_index, trait

_FIELDS = INTERACTIVES["LossExplorer"]


class LossExplorer(Interactive):
    """Given minus wanted: the gradient of the cross-entropy as arrows at the logits, and steps that lower the loss.

    Parameters
    ----------
    logits : sequence of 1 to 12 finite numbers
    labels : sequence of str, optional
        As many as logits, at most 24 characters each; "class 1", "class 2" and so on if left out.
    wanted : int, default 0
        The class that should have the whole share.
    smoothing : float, default 0
        Label smoothing: the part of what is wanted that is spread evenly over all classes, from 0 to less than 1.
    rate : float, default 1.5
        The step size, greater than 0: a step adds ``rate * (wanted - given)`` to the logits.
    smooth : bool, default False
        Whether label smoothing can be changed under the picture.

    Examples
    --------
    >>> explorer = LossExplorer([0.0, 0.0], labels=["no", "yes"], wanted=1)
    >>> explorer.gradient.tolist()
    [0.5, -0.5]
    >>> round(explorer.loss, 6)
    0.693147
    >>> explorer.logits = explorer.stepped
    >>> explorer.logits
    [-0.75, 0.75]
    """

    logits = trait(_FIELDS["logits"])
    labels = trait(_FIELDS["labels"])
    wanted = trait(_FIELDS["wanted"])
    smoothing = trait(_FIELDS["smoothing"])
    rate = trait(_FIELDS["rate"])
    smooth = trait(_FIELDS["smooth"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("labels", values["labels"], "logits", values["logits"])
        check_index("wanted", values["wanted"], "logits", values["logits"])
        if not 0 <= values["smoothing"] < 1:
            raise InvalidState(f"smoothing must be from 0 to less than 1, got {values['smoothing']!r}")

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """What is given."""
        probabilities: npt.NDArray[np.float64] = softmax(self.logits)
        return probabilities

    @property
    def target(self) -> npt.NDArray[np.float64]:
        """What is wanted."""
        classes = len(self.logits)
        target: npt.NDArray[np.float64] = (1 - self.smoothing) * np.eye(classes)[self.wanted] + self.smoothing / classes
        return target

    @property
    def loss(self) -> float:
        """The cross-entropy of the two, in nats."""
        return float(cross_entropy(self.logits, self.wanted, label_smoothing=self.smoothing))

    @property
    def gradient(self) -> npt.NDArray[np.float64]:
        """The slope of the loss by each logit: given minus wanted."""
        return cross_entropy_grad(self.logits, self.wanted, label_smoothing=self.smoothing)

    @property
    def stepped(self) -> npt.NDArray[np.float64]:
        """The logits after one step."""
        stepped: npt.NDArray[np.float64] = self.logits - self.rate * self.gradient
        return stepped

    def fallback(self) -> str:
        names = class_names(self.labels, len(self.logits))
        rows = [
            f'<td class="sw-control">{show_given(z)}</td><td>{show_given(y)}</td><td>{show_short(g)}</td>'
            + probability_cell(p)
            for z, y, g, p in zip(self.logits, self.target, self.gradient, self.probabilities, strict=True)
        ]
        head = (
            heads("class")
            + heads("logit <i>z</i>", kind="sw-control")
            + heads("wanted <i>y</i>", "<i>p</i> − <i>y</i>", "given <i>p</i>")
        )
        wanted = f"Wanted: {html.escape(names[self.wanted])}. The loss is {show(self.loss)}."
        content = table("Given minus wanted", head, names, rows) + f"<p>{wanted}</p>"
        return stored_form("sw-loss", content, rows=len(rows))
