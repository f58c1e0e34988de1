"""What each word of a sentence gives to the others: scores, and their softmax along each row."""

import html
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from softmax_lib import softmax
from softmax_lib.widgets.facts import INTERACTIVES, MOST_DIMENSIONS, MOST_TOKENS
from softmax_lib.widgets.interactive import Interactive
from softmax_lib.widgets.stored import class_names, heads, show_share, stored_form, table
from softmax_lib.widgets.traits import InvalidState, check_count, check_index, check_range, trait

_FIELDS = INTERACTIVES["AttentionExplorer"]


class AttentionExplorer(Interactive):
    r"""Attention weights :math:`\mathrm{softmax}(s_{ij} / \sqrt d)` along each row of a matrix of scores.

    Row `i` of the scores belongs to the query of word `i`, column `j` to the key of word `j`.

    Parameters
    ----------
    scores : square matrix of 1 to 8 rows of finite numbers
        The products of queries and keys, before they are divided.
    labels : sequence of str, optional
        The words, at most 24 characters each; "class 1", "class 2" and so on if left out.
    dimension : int, default 16
        The length d of a query and of a key, from 1 to 1000000.
    scaled : bool, default True
        Whether the scores are divided by the square root of `dimension`.
    causal : bool, default False
        Whether a word sees only itself and what is before it.
    query, key : int, default 0
        The row whose scores can be pulled, and the weight of it that the formula shows.

    Examples
    --------
    >>> explorer = AttentionExplorer([[4.0, 0.0], [0.0, 8.0]], ["hot", "tea"])
    >>> explorer.weights.round(3).tolist()
    [[0.731, 0.269], [0.119, 0.881]]
    >>> explorer.causal = True
    >>> explorer.weights.round(3).tolist()
    [[1.0, 0.0], [0.119, 0.881]]
    """

    scores = trait(_FIELDS["scores"])
    labels = trait(_FIELDS["labels"])
    dimension = trait(_FIELDS["dimension"])
    scaled = trait(_FIELDS["scaled"])
    causal = trait(_FIELDS["causal"])
    query = trait(_FIELDS["query"])
    key = trait(_FIELDS["key"])

    def check(self, values: dict[str, Any]) -> None:
        scores = values["scores"]
        if len(scores) > MOST_TOKENS or len(scores) != len(scores[0]):
            raise InvalidState(
                f"scores must be a square matrix of at most {MOST_TOKENS} rows, got {len(scores)} x {len(scores[0])}"
            )
        check_count("labels", values["labels"], "rows of scores", scores)
        check_range("dimension", values["dimension"], 1, MOST_DIMENSIONS)
        for name in ("query", "key"):
            check_index(name, values[name], "rows of scores", scores)

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """A row for each query; exactly 0 where the mask hides a key."""
        scores = np.array(self.scores)
        weights: npt.NDArray[np.float64] = softmax(
            scores / math.sqrt(self.dimension) if self.scaled else scores,
            where=np.tri(len(scores), dtype=bool) if self.causal else None,
        )
        return weights

    def fallback(self) -> str:
        names = class_names(self.labels, len(self.scores))
        rows = [
            "".join(f'<td data-value="{float(weight)!r}">{show_share(weight)}</td>' for weight in row)
            for row in self.weights
        ]
        divided = f", scores divided by √{self.dimension}" if self.scaled else ""
        caption = f"Weights: a row for each query{divided}{', with a causal mask' if self.causal else ''}"
        keys = heads("query") + "".join(heads(html.escape(name)) for name in names)
        return stored_form("sw-attention", table(caption, keys, names, rows, kind="sw-weights"))
