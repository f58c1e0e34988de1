"""Pairs of maximum and sum, merged."""

import math

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from tests.library.contract.helpers import INF, NAN


def test_pairs_merge(backend):
    maximum, total = backend.merge(backend.normalizer([3.0, -1.0]), backend.normalizer([4.0, 1.5]))
    assert maximum == 4
    assert_allclose(total, 1 + math.exp(-1) + math.exp(-2.5) + math.exp(-5), rtol=1e-15)
    a, b = backend.normalizer(np.zeros((2, 3))), backend.normalizer([1.0, 1.0, 1.0])
    maximum, total = backend.merge(a, b)
    assert_array_equal(maximum, [1, 1])
    assert_allclose(total, 3 + 3 * math.exp(-1), rtol=1e-15)
    assert np.isnan(backend.merge((NAN, NAN), (0.0, 1.0))).all()
    assert backend.merge((INF, 1.0), (INF, 2.0)) == (INF, 3)
    assert backend.merge((INF, 1.0), (5.0, 2.0)) == (INF, 1)
    assert backend.merge([-INF, 0.0], [-INF, 0.0]) == (-INF, 0)
