"""How fast each rung of the Numba ladder is: the code of `book/ladder.ipynb`, timed.

The cells tagged `rung-setup` and `rung` are executed in order, without the rest of the page. Each
rung defines one function. It is checked against float64 and then takes turns with the others, with
a copy of the same array, SciPy and `softmax_lib.with_numba`, all in one process. A rung that is
wrong is named and not timed.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np

from benchmarks import report, timing
from benchmarks.cases import TOLERANCES, Array, Case, Inputs, aligned, aligned_copy, error, make_inputs
from benchmarks.contestants import CONTESTANTS, Prepare, copy_kernels

PAGE = report.ROOT / "book" / "ladder.ipynb"
PACKAGES = ("numpy", "scipy", "numba", "llvmlite")
BESIDE = {"softmax": ("copy", "copy_nontemporal", "scipy", "with_numba"), "softmax_vjp": ("with_numba",)}
CASES = [
    *(Case("softmax", shape) for shape in ((4096, 4096), (128, 1024), (1, 2**24))),
    *(Case("softmax_vjp", shape) for shape in ((64, 128), (64, 1024))),
]
QUICK_CASES = [Case("softmax", (128, 1024)), Case("softmax_vjp", (64, 128))]
FIRST_CALL = """
import time
start = time.perf_counter()
import numba, numpy, softmax_lib
between = time.perf_counter()
from softmax_lib.with_numba import softmax
softmax(numpy.zeros((2, 3), numpy.float32))
print(between - start, time.perf_counter() - between)
"""


def rungs(page: Path = PAGE) -> dict[str, Callable[..., Any]]:
    """The function of each cell tagged `rung`, by name, in the order of the page."""
    space: dict[str, Any] = {"__name__": "ladder"}
    found = {}
    for number, cell in enumerate(json.loads(page.read_text(encoding="utf-8"))["cells"]):
        tags = cell["metadata"].get("tags", [])
        if "rung" not in tags and "rung-setup" not in tags:
            continue
        before = set(space)
        exec(compile("".join(cell["source"]), f"<cell {number} of {page.name}>", "exec"), space)
        if "rung" in tags:
            (name,) = set(space) - before
            found[name] = space[name]
    return found


def as_prepare(function: Callable[..., Any]) -> Prepare:
    """A rung, which takes the inputs and the array for the result, as a contestant."""

    def prepare(case: Case, inputs: Any, out: Any) -> Callable[[], Any]:
        def call() -> Any:
            function(*inputs, out)
            return out

        return call

    return prepare


def copy_one_core() -> Prepare:
    """The non-temporal copy, which is the limit for a rung without threads."""
    kernel, _ = copy_kernels(nontemporal=True)
    return as_prepare(lambda x, out: kernel(x.reshape(-1), out.reshape(-1), 0, x.size))


class InThisProcess(timing.Timed):
    """A contestant for `timing.measure` that has no process of its own; all share some arrays."""

    def __init__(self, name: str, prepare: Prepare, arrays: list[tuple[Inputs, Array]]) -> None:
        super().__init__()
        self.name, self.prepare_call, self.arrays = name, prepare, arrays

    def prepare(self, case: Case, buffers: int) -> float:
        """Make the calls, make the first, and return the error of its result."""
        if self.name.startswith("copy"):
            case = case._replace(operation="copy")
        calls = [self.prepare_call(case, inputs, out) for inputs, out in self.arrays]
        found = error(case, self.arrays[0][0], np.asarray(calls[0]()))
        self.calls = itertools.cycle(calls)
        return found

    def ask(self, method: str, *arguments: Any) -> None:
        self.reply = getattr(self, method)(*arguments)

    def answer(self) -> Any:
        return self.reply


def measure(case: Case, taking_part: dict[str, Prepare], rounds: int, turn: float) -> dict[str, Any]:
    """The results of all in one case; who is wrong is named in them, and not timed."""
    inputs, buffers = make_inputs(case), timing.buffers(case, contestants=2)
    arrays = [(tuple(map(aligned_copy, inputs)), aligned(case.shape, case.dtype)) for _ in range(buffers)]
    contestants = [InThisProcess(name, prepare, arrays) for name, prepare in taking_part.items()]
    results = timing.measure(case, buffers, contestants, rounds, turn)
    return {"name": str(case), **case._asdict(), "bytes": case.bytes_moved, "buffers": buffers, "results": results}


def first_calls(functions: dict[str, Callable[..., Any]]) -> dict[str, float]:
    """Seconds that the first call of each takes, in this order.

    What an earlier one has compiled is not compiled again.

    A rung that is wrong on a few ordinary rows ends the run.
    """
    found = {}
    for name, function in functions.items():
        case = Case("softmax_vjp" if name.startswith("vjp") else "softmax", (6, 1000))
        inputs, out = make_inputs(case), aligned(case.shape, case.dtype)
        begin = time.perf_counter()
        function(*inputs, out)
        found[name] = time.perf_counter() - begin
        if not (off := error(case, inputs, out)) <= TOLERANCES[case.dtype]:
            raise SystemExit(f"python -m benchmarks.ladder: {name} is wrong: the largest error is {off:.2g}")
    return found


def library_first_call() -> dict[str, dict[str, float]]:
    """Seconds of a new process for import and first call, with an empty cache and a filled one."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for cache in ("empty", "filled"):
            command, environment = [sys.executable, "-c", FIRST_CALL], os.environ | {"NUMBA_CACHE_DIR": folder}
            ran = subprocess.run(command, cwd=report.ROOT, env=environment, capture_output=True, text=True, check=True)
            found[cache] = dict(zip(("import", "call"), map(float, ran.stdout.split()), strict=True))
    return found


def main(given: Sequence[str] | None = None) -> int:
    parser = report.parser("ladder", __doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds: under a minute")
    options = parser.parse_args(given)
    rounds, turn = timing.pace(options.quick)
    cases = QUICK_CASES if options.quick else CASES
    progress = report.Progress(len(cases) + 1)
    progress.step("the first calls")
    functions = rungs()
    results: dict[str, Any] = {
        "facts": report.facts(PACKAGES),
        "threads": numba.get_num_threads(),
        "quick": options.quick,
        "rungs": list(functions),
        "first_calls": first_calls(functions),
        "library_first_call": library_first_call(),
        "cases": [],
    }
    for case in cases:
        progress.step(str(case))
        mine = {
            name: as_prepare(f)
            for name, f in functions.items()
            if name.startswith("vjp") == case.operation.endswith("vjp")
        }
        copies = {"copy_one_core": copy_one_core()} if case.operation == "softmax" else {}
        others = {name: CONTESTANTS[name]() for name in BESIDE[case.operation]}
        results["cases"].append(measure(case, mine | copies | others, rounds, turn))
    progress.close()
    report.write(options.output, results)
    print(timing.tables(results["cases"]))
    print(f"\n{timing.LEGEND}\nWritten to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
