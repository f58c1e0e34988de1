"""The functions that the chapter on temperature and sampling writes, as the chapter has them."""

import ast
import json
import math
import re
from importlib.resources import files

import nbformat
import numpy as np
import pytest
from scipy.stats import chisquare

from softmax_lib import softmax
from softmax_lib.examples import next_words
from softmax_lib.widgets import SamplingExplorer
from tools.notebooks import BOOK


@pytest.fixture(scope="module")
def chapter():
    """The functions by their names."""
    cells = nbformat.read(BOOK / "temperature.ipynb", as_version=4).cells
    lines = [line for cell in cells if cell.cell_type == "code" for line in ast.parse(cell.source).body]
    functions = [line for line in lines if isinstance(line, ast.FunctionDef)]
    names = {"np": np, "softmax": softmax}
    exec(compile(ast.Module(functions, type_ignores=[]), "temperature.ipynb", "exec"), names)
    return names


Z = np.array([1.25, 2.44, 0.78, 0.12])
P = np.array([0.15, 0.4, 0.05, 0.3, 0.1])


@pytest.mark.parametrize("temperature", [1e-300, 0.25, 1, 3.7, 1e300])
def test_a_temperature_divides_the_logits(chapter, temperature):
    with np.errstate(over="ignore"):
        given = chapter["at_temperature"](Z, temperature)
    ratios = np.exp((Z - Z.max()) / temperature)
    np.testing.assert_allclose(given, ratios / ratios.sum(), rtol=1e-14)


def test_zero_is_the_limit(chapter):
    assert chapter["at_temperature"](Z, 0).tolist() == [0, 1, 0, 0]
    tied = [2, -1, 2]
    assert chapter["at_temperature"](tied, 0).tolist() == [0.5, 0, 0.5]
    np.testing.assert_allclose(chapter["at_temperature"](tied, 1e-3), [0.5, 0, 0.5], atol=1e-300)


@pytest.mark.parametrize("temperature", [-1, -1e-9, math.inf, math.nan])
def test_a_temperature_that_is_none_is_named(chapter, temperature):
    with pytest.raises(ValueError, match=f"T must be 0 or a finite positive number, got {temperature}"):
        chapter["at_temperature"](Z, temperature)


@pytest.mark.parametrize("entry", [math.nan, math.inf, -math.inf])
def test_logits_must_be_finite(chapter, entry):
    with pytest.raises(ValueError, match="z must be finite logits, got"):
        chapter["at_temperature"]([1, entry], 1)


def test_draws_are_those_of_numpy(chapter):
    drawn = chapter["draw"](P, np.random.default_rng(5), size=1000)
    assert drawn.tolist() == np.random.default_rng(5).choice(5, size=1000, p=P).tolist()
    assert isinstance(int(chapter["draw"](P, np.random.default_rng(5))), int)


def test_draws_follow_the_probabilities_and_never_take_what_is_cut(chapter):
    p = np.array([0.0, 0.25, 0.0, 0.75, 0.0])
    counts = np.bincount(chapter["draw"](p, np.random.default_rng(6), size=10_000), minlength=5)
    assert counts[p == 0].tolist() == [0, 0, 0]
    assert chisquare(counts[p > 0], 10_000 * p[p > 0]).pvalue > 1e-3


CUTS = {"draw": np.random.default_rng(0), "top_k": 1, "top_p": 0.5, "min_p": 0.5}


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("p", [[0.5, 0.4], [0.5, 0.6], [1.5, -0.5], [math.nan, 1.0]])
def test_what_are_no_probabilities_is_refused(chapter, name, p):
    with pytest.raises(ValueError, match="p must be probabilities with the sum 1, got"):
        chapter[name](p, CUTS[name])


@pytest.mark.parametrize(
    ("name", "setting", "kept"),
    [
        ("top_k", 1, [1]),
        ("top_k", 3, [0, 1, 3]),
        ("top_k", 5, [0, 1, 2, 3, 4]),
        ("top_p", 1e-9, [1]),
        ("top_p", 0.4, [1]),
        ("top_p", 0.41, [1, 3]),
        ("top_p", 0.75, [0, 1, 3]),
        ("top_p", 1, [0, 1, 2, 3, 4]),
        ("min_p", 0, [0, 1, 2, 3, 4]),
        ("min_p", 0.3, [0, 1, 3]),
        ("min_p", 1, [1]),
    ],
)
def test_a_cut_keeps_and_renormalises(chapter, name, setting, kept):
    left = chapter[name](P, setting)
    assert np.flatnonzero(left).tolist() == kept
    np.testing.assert_allclose(left[kept], P[kept] / P[kept].sum(), rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "setting", "said"),
    [
        ("top_k", 0, "k must be from 1 to 5 words, got 0"),
        ("top_k", 6, "k must be from 1 to 5 words, got 6"),
        ("top_p", 0, "share must be above 0 and at most 1, got 0"),
        ("top_p", 1.01, "share must be above 0 and at most 1, got 1.01"),
        ("top_p", math.nan, "share must be above 0 and at most 1, got nan"),
        ("min_p", -0.1, "m must be from 0 to 1, got -0.1"),
        ("min_p", 2, "m must be from 0 to 1, got 2"),
    ],
)
def test_a_cut_that_is_none_is_named(chapter, name, setting, said):
    with pytest.raises(ValueError, match=said):
        chapter[name](P, setting)


def test_equal_words_tie_in_their_order(chapter):
    assert chapter["top_k"](np.full(4, 0.25), 2).tolist() == [0.5, 0.5, 0, 0]
    assert chapter["top_p"](np.full(4, 0.25), 0.5).tolist() == [0.5, 0.5, 0, 0]


def test_effective_choices_of_equal_words_is_their_number(chapter):
    assert chapter["effective_choices"](np.full(7, 1 / 7)) == pytest.approx(7, rel=1e-14)
    assert chapter["effective_choices"](np.array([0.0, 1.0])) == 1


@pytest.mark.parametrize(("temperature", "k", "share"), [(1, 3, 0.8), (0.5, 2, 1), (2, 4, 0.6)])
def test_a_sample_takes_temperature_then_top_k_then_top_p(chapter, temperature, k, share):
    generator = np.random.default_rng(7)
    drawn = [chapter["sample"](Z, temperature, k, share, generator) for _ in range(300)]
    ratios = np.exp(Z / temperature)
    order = np.argsort(-ratios)[:k]
    p = ratios[order] / ratios[order].sum()
    kept = order[(np.cumsum(p) - p) < share]
    assert set(drawn) == set(kept.tolist())


def test_the_share_of_the_forty_words_is_the_one_that_the_text_names():
    text = (BOOK / "temperature.ipynb").read_text(encoding="utf-8")
    (prompt, percent) = re.search(r"After \*([^*]+)\*, they have (\d+)\u202f% of the whole", text).groups()
    stored = json.loads(files("softmax_lib").joinpath("next_words.json").read_text(encoding="utf-8"))["prompts"]
    (share,) = (each["share"] for each in stored if each["text"] == prompt)
    assert int(percent) == round(100 * share)


@pytest.mark.parametrize(("name", "setting"), [("top_k", 5), ("top_k", 1), ("top_p", 0.6), ("top_p", 1.0)])
def test_the_picture_cuts_as_the_chapter_does(chapter, name, setting):
    prompt = next_words()[-1]
    picture = SamplingExplorer([prompt], temperature=0.7, **{name: setting})
    shares = chapter["at_temperature"](prompt.logits, 0.7)
    np.testing.assert_allclose(picture.renormalised, chapter[name](shares, setting), rtol=1e-14)
