"""What holds for all inputs, by Hypothesis."""

import itertools
import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal, assert_array_max_ulp

from tests.library.contract.helpers import CORE, INF, NAN, assert_same

settings.register_profile("unhurried", deadline=None, derandomize=True)
settings.load_profile("unhurried")

logits_arrays = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6),
    elements=st.floats(-1e3, 1e3),
)
rows_of_logits = hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-1e3, 1e3))
masked_rows = hnp.arrays(np.float64, st.integers(0, 12), elements=st.floats(-700, 700) | st.sampled_from([INF, -INF]))


@given(x=logits_arrays, data=st.data())
def test_probabilities_keep_order_and_ties_and_sum_to_one(backend, x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    before = x.copy()
    p = backend.softmax(x, axis=axis)
    assert_array_equal(x, before)
    assert np.all((p >= 0) & (p <= 1))
    assert_allclose(p.sum(axis=axis), 1, rtol=1e-14)
    slices = [np.moveaxis(a, axis, -1).reshape(-1, x.shape[axis]) for a in (x, p, backend.log_softmax(x, axis))]
    for logits, *results in zip(*slices, strict=True):
        order = np.argsort(logits, kind="stable")
        for result in results:
            assert np.all(np.diff(result[order]) >= 0)
            for i, j in itertools.combinations(range(len(logits)), 2):
                assert logits[i] != logits[j] or result[i] == result[j]


@given(x=hnp.arrays(np.float64, st.integers(1, 8), elements=st.integers(-500, 500)), shift=st.integers(-(2**40), 2**40))
def test_an_exact_shift_changes_nothing(backend, x, shift):
    assert_array_max_ulp(backend.softmax(x + shift), backend.softmax(x), maxulp=6)
    assert_array_max_ulp(backend.log_softmax(x + shift), backend.log_softmax(x), maxulp=6)


@given(
    x=hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(-(2**52), 2**52)),
    shift=st.integers(-(2**52), 2**52),
    scale=st.integers(-60, 20),
)
def test_an_exact_shift_changes_no_bit_of_the_definition(numpy_backend, x, shift, scale):
    shifted = x + shift
    assume(np.abs(shifted).max() <= 2**53)  # such whole numbers, times a power of two, are floats
    x, shifted = np.ldexp(x.astype(float), scale), np.ldexp(shifted.astype(float), scale)
    assert_array_equal(numpy_backend.softmax(shifted), numpy_backend.softmax(x))
    assert_array_equal(numpy_backend.log_softmax(shifted), numpy_backend.log_softmax(x))


@given(x=rows_of_logits, data=st.data())
def test_permuted_logits_give_permuted_probabilities(backend, x, data):
    order = np.array(data.draw(st.permutations(range(len(x)))))
    assert_array_max_ulp(backend.softmax(x[order]), backend.softmax(x)[order], maxulp=2)
    assert_array_max_ulp(backend.log_softmax(x[order]), backend.log_softmax(x)[order], maxulp=2)
    assert_array_max_ulp(backend.logsumexp(x[order]), backend.logsumexp(x), maxulp=2)


@given(x=logits_arrays)
def test_no_layout_changes_a_bit(backend, x):
    expected = backend.softmax(x)
    strided = np.full((*x.shape, 2), NAN)[..., 0]
    strided[...] = x
    for same in (np.asfortranarray(x), strided, x[::-1].copy()[::-1]):
        assert_array_equal(backend.softmax(same), expected)
    read_only = x.copy()
    read_only.flags.writeable = False
    assert_array_equal(backend.softmax(read_only), expected)
    assert_same(backend, backend.softmax(x.T, axis=0), expected.T)


@given(x=masked_rows, data=st.data())
def test_where_is_the_same_as_minus_infinity(backend, x, data):
    where = data.draw(hnp.arrays(bool, x.shape))
    assume(where.any())
    masked = np.where(where, x, -INF)
    for function in CORE:
        assert_array_equal(getattr(backend, function)(x, where=where), getattr(backend, function)(masked))


@given(x=rows_of_logits)
def test_log_softmax_is_the_logarithm_of_softmax(backend, x):
    # exp amplifies the rounding of a logarithm of up to 745; below that lie subnormals and 0.
    logarithms = backend.log_softmax(x)
    assert np.all(logarithms <= 0)
    p = backend.softmax(x)
    assert_allclose(np.exp(logarithms), p, rtol=1e-12, atol=1e-307)
    likely = p > 1e-300
    assert_allclose(logarithms[likely], np.log(p[likely]), rtol=1e-12, atol=1e-15)


@given(x=rows_of_logits, data=st.data())
def test_logsumexp_grows_with_every_logit_and_lies_above_the_largest(backend, x, data):
    higher = x.copy()
    higher[data.draw(st.integers(0, len(x) - 1))] += data.draw(st.floats(0, 1e3))
    before, after = backend.logsumexp(x), backend.logsumexp(higher)
    assert after >= before - 2 * np.spacing(abs(before))
    rounding = 2 * np.spacing(1 + abs(x.max()))
    assert x.max() - rounding <= before <= x.max() + math.log(len(x)) + rounding


@given(x=rows_of_logits)
def test_the_jacobian_is_symmetric_and_its_rows_sum_to_zero(backend, x):
    jacobian = backend.softmax_jacobian(x)
    assert_array_equal(jacobian, jacobian.T)
    assert np.all(np.diag(jacobian) >= 0)
    assert np.all(np.abs(jacobian.sum(axis=1)) <= 1e-15 * np.diag(jacobian) + 1e-320)


@given(x=masked_rows, data=st.data())
def test_pairs_of_parts_merge_into_the_pair_of_the_whole(backend, x, data):
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(x))] * 2)))
    a, b, c = (backend.normalizer(part) for part in (x[:first], x[first:second], x[second:]))
    whole = backend.normalizer(x)
    assert_allclose(backend.merge(backend.merge(a, b), c), whole, rtol=1e-13)
    assert_allclose(backend.merge(a, backend.merge(b, c)), whole, rtol=1e-13)
    assert_array_equal(backend.merge(a, b), backend.merge(b, a))
    assert_array_equal(backend.merge(backend.normalizer([]), a), a)
