"""What the GPU chapter does with a file of measurements: its figures say what is in the file, and its cells run."""

import json
import re
import statistics

import ml_dtypes  # noqa: F401, gives NumPy the name bfloat16
import nbformat
import numpy as np
import pytest

from benchmarks import gpu
from benchmarks.cases import Case
from softmax_lib import figures, measurements
from softmax_lib.figures.cupy import CONTESTANTS, WAYS
from softmax_lib.figures.paper import WIDE
from softmax_lib.kernels.geometry import geometry
from tests.benchmarks.test_gpu_benchmark import contestant, run, small  # noqa: F401, the last is a fixture
from tools.notebooks import BOOK


def measured(dtype, shape, *, axis=-1, operation="softmax", **ratios):
    results = {
        name: {"left_out": "it does not fit"} if ratio is None else {"ratio_to_copy": {"median": ratio}}
        for name, ratio in ratios.items()
    }
    return {"operation": operation, "shape": list(shape), "dtype": dtype, "axis": axis, "results": results}


CASES = [
    measured("float32", (800, 4096), copy=1.0, with_cupy=0.97, torch=0.71, triton=0.9),
    measured("float32", (8000, 32), copy=1.0, with_cupy=0.83, torch=0.652, triton=0.88),
    measured("float32", (50, 65_536), copy=1.0, with_cupy=0.91, torch=0.33, triton=None),
    measured("bfloat16", (800, 4096), copy=1.0, with_cupy=0.89, torch=0.61),
    measured("bfloat16", (8000, 32), copy=1.0, with_cupy=0.79, torch=0.62),
    # Not on the figure: a single row, along the columns, another function, a type with one length.
    measured("float32", (1, 2**24), copy=1.0, with_cupy=0.05),
    measured("float32", (4096, 800), axis=0, copy=1.0, with_cupy=0.1),
    measured("float32", (8, 128), operation="log_softmax", copy=1.0, with_cupy=0.2),
    measured("float64", (8, 4096), copy=1.0, with_cupy=0.3),
]
CROSSOVER = {
    "columns": 1000,
    "rows": [1, 10, 100],
    "seconds": {
        "with_numpy": [4e-6, 44e-6, 450e-6],
        "with_numba": [2e-6, 11e-6, 51e-6],
        "with_cupy": [12e-6, 12.5e-6, 13e-6],
        "with_cupy_and_transfers": [40e-6, 41e-6, 61e-6],
    },
    "wins_from": {
        "with_cupy": {"with_numpy": 10, "with_numba": 100},
        "with_cupy_and_transfers": {"with_numpy": 1, "with_numba": None},
    },
}


def lines(axes):
    """The points of each line that has a name."""
    named = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    return {line.get_label(): list(zip(*line.get_data(), strict=True)) for line in named}


def test_the_shares_of_a_copy_are_those_of_the_file():
    figure, alt = figures.softmax_on_a_gpu.__wrapped__(WIDE, CASES)
    float32, bfloat16 = figure.axes
    assert (float32.get_title(), bfloat16.get_title()) == ("float32: share of the copy's speed", "bfloat16")
    assert lines(float32) == {
        "softmax_lib, CuPy": [(32, 0.83), (4096, 0.97), (65_536, 0.91)],
        "PyTorch": [(32, 0.652), (4096, 0.71), (65_536, 0.33)],
        "Triton": [(32, 0.88), (4096, 0.9)],
    }
    assert lines(bfloat16) == {
        "softmax_lib, CuPy": [(32, 0.79), (4096, 0.89)],
        "PyTorch": [(32, 0.62), (4096, 0.61)],
    }
    assert figure.get_suptitle() == "Of a copy's speed, the library\nreaches 83\u2009% to 97\u2009% on float32 rows"
    assert alt.endswith(
        "float32: softmax_lib, CuPy from 0.83 at 32 to 0.97 at 4096; PyTorch from 0.33 at 65536 to 0.71 at 4096; "
        "Triton from 0.88 at 32 to 0.90 at 4096, no result at 65536. "
        "bfloat16: softmax_lib, CuPy from 0.79 at 32 to 0.89 at 4096; PyTorch from 0.61 at 4096 to 0.62 at 32."
    )


def test_the_times_are_those_of_the_file():
    figure, alt = figures.crossover_measured.__wrapped__(WIDE, CROSSOVER)
    (axes,) = figure.axes
    names = ("NumPy", "Numba", "CuPy, data on the GPU", "CuPy, there and back")
    expected = {
        name: [(rows, pytest.approx(1e6 * taken)) for rows, taken in zip(CROSSOVER["rows"], seconds, strict=True)]
        for name, seconds in zip(names, CROSSOVER["seconds"].values(), strict=True)
    }
    assert lines(axes) == expected
    assert alt.endswith(
        "from 1 to 100 rows. NumPy 4.0 to 450; Numba 2.0 to 51; CuPy, data on the GPU 12 to 13; "
        "CuPy, there and back 40 to 61. CuPy, data on the GPU is ahead from 10 on of NumPy; "
        "CuPy, data on the GPU is ahead from 100 on of Numba; CuPy, there and back is always ahead of NumPy; "
        "CuPy, there and back is never ahead of Numba."
    )


@pytest.mark.parametrize(
    ("numpy", "numba", "title"),
    [
        (10, 100, "With the data on it, the GPU is ahead from 100 rows on"),
        (1, 1, "With the data on it, the GPU is always ahead"),
        (10, None, "Even with the data on it, the GPU is not ahead"),
    ],
)
def test_the_title_says_from_where_on_the_gpu_is_ahead_of_both(numpy, numba, title):
    wins = {"with_cupy": {"with_numpy": numpy, "with_numba": numba}}
    figure, _ = figures.crossover_measured.__wrapped__(WIDE, CROSSOVER | {"wins_from": wins})
    assert figure.get_suptitle() == title


def test_no_two_lines_differ_by_colour_alone():
    for drawn in (CONTESTANTS, WAYS):
        for kind in (1, 2, 3):
            assert len({style[kind] for style in drawn.values()}) == len(drawn)


# --- the chapter's cell ----------------------------------------------------------------------------------------------


@pytest.fixture
def cell(monkeypatch):
    """Run the cell with a file of measurements in place of the library's, and return the pictures it shows."""
    cells = nbformat.read(BOOK / "cupy.ipynb", as_version=4).cells
    (source,) = (each.source for each in cells if 'measurements.read("gpu")' in each.source)

    def execute(path):
        shown = []
        monkeypatch.setattr(measurements, "read", lambda name: json.loads(path.read_text()))
        exec(source, {"display": shown.append, "figures": figures, "measurements": measurements})
        return shown

    return execute


def test_what_the_page_says_of_the_measurements_is_in_the_file():
    results = measurements.read("gpu")
    assert results["left_out"] == {}
    rows = [case for case in results["cases"] if (case["operation"], case["axis"]) == ("softmax", -1)]
    rows = [case for case in rows if case["dtype"] != "float64" and case["shape"][0] > 1]
    whole, tiled = [], []
    for case in rows:
        of = geometry(case["shape"][1], np.dtype(case["dtype"]).itemsize)
        (tiled if of.tiled else whole).append(case["results"]["with_cupy"]["ratio_to_copy"]["median"])
    assert statistics.median(whole) > 0.99  # as fast as the copy
    assert all(0.6 < ratio < 0.7 for ratio in tiled)  # two thirds
    assert results["crossover"]["wins_from"]["with_cupy_and_transfers"]["with_numba"] is None


def test_the_page_shows_what_the_benchmark_writes(cell, small, tmp_path, capsys):  # noqa: F811
    small.setattr(gpu, "GRID", [Case("softmax", (60 // n, n), d) for d in ("float32", "float16") for n in (5, 6)])
    taking_part = {"with_cupy": contestant(0.9), "torch": contestant(0.25)}
    status, output = run(tmp_path, taking_part, small)
    assert status == 0
    facts = json.loads(output.read_text())["facts"]
    capsys.readouterr()
    shares, crossover = cell(output)
    printed = capsys.readouterr().out
    assert printed.startswith(f"none beside {facts['processor']} {facts['cores']} cores\n{facts['date']}")
    told = re.findall(r"(softmax_lib, CuPy|PyTorch) from (\S+) at \d to (\S+) at \d", shares.alt)
    assert told == 2 * [("softmax_lib, CuPy", "0.90", "0.90"), ("PyTorch", "0.25", "0.25")]
    assert "CuPy, there and back" in crossover.alt
    for picture in (shares, crossover):
        assert picture.svg.startswith("<svg")
        assert picture.alt.replace("<", "&lt;") in picture.svg
