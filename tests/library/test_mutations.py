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
    backend: str = "with_numpy"


BUGS = {
    "a global maximum in the place of each slice's": Bug(
        "with_numpy.py",
        'm is the largest x."""\n    maximum = x.max(axis=1, keepdims=True)\n',
        'm is the largest x."""\n    maximum = np.full_like(x[:, :1], x.max())\n',
        "contract/test_slices.py::test_an_odd_slice_leaves_the_others_alone",
    ),
    "no shift at all": Bug(
        "digits.py", "two_difference(x, y)", "two_difference(x, 0 * y)",
        "contract/test_values.py::test_known_values_survive_any_shift",
    ),
    "what the shift rounds off is not put back": Bug(
        "digits.py",
        "exponentials + np.fmin(rounded_off, 1) * exponentials", "exponentials",
        "test_accuracy.py::test_float64",
    ),
    "what the shift rounds off is NaN below an infinite difference": Bug(
        "digits.py",
        "exponentials + np.fmin(rounded_off, 1) * exponentials", "exponentials + rounded_off * exponentials",
        "contract/test_odd_inputs.py::test_odd_slices",
    ),
    "a shift that is rounded to a whole number": Bug(
        "with_numpy.py",
        "    exponentials = exp_of_difference(x, maximum)\n    exponentials /= ",
        "    exponentials = exp_of_difference(x, np.floor(maximum))\n    exponentials /= ",
        "contract/test_invariants.py::test_an_exact_shift_changes_no_bit_of_the_definition",
    ),
    "an uncompensated sum": Bug(
        "digits.py", "if narrowest is not None and narrowest != parts.dtype:", "if True:",
        "contract/test_slices.py::test_a_row_does_not_depend_on_the_rows_beside_it",
    ),
    "the low parts left out of a sum": Bug(
        "digits.py", "return sum_of_high, _sum(low)", "return sum_of_high, 0 * sum_of_high",
        "test_accuracy.py::test_float64",
    ),
    "a unit too small for the sum of its multiples": Bug(
        "digits.py", "(parts.shape[1].bit_length() + 1)", "(parts.shape[1].bit_length() - 60)",
        "test_accuracy.py::test_float64_of_any_length",
    ),
    "sums in float32": Bug(
        "digits.py",
        "        return _sum(parts)\n",
        "        return _sum(parts.astype(np.float32)).astype(parts.dtype)\n",
        "test_accuracy.py::test_narrow_floats",
    ),
    "exponentials in float32": Bug(
        "digits.py", "np.exp(x.astype(wide(x)) - y)", "np.exp(x - y)", "test_accuracy.py::test_narrow_floats"
    ),
    "a rest that is what rounding left of the sum": Bug(
        "digits.py", "(high - 1) + low", "(high + low) - 1", "test_accuracy.py::test_float64"
    ),
    "small rests summed as they come": Bug(
        "digits.py", "rest < 2.0**-20", "rest < 0", "contract/test_out.py::test_out_may_overlap_the_input"
    ),
    "subnormal exponentials summed as they are": Bug(
        "digits.py", "np.finfo(about.dtype).smallest_normal * 2.0**62", "0", "test_accuracy.py::test_float64"
    ),
    "the sum of the others without the least, not the largest": Bug(
        "digits.py", "np.argmax(parts, axis=1, keepdims=True)", "np.argmin(parts, axis=1, keepdims=True)",
        "test_accuracy.py::test_the_gradient_of_a_distribution_that_is_nearly_one_class",
    ),
    "integers not cast before subtracting": Bug(
        "inputs.py", 'if kind in "biu" or', 'if kind in "b" or',
        "contract/test_odd_inputs.py::test_integers_become_float64_before_anything_is_subtracted",
    ),
    "the last axis, whichever is asked for": Bug(
        "inputs.py",
        'return tuple(normalize_axis_tuple(axes, ndim, "axis"))',
        'return tuple(ndim - 1 for _ in normalize_axis_tuple(axes, ndim, "axis"))',
        "contract/test_axes.py::test_axes",
    ),
    "where ignored": Bug(
        "inputs.py", "    if mask is None:\n", "    if True:\n",
        "contract/test_odd_inputs.py::test_where_leaves_out_entries",
    ),
    "a slice where one entry is left out is nothing": Bug(
        "with_numpy.py", "none = ~mask.any(", "none = ~mask.all(",
        "contract/test_odd_inputs.py::test_where_leaves_out_entries",
    ),
    "a read-only out not refused": Bug(
        "inputs.py", "not out.flags.writeable", "False", "contract/test_out.py::test_a_bad_out_is_named_and_not_written"
    ),
    "a class index one too large accepted": Bug(
        "inputs.py", "(given >= count)", "(given > count)", "contract/test_refusals.py::test_a_bad_target_is_named"
    ),
    "an ignored class that is refused": Bug(
        "inputs.py", "        wrong &= ~ignored\n", "        wrong |= ignored\n",
        "contract/test_loss.py::test_an_ignored_example_counts_for_nothing",
    ),
    "an ignored example that counts": Bug(
        "inputs.py", "return xp.where(ignored, result.dtype.type(0), result)", "return result",
        "contract/test_loss.py::test_an_ignored_example_counts_for_nothing",
    ),
    "joint axes put back in another order": Bug(
        "blocks.py", ".transpose(self.back)", ".transpose(self.order)", "contract/test_axes.py::test_two_axes_of_four"
    ),
    "keepdims keeps all axes but the first": Bug(
        "with_numpy.py", "[1 if i in axes else n", "[1 if i == axes[0] else n", "contract/test_axes.py::test_axes"
    ),
    "an out that overlaps written too early": Bug(
        "blocks.py",
        "direct = out is not None and all(out is array or not np.may_share_memory(out, array) for array in arrays)",
        "direct = out is not None",
        "contract/test_out.py::test_out_may_overlap_the_input",
    ),
    "the last slice of a block left out": Bug(
        "blocks.py", "yield slice(i, i + deep),", "yield slice(i, i + max(1, deep - 1)),",
        "contract/test_slices.py::test_a_row_does_not_depend_on_the_rows_beside_it",
    ),
    "the last entry of a part left out": Bug(
        "blocks.py", "[slice(start, start + step)", "[slice(start, start + step - 1)",
        "contract/test_long_rows.py::test_long_rows",
    ),
    "parts of a long slice not merged": Bug(
        "blocks.py", "    return found[0]\n", "    return reduce_part(block[:, parts(block)[0]])\n",
        "contract/test_long_rows.py::test_long_rows",
    ),
    "a long slice with an infinite maximum has an answer": Bug(
        "with_numpy.py", "(1 + rest + (maximum - maximum))", "(1 + rest)",
        "contract/test_long_rows.py::test_long_rows_of_odd_entries",
    ),
    "an empty slice counts one": Bug(
        "with_numpy.py", "(-np.inf, -1)", "(-np.inf, 0)",
        "contract/test_odd_inputs.py::test_empty_axes_and_empty_batches",
    ),
    "the logarithm of softmax": Bug(
        "with_numpy.py",
        "return (x - maximum) - (np.log1p(rest) + (maximum - maximum))",
        "return np.log(softmax_of_part(x, maximum, rest))",
        "contract/test_values.py::test_a_small_rest_is_not_swallowed",
    ),
    "an infinite maximum counted once": Bug(
        "with_numpy.py", "np.where(infinite, x == maximum, exponentials)", "np.where(infinite, 0, exponentials)",
        "contract/test_odd_inputs.py::test_the_normalizer_counts_an_infinite_maximum",
    ),
    "the difference of equal infinities": Bug(
        "with_numpy.py", "np.where(m == maximum, 1, exp_of_difference(m, maximum))", "exp_of_difference(m, maximum)",
        "contract/test_merge.py::test_pairs_merge",
    ),
    "a merged pair that forgets the smaller maximum": Bug(
        "with_numpy.py", "rest_a + (1 + rest_b) * factor_b", "rest_a + rest_b * factor_b",
        "contract/test_merge.py::test_pairs_merge",
    ),
    "the diagonal of the Jacobian with the other sign": Bug(
        "derived.py", "(p * others)[..., np.newaxis]", "(-p * others)[..., np.newaxis]",
        "contract/test_derivatives.py::test_derivatives_are_the_central_differences",
    ),
    "one less the probability, as it stands": Bug(
        "with_numpy.py",
        "((1 - exponentials) + rest) / (1 + rest)", "1 - exponentials / (1 + rest)",
        "contract/test_derivatives.py::test_the_diagonal_of_the_jacobian_does_not_cancel",
    ),
    "p (v - <p, v>)": Bug(
        "with_numpy.py", "return p / scale * difference", "return p * (v - (p * v).sum(axis=1, keepdims=True))",
        "test_accuracy.py::test_no_component_of_the_vector_product_is_lost",
    ),
    "the vector product in but one precision": Bug(
        "with_numpy.py", "difference_low + centred_low - mean_low + centred", "centred",
        "test_accuracy.py::test_a_component_near_the_mean_is_right_relative_to_its_terms",
    ),
    "a vector product that takes sum p for one": Bug(
        "with_numpy.py", "centred * (sum_of_p - 1 + sum_of_p_low)", "0 * centred",
        "test_accuracy.py::test_a_component_near_the_mean_is_right_relative_to_its_terms",
    ),
    "a vector product that underflows": Bug(
        "with_numpy.py", "return p / scale * difference", "return p * difference / scale",
        "test_accuracy.py::test_a_vector_product_of_large_and_tiny_numbers_does_not_underflow",
    ),
    "p - t": Bug(
        "with_numpy.py", "p * others(target) - target * others_of_p", "p - target",
        "test_accuracy.py::test_the_gradient_of_the_loss_of_every_kind_of_class",
    ),
    "an impossible class without a share counted": Bug(
        "derived.py", "xp.where(shares <= 0, 0, shares * (0 - logarithms))", "(shares * (0 - logarithms))",
        "contract/test_loss.py::test_cross_entropy_of_odd_rows",
    ),
    "smoothing that takes nothing from the class": Bug(
        "derived.py", "(1 - label_smoothing) * shares", "shares",
        "contract/test_loss.py::test_the_smoothed_loss_of_four_classes",
    ),
    "each chunk normalised by itself": Bug(
        "with_dask.py", "if all(masked.numblocks[a] == 1 for a in axes):", "if True:",
        "test_dask.py::test_no_cut_changes_an_answer", "with_dask",
    ),
    "the pair of the first chunk for all": Bug(
        "of_chunks.py", '(part["maximum"], part["rest"]) for part in parts)', '(parts[0][n] for n in PAIRS.names),)',
        "test_dask.py::test_no_cut_changes_an_answer", "with_dask",
    ),
    "a class looked for in every chunk": Bug(
        "of_chunks.py", "place = target - first", "place = target",
        "test_dask.py::test_losses_of_any_cut_and_any_kind_of_target", "with_dask",
    ),
    "the others of a share with its own rounding error": Bug(
        "with_dask.py", "rest + (ties - 1) * largest", "shares.sum(axis=axis, keepdims=True) - shares",
        "test_accuracy.py::test_the_gradient_of_a_distribution_that_is_nearly_one_class", "with_dask",
    ),
    "other chunks taken as they are": Bug(
        "with_dask.py", "if array.chunks != chunks:", "if False:",
        "test_dask.py::test_chunks_that_are_not_those_of_x_are_refused_with_what_to_do", "with_dask",
    ),
}  # fmt: skip

COMMENT = Bug(
    "with_numpy.py", "# Equal infinities are as near as equal numbers; their difference would be NaN.", "#", ""
)


def failing_test(bug, tests, folder):
    """The first of `tests` that fails on the bug's backend with this bug in the package; None if all pass."""
    for name in (PACKAGE.name, "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    mutant = folder / PACKAGE.name / bug.file
    mutant.write_text(mutant.read_text(encoding="utf-8").replace(bug.old, bug.new), encoding="utf-8")
    # Processes that a test starts find the copy too.
    environment = os.environ | {"PYTHONPATH": str(folder), "SOFTMAX_BACKEND": bug.backend}
    environment["NUMBA_DISABLE_JIT"] = "1"  # in Dask's chunks the definition works, and nothing has to be compiled
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
    """The test that each bug makes fail, None where all pass; and so for the comment, with all its backend's tests."""
    runs = {name: (bug, [bug.caught_by]) for name, bug in BUGS.items()}
    of_definition = {bug.caught_by for bug in BUGS.values() if bug.backend == COMMENT.backend}
    runs["a changed comment"] = COMMENT, sorted(of_definition)
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
