"""The exercises that check themselves: every chapter has two, and a field knows its answer and its mistakes."""

import json
import math
import re
import subprocess

import pytest

from tests import ROOT
from tests.book.test_chapters import CHAPTERS, code_cells, read, stored_state
from tests.library.test_widgets import node

# The answers of each chapter's fields, in their order, found without the book's library.
ANSWERS = {
    "accuracy": [1.5e-7 / 2**-24, 100 / 256],
    "attention": [(10 + 20 * math.e) / (1 + 4 * math.e), 36],
    "bug_museum": [3 + 256 - 200, math.log(math.e + 999) - 1],
    "calibration": [0.12, 0.75],
    "cat_dog_tiger": [1.19, sum(map(math.exp, (1.25, 2.44, 0.78, 0.12))) / sum(map(math.exp, (1.25, 2.44, 0.78)))],
    "cross_entropy": [],
    "cupy": [4, 8e3 * 4 * 8192 * 32000 / 3.35e12],
    "dask": [2 + math.log(1.5 + 3 * math.exp(-2)), 0.64],
    "five_logits": [
        100 * math.e / (math.e**2 + math.e + 1),
        100 / (2 + sum(math.exp(z - 5.1) for z in (1.3, 2.2, 0.7, 1.1))),
    ],
    "formula": [math.log(9), math.log(math.e + 1)],
    "gradient_checks": [3.2e-7, 2 ** (-10 / 3)],
    "jacobian": [3 / 16],
    "kernel": [5, 16],
    "ladder": [14, 12.5],
    "numba": [8.192, 200],
    "stability": [2 / math.log(65504), 9 * math.log(10)],
    "temperature": [16, 31.25],
}


def in_exercises(path):
    """The code cells of a chapter's exercises."""
    notebook = read(path)
    (start,) = (i for i, cell in enumerate(notebook.cells) if "## Exercises" in cell.source)
    notebook.cells = notebook.cells[start:]
    return code_cells(notebook)


def fields_of(path):
    """What is stored of each field of a chapter's exercises."""
    outputs = [output.data for cell in in_exercises(path) for output in cell.outputs if "data" in output]
    return [stored_state(data["text/html"]) for data in outputs if data["text/plain"].startswith("NumberField(")]


FIELDS = {f"{path.stem}: {field['question']}": field for path in CHAPTERS for field in fields_of(path)}


@pytest.fixture(scope="module")
def judged():
    """What is said of what was typed into a field: pairs of whether it is right, and the words."""

    def judge(pairs):
        asked = [{"field": field, "typed": typed} for field, typed in pairs]
        answer = subprocess.run(
            [node(), "test/judge.ts"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
            cwd=ROOT / "widgets",
        )
        return json.loads(answer.stdout)

    return judge


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_two_exercises_that_check_themselves(path):
    checks = set(re.findall(r"\bcheck\.\w+(?=\()", "\n".join(cell.source for cell in in_exercises(path))))
    assert len(checks) + len(fields_of(path)) >= 2


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_each_check_first_meets_a_function_that_is_not_right_yet(path):
    verdicts: dict[str, list[str]] = {}
    for cell in in_exercises(path):
        shown = "".join(output.get("text", output.get("data", {}).get("text/plain", "")) for output in cell.outputs)
        for name in re.findall(r"\bcheck\.(\w+)\(", cell.source):
            verdicts.setdefault(name, []).append(shown[:1])
    assert {name: shown[0] for name, shown in verdicts.items()} == dict.fromkeys(verdicts, "✗")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_answers_are_right(path):
    assert [field["answer"] for field in fields_of(path)] == pytest.approx(ANSWERS[path.stem], rel=1e-9)


def test_the_right_answer_is_accepted_however_it_is_written(judged):
    for name, field in FIELDS.items():
        typed = f"{field['answer']:.4g}"
        spellings = [typed, typed.replace(".", ","), f"{typed} {field['unit']}", f"{field['answer']:.3e}"]
        if field["unit"] == "%":
            spellings.append(repr(field["answer"] / 100))
        for spelling, verdict in zip(spellings, judged([(field, each) for each in spellings]), strict=True):
            assert verdict == [True, field["reason"]], (name, spelling)


def test_at_least_three_wrong_answers_have_words_of_their_own(judged):
    for name, field in FIELDS.items():
        assert len({words for _, words in field["mistakes"]}) >= 3, name
        for wrong, words in field["mistakes"]:
            assert judged([(field, f"{wrong:.4g}")]) == [[False, words]], (name, wrong)


def test_any_other_number_is_told_what_to_look_at(judged):
    for name, field in FIELDS.items():
        for right, says in judged([(field, str(7.3 * field["answer"])), (field, str(-1e4 * field["answer"]))]):
            assert not right, name
            assert says.endswith(f". {field['hint']}"), name
