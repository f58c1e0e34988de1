"""Checks of a reader's own functions, which name the first misconception they find.

>>> from softmax_lib import check
>>> check.softmax(lambda z: z / z.sum())
✗ For [2.0, 1.0, 0.0] your function gives [0.667, 0.333, 0.0], and the answer is [0.665, 0.245, 0.09].
It divides the logits themselves by their sum. Exponentiate them first.
"""

from softmax_lib.check.bugs import (
    log_softmax_tail,
    softmax_of_integers,
    softmax_test,
    softmax_vjp,
    subnormal_sum,
    threads_to_use,
    timing,
)
from softmax_lib.check.chapters import (
    cross_entropy,
    cross_entropy_grad,
    jacobian,
    log_softmax,
    logsumexp,
    softmax,
    temperature,
    top_p,
)

__all__ = [
    "cross_entropy",
    "cross_entropy_grad",
    "jacobian",
    "log_softmax",
    "log_softmax_tail",
    "logsumexp",
    "softmax",
    "softmax_of_integers",
    "softmax_test",
    "softmax_vjp",
    "subnormal_sum",
    "temperature",
    "threads_to_use",
    "timing",
    "top_p",
]
