"""The checks of the chapters' exercises."""

import numpy as np
import numpy.typing as npt

import softmax_lib
from softmax_lib.check.examining import Case, Function, Verdict, examine, shares


def softmax(function: Function) -> Verdict:
    """Check `function(z)`: softmax along the last axis, of a list of logits and of a batch with a list in each row."""
    return examine(function, softmax_lib.softmax, _SOFTMAX)


def log_softmax(function: Function) -> Verdict:
    """Check `function(z)`: the logarithms of softmax along the last axis."""
    return examine(function, softmax_lib.log_softmax, _LOG_SOFTMAX)


def logsumexp(function: Function) -> Verdict:
    """Check `function(z)`: the logarithm of the sum of the exponentials of each row of a matrix."""
    return examine(function, softmax_lib.logsumexp, _LOGSUMEXP)


def cross_entropy(function: Function) -> Verdict:
    """Check `function(z, classes)`: the mean loss of a batch of logits, with the right class of each row."""
    return examine(function, lambda z, classes: softmax_lib.cross_entropy(z, classes).mean(), _CROSS_ENTROPY)


def cross_entropy_grad(function: Function) -> Verdict:
    """Check `function(z, classes)`: the slopes of each row's loss along its logits."""
    return examine(function, softmax_lib.cross_entropy_grad, _CROSS_ENTROPY_GRAD)


def jacobian(function: Function) -> Verdict:
    """Check `function(z)`: the matrix of the slopes of each probability along each logit."""
    return examine(function, softmax_lib.softmax_jacobian, _JACOBIAN)


def temperature(function: Function) -> Verdict:
    """Check `function(z, T)`: softmax of z / T for T > 0, and for T = 0 all of it for the largest logit."""
    return examine(function, _at_temperature, _TEMPERATURE)


def top_p(function: Function) -> Verdict:
    """Check `function(p, share)`: the likeliest words until they have the share, renormalised, and 0 for the others."""
    return examine(function, _top_p, _TOP_P)


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
            "It uses powers of 2. Softmax uses powers of e, np.exp.": lambda z: shares(2**z),
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
            "The columns sum to 1, and not the rows. Sum along the last axis, axis=-1.": lambda z: shares(np.exp(z), 0),
            "The whole batch sums to 1. Sum each row by itself, axis=-1.": lambda z: shares(np.exp(z), None),
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
    return shares(np.where(before < share, p, 0))


_TOP_P = (
    Case(
        ([0.5, 0.3, 0.15, 0.05], 0.7),
        "Keep the likeliest words until together they have at least the share, and divide them by their sum.",
        {
            "The kept probabilities no longer sum to 1. Divide them by their sum.": lambda p, s: np.where(
                p > 0.2, p, 0
            ),
            "The word that crosses the share is missing. Keep it.": lambda p, s: np.array([1.0, 0, 0, 0]),
            "It keeps one word too many: the two likeliest have 0.8 already.": lambda p, s: shares(
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
            "It adds up the words as they come. Sort them by probability.": lambda p, s: shares(
                np.where(p.cumsum() - p < s, p, 0)
            ),
        },
    ),
    Case(([0.9, 0.06, 0.04], 0.5), "The likeliest word is always kept, also if it has more than the share."),
    Case(([0.4, 0.35, 0.25], 1.0), "A share of 1 cuts nothing."),
)
