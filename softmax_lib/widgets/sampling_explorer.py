"""The next word of a sentence: its shares at a temperature, what two cuts leave of them, and words drawn by chance."""

import html
from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import softmax
from softmax_lib.examples import NextWord
from softmax_lib.widgets.facts import INTERACTIVES, LARGEST_SEED, MOST_DRAWS
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import heads, show_given, show_share, stored_form, table
from softmax_lib.widgets.traits import InvalidState, check_index, check_range, trait

_FIELDS = INTERACTIVES["SamplingExplorer"]


class SamplingExplorer(Interactive):
    r"""The next word of a sentence, drawn from :math:`\mathrm{softmax}(z / T)` after top-k and top-p have cut it.

    A word is kept if it is among the `top_k` likeliest, and the likelier words before it have
    together a share less than `top_p`. What is kept is divided by its sum. A word is drawn by a
    random number from 0 to 1: the first whose cumulative kept share exceeds the number.

    Parameters
    ----------
    prompts : sequence of 1 to 20 `softmax_lib.examples.NextWord`, or of triples (text, words, logits)
        Each with 2 to 40 words, likeliest first. A reader's own labels are prompts of their own.
    prompt : int, default 0
        The one that is shown.
    temperature : float, default 1
        Divides the logits; greater than 0.
    top_k : int, optional
        1 to the number of words; all of them if left out.
    top_p : float, default 1
        Greater than 0, at most 1.
    seed : int, default 0
        Up to 2**32 - 1. The random numbers are those of NumPy's
        ``np.random.Generator(np.random.Philox(key=seed)).random(draws)``.
    draws : int, default 0
        How many words have been drawn, up to 100.

    Examples
    --------
    >>> from softmax_lib.examples import NextWord
    >>> cat = NextWord("The cat sat on the", ("mat", "sofa", "roof"), (2, 1, 0))
    >>> explorer = SamplingExplorer([cat], top_p=0.9, seed=2, draws=5)
    >>> explorer
    SamplingExplorer(prompts=<1 prompt>, top_p=0.9, seed=2, draws=5)
    >>> explorer.shares.round(2).tolist(), explorer.kept.tolist()
    ([0.67, 0.24, 0.09], [True, True, False])
    >>> explorer.renormalised.round(2).tolist()
    [0.73, 0.27, 0.0]
    >>> explorer.drawn, explorer.counts
    (['mat', 'mat', 'sofa', 'mat', 'mat'], [4, 1, 0])
    """

    prompts = trait(_FIELDS["prompts"])
    prompt = trait(_FIELDS["prompt"])
    temperature = trait(_FIELDS["temperature"])
    top_k = trait(_FIELDS["top_k"])
    top_p = trait(_FIELDS["top_p"])
    seed = trait(_FIELDS["seed"])
    draws = trait(_FIELDS["draws"])

    def check(self, values: dict[str, Any]) -> None:
        check_index("prompt", values["prompt"], "prompts", values["prompts"])
        words = values["prompts"][values["prompt"]].words
        if values["top_k"] is not None and not 1 <= values["top_k"] <= len(words):
            raise InvalidState(
                f"top_k must be None or from 1 to {len(words)}, the number of words, got {values['top_k']}"
            )
        if values["top_p"] > 1:
            raise InvalidState(f"top_p must be greater than 0 and at most 1, got {values['top_p']}")
        check_range("seed", values["seed"], 0, LARGEST_SEED)
        check_range("draws", values["draws"], 0, MOST_DRAWS)

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of each word at the temperature, before the cuts."""
        # Only differences matter, and those from the maximum pass no double when they are divided.
        logits = np.array(self._shown.logits)
        with np.errstate(over="ignore"):
            shares: npt.NDArray[np.float64] = softmax((logits - logits[0]) / self.temperature)
        return shares

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Whether each word has passed both cuts."""
        shares = self.shares
        before = np.concatenate(([0.0], np.cumsum(shares)[:-1]))
        # A sum of shares may round to 1 before the last word; a top_p of 1 cuts nothing all the same.
        kept: npt.NDArray[np.bool_] = (before < self.top_p) | (self.top_p == 1)
        if self.top_k is not None:
            kept[self.top_k :] = False
        return kept

    @property
    def renormalised(self) -> npt.NDArray[np.float64]:
        """The shares of what is kept, of one whole again; 0 where a word is cut."""
        shares: npt.NDArray[np.float64] = np.where(self.kept, self.shares, 0)
        return shares / np.cumsum(shares)[-1]

    @property
    def drawn(self) -> list[str]:
        """The drawn words in their order."""
        return [self._shown.words[i] for i in self._indices()]

    @property
    def counts(self) -> list[int]:
        """How often each word was drawn."""
        counts: list[int] = np.bincount(self._indices(), minlength=len(self._shown.words)).tolist()
        return counts

    @property
    def _shown(self) -> NextWord:
        shown: NextWord = self.prompts[self.prompt]
        return shown

    def _indices(self) -> npt.NDArray[np.intp]:
        numbers = np.random.Generator(np.random.Philox(key=self.seed)).random(self.draws)
        # The last sum may round to less than a number; then that number draws the last word that is kept.
        return np.minimum(np.searchsorted(np.cumsum(self.renormalised), numbers, side="right"), self.kept.sum() - 1)

    def shorthand(self) -> dict[str, str]:
        count = len(self.prompts)
        return {"prompts": f"<{count} prompt{'s' if count > 1 else ''}>"}

    def fallback(self) -> str:
        caption = (
            f"What follows “{html.escape(self._shown.text)}” at temperature {show_given(self.temperature)}: "
            f"{self.kept.sum()} of {len(self._shown.words)} words kept"
        )
        rows = [
            "".join(f'<td data-value="{share!r}">{show_share(share)}</td>' for share in shares) + f"<td>{count}</td>"
            for *shares, count in zip(self.shares.tolist(), self.renormalised.tolist(), self.counts, strict=True)
        ]
        head = heads("word", "share", "of what is kept", "drawn")
        return stored_form("sw-sampling", table(caption, head, self._shown.words, rows))
