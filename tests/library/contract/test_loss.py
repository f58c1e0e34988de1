"""Cross-entropy, of class indices and of distributions."""

import math
import re
import tracemalloc

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


# --- smoothed and ignored ---------------------------------------------------------------------------------------------

LOSSES = ["cross_entropy", "cross_entropy_grad"]


def smoothed(target, classes, label_smoothing):
    """The definition: (1 - e) t + e / K."""
    return (1 - label_smoothing) * np.eye(classes)[target] + label_smoothing / classes


@pytest.mark.parametrize("function", LOSSES)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_smoothing_spreads_a_part_of_the_target_evenly(backend, function, label_smoothing, dtype):
    x = normal(7, 11, scale=3, dtype=dtype)
    target = np.arange(7) % 11
    call = getattr(backend, function)
    expected = call(x.astype(np.float64), smoothed(target, 11, label_smoothing))
    tolerance = {"rtol": 20 * np.finfo(dtype).eps, "atol": 2 * np.finfo(dtype).eps}
    for given in (target, np.eye(11)[target]):
        got = call(x, given, label_smoothing=label_smoothing)
        assert got.dtype == dtype
        assert_allclose(got, expected, **tolerance)
    across = call(x.T, target, axis=0, label_smoothing=label_smoothing)
    assert_allclose(across.T, expected, **tolerance)
    assert_allclose(
        call(x[0], 4, label_smoothing=label_smoothing), call(x[:1], [4], label_smoothing=label_smoothing)[0]
    )


def test_the_smoothed_loss_of_four_classes(backend):
    # mpmath: -sum t_i log p_i of cat, dog, tiger, none with t = (0.025, 0.925, 0.025, 0.025)
    assert_allclose(backend.cross_entropy(ANIMAL_LOGITS, 1, label_smoothing=0.1), 0.59463914246703169, rtol=1e-14)


def test_a_smoothed_target_makes_an_impossible_class_infinitely_surprising(backend):
    x = [0.0, 1.0, -INF]
    assert np.isfinite(backend.cross_entropy(x, 0))
    assert backend.cross_entropy(x, 0, label_smoothing=0.1) == INF
    assert_allclose(backend.cross_entropy_grad(x, 0, label_smoothing=0.3)[2], -0.1, rtol=1e-14)


def test_a_smoothed_loss_does_not_depend_on_an_exact_shift(backend):
    x = np.array([3.0, -7.0, 11.0, 2.0])
    for shift in (2.0**20, -(2.0**40)):
        expected = backend.cross_entropy(x, 1, label_smoothing=0.2)
        assert_allclose(backend.cross_entropy(x + shift, 1, label_smoothing=0.2), expected, rtol=1e-14)


@pytest.mark.parametrize("ignore_index", [-100, 2, 99])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_ignored_example_counts_for_nothing(backend, ignore_index, label_smoothing, dtype):
    x = normal(5, 4, dtype=dtype)
    target = np.array([0, ignore_index, 3, ignore_index, 1])
    x[3] = NAN  # whatever its logits are
    others = [0, 2, 4]
    options = {"label_smoothing": label_smoothing}
    for function in LOSSES:
        call = getattr(backend, function)
        for got in (
            call(x, target, **options, ignore_index=ignore_index),
            np.moveaxis(call(x.T, target, axis=0, **options, ignore_index=ignore_index), -1, 0),
        ):
            assert_array_equal(got[[1, 3]], np.zeros_like(got[[1, 3]]))
            assert_same(backend, got[others], call(x[others], target[others], **options))
            assert got.dtype == dtype
    assert backend.cross_entropy(x[0], ignore_index, ignore_index=ignore_index) == 0


@pytest.mark.parametrize("function", LOSSES)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"label_smoothing": -0.1}, ValueError, "label_smoothing must be a number from 0 to 1, got -0.1"),
        ({"label_smoothing": 1.5}, ValueError, "label_smoothing must be a number from 0 to 1, got 1.5"),
        ({"label_smoothing": NAN}, ValueError, "label_smoothing must be a number from 0 to 1, got nan"),
        ({"label_smoothing": "0.1"}, TypeError, "label_smoothing must be a number from 0 to 1, got '0.1'"),
        (
            {"label_smoothing": np.complex128(0.1)},
            TypeError,
            "label_smoothing must be a number from 0 to 1, got np.complex128(0.1+0j)",
        ),
        ({"label_smoothing": True}, TypeError, "label_smoothing must be a number from 0 to 1, got True"),
        ({"ignore_index": 1.0}, TypeError, "ignore_index must be an int or None, got 1.0"),
        ({"ignore_index": True}, TypeError, "ignore_index must be an int or None, got True"),
        ({"ignore_index": 7}, ValueError, "target must be a class index from 0 to 2, got 5"),
    ],
)
def test_a_bad_option_is_named(backend, function, options, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        getattr(backend, function)(np.zeros((2, 3)), [5, 7], **options)


@pytest.mark.parametrize("function", LOSSES)
def test_distributions_have_no_index_to_ignore(backend, function):
    message = "ignore_index must be None where target is distributions, got 1"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        getattr(backend, function)([0.0, 1.0], [0.5, 0.5], ignore_index=1)


@pytest.mark.parametrize("function", LOSSES)
@pytest.mark.parametrize("kind", ["classes", "smoothed classes", "distributions"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_loss_needs_little_memory_beside_its_result(numpy_backend, function, kind, dtype):
    x = normal(3000, 400, dtype=dtype)
    target = np.full(x.shape, 1 / 400, dtype) if kind == "distributions" else np.arange(3000) % 400
    options = {"label_smoothing": 0.1} if kind == "smoothed classes" else {}
    tracemalloc.start()
    getattr(numpy_backend, function)(x, target, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * x.nbytes
