"""The triangle's numbers: from their definitions, in Python and in TypeScript."""

import json
import math
import subprocess

import numpy as np
import pytest
from mpmath import mp

from softmax_lib import softmax
from softmax_lib.widgets import SimplexExplorer
from tests import ROOT
from tests.library.test_widgets import Reader, node, stored, ulps

TEMPERATURES = (1e-6, 0.25, 1, 3, 100)
LOGITS = [
    (2.0, 1.0, 0.0),
    (0.9, 0.15, -1.05),
    (0.0, 0.0, 0.0),
    (-12.0, 3.0, 3.0),
    (0.0, 40.0, 1.0),
    (700.5, 0.25, -700.0),
    (1e-9, 0.0, -1e-9),
    (1e308, -1.7e308, 1e308),
    *map(tuple, np.random.default_rng(0).normal(scale=4, size=(20, 3)).tolist()),
]
CASES = [(logits, temperature) for logits in LOGITS for temperature in TEMPERATURES]


def by_definition(logits, temperature):
    """Shares and entropy, from 60 digits."""
    with mp.workdps(60):
        exponentials = [mp.exp((mp.mpf(z) - max(logits)) / mp.mpf(temperature)) for z in logits]
        shares = [e / mp.fsum(exponentials) for e in exponentials]
        # Where a share is nearly 1, 60 digits of its logarithm are enough down to an entropy of 1e-40.
        entropy = -mp.fsum(p * mp.log(p) for p in shares if p > 0)
        return [float(p) for p in shares], float(entropy)


@pytest.fixture(scope="module")
def typescript() -> list[dict]:
    """What test/triangle.ts makes of each case."""
    answer = subprocess.run(
        [node(), "test/triangle.ts"],
        input=json.dumps(CASES),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "widgets",
    )
    return json.loads(answer.stdout)


def test_shares_and_entropy_are_the_exact_ones():
    for logits, temperature in CASES:
        widget = SimplexExplorer(logits, temperature=temperature)
        shares, entropy = by_definition(logits, temperature)
        # Dividing rounds each exponent: what counts is its size.
        size = 1e-15 * (1 + min((max(logits) - min(logits)) / temperature, 745))
        np.testing.assert_allclose(widget.probabilities, shares, rtol=size, atol=5e-324)
        assert widget.entropy == pytest.approx(entropy, rel=size, abs=1e-35)
        assert widget.choices == math.exp(widget.entropy)
        assert 1 <= widget.choices <= 3 + 1e-15


def test_typescript_and_python_agree(typescript):
    for (logits, temperature), theirs in zip(CASES, typescript, strict=True):
        ours = SimplexExplorer(logits, temperature=temperature)
        for a, b in zip(ours.probabilities.tolist(), theirs["shares"], strict=True):
            assert ulps(a, b) <= 2, (logits, temperature)
        assert ulps(ours.entropy, theirs["entropy"]) <= 4, (logits, temperature)


@pytest.mark.parametrize("temperature", [0.25, 1, 3])
def test_the_shares_are_softmax_of_the_quotients(temperature):
    widget = SimplexExplorer((2, 1, 0), temperature=temperature)
    np.testing.assert_allclose(widget.probabilities, softmax(np.array([2, 1, 0]) / temperature), rtol=1e-15)


def test_as_many_equal_choices_are_as_uncertain():
    # As many logits are the largest, and cold leaves those alone; hot, all three are left.
    for logits, few in (((5, 5, 5), 3), ((1, 3, 3), 2), ((1, 2, 3), 1)):
        assert SimplexExplorer(logits, temperature=1e-3).choices == pytest.approx(few, rel=1e-14)
        assert SimplexExplorer(logits, temperature=1e9).choices == pytest.approx(3, rel=1e-14)
    choices = [SimplexExplorer((2, 1, 0), temperature=t).choices for t in (0.25, 0.5, 1, 2, 4)]
    assert choices == sorted(choices)
    assert SimplexExplorer((40, 0, 0)).entropy == pytest.approx(82 * math.exp(-40), rel=1e-12)


def test_the_stored_form_is_complete():
    widget = SimplexExplorer((2, 1, 0), ["cat", "dog", "tiger"], temperature=2)
    reader = Reader(stored(widget))
    values = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert values == [*widget.probabilities, widget.choices]
    assert {"Logits and shares at temperature 2", "cat", "tiger", "0.5065", "2.8", " effective choices"} <= set(
        reader.text
    )
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in reader.tags if tag == "th")
    state = json.loads(reader.tags[0][1]["data-state"])
    assert SimplexExplorer(**state).choices == widget.choices
