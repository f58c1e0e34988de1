"""Shares, cuts and draws of the next word: from their definitions, in Python and in TypeScript."""

import itertools
import json
import subprocess

import numpy as np
import pytest

from softmax_lib import softmax
from softmax_lib.examples import NextWord
from softmax_lib.widgets import SamplingExplorer
from tests import ROOT
from tests.library.test_widgets import Reader, node, stored

LARGEST = 2**32 - 1
PROMPTS = {
    "cat": [4, 3.2, 2.9, 2.5, 1.8, 1.5, 0.2, -0.5],
    "ties": [1.0] * 10,
    "halves": [np.log(8), np.log(4), np.log(2), np.log(2)],
    "many": np.linspace(3, -3, 40).tolist(),
    "sure": [0, -50, -60, -800],
    "far": [1.7e308, 0, -1.7e308],
    "two": [0.5, 0.25],
}
SETTINGS = [
    (name, {"temperature": t, "top_k": k and min(k, len(logits)), "top_p": p, "seed": seed, "draws": draws})
    for (name, logits), t, k, p, (seed, draws) in itertools.product(
        PROMPTS.items(),
        [0.25, 1, 2.7, 100],
        [None, 1, 3, 9],
        [1, 0.92, 0.5, 1e-6],
        [(0, 100), (7, 37), (LARGEST, 100), (123456789, 1)],
    )
]


def explorer(name: str, settings: dict) -> SamplingExplorer:
    logits = PROMPTS[name]
    return SamplingExplorer([("So", [f"word {i}" for i in range(len(logits))], logits)], **settings)


@pytest.fixture(scope="module")
def typescript() -> list[dict]:
    """What test/sample.ts makes of each of the settings."""
    asked = [settings | {"logits": PROMPTS[name]} for name, settings in SETTINGS]
    answer = subprocess.run(
        [node(), "test/sample.ts"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "widgets",
    )
    answers: list[dict] = json.loads(answer.stdout)
    return answers


def test_the_numbers_are_numpys_to_the_last_bit(typescript):
    assert {settings["seed"] for _, settings in SETTINGS} == {0, 7, 123456789, LARGEST}
    for (_, settings), theirs in zip(SETTINGS, typescript, strict=True):
        numbers = np.random.Generator(np.random.Philox(key=settings["seed"])).random(settings["draws"])
        assert theirs["numbers"] == numbers.tolist()


def test_shares_and_cuts_follow_their_definition_in_python_and_in_typescript(typescript):
    for (name, settings), theirs in zip(SETTINGS, typescript, strict=True):
        ours = explorer(name, settings)
        with np.errstate(over="ignore"):
            shares = softmax((np.array(PROMPTS[name]) - PROMPTS[name][0]) / settings["temperature"])
        np.testing.assert_array_equal(ours.shares, shares)
        np.testing.assert_allclose(theirs["shares"], shares, rtol=1e-15, atol=0)
        kept, before = [], 0.0
        for i, share in enumerate(shares):
            kept.append(i < (settings["top_k"] or 40) and (settings["top_p"] == 1 or before < settings["top_p"]))
            before += share
        assert ours.kept.tolist() == kept
        assert theirs["kept"] == sum(kept) >= 1
        renormalised = np.where(kept, shares, 0) / shares[kept].sum()
        for found in (ours.renormalised, theirs["renormalised"]):
            np.testing.assert_allclose(found, renormalised, rtol=1e-14, atol=0)
            assert np.sum(found) == pytest.approx(1, rel=1e-14)


def test_a_seed_draws_the_same_words_in_python_and_in_typescript(typescript):
    for (name, settings), theirs in zip(SETTINGS, typescript, strict=True):
        ours = explorer(name, settings)
        numbers = np.random.Generator(np.random.Philox(key=settings["seed"])).random(settings["draws"])
        edges = np.cumsum(ours.renormalised[ours.kept])[:-1]
        drawn = [int((edges <= number).sum()) for number in numbers]
        assert theirs["drawn"] == drawn
        assert ours.drawn == [f"word {i}" for i in drawn]
        assert ours.counts == [drawn.count(i) for i in range(len(PROMPTS[name]))]
        assert sum(ours.counts) == settings["draws"]


def test_draws_come_as_often_as_their_shares_say():
    counts = np.zeros(8)
    for seed in range(200):
        counts += explorer("cat", {"seed": seed, "draws": 100, "top_k": 6}).counts
    shares = explorer("cat", {"top_k": 6}).renormalised
    deviations = (counts - 20_000 * shares)[:6] / np.sqrt(20_000 * shares * (1 - shares))[:6]
    assert np.abs(deviations).max() < 4
    assert counts[6:].tolist() == [0, 0]


def test_more_draws_begin_as_fewer_do():
    many = explorer("cat", {"seed": 5, "draws": 100}).drawn
    for draws in (0, 1, 4, 5, 99):
        assert explorer("cat", {"seed": 5, "draws": draws}).drawn == many[:draws]


def test_prompts_are_kept_as_triples_of_any_sequence():
    given = [NextWord("It", ("is", "was"), (2, 1)), ["They", (w for w in ("are", "were")), np.array([0.5, 0.5])]]
    widget = SamplingExplorer(given, prompt=1, draws=3)
    assert widget.prompts == [("It", ("is", "was"), (2.0, 1.0)), ("They", ("are", "were"), (0.5, 0.5))]
    assert widget.prompts[0].words == ("is", "was")
    assert set(widget.drawn) <= {"are", "were"}
    widget.prompt = 0
    assert set(widget.drawn) <= {"is", "was"}


def test_what_a_view_changes_at_once_is_checked_at_once():
    eight = ("So", list("abcdefgh"), range(8, 0, -1))
    widget = SamplingExplorer([eight, ("It", ["is", "was"], [1, 0])], top_k=7, draws=100)
    widget.set_state({"prompt": 1, "top_k": None, "draws": 0})
    assert (widget.prompt, widget.top_k, widget.counts) == (1, None, [0, 0])


def test_the_stored_words_are_complete():
    widget = explorer("cat", {"temperature": 2, "top_p": 0.9, "seed": 7, "draws": 100})
    reader = Reader(stored(widget))
    values = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert values == [x for pair in zip(widget.shares, widget.renormalised, strict=True) for x in pair]
    assert "What follows “So” at temperature 2: 6 of 8 words kept" in reader.text
    assert {"word 0", "word 7", "28\u2009%", "0\u2009%"} <= set(reader.text)
    cells = [text for text in reader.text if text.isdigit()]
    assert [int(cell) for cell in cells[-8:]] == widget.counts
    state = json.loads(reader.tags[0][1]["data-state"])
    assert SamplingExplorer(**state).get_state(list(state)) == widget.get_state(list(state))
    assert repr(widget) == "SamplingExplorer(prompts=<1 prompt>, temperature=2.0, top_p=0.9, seed=7, draws=100)"
