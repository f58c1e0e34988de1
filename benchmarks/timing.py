"""How contestants on the processor take turns, and what their samples say.

They take turns, several rounds in random order, so that whatever else the machine does hits all of
them alike. `benchmarks.cpu` gives each a process of its own; `benchmarks.ladder` and
`benchmarks.odd` run all of them in one.
"""

import itertools
import math
import random
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from benchmarks import report
from benchmarks.cases import TOLERANCES, Call, Case
from benchmarks.contestants import LIMITS

MIB = 2**20
IN_CACHE = 2 * MIB  # a case that moves no more than this is meant to stay in the caches
ROTATION = 512 * MIB  # every other case has buffers of this size in all, more than a core's share of any cache
TURN, QUICK_TURN = 0.05, 0.03  # seconds
ROUNDS, QUICK_ROUNDS = 9, 3
ENOUGH = 2.0  # seconds a case: after three rounds, a contestant that took longer sits out, and the others go on


def pace(quick: bool) -> tuple[int, float]:
    """How many rounds there are, and how many seconds a turn takes."""
    return (QUICK_ROUNDS, QUICK_TURN) if quick else (ROUNDS, TURN)


class Timed:
    """Calls that are made one after the other, over and over, and timed.

    A sample is of so many calls that the clock's resolution does not matter.
    """

    def __init__(self, calls: Sequence[Call] = ()) -> None:
        self.calls: Iterator[Call] = itertools.cycle(calls)
        self.calls_per_sample = 1

    def warm_up(self) -> None:
        """Find out how many calls make a sample of half a millisecond or more."""
        self.calls_per_sample = 1
        samples = self.turn(QUICK_TURN)
        self.calls_per_sample = math.ceil(5e-4 / statistics.median(samples))

    def turn(self, seconds: float) -> list[float]:
        """Seconds that a call took, sample by sample, until the turn is over; one at least."""
        number, calls, samples = self.calls_per_sample, self.calls, []
        begin = time.perf_counter()
        for _ in range(number):  # not counted: the threads were asleep, and the caches held someone else's arrays
            next(calls)()
        if (wake := time.perf_counter() - begin) > seconds:
            samples.append(wake / number)  # in so long a sample, waking up does not matter
        while not samples or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            for _ in range(number):
                next(calls)()
            samples.append((time.perf_counter() - start) / number)
        _fall_asleep()
        return samples


def _fall_asleep() -> None:
    """Wait until this process's threads are idle.

    ONNX Runtime's threads spin for a while, and that slows down whoever is next.
    """
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.002)
        if time.process_time() - before < 2e-4:
            return


# --- taking turns ----------------------------------------------------------------------------------------------------


class Contestant(Protocol):
    """Whoever can be asked for `prepare`, `warm_up` and `turn`, in another process or in this one.

    Each question has one answer, which is an exception where something went wrong.
    """

    name: str

    def ask(self, method: str, *arguments: Any) -> None: ...

    def answer(self) -> Any: ...


def measure(
    case: Case, buffers: int, contestants: Sequence[Contestant], rounds: int, turn: float
) -> dict[str, dict[str, Any]]:
    """The results of all `contestants` in one case, by name; whoever is wrong is not timed."""
    results: dict[str, dict[str, Any]] = {}
    taking_part = []
    for each in contestants:
        each.ask("prepare", case, buffers)
    for each in contestants:
        found = each.answer()
        if isinstance(found, Exception):
            results[each.name] = {"left_out": str(found)}
        elif not found <= TOLERANCES[case.dtype]:
            results[each.name] = {"left_out": f"wrong: the largest error is {found:.2g}", "error": found}
        else:
            results[each.name] = {"error": found}
            taking_part.append(each)
    samples: dict[str, list[float]] = {each.name: [] for each in taking_part}
    spent = dict.fromkeys(samples, 0.0)
    order = random.Random(0)
    for each in taking_part:
        each.ask("warm_up")
        each.answer()
    for number in range(rounds):
        for each in order.sample(taking_part, len(taking_part)):
            if number >= 3 and spent[each.name] > ENOUGH:
                continue
            start = time.perf_counter()
            each.ask("turn", turn)
            answer = each.answer()
            if isinstance(answer, Exception):
                results[each.name] = {"left_out": str(answer)}
                taking_part.remove(each)
                continue
            samples[each.name] += answer
            spent[each.name] += time.perf_counter() - start
    for each in taking_part:
        moved = case._replace(operation=LIMITS.get(each.name, case.operation)).bytes_moved
        results[each.name] |= summary(moved, samples[each.name])
    return results


def buffers(case: Case, contestants: int) -> int:
    """How many arrays each contestant uses in turn; 0 if they do not fit.

    All arrays together take half of the memory at most. The other half is for what the contestants
    allocate.
    """
    share = (report.memory() or math.inf) / 2 / contestants
    if case.bytes_moved > share:
        return 0
    return 1 if case.bytes_moved <= IN_CACHE else math.ceil(min(ROTATION, share) / case.bytes_moved)


def summary(bytes_moved: int, samples: Sequence[float]) -> dict[str, Any]:
    """What the results say of a contestant's samples, which are seconds of a call."""
    seconds = quartiles(samples)
    return {
        "seconds": seconds,
        "samples": len(samples),
        "gigabytes_per_second": bytes_moved / seconds["median"] / 1e9,
    }


def quartiles(values: Sequence[float]) -> dict[str, float]:
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return {"median": median, "lower_quartile": lower, "upper_quartile": upper}


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
