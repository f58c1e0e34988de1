"""What the chapter on arrays that do not fit writes and says."""

import ast
import json

import nbformat
import numpy as np
import pytest

from softmax_lib import logsumexp
from tests import ROOT
from tools.notebooks import BOOK

CELLS = nbformat.read(BOOK / "dask.ipynb", as_version=4).cells
INF = np.inf


@pytest.fixture(scope="module")
def logsumexp_of_stream():
    lines = [line for cell in CELLS if cell.cell_type == "code" for line in ast.parse(cell.source).body]
    functions = [line for line in lines if isinstance(line, ast.FunctionDef)]
    names = {"np": np}
    exec(compile(ast.Module(functions, type_ignores=[]), "dask.ipynb", "exec"), names)
    return names["logsumexp_of_stream"]


@pytest.mark.parametrize("cuts", [[], [1], [3], [2, 4]])
@pytest.mark.parametrize(
    "row",
    [[1000, 1001, 2, -5, 999.0], [1, 2, 3, 4, 5.0], [-INF, -INF, -INF, 3, 4], [5, -INF, 4, -INF, -INF], [-INF] * 5],
)
def test_the_stream_is_read_once_in_any_pieces(logsumexp_of_stream, row, cuts):
    row = np.array(row)
    with np.errstate(divide="ignore"):
        got = logsumexp_of_stream(iter(np.split(row, cuts)))
    np.testing.assert_allclose(got, logsumexp(row), rtol=1e-15)


def test_what_is_opened_is_closed_and_no_progress_is_stored():
    code = [cell for cell in CELLS if cell.cell_type == "code"]
    opened = next(i for i, cell in enumerate(code) if "cluster = LocalCluster(" in cell.source)
    closed = next(i for i, cell in enumerate(code) if cell.source == "client.close()\ncluster.close()")
    assert opened < closed
    assert not any("client" in cell.source for cell in code[closed + 1 :])
    (bar,) = (cell for cell in code if "progress(running)" in cell.source)
    assert "live" in bar.metadata.tags
    assert bar.outputs == []


def test_the_measurements_say_what_the_text_says():
    text = "\n".join(cell.source for cell in CELLS if cell.cell_type == "markdown")
    measured = json.loads((ROOT / "softmax_lib/measurements/dask.json").read_text(encoding="utf-8"))
    cases = {case["operation"]: case["results"] for case in measured["cases"]}
    assert not measured["quick"]
    assert measured["workers"] == 2
    assert all(case["shape"] == [64, 1_000_000] for case in measured["cases"])

    def ratios(value):
        return {name: value(found["naive"]) / value(found["with_dask"]) for name, found in cases.items()}

    faster, less = ratios(lambda one: one["seconds"]["median"]), ratios(lambda one: one["peak_bytes"])
    assert "The pairs were ahead in time in all three" in text
    assert min(faster.values()) > 1
    assert "they needed about one chunk's memory, about a thirtieth of what the naive lines needed" in text
    for operation in ("logsumexp", "cross_entropy"):
        assert 20 < less[operation] < 45
        assert 0.9 < cases[operation]["with_dask"]["peak_bytes"] / (4 * 64 * 20_000) < 1.2
    assert "both needed about the same memory" in text
    assert 0.8 < less["softmax"] < 1.25
