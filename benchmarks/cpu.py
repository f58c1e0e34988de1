"""How fast softmax and its relatives are on this machine's processor, beside its peers and a copy of the same array.

Each contestant has a process of its own, because thread pools that share one stall each other. All get the same
inputs; each answer is checked against float64, and who is wrong is named and not timed. Then they take turns, several
rounds in random order, so that what else the machine does hits all alike. Arrays larger than the caches are several,
used in turn, and results are written into arrays that exist already, where a contestant can.
"""

import argparse
import contextlib
import gc
import importlib
import itertools
import math
import multiprocessing
import os
import random
import re
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.contestants import (
    CONTESTANTS,
    LIMITS,
    OPERATIONS,
    PACKAGES,
    TOLERANCES,
    Call,
    Case,
    Inputs,
    Prepare,
    aligned,
    error,
    make_inputs,
)

MIB = 2**20
IN_CACHE = 2 * MIB  # a case that moves no more is meant to stay in the caches
ROTATION = 512 * MIB  # all others have buffers of this size in all, more than a core's share of any cache
TURN, QUICK_TURN = 0.05, 0.03  # seconds
ROUNDS, QUICK_ROUNDS = 9, 3
ENOUGH = 2.0  # seconds a case: after three rounds, who is slow waits for the others

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
    """Answer requests until there are no more; the first answer says why not, or None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, who ends us
    threads = str(report.cores())
    os.environ |= {"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE"}
    try:
        prepare = _factory(name)()
    except (ImportError, AttributeError) as problem:
        connection.send(str(problem))
        return
    connection.send(None)
    contestant = Timed(prepare, LIMITS.get(name))
    while (request := connection.recv()) is not None:
        method, *arguments = request
        try:
            connection.send(getattr(contestant, method)(*arguments))
        except Exception as problem:
            connection.send(problem if isinstance(problem, NotImplementedError) else RuntimeError(_one_line(problem)))


def _factory(name: str) -> Callable[[], Prepare]:
    module, _, function = name.rpartition(":")
    return getattr(importlib.import_module(module), function) if module else CONTESTANTS[name]


def _one_line(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}".splitlines()[0][:200]


class Timed:
    """A contestant on its case: prepared, checked and timed."""

    def __init__(self, prepare: Prepare, operation: str | None) -> None:
        self.prepare_call, self.operation = prepare, operation
        self.calls: Iterator[Call] = iter(())
        self.inputs: list[Inputs] = []  # kept: a call may know no more of them than where they lie
        self.calls_per_sample = 1

    def prepare(self, case: Case, buffers: int) -> float:
        """Make everything ready, run it once, and return the error of the result."""
        self.calls, self.inputs = iter(()), []
        gc.collect()  # the arrays of the last case
        case = case._replace(operation=self.operation or case.operation)
        inputs = make_inputs(case)
        calls = [self.prepare_call(case, inputs, _empty(case))]
        found = error(case, inputs, np.asarray(calls[0]()))
        self.inputs = [inputs, *(tuple(map(_copy, inputs)) for _ in range(buffers - 1))]
        calls += [self.prepare_call(case, each, _empty(case)) for each in self.inputs[1:]]
        self.calls = itertools.cycle(calls)
        return found

    def warm_up(self) -> None:
        """Find out how many calls make a sample of half a millisecond or more."""
        self.calls_per_sample = 1
        samples = self.turn(QUICK_TURN)
        self.calls_per_sample = math.ceil(5e-4 / statistics.median(samples))

    def turn(self, seconds: float) -> list[float]:
        """Seconds that a call took, sample by sample, for so long; one sample at least."""
        number, calls, samples = self.calls_per_sample, self.calls, []
        begin = time.perf_counter()
        for _ in range(number):  # not counted: the threads were asleep, and the caches someone else's
            next(calls)()
        if (wake := time.perf_counter() - begin) > seconds:
            samples.append(wake / number)  # too slow for that to matter
        while not samples or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            for _ in range(number):
                next(calls)()
            samples.append((time.perf_counter() - start) / number)
        _fall_asleep()
        return samples


def _empty(case: Case) -> np.ndarray:
    """An array for the result. Written once: the system gives a page its memory at the first touch, which is slow."""
    result = aligned(case.shape, case.dtype)
    result[...] = 0
    return result


def _copy(array: np.ndarray) -> np.ndarray:
    copied = aligned(array.shape, array.dtype.name)
    copied[...] = array
    return copied


def _fall_asleep() -> None:
    """Wait until this process's threads are idle: ONNX Runtime's spin for a while, at the next one's expense."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.002)
        if time.process_time() - before < 2e-4:
            return


# --- the run ---------------------------------------------------------------------------------------------------------


class Worker:
    """A contestant's process as the parent sees it: what is asked gets one answer, an exception if there is none."""

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(name, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, *request: Any) -> None:
        with contextlib.suppress(OSError):  # it has died; the answer says so
            self.connection.send(request)

    def answer(self) -> Any:
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return RuntimeError(f"its process ended with code {self.process.exitcode}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()


def measure(case: Case, buffers: int, workers: Sequence[Worker], rounds: int, turn: float) -> dict[str, Any]:
    """The results of all `workers` in one case, by name."""
    results: dict[str, dict[str, Any]] = {}
    taking_part = []
    for worker in workers:
        worker.ask("prepare", case, buffers)
    for worker in workers:
        found = worker.answer()
        if isinstance(found, Exception):
            results[worker.name] = {"left_out": str(found)}
        elif not found <= TOLERANCES[case.dtype]:
            results[worker.name] = {"left_out": f"wrong: the largest error is {found:.2g}", "error": found}
        else:
            results[worker.name] = {"error": found}
            taking_part.append(worker)
    samples: dict[str, list[float]] = {worker.name: [] for worker in taking_part}
    spent = dict.fromkeys(samples, 0.0)
    order = random.Random(0)
    for worker in taking_part:
        worker.ask("warm_up")
        worker.answer()
    for number in range(rounds):
        for worker in order.sample(taking_part, len(taking_part)):
            if number >= 3 and spent[worker.name] > ENOUGH:
                continue
            start = time.perf_counter()
            worker.ask("turn", turn)
            answer = worker.answer()
            if isinstance(answer, Exception):
                results[worker.name] = {"left_out": str(answer)}
                taking_part.remove(worker)
                continue
            samples[worker.name] += answer
            spent[worker.name] += time.perf_counter() - start
    for worker in taking_part:
        moved = case._replace(operation=LIMITS.get(worker.name, case.operation)).bytes_moved
        results[worker.name] |= _summary(moved, samples[worker.name])
    return results


def _buffers(case: Case, contestants: int) -> int:
    """How many arrays each takes in turn; 0 if they do not fit.

    All arrays together take half of the memory at most, which leaves as much for what the contestants allocate.
    """
    share = (report.memory() or math.inf) / 2 / contestants
    if case.bytes_moved > share:
        return 0
    return 1 if case.bytes_moved <= IN_CACHE else math.ceil(min(ROTATION, share) / case.bytes_moved)


def _summary(bytes_moved: int, samples: list[float]) -> dict[str, Any]:
    lower, median, upper = np.quantile(samples, [0.25, 0.5, 0.75]).tolist()
    return {
        "seconds": {"median": median, "lower_quartile": lower, "upper_quartile": upper},
        "samples": len(samples),
        "gigabytes_per_second": bytes_moved / median / 1e9,
    }


# --- what is printed -------------------------------------------------------------------------------------------------


def tables(cases: Iterable[dict[str, Any]]) -> str:
    """A table for each case, the fastest first."""
    return "\n\n".join(f"{case['name']}\n{_table(case['results'])}" for case in cases)


def _table(results: dict[str, Any]) -> str:
    speeds = {name: result.get("gigabytes_per_second", 0.0) for name, result in results.items()}
    limit = max((speeds[name] for name in LIMITS if name in speeds), default=0.0)

    def ratio(speed: float, base: float) -> str:
        return f"{speed / base:.2f}" if base else "-"

    rows = []
    for name in sorted(speeds, key=speeds.__getitem__, reverse=True):
        if "left_out" in results[name]:
            continue
        seconds = results[name]["seconds"]
        spread = (seconds["upper_quartile"] - seconds["lower_quartile"]) / seconds["median"]
        rows.append(
            (
                f"  {name}",
                f"{seconds['median'] * 1e3:.4g}",
                f"{spread:.0%}",
                f"{speeds[name]:.2f}",
                ratio(speeds[name], limit),
                ratio(speeds[name], speeds.get("scipy", 0.0)),
                f"{results[name]['error']:.1e}",
            )
        )
    left_out = [f"  {name} left out: {result['left_out']}" for name, result in results.items() if "left_out" in result]
    return "\n".join([report.table(("", "ms", "spread", "GB/s", "of limit", "x scipy", "error"), rows), *left_out])


LEGEND = (
    "GB/s: the bytes that must move, over the median time. spread: between the quartiles. "
    "of limit: against the best copy here, for cross_entropy a pure read. error: the largest, relative."
)


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
    rounds, turn = (QUICK_ROUNDS, QUICK_TURN) if options.quick else (ROUNDS, TURN)
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
            if not here or not (buffers := _buffers(case, len(here))):
                results["left_out"][str(case)] = "too large for this machine's memory" if here else "nobody to measure"
                continue
            results["cases"].append(
                {"name": str(case), **case._asdict(), "bytes": case.bytes_moved, "buffers": buffers}
                | {"results": measure(case, buffers, here, rounds, turn)}
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
    print(tables(results["cases"]))
    print(f"\n{LEGEND}")
    for name, reason in results["left_out"].items():
        print(f"Left out: {name} ({reason})")
    print(f"{results['seconds']:.0f} s; written to {options.output}")
    return 0


def _fits_operation(name: str, case: Case) -> bool:
    """A copy is the limit of what writes, a read of what does not."""
    return name not in LIMITS or (LIMITS[name] == "read") == (case.operation == "cross_entropy")


if __name__ == "__main__":
    sys.exit(main())
