"""Whether the shares of a classifier can be believed: what it said against how many were right."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from softmax_lib import cross_entropy, softmax
from softmax_lib.widgets.facts import BINS, INTERACTIVES
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import heads, show_given, show_share, stored_form, table
from softmax_lib.widgets.traits import InvalidState, check_count, check_index, trait

_FIELDS = INTERACTIVES["CalibrationExplorer"]


class Bin(NamedTuple):
    """The examples of which a classifier is about as sure."""

    examples: int
    said: float
    """Their mean confidence, the largest share of each."""
    true: float
    """The share of them that it answered right."""


class CalibrationExplorer(Interactive):
    """A reliability diagram, and the mean cross-entropy, of logits that are divided by a temperature to drag.

    Parameters
    ----------
    logits : sequence of 1 to 1000 rows of 1 to 12 finite numbers
        A row for each example. A page carries them all: round them to two decimals.
    truth : sequence of int
        The true class of each example.
    temperature : float, default 1
        Divides the logits; greater than 0.
    selected : int, optional
        The bin whose numbers are shown, 0 for confidences under 10 % to 9 for 90 % and more.

    Examples
    --------
    >>> explorer = CalibrationExplorer([[3.0, 0.0], [2.0, 0.0], [0.0, 2.5]], truth=[0, 1, 1])
    >>> explorer
    CalibrationExplorer(logits=<3 x 2 numbers>, truth=<3 indices>)
    >>> round(explorer.accuracy, 8), round(explorer.loss, 8), round(explorer.calibration_error, 8)
    (0.66666667, 0.75146837, 0.33469371)
    >>> explorer.temperature = 2
    >>> round(explorer.accuracy, 8), round(explorer.loss, 8)
    (0.66666667, 0.58886802)
    """

    logits = trait(_FIELDS["logits"])
    truth = trait(_FIELDS["truth"])
    temperature = trait(_FIELDS["temperature"])
    selected = trait(_FIELDS["selected"])

    def check(self, values: dict[str, Any]) -> None:
        check_count("truth", values["truth"], "rows of logits", values["logits"])
        classes = len(values["logits"][0])
        for example, true_class in enumerate(values["truth"]):
            if true_class >= classes:
                raise InvalidState(
                    f"truth must be indices into the columns of logits, 0 to {classes - 1}, "
                    f"got {true_class} for example {example}"
                )
        if values["selected"] is not None:
            check_index("selected", values["selected"], "bins", range(BINS))

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        probabilities: npt.NDArray[np.float64] = softmax(self._scaled())
        return probabilities

    @property
    def accuracy(self) -> float:
        """The share of right answers, which is the same at every temperature."""
        return float(np.mean(self._right()))

    @property
    def loss(self) -> float:
        """The mean cross-entropy, in nats."""
        return float(np.mean(cross_entropy(self._scaled(), self.truth)))

    @property
    def bins(self) -> list[Bin]:
        """Ten bins of equal width, by confidence; an empty one has NaN for its means."""
        said = self.probabilities.max(axis=-1)
        right = self._right()
        of = np.minimum((said * BINS).astype(int), BINS - 1)
        members = [of == i for i in range(BINS)]
        return [
            Bin(int(m.sum()), float(said[m].mean()), float(right[m].mean())) if m.any() else Bin(0, math.nan, math.nan)
            for m in members
        ]

    @property
    def calibration_error(self) -> float:
        """The expected calibration error: how far bins are from the diagonal, on average over the examples."""
        gaps = (count * abs(true - said) for count, said, true in self.bins if count)
        return math.fsum(gaps) / len(self.truth)

    def _scaled(self) -> npt.NDArray[np.float64]:
        # Only differences matter, and those from the maximum pass no double when they are divided.
        logits = np.array(self.logits)
        with np.errstate(over="ignore"):
            scaled: npt.NDArray[np.float64] = (logits - logits.max(axis=-1, keepdims=True)) / self.temperature
        return scaled

    def _right(self) -> npt.NDArray[np.bool_]:
        right: npt.NDArray[np.bool_] = np.argmax(self.logits, axis=-1) == np.array(self.truth)
        return right

    def shorthand(self) -> dict[str, str]:
        count, classes = np.shape(self.logits)
        return {"logits": f"<{count} x {classes} numbers>", "truth": f"<{count} indices>"}

    def fallback(self) -> str:
        filled = {i: each for i, each in enumerate(self.bins) if each.examples}
        names = [f"{100 * i // BINS} to {100 * (i + 1) // BINS}\N{THIN SPACE}%" for i in filled]
        rows = [
            f"<td>{count}</td>"
            + "".join(f'<td data-value="{share!r}">{show_share(share)}</td>' for share in (said, true))
            for count, said, true in filled.values()
        ]
        caption = (
            f"At temperature {show_given(self.temperature)}: {show_share(self.accuracy)} right, "
            f"calibration error {100 * self.calibration_error:.1f} points, loss {self.loss:.3g}"
        )
        head = heads("said", "examples", "said on average", "true")
        return stored_form("sw-calibration", table(caption, head, names, rows))
