"""Attention weights and a softmax read once: from their definitions, in Python and in TypeScript."""

import json
import subprocess

import numpy as np
import pytest
from mpmath import mp

from softmax_lib import normalizer, softmax
from softmax_lib.widgets import AttentionExplorer, OnlineStepper
from tests import ROOT
from tests.library.test_widgets import Reader, node, stored, ulps

generator = np.random.default_rng(0)
MATRICES = [
    ([[4.0, 0.0], [0.0, 8.0]], 16),
    ([[0.5]], 1),
    ([[-1e6, 1e6], [1e6, -1e6]], 7),
    ([[40.0, 0.0, -40.0], [1e-9, 0.0, 0.0], [3.0, 3.0, 3.0]], 1000),
    *(((scale * generator.normal(size=(n, n))).tolist(), 64) for n, scale in [(3, 1), (6, 8), (8, 100)]),
]
ROWS = [
    ([1.0, 3.0, 2.0], [10.0, 20.0, 60.0]),
    ([0.5], [-2.5]),
    ([3.0, 2.0, 1.0], [1.0, 2.0, 3.0]),
    ([-700.0, 700.0, 0.0], [1.0, 2.0, 4.0]),
    ([2.0, 2.0, 2.0], [1e6, -1e6, 0.5]),
    *((scale * generator.normal(size=(2, 12))).tolist() for scale in (1, 30)),
]


@pytest.fixture(scope="module")
def typescript() -> dict:
    """What test/attend.ts makes of them."""
    answer = subprocess.run(
        [node(), "test/attend.ts"],
        input=json.dumps({"matrices": MATRICES, "rows": ROWS}),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "widgets",
    )
    return json.loads(answer.stdout)


def test_typescript_and_python_agree_on_the_weights(typescript):
    for (scores, dimension), theirs in zip(MATRICES, typescript["weights"], strict=True):
        switches = [(scaled, causal) for scaled in (False, True) for causal in (False, True)]
        for (scaled, causal), weights in zip(switches, theirs, strict=True):
            ours = AttentionExplorer(scores, dimension=dimension, scaled=scaled, causal=causal).weights
            for a, b in zip(ours.ravel().tolist(), np.ravel(weights).tolist(), strict=True):
                assert ulps(a, b) <= 2, (scores, dimension, scaled, causal)


def test_typescript_and_python_agree_on_what_has_been_read(typescript):
    for (scores, values), theirs in zip(ROWS, typescript["running"], strict=True):
        for step, running in enumerate(theirs, 1):
            ours = OnlineStepper(scores, values, step=step)
            maximum, total = ours.normalizer
            assert running["m"] == maximum
            assert running["s"] == pytest.approx(total, rel=1e-15 * step)
            size = ours.weights @ np.abs(values[:step])
            assert running["a"] / running["s"] == pytest.approx(ours.output, rel=0, abs=2e-15 * step * size)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_each_query_divides_one_whole_among_the_keys_it_sees(scaled, causal):
    scores = np.array([[4.0, 1.0, -2.5], [0.0, 8.0, 3.0], [2.0, 2.0, 6.5]])
    explorer = AttentionExplorer(scores, dimension=9, scaled=scaled, causal=causal)
    for i, row in enumerate(scores):
        seen = row[: i + 1] if causal else row
        with mp.workdps(40):
            exponentials = [mp.exp(mp.mpf(score) / (3 if scaled else 1)) for score in seen]
            expected = [float(e / mp.fsum(exponentials)) for e in exponentials]
        np.testing.assert_allclose(explorer.weights[i, : len(seen)], expected, rtol=1e-15)
        assert not explorer.weights[i, len(seen) :].any()


def test_a_step_is_the_softmax_of_what_has_been_read():
    scores, values = [1.2, 0.4, 2.6, 0.8, 1.8], [2.0, 4.0, 7.0, 1.0, 9.0]
    stepper = OnlineStepper(scores, values)
    for step in range(1, 6):
        stepper.step = step
        maximum, total = stepper.normalizer
        whole = normalizer(scores[:step])
        assert (maximum, total) == pytest.approx(whole, rel=1e-15)
        np.testing.assert_array_equal(stepper.weights, softmax(scores[:step]))
        assert stepper.output == pytest.approx(np.average(values[:step], weights=np.exp(scores[:step])), rel=1e-14)


def test_the_stored_forms_are_complete():
    explorer = AttentionExplorer([[4.0, 0.0], [0.0, 8.0]], ["hot", "tea"], causal=True)
    reader = Reader(stored(explorer))
    shown = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert shown == explorer.weights.ravel().tolist()
    caption = "Weights: a row for each query, scores divided by √16, with a causal mask"
    assert {caption, "hot", "tea", "100\u2009%", "0\u2009%", "88\u2009%"} <= set(reader.text)
    state = json.loads(reader.tags[0][1]["data-state"])
    np.testing.assert_array_equal(AttentionExplorer(**state).weights, explorer.weights)

    stepper = OnlineStepper([1.0, 3.0, 2.0], [10.0, 20.0, 60.0], step=2)
    reader = Reader(stored(stepper))
    shown = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert shown == stepper.weights.tolist()
    assert {"After 2 of 3 scores", "class 2", "m = 3, s = 1.135, output = 18.81."} <= set(reader.text)
    state = json.loads(reader.tags[0][1]["data-state"])
    assert OnlineStepper(**state).output == stepper.output
