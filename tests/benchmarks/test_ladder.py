"""The ladder of the Numba chapter: what is timed is what the page shows, and who is wrong is not timed.

Nothing here looks at how long anything took.
"""

import html
import itertools
import json
import re

import nbformat
import numpy as np
import pytest

from benchmarks import ladder, report
from benchmarks.cases import Case
from softmax_lib.figures.numba import RUNGS, race


@pytest.fixture(scope="module")
def results():
    return json.loads((report.RESULTS / "ladder.json").read_text())


def test_every_rung_of_the_page_is_found_in_order():
    cells = [cell for cell in nbformat.read(ladder.PAGE, as_version=4).cells if cell.cell_type == "code"]
    shown = [
        name
        for cell in cells
        for name in re.findall(r"^def ((?:softmax|vjp)_\w+)\(\w+(?:, v)?, out", cell.source, re.M)
    ]
    shown.remove("softmax_down_columns")  # along another axis
    found = ladder.rungs()
    assert list(found) == shown
    assert shown[:2] == ["softmax_numpy", "softmax_in_place"]
    assert shown[-1] == "vjp_by_product"
    softmaxes = [name for name in found if name.startswith("softmax")]
    assert [name for name in RUNGS if name != "with_numba"] == softmaxes


def test_a_wrong_rung_ends_the_run_with_its_name(tmp_path):
    text = ladder.PAGE.read_text()
    total = "total = exponentials(row, maximum(row), result)"
    assert text.count(total) == 2  # the first is softmax_fused's
    page = tmp_path / "page.ipynb"
    page.write_text(text.replace(total, total + " / 2", 1))
    found = ladder.rungs(page)
    ladder.first_calls({"softmax_exp_first": found["softmax_exp_first"]})
    with pytest.raises(SystemExit, match="softmax_fused is wrong: the largest error is 1"):
        ladder.first_calls({"softmax_fused": found["softmax_fused"]})


def test_who_is_wrong_in_a_case_is_named_and_not_timed():
    def global_maximum(x, out):
        exponentials = np.exp(x - x.max())
        out[...] = exponentials / exponentials.sum()

    rungs = {"right": ladder.rungs()["softmax_numpy"], "wrong": global_maximum}
    contestants = {name: ladder.as_prepare(function) for name, function in rungs.items()}
    measured = ladder.measure(Case("softmax", (6, 5)), contestants, rounds=1, turn=1e-3)["results"]
    assert measured["right"]["error"] < 1e-6
    assert measured["right"]["seconds"]["median"] > 0
    assert measured["wrong"]["left_out"].startswith("wrong: the largest error is ")
    assert "seconds" not in measured["wrong"]


def test_the_file_has_what_the_page_reads(results):
    rungs = list(ladder.rungs())
    assert results["rungs"] == rungs
    assert results["first_calls"].keys() == set(rungs)
    assert results["library_first_call"].keys() == {"empty", "filled"}
    assert not results["quick"]
    assert [(case["operation"], tuple(case["shape"])) for case in results["cases"]] == [
        (case.operation, case.shape) for case in ladder.CASES
    ]
    for case in results["cases"]:
        kind = "vjp" if case["operation"] == "softmax_vjp" else "softmax"
        copies = {"copy", "copy_nontemporal", "copy_one_core", "scipy"} if kind == "softmax" else set()
        assert case["results"].keys() == {name for name in rungs if name.startswith(kind)} | copies | {"with_numba"}
    assert results["facts"]["processor"]
    assert results["facts"]["commit"]


def test_the_race_has_the_numbers_of_the_file(results):
    given = race(results, (4096, 4096))
    found = results["cases"][0]["results"]
    timed = [name for name in RUNGS if name != "softmax_pieces"]
    assert given["names"] == [RUNGS[name].name for name in timed]
    assert given["seconds"] == [found[name]["seconds"]["median"] for name in timed]
    assert given["changes"] == [RUNGS[name].change for name in timed]
    assert given["limit"] == min(found[name]["seconds"]["median"] for name in ("copy", "copy_nontemporal"))
    on_one_row = race(results, (1, 2**24))["names"]
    assert RUNGS["softmax_pieces"].name in on_one_row
    assert RUNGS["softmax_plain"].name not in on_one_row  # it is wrong there


def test_the_race_of_the_numba_chapter_is_that_of_the_file(results):
    (shown,) = (
        output["data"]["text/html"]
        for cell in nbformat.read(ladder.PAGE.with_name("numba.ipynb"), as_version=4).cells
        for output in cell.get("outputs", [])
        if 'data-widget="Ladder"' in output.get("data", {}).get("text/html", "")
    )
    state = json.loads(html.unescape(re.search(r'data-state="([^"]*)"', shown)[1]))
    assert state.items() >= race(results, (4096, 4096)).items()


def test_only_a_running_sum_over_a_huge_row_is_wrong(results):
    """As the page says: those before `softmax_blocked_sums`, of Numba's."""
    left_out = {
        (tuple(case["shape"]), name)
        for case in results["cases"]
        for name, result in case["results"].items()
        if "left_out" in result
    }
    with_running_sums = ["softmax_articles", "softmax_plain", "softmax_polynomial", "softmax_integer_max"]
    assert left_out == set(itertools.product([(1, 2**24)], with_running_sums))
