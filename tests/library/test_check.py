"""The checks of a reader's functions: right ones pass, and what people really write wrong is told what is wrong."""

import html
import inspect
import re

import numpy as np
import pytest
import scipy.special

import softmax_lib
from softmax_lib import check


def softmax_in_numpy(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_in_place(z):
    z -= z.max(axis=-1, keepdims=True)
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def softmax_row_by_row(z):
    if z.ndim == 1:
        return softmax_in_numpy(z).tolist()
    return [softmax_row_by_row(row) for row in z]


def naive(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def loss_by_hand(z, classes):
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), classes])


def loss_in_a_loop(z, classes):
    return sum(scipy.special.logsumexp(row) - row[c] for row, c in zip(z, classes, strict=True)) / len(z)


def gradient_by_hand(z, classes):
    p = softmax_in_numpy(z)
    p[np.arange(len(z)), classes] -= 1
    return p


def gradient_in_a_loop(z, classes):
    return [scipy.special.softmax(row) - np.eye(len(row))[c] for row, c in zip(z, classes, strict=True)]


def jacobian_in_a_loop(z):
    p = softmax_in_numpy(z)
    return [[p[i] * ((i == j) - p[j]) for j in range(len(z))] for i in range(len(z))]


def at_temperature(z, t):
    return np.eye(len(z))[z.argmax()] if t == 0 else softmax_in_numpy(z / t)


def sorted_top_p(p, share):
    kept, total = np.zeros(len(p)), 0.0
    for i in sorted(range(len(p)), key=lambda i: -p[i]):
        if total < share:
            kept[i] = p[i]
        total += p[i]
    return kept / kept.sum()


def top_p_by_cutting(p, share):
    order = np.argsort(p)[::-1]
    last = np.searchsorted(np.cumsum(p[order]), share - 1e-12)
    kept = np.where(np.isin(np.arange(len(p)), order[: last + 1]), p, 0)
    return kept / kept.sum()


def log_softmax_with_log1p(z):
    shifted = z - z.max()
    return shifted - np.log1p(np.delete(np.exp(shifted), z.argmax()).sum())


def log_softmax_one_by_one(z):
    first, *others = sorted(z)[::-1]
    return [x - first - np.log1p(sum(np.exp(other - first) for other in others)) for x in z]


def product_in_pairs(p, v):
    return p * (p * (v[:, None] - v)).sum(axis=1)


def product_centred(p, v):
    centred = v - v[p.argmax()]
    return p * (centred - p @ centred)


def threads_of_whoever_started_them(process, started_in):
    if started_in is None:
        return 2
    return 2 if process == started_in else 1


def after_a_first_call(call, clock):
    call()
    start = clock()
    for _ in range(10):
        call()
    return (clock() - start) / 10


def least_of_five(call, clock):
    times = []
    for _ in range(5):
        start = clock()
        call()
        times.append(clock() - start)
    return min(times)


def mean_of(calls, call, clock):
    start = clock()
    for _ in range(calls):
        call()
    return (clock() - start) / calls


FAR_APART = np.array([[0.0, 1.0, 3.0], [1000.0, 1001.0, 1003.0]])
SHORT = np.int8([100, 99, -100])


def with_asserts(softmax):
    np.testing.assert_allclose(softmax(FAR_APART), 2 * [softmax_in_numpy(FAR_APART[0])])
    np.testing.assert_allclose(softmax(SHORT), softmax(SHORT.astype(float)))
    return True


def by_invariants(softmax):
    p = softmax(FAR_APART)
    same = np.allclose(p.sum(axis=-1), 1) and np.allclose(p[0], p[1]) and np.isclose(p[0, 1] / p[0, 0], np.e)
    return same and np.allclose(softmax([100.0, 99.0, -100.0]), softmax(SHORT))


NAMES = (
    "softmax",
    "log_softmax",
    "logsumexp",
    "cross_entropy",
    "cross_entropy_grad",
    "jacobian",
    "temperature",
    "top_p",
    "softmax_of_integers",
    "log_softmax_tail",
    "subnormal_sum",
    "softmax_vjp",
    "threads_to_use",
    "timing",
    "softmax_test",
)
WITH_ALL_DIGITS = ("log_softmax_tail", "subnormal_sum", "softmax_vjp")
RIGHT = [
    (check.softmax, softmax_in_numpy),
    (check.softmax, softmax_row_by_row),
    (check.softmax, lambda z: scipy.special.softmax(z, axis=-1)),
    (check.log_softmax, lambda z: z - scipy.special.logsumexp(z, axis=-1, keepdims=True)),
    (check.log_softmax, lambda z: scipy.special.log_softmax(z, axis=-1)),
    (check.logsumexp, lambda z: scipy.special.logsumexp(z, axis=1)),
    (check.logsumexp, lambda z: [m + np.log(np.exp(row - m).sum()) for row in z for m in [row.max()]]),
    (check.cross_entropy, loss_by_hand),
    (check.cross_entropy, loss_in_a_loop),
    (check.cross_entropy_grad, gradient_by_hand),
    (check.cross_entropy_grad, gradient_in_a_loop),
    (check.jacobian, jacobian_in_a_loop),
    (check.jacobian, lambda z: np.diag(naive(z - z.max())) - np.outer(*2 * [naive(z - z.max())])),
    (check.temperature, at_temperature),
    (check.temperature, lambda z, t: at_temperature(z - 7, t) if t else (z == z.max()).astype(float)),
    (check.top_p, sorted_top_p),
    (check.top_p, top_p_by_cutting),
    (check.softmax_of_integers, lambda z: softmax_in_numpy(z.astype(float))),
    (check.softmax_of_integers, lambda z: scipy.special.softmax(np.float64(z))),
    (check.log_softmax_tail, log_softmax_with_log1p),
    (check.log_softmax_tail, log_softmax_one_by_one),
    (check.subnormal_sum, lambda z: np.exp(z + 64).sum() * np.exp(-64)),
    (check.subnormal_sum, lambda z: np.exp(scipy.special.logsumexp(z))),
    (check.softmax_vjp, product_centred),
    (check.softmax_vjp, product_in_pairs),
    (check.threads_to_use, threads_of_whoever_started_them),
    (check.threads_to_use, lambda process, started_in: 1 + (started_in in (None, process))),
    (check.timing, after_a_first_call),
    (check.timing, least_of_five),
    (check.softmax_test, with_asserts),
    (check.softmax_test, by_invariants),
]
WRONG = [
    (check.softmax, lambda z: z / z.sum(), "divides the logits themselves"),
    (check.softmax, np.exp, "These are the exponentials"),
    (check.softmax, lambda z: 1 / (1 + np.exp(-z)), "sigmoid of its own"),
    (check.softmax, lambda z: (z == z.max()).astype(float), "That is argmax"),
    (check.softmax, lambda z: naive(z / z.max()), "divides by the largest logit. Subtract it"),
    (check.softmax, lambda z: 2**z / (2**z).sum(), "powers of 2"),
    (check.softmax, lambda z: naive(np.abs(z)), "drops the signs"),
    (check.softmax, lambda z: np.exp(z) / np.exp(z).sum(axis=0), "The columns sum to 1"),
    (check.softmax, lambda z: np.exp(z) / np.exp(z).sum(), "The whole batch sums to 1"),
    (check.softmax, lambda z: np.exp(z) / np.exp(z).sum(axis=-1), "raises ValueError: operands could not"),
    (check.softmax, naive, "The exponential of 1000 is too large"),
    (check.softmax, lambda z: naive(np.clip(z, -500, 500)), "clips the logits"),
    (check.softmax, lambda z: np.nan_to_num(naive(z)), "hides the overflow"),
    (check.softmax, lambda z: naive(z - np.maximum(z.max(axis=-1, keepdims=True), 0)), "also if it is negative"),
    (check.softmax, lambda z: naive(z - z.max()), "Subtract from each row its own largest"),
    (check.softmax, softmax_in_place, "changed what it was given, [2.0, 1.0, 0.0]"),
    (check.softmax, lambda z: None, "Exponentiate each logit"),
    (check.log_softmax, naive, "These are the probabilities"),
    (check.log_softmax, lambda z: -np.log(softmax_in_numpy(z)), "wrong sign"),
    (check.log_softmax, lambda z: np.log2(softmax_in_numpy(z)), "base 2"),
    (check.log_softmax, lambda z: z - np.log(np.exp(z).sum(axis=0)), "along the columns"),
    (check.log_softmax, lambda z: z - np.log(np.exp(z).sum(axis=-1, keepdims=True)), "too large for a float64"),
    (check.log_softmax, lambda z: np.log(softmax_in_numpy(z)), "Do not take the logarithm of softmax"),
    (check.logsumexp, lambda z: np.exp(z).sum(axis=1), "These are the sums"),
    (check.logsumexp, lambda z: np.log(np.exp(z).sum(axis=0)), "adds along the columns"),
    (check.logsumexp, lambda z: np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)), "not added again"),
    (check.logsumexp, lambda z: np.log(np.exp(z).sum(axis=1)), "add it again at the end"),
    (check.cross_entropy, lambda z, c: len(z) * loss_by_hand(z, c), "sum of the losses"),
    (check.cross_entropy, lambda z, c: -loss_by_hand(z, c), "wrong sign"),
    (check.cross_entropy, lambda z, c: 1 - naive(z)[[0, 1], c].mean(), "1 less the mean probability"),
    (check.cross_entropy, lambda z, c: -np.log(naive(z)[[0, 1], c].mean()), "logarithms before the mean"),
    (check.cross_entropy, lambda z, c: loss_by_hand(naive(z), c), "applied twice"),
    (check.cross_entropy, lambda z, c: -np.log(naive(z)).mean(), "mean over all classes"),
    (check.cross_entropy, lambda z, c: -np.log(naive(z)[[0, 1], c]).mean(), "Subtract each row's largest"),
    (check.cross_entropy, lambda z, c: -np.log(softmax_in_numpy(z)[[0, 1], c]).mean(), "ln 0 is lost"),
    (check.cross_entropy_grad, lambda z, c: naive(z), "These are the probabilities"),
    (check.cross_entropy_grad, lambda z, c: np.eye(z.shape[1])[c] - naive(z), "wrong sign"),
    (check.cross_entropy_grad, lambda z, c: naive(z) - 1, "1 is subtracted everywhere"),
    (check.cross_entropy_grad, lambda z, c: naive(z) - (np.arange(z.shape[1]) == c[0]), "the same class in all rows"),
    (check.cross_entropy_grad, lambda z, c: np.eye(z.shape[1])[c] * (naive(z) - 1), "have slopes, too"),
    (check.cross_entropy_grad, lambda z, c: gradient_by_hand(z, c) / len(z), "slopes of the mean loss"),
    (check.cross_entropy_grad, lambda z, c: naive(z) - np.eye(3)[c], "raises IndexError: index 3 is out of bounds"),
    (check.cross_entropy_grad, lambda z, c: naive(z) - np.eye(z.shape[1])[c], "too large for a float64"),
    (check.jacobian, lambda z: np.diag(naive(z) * (1 - naive(z))), "Only the diagonal"),
    (check.jacobian, lambda z: naive(z) * (1 - naive(z)), "of a single probability"),
    (check.jacobian, lambda z: np.outer(naive(z), naive(z)), "products p_i p_j"),
    (check.jacobian, lambda z: np.outer(naive(z), naive(z)) - np.diag(naive(z)), "raising a logit raises its own"),
    (check.jacobian, lambda z: np.diag(naive(z)) - np.outer(naive(z), naive(z)), "too large for a float64"),
    (check.temperature, lambda z, t: naive(z * t), "multiplies by T"),
    (check.temperature, lambda z, t: (np.exp(z) / t) / (np.exp(z) / t).sum(), "T cancels"),
    (check.temperature, lambda z, t: naive(z) / t, "no longer sum to 1"),
    (check.temperature, lambda z, t: naive(naive(z) / t), "applied twice"),
    (check.temperature, lambda z, t: naive(z / t), "become large"),
    (check.temperature, lambda z, t: softmax_in_numpy(z / t), "divide by zero"),
    (check.temperature, lambda z, t: softmax_in_numpy(z / t if t else z), "leaves the logits as they are"),
    (check.top_p, lambda p, s: np.where(p.cumsum() - p < s, p, 0), "no longer sum to 1"),
    (check.top_p, lambda p, s: np.where(p.cumsum() <= s, p, 0) / p[p.cumsum() <= s].sum(), "that crosses the share"),
    (check.top_p, lambda p, s: np.where(p.cumsum() - p < s, p, 0) / p[p.cumsum() - p < s].sum(), "as they come"),
    (check.top_p, lambda p, s: np.sort(sorted_top_p(p, s))[::-1], "another order"),
    (check.softmax, lambda z: np.exp(z) / z.sum(), "divides by the sum of the logits"),
    (check.softmax, lambda z: np.exp(z - z.max()) / z.sum(), "by a sum of logits"),
    (check.softmax_of_integers, softmax_in_numpy, "wraps around to 56"),
    (check.softmax_of_integers, lambda z: naive((z - z.max()).astype(float)), "The floats come too late"),
    (check.softmax_of_integers, lambda z: softmax_in_numpy(z.astype(np.int16)), "float32's"),
    (check.softmax_of_integers, lambda z: softmax_in_numpy(z.astype(np.float32)), "float32's"),
    (check.softmax_of_integers, lambda z: softmax_in_numpy(z.astype(np.float16)), "short floats"),
    (check.softmax_of_integers, lambda z: naive(1.0 * z), "int32 wraps, too"),
    (check.log_softmax_tail, lambda z: np.log(softmax_in_numpy(z)), "use np.log1p(s)"),
    (check.log_softmax_tail, lambda z: np.log(softmax_in_numpy(z)), "the answer is [-4.25e-18, -40.0]"),
    (check.log_softmax_tail, lambda z: z - scipy.special.logsumexp(z), "lost beside 10"),
    (check.log_softmax_tail, lambda z: z - z.max() - np.log1p(np.exp(z - z.max()).sum()), "log1p adds the 1 itself"),
    (check.log_softmax_tail, lambda z: z - z.max() - np.log1p(np.exp(z[1:] - z.max()).sum()), "need not come first"),
    (
        check.log_softmax_tail,
        lambda z: z - z.max() - np.log1p(np.exp(z[z < z.max()] - z.max()).sum()),
        "Leave only one of them out",
    ),
    (check.subnormal_sum, lambda z: np.exp(z).sum(), "was rounded up before it was added"),
    (check.subnormal_sum, lambda z: np.exp(z.max()) * np.exp(z - z.max()).sum(), "was rounded up before"),
    (check.subnormal_sum, lambda z: np.exp(z + 128).sum(), "Add the exponentials."),
    (check.softmax_vjp, lambda p, v: p * v, "Subtract the mean of v"),
    (check.softmax_vjp, lambda p, v: v - p @ v, "does not multiply by p"),
    (check.softmax_vjp, lambda p, v: p * (v - v.mean()), "Weight it by p"),
    (check.softmax_vjp, lambda p, v: p * (v - p @ v), "lost in a difference"),
    (check.softmax_vjp, lambda p, v: np.diag(p) @ v - np.outer(p, p) @ v, "lost in a difference"),
    (check.softmax_vjp, lambda p, v: p * ((v - v[0]) - p @ (v - v[0])), "need not come first"),
    (check.softmax_vjp, lambda p, v: p * ((v - v.max()) - p @ (v - v.max())), "need not have the largest v"),
    (check.threads_to_use, lambda process, started_in: 2, "it is killed"),
    (check.threads_to_use, lambda process, started_in: 1, "nobody would ever start"),
    (check.threads_to_use, lambda process, started_in: 2 if process == started_in else 1, "ever start"),
    (check.threads_to_use, lambda process, started_in: 2 if process == 1 else 1, "two of its own"),
    (check.threads_to_use, lambda process, started_in: 0 if started_in and process != started_in else 2, "itself"),
    (check.timing, lambda call, clock: mean_of(1, call, clock), "This is the first call"),
    (check.timing, lambda call, clock: mean_of(10, call, clock), "in the mean of ten"),
    (check.timing, lambda call, clock: mean_of(1000, call, clock), "a part of your figure"),
    (check.timing, lambda call, clock: -clock() + clock(), "No call was made"),
    (check.timing, lambda call, clock: 10 * after_a_first_call(call, clock), "Divide it by their number"),
    (check.softmax_test, lambda softmax: True, "accepts exponentials over a sum of logits"),
    (check.softmax_test, lambda softmax: False, "refuses a right softmax."),
    (check.softmax_test, lambda softmax: softmax([0.0, 1.0]).sum() == 1, "right but for the last digit"),
    (check.softmax_test, lambda softmax: np.isclose(softmax([0.0, 1.0]).sum(), 1), "accepts an average"),
    (check.softmax_test, lambda softmax: np.isclose(softmax([0.0, 1.0])[1], 0.7310585786), "one sum for the whole"),
    (check.softmax_test, lambda softmax: np.allclose(softmax(FAR_APART / 9).sum(axis=1), 1), "accepts an average"),
    (check.softmax_test, lambda s: np.allclose(s(FAR_APART[:, :2]), 2 * [softmax_in_numpy(FAR_APART[0, :2])]), "wrap"),
    (
        check.softmax_test,
        lambda softmax: softmax(FAR_APART, axis=0),
        "With a right softmax, your test raises TypeError",
    ),
]


@pytest.mark.parametrize(("examine", "function"), RIGHT)
def test_a_right_function_passes(examine, function):
    verdict = examine(function)
    assert verdict, verdict
    assert repr(verdict).startswith("✓ Right, in all ")


@pytest.mark.parametrize(("examine", "function", "said"), WRONG)
def test_a_wrong_function_is_told_what_is_wrong(examine, function, said):
    verdict = examine(function)
    assert not verdict
    assert said in verdict.says
    assert repr(verdict).startswith("✗ ")


def test_on_a_page_the_hint_is_folded():
    verdict = check.softmax(lambda z: np.exp(z))
    seen, folded = (re.findall(r"<pre[^>]*>(.*?)</pre>", part) for part in verdict._repr_html_().split("<details>"))
    assert [html.unescape(line) for line in seen + folded] == repr(verdict).split("\n")
    assert len(seen) == len(folded) == 1


def test_what_a_function_says_is_no_markup():
    def fails(z):
        raise ValueError("<img src=x onerror=1>")

    verdict = check.softmax(fails)
    assert "<img src=x onerror=1>" in repr(verdict)
    assert "<img" not in verdict._repr_html_()


def test_the_librarys_own_functions_pass():
    assert check.softmax(softmax_lib.softmax)
    assert check.log_softmax(softmax_lib.log_softmax)
    assert check.logsumexp(softmax_lib.logsumexp)
    assert check.cross_entropy_grad(softmax_lib.cross_entropy_grad)
    assert check.jacobian(softmax_lib.softmax_jacobian)


def test_every_check_has_right_and_wrong_functions_enough():
    for name in NAMES:
        examine = getattr(check, name)
        assert sum(each is examine for each, _ in RIGHT) >= 2
        assert sum(each is examine for each, *_ in WRONG) >= 3


def test_every_known_mistake_is_told_apart_from_the_answer_and_from_the_others():
    """A mistake that gives the right answer in its case, or another mistake's, would be told wrongly."""
    for name in set(NAMES) - {"softmax_test"}:  # which is given functions
        atol = 0 if name in WITH_ALL_DIGITS else 1e-8
        for given, _, mistakes in vars(inspect.getmodule(getattr(check, name)))[f"_{name.upper()}"]:
            arguments = [np.array(each) for each in given]
            with np.errstate(all="ignore"):
                answers = [np.asarray(wrong(*arguments)) for wrong in mistakes.values()]
            for i, answer in enumerate(answers):
                for other in answers[:i]:
                    same = answer.shape == other.shape and np.allclose(answer, other, atol=atol)
                    assert not same, (name, given)
