"""The Jacobian, the vector product and the gradient of the loss."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from softmax_lib.examples import ANIMAL_LOGITS
from tests.library.contract.helpers import INF, NAN, assert_same, normal


def test_the_jacobian_of_cat_dog_tiger_none(backend):
    jacobian = backend.softmax_jacobian(ANIMAL_LOGITS)
    assert_allclose(np.diag(jacobian), [0.15452994, 0.23364396, 0.10513336, 0.05789756], atol=5e-9)
    assert_allclose(jacobian[0, 1], -0.11993825, atol=5e-9)
    assert_array_equal(jacobian, jacobian.T)
    assert_allclose(jacobian.sum(axis=0), 0, atol=1e-16)


def test_the_diagonal_of_the_jacobian_does_not_cancel(backend):
    jacobian = backend.softmax_jacobian([40.0, 0.0])
    rest = float(backend.softmax([40.0, 0.0])[1])
    assert_allclose(jacobian, [[rest, -rest], [-rest, rest]], rtol=1e-15)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_derivatives_along_any_axis(backend, axis):
    x, v = normal(2, 3, 4, 5)
    target = np.argmax(v, axis=axis)
    p = backend.softmax(x, axis)
    jacobian = backend.softmax_jacobian(x, axis)
    product = backend.softmax_vjp(p, v, axis)
    loss = backend.cross_entropy(x, target, axis)
    gradient = backend.cross_entropy_grad(x, target, axis)
    assert product.shape == gradient.shape == x.shape
    batch = np.delete(x.shape, axis)
    for index in np.ndindex(*batch):
        row = tuple(np.insert(np.array(index, object), axis % 3, slice(None)))
        assert_same(backend, jacobian[index], backend.softmax_jacobian(x[row]))
        assert_same(backend, product[row], backend.softmax_vjp(p[row], v[row]))
        assert_same(backend, loss[index], backend.cross_entropy(x[row], target[index]))
        assert_same(backend, gradient[row], backend.cross_entropy_grad(x[row], target[index]))


# A central difference errs by h**2 |f'''| / 6, by truncation, and by eps |f| / h, by rounding: with h = eps**(1/3),
# both are about eps**(2/3) = 4e-11, times values of order one here, and of the size of the shift for logsumexp.
STEP = np.finfo(float).eps ** (1 / 3)


def central_differences(function, x):
    """d function / d x_j, j along the last axis."""
    slopes = []
    for j in range(len(x)):
        above, below = x.copy(), x.copy()
        above[j] += STEP
        below[j] -= STEP
        slopes.append((function(above) - function(below)) / (above[j] - below[j]))
    return np.stack(slopes, axis=-1)


@pytest.mark.parametrize("shift", [0, 1000])
def test_derivatives_are_the_central_differences(backend, shift):
    x = np.array([0.3, -1.2, 2.0, 0.7]) + shift
    tolerance = 10 * STEP**2
    assert_allclose(backend.softmax_jacobian(x), central_differences(backend.softmax, x), rtol=0, atol=tolerance)
    for target in (0, 3, np.array([0.1, 0.2, 0.3, 0.4])):
        slopes = central_differences(lambda y, t=target: backend.cross_entropy(y, t), x)
        assert_allclose(backend.cross_entropy_grad(x, target), slopes, rtol=0, atol=tolerance)
    slopes = central_differences(backend.logsumexp, x)
    assert_allclose(backend.softmax(x), slopes, rtol=0, atol=tolerance * (1 + shift))


@pytest.mark.parametrize("scale", [1e-8, 1.0, 30.0])
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_the_vector_product_is_the_jacobians(backend, scale, size):
    for seed in range(10):
        x, v = normal(2, size, seed=seed)
        jacobian = backend.softmax_jacobian(scale * x)
        rounding = 1e-14 * (np.abs(jacobian) @ np.abs(v))
        assert np.all(np.abs(backend.softmax_vjp(backend.softmax(scale * x), v) - jacobian @ v) <= rounding)


def test_derivatives_of_odd_rows(backend):
    rows = np.array([[0.0, math.log(3)], [NAN, 1], [INF, 1], [-INF, -INF], [-INF, 1]])
    jacobian = backend.softmax_jacobian(rows)
    assert_allclose(jacobian[0], [[0.1875, -0.1875], [-0.1875, 0.1875]], rtol=1e-15)
    assert np.isnan(jacobian[1:4]).all()
    assert_array_equal(jacobian[4], np.zeros((2, 2)))
    p = backend.softmax(rows)
    product = backend.softmax_vjp(p, np.tile([1.0, 0.0], (5, 1)))
    assert_allclose(product[0], [0.1875, -0.1875], rtol=1e-15)
    assert np.isnan(product[1:4]).all()
    assert_array_equal(product[4], np.zeros(2))
    assert np.isnan(backend.softmax_vjp([0.5, 0.5], [NAN, 0])).all()
    gradient = backend.cross_entropy_grad(rows, [1] * 5)
    assert_allclose(gradient[0], [0.25, -0.25], rtol=1e-15)
    assert np.isnan(gradient[1:4]).all()
    assert_array_equal(gradient[4], np.zeros(2))
    assert_array_equal(backend.cross_entropy_grad([-INF, 1.0], 0), [-1, 1])


def test_derivatives_of_nothing(backend):
    assert backend.softmax_jacobian(np.empty((2, 0))).shape == (2, 0, 0)
    assert backend.softmax_jacobian(np.empty((0, 3))).shape == (0, 3, 3)
    for shape in [(2, 0), (0, 3)]:
        assert backend.softmax_vjp(np.empty(shape), np.empty(shape)).shape == shape
    for target in (np.empty(0, int), np.empty((0, 3))):
        assert backend.cross_entropy(np.empty((0, 3)), target).shape == (0,)
        assert backend.cross_entropy_grad(np.empty((0, 3)), target).shape == (0, 3)
    assert_array_equal(backend.softmax_jacobian([5.0]), [[0.0]])
    assert_array_equal(backend.softmax_vjp([1.0], [7.0]), [0.0])
    assert_array_equal(backend.cross_entropy_grad([5.0], 0), [0.0])
