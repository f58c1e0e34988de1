"""Which code cells of a chapter run in the page, and which others each of them needs.

A cell runs in the page if Python in a browser has all that it imports. Running it first runs the cells above whose
names it uses, so a chapter is read as a graph of statements: each knows the last statement that bound or changed a name
it reads. A cell that shows an interactive does not run; what the cells below need of it, such as an import, does.
"""

from __future__ import annotations

import ast
import symtable
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import nbformat
from bs4 import BeautifulSoup
from sphinx.util import logging

PYTHON = Path(__file__).resolve().parents[3] / "_build" / "python"  # tools/pyodide.py lays it out

PACKAGES = {"numpy", "matplotlib", "scipy", "sklearn", "softmax_lib"}
NOT_IN_A_BROWSER = {"concurrent", "multiprocessing", "pathlib", "socket", "subprocess", "threading", "tracemalloc"}
OF_A_MACHINE = {"cupy": "CuPy", "dask": "Dask", "numba": "Numba"}  # a chapter about one of them keeps its outputs
AVAILABLE = PACKAGES | (sys.stdlib_module_names - NOT_IN_A_BROWSER)
NOT_OF_THE_LIBRARY = {"kernels", "widgets", "with_cupy", "with_dask", "with_numba"}

logger = logging.getLogger(__name__)


class Runnable(NamedTuple):
    """A cell's part in a session: its number, those that run before it, and, where it runs unseen, what of it runs."""

    number: int
    needs: list[int]
    unseen: str | None


@dataclass(eq=False)
class Statement:
    cell: int
    source: str
    reads: set[str]
    binds: set[str]
    needs: set[Statement] = field(default_factory=set)
    runs: bool = True
    together: list[Statement] = field(default_factory=list)  # the whole cell, where it runs whole


def code_of(notebook: Path) -> list[str]:
    """The source of each code cell that the page has; none where it is no notebook."""
    if not notebook.exists():
        return []
    cells = (cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code")
    return [cell.source for cell in cells if "remove-cell" not in cell.metadata.get("tags", [])]


def add_runnable_cells(soup: BeautifulSoup, sources: list[str]) -> None:
    """Tell the page's script which cells run and what each needs; or tell the reader why none does."""
    boxes = soup.select("article div.cell")
    if len(boxes) != len(sources):
        logger.warning("%d code cells are shown as %d", len(sources), len(boxes))
        return
    if what := machine_needed(sources):
        words = f"This chapter’s code uses {what}, which a browser does not have. Run it in Binder, or on your machine."
        first = soup.select_one("article div.cell_input")
        note = soup.new_tag("p", attrs={"class": "cell-note"})
        note.string = words
        first.find_parent(class_="cell").insert_before(note)
        return
    for cell in runnable_cells(sources):
        box = boxes[cell.number]
        box["data-cell"], box["data-needs"] = str(cell.number), " ".join(map(str, cell.needs))
        if cell.unseen is not None:
            box["data-unseen"] = cell.unseen


def runnable_cells(sources: list[str]) -> list[Runnable]:
    """What a page has to know of its chapter's code cells to run them."""
    cells = [statements_of(number, source) for number, source in enumerate(sources)]
    connect([each for cell in cells for each in cell])
    whole = [number for number, cell in enumerate(cells) if cell and all(each.runs for each in cell)]
    for number in whole:
        for each in cells[number]:
            each.together = cells[number]
    needed = {number: everything_before(cells[number]) for number in whole}
    of_others = {each for before in needed.values() for each in before if each.cell not in needed}
    parts = {number: [each for each in cells[number] if each in of_others] for number in {e.cell for e in of_others}}
    needed |= {number: everything_before(part) for number, part in parts.items()}
    return [
        Runnable(
            number,
            sorted({each.cell for each in needed[number]}),
            "\n".join(each.source for each in parts[number]) if number in parts else None,
        )
        for number in sorted(needed)
    ]


def machine_needed(sources: list[str]) -> str | None:
    """What a chapter is about that no browser has."""
    roots = {name.split(".")[0] for source in sources for name in imported(ast.parse(source))}
    return next((what for module, what in OF_A_MACHINE.items() if module in roots), None)


def statements_of(cell: int, source: str) -> list[Statement]:
    return [
        Statement(cell, code, *names_in(code, node))
        for node in ast.parse(source).body
        if (code := "\n".join(source.splitlines()[first_line(node) - 1 : node.end_lineno]))
    ]


def first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])


def names_in(code: str, node: ast.stmt) -> tuple[set[str], set[str]]:
    """The global names that a statement reads, in its functions too, and those that it binds or changes."""
    top = symtable.symtable(code, "cell", "exec")
    reads = {each.get_name() for each in top.get_symbols() if each.is_referenced()}
    binds = {each.get_name() for each in top.get_symbols() if each.is_assigned() or each.is_imported()}
    inner = top.get_children()
    while inner:
        table = inner.pop()
        inner += table.get_children()
        reads |= {each.get_name() for each in table.get_symbols() if each.is_global()}
    for each in ast.walk(node):  # x[i] = …, x.a = … and x += … change what x names
        if isinstance(each, ast.Subscript | ast.Attribute) and isinstance(each.ctx, ast.Store):
            binds |= {name.id for name in ast.walk(each.value) if isinstance(name, ast.Name)}
        elif isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name):
            reads.add(each.target.id)
    return reads, binds


def connect(statements: list[Statement]) -> None:
    """Let each statement know those that it needs, and whether it can run."""
    bound: dict[str, Statement] = {}
    generators: set[str] = set()  # a draw changes them, whoever makes it
    for each in statements:
        # A function may use a name that is bound only after it, but before its call.
        late = {name for use in each.reads & bound.keys() for name in bound[use].reads}
        for name in (each.reads | late) & bound.keys():
            each.needs.add(bound[name])
        each.needs.discard(each)
        each.runs = all(map(is_available, imported(ast.parse(each.source)))) and "open" not in each.reads
        each.runs = each.runs and all(need.runs for need in each.needs)
        if "default_rng" in each.source:
            generators |= each.binds
        for name in each.binds | (each.reads & generators):
            bound[name] = each


def imported(tree: ast.Module) -> list[str]:
    names = []
    for each in ast.walk(tree):
        if isinstance(each, ast.Import):
            names += [alias.name for alias in each.names]
        elif isinstance(each, ast.ImportFrom):
            names += [f"{each.module}.{alias.name}" for alias in each.names]
    return names


def is_available(module: str) -> bool:
    root, *below = module.split(".")
    return root in AVAILABLE and not (root == "softmax_lib" and below and below[0] in NOT_OF_THE_LIBRARY)


def everything_before(part: list[Statement]) -> set[Statement]:
    """All that the statements of a cell need of the cells above, and what that needs in turn."""
    found: set[Statement] = set()
    waiting = list(part)
    while waiting:
        each = waiting.pop()
        new = {*each.needs, *each.together} - found - set(part)
        found |= new
        waiting += new
    return found
