"""The functions that the chapter on attention writes, as the chapter has them."""

import ast
import itertools
import tracemalloc

import nbformat
import numpy as np
import pytest

from softmax_lib import merge, normalizer, softmax
from tools.notebooks import BOOK


@pytest.fixture(scope="module")
def chapter():
    """The functions by their names."""
    cells = nbformat.read(BOOK / "attention.ipynb", as_version=4).cells
    lines = [line for cell in cells if cell.cell_type == "code" for line in ast.parse(cell.source).body]
    functions = [line for line in lines if isinstance(line, ast.FunctionDef)]
    names = {"np": np, "softmax": softmax, "merge": merge, "tracemalloc": tracemalloc}
    exec(compile(ast.Module(functions, type_ignores=[]), "attention.ipynb", "exec"), names)
    return names


def random(queries, keys, d=16, values=3, scale=1.0):
    generator = np.random.default_rng(queries * keys)
    shapes = (queries, d), (keys, d), (keys, values)
    Q, K, V = (generator.normal(size=shape) for shape in shapes)
    return scale * Q, K, V


def by_loops(Q, K, V, mask):
    output = np.zeros((len(Q), V.shape[1]))
    for i in range(len(Q)):
        seen = [j for j in range(len(K)) if mask[i, j]]
        scores = np.array([sum(a * b for a, b in zip(Q[i], K[j], strict=True)) / len(Q[i]) ** 0.5 for j in seen])
        e = np.exp(scores - scores.max())
        output[i] = sum(weight * V[j] for weight, j in zip(e / e.sum(), seen, strict=True))
    return output


@pytest.mark.parametrize("mask", [np.ones((5, 5), bool), np.tri(5, dtype=bool)])
def test_attention_is_the_mean_of_the_values_by_the_softmax_of_each_row(chapter, mask):
    Q, K, V = random(5, 5)
    output, weights = chapter["attention"](Q, K, V, mask)
    np.testing.assert_allclose(output, by_loops(Q, K, V, mask), rtol=1e-13)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-15)
    assert (weights[~mask] == 0).all()


@pytest.mark.parametrize(
    ("queries", "keys", "size"), [(1, 1, 32), (33, 64, 32), (100, 7, 8), (6, 200, 1), (70, 70, 70)]
)
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_tiles_give_the_same_to_twelve_decimals(chapter, queries, keys, size, scale):
    Q, K, V = random(queries, keys, scale=scale)
    plain, _ = chapter["attention"](Q, K, V)
    np.testing.assert_allclose(chapter["tiled_attention"](Q, K, V, size), plain, rtol=0, atol=1e-12)


def test_tiles_need_memory_for_the_output_and_one_tile(chapter):
    n, d, size = 2048, 64, 32
    most = chapter["peak"](chapter["tiled_attention"], n)
    assert 8 * n * d < most < 8 * n * d + 8 * 20 * size * max(size, d)
    assert chapter["peak"](chapter["attention"], n) > 8 * n * n


def test_the_factors_of_the_page_are_not_near_another_whole_number(chapter):
    for name, factor in (("attention", 4), ("tiled_attention", 2)):
        of = [chapter["peak"](chapter[name], n) for n in (2048, 1024)]
        assert of[0] / of[1] == pytest.approx(factor, abs=0.2)


@pytest.mark.parametrize("cuts", [(1, 2, 3, 4), (2, 4), (3,), ()])
def test_the_outputs_of_any_parts_merge_to_that_of_the_whole(chapter, cuts):
    row, values = np.array([-700.0, 3.5, 700.0, 1.0, 699.0]), np.array([3.0, 8.0, 5.0, 1.0, 6.0])
    known = normalizer([]), 0.0
    for begin, end in itertools.pairwise((0, *cuts, 5)):
        part = slice(begin, end)
        known = chapter["merge_outputs"](known, (normalizer(row[part]), softmax(row[part]) @ values[part]))
    (m, s), output = known
    assert (m, s) == pytest.approx(normalizer(row), rel=1e-14)
    assert output == pytest.approx(softmax(row) @ values, rel=1e-14)


def test_a_tile_without_a_key_changes_nothing_once_it_is_repaired(chapter):
    V = np.array([[1.0, 2.0], [3.0, 5.0]])
    start = np.full((1, 1), -np.inf), np.zeros((1, 1)), np.zeros((1, 2))
    masked, scores = np.full((1, 2), -np.inf), np.array([[0.5, -1.0]])
    with np.errstate(invalid="ignore"):
        assert np.isnan(chapter["take_in"](start, masked, V)[1]).all()
    wanted = chapter["take_in"](start, scores, V)
    for order in ([masked, scores], [scores, masked]):
        known = start
        for tile in order:
            known = chapter["take_in_any"](known, tile, V)
        for a, b in zip(known, wanted, strict=True):
            np.testing.assert_array_equal(a, b)


def test_scores_of_random_numbers_grow_like_the_root(chapter):
    for d in (4, 64, 256):
        size, undivided, divided = chapter["spread_of"](d)
        assert size == pytest.approx(d**0.5, rel=0.1)
        assert divided < 0.12 < undivided
