"""How far from the exact answer: against mpmath and exact fractions, in units in the last place (ULP)."""

import functools
import math
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np
import pytest

from softmax_lib import softmax

NARROW = [np.float16, ml_dtypes.bfloat16, np.float32]
ULPS = 4
# Rounded once, from float64: half an ULP, and what little float64 lost. The others: as float64.
NARROW_ULPS = {"with_numpy": 0.5001}
DIGITS = 50


def generator():
    return np.random.default_rng(20211)


def log_probabilities(size):
    return np.log(generator().dirichlet(np.full(size, 0.3)))


def long():
    return generator().normal(scale=3, size=100_000).round(3)  # some 15,000 distinct: mpmath takes a second for 50,000


# Named after what makes them hard.
FAMILIES = {
    "ordinary": lambda: generator().normal(size=1000),
    "nearly equal": lambda: generator().normal(scale=1e-8, size=1000),
    "near ties": lambda: 1 + 1e-9 * np.arange(1000.0),
    "near ties far away": lambda: 4096 + 1e-9 * np.arange(1000.0),
    "sigma 30": lambda: generator().normal(scale=30, size=1000),
    "sigma 100": lambda: generator().normal(scale=100, size=1000),
    "sigma 100 below a large one": lambda: np.append(690.3, generator().normal(scale=100, size=1000)),
    "twelve": lambda: generator().normal(scale=3, size=12),
    "two": lambda: np.array([0.3, -0.9]),
    "one": lambda: np.array([-3.7]),
    "long": long,
    "long, all equal": lambda: np.full(100_000, 0.1),
    "long and shifted": lambda: long() - 900.3,
    "tails to the subnormals": lambda: generator().uniform(-745, 0, 1000),
    "tails from 300.7": lambda: generator().uniform(-745, 0, 1000) + 300.7,
    "tails from -300.7": lambda: generator().uniform(-745, 0, 1000) - 300.7,
    "tails from -650.3": lambda: generator().uniform(-745, 0, 1000) - 650.3,
    "tails below the subnormals": lambda: np.append(0.1, generator().uniform(-760, -700, 1000)),
    "subnormal exponentials": lambda: np.append(0.0, np.full(1000, -744.8)),
    "many subnormal exponentials": lambda: np.append(0.0, np.full(10_000, -715.1)),
    "exponentials that round to 0": lambda: np.append(0.0, np.full(10_000, -745.2)),
    "exponentials subnormal in float32": lambda: np.append(0.0, np.full(1000, -103.3)),
    "shifted by 1e4": lambda: generator().normal(scale=3, size=1000) + 1e4,
    "shifted by -1e4": lambda: generator().normal(scale=3, size=1000) - 1e4,
    "just where no shift is needed": lambda: generator().uniform(550, 650, 1000),
    "just where a shift is needed": lambda: generator().uniform(-680, -600, 1000),
    "one dominant": lambda: np.append(40.3, generator().normal(size=999)),
    "one that takes nearly all": lambda: np.append(18.0, generator().normal(size=999)),
    "one dominant, shifted": lambda: np.append(1040.3, generator().normal(size=999) + 1000),
    # Of 330 seeds, the one that shows best when three additions round the dominant term, not one.
    "one dominant of a hundred": lambda: np.append(25.0, np.random.default_rng(58).normal(size=99)),
    "log-probabilities": lambda: log_probabilities(1000),
    "logarithms of a thousand small ones": lambda: generator().uniform(-300, -290, 1000),
}


def rounded(values):
    """To float64, once."""
    return np.array([float(value) for value in values])


def exact_parts(x):
    """The distinct logits, in rising order, and their exponentials, both relative to the largest, in mpmath;
    the sum of all exponentials but one of the largest; and where in x they are.
    """
    values, places, counts = np.unique(x.astype(np.float64), return_inverse=True, return_counts=True)
    maximum = mpmath.mpf(values[-1])
    below = [mpmath.mpf(value) - maximum for value in values]
    exponentials = [mpmath.exp(value) for value in below]
    counts[-1] -= 1
    rest = mpmath.fsum(int(count) * e for count, e in zip(counts, exponentials, strict=True))
    return below, exponentials, rest, places


def exact(x):
    """softmax and log_softmax rounded once to float64, and logsumexp in mpmath.

    The logarithm of a dominant probability needs log1p, or hundreds of digits: log(1 + 1e-300).
    """
    with mpmath.workdps(DIGITS):
        below, exponentials, rest, places = exact_parts(x)
        log_of_total = mpmath.log1p(rest)
        return (
            rounded(e / (1 + rest) for e in exponentials)[places],
            rounded(difference - log_of_total for difference in below)[places],
            mpmath.mpf(float(x.max())) + log_of_total,
        )


@functools.cache
def family(name, dtype=np.float64):
    x = FAMILIES[name]().astype(dtype)
    return x, *exact(x)


def bound_of_logsumexp(x, log_of_sum, dtype=np.float64):
    """Blanchard, Higham and Higham (2021): u (|y| + |y + n - min x|), to first order."""
    unit_roundoff = float(ml_dtypes.finfo(dtype).eps) / 2
    return 1.01 * unit_roundoff * (abs(log_of_sum) + abs(log_of_sum + len(x) - float(x.min())))


def ulps(got, expected, dtype=np.float64):
    """The largest error in ULP of `expected`, the exact values rounded to float64."""
    format_ = ml_dtypes.finfo(dtype)
    _, exponent = np.frexp(expected)
    last_place = np.ldexp(1.0, np.maximum(exponent - 1, int(format_.minexp)) - int(format_.nmant))
    with np.errstate(under="ignore"):
        return np.max(np.abs(np.asarray(got, np.float64) - expected) / last_place)


@pytest.mark.parametrize("name", FAMILIES)
def test_float64(backend, name):
    x, probabilities, logarithms, log_of_sum = family(name)
    assert ulps(backend.softmax(x), probabilities) <= ULPS
    assert ulps(backend.log_softmax(x), logarithms) <= ULPS
    assert abs(float(backend.logsumexp(x)) - log_of_sum) <= bound_of_logsumexp(x, log_of_sum)


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("name", FAMILIES)
def test_narrow_floats(backend, name, dtype):
    x, probabilities, logarithms, log_of_sum = family(name, dtype)
    limit = NARROW_ULPS.get(backend.name, ULPS)
    for got, expected in [(backend.softmax(x), probabilities), (backend.log_softmax(x), logarithms)]:
        assert got.dtype == dtype
        assert ulps(got, expected, dtype) <= limit
    got = backend.logsumexp(x)
    assert got.dtype == dtype
    if backend.name == "with_numpy":
        assert ulps(got, rounded([log_of_sum])[0], dtype) <= limit
    else:  # near 0, what counts is how large the terms are that cancel
        assert abs(float(got) - log_of_sum) <= bound_of_logsumexp(x, log_of_sum, dtype)


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("size", [3, 300, 100_000])
def test_narrow_floats_of_any_length(backend, size, dtype):
    x = generator().normal(scale=3, size=size).astype(dtype)
    below = x.astype(np.float64) - float(x.max())  # exact, in float64, which is exact enough all through
    exponentials = np.exp(below)
    log_of_total = math.log1p(math.fsum(exponentials) - 1)
    limit = NARROW_ULPS.get(backend.name, ULPS)
    assert ulps(backend.softmax(x), exponentials / math.fsum(exponentials), dtype) <= limit
    assert ulps(backend.log_softmax(x), below - log_of_total, dtype) <= limit
    assert ulps(backend.logsumexp(x), float(x.max()) + log_of_total, dtype) <= limit


@functools.cache
def row(sigma, size):
    x = np.random.default_rng(size).normal(scale=sigma, size=size)
    return x, *exact(x)


@pytest.mark.parametrize("sigma", [1e-8, 1.0, 30.0, 100.0])
@pytest.mark.parametrize("size", [*range(1, 20), 63, 64, 65, 127, 1000])
def test_float64_of_any_length(backend, sigma, size):
    x, probabilities, logarithms, log_of_sum = row(sigma, size)
    assert ulps(backend.softmax(x), probabilities) <= ULPS
    assert ulps(backend.log_softmax(x), logarithms) <= ULPS
    assert abs(float(backend.logsumexp(x)) - log_of_sum) <= bound_of_logsumexp(x, log_of_sum)


# --- derivatives and loss -------------------------------------------------------------------------------------------

RELATIVE = 1e-14


def largest_relative_error(got, expected):
    """Of each component on its own; an exact zero must be zero."""
    if not np.isfinite(got).all():
        return math.inf
    errors = [abs(Fraction(float(g)) - e) / abs(e) if e else abs(float(g)) for g, e in zip(got, expected, strict=True)]
    return float(max(errors))


def exact_vjp(p, v):
    """p_i sum_j p_j (v_i - v_j), in fractions: of the floats given, there is nothing more exact."""
    p, v = ([Fraction(float(value)) for value in values] for values in (p, v))
    total, mean = sum(p), sum(a * b for a, b in zip(p, v, strict=True))
    return [a * (b * total - mean) for a, b in zip(p, v, strict=True)]


def near_the_mean(p, v, at=3):
    """`v` with one component as near the mean of all as a float can be."""
    v[at] = 0
    total = sum(Fraction(float(a)) for i, a in enumerate(p) if i != at)
    mean = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(p, v, strict=True)) / total
    v[at] = float(mean)
    return p, v


def shares(size, scale=1.0):
    exponentials = np.exp(generator().normal(scale=scale, size=size))
    return exponentials / exponentials.sum()


def directions(size):
    return np.random.default_rng(4).normal(size=size)


VECTOR_PRODUCTS = {
    "ordinary": lambda: (shares(20), directions(20)),
    "one": lambda: (np.ones(1), np.array([7.0])),
    "nearly one-hot, the sure class": lambda: (np.array([1.0, math.exp(-37.43)]), np.array([1.0, 0.0])),
    "nearly one-hot, the other class": lambda: (np.array([1.0, math.exp(-37.43)]), np.array([0.0, 1.0])),
    "nearly one-hot, many": lambda: (shares(50, 20.0), directions(50)),
    "a component near the mean": lambda: near_the_mean(shares(20), directions(20)),
    "a component near the mean, of 999": lambda: near_the_mean(shares(999), directions(999)),
    "a large one near the mean": lambda: near_the_mean(np.array([1e-3, 1e-3, 1e-3, 0.997]), np.array([3.0, 1, 2, 0])),
    "far from zero": lambda: (shares(20), directions(20) + 1e8),
    "far from zero and near the mean": lambda: near_the_mean(shares(20), directions(20) + 1e8),
    "of many magnitudes": lambda: (shares(20), directions(20) * 10.0 ** generator().uniform(-100, 100, 20)),
    "shares of many magnitudes": lambda: (shares(40, 50.0), directions(40) * 10.0 ** generator().uniform(-9, 9, 40)),
    "as wide as float64": lambda: (np.full(2, 0.5), np.array([1.7e308, -1.7e308])),
    "long": lambda: (shares(5_000), directions(5_000)),
    "all equal": lambda: (shares(20), np.full(20, 0.1)),
    "balanced": lambda: (np.full(10, 0.1), np.array([1.0, -1, 2, -2, 0, 0, 3, -3, 0, 0])),
    "a large one beside a tiny probability": lambda: (np.array([1, 1e-306, 1e-300]), np.array([0, 0, 1e300])),
    "probabilities of uniform logits": lambda: (np.full(10, 0.1), np.eye(1, 10)[0]),
}


def size_of_the_terms(p, v):
    """p_i sum_j p_j |v_i - v_j|, what the error of the vector product is measured in, to some twelve digits."""
    largest = np.abs(v).max() or 1.0
    v = v / largest
    return [
        Fraction(a) * Fraction(float(p @ np.abs(here - v))) * Fraction(largest) for a, here in zip(p, v, strict=True)
    ]


def error_of_the_vector_product(got, p, v):
    """The largest error of a component, relative to its terms; less than the least float counts for nothing."""
    if not np.isfinite(got).all():
        return math.inf
    least = Fraction(float(np.nextafter(0, 1)))
    errors = [
        max(abs(Fraction(float(g)) - e) - least, 0) / terms if terms else abs(float(g))
        for g, e, terms in zip(got, exact_vjp(p, v), size_of_the_terms(p, v), strict=True)
    ]
    return float(max(errors))


@pytest.mark.parametrize("name", VECTOR_PRODUCTS)
def test_no_component_of_the_vector_product_is_lost(backend, name):
    p, v = VECTOR_PRODUCTS[name]()
    assert error_of_the_vector_product(backend.softmax_vjp(p, v), p, v) <= RELATIVE


NEAR_THE_MEAN = {
    "ordinary": lambda p, v: (p, v),
    "probabilities widened from float32, 1e-8 off summing to one": lambda p, v: (p.astype(np.float32).astype(float), v),
    "tiny gradients": lambda p, v: (p, v * 1e-280),
    "both": lambda p, v: (p.astype(np.float32).astype(float), v * 1e-280),
    "gradients as large as there are": lambda p, v: (p, v * 1e307),
    "the largest probability far from the others": lambda p, v: (p, np.where(p == p.max(), 1e6, v)),
}


@pytest.mark.parametrize("name", NEAR_THE_MEAN)
@pytest.mark.parametrize("size", [3, 12, 200])
def test_a_component_near_the_mean_is_right_relative_to_its_terms(backend, size, name):
    random = np.random.default_rng(size)
    p, v = np.empty((2, 4, size, 3))
    for row, column in np.ndindex(4, 3):
        ordinary = softmax(random.normal(size=size) * 10.0 ** random.uniform(-1, 0.5)), random.normal(size=size)
        p[row, :, column], v[row, :, column] = near_the_mean(*NEAR_THE_MEAN[name](*ordinary), at=size // 2)
    got = backend.softmax_vjp(p, v, axis=1)
    for row, column in np.ndindex(4, 3):
        here = row, slice(None), column
        assert error_of_the_vector_product(got[here], p[here], v[here]) <= RELATIVE


def test_the_vector_product_of_softmax_itself(backend):
    p = backend.softmax([37.43, 0.0])
    assert largest_relative_error(backend.softmax_vjp(p, [1.0, 0.0]), exact_vjp(p, [1.0, 0.0])) <= RELATIVE


def test_a_vector_product_of_large_and_tiny_numbers_does_not_underflow(backend):
    got = backend.softmax_vjp([1.0, 1e-306, 1e-300], [0.0, 0.0, 1e300])
    np.testing.assert_allclose(got, [-1, -1e-306, 1], rtol=RELATIVE)


@pytest.mark.parametrize("dtype", NARROW)
def test_the_vector_product_of_narrow_floats_is_rounded_once(backend, dtype):
    p, v = (a.astype(dtype) for a in near_the_mean(shares(20), directions(20)))
    expected = rounded(exact_vjp(p, v))
    assert ulps(backend.softmax_vjp(p, v), expected, dtype) <= NARROW_ULPS.get(backend.name, ULPS)


@pytest.mark.parametrize(("offset", "scale"), [(3, 1e-2), (3, 1e-6), (1000, 1), (1e8, 10)])
def test_the_vector_product_does_not_depend_on_where_v_lies(backend, offset, scale):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5))
    x[:, 0] += np.linspace(0, 20, 60)
    p = softmax(x.astype(np.float32))
    v = (offset + scale * rng.normal(size=p.shape)).astype(np.float32)
    for row, direction, got in zip(p, v, backend.softmax_vjp(p, v), strict=True):
        assert ulps(got, rounded(exact_vjp(row, direction)), np.float32) <= NARROW_ULPS.get(backend.name, ULPS)


HARD_LOSSES = [
    "ordinary", "two", "one", "sigma 30", "sigma 100", "shifted by 1e4", "one dominant", "one dominant, shifted",
    "near ties", "log-probabilities", "just where a shift is needed", "subnormal exponentials",
]  # fmt: skip


@pytest.mark.parametrize("name", HARD_LOSSES)
def test_the_gradient_of_the_loss_of_every_kind_of_class(backend, name):
    x = FAMILIES[name]()
    order = np.argsort(x)
    with mpmath.workdps(DIGITS):
        _, exponentials, rest, places = exact_parts(x)
        exponentials = [exponentials[place] for place in places]
        for target in {order[0], order[-1], order[len(x) // 2]}:
            others = mpmath.fsum(e for i, e in enumerate(exponentials) if i != target)
            expected = rounded((-others if i == target else e) / (1 + rest) for i, e in enumerate(exponentials))
            for given in (target, np.eye(len(x))[target]):  # as an index, and as a distribution
                got = backend.cross_entropy_grad(x, given)
                assert np.all(np.abs(got - expected) <= RELATIVE * np.abs(expected) + 5e-324)


@pytest.mark.parametrize("name", ["ordinary", "sigma 30", "one dominant", "subnormal exponentials"])
@pytest.mark.parametrize("most", [np.argmin, np.argmax])
def test_the_gradient_of_a_distribution_that_is_nearly_one_class(backend, name, most):
    x = FAMILIES[name]()[:300]
    target = np.full(len(x), 1e-18)
    target[most(x)] = 1
    with mpmath.workdps(DIGITS):
        _, exponentials, rest, places = exact_parts(x)
        p = [exponentials[place] / (1 + rest) for place in places]
        sum_of_p, t = mpmath.fsum(p), [mpmath.mpf(share) for share in target]
        sum_of_t = mpmath.fsum(t)
        terms = [(a * (sum_of_t - b), b * (sum_of_p - a)) for a, b in zip(p, t, strict=True)]
        expected, sizes = rounded(a - b for a, b in terms), rounded(a + b for a, b in terms)
    assert np.all(np.abs(backend.cross_entropy_grad(x, target) - expected) <= RELATIVE * sizes + 5e-324)


@pytest.mark.parametrize("name", HARD_LOSSES)
def test_the_loss_of_every_class(backend, name):
    x, _, logarithms, _ = family(name)
    loss = backend.cross_entropy(np.broadcast_to(x, (len(x), len(x))), np.arange(len(x)))
    assert ulps(loss, -logarithms) <= ULPS


@pytest.mark.parametrize("name", ["ordinary", "sigma 30", "one dominant", "shifted by 1e4"])
def test_the_jacobian(backend, name):
    x = FAMILIES[name]()[:30]
    jacobian = backend.softmax_jacobian(x)
    with mpmath.workdps(DIGITS):
        _, exponentials, rest, places = exact_parts(x)
        exponentials, total = [exponentials[place] for place in places], 1 + rest
        for i, row in enumerate(jacobian):
            others = mpmath.fsum(e for j, e in enumerate(exponentials) if j != i)
            expected = rounded(
                exponentials[i] * (others if i == j else -e) / total**2 for j, e in enumerate(exponentials)
            )
            np.testing.assert_allclose(row, expected, rtol=RELATIVE, atol=0)


@pytest.mark.parametrize("name", ["ordinary", "sigma 100", "one dominant", "shifted by -1e4", "log-probabilities"])
def test_the_normalizer(backend, name):
    x = FAMILIES[name]()
    maximum, total = backend.normalizer(x)
    with mpmath.workdps(DIGITS):
        *_, rest, _ = exact_parts(x)
        assert maximum == x.max()
        assert ulps(total, float(1 + rest)) <= ULPS
