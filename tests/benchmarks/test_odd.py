"""Small and odd inputs beside SciPy: kinds are what their names say, and who is wrong is not timed.

Nothing here looks at how long anything took.
"""

import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import special

from benchmarks import odd, timing
from softmax_lib import with_numpy


def module(change):
    """A library whose results are changed."""
    return SimpleNamespace(
        softmax=lambda x, axis: change(with_numpy.softmax(x, axis)),
        log_softmax=lambda x, axis: change(with_numpy.log_softmax(x, axis)),
    )


def raises(result):
    raise MemoryError("too much")


def interrupted(result):
    raise KeyboardInterrupt


WRONG = {
    "wrong": module(lambda result: result + 0.02),
    "wider": module(lambda result: result.astype(np.longdouble)),
    "raises": module(raises),
}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run three kinds that take no time, with SciPy, with_numpy and others: status and file."""
    kinds = {
        "3 logits": odd.Logits(lambda: odd.normals(3)),
        "6 x 5 along axis 0": odd.Logits(lambda: np.asfortranarray(odd.normals(6, 5)), axis=0),
        "4 x 30, half masked": odd.Logits(lambda: odd.half_masked(4, 30)),
    }
    monkeypatch.setattr(odd, "KINDS", kinds)
    monkeypatch.setattr(timing, "QUICK_TURN", 1e-3)

    def run(libraries, *options):
        for name, library in libraries.items():
            monkeypatch.setitem(sys.modules, name, library)
        modules = {"scipy": "scipy.special", "with_numpy": "softmax_lib.with_numpy", "absent": "nobody_has_it"}
        monkeypatch.setattr(odd, "LIBRARIES", modules | {name: name for name in libraries})
        return odd.main(["--quick", "--output", str(tmp_path / "odd.json"), *options]), tmp_path / "odd.json"

    return run


def test_the_right_ones_are_timed_beside_scipy(run, capsys):
    status, output = run({})
    results, printed = json.loads(output.read_text()), capsys.readouterr().out
    assert status == 0
    assert list(output.parent.iterdir()) == [output]
    assert [case["name"] for case in results["cases"]] == [
        f"{operation} {dtype}, {kind}"
        for operation in ("softmax", "log_softmax")
        for dtype in ("float32", "float64")
        for kind in odd.KINDS
    ]
    for case in results["cases"]:
        shape, axis = {"3": ([3], -1), "6": ([6, 5], 0), "4": ([4, 30], -1)}[case["logits"][0]]
        assert (case["shape"], case["axis"]) == (shape, axis)
        assert f"{case['dtype']}, {case['logits']}" in printed
        assert case["results"].keys() == {"scipy", "with_numpy"}
        for result in case["results"].values():
            assert 0 < result["seconds"]["lower_quartile"] <= result["seconds"]["median"]
            assert result["samples"] >= timing.QUICK_ROUNDS
            assert result["error"] <= {"float32": 1e-5, "float64": 1e-13}[case["dtype"]]
        assert case["results"]["scipy"]["times_scipy"] == {"median": 1, "lower_quartile": 1, "upper_quartile": 1}
    assert results["facts"]["versions"].keys() == {"python", "softmax_lib", *odd.PACKAGES}


def test_the_wrong_and_the_absent_are_named_and_not_timed(run, capsys):
    status, output = run(WRONG)
    results, printed = json.loads(output.read_text()), capsys.readouterr().out
    assert status == 0
    assert results["left_out"] == {"absent": "No module named 'nobody_has_it'"}
    assert "Left out: absent (No module named 'nobody_has_it')" in printed
    for case in results["cases"]:
        found = case["results"]
        assert "seconds" in found["with_numpy"]
        assert not [name for name in WRONG if "seconds" in found[name] or "times_scipy" in found[name]]
        assert found["wrong"]["left_out"].startswith("wrong: the largest error is ")
        assert float(found["wider"]["error"]) == math.inf
        assert found["raises"] == {"left_out": "MemoryError: too much"}
        assert f"Left out: raises, {case['name']} (MemoryError: too much)" in printed


def test_without_scipy_in_a_case_there_is_no_ratio(run):
    _, output = run({"scipy": WRONG["wrong"]})
    for case in json.loads(output.read_text())["cases"]:
        assert case["results"]["scipy"]["left_out"].startswith("wrong: ")
        assert "seconds" in case["results"]["with_numpy"]
        assert "times_scipy" not in case["results"]["with_numpy"]


def test_a_ratio_is_of_times_in_the_same_round(monkeypatch):
    class Slower:
        """A machine that is half as fast in each round as before; SciPy stumbles once a round."""

        def __init__(self, calls):
            (call,) = calls
            self.seconds, self.stumble = (3.0, 1.0) if call.func is with_numpy.softmax else (1.0, 100.0)

        def warm_up(self):
            pass

        def turn(self, seconds):
            self.seconds *= 2
            return [self.seconds, self.stumble * self.seconds, self.seconds]

    monkeypatch.setattr(timing, "Timed", Slower)
    libraries = {"scipy": special, "with_numpy": with_numpy}
    results = odd.measure("softmax", odd.normals(5), -1, libraries, rounds=9, turn=0)
    assert results["with_numpy"]["times_scipy"] == {"median": 3, "lower_quartile": 3, "upper_quartile": 3}
    assert results["with_numpy"]["seconds"]["median"] == 3 * 2**5
    assert results["scipy"]["samples"] == 27


def test_the_table_has_times_and_ratios_and_names_who_is_wrong():
    results = {
        "scipy": {"error": 0.0, "seconds": {"median": 2e-6}, "times_scipy": {"median": 1.0}},
        "with_numpy": {"error": 0.0, "seconds": {"median": 3.5e-6}, "times_scipy": {"median": 1.754}},
        "with_numba": {"error": 1.0, "left_out": "wrong: the largest error is 1"},
        "another": {"left_out": "MemoryError: too much"},
    }
    case = {"operation": "softmax", "dtype": "float32", "logits": "5 logits", "results": results}
    header, row = odd.tables([case]).splitlines()
    assert header.split() == ["softmax,", "microseconds", *results]
    assert row.split() == ["float32,", "5", "logits", "2", "3.5", "(1.75)", "wrong", "-"]


def test_an_interrupted_run_leaves_the_old_file(run, tmp_path, capsys):
    (tmp_path / "odd.json").write_text("the last run's")
    status, output = run({"interrupted": module(interrupted)})
    assert status == 130
    assert output.read_text() == "the last run's"
    assert list(tmp_path.iterdir()) == [output]
    assert "Interrupted: nothing is written." in capsys.readouterr().err


# --- the kinds -------------------------------------------------------------------------------------------------------


def test_the_kinds_are_what_their_names_say():
    made = {kind: logits.make() for kind, logits in odd.KINDS.items()}
    shapes = {kind: x.shape for kind, x in made.items()}
    square = (1024, 1024)
    assert shapes == {
        "5 logits": (5,),
        "1000 logits": (1000,),
        "1024 x 1024": square,
        "1 x 1048576": (1, 2**20),
        "100000 x 3, Fortran order": (100_000, 3),
        "100000 x 1": (100_000, 1),
        "1 x 3 x 224 x 224 along axis 1": (1, 3, 224, 224),
        "1024 x 1024, shifted by -1000": square,
        "1024 x 1024, half masked": square,
        "1024 x 1024, sigma 300": square,
    }
    assert {kind for kind, logits in odd.KINDS.items() if logits.axis == 1} == {"1 x 3 x 224 x 224 along axis 1"}
    for dtype in ("float32", "float64"):
        fortran = {kind for kind, x in made.items() if not x.astype(dtype).flags.c_contiguous}
        assert fortran == {"100000 x 3, Fortran order"}
    assert np.mean(made["1024 x 1024, shifted by -1000"]) == pytest.approx(-1000, abs=0.1)
    assert np.std(made["1024 x 1024, sigma 300"]) == pytest.approx(300, rel=0.01)
    masked = np.isneginf(made["1024 x 1024, half masked"])
    assert masked.mean(axis=-1) == pytest.approx(0.5, abs=0.1)
    assert (~masked).any(axis=-1).all()


@pytest.mark.parametrize("kind", odd.KINDS)
@pytest.mark.parametrize("operation", odd.OPERATIONS)
def test_an_error_anywhere_is_found(operation, kind):
    logits = odd.KINDS[kind]
    for dtype, rounding in (("float32", 1e-4), ("float64", 1e-12)):
        x = logits.make().astype(dtype)
        assert odd.error(operation, x, logits.axis, getattr(special, operation)(x, axis=logits.axis)) < rounding
        right = getattr(with_numpy, operation)(x, axis=logits.axis)
        assert odd.error(operation, x, logits.axis, right) < rounding
        last = (-1,) * x.ndim
        for wrong in (right[last] * 1.1 + 0.1 if np.isfinite(right[last]) else -1e4, np.nan):
            spoiled = right.copy()
            spoiled[last] = wrong
            assert odd.error(operation, x, logits.axis, spoiled) > odd.TOLERANCES[dtype]
        assert odd.error(operation, x, logits.axis, right[..., :-1]) == math.inf
