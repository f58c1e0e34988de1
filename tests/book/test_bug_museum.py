"""The exhibits of the bug museum: each has a source, and the test that it names finds the bug and passes the repair."""

import itertools
import re

import numpy as np
import pytest
from mpmath import mp, mpf

from softmax_lib import check, softmax
from tests.book.test_chapters import read
from tools.notebooks import BOOK

Z = np.array([[0.0, 1.0, 3.0], [-2.0, -1.0, 0.5]])
SHORT = np.int8([100, 99, -100])


def is_settled(measure):
    """Whether a first and a second measurement agree, where the first call takes four times as long."""
    now = 0.0
    costs = itertools.chain([4.0], itertools.repeat(1.0))

    def call():
        nonlocal now
        now += next(costs)

    return measure(call, lambda: now) == measure(call, lambda: now)


def sums_to_zero(product):
    slopes = product(softmax([37.43, 0.0]), np.array([1.0, 0.0]))
    return abs(slopes.sum()) <= 1e-9 * abs(slopes).max()


# What the page says would have found each bug.
TESTS = {
    "ex-one-maximum": lambda f: np.allclose(f(np.add(Z, [[0.0], [1000.0]])), f(Z)),
    "ex-temperature-cancels": lambda f: f(Z[0], 2.0).max() < f(Z[0], 1.0).max(),
    "ex-plain-denominator": lambda f: np.allclose(f(Z).sum(axis=-1), 1),
    "ex-integers-wrap": lambda f: np.allclose(f(SHORT), f(SHORT.astype(float))),
    "ex-softmax-twice": lambda f: f(100 * np.eye(10), np.arange(10)) < 1e-9,
    "ex-lost-tail": lambda f: np.isclose(f(np.array([0.0, -40.0]))[0], float(-mp.log1p(mp.exp(-40))), atol=0),
    "ex-lost-component": sums_to_zero,
    "ex-subnormal-sum": lambda f: np.isclose(
        f(np.full(1000, -744.8)), float(1000 * mp.exp(mpf(-744.8))), rtol=1e-2, atol=0
    ),
    "ex-forked-threads": lambda f: (f(1, None), f(2, 1)) == (2, 1),
    "ex-first-call": is_settled,
}


def exhibits():
    """Of each exhibit, its label, its story, and the two cells with code: as it shipped, and repaired."""
    cells = read(BOOK / "bug_museum.ipynb").cells
    labels = [re.findall(r"^:label: (\S+)", cell.source, flags=re.MULTILINE) for cell in cells]
    for i, label in enumerate(labels):
        if label and label[0] in TESTS:
            yield label[0], cells[i - 2].source, cells[i - 1], cells[i + 1]


EXHIBITS = {label: rest for label, *rest in exhibits()}


def function_of(cell):
    """The function that a cell defines, and the check that it ends with."""
    scope = {}
    exec(f"import numpy as np\nfrom softmax_lib import check, cross_entropy, softmax\n{cell.source}", scope)
    name, function = re.search(r"^check\.(\w+)\((\w+)\)$", cell.source, flags=re.MULTILINE).groups()
    return scope[function], getattr(check, name)


def test_there_are_ten_exhibits_as_the_page_says():
    assert list(EXHIBITS) == list(TESTS)
    assert len(EXHIBITS) == 10
    assert "Here are ten such bugs" in "".join(cell.source for cell in read(BOOK / "bug_museum.ipynb").cells)


@pytest.mark.parametrize("label", TESTS)
def test_an_exhibit_fails_its_check_and_its_repair_passes(label):
    story, shipped, repaired = EXHIBITS[label]
    assert re.search(r"^## Why .*\?$", story, flags=re.MULTILINE)
    assert re.search(r"\]\(https://github\.com/[^)]+\)|\]\(https://docs\.scipy\.org/[^)]+\)", story)
    with np.errstate(all="ignore"):
        (wrong, examine), (right, examine_again) = function_of(shipped), function_of(repaired)
    assert examine is examine_again
    assert not examine(wrong)
    assert examine(right)


@pytest.mark.parametrize("label", TESTS)
def test_the_test_that_an_exhibit_names_finds_its_bug_and_passes_the_repair(label):
    _, shipped, repaired = EXHIBITS[label]
    with np.errstate(all="ignore"):
        assert not TESTS[label](function_of(shipped)[0])
        assert TESTS[label](function_of(repaired)[0])
