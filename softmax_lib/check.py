"""Checks of a reader's own functions, which name the first misconception they find.

>>> from softmax_lib import check
>>> check.softmax(lambda z: z / z.sum())
✗ For [2.0, 1.0, 0.0] your function gives [0.667, 0.333, 0.0], and the answer is [0.665, 0.245, 0.09].
It divides the logits themselves by their sum. Exponentiate them first.

A check calls the function with a list of cases. An answer that a well-known mistake would give is
recognised as such; any other wrong answer gets the hint of its case.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import softmax_lib

Function = Callable[..., Any]


class Verdict(NamedTuple):
    """Whether a function is right, and what there is to say of it."""

    right: bool
    says: str

    def __repr__(self) -> str:
        return f"{'✓' if self.right else '✗'} {self.says}"

    def __bool__(self) -> bool:
        return self.right


class Case(NamedTuple):
    """What the function is called with, the hint for a wrong answer, and the mistakes that this case tells apart."""

    given: tuple[Any, ...]
    hint: str
    mistakes: Mapping[str, Function] = {}


def softmax(function: Function) -> Verdict:
    """Check `function(z)`: softmax along the last axis, of a list of logits and of a batch with a list in each row."""
    return _examine(function, softmax_lib.softmax, _SOFTMAX)


def log_softmax(function: Function) -> Verdict:
    """Check `function(z)`: the logarithms of softmax along the last axis."""
    return _examine(function, softmax_lib.log_softmax, _LOG_SOFTMAX)


def logsumexp(function: Function) -> Verdict:
    """Check `function(z)`: the logarithm of the sum of the exponentials of each row of a matrix."""
    return _examine(function, softmax_lib.logsumexp, _LOGSUMEXP)


def cross_entropy(function: Function) -> Verdict:
    """Check `function(z, classes)`: the mean loss of a batch of logits, with the right class of each row."""
    return _examine(function, lambda z, classes: softmax_lib.cross_entropy(z, classes).mean(), _CROSS_ENTROPY)


def cross_entropy_grad(function: Function) -> Verdict:
    """Check `function(z, classes)`: the slopes of each row's loss along its logits."""
    return _examine(function, softmax_lib.cross_entropy_grad, _CROSS_ENTROPY_GRAD)


def jacobian(function: Function) -> Verdict:
    """Check `function(z)`: the matrix of the slopes of each probability along each logit."""
    return _examine(function, softmax_lib.softmax_jacobian, _JACOBIAN)


def temperature(function: Function) -> Verdict:
    """Check `function(z, T)`: softmax of z / T for T > 0, and for T = 0 all of it for the largest logit."""
    return _examine(function, _at_temperature, _TEMPERATURE)


def top_p(function: Function) -> Verdict:
    """Check `function(p, share)`: the likeliest words until they have the share, renormalised, and 0 for the others."""
    return _examine(function, _top_p, _TOP_P)


def softmax_of_integers(function: Function) -> Verdict:
    """Check `function(z)`: softmax of a list of logits that are short integers."""
    return _examine(function, softmax_lib.softmax, _SOFTMAX_OF_INTEGERS)


def log_softmax_tail(function: Function) -> Verdict:
    """Check `function(z)`: log-softmax of a list of logits, with all its digits also where it is nearly 0."""
    return _examine(function, softmax_lib.log_softmax, _LOG_SOFTMAX_TAIL, atol=0)


def subnormal_sum(function: Function) -> Verdict:
    """Check `function(z)`: the sum of the exponentials of a list of negative numbers, also if all are subnormal."""
    return _examine(function, lambda z: np.exp(z + 128).sum() * np.exp(-128), _SUBNORMAL_SUM, atol=0)


def softmax_vjp(function: Function) -> Verdict:
    """Check `function(p, v)`: the Jacobian of softmax at the probabilities p times v, with all digits."""
    return _examine(function, softmax_lib.softmax_vjp, _SOFTMAX_VJP, atol=0)


def threads_to_use(function: Function) -> Verdict:
    """Check `function(process, started_in)`: how many of two threads a process may use.

    `started_in` is the process in which they were started, or None. A process that was forked from it has none of them.
    """
    return _examine(function, _threads_to_use, _THREADS_TO_USE)


def timing(function: Function) -> Verdict:
    """Check `function(call, clock)`: the milliseconds that `call()` takes, by `clock()`.

    Both are imitated. A case is what the first call takes, and what each later one takes, which is the answer.
    """

    def on_a_machine(first: float, later: float) -> Any:
        now = 0.0
        costs = chain([first], repeat(later))

        def call() -> None:
            nonlocal now
            now += next(costs)

        return function(call, lambda: now)

    return _examine(on_a_machine, lambda first, later: later, _TIMING)


def softmax_test(function: Function) -> Verdict:
    """Check `function(softmax)`: a test, which is true for a right softmax and false, or fails, for a wrong one."""
    for what, on_trial, is_right, hint in _SOFTMAX_TEST:
        with np.errstate(all="ignore"):
            try:
                passes = bool(function(lambda z, on_trial=on_trial: on_trial(np.asarray(z))))
            except AssertionError:
                passes = False
            except Exception as error:  # whatever the reader's code raises is what they must see
                return Verdict(False, f"With {what}, your test raises {type(error).__name__}: {error}")
        if passes != is_right:
            return Verdict(False, f"Your test {'accepts' if passes else 'refuses'} {what}.\n{hint}")
    return Verdict(True, f"Right, in all {len(_SOFTMAX_TEST)} cases.")


def _examine(function: Function, answer: Function, cases: Sequence[Case], atol: float = 1e-12) -> Verdict:
    for given, hint, mistakes in cases:
        shown = ", ".join(_written(each) for each in given)
        # Copies, and the reader's arrays may be changed by what the reader wrote.
        arguments = [np.array(each) if isinstance(each, list | np.ndarray) else each for each in given]
        before = [np.array(each) for each in arguments]
        with np.errstate(all="ignore"):
            wanted = np.asarray(answer(*before), dtype=float)
            try:
                found = np.asarray(function(*arguments), dtype=float)
            except Exception as error:  # whatever the reader's code raises is what they must see
                return Verdict(False, f"For {shown} your function raises {type(error).__name__}: {error}")
            if any(not np.array_equal(a, b) for a, b in zip(arguments, before, strict=True)):
                return Verdict(False, f"Your function changed what it was given, {shown}. Compute into a new array.")
            if _agree(found, wanted, atol):
                continue
            says = f"For {shown} your function gives {_written(found)}, and the answer is {_written(wanted)}."
            for mistake, wrong in mistakes.items():
                if _agree(found, np.asarray(wrong(*before)), atol):
                    return Verdict(False, f"{says}\n{mistake}")
        return Verdict(False, f"{says}\n{hint}")
    return Verdict(True, f"Right, in all {len(cases)} cases.")


def _agree(a: npt.NDArray[Any], b: npt.NDArray[Any], atol: float) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=atol, equal_nan=True)


def _written(value: Any) -> str:
    """A number or list with three decimals at most, or with three digits where that would leave 0."""
    shown = np.asarray(value)
    if shown.dtype.kind == "f":
        digits = np.vectorize(lambda x: float(f"{x:.2e}"), otypes=[float])(shown)
        shown = np.where(np.abs(shown) < 5e-4, digits, np.round(shown, 3))
    return str(shown.tolist())


def _shares(ratios: npt.NDArray[np.float64], axis: int | None = -1) -> npt.NDArray[np.float64]:
    return ratios / ratios.sum(axis=axis, keepdims=True)


def _one_hot(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.eye(len(z))[z.argmax()]


_PLAIN = [2.0, 1.0, 0.0]
_BATCH = [[2.0, 1.0, 0.0], [0.0, 0.5, 3.0]]

_SOFTMAX = (
    Case(
        (_PLAIN,),
        "Exponentiate each logit, and divide by the sum of the exponentials.",
        {
            "It divides the logits themselves by their sum. Exponentiate them first.": lambda z: z / z.sum(),
            "These are the exponentials. Divide them by their sum.": np.exp,
            "These are the logarithms of the probabilities.": softmax_lib.log_softmax,
            "It uses powers of 2. Softmax uses powers of e, np.exp.": lambda z: _shares(2**z),
            "Each logit goes through a sigmoid of its own, so the shares do not sum to 1.": lambda z: (
                1 / (1 + np.exp(-z))
            ),
            "All goes to the largest logit. That is argmax.": _one_hot,
            "It has a wrong sign: the largest logit gets the smallest share.": lambda z: softmax_lib.softmax(-z),
            "It divides by the largest logit. Subtract it.": lambda z: softmax_lib.softmax(z / z.max()),
            "It divides by the sum of the logits. Divide by the sum of their exponentials.": lambda z: (
                np.exp(z) / z.sum()
            ),
            "It divides exponentials by a sum of logits. Divide by the sum of the exponentials.": lambda z: (
                np.exp(z - z.max()) / z.sum()
            ),
        },
    ),
    Case(
        ([0.5, -1.0, -3.0],),
        "Negative logits are logits like any other.",
        {"It drops the signs. A negative logit has a small exponential.": lambda z: softmax_lib.softmax(np.abs(z))},
    ),
    Case(
        (_BATCH,),
        "In a batch, each row is a list of logits of its own.",
        {
            "The columns sum to 1, and not the rows. Sum along the last axis, axis=-1.": lambda z: _shares(
                np.exp(z), 0
            ),
            "The whole batch sums to 1. Sum each row by itself, axis=-1.": lambda z: _shares(np.exp(z), None),
        },
    ),
    Case(
        ([1000.0, 1001.0],),
        "The exponential of 1000 is too large for a float64. Subtract the largest logit first.",
        {
            "It clips the logits, so their difference is lost. Subtract the largest instead.": lambda z: np.full(
                2, 0.5
            ),
            "It hides the overflow. Subtract the largest logit, and there is none.": lambda z: np.array([0.0, 0.0]),
        },
    ),
    Case(
        ([-1000.0, -1001.0],),
        "All exponentials are rounded to 0. Subtract the largest logit also if it is negative.",
    ),
    Case(
        ([[0.0, 1.0], [1000.0, 1001.0]],),
        "The first row lies far below the largest logit of the batch. Subtract from each row its own largest.",
    ),
)

_LOG_SOFTMAX = (
    Case(
        (_PLAIN,),
        "The logarithm of a probability is its logit less the log-sum-exp of all.",
        {
            "These are the probabilities. Take their logarithms.": softmax_lib.softmax,
            "It has a wrong sign. The logarithm of a probability is not positive.": lambda z: (
                -softmax_lib.log_softmax(z)
            ),
            "These are logarithms to base 2. Use np.log.": lambda z: softmax_lib.log_softmax(z) / np.log(2),
            "These are logarithms to base 10. Use np.log.": lambda z: softmax_lib.log_softmax(z) / np.log(10),
        },
    ),
    Case(
        (_BATCH,),
        "In a batch, each row has a log-sum-exp of its own.",
        {"It goes along the columns. Sum along the last axis, axis=-1.": lambda z: softmax_lib.log_softmax(z, axis=0)},
    ),
    Case(([1000.0, 1001.0],), "The exponential of 1000 is too large for a float64. Subtract the largest logit first."),
    Case(
        ([0.0, -800.0],),
        "The probability is rounded to 0, and its logarithm is lost. Do not take the logarithm of softmax.",
        {"A small number inside the logarithm hides the overflow, and the answer is wrong.": lambda z: np.zeros(2)},
    ),
)

_LOGSUMEXP = (
    Case(
        (_BATCH,),
        "Add the exponentials of each row, and take the logarithm of the sum.",
        {
            "These are the sums. Take their logarithms.": lambda z: np.exp(z).sum(axis=-1),
            "It adds along the columns. Each row has a sum of its own, axis=-1.": lambda z: np.log(
                np.exp(z).sum(axis=0)
            ),
            "It adds the logits, and takes no exponentials.": lambda z: z.sum(axis=-1),
            "The largest logit was subtracted, and not added again.": lambda z: (
                softmax_lib.logsumexp(z) - z.max(axis=-1)
            ),
        },
    ),
    Case(
        ([[1000.0, 1000.0], [0.0, 1.0]],),
        "The exponential of 1000 is too large for a float64. Subtract each row's largest, and add it again at the end.",
    ),
    Case(
        ([[-1000.0, -1000.0], [0.0, 1.0]],),
        "The exponentials are rounded to 0. Subtract each row's largest, also if it is negative.",
    ),
)

_CLASSES = [0, 1]

_CROSS_ENTROPY = (
    Case(
        (_BATCH, _CLASSES),
        "The loss of a row is its log-sum-exp less the logit of the right class. Take the mean over the rows.",
        {
            "This is the sum of the losses. Take their mean.": lambda z, c: softmax_lib.cross_entropy(z, c).sum(),
            "These are the losses of the rows. Take their mean.": lambda z, c: softmax_lib.cross_entropy(z, c),
            "It has a wrong sign. A loss is not negative.": lambda z, c: -softmax_lib.cross_entropy(z, c).mean(),
            "This is the mean probability of the right classes. Take the logarithms first.": lambda z, c: (
                softmax_lib.softmax(z)[np.arange(len(z)), c].mean()
            ),
            "This is 1 less the mean probability. The loss is the mean of -ln p.": lambda z, c: (
                1 - softmax_lib.softmax(z)[np.arange(len(z)), c].mean()
            ),
            "This is -ln of the mean probability. Take the logarithms before the mean.": lambda z, c: (
                -np.log(softmax_lib.softmax(z)[np.arange(len(z)), c].mean())
            ),
            "This is the mean over all classes. Take only the right class of each row.": lambda z, c: (
                -softmax_lib.log_softmax(z).mean()
            ),
            "Softmax was applied twice. The loss takes logits.": lambda z, c: softmax_lib.cross_entropy(
                softmax_lib.softmax(z), c
            ).mean(),
        },
    ),
    Case(
        ([[1000.0, 1001.0], [-3.0, 2.0]], _CLASSES),
        "The exponential of 1000 is too large for a float64. Subtract each row's largest logit first.",
    ),
    Case(
        ([[0.0, 800.0], [0.0, 1.0]], _CLASSES),
        "The right class has a probability that is rounded to 0, and ln 0 is lost. Compute the loss from the logits.",
    ),
)

_CROSS_ENTROPY_GRAD = (
    Case(
        (_BATCH, _CLASSES),
        "The slopes of a row are its probabilities, less 1 at the right class.",
        {
            "These are the probabilities. Subtract 1 at the right class of each row.": lambda z, c: softmax_lib.softmax(
                z
            ),
            "It has a wrong sign: raising the logit of the right class makes the loss smaller.": lambda z, c: (
                -softmax_lib.cross_entropy_grad(z, c)
            ),
            "1 is subtracted everywhere. Subtract it at the right class only.": lambda z, c: softmax_lib.softmax(z) - 1,
            "1 is subtracted at the same class in all rows. Each row has a right class of its own.": lambda z, c: (
                softmax_lib.softmax(z) - np.eye(z.shape[1])[c[0]]
            ),
            "The wrong classes have slopes, too. Raising their logits makes the loss larger.": lambda z, c: (
                np.eye(z.shape[1])[c] * softmax_lib.cross_entropy_grad(z, c)
            ),
            "These are the slopes of the mean loss. Leave each row's own, undivided.": lambda z, c: (
                softmax_lib.cross_entropy_grad(z, c) / len(z)
            ),
            "The logits themselves are in place of the probabilities.": lambda z, c: z - np.eye(z.shape[1])[c],
        },
    ),
    Case(([[0.3, -1.2, 2.0, 0.0]], [3]), "It must work for any number of rows and classes."),
    Case(
        ([[1000.0, 1001.0], [-3.0, 2.0]], _CLASSES),
        "The exponential of 1000 is too large for a float64. Subtract each row's largest logit first.",
    ),
)

_JACOBIAN = (
    Case(
        (_PLAIN,),
        "The entry in row i and column j is p_i (1 - p_i) if i = j, and -p_i p_j if not.",
        {
            "Only the diagonal is there. A logit moves the other probabilities too.": lambda z: np.diag(
                softmax_lib.softmax(z) * (1 - softmax_lib.softmax(z))
            ),
            "These are the slopes p (1 - p) of a single probability along its own logit.": lambda z: (
                softmax_lib.softmax(z) * (1 - softmax_lib.softmax(z))
            ),
            "It has a wrong sign: raising a logit raises its own probability.": lambda z: (
                -softmax_lib.softmax_jacobian(z)
            ),
            "Off the diagonal the sign is wrong: one probability gains what the others lose.": lambda z: np.abs(
                softmax_lib.softmax_jacobian(z)
            ),
            "These are the products p_i p_j. Subtract them from the matrix with p on its diagonal.": lambda z: np.outer(
                softmax_lib.softmax(z), softmax_lib.softmax(z)
            ),
        },
    ),
    Case(([0.3, -1.2, 2.0, 0.0],), "It must work for any number of logits."),
    Case(([1000.0, 1001.0],), "The exponential of 1000 is too large for a float64. Subtract the largest logit first."),
)


def _at_temperature(z: npt.NDArray[np.float64], temperature: float) -> npt.NDArray[np.float64]:
    return softmax_lib.softmax(z / temperature) if temperature else _one_hot(z)


_TEMPERATURE = (
    Case(
        (_PLAIN, 2.0),
        "Divide the logits by T, then apply softmax.",
        {
            "It multiplies by T. A high temperature must make the shares more equal.": lambda z, t: softmax_lib.softmax(
                z * t
            ),
            "T cancels. Divide the logits by it, before the exponential.": lambda z, t: softmax_lib.softmax(z),
            "It divides the probabilities by T, so they no longer sum to 1.": lambda z, t: softmax_lib.softmax(z) / t,
            "It takes the probabilities for logits: softmax is applied twice.": lambda z, t: softmax_lib.softmax(
                softmax_lib.softmax(z) / t
            ),
        },
    ),
    Case((_PLAIN, 0.001), "Divided by a small T, the logits become large. Subtract the largest first."),
    Case(
        (_PLAIN, 0.0),
        "At T = 0 you would divide by zero. Give all of it to the largest logit.",
        {"At T = 0 it leaves the logits as they are.": lambda z, t: softmax_lib.softmax(z)},
    ),
)


def _top_p(p: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    order = np.argsort(-p, kind="stable")
    before = np.zeros_like(p)
    before[order[1:]] = p[order].cumsum()[:-1]
    return _shares(np.where(before < share, p, 0))


_TOP_P = (
    Case(
        ([0.5, 0.3, 0.15, 0.05], 0.7),
        "Keep the likeliest words until together they have at least the share, and divide them by their sum.",
        {
            "The kept probabilities no longer sum to 1. Divide them by their sum.": lambda p, s: np.where(
                p > 0.2, p, 0
            ),
            "The word that crosses the share is missing. Keep it.": lambda p, s: np.array([1.0, 0, 0, 0]),
            "It keeps one word too many: the two likeliest have 0.8 already.": lambda p, s: _shares(
                np.where(p > 0.1, p, 0)
            ),
            "It keeps every word that has at least the share by itself.": lambda p, s: np.where(p >= s, p, 0),
        },
    ),
    Case(
        ([0.05, 0.15, 0.5, 0.3], 0.7),
        "The likeliest word need not come first. Look at the words in the order of their probabilities.",
        {
            "The right shares stand in another order than the words.": lambda p, s: np.array([0.625, 0.375, 0, 0]),
            "It adds up the words as they come. Sort them by probability.": lambda p, s: _shares(
                np.where(p.cumsum() - p < s, p, 0)
            ),
        },
    ),
    Case(([0.9, 0.06, 0.04], 0.5), "The likeliest word is always kept, also if it has more than the share."),
    Case(([0.4, 0.35, 0.25], 1.0), "A share of 1 cuts nothing."),
)

_INT8 = np.array([100, 99, -100], np.int8)

_SOFTMAX_OF_INTEGERS = (
    Case(
        (_INT8,),
        "Make the integers float64 before you compute with them.",
        {
            "In int8, -100 - 100 wraps around to 56. Make the integers floats before you subtract.": lambda z: _shares(
                np.exp(z - z.max())
            ),
            "The floats come too late: the difference has wrapped around already.": lambda z: _shares(
                np.exp((z - z.max()).astype(float))
            ),
            "Nothing wraps now, but the digits are float32's. NumPy's exponential of int16 has no more.": lambda z: (
                _shares(np.exp(z.astype(np.int16) - z.max()))
            ),
            "The short integers became short floats, and digits are lost.": lambda z: _shares(
                np.exp(z.astype(np.float16) - z.astype(np.float16).max())
            ),
        },
    ),
    Case((np.array([0, 200], np.uint8),), "uint8 has no negative numbers. Make the integers float64 first."),
    Case((np.array([-(2**31), 2**31 - 1], np.int32),), "int32 wraps, too. Make all integers float64 first."),
    Case((_PLAIN,), "It must work for floats, too."),
)

_LOG_SOFTMAX_TAIL = (
    Case(
        ([0.0, -40.0],),
        "The logarithm of the largest probability is minus ln(1 + s), with s the sum of the other exponentials.",
        {
            "1 + s is rounded to 1. Leave the largest's own 1 out of the sum s, and use np.log1p(s).": lambda z: (
                z - np.log(np.exp(z).sum())
            ),
            "log1p adds the 1 itself. Leave the largest's own 1 out of the sum.": lambda z: (
                z - np.log1p(np.exp(z).sum())
            ),
            "It has a wrong sign. The logarithm of a probability is not positive.": lambda z: (
                -softmax_lib.log_softmax(z)
            ),
            "These are the probabilities. Take their logarithms.": softmax_lib.softmax,
        },
    ),
    Case(([10.0, -30.0],), "The sum of the others is lost beside 10, as it is beside 1. Subtract the largest first."),
    Case(([-40.0, 0.0, 1.0],), "The largest logit need not come first."),
    Case(([3.0, 3.0, 1.0],), "Two logits share the maximum. Leave only one of them out of the sum."),
    Case(([1000.0, 1001.0],), "The exponential of 1000 is too large for a float64. Subtract the largest logit first."),
    Case(([0.0, -700.0],), "The sum of the others may be as small as a float64 can be."),
)

_SUBNORMAL_SUM = (
    Case(([-1.0, -2.0],), "Add the exponentials."),
    Case(
        ([-744.8] * 10,),
        "Add the exponentials where they are larger, and make the sum as small again at the end.",
        {
            "Each exponential is subnormal and was rounded up before it was added. Add larger ones.": lambda z: np.exp(
                z
            ).sum(),
            "These are larger exponentials. Make their sum as small again.": lambda z: np.exp(z + 128).sum(),
        },
    ),
    Case(([-700.0, -744.8],), "It must work if only some of the exponentials are subnormal."),
)

_SOFTMAX_VJP = (
    Case(
        ([0.5, 0.3, 0.2], [1.0, 0.0, 2.0]),
        "Each v less the mean of v, weighted by p, is multiplied by its p.",
        {
            "These are p times v. Subtract the mean of v first.": lambda p, v: p * v,
            "It subtracts the mean of v, and does not multiply by p.": lambda p, v: v - p @ v,
            "It uses the diagonal alone. Each probability moves with the other logits, too.": lambda p, v: (
                p * (1 - p) * v
            ),
            "It has a wrong sign.": lambda p, v: p * (p @ v - v),
            "Each v has the same weight in the mean. Weight it by p.": lambda p, v: p * (v - v.mean()),
        },
    ),
    Case(
        ([1.0, 5.551e-17], [1.0, 0.0]),
        "The components must sum to 0. One is lost, because the large probability swallows the small one.",
        {
            "The first component is lost in a difference. Before, subtract the v of the likeliest class from all v.": (
                lambda p, v: p * (v - (p * v).sum())
            ),
        },
    ),
    Case(([5.551e-17, 1.0], [0.0, 1.0]), "The likeliest class need not come first."),
    Case(([5.551e-17, 1.0], [1.0, 0.0]), "The likeliest class need not have the largest v."),
)


def _threads_to_use(process: Any, started_in: Any) -> int:
    return 2 if started_in in (None, process) else 1


_THREADS_TO_USE = (
    Case(
        (1, None),
        "Nobody has started threads yet. This process may start two.",
        {"So nobody would ever start the threads. A process may start two if nobody has.": lambda p, s: 1},
    ),
    Case((1, 1), "The two threads were started in this very process. It may use them."),
    Case(
        (2, 1),
        "This process was forked from the one that has the threads. It must do the work alone, in its one thread.",
        {
            "The threads stayed in process 1, so process 2 would wait for them for ever. It must work alone.": (
                lambda p, s: 2
            ),
            "One thread is always there: the process itself.": lambda p, s: 0,
        },
    ),
    Case((2, None), "It was forked before any thread was started. It may start two of its own."),
    Case((2, 2), "The two threads were started in this very process. It may use them."),
)

_TIMING = (
    Case(
        (4.0, 1.0),
        "The first call, which is slower, is a part of your figure. Make it before the clock starts.",
        {
            "This is the first call, which takes longer. Call once before the clock starts.": lambda first, later: (
                first
            ),
            "No call was made between the two readings of the clock.": lambda first, later: 0.0,
            "This is the time of all calls together. Divide it by their number.": lambda first, later: 10 * later,
            "The first call is in the mean of ten. Make it before the clock starts.": lambda first, later: (
                (first + 9 * later) / 10
            ),
        },
    ),
    Case((3000.0, 0.5), "The first call may take much longer: some libraries compile in it."),
)

_ROWS = (
    "Compare what it gives for two rows that differ by a shift, the one near 0 and the other 1000 above it. Both must "
    "be the same, and not NaN."
)

_SOFTMAX_TEST = (
    ("a right softmax", softmax_lib.softmax, True, "It works along the last axis, and must pass."),
    (
        "a softmax that is right but for the last digit",
        lambda z: softmax_lib.softmax(z) * (1 - 2.0**-52),
        True,
        "Probabilities are rounded, and so is their sum. Compare with np.allclose.",
    ),
    (
        "exponentials over a sum of logits",
        lambda z: np.exp(z - z.max(axis=-1, keepdims=True)) / z.sum(axis=-1, keepdims=True),
        False,
        "Does each row sum to 1?",
    ),
    (
        "an average, 1/K for each of K classes",
        lambda z: np.full(np.shape(z), 1 / z.shape[-1]),
        False,
        "Compare values.",
    ),
    ("one sum for the whole batch", lambda z: softmax_lib.softmax(z, axis=None), False, "Give it a batch of rows."),
    ("sums along the columns", lambda z: softmax_lib.softmax(z, axis=0), False, "Does each row of a batch sum to 1?"),
    ("a softmax without a shift", lambda z: _shares(np.exp(z)), False, _ROWS),
    ("one maximum for the whole batch", lambda z: _shares(np.exp(z - z.max())), False, _ROWS),
    (
        "a softmax in which short integers wrap",
        lambda z: _shares(np.exp(z - z.max(axis=-1, keepdims=True))),
        False,
        "Give it integers in int8, and the same numbers in float64.",
    ),
)
