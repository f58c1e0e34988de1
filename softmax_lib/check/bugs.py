"""The checks of the repairs of bugs that shipped."""

from itertools import chain, repeat
from typing import Any

import numpy as np

import softmax_lib
from softmax_lib.check.examining import Case, Function, Verdict, examine, shares


def softmax_of_integers(function: Function) -> Verdict:
    """Check `function(z)`: softmax of a list of logits that are short integers."""
    return examine(function, softmax_lib.softmax, _SOFTMAX_OF_INTEGERS)


def log_softmax_tail(function: Function) -> Verdict:
    """Check `function(z)`: log-softmax of a list of logits, with all its digits also where it is nearly 0."""
    return examine(function, softmax_lib.log_softmax, _LOG_SOFTMAX_TAIL, atol=0)


def subnormal_sum(function: Function) -> Verdict:
    """Check `function(z)`: the sum of the exponentials of a list of negative numbers, also if all are subnormal."""
    return examine(function, lambda z: np.exp(z + 128).sum() * np.exp(-128), _SUBNORMAL_SUM, atol=0)


def softmax_vjp(function: Function) -> Verdict:
    """Check `function(p, v)`: the Jacobian of softmax at the probabilities p times v, with all digits."""
    return examine(function, softmax_lib.softmax_vjp, _SOFTMAX_VJP, atol=0)


def threads_to_use(function: Function) -> Verdict:
    """Check `function(process, started_in)`: how many of two threads a process may use.

    `started_in` is the process in which they were started, or None. A process that was forked from it has none of them.
    """
    return examine(function, _threads_to_use, _THREADS_TO_USE)


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

    return examine(on_a_machine, lambda first, later: later, _TIMING)


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


_INT8 = np.array([100, 99, -100], np.int8)

_SOFTMAX_OF_INTEGERS = (
    Case(
        (_INT8,),
        "Make the integers float64 before you compute with them.",
        {
            "In int8, -100 - 100 wraps around to 56. Make the integers floats before you subtract.": lambda z: shares(
                np.exp(z - z.max())
            ),
            "The floats come too late: the difference has wrapped around already.": lambda z: shares(
                np.exp((z - z.max()).astype(float))
            ),
            "Nothing wraps now, but the digits are float32's. NumPy's exponential of int16 has no more.": lambda z: (
                shares(np.exp(z.astype(np.int16) - z.max()))
            ),
            "The short integers became short floats, and digits are lost.": lambda z: shares(
                np.exp(z.astype(np.float16) - z.astype(np.float16).max())
            ),
        },
    ),
    Case((np.array([0, 200], np.uint8),), "uint8 has no negative numbers. Make the integers float64 first."),
    Case((np.array([-(2**31), 2**31 - 1], np.int32),), "int32 wraps, too. Make all integers float64 first."),
    Case(([2.0, 1.0, 0.0],), "It must work for floats, too."),
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
            "The first component is lost in a difference. Subtract a well-chosen constant from v before.": (
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
            "The threads stayed in process 1. If process 2 asks for them, it is killed. It must work alone.": (
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
        "Compare with a value that you know.",
    ),
    ("one sum for the whole batch", lambda z: softmax_lib.softmax(z, axis=None), False, "Give it a batch of rows."),
    ("sums along the columns", lambda z: softmax_lib.softmax(z, axis=0), False, "Does each row of a batch sum to 1?"),
    ("a softmax without a shift", lambda z: shares(np.exp(z)), False, _ROWS),
    ("one maximum for the whole batch", lambda z: shares(np.exp(z - z.max())), False, _ROWS),
    (
        "a softmax in which short integers wrap",
        lambda z: shares(np.exp(z - z.max(axis=-1, keepdims=True))),
        False,
        "Give it integers in int8, and the same numbers in float64.",
    ),
)
