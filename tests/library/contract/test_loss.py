"""Cross-entropy, of class indices and of distributions."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from softmax_lib.examples import ANIMAL_LOGITS
from tests.library.contract.helpers import INF, LOG_2, NAN, assert_same, normal


def test_cross_entropy_of_indices_and_distributions(backend):
    assert_allclose(backend.cross_entropy(ANIMAL_LOGITS, 1), 0.465389142, atol=5e-10)
    x = normal(3, 5, seed=7)
    target = np.array([4, 0, 2])
    for one_hot in (np.eye(5)[target], np.eye(5, dtype=int)[target]):
        assert_same(backend, backend.cross_entropy(x, target), backend.cross_entropy(x, one_hot))
        # Indices and distributions have ways of their own; test_accuracy.py holds both against the exact gradient.
        assert_allclose(backend.cross_entropy_grad(x, target), backend.cross_entropy_grad(x, one_hot), rtol=2e-15)
    for function in (backend.cross_entropy, backend.cross_entropy_grad):
        assert_array_equal(function(x, target.astype(np.uint8)), function(x, target.tolist()))
    assert_same(backend, backend.cross_entropy(x.T, target, axis=0), backend.cross_entropy(x, target))
    logarithms = backend.log_softmax(x)
    assert_same(backend, backend.cross_entropy(x, target), -logarithms[np.arange(3), target])
    distributions = backend.softmax(normal(3, 5, seed=8))
    assert_allclose(backend.cross_entropy(x, distributions), -(distributions * logarithms).sum(axis=1), rtol=1e-14)
    gradient = backend.softmax(x) - distributions
    assert_allclose(backend.cross_entropy_grad(x, distributions), gradient, rtol=0, atol=1e-15)


def test_a_float16_distribution_passes_as_one(backend):
    distribution = np.full(300, 1 / 300, np.float16)  # sums to 0.99993
    assert_allclose(backend.cross_entropy(np.zeros(300), distribution), math.log(300), rtol=1e-3)


def test_cross_entropy_of_odd_rows(backend):
    rows = [[NAN, 1], [INF, 1], [-INF, -INF], [1.0, NAN]]
    assert np.isnan(backend.cross_entropy(rows, [0] * 4)).all()
    assert np.isnan(backend.cross_entropy(rows, [1] * 4)).all()
    assert_array_equal(backend.cross_entropy([[0.0, -INF], [3.0, 3.0]], [[1.0, 0.0], [0.5, 0.5]]), [0, LOG_2])
    assert backend.cross_entropy([0.0, -800.0], 1) == 800
    assert not np.signbit(backend.cross_entropy([0.0, -800.0], 0))
    assert backend.cross_entropy([5.0], 0) == 0
    assert backend.cross_entropy([0.0, -1.5e308], [0.0, 1.0]) == 1.5e308


@pytest.mark.parametrize("x", [[0.0, -INF], [0.0, 1.0, -INF], [0.0, 1.0, 2.0, 3.0, -INF]])
def test_the_loss_of_an_impossible_class_is_infinite(backend, x):
    assert backend.cross_entropy(x, len(x) - 1) == INF
    assert backend.cross_entropy(x, np.full(len(x), 1 / len(x))) == INF
