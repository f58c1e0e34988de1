"""How fast softmax and log-softmax are beside SciPy's, for small, large and odd inputs.

Every library is called as a reader calls it, without an array for the result, and all in one
process. Each answer is checked against float64; a library that is wrong is named and not timed.
Then the libraries take turns, several rounds in random order. In each round a library's time is
divided by SciPy's time in that round, so that whatever else the machine does hits both alike.

The file holds `facts` and `cases`. Each case has `results` by library: the `error`, the `seconds`
of a call, and `times_scipy`, how many times as long as SciPy's a call takes.
"""

import argparse
import functools
import importlib
import itertools
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from benchmarks import cases, report, timing
from benchmarks.cases import TOLERANCES, Array

OPERATIONS = ("softmax", "log_softmax")
LIBRARIES = {"scipy": "scipy.special", "with_numpy": "softmax_lib.with_numpy", "with_numba": "softmax_lib.with_numba"}
PACKAGES = ("numpy", "scipy", "numba", "llvmlite")


class Logits(NamedTuple):
    """A kind of logits: what makes an array of them, in float64, and the axis to go along."""

    make: Callable[[], Array]
    axis: int = -1


def normals(*shape: int, sigma: float = 2.0) -> Array:
    return sigma * np.random.default_rng(0).standard_normal(shape)


def half_masked(*shape: int) -> Array:
    """On average every other logit is -inf, in no pattern that a processor could learn."""
    return np.where(np.random.default_rng(1).random(shape) < 0.5, -np.inf, normals(*shape))


KINDS = {
    "5 logits": Logits(lambda: normals(5)),
    "1000 logits": Logits(lambda: normals(1000)),
    "1024 x 1024": Logits(lambda: normals(1024, 1024)),
    "1 x 1048576": Logits(lambda: normals(1, 2**20)),
    "100000 x 3, Fortran order": Logits(lambda: np.asfortranarray(normals(100_000, 3))),
    "100000 x 1": Logits(lambda: normals(100_000, 1)),
    "1 x 3 x 224 x 224 along axis 1": Logits(lambda: normals(1, 3, 224, 224), axis=1),
    "1024 x 1024, shifted by -1000": Logits(lambda: normals(1024, 1024) - 1000),
    "1024 x 1024, half masked": Logits(lambda: half_masked(1024, 1024)),
    "1024 x 1024, sigma 300": Logits(lambda: normals(1024, 1024, sigma=300)),
}

# --- a case ----------------------------------------------------------------------------------------------------------


def error(operation: str, x: Array, axis: int, result: Array) -> float:
    """The largest error of `result` against float64, relative to the numbers that it is made of."""
    if result.shape != x.shape or result.dtype != x.dtype:
        return math.inf
    exact, scale = cases.exact(operation, np.moveaxis(x, axis, -1).astype(np.float64))
    return cases.largest_error(np.moveaxis(result, axis, -1), exact, scale + cases.smallest_normal(x.dtype.name))


def measure(
    operation: str, x: Array, axis: int, libraries: dict[str, ModuleType], rounds: int, turn: float
) -> dict[str, dict[str, Any]]:
    """The results of all libraries, by name; who is wrong is named in them, and not timed."""
    results: dict[str, dict[str, Any]] = {}
    timed: dict[str, timing.Timed] = {}
    for name, library in libraries.items():
        call = functools.partial(getattr(library, operation), x, axis=axis)
        try:
            found = error(operation, x, axis, np.asarray(call()))
        except Exception as problem:
            results[name] = {"left_out": report.one_line(problem)}
            continue
        results[name] = {"error": found}
        if found <= TOLERANCES[x.dtype.name]:
            timed[name] = timing.Timed([call])
            timed[name].warm_up()
        else:
            results[name]["left_out"] = f"wrong: the largest error is {found:.2g}"
    samples: dict[str, list[float]] = {name: [] for name in timed}
    ratios: dict[str, list[float]] = {name: [] for name in timed}
    order = random.Random(0)
    for _ in range(rounds):
        seconds = {}
        for name in order.sample(list(timed), len(timed)):
            taken = timed[name].turn(turn)
            samples[name] += taken
            seconds[name] = statistics.median(taken)
        if "scipy" in seconds:
            for name in seconds:
                ratios[name].append(seconds[name] / seconds["scipy"])
    for name in timed:
        results[name] |= {"seconds": timing.quartiles(samples[name]), "samples": len(samples[name])}
        if "scipy" in timed:
            results[name]["times_scipy"] = timing.quartiles(ratios[name])
    return results


# --- what is printed -------------------------------------------------------------------------------------------------


def tables(found: Sequence[dict[str, Any]]) -> str:
    """A table for each operation, the libraries side by side."""
    names = dict.fromkeys(name for case in found for name in case["results"])
    text = []
    for operation in dict.fromkeys(case["operation"] for case in found):
        rows = [
            (f"  {case['dtype']}, {case['logits']}", *(_cell(name, case["results"].get(name, {})) for name in names))
            for case in found
            if case["operation"] == operation
        ]
        text.append(report.table((f"{operation}, microseconds", *names), rows))
    return "\n\n".join(text)


def _cell(name: str, result: dict[str, Any]) -> str:
    if "seconds" not in result:
        return "wrong" if "error" in result else "-"
    microseconds = f"{result['seconds']['median'] * 1e6:.4g}"
    if name == "scipy" or "times_scipy" not in result:
        return microseconds
    return f"{microseconds} ({result['times_scipy']['median']:.2f})"


LEGEND = "In brackets: how many times as long as SciPy's a call takes, the median of the rounds. -: left out."

# --- the command line ------------------------------------------------------------------------------------------------


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = report.parser("odd", __doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under a minute")
    parser.add_argument("--only", nargs="+", choices=OPERATIONS, default=OPERATIONS, metavar="OPERATION")
    parser.add_argument("--dtypes", nargs="+", choices=TOLERANCES, default=list(TOLERANCES), metavar="DTYPE")
    return parser.parse_args(given)


def load() -> tuple[dict[str, ModuleType], dict[str, str]]:
    """The libraries that are here, and why the others are not."""
    here, left_out = {}, {}
    for name, module in LIBRARIES.items():
        try:
            here[name] = importlib.import_module(module)
        except ImportError as problem:
            left_out[name] = str(problem)
    return here, left_out


def main(given: Sequence[str] | None = None) -> int:
    options = arguments(given)
    rounds, turn = timing.pace(options.quick)
    begin = time.perf_counter()
    libraries, left_out = load()
    results: dict[str, Any] = {
        "facts": report.facts(PACKAGES),
        "quick": options.quick,
        "left_out": left_out,
        "cases": [],
    }
    work = list(itertools.product(options.only, options.dtypes, KINDS.items()))
    progress = report.Progress(len(work))
    try:
        for operation, dtype, (kind, logits) in work:
            name, x = f"{operation} {dtype}, {kind}", logits.make().astype(dtype)
            progress.step(name)
            results["cases"].append(
                {"name": name, "operation": operation, "logits": kind}
                | {"shape": x.shape, "dtype": dtype, "axis": logits.axis}
                | {"results": measure(operation, x, logits.axis, libraries, rounds, turn)}
            )
        progress.close()
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is written.", file=sys.stderr)
        return 130
    results["seconds"] = time.perf_counter() - begin
    report.write(options.output, results)
    print(tables(results["cases"]))
    print(f"\n{LEGEND}")
    for name, reason in left_out.items():
        print(f"Left out: {name} ({reason})")
    for case in results["cases"]:
        for name, result in case["results"].items():
            if "left_out" in result:
                print(f"Left out: {name}, {case['name']} ({result['left_out']})")
    print(f"{results['seconds']:.0f} s; written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
