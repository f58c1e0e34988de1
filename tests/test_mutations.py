"""One-line bugs put into with_numpy.py: the test named beside each must fail, and a changed comment must not matter."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "softmax_lib" / "with_numpy.py"
CONTRACT, ACCURACY = "tests/test_contract.py::test_", "tests/test_accuracy.py::test_"


class Bug(NamedTuple):
    old: str
    new: str
    caught_by: str


BUGS = {
    "a global maximum in the place of each row's": Bug(
        "np.max(logits, axis=1, keepdims=True, initial=-np.inf)",
        "np.full_like(logits[:, :1], np.max(logits, initial=-np.inf))",
        CONTRACT + "an_odd_slice_leaves_the_others_alone",
    ),
    "NaN swallowed by the maximum": Bug(
        "np.max(logits, axis=1, keepdims=True, initial=-np.inf)",
        "np.fmax.reduce(logits, axis=1, keepdims=True, initial=-np.inf)",
        CONTRACT + "the_normalizer_of_an_odd_slice_gives_its_logsumexp",
    ),
    "no shift at all": Bug(
        "else np.where(fits, 0, np.floor(maximum))", "else 0.0", CONTRACT + "known_values_survive_any_shift"
    ),
    "no shift where exponentials overflow": Bug("(maximum <= 600)", "(maximum <= 720)", CONTRACT + "long_rows"),
    "no shift where tails are subnormal": Bug(
        "((maximum >= 0) | (lowest >= -600))", "(maximum >= -600)", ACCURACY + "float64"
    ),
    "what the shift rounds off is not put back": Bug(
        "    exponentials += exponentials * np.fmin(rounded_off, 1, out=rounded_off)\n", "", ACCURACY + "float64"
    ),
    "an uncompensated sum": Bug(
        "positive.dtype != narrowest", "True", ACCURACY + "float64"
    ),
    "the low parts left out of a sum": Bug(
        "_fast_sum(high) + _fast_sum(np.subtract(positive, high, out=high))", "_fast_sum(high)", ACCURACY + "float64"
    ),
    "sums in float32": Bug(
        "        return _fast_sum(positive)\n",
        "        return _fast_sum(positive.astype(narrowest)).astype(positive.dtype)\n",
        ACCURACY + "narrow_floats",
    ),
    "exponentials in float32": Bug(
        "np.exp(logits, out=into, dtype=wide)", "np.exp(logits, out=into)", ACCURACY + "narrow_floats"
    ),
    "integers not cast before subtracting": Bug(
        'kind in "biu"',
        'kind in "b"',
        CONTRACT + "integers_become_float64_before_anything_is_subtracted",
    ),
    "the last axis, whichever is asked for": Bug(
        'return tuple(normalize_axis_tuple(axes, ndim, "axis"))',
        'return tuple(ndim - 1 for _ in normalize_axis_tuple(axes, ndim, "axis"))',
        CONTRACT + "axes",
    ),
    "joint axes put back in another order": Bug(
        ".transpose(np.argsort(order))", ".transpose(order)", CONTRACT + "two_axes_of_four"
    ),
    "keepdims keeps all axes but the first": Bug(
        "[1 if i in axes else n for", "[1 if i == axes[0] else n for", CONTRACT + "axes"
    ),
    "where ignored": Bug(
        "return logits if taking_part is None else", "return logits if True else", CONTRACT + "where_leaves_out_entries"
    ),
    "a slice where one entry is left out is nothing": Bug(
        "_to_stack(taking_part, axes).any(axis=1)", "_to_stack(taking_part, axes).all(axis=1)",
        CONTRACT + "where_leaves_out_entries"
    ),
    "an out that overlaps written too early": Bug(
        "direct = out is not None and (out is logits or not np.may_share_memory(out, logits))",
        "direct = out is not None",
        CONTRACT + "out_may_overlap_the_input",
    ),
    "a read-only out not refused": Bug(
        "    if not out.flags.writeable:", "    if False:", CONTRACT + "a_bad_out_is_named_and_not_written"
    ),
    "the input written in place": Bug(
        "into = into if into is not None and _holds(into, wide)",
        "into = logits if _holds(logits, wide)",
        CONTRACT + "nothing_warns_and_nothing_is_written",
    ),
    "logits overwritten that are still needed": Bug(
        "np.empty(block.shape, into.dtype) if out is logits else into[some]", "into[some]",
        CONTRACT + "out_may_overlap_the_input"
    ),
    "the last row of a block left out": Bug(
        "(slice(i, i + deep), ",
        "(slice(i, i + max(1, deep - 1)), ",
        CONTRACT + "a_row_does_not_depend_on_the_rows_beside_it",
    ),
    "the last entry of a part left out": Bug(
        "return [slice(start, start + step)",
        "return [slice(start, start + step - (length > step))",
        CONTRACT + "long_rows",
    ),
    "parts of a long row not summed up": Bug(
        "return _sum(totals, totals.dtype)",
        "return totals[:, :1]",
        CONTRACT + "long_rows",
    ),
    "a thread that warns": Bug(
        "submit(copy_context().run, work_off)",
        "submit(work_off)",
        CONTRACT + "cores_that_share_the_work_change_no_bit_and_stay_silent",
    ),
    "an error in a thread that nobody hears of": Bug(
        "            helper.result()\n", "            helper.exception()\n",
        CONTRACT + "an_error_on_another_core_is_raised"
    ),
    "an empty slice counts one": Bug(
        "rest = np.full_like(maximum, -1)",
        "rest = np.zeros_like(maximum)",
        CONTRACT + "empty_axes_and_empty_batches",
    ),
    "the logarithm of softmax": Bug(
        "np.subtract(logits[:, part] - maximum, log_of_total, out=logarithms[:, part], casting=\"unsafe\")",
        "logarithms[:, part] = np.log(np.exp(logits[:, part] - maximum - log_of_total))",
        CONTRACT + "a_small_rest_is_not_swallowed",
    ),
    "a rest that is what rounding left of the sum": Bug(
        "rest >= 2**-10", "rest >= -1", ACCURACY + "narrow_floats"
    ),
    "ties of the maximum counted once": Bug(
        "ties = np.count_nonzero(logits == maximum, axis=1, keepdims=True) - 1",
        "ties = 0",
        CONTRACT + "odd_slices",
    ),
    "the difference of equal infinities": Bug(
        "np.where(m == maximum, 0, m - maximum)", "m - maximum", CONTRACT + "pairs_merge"
    ),
    "the diagonal of the Jacobian with the other sign": Bug(
        "= p * _others(p, ", "= -p * _others(p, ", CONTRACT + "derivatives_are_the_central_differences"
    ),
    "the diagonal of the Jacobian as p (1 - p)": Bug(
        "p * _others(p, p.ndim - 1)", "p * (1 - p)", CONTRACT + "the_diagonal_of_the_jacobian_does_not_cancel"
    ),
    "the sum of the others without the least, not the largest": Bug(
        "largest = np.argmax(shares, axis=axis, keepdims=True)",
        "largest = np.argmin(shares, axis=axis, keepdims=True)",
        ACCURACY + "the_jacobian",
    ),
    "p (v - <p, v>)": Bug(
        "p * difference / scale",
        "p * (v - (p * v).sum(axis=1, keepdims=True)) / scale",
        ACCURACY + "no_component_of_the_vector_product_is_lost",
    ),
    "the vector product in but one precision": Bug(
        "(difference_low + centred_low - mean_low) + surplus",
        "surplus",
        ACCURACY + "no_component_of_the_vector_product_is_lost",
    ),
    "a vector product that takes sum p for one": Bug(
        "centred * (total - 1 + total_low)",
        "0 * centred",
        ACCURACY + "no_component_of_the_vector_product_is_lost",
    ),
    "the vector product in but two precisions": Bug(
        "if doubtful.any():", "if False:", ACCURACY + "a_component_that_all_but_vanishes_keeps_its_digits"
    ),
    "an exact sum that is rounded after all": Bug(
        "while parts[-1]:", "while False:", ACCURACY + "a_component_that_all_but_vanishes_keeps_its_digits"
    ),
    "p - t": Bug(
        "p * _others(shares, axis) - shares * _others(p, axis)",
        "p - shares",
        ACCURACY + "the_gradient_of_the_loss_of_every_kind_of_class",
    ),
    "p - 1": Bug(
        "        -rest / (1 + rest),\n",
        "        np.take_along_axis(p, at, axis) - 1,\n",
        ACCURACY + "the_gradient_of_the_loss_of_every_kind_of_class",
    ),
    "a class index one too large accepted": Bug(
        "(given >= count)", "(given > count)", CONTRACT + "a_bad_target_is_named"
    ),
    "an impossible class without a share counted": Bug(
        "np.where(shares == 0, 0, shares * surprise)", "shares * surprise", CONTRACT + "cross_entropy_of_odd_rows"
    ),
}  # fmt: skip

COMMENT = Bug("# The difference of equal infinities would be NaN.", "# Nothing but a comment.", "")


class FirstFailure:
    """A pytest plugin that remembers it."""

    test = None

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.test = self.test or report.nodeid.split("::")[-1]
            assert report.when == "call", f"an error is no failing test: {report.longreprtext}"


def failing_test(bug, tests, folder):
    """The first of `tests` that fails on with_numpy.py with this bug; None if all pass."""
    mutant = folder / SOURCE.name
    mutant.write_text(SOURCE.read_text().replace(bug.old, bug.new))
    os.environ.update(SOFTMAX_BACKEND=str(mutant), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    first = FirstFailure()
    options = ["-x", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:terminal"]
    status = pytest.main([*options, *(f"{ROOT}/{test}" for test in tests)], plugins=[first])
    assert status == (pytest.ExitCode.TESTS_FAILED if first.test else pytest.ExitCode.OK), bug
    return first.test


def test_every_bug_has_its_place():
    source = SOURCE.read_text()
    moved = {name: bug.old for name, bug in [*BUGS.items(), ("comment", COMMENT)] if source.count(bug.old) != 1}
    assert not moved, f"these must occur once in {SOURCE.name}; update them here"


@pytest.fixture(scope="module")
def caught(tmp_path_factory):
    """The test that each bug makes fail, None where all pass; and so for the comment, with every test named above."""
    runs = {name: (bug, [bug.caught_by]) for name, bug in BUGS.items()}
    runs["a changed comment"] = COMMENT, sorted({bug.caught_by for bug in BUGS.values()})
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        started = {
            name: pool.submit(failing_test, *run, tmp_path_factory.mktemp("bug"))
            for name, run in reversed(runs.items())  # the comment first: it takes longest
        }
    return {name: started[name].result() for name in runs}


def test_every_bug_is_caught(caught, capsys):
    with capsys.disabled():
        print()
        for name, test in caught.items():
            print(f"{name:56} {test or 'survives'}")
    assert [name for name in BUGS if caught[name] is None] == []


def test_a_changed_comment_survives(caught):
    assert caught["a changed comment"] is None
