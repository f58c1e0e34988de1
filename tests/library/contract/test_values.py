"""Known values, to the last digits that their sources print."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal, assert_array_max_ulp

import softmax_lib
from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS, FIVE_LOGITS
from tests.library.contract.helpers import CALLS


def test_every_function_of_the_package_is_numpys(backend):
    for name in softmax_lib.__all__:
        assert callable(getattr(backend, name))
    assert set(CALLS) | {"merge"} == set(softmax_lib.__all__)


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_the_five_logits_come_out_to_the_sources_digits(backend, shift):
    exponentials = np.exp(FIVE_LOGITS)
    assert repr(exponentials.round(8).tolist()) == "[3.66929667, 164.0219073, 9.0250135, 2.01375271, 3.00416602]"
    assert exponentials.sum() == 181.73413619837197
    assert (exponentials / exponentials.sum()).sum() == 1.0
    probabilities = backend.softmax(np.array(FIVE_LOGITS) + shift)
    assert probabilities.round(8).tolist() == [0.02019046, 0.90253769, 0.04966053, 0.01108076, 0.01653055]


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_cat_dog_tiger_none_come_out_to_the_sources_digits(backend, shift):
    assert (np.array(ANIMALS.weights) @ ANIMALS.hidden + ANIMALS.bias).tolist() == list(ANIMAL_LOGITS)
    exponentials = np.exp(ANIMAL_LOGITS)
    printed = [0.19101770813831334, 0.627890718698843, 0.11938650086860875, 0.061705072294234845]
    assert exponentials.round(8).tolist() == [3.49034296, 11.47304074, 2.18147227, 1.12749685]
    assert exponentials.sum() == 18.27235281733425
    assert (exponentials / exponentials.sum()).tolist() == printed
    assert_array_max_ulp(backend.softmax(ANIMAL_LOGITS), np.array(printed), maxulp=2)
    # A shift of 1e4 rounds the logits themselves, by up to 9e-13.
    assert_allclose(backend.softmax(np.array(ANIMAL_LOGITS) + shift), printed, rtol=4e-12)


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_known_values_survive_any_shift(backend, shift):
    # mpmath, 50 digits: exp(k) / sum(exp(0..3)), and the logarithms
    probabilities = [0.03205860328008499, 0.08714431874203257, 0.23688281808991013, 0.6439142598879724]
    logarithms = [-3.4401896985611953, -2.4401896985611953, -1.4401896985611953, -0.44018969856119533]
    x = np.arange(4.0) + shift
    assert_allclose(backend.softmax(x), probabilities, rtol=1e-15)
    assert_allclose(backend.log_softmax(x), logarithms, rtol=1e-15)
    assert_allclose(backend.logsumexp(x) - shift, 3.4401896985611953, rtol=1e-15, atol=2 * np.spacing(abs(shift)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("x", [0.9, -0.3, 1e-5, 700.1, -1e4])
def test_one_class_is_certain(backend, x, dtype):
    for shape in [(1,), (1, 1), (70, 1)]:
        assert_array_equal(backend.softmax(np.full(shape, x, dtype)), np.ones(shape))
        assert_array_equal(backend.log_softmax(np.full(shape, x, dtype)), np.zeros(shape))
    assert_array_equal(backend.softmax(np.full((1, 70), x, dtype), axis=0), np.ones((1, 70)))


def test_a_small_rest_is_not_swallowed(backend):
    # mpmath: log1p(exp(-40))
    assert_allclose(backend.log_softmax([0.0, -40.0]), [-4.248354255291589e-18, -40.0], rtol=1e-15)
    assert_allclose(backend.logsumexp([0.0, -40.0]), 4.248354255291589e-18, rtol=1e-15)
    assert_allclose(backend.cross_entropy([0.0, -40.0], 0), 4.248354255291589e-18, rtol=1e-15)
