"""The benchmark of two workers: both contestants agree, and what they took is written."""

import json
import sys

import pytest

pytest.importorskip("distributed")

from benchmarks import dask as benchmark


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_both_are_measured(tmp_path, capsys):
    assert benchmark.main(["--quick", "--output", str(tmp_path / "dask.json")]) == 0
    results = json.loads((tmp_path / "dask.json").read_text())
    assert results["quick"]
    assert results["facts"]["versions"].keys() == {"python", "softmax_lib", *benchmark.PACKAGES}
    assert [case["operation"] for case in results["cases"]] == ["logsumexp", "cross_entropy", "softmax"]
    for case in results["cases"]:
        assert (case["shape"], case["chunks"]) == ([64, 10_000], [64, 200])
        assert case["results"].keys() == {"naive", "with_dask"}
        for one in case["results"].values():
            assert 0 < one["seconds"]["median"] < 60
            assert one["peak_bytes"] >= 0
            assert one["sent_bytes"] >= 0
    # Pairs of 64 rows and 50 chunks, of which about half are made where they are merged.
    assert 0 < results["cases"][0]["results"]["with_dask"]["sent_bytes"] <= 2 * 8 * 64 * 50
    assert "logsumexp, with_dask" in capsys.readouterr().out


def test_a_wrong_answer_is_not_timed(monkeypatch):
    answers = {"naive": [1.0, 2.0], "with_dask": [1.0, 2.1]}
    monkeypatch.setattr(benchmark, "CONTESTANTS", {"softmax": {name: lambda x, t, n=name: n for name in answers}})
    monkeypatch.setattr(benchmark, "run", lambda client, name: (answers[name], {}))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        benchmark.measure(None, benchmark.CASES[0]._replace(operation="softmax"), rounds=1)
