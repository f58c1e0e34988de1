"""Run every chapter and store what it shows: `make notebooks`.

The site is built from the stored outputs, and the tests run the chapters again and compare. So an
output is stored only in the form that is the same in every run: no widget state, no ids, no timings.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

BOOK = Path(__file__).parents[1] / "book"


def run(path: Path) -> None:
    """Execute the notebook at `path` in place; leave it as it was if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    # What a cell prints may arrive in any number of pieces: one output in every run.
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, coalesce_streams=True, resources=resources).execute()
    normalise(notebook)
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook, indent=1) + "\n", encoding="utf-8")


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs from run to run and from machine to machine."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **{key: value for key, value in notebook.metadata.items() if key in ("myst", "mystnb")},
    }
    for cell in notebook.cells:
        folded = cell.metadata.get("jupyter", {}).get(
            "source_hidden", False
        )  # the code of a guess or a quiz has its answer
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in ("tags", "mystnb")}
        if folded:
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
