"""One-line bugs in the library: the test named beside each must fail, and a changed comment must not matter.

Each bug goes into a copy of the whole package, in a folder of its own beside a copy of the tests; pytest runs there. So
a bug may lie in any file, and code that moves to another takes its bugs along.
"""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from tests import ROOT

pytestmark = pytest.mark.slow
PACKAGE = ROOT / "softmax_lib"


class Bug(NamedTuple):
    """In `file` of the package, `old` becomes `new`; `caught_by` is a test of tests/library/."""

    file: str
    old: str
    new: str
    caught_by: str


BUGS = {
    "a global maximum in the place of each row's": Bug(
        "with_numpy.py",
        "np.max(logits, axis=1, keepdims=True, initial=-np.inf)",
        "np.full_like(logits[:, :1], np.max(logits, initial=-np.inf))",
        "contract/test_slices.py::test_an_odd_slice_leaves_the_others_alone",
    ),
    "NaN swallowed by the maximum": Bug(
        "with_numpy.py",
        "np.max(logits, axis=1, keepdims=True, initial=-np.inf)",
        "np.fmax.reduce(logits, axis=1, keepdims=True, initial=-np.inf)",
        "contract/test_odd_inputs.py::test_the_normalizer_of_an_odd_slice_gives_its_logsumexp",
    ),
    "no shift at all": Bug(
        "with_numpy.py",
        "else np.where(fits, 0, np.floor(maximum))",
        "else 0.0",
        "contract/test_values.py::test_known_values_survive_any_shift",
    ),
    "no shift where exponentials overflow": Bug(
        "with_numpy.py", "(maximum <= 600)", "(maximum <= 720)", "contract/test_long_rows.py::test_long_rows"
    ),
    "no shift where tails are subnormal": Bug(
        "with_numpy.py", "((maximum >= 0) | (lowest >= -600))", "(maximum >= -600)", "test_accuracy.py::test_float64"
    ),
    "what the shift rounds off is not put back": Bug(
        "with_numpy.py",
        "    exponentials += exponentials * np.fmin(rounded_off, 1, out=rounded_off)\n",
        "",
        "test_accuracy.py::test_float64",
    ),
    "an uncompensated sum": Bug(
        "with_numpy.py", "positive.dtype != narrowest", "True", "test_accuracy.py::test_float64"
    ),
    "the low parts left out of a sum": Bug(
        "with_numpy.py",
        "_fast_sum(high) + _fast_sum(np.subtract(positive, high, out=high))",
        "_fast_sum(high)",
        "test_accuracy.py::test_float64",
    ),
    "sums in float32": Bug(
        "with_numpy.py",
        "        return _fast_sum(positive)\n",
        "        return _fast_sum(positive.astype(narrowest)).astype(positive.dtype)\n",
        "test_accuracy.py::test_narrow_floats",
    ),
    "exponentials in float32": Bug(
        "with_numpy.py",
        "np.exp(logits, out=into, dtype=wide)",
        "np.exp(logits, out=into)",
        "test_accuracy.py::test_narrow_floats",
    ),
    "integers not cast before subtracting": Bug(
        "with_numpy.py",
        'kind in "biu"',
        'kind in "b"',
        "contract/test_odd_inputs.py::test_integers_become_float64_before_anything_is_subtracted",
    ),
    "the last axis, whichever is asked for": Bug(
        "with_numpy.py",
        'return tuple(normalize_axis_tuple(axes, ndim, "axis"))',
        'return tuple(ndim - 1 for _ in normalize_axis_tuple(axes, ndim, "axis"))',
        "contract/test_axes.py::test_axes",
    ),
    "joint axes put back in another order": Bug(
        "with_numpy.py",
        ".transpose(np.argsort(order))",
        ".transpose(order)",
        "contract/test_axes.py::test_two_axes_of_four",
    ),
    "keepdims keeps all axes but the first": Bug(
        "with_numpy.py",
        "[1 if i in axes else n for",
        "[1 if i == axes[0] else n for",
        "contract/test_axes.py::test_axes",
    ),
    "where ignored": Bug(
        "with_numpy.py",
        "return logits if taking_part is None else",
        "return logits if True else",
        "contract/test_odd_inputs.py::test_where_leaves_out_entries",
    ),
    "a slice where one entry is left out is nothing": Bug(
        "with_numpy.py",
        "_to_stack(taking_part, axes).any(axis=1)",
        "_to_stack(taking_part, axes).all(axis=1)",
        "contract/test_odd_inputs.py::test_where_leaves_out_entries",
    ),
    "an out that overlaps written too early": Bug(
        "with_numpy.py",
        "direct = out is not None and (out is logits or not np.may_share_memory(out, logits))",
        "direct = out is not None",
        "contract/test_out.py::test_out_may_overlap_the_input",
    ),
    "a read-only out not refused": Bug(
        "with_numpy.py",
        "    if not out.flags.writeable:",
        "    if False:",
        "contract/test_out.py::test_a_bad_out_is_named_and_not_written",
    ),
    "the input written in place": Bug(
        "with_numpy.py",
        "into = into if into is not None and _holds(into, wide)",
        "into = logits if _holds(logits, wide)",
        "contract/test_odd_inputs.py::test_nothing_warns_and_nothing_is_written",
    ),
    "logits overwritten that are still needed": Bug(
        "with_numpy.py",
        "np.empty(block.shape, into.dtype) if out is logits else into[some]",
        "into[some]",
        "contract/test_out.py::test_out_may_overlap_the_input",
    ),
    "the last row of a block left out": Bug(
        "with_numpy.py",
        "(slice(i, i + deep), ",
        "(slice(i, i + max(1, deep - 1)), ",
        "contract/test_slices.py::test_a_row_does_not_depend_on_the_rows_beside_it",
    ),
    "the last entry of a part left out": Bug(
        "with_numpy.py",
        "return [slice(start, start + step)",
        "return [slice(start, start + step - (length > step))",
        "contract/test_long_rows.py::test_long_rows",
    ),
    "parts of a long row not summed up": Bug(
        "with_numpy.py",
        "return _sum(totals, totals.dtype)",
        "return totals[:, :1]",
        "contract/test_long_rows.py::test_long_rows",
    ),
    "a thread that warns": Bug(
        "with_numpy.py",
        "submit(copy_context().run, work_off)",
        "submit(work_off)",
        "contract/test_cores.py::test_cores_that_share_the_work_change_no_bit_and_stay_silent",
    ),
    "an error in a thread that nobody hears of": Bug(
        "with_numpy.py",
        "            helper.result()\n",
        "            helper.exception()\n",
        "contract/test_cores.py::test_an_error_on_another_core_is_raised",
    ),
    "an empty slice counts one": Bug(
        "with_numpy.py",
        "rest = np.full_like(maximum, -1)",
        "rest = np.zeros_like(maximum)",
        "contract/test_odd_inputs.py::test_empty_axes_and_empty_batches",
    ),
    "the logarithm of softmax": Bug(
        "with_numpy.py",
        'np.subtract(logits[:, part] - maximum, log_of_total, out=logarithms[:, part], casting="unsafe")',
        "logarithms[:, part] = np.log(np.exp(logits[:, part] - maximum - log_of_total))",
        "contract/test_values.py::test_a_small_rest_is_not_swallowed",
    ),
    "a rest that is what rounding left of the sum": Bug(
        "with_numpy.py", "rest >= 2**-10", "rest >= -1", "test_accuracy.py::test_narrow_floats"
    ),
    "ties of the maximum counted once": Bug(
        "with_numpy.py",
        "ties = np.count_nonzero(logits == maximum, axis=1, keepdims=True) - 1",
        "ties = 0",
        "contract/test_odd_inputs.py::test_odd_slices",
    ),
    "the difference of equal infinities": Bug(
        "with_numpy.py",
        "np.where(m == maximum, 0, m - maximum)",
        "m - maximum",
        "contract/test_merge.py::test_pairs_merge",
    ),
    "the diagonal of the Jacobian with the other sign": Bug(
        "with_numpy.py",
        "= p * _others(p, ",
        "= -p * _others(p, ",
        "contract/test_derivatives.py::test_derivatives_are_the_central_differences",
    ),
    "the diagonal of the Jacobian as p (1 - p)": Bug(
        "with_numpy.py",
        "p * _others(p, p.ndim - 1)",
        "p * (1 - p)",
        "contract/test_derivatives.py::test_the_diagonal_of_the_jacobian_does_not_cancel",
    ),
    "the sum of the others without the least, not the largest": Bug(
        "with_numpy.py",
        "largest = np.argmax(shares, axis=axis, keepdims=True)",
        "largest = np.argmin(shares, axis=axis, keepdims=True)",
        "test_accuracy.py::test_the_jacobian",
    ),
    "p (v - <p, v>)": Bug(
        "with_numpy.py",
        "p * difference / scale",
        "p * (v - (p * v).sum(axis=1, keepdims=True)) / scale",
        "test_accuracy.py::test_no_component_of_the_vector_product_is_lost",
    ),
    "the vector product in but one precision": Bug(
        "with_numpy.py",
        "(difference_low + centred_low - mean_low) + surplus",
        "surplus",
        "test_accuracy.py::test_no_component_of_the_vector_product_is_lost",
    ),
    "a vector product that takes sum p for one": Bug(
        "with_numpy.py",
        "centred * (total - 1 + total_low)",
        "0 * centred",
        "test_accuracy.py::test_no_component_of_the_vector_product_is_lost",
    ),
    "the vector product in but two precisions": Bug(
        "with_numpy.py",
        "if doubtful.any():",
        "if False:",
        "test_accuracy.py::test_a_component_that_all_but_vanishes_keeps_its_digits",
    ),
    "an exact sum that is rounded after all": Bug(
        "with_numpy.py",
        "while parts[-1]:",
        "while False:",
        "test_accuracy.py::test_a_component_that_all_but_vanishes_keeps_its_digits",
    ),
    "p - t": Bug(
        "with_numpy.py",
        "p * _others(shares, axis) - shares * _others(p, axis)",
        "p - shares",
        "test_accuracy.py::test_the_gradient_of_the_loss_of_every_kind_of_class",
    ),
    "p - 1": Bug(
        "with_numpy.py",
        "        -rest / (1 + rest),\n",
        "        np.take_along_axis(p, at, axis) - 1,\n",
        "test_accuracy.py::test_the_gradient_of_the_loss_of_every_kind_of_class",
    ),
    "a class index one too large accepted": Bug(
        "with_numpy.py", "(given >= count)", "(given > count)", "contract/test_refusals.py::test_a_bad_target_is_named"
    ),
    "an impossible class without a share counted": Bug(
        "with_numpy.py",
        "np.where(shares == 0, 0, shares * surprise)",
        "shares * surprise",
        "contract/test_loss.py::test_cross_entropy_of_odd_rows",
    ),
}

COMMENT = Bug("with_numpy.py", "# The difference of equal infinities would be NaN.", "# Nothing but a comment.", "")


def failing_test(bug, tests, folder):
    """The first of `tests` that fails on with_numpy with this bug in the package; None if all pass."""
    for name in (PACKAGE.name, "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    mutant = folder / PACKAGE.name / bug.file
    mutant.write_text(mutant.read_text(encoding="utf-8").replace(bug.old, bug.new), encoding="utf-8")
    # Processes that a test starts find the copy too.
    environment = os.environ | {"PYTHONPATH": str(folder), "SOFTMAX_BACKEND": "with_numpy"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "-q", "-rfE", "-o", "addopts=", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(f"tests/library/{test}" for test in tests)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == pytest.ExitCode.OK:
        return None
    failed = re.search(r"^FAILED .*?::(.*?)(?: - |$)", run.stdout, re.M)
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    assert failed, f"an error is no failing test: {run.stdout}"
    return failed[1]


def test_every_bug_has_its_place():
    sources = {bug.file: (PACKAGE / bug.file).read_text(encoding="utf-8") for bug in [*BUGS.values(), COMMENT]}
    moved = {
        name: bug.old for name, bug in [*BUGS.items(), ("comment", COMMENT)] if sources[bug.file].count(bug.old) != 1
    }
    assert not moved, "these must occur once in the file that each names; update them here"


@pytest.fixture(scope="module")
def caught(tmp_path_factory):
    """The test that each bug makes fail, None where all pass; and so for the comment, with every test named above."""
    runs = {name: (bug, [bug.caught_by]) for name, bug in BUGS.items()}
    runs["a changed comment"] = COMMENT, sorted({bug.caught_by for bug in BUGS.values()})
    with ThreadPoolExecutor(os.cpu_count()) as pool:
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
