"""Softmax and its relatives, right for every input.

The names here are the NumPy backend's; importing them loads nothing heavier than NumPy. Other
backends are modules with the same signatures.
"""

from softmax_lib.with_numpy import logsumexp, merge, normalizer, softmax

__all__ = ["logsumexp", "merge", "normalizer", "softmax"]
__version__ = "0.1.0"
