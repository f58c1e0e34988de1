"""The one command for a machine with a GPU: it ends in time, goes on where it stopped, and says what it left out."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import gpu_device, on_a_gpu, report
from benchmarks.on_a_gpu import Step

DONE = Step("done", (sys.executable, "-c", "print('said')"), 20, 1)
FAILS = Step("fails", (sys.executable, "-c", "import sys; print('why'); sys.exit(3)"), 20, 1)
ENDLESS = Step("endless", (sys.executable, "-uc", "import time; print('begun'); time.sleep(600)"), 1, 0.1)
MISSING = Step("missing", ("no-such-program",), 20, 1)


def test_each_step_has_an_outcome_and_a_log(tmp_path):
    told = on_a_gpu.run(tmp_path, 60, [DONE, FAILS, ENDLESS, MISSING], None)
    outcomes = {name: step["outcome"] for name, step in told["steps"].items()}
    assert outcomes == {"done": "done", "fails": "failed", "endless": "out of time"}
    assert told["left_out"] == {"missing": "there is no no-such-program"}
    assert json.loads((tmp_path / "report.json").read_text())["left_out"] == told["left_out"]
    logs = {name: (tmp_path / step["log"]).read_text() for name, step in told["steps"].items()}
    assert logs == {"done": "said\n", "fails": "why\n", "endless": "begun\n"}


def test_it_ends_inside_its_budget_and_says_what_was_too_much(tmp_path):
    begin = time.monotonic()
    long = Step("long", ENDLESS.command, 100, 1)
    told = on_a_gpu.run(tmp_path, on_a_gpu.LAST_WORDS + 3, [long, Step("later", DONE.command, 20, 2)], None)
    assert time.monotonic() - begin < on_a_gpu.LAST_WORDS + 3
    assert told["steps"]["long"]["outcome"] == "out of time"
    assert told["left_out"]["later"].startswith("it needs 2 s, and ")


def test_a_second_run_does_what_the_first_did_not(tmp_path):
    mark = tmp_path / "mark"
    once = Step("once", (sys.executable, "-c", f"open({str(mark)!r}, 'x')"), 20, 1)  # a second time it would fail
    on_a_gpu.run(tmp_path, 40, [once, FAILS], None)
    mended = Step("fails", DONE.command, 20, 1)
    told = on_a_gpu.run(tmp_path, 40, [once, mended, DONE], None)
    assert {name: step["outcome"] for name, step in told["steps"].items()} == dict.fromkeys(
        ("once", "fails", "done"), "done"
    )


@pytest.mark.skipif(gpu_device.why_none() is None, reason="there is a GPU")
def test_without_a_gpu_every_part_says_why_it_is_left_out(tmp_path, capsys):
    assert on_a_gpu.main(["--folder", str(tmp_path), "--budget", "60"]) == 1
    told = json.loads((tmp_path / "report.json").read_text())
    assert told == {"steps": {}, "left_out": dict.fromkeys(on_a_gpu.NAMES, gpu_device.why_none())}
    assert capsys.readouterr().out.count("left out, because") == len(on_a_gpu.NAMES)


WITHOUT = """
import importlib.machinery, sys
import pytest
class Without(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in {missing}:
            return importlib.machinery.PathFinder.find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Without
sys.exit(pytest.main(["-p", "no:nbval", "-m", "gpu", "--collect-only", "-q", "tests"]))
"""
# Of what the book needs, a machine that is there for its GPU has none.
MISSING_THERE = {
    "anywidget",
    "bs4",
    "ipywidgets",
    "jupyter_book",
    "nbclient",
    "nbformat",
    "nbval",
    "playwright",
    "sphinx",
    "traitlets",
}


def test_the_tests_for_a_gpu_are_found_without_the_packages_of_the_book():
    command = [sys.executable, "-c", WITHOUT.format(missing=MISSING_THERE)]
    found = subprocess.run(command, cwd=report.ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    files = {Path(line.partition(":")[0]).name for line in found.stdout.splitlines()}
    assert {"test_cupy.py", "test_gpu_benchmark.py"} <= files
