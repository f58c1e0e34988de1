"""Softmax and its relatives, right for every input.

The names here are the NumPy backend's; importing them loads nothing heavier than NumPy. Other
backends are modules with the same signatures.
"""

from softmax_lib.with_numpy import (
    cross_entropy,
    cross_entropy_grad,
    log_softmax,
    logsumexp,
    merge,
    normalizer,
    softmax,
    softmax_jacobian,
    softmax_vjp,
)

__all__ = [
    "cross_entropy",
    "cross_entropy_grad",
    "log_softmax",
    "logsumexp",
    "merge",
    "normalizer",
    "softmax",
    "softmax_jacobian",
    "softmax_vjp",
]
__version__ = "0.1.0"
