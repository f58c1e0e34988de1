"""Which cells run in the page, what each needs of those above, and how the page's Python runs a cell."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests import ROOT

sys.path.insert(0, str(ROOT / "book" / "_extensions"))
from softmax_site.runnable import Runnable, code_of, machine_needed, runnable_cells


def needs(*sources: str) -> dict[int, list[int]]:
    return {cell.number: cell.needs for cell in runnable_cells(list(sources))}


def test_a_cell_needs_those_that_bound_its_names_last():
    assert needs("x = 1", "y = 2", "x = 3", "x + y")[3] == [1, 2]


def test_a_change_counts_as_a_binding():
    assert needs("x = [1, 2]", "x[0] = 5", "x")[2] == [0, 1]
    assert needs("x = 1", "x += 1", "x")[2] == [0, 1]
    assert needs("class A: pass\na = A()", "a.b = 1", "a")[2] == [0, 1]


def test_each_draw_of_a_generator_needs_the_draws_before_it():
    generator = "import numpy as np\ng = np.random.default_rng(0)"
    assert needs(generator, "a = g.random()", "x = 1", "g.random()")[3] == [0, 1]


def test_a_function_needs_the_names_that_are_bound_after_it_and_before_its_call():
    assert needs("def f():\n    return x", "x = 1", "f()")[2] == [0, 1]


def test_of_a_cell_with_an_interactive_only_what_is_needed_runs_unseen():
    guess = "import numpy as np\nfrom softmax_lib.widgets import Guess\nanswer = 5\nGuess(answer)"
    assert runnable_cells([guess, "np.exp(1)", "Guess"]) == [
        Runnable(0, [], "import numpy as np"),
        Runnable(1, [0], None),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import numba",
        "from softmax_lib import with_cupy",
        "from pathlib import Path",
        "open('x')",
        "import softmax_lib.widgets",
    ],
)
def test_what_a_browser_lacks_does_not_run(source):
    assert needs(source, "1") == {1: []}


def test_what_needs_such_a_cell_does_not_run_either():
    assert needs("x = open('x')", "y = x", "y", "z = 1") == {3: []}


def test_a_chapter_about_a_machine_names_it():
    assert machine_needed(["import numpy", "from numba import njit"]) == "Numba"
    assert machine_needed(["import numpy"]) is None


@pytest.mark.parametrize("chapter", ["formula", "five_logits", "jacobian"])
def test_each_cell_after_no_more_than_it_needs_gives_what_it_gives_after_all_above(chapter):
    code = code_of(ROOT / "book" / f"{chapter}.ipynb")
    cells = runnable_cells(code)
    sources = {cell.number: code[cell.number] if cell.unseen is None else cell.unseen for cell in cells}
    run_after_all = session()
    for cell in cells:
        run_after_few = session()
        for number in cell.needs:
            run_after_few(sources[number])
        assert run_after_few(sources[cell.number]) == run_after_all(sources[cell.number]), sources[cell.number]


# --- the page's own Python, which runs a cell ------------------------------------------------------------------------


def session() -> Callable[[str], tuple[str, dict[str, str]]]:
    """Runs a cell as the page does; returns what it prints and what its last line gives."""
    own: dict[str, Any] = {}
    exec((ROOT / "widgets" / "src" / "live" / "runner.py").read_text(encoding="utf-8"), own)

    def run(source: str, name: str = "cell 7") -> tuple[str, dict[str, str]]:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            answer = json.loads(own["run"](source, name))
        return out.getvalue(), answer

    return run


def test_the_last_line_is_shown_as_a_notebook_shows_it():
    run = session()
    assert run("x = 2\nx + 1") == ("", {"text": "3"})
    assert run("x = 2") == ("", {})
    assert run("x;") == ("", {})
    assert run("print(x)") == ("2\n", {})
    assert run("import numpy as np\nnp.eye(2), 1")[1]["text"] == "(array([[1., 0.],\n        [0., 1.]]),\n 1)"


def test_figures_of_pyplot_are_shown_and_closed_as_in_a_notebook():
    run = session()
    out, answer = run("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nplt.plot([1, 2])\nplt.show()")
    assert (out, list(answer)) == ("", ["figures"])
    (figure,) = answer["figures"]
    assert figure.count("<svg") == 1
    assert run("plt.get_fignums()")[1] == {"text": "[]"}
    assert run("fig")[1]["svg"].count("<svg") == 1
    two = run("plt.figure()\nplt.figure()\n1")[1]
    assert (two["text"], len(two["figures"])) == ("1", 2)
    assert list(run("plt.figure()\n1 / 0")[1]) == ["error"]
    assert run("2")[1] == {"text": "2"}


def test_an_error_is_told_in_the_readers_own_lines():
    run = session()
    run("def f(x):\n    return 1 / x", "cell 1")
    assert run("y = 0\nf(y)") == (
        "",
        {"error": "ZeroDivisionError: division by zero\n  in a cell above, line 2: return 1 / x\n  line 2: f(y)"},
    )
    assert run("from softmax_lib import softmax\nsoftmax(['a'])")[1]["error"].endswith("\n  line 2: softmax(['a'])")
    assert run("1 +")[1]["error"] == "SyntaxError: invalid syntax\n  line 1: 1 +"
    assert run("zz")[1] == {"error": "NameError: name 'zz' is not defined\n  line 1: zz", "missing": "zz"}
    assert run("raise SystemExit")[1]["error"].startswith("SystemExit")
