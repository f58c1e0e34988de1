"""The chapters prove what they say: every cell was run, and every number in the prose is some cell's output.

That the stored outputs are those of a fresh run is nbval's part: `pytest` runs it over `book/`.
"""

import html
import importlib
import json
import math
import re
import textwrap
from decimal import Decimal

import nbformat
import numpy as np
import pytest

from softmax_lib import softmax
from softmax_lib.kernels.geometry import geometry
from tests import ROOT
from tools.notebooks import BOOK, ORIGIN, SETUP, normalise

CHAPTERS = sorted(BOOK.glob("*.ipynb"))

# Numbers that the prose quotes and no cell computes, each with its source.
CITED = {
    "formula": dict.fromkeys(
        ["1868", "1959", "1990"], "the years of Boltzmann's, Luce's and Bridle's works, cited there"
    ),
    "temperature": {
        "2026": "the year in which gemma.cpp mended its temperature, linked there",
    },
    "five_logits": {
        "181.37": "the slip in Radečić's article, quoted",
    },
    "gradient_checks": {
        "126633": "the number of TensorFlow's issue, linked there",
        "2026": "the year in which that issue was opened and mended",
    },
    "bug_museum": {
        **dict.fromkeys(["562", "654", "19521", "113708", "126633", "126634"], "an issue's number, linked there"),
        **dict.fromkeys(["2023", "2024", "2026"], "the year of a course, or of an issue that is linked there"),
        "1.17": "the version of SciPy that requirements.txt locks, and that gives this",
        "324": "the exponent of the smallest float64",
        **dict.fromkeys(["255", "256"], "the largest uint8, and how many there are"),
        **dict.fromkeys(["197", "200", "999"], "given in an exercise, or worked out there"),
    },
    "cupy": dict.fromkeys(
        ["16384", "32768"], "the longest rows of a block: test_the_geometries_of_the_page_are_the_librarys"
    ),
    "ladder": {
        "512": "the bits of the widest registers of x86-64, AVX-512's",
    },
    "kernel": dict.fromkeys(
        ["512", "8192", "16384", "32768", "123", "262144", "1000000"],
        "the library's geometries: test_the_geometries_of_the_page_are_the_librarys",
    ),
}


# Code of the library in a chapter: a comment with its file, and the lines. A directive would do it without a copy, but
# JupyterLab and GitHub show nothing in its place.
LISTING = re.compile(r"<!-- (?P<file>\S+) -->\n```\w+\n(?P<lines>.*?)\n```", re.DOTALL)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip() and cell.id != SETUP]


def asks(cell):
    """Whether the cell is a guess, a field or a quiz, whose code has the answer in it."""
    return re.search(r"\b(Guess|GuessNumber|NumberField|Quiz)\(", cell.source) is not None


def stored_state(output):
    """What the HTML that an interactive stores says of it."""
    return json.loads(html.unescape(re.search(r'data-state="([^"]*)"', output)[1]))


def problems(notebook, chapter="five_logits"):
    """What keeps a notebook from proving anything."""
    (setup,) = (cell for cell in notebook.cells if cell.id == SETUP)
    if setup.execution_count != 1:
        yield "the cell that installs the library was not run first"
    for number, cell in enumerate(code_cells(notebook), 1):
        where = f"code cell {number}"
        if cell.execution_count != number + 1:
            yield f"{where} was not run in order: its execution count is {cell.execution_count}"
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"{where} stores an error"
        lines = len(cell.source.splitlines())
        if lines > 12 and not asks(cell):
            yield f"{where} has {lines} lines, more than a reader takes in at once"
        hidden = "remove-input" in cell.metadata.get("tags", [])
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        if asks(cell) and not (hidden and folded):
            yield f"{where} shows the answer in its code: it needs the tag remove-input, and source_hidden"
        text = re.sub(r"'image/png': '[^']*'", "", str(cell.outputs))  # whose letters may happen to say 3ms
        if re.search(r"\bat 0x[0-9a-f]{6,}|model_id|widget-view|ipykernel_\d+", text):
            yield f"{where} stores an address, a path or a widget's id"
        if re.search(r"\b\d+(\.\d+)? ?(ns|µs|ms|seconds?)\b|Wall time", text):
            yield f"{where} stores a timing"
    if not any("softmax_lib" in cell.source for cell in code_cells(notebook)):
        yield "no cell imports softmax_lib"
    before = nbformat.writes(notebook)
    normalise(notebook, chapter)
    if nbformat.writes(notebook) != before:
        yield "it is not as `make notebooks` writes it"


def prose_and_outputs(notebook):
    """The text a reader reads, and the text that cells print; what a quiz, guess or field asks is prose."""
    prose, outputs = [], []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose.append(cell.source)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if data.get("text/plain", "").startswith(("Guess", "NumberField(")):
                state = stored_state(data["text/html"])
                prose.extend((state["question"], state.get("hint", ""), state["reason"]))
                prose.extend(text for _, text in state.get("mistakes", []))
                continue
            shown = [output.get("text", ""), *(text for text in data.values() if isinstance(text, str))]
            (prose if data.get("text/plain", "").startswith("Quiz(") else outputs).extend(shown)
    return "\n".join(prose), "\n".join(outputs)


def numbers(text):
    """The numbers in `text` as they are written, without code, links and addresses."""
    text = re.sub(r"\[[^\]]*\]\(references\.md#\w+\)", " ", text)
    text = re.sub(r"```\{(code-cell|image).*?```", " ", LISTING.sub(" ", text), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)|\{[a-z]+\}|https?://\S+", " ", html.unescape(text))
    return re.findall(r"(?<![\w.#])\d+(?:\.\d+)?(?![\w])", text)


def significant(number):
    return len(number.replace(".", "").lstrip("0"))


def stale_listings(text):
    """The listings that are not in the files that they name, line for line; their indentation does not count."""
    for listing in LISTING.finditer(text):
        file = textwrap.dedent((ROOT / listing["file"]).read_text(encoding="utf-8"))
        indents = {re.match(" *", line)[0] for line in file.splitlines()}
        if not any(textwrap.indent(listing["lines"], indent) in file for indent in indents):
            yield f"{listing['file']}: {listing['lines'].splitlines()[0]}"


def test_listings_are_the_librarys_own_code():
    texts = ["\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown") for path in CHAPTERS]
    assert [stale for text in texts for stale in stale_listings(text)] == []
    assert sum(len(LISTING.findall(text)) for text in texts) >= 11
    assert not any("{literalinclude}" in text for text in texts)
    (found,) = stale_listings("<!-- softmax_lib/kernels/softmax.cu -->\n```cpp\nstruct Pair { float maximum; };\n```")
    assert found == "softmax_lib/kernels/softmax.cu: struct Pair { float maximum; };"


def unproved(notebook, cited=()):
    """The numbers of three or more significant digits in the prose that no output shows, rounded as the prose does."""
    prose, outputs = prose_and_outputs(notebook)
    shown = [Decimal(n) for n in re.findall(r"\d+(?:\.\d+)?(?:e[-+]\d+)?", outputs)]
    mantissas = [Decimal(n) for n in re.findall(r"(\d\.\d+)e[-+]\d+", outputs)]

    def proved(number):
        value = Decimal(number)
        near = (v for v in shown + mantissas if abs(v - value) < 1)  # to round 1.8e+308 to decimals is an error
        return any(v == value or ("." in number and round(v, -value.as_tuple().exponent) == value) for v in near)

    return [n for n in numbers(prose) if significant(n) >= 3 and n not in cited and not proved(n)]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_cell_was_run_and_stores_only_what_a_fresh_run_gives(path):
    assert list(problems(read(path), path.stem)) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_number_in_the_prose_is_an_output_or_cited(path):
    assert unproved(read(path), CITED.get(path.stem, {})) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_its_parts(path):
    text = "\n".join(cell.source for cell in read(path).cells)
    for part in ("## First, a guess", "## Remember", "## Exercises", "## Where next"):
        assert part in text, f"{path.name} has no {part!r}"
    origin, setup, opening, guess = read(path).cells[:4]
    assert (origin.id, setup.id) == (ORIGIN, SETUP)
    assert opening.source.endswith("## First, a guess")
    assert re.search(r"^(Guess|GuessNumber)\($", guess.source, flags=re.MULTILINE)
    remember = text.split("## Remember")[1].split("## ")[0]
    assert len(re.findall(r"^- ", remember, flags=re.MULTILINE)) == 3
    exercises = set(re.findall(r"^:label: (ex-\S+)", text, flags=re.MULTILINE))
    assert exercises
    assert exercises == set(re.findall(r"^`+\{solution(?:-start)?\} (ex-\S+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("library", ["scipy", "torch", "jax", "keras"])
def test_the_calls_of_other_libraries_are_softmax(library):
    text = "\n".join(cell.source for cell in read(BOOK / "five_logits.ipynb").cells)
    (call,) = re.findall(rf"^\| \w+ \| `({library}\.[^`]+)` \|$", text, flags=re.MULTILINE)
    module = pytest.importorskip(library)
    importlib.import_module(call.partition("(")[0].rpartition(".")[0])
    x = np.array([[1.3, 5.1, 2.2], [1000.0, 1001.0, 0.0]])
    given = module.tensor(x) if library == "torch" else x
    shares = np.asarray(eval(call, {library: module, "x": given}))
    np.testing.assert_allclose(shares, softmax(x), rtol=1e-6, atol=1e-30)


def test_the_geometries_of_the_page_are_the_librarys():
    text = "\n".join(cell.source for cell in read(BOOK / "kernel.ipynb").cells)
    _, _, table = text.partition("| columns | threads | logits | pieces |")
    rows = [tuple(map(int, re.findall(r"\d+", line))) for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert len(rows) == 7
    for columns, *shown in rows:
        of = geometry(columns, 4)
        pieces = math.ceil(columns / (of.threads * of.values)) if of.tiled else of.parts
        assert shown == [of.threads, of.values, pieces], columns
    assert "since a block has at least 128, it then works on 16 rows" in text
    assert [geometry(columns, 4).slices for columns in (64, 2048)] == [16, 1]
    assert "keep 16 logits in them, or 32 logits of 16 bits" in text
    assert [geometry(4096, size).values for size in (4, 2)] == [16, 32]
    assert "One block goes over the 2 pieces, and over the 32, [tile by tile]" in text
    assert [geometry(columns, 4).tiled for columns, *_ in rows] == [False] * 4 + [True] * 2 + [False]
    text = "\n".join(cell.source for cell in read(BOOK / "cupy.ipynb").cells)
    assert "up to 16384 float32 or 32768 numbers of 16 bits" in text
    longest = [(16_384, 4), (32_768, 2)]
    assert [geometry(n + more, size).tiled for n, size in longest for more in (0, size)] == 2 * [False, True]


def test_the_checks_catch_what_they_are_for():
    """Each check fails on a chapter that is broken on purpose."""
    assert list(problems(read(BOOK / "five_logits.ipynb"))) == []

    unrun = read(BOOK / "five_logits.ipynb")
    code_cells(unrun)[3]["execution_count"] = None
    assert "code cell 4 was not run in order" in next(problems(unrun))

    widget = read(BOOK / "five_logits.ipynb")
    code_cells(widget)[1].outputs[0].data["application/vnd.jupyter.widget-view+json"] = {"model_id": "0f"}
    assert "widget's id" in next(problems(widget))

    for tag, folded in (("hide-input", True), ("remove-input", False)):
        giveaway = read(BOOK / "five_logits.ipynb")
        code_cells(giveaway)[0].metadata = {"tags": [tag], "jupyter": {"source_hidden": folded}}
        assert "code cell 1 shows the answer" in next(problems(giveaway))

    wrong = read(BOOK / "five_logits.ipynb")
    wrong.cells[0].source += " The sum is 181.74, of which 164.02 is most; 0.903 is a share; 2.37 is not."
    assert unproved(wrong, CITED["five_logits"]) == ["181.74", "2.37"]

    code_cells(wrong)[0].outputs.append(nbformat.v4.new_output("stream", text="1.8e+308 and 2.3725e-308"))
    assert unproved(wrong, CITED["five_logits"]) == ["181.74"]
