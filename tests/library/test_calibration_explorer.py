"""The reliability diagram's numbers: from their definitions, in Python and in TypeScript."""

import json
import subprocess

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from softmax_lib import log_softmax, softmax
from softmax_lib.widgets import CalibrationExplorer
from tests import ROOT
from tests.library.overconfident import FACTOR, overconfident
from tests.library.test_widgets import Reader, node, stored

TEMPERATURES = [0.25, 0.5, 1, 2.5, 3, 8, 100]
SETS = {
    "too sure": overconfident(),
    "two classes": overconfident(count=37, classes=2, seed=1),
    "many": overconfident(count=1000, classes=12, seed=2),
    "one": ([[1.5, 0.0]], [0]),
    "one class": ([[0.5], [2.0]], [0, 0]),
    "ties": ([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]], [0, 1, 0]),
    "far": ([[1e4, 0.0, -1e4], [0.0, 700.0, 1.0]], [0, 1]),
}


def by_definition(logits, truth, temperature):
    """Confidence and rightness of each example, bins by their edges, the calibration error, the loss."""
    logits, truth = np.array(logits), np.array(truth)
    shares = softmax(logits / temperature)
    said, right = shares.max(axis=1), logits.argmax(axis=1) == truth
    bins, error = [], 0.0
    for k in range(10):
        members = (said >= k / 10) & ((said < (k + 1) / 10) | (k == 9))
        bins.append((members.sum(), said[members].sum(), right[members].sum()))
        error += abs(said[members].sum() - right[members].sum()) / len(truth)
    loss = -log_softmax(logits / temperature)[np.arange(len(truth)), truth].mean()
    return right.mean(), bins, error, loss


def best_temperature(logits, truth):
    found = minimize_scalar(
        lambda x: by_definition(logits, truth, np.exp(x))[-1],
        bounds=(np.log(0.25), np.log(8)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return np.exp(found.x)


@pytest.fixture(scope="module")
def typescript() -> dict[str, dict]:
    """What test/calibrate.ts makes of each set."""
    asked = [{"logits": logits, "truth": truth, "temperatures": TEMPERATURES} for logits, truth in SETS.values()]
    answer = subprocess.run(
        [node(), "test/calibrate.ts"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "widgets",
    )
    return dict(zip(SETS, json.loads(answer.stdout), strict=True))


@pytest.mark.parametrize("name", SETS)
def test_python_and_typescript_compute_what_the_definitions_say(typescript, name):
    logits, truth = SETS[name]
    for temperature, theirs in zip(TEMPERATURES, typescript[name]["at"], strict=True):
        accuracy, bins, error, loss = by_definition(logits, truth, temperature)
        ours = CalibrationExplorer(logits, truth, temperature)
        assert ours.accuracy == typescript[name]["accuracy"] == accuracy
        for (count, said, right), a, b in zip(bins, ours.bins, theirs["bins"], strict=True):
            assert a.examples == b["count"] == count
            if count:
                assert [a.said, a.true] == pytest.approx([said / count, right / count], rel=1e-12)
                assert [b["said"], b["true"]] == pytest.approx([said / count, right / count], rel=1e-12)
        assert ours.calibration_error == pytest.approx(error, rel=1e-12, abs=1e-14)
        assert theirs["error"] == pytest.approx(error, rel=1e-12, abs=1e-14)
        for found in (ours.loss, theirs["loss"], theirs["alone"]):
            assert found == pytest.approx(loss, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", ["too sure", "two classes", "many"])
def test_the_search_finds_the_temperature_that_scipy_finds(typescript, name):
    best = best_temperature(*SETS[name])
    assert typescript[name]["best"] == pytest.approx(best, rel=1e-5)
    curve = typescript[name]["curve"]
    assert [curve[0][0], curve[-1][0]] == pytest.approx([0.25, 8])
    assert min(loss for _, loss in curve) >= by_definition(*SETS[name], best)[-1]
    for temperature, loss in curve[::12]:
        assert loss == pytest.approx(by_definition(*SETS[name], temperature)[-1], rel=1e-12)


def test_logits_three_times_too_large_want_a_temperature_of_three(typescript):
    assert typescript["many"]["best"] == pytest.approx(FACTOR, rel=0.15)
    assert typescript["too sure"]["best"] == pytest.approx(FACTOR, rel=0.15)
    sure, cooled = (CalibrationExplorer(*overconfident(), temperature) for temperature in (1, FACTOR))
    assert sure.calibration_error > 3 * cooled.calibration_error
    assert sure.accuracy == cooled.accuracy


def test_the_stored_bins_are_complete():
    widget = CalibrationExplorer(*overconfident(), 2.5, 9)
    reader = Reader(stored(widget))
    values = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert values == [x for count, said, true in widget.bins if count for x in (said, true)]
    assert {str(count) for count, _, _ in widget.bins if count} <= set(reader.text)
    (caption,) = (text for text in reader.text if text.startswith("At temperature"))
    assert caption == "At temperature 2.5: 49\u2009% right, calibration error 8.8 points, loss 1.43"
    state = json.loads(reader.tags[0][1]["data-state"])
    assert CalibrationExplorer(**state).get_state(list(state)) == state
    assert repr(widget) == (
        "CalibrationExplorer(logits=<200 x 10 numbers>, truth=<200 indices>, temperature=2.5, selected=9)"
    )


def test_logits_that_no_double_can_divide_have_shares():
    widget = CalibrationExplorer([[1.7e308, -1.7e308], [0.0, 0.0]], [0, 1], 0.25)
    assert widget.probabilities.tolist() == [[1, 0], [0.5, 0.5]]
    assert widget.loss == pytest.approx(np.log(2) / 2)
