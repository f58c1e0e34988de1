"""The library's rooms: what stands above what, and that nobody reaches for what another file keeps to itself.

Read from the syntax trees, so that nothing has to be installed or imported.
"""

import ast

import pytest

from tests import ROOT

PACKAGE = ROOT / "softmax_lib"
FILES = sorted(PACKAGE.rglob("*.py"))
# From the ground up: a file takes from the floors below it, and from its own room.
FLOORS = [
    {"digits", "inputs", "examples", "measurements"},
    {"blocks", "derived", "kernels"},
    {"with_numpy"},
    {"with_numba", "with_cupy", "__init__"},
    {"of_chunks"},
    {"with_dask"},
    {"figures", "widgets", "check"},
]


def room(module):
    """The room of a module of the library: the file or folder beside `__init__.py`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree, known):
    """The modules of the library that a file imports, each with the name it takes, or None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.startswith("softmax_lib"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("softmax_lib"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, None) if inner in known else (node.module, alias.name)


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def problems(sources):
    """What is wrong with the rooms of these modules: {name: source}."""
    floor = {name: level for level, names in enumerate(FLOORS) for name in names}
    for module, source in sources.items():
        tree = ast.parse(source)
        if (lines := len(source.splitlines())) > 600:
            yield f"{module} has {lines} lines, and wants a second room"
        taken = set()
        for other, name in imports(tree, sources):
            taken.add(other.rpartition(".")[2])
            if is_private(name or "") or any(map(is_private, other.split("."))):
                yield f"{module} takes {name or other}, which is private to {other}"
            if room(other) != room(module) and floor[room(other)] >= floor[room(module)]:
                yield f"{module} takes from {other}, which is not below it"
        for node in ast.walk(tree):
            reaches = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in taken
            if reaches and is_private(node.attr):
                yield f"{module} takes {node.value.id}.{node.attr}, which is private"


def circle(sources):
    """Modules that import each other in a circle; empty if there is none."""
    arrows = {module: {other for other, _ in imports(ast.parse(source), sources)} for module, source in sources.items()}
    while free := [module for module, others in arrows.items() if not others & arrows.keys()]:
        for module in free:
            del arrows[module]
    return sorted(arrows)


@pytest.fixture(scope="module")
def sources():
    return {module_of(path): path.read_text(encoding="utf-8") for path in FILES}


def test_arrows_run_down_and_private_names_stay_where_they_are(sources):
    assert len(sources) > 25
    assert {room(module) for module in sources} == set().union(*FLOORS)
    assert list(problems(sources)) == []
    assert circle(sources) == []


@pytest.mark.parametrize(
    ("module", "line", "told"),
    [
        ("softmax_lib.digits", "from softmax_lib.blocks import fill", "softmax_lib.blocks, which is not below it"),
        ("softmax_lib.with_numba", "from softmax_lib import with_cupy", "softmax_lib.with_cupy, which is not below it"),
        ("softmax_lib.with_numpy", "from softmax_lib.blocks import _prepared", "private to softmax_lib.blocks"),
        ("softmax_lib.with_numpy", "blocks._prepared(1)", "blocks._prepared, which is private"),
        ("softmax_lib.examples", 600 * "\n", "wants a second room"),
    ],
)
def test_a_broken_rule_is_found(sources, module, line, told):
    (found,) = problems(sources | {module: f"{sources[module]}\n{line}\n"})
    assert told in found


def test_a_circle_is_found(sources):
    broken = sources | {
        "softmax_lib.digits": "from softmax_lib import blocks",
        "softmax_lib.blocks": "import softmax_lib.digits",
    }
    assert {"softmax_lib.blocks", "softmax_lib.digits"} <= set(circle(broken))
