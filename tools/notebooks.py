"""Run every chapter and store what it shows: `make notebooks`.

The site is built from the stored outputs, and the tests run the chapters again and compare. So an
output is stored only in the form that is the same in every run: no widget state, no ids, no timings.

A chapter begins with two cells that the site leaves out: they say where it is from, and install the library
where it is missing.
"""

import re
import sys
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient

BOOK = Path(__file__).parents[1] / "book"
REPOSITORY = yaml.safe_load((BOOK.parent / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
OWNER, NAME = REPOSITORY.split("/")[-2:]
LIBRARY = f"softmax-lib[chapters] @ git+{REPOSITORY}"  # what pip installs, until it is published

# The cells' ids, and what they say. It is Python without IPython's %pip: whoever reads the chapter's code can parse it.
ORIGIN, SETUP = "origin", "setup"
ORIGIN_TEXT = """\
*This is a chapter of [The softmax book](https://{owner}.github.io/{name}/{chapter}.html). To run it, run the next \
cell first: it installs the book's library where it is missing, on Colab for example.*"""
SETUP_CODE = """\
from importlib.util import find_spec

if find_spec("softmax_lib") is None:
    library = "{library}"
    get_ipython().run_line_magic("pip", f'install --quiet "{{library}}"')"""


def opening(chapter: str) -> list[nbformat.NotebookNode]:
    """The two cells before the title."""
    metadata = nbformat.from_dict({"tags": ["remove-cell"]})
    text = ORIGIN_TEXT.format(owner=OWNER, name=NAME, chapter=chapter)
    code = SETUP_CODE.format(library=LIBRARY)
    return [
        nbformat.v4.new_markdown_cell(text, id=ORIGIN, metadata=metadata),
        nbformat.v4.new_code_cell(code, id=SETUP, metadata=metadata),
    ]


def run(path: Path) -> None:
    """Execute the notebook at `path` in place; leave it as it was if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id != SETUP]  # here the library is
    # What a cell prints may arrive in any number of pieces: one output in every run.
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, coalesce_streams=True, resources=resources).execute()
    normalise(notebook, path.stem)
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook, indent=1) + "\n", encoding="utf-8")


def normalise(notebook: nbformat.NotebookNode, chapter: str) -> None:
    """Drop what differs from run to run and from machine to machine; fold what the site folds, and add the opening."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **{key: value for key, value in notebook.metadata.items() if key in ("myst", "mystnb")},
    }
    notebook.cells = opening(chapter) + [cell for cell in notebook.cells if cell.id not in (ORIGIN, SETUP)]
    in_solution = False
    for cell in notebook.cells:
        for marker in re.findall(r"^`+\{solution-(start|end)\}", cell.source, flags=re.MULTILINE):
            in_solution = marker == "start"
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in ("tags", "mystnb")}
        if cell.cell_type == "code" and in_solution:  # on the site the whole solution is folded
            cell.metadata["jupyter"] = {"outputs_hidden": True, "source_hidden": True}
        elif "remove-input" in cell.metadata.get("tags", []):  # the code of a guess or a quiz has its answer
            cell.metadata["jupyter"] = {"source_hidden": True}
        if "live" in cell.metadata.get("tags", []):
            cell.outputs = []  # for the runner's own machine
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
            if "metadata" in output:
                output.metadata = {}


def main() -> None:
    """Run the chapters named on the command line, or all."""
    paths = [Path(name) for name in sys.argv[1:]] or sorted(BOOK.glob("*.ipynb"))
    for number, path in enumerate(paths, 1):
        print(f"[{number}/{len(paths)}] {path.name}", flush=True)
        run(path)


if __name__ == "__main__":
    main()
