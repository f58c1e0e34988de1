"""The two worked examples of the book, and the next words of a small language model, as data.

Sources: the five logits are Dario Radečić's ("Softmax Activation Function Explained", Towards
Data Science, 2020); cat, dog, tiger, none is keshav's ("Softmax Activation Function with Python",
vidyasheela.com), passed on by the Turing knowledge base.
"""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

FIVE_LOGITS = (1.3, 5.1, 2.2, 0.7, 1.1)


class Layer(NamedTuple):
    """A dense layer of n classes on m features; its logits are ``weights @ hidden + bias``."""

    labels: tuple[str, ...]
    hidden: tuple[float, ...]  # m
    weights: tuple[tuple[float, ...], ...]  # n rows of m
    bias: tuple[float, ...]  # n


# The article shows its numeric hidden, weights and bias as pictures that did not survive. These
# are constructed: every product is a binary fraction, so that a float64 sum in any order gives
# the article's logits, 1.25, 2.44, 0.78 and 0.12, to the last bit.
ANIMALS = Layer(
    labels=("cat", "dog", "tiger", "none"),
    hidden=(1.5, 0.5, 2.0),
    weights=(
        (1.0, 0.5, -0.5),
        (0.0, 0.5, 1.0),
        (-0.5, 0.5, 0.5),
        (0.0, 1.5, -0.5),
    ),
    bias=(0.5, 0.19, 0.28, 0.37),
)
ANIMAL_LOGITS = (1.25, 2.44, 0.78, 0.12)


class NextWord(NamedTuple):
    """The beginning of a sentence, and the likeliest words after it, the likeliest first.

    ``logits[i]`` is log p(``words[i]`` | ``text``), so that ``softmax(logits)`` has the probabilities
    of these words among themselves.
    """

    text: str
    words: tuple[str, ...]
    logits: tuple[float, ...]


@cache
def next_words() -> tuple[NextWord, ...]:
    """A dozen beginnings, from the surest to the most open, read from ``next_words.json``.

    The model is trained on Jane Austen's six novels by ``python -m tools.train_next_word``; the file
    says the rest. It counts words after words, and has interpolated Kneser–Ney smoothing:
    p(w | h) = max(c(h w) − d, 0) / c(h) + d n(h) / c(h) · p(w | h without its first word).

    >>> surest = next_words()[0]
    >>> surest.text, surest.words[:2]
    ('He shook his', ('head', 'own'))
    """
    stored = json.loads(files("softmax_lib").joinpath("next_words.json").read_text(encoding="utf-8"))
    return tuple(NextWord(of["text"], tuple(of["words"]), tuple(of["logits"])) for of in stored["prompts"])
