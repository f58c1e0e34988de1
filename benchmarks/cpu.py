"""How fast softmax and its relatives are on this processor, beside their peers and a copy.

Each contestant has a process of its own, because thread pools that share one stall each other. All
get the same inputs. Each answer is checked against float64; a contestant that is wrong is named and
not timed. Then they take turns, several rounds in random order, so that whatever else the machine
does hits all of them alike. Where an array is larger than the caches, several are used in turn.
Results are written into arrays that exist already, where a contestant can do that.
"""

import argparse
import contextlib
import gc
import importlib
import itertools
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from benchmarks import report, timing
from benchmarks.cases import OPERATIONS, TOLERANCES, Case, Inputs, aligned, aligned_copy, error, make_inputs
from benchmarks.contestants import CONTESTANTS, LIMITS, PACKAGES, Prepare

GRID = [
    *(
        Case("softmax", shape)
        for shape in (
            (1, 1000),
            (128, 1024),
            (65536, 32),
            (16384, 128),
            (1024, 1024),
            (4096, 4096),
            (512, 131072),
            (1, 2**24),
        )
    ),
    Case("softmax", (4096, 4096), axis=0),
    *(
        Case("softmax", shape, "float64")
        for shape in ((1, 1000), (65536, 32), (1024, 1024), (4096, 4096), (512, 131072), (1, 2**24))
    ),
    Case("softmax", (2048, 4096), "float64", axis=0),
    *(Case("log_softmax", shape) for shape in ((65536, 32), (4096, 4096), (256, 131072))),
    Case("log_softmax", (2048, 4096), "float64"),
    *(Case("softmax_vjp", shape) for shape in ((65536, 32), (4096, 4096), (256, 131072))),
    Case("softmax_vjp", (2048, 4096), "float64"),
    *(Case("cross_entropy", shape) for shape in ((65536, 32), (4096, 4096), (512, 131072))),
    Case("cross_entropy", (2048, 4096), "float64"),
]
QUICK_GRID = [
    *(Case("softmax", shape) for shape in ((1, 1000), (65536, 32), (1024, 1024))),
    Case("softmax", (1024, 1024), "float64"),
    *(Case(operation, (1024, 1024)) for operation in OPERATIONS[1:]),
]

# --- a contestant's process ------------------------------------------------------------------------------------------


def serve(name: str, connection: Connection) -> None:
    """Answer requests until there are no more.

    The first answer comes without a request: why this contestant is absent, or None.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who then ends this process
    threads = str(report.cores())
    os.environ |= {"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE"}
    try:
        prepare = _factory(name)()
    except (ImportError, AttributeError) as problem:
        connection.send(str(problem))
        return
    connection.send(None)
    contestant = Prepared(prepare, LIMITS.get(name))
    while (request := connection.recv()) is not None:
        method, *arguments = request
        try:
            connection.send(getattr(contestant, method)(*arguments))
        except NotImplementedError as problem:
            connection.send(problem)
        except Exception as problem:
            connection.send(RuntimeError(report.one_line(problem)))


def _factory(name: str) -> Callable[[], Prepare]:
    module, _, function = name.rpartition(":")
    return getattr(importlib.import_module(module), function) if module else CONTESTANTS[name]


class Prepared(timing.Timed):
    """A contestant on its case: prepared, checked and timed."""

    def __init__(self, prepare: Prepare, operation: str | None) -> None:
        super().__init__()
        self.prepare_call, self.operation = prepare, operation
        self.inputs: list[Inputs] = []  # kept, because a call may know nothing but the addresses of its inputs

    def prepare(self, case: Case, buffers: int) -> float:
        """Make everything ready, run it once, and return the error of the result."""
        self.calls, self.inputs = iter(()), []
        gc.collect()  # the arrays of the last case
        case = case._replace(operation=self.operation or case.operation)
        inputs = make_inputs(case)
        calls = [self.prepare_call(case, inputs, _empty(case))]
        found = error(case, inputs, np.asarray(calls[0]()))
        self.inputs = [inputs, *(tuple(map(aligned_copy, inputs)) for _ in range(buffers - 1))]
        calls += [self.prepare_call(case, each, _empty(case)) for each in self.inputs[1:]]
        self.calls = itertools.cycle(calls)
        return found


def _empty(case: Case) -> np.ndarray:
    """An array for the result, written once already, because the first touch of a page is slow."""
    result = aligned(case.shape, case.dtype)
    result[...] = 0
    return result


class Worker:
    """A contestant's process as the parent sees it.

    Each question has one answer, and it is an exception if the process has died.
    """

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(name, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, method: str, *arguments: Any) -> None:
        with contextlib.suppress(OSError):  # the process has died, and the answer will say so
            self.connection.send((method, *arguments))

    def answer(self) -> Any:
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return RuntimeError(f"its process ended with code {self.process.exitcode}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()


# --- the command line ------------------------------------------------------------------------------------------------


def _contestant(name: str) -> str:
    if name not in CONTESTANTS and not re.fullmatch(r"[\w.]+:\w+", name):
        raise argparse.ArgumentTypeError(f"unknown contestant {name!r}: choose from {', '.join(CONTESTANTS)}")
    return name


def _shape(text: str) -> tuple[int, int]:
    if not (match := re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)):
        raise argparse.ArgumentTypeError(f"a shape is rows x columns, such as 1024x32, not {text!r}")
    return int(match[1]), int(match[2])


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = report.parser("cpu", __doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds: under a minute")
    parser.add_argument("--only", nargs="+", choices=OPERATIONS, default=OPERATIONS, metavar="OPERATION")
    parser.add_argument("--dtypes", nargs="+", choices=TOLERANCES, default=list(TOLERANCES), metavar="DTYPE")
    parser.add_argument("--shapes", nargs="+", type=_shape, metavar="ROWSxCOLUMNS", help="these, instead of the grid's")
    parser.add_argument(
        "--contestants",
        nargs="+",
        type=_contestant,
        default=list(CONTESTANTS),
        metavar="NAME",
        help=f"some of {', '.join(CONTESTANTS)}; or your own, as module:function (see benchmarks/contestants.py)",
    )
    return parser.parse_args(given)


def grid(options: argparse.Namespace) -> list[Case]:
    """The cases that the command line asks for."""
    if options.shapes:
        return [Case(*case) for case in itertools.product(options.only, options.shapes, options.dtypes)]
    chosen = QUICK_GRID if options.quick else GRID
    return [case for case in chosen if case.operation in options.only and case.dtype in options.dtypes]


def main() -> int:
    options = arguments()
    rounds, turn = timing.pace(options.quick)
    results: dict[str, Any] = {
        "facts": report.facts(PACKAGES),
        "threads": report.cores(),
        "quick": options.quick,
        "left_out": {},
        "cases": [],
    }
    begin = time.perf_counter()
    workers = [Worker(name) for name in dict.fromkeys(options.contestants)]
    try:
        for worker in workers:
            if (absent := worker.answer()) is not None:
                results["left_out"][worker.name] = str(absent)
        workers = [worker for worker in workers if worker.name not in results["left_out"]]
        if not workers:
            print(f"No contestant could be run: {results['left_out']}", file=sys.stderr)
            return 1
        cases = grid(options)
        progress = report.Progress(len(cases))
        for case in cases:
            progress.step(str(case))
            here = [worker for worker in workers if _fits_operation(worker.name, case)]
            if not here or not (buffers := timing.buffers(case, len(here))):
                results["left_out"][str(case)] = "too large for this machine's memory" if here else "nobody to measure"
                continue
            results["cases"].append(
                {"name": str(case), **case._asdict(), "bytes": case.bytes_moved, "buffers": buffers}
                | {"results": timing.measure(case, buffers, here, rounds, turn)}
            )
        progress.close()
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is written.", file=sys.stderr)
        return 130
    finally:
        for worker in workers:
            worker.stop()
    results["seconds"] = time.perf_counter() - begin
    report.write(options.output, results)
    print(timing.tables(results["cases"]))
    print(f"\n{timing.LEGEND}")
    for name, reason in results["left_out"].items():
        print(f"Left out: {name} ({reason})")
    print(f"{results['seconds']:.0f} s; written to {options.output}")
    return 0


def _fits_operation(name: str, case: Case) -> bool:
    """A copy is the limit of an operation that writes a matrix, a read of one that does not."""
    return name not in LIMITS or (LIMITS[name] == "read") == (case.operation == "cross_entropy")


if __name__ == "__main__":
    sys.exit(main())
