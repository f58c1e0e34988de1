"""The benchmarks measure what they say: who is absent is named, who is wrong is not timed, and a ULP is a ULP.

Nothing here looks at how long anything took.
"""

import functools
import json
import math
import os
import platform
import re
import subprocess
import sys
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np
import pytest

from benchmarks import accuracy, cases, contestants, cpu, odd, report
from softmax_lib import figures, logsumexp
from tests import ROOT


def run(module, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


# --- speed -----------------------------------------------------------------------------------------------------------

CONTESTANTS = """
def absent():
    import a_package_that_nobody_has

def doubled():
    return lambda case, inputs, out: lambda: 2 * inputs[0]

def died():
    import os
    return lambda case, inputs, out: lambda: os._exit(3)

def short():
    return lambda case, inputs, out: lambda: inputs[0][:1]
"""


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """A run of SciPy, with_numpy and four contestants that must not be timed, and what it printed."""
    folder = tmp_path_factory.mktemp("speed")
    (folder / "wrong_ones.py").write_text(CONTESTANTS)
    wrong = ["wrong_ones:absent", "wrong_ones:doubled", "wrong_ones:died", "wrong_ones:short"]
    output = folder / "made" / "cpu.json"
    options = ["--quick", "--shapes", "6x5", "--output", output, "--contestants", "scipy", "with_numpy", *wrong]
    ran = run("cpu", *options, PYTHONPATH=str(folder))
    assert ran.returncode == 0, ran.stderr
    assert [path.name for path in output.parent.iterdir()] == ["cpu.json"]
    return json.loads(output.read_text()), ran.stdout


def test_the_right_ones_are_timed_and_their_errors_known(timed):
    results, printed = timed
    assert len(results["cases"]) == len(cases.OPERATIONS) * len(cases.TOLERANCES)
    for case in results["cases"]:
        size = math.prod(case["shape"]) * np.dtype(case["dtype"]).itemsize
        assert case["bytes"] == cases.TRAFFIC[case["operation"]] * size
        assert case["name"] in printed
        for name in ("scipy", "with_numpy"):
            result = case["results"][name]
            if (name, case["operation"]) == ("scipy", "softmax_vjp"):
                assert result == {"left_out": "SciPy has no softmax_vjp"}
                continue
            seconds = result["seconds"]
            assert 0 < seconds["lower_quartile"] <= seconds["median"] <= seconds["upper_quartile"]
            assert result["samples"] >= 3
            assert result["gigabytes_per_second"] == pytest.approx(case["bytes"] / seconds["median"] / 1e9, rel=1e-4)
            assert result["error"] <= {"float32": 1e-5, "float64": 1e-13}[case["dtype"]]


def test_the_wrong_and_the_absent_are_named_and_not_timed(timed):
    results, printed = timed
    assert "a_package_that_nobody_has" in results["left_out"]["wrong_ones:absent"]
    assert "Left out: wrong_ones:absent (No module named 'a_package_that_nobody_has')" in printed
    for case in results["cases"]:
        assert "wrong_ones:absent" not in case["results"]
        doubled, died, short = (case["results"][f"wrong_ones:{name}"] for name in ("doubled", "died", "short"))
        assert not [result for result in (doubled, died, short) if "seconds" in result]
        assert doubled["left_out"].startswith("wrong: the largest error is ")
        assert float(doubled["error"]) > cases.TOLERANCES[case["dtype"]]
        assert died["left_out"] == "its process ended with code 3"
        assert float(short["error"]) == math.inf


def test_the_results_say_where_they_come_from(timed):
    facts = timed[0]["facts"]
    assert facts["versions"].keys() == {"python", "softmax_lib", *contestants.PACKAGES}
    assert facts["versions"]["python"] == platform.python_version()
    assert facts["versions"]["torch"] is None or facts["versions"]["torch"][0].isdigit()
    assert facts["date"].endswith("+00:00")
    assert facts["processor"]
    assert facts["cores"] >= 1


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (
            cpu,
            ["--contestants", "scypi"],
            "unknown contestant 'scypi': choose from copy, copy_nontemporal, read, scipy",
        ),
        (cpu, ["--only", "softmin"], "invalid choice: 'softmin'"),
        (cpu, ["--shapes", "12"], "a shape is rows x columns, such as 1024x32, not '12'"),
        (cpu, ["--shapes", "0x12"], "a shape is rows x columns, such as 1024x32, not '0x12'"),
        (cpu, ["--output", str(ROOT)], "cannot write to"),
        (odd, ["--only", "softmin"], "invalid choice: 'softmin'"),
        (odd, ["--output", str(ROOT)], "cannot write to"),
        (accuracy, ["--dtypes", "float8"], "invalid choice: 'float8'"),
        (accuracy, ["--length", "-3"], "the length must be a whole number from 2 on, not '-3'"),
        (accuracy, ["--output", str(ROOT / "README.md" / "x.json")], "cannot write to"),
    ],
)
def test_a_bad_argument_gets_one_clear_line(module, arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        module.arguments(arguments)
    printed, error = capsys.readouterr()
    assert (stopped.value.code, printed) == (2, "")
    assert error.startswith(f"python -m {module.__name__}: argument {arguments[0]}: ")
    assert message in error
    assert error.count("\n") == 1


def test_an_error_anywhere_is_found():
    for operation in cases.OPERATIONS:
        for axis in (-1, 0) if operation != "cross_entropy" else (-1,):
            case = cases.Case(operation, (300, 4099), "float64", axis)
            inputs = cases.make_inputs(case)
            right = contestants.with_numpy()(case, inputs, cases.aligned(case.shape, case.dtype))()
            assert cases.error(case, inputs, right) < 1e-13
            for wrong in (1e-8, np.nan):
                spoiled = right.copy()
                spoiled.flat[-1] += wrong
                assert cases.error(case, inputs, spoiled) > 1e-11


@pytest.mark.parametrize(("name", "dtype"), [("copy_nontemporal", "float64"), ("read", "float32")])
def test_the_limits_are_right(name, dtype):
    for shape in ((1, 37), (257, 1025)):  # serial, and on all cores with a rest
        case = cases.Case(contestants.LIMITS[name], shape, dtype)
        inputs = cases.make_inputs(case)
        out = cases.aligned(shape, dtype)
        assert cases.error(case, inputs, contestants.CONTESTANTS[name]()(case, inputs, out)()) == 0


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="looks at x86 instructions")
def test_the_non_temporal_copy_is_one():
    for nontemporal in (False, True):
        part, _ = contestants.copy_kernels(nontemporal)
        array = cases.aligned((64,), "float32")
        part(array, array, 0, 0)
        (assembly,) = part.inspect_asm().values()
        assert ("movntps" in assembly) is nontemporal


# --- accuracy --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "got", "exact", "expected"),
    [
        (np.float32, 1, 1, 0),
        (np.float32, 1 + 2**-23, 1, 1),
        (np.float32, 1, 1 + Fraction(2) ** -24, 0.5),
        (np.float32, -3, 3, 6 * 2**22),
        (np.float32, 2, 2 - Fraction(2) ** -30, 2**-8),  # rounds up to 2, whose unit is 2**-22
        (np.float32, 0, Fraction(2) ** -149, 1),
        (np.float32, 0, Fraction(2) ** -150, 0.5),
        (np.float32, 2**-149, 0, 1),
        (np.float32, 0, 0, 0),
        (np.float64, 5e-324, 3 * Fraction(2) ** -1076, 0.25),
        (np.float64, 0.1, Fraction(0.1) + Fraction(2) ** -58, 0.25),
        (np.float16, 65504, 65488, 0.5),
        (np.float16, 2**-24, Fraction(2) ** -23, 1),
        (ml_dtypes.bfloat16, 1, Fraction(1.0078125), 1),
        (np.float32, np.inf, 1, np.inf),
        (np.float32, np.nan, 1, np.inf),
        (np.float64, -np.inf, -1, np.inf),
    ],
)
def test_ulps(dtype, got, exact, expected):
    exact = Fraction(exact)
    with mpmath.workdps(accuracy.DIGITS):
        units = accuracy.units([mpmath.mpf(exact.numerator) / exact.denominator], dtype)
    assert accuracy.ulps(np.array([got], dtype), units).tolist() == [expected]


def test_the_exact_answers_are_exact():
    with mpmath.workdps(accuracy.DIGITS):
        answers = accuracy.exact(np.array([0.0, -40.0, 0.0]))
        tiny = mpmath.exp(-40)
        total = 2 + tiny
        for got, wanted in zip(answers["softmax"], (1 / total, tiny / total, 1 / total), strict=True):
            assert abs(got / wanted - 1) < 1e-55
        assert abs(answers["logsumexp"][0] / mpmath.log(total) - 1) < 1e-55
        # log(1 + exp(-700)) = exp(-700) - exp(-1400) / 2 + ...
        assert abs(accuracy.exact(np.array([0.0, -700.0]))["log_softmax"][0] / -mpmath.exp(-700) - 1) < 1e-55
        # p_0 p_1 (v_0 - v_1), of probabilities that rounding has made sum to more than one
        assert accuracy.exact_vjp(np.array([1.0, 2.0**-60]), np.array([3.0, 1.0])) == [2.0**-59, -(2.0**-59)]
        assert abs(accuracy.exact_gradient(np.array([40.0, 0.0]), 0)[0] / (-1 / (1 + mpmath.exp(40))) - 1) < 1e-40


def test_accuracy_of_the_library_and_of_scipy(tmp_path):
    output = tmp_path / "accuracy.json"
    ran = run("accuracy", "--length", 100, "--output", output)
    assert ran.returncode == 0, ran.stderr
    results = json.loads(output.read_text())
    rows = results["results"]
    assert results["digits"] == accuracy.DIGITS
    assert {row["operation"] for row in rows} == set(accuracy.OPERATIONS)
    assert {row["dtype"] for row in rows} == set(accuracy.DTYPES)
    assert results["left_out"].keys() | {row["library"] for row in rows} == accuracy.LIBRARIES.keys()

    def worst(library, operation, dtype, family=""):
        chosen = [
            row for row in rows if (row["library"], row["operation"], row["dtype"]) == (library, operation, dtype)
        ]
        return max(float(row["max"]) for row in chosen if family in row["family"])

    for operation in accuracy.IN_ULPS:
        for dtype in accuracy.DTYPES:
            assert worst("with_numpy", operation, dtype) <= (4 if dtype == "float64" else 1)
    assert worst("with_numpy", "softmax_vjp", "float64", "dominant") <= 1e-14
    assert worst("scipy", "softmax", "float64", "wide spread") > 100
    assert worst("formula", "cross_entropy_grad", "float64", "37.43") == 1


LENGTH = 100_000  # of the longest row, unless one asks for another


@np.errstate(over="ignore")
def bound_of_logsumexp(x):
    """Blanchard, Higham and Higham's (2021), in ULP: the largest of the rows'; infinite where y is next to 0."""
    y = logsumexp(x)
    return 1.01 * 2.0**-53 * np.max((np.abs(y) + np.abs(y + x.shape[-1] - x.min(axis=-1))) / np.spacing(np.abs(y)))


@functools.cache
def promises(library):
    """The largest error of each entry that there must be: operation, dtype, family."""
    narrow = {"with_numpy": 1, "with_numba": 4}[library]
    made = {}
    for dtype in accuracy.DTYPES:
        for family, x in accuracy.families(dtype, LENGTH).items():
            for operation in accuracy.IN_ULPS:
                made[operation, dtype, family] = 4 if dtype == "float64" else narrow
            if dtype == "float64":
                made["logsumexp", dtype, family] = bound_of_logsumexp(x)
        for family in accuracy.gradient_families(dtype, LENGTH):
            for operation in accuracy.OPERATIONS[len(accuracy.IN_ULPS) :]:
                made[operation, dtype, family] = 1e-14 if dtype == "float64" else narrow * 2.0**-23
    return made


def broken_promises(results):
    for library in ("with_numpy", "with_numba"):
        rows = [row for row in results if row["library"] == library]
        found = {(row["operation"], row["dtype"], row["family"]): float(row.get("max", "nan")) for row in rows}
        for entry, limit in promises(library).items():
            error = found.get(entry, math.nan)
            if not error <= limit:
                yield library, *entry, error


@pytest.fixture
def published():
    return json.loads((report.RESULTS / "accuracy.json").read_text(encoding="utf-8"))


def test_the_published_accuracy_keeps_every_promise(published):
    assert published["digits"] == accuracy.DIGITS
    assert published["left_out"] == {}
    assert list(broken_promises(published["results"])) == []


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"max": 4.01}, 56),  # softmax and log_softmax, of four formats and seven families
        ({"max": 1.01}, 42),  # not those of float64
        ({"max": "inf"}, 56),
        ({"max": "nan"}, 56),
        ({"family": "easy"}, 56),
    ],
)
def test_a_broken_promise_is_found(published, change, number):
    for row in published["results"]:
        if row["library"] == "with_numpy" and row["operation"] in ("softmax", "log_softmax"):
            row.update(change)
    assert len(list(broken_promises(published["results"]))) == number


def test_the_table_names_what_is_missing_and_what_is_far_off():
    row = {"operation": "softmax", "family": "near ties", "dtype": "float32", "unit": "ulp"}
    results = [
        row | {"library": "with_numpy", "max": 0.004},
        row | {"library": "scipy", "max": "inf"},
        row | {"library": "torch", "left_out": "TypeError: no"},
        row | {"library": "scipy", "dtype": "float64", "max": 123456, "returned": "longdouble"},
    ]
    table = figures.errors_table(results, "softmax").html
    assert re.findall("<td>(.*?)</td>", table) == ["&lt; 0.01", "<b>∞</b>", "–", "–", "<b>1.2e5*</b>", "–"]
    assert re.findall('<th scope="col">(.*?)</th>', table) == ["NumPy", "SciPy", "PyTorch"]


# --- files -----------------------------------------------------------------------------------------------------------


def test_results_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "results.json"
    report.write(path, {"infinite": math.inf, "short": 1 / 3, "rows": [(1, None)]})
    assert json.loads(path.read_text()) == {"infinite": "inf", "short": 0.333333, "rows": [[1, None]]}
    with pytest.raises(TypeError):
        report.write(path, {"not for JSON": object()})
    assert json.loads(path.read_text())["infinite"] == "inf"
    assert list(tmp_path.iterdir()) == [path]
