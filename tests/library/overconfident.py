"""A classifier that is too sure of itself, made up: its logits are three times as large as they should be."""

import numpy as np

from softmax_lib import softmax

FACTOR = 3


def overconfident(count: int = 200, classes: int = 10, seed: int = 3) -> tuple[list[list[float]], list[int]]:
    """Logits of so many examples, and their true classes, drawn from the shares that a third of the logits gives."""
    random = np.random.default_rng(seed)
    honest = 2 * random.standard_normal((count, classes))
    drawn = random.random((count, 1)) < np.cumsum(softmax(honest), axis=1)
    return (FACTOR * honest).round(2).tolist(), np.argmax(drawn, axis=1).tolist()
