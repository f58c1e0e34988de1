"""How contestants on a GPU are checked, take turns and are timed."""

import math
import random
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks import report, timing
from benchmarks.cases import Call, Case, Inputs
from benchmarks.contestants import Prepare
from benchmarks.gpu_cases import TOLERANCES, Answer, bits, buffers, make_inputs, unwritten
from benchmarks.gpu_contestants import as_array
from benchmarks.gpu_device import Gpu

SAMPLE = 5e-3  # seconds at least
ROUNDS = 9
ENOUGH = 2.0  # seconds a case: after three rounds, a contestant that took longer sits out, and the others go on


def prepared(
    gpu: Gpu, case: Case, taking_part: dict[str, Prepare], arrays: Sequence[tuple[Inputs, Any]]
) -> tuple[dict[str, list[Call]], dict[str, dict[str, Any]]]:
    """The calls of those who are right, one for each buffer; and the results so far.

    The results hold everybody's error, and the reason of whoever is left out.
    """
    calls: dict[str, list[Call]] = {}
    results: dict[str, dict[str, Any]] = {}
    (inputs, out), *_ = arrays
    answer = Answer(gpu, case, inputs)
    for name, prepare in taking_part.items():
        try:
            made = [prepare(case, *each) for each in arrays]
            bits(out).fill(unwritten(out))
            result = as_array(gpu, made[0]())
            if name == "copy":
                found = 0.0 if bool((bits(result) == bits(inputs[0])).all()) else math.inf
            else:
                found = answer.error(result)
        except Exception as problem:
            results[name] = {"left_out": why_left_out(gpu, f"{name}, {case}", problem)}
            continue
        results[name] = {"error": found}
        if found <= TOLERANCES[case.dtype]:
            calls[name] = made
        else:
            results[name]["left_out"] = f"wrong: the largest error is {found:.2g}"
    return calls, results


def why_left_out(gpu: Gpu, what: str, problem: Exception) -> str:
    """Why something is left out. An error that the device does not survive ends the run."""
    reason = str(problem) if isinstance(problem, NotImplementedError) else report.one_line(problem)
    try:
        gpu.synchronize()
    except Exception:
        raise SystemExit(
            f"python -m benchmarks.gpu: the device is lost after {what} ({reason}). "
            f"What was measured before is kept; with --go-on and --contestants the others can take part."
        ) from None
    return reason


def measure(gpu: Gpu, case: Case, taking_part: dict[str, Prepare], rounds: int) -> dict[str, Any]:
    """The results of all contestants in one case, by name."""
    first, number = make_inputs(gpu, case), buffers(case)
    inputs = [first, *(tuple(array.copy() for array in first) for _ in range(number - 1))]
    arrays = [(each, gpu.arrays.empty(case.shape, np.dtype(case.dtype))) for each in inputs]
    calls, results = prepared(gpu, case, taking_part, arrays)
    if "copy" not in calls:
        raise RuntimeError(f"the copy, which is the limit, fails: {results['copy']['left_out']}")
    samples: dict[str, list[float]] = {name: [] for name in calls}
    ratios: dict[str, list[float]] = {name: [] for name in calls}
    of_copy = case._replace(operation="copy").bytes_moved
    moved = dict.fromkeys(calls, case.bytes_moved) | {"copy": of_copy}
    turns = {name: _turn(gpu, made) for name, made in calls.items()}
    order = random.Random(0)
    for done in range(rounds):
        seconds = {}
        for name in order.sample(list(calls), len(calls)):
            sequence, enqueueing = turns[name]
            if name == "copy" or done < 3 or sum(samples[name]) * len(sequence) <= ENOUGH:
                seconds[name] = gpu.seconds(sequence, enqueueing) / len(sequence)
        for name, taken in seconds.items():
            samples[name].append(taken)
            ratios[name].append((moved[name] / taken) / (of_copy / seconds["copy"]))
    for name in calls:
        results[name] |= timing.summary(moved[name], samples[name]) | {"ratio_to_copy": timing.quartiles(ratios[name])}
    return results


def _turn(gpu: Gpu, calls: list[Call]) -> tuple[list[Call], float]:
    """The calls of one sample, which use all buffers in turn; and the seconds to enqueue them."""
    gpu.synchronize()
    begin = time.perf_counter()
    for call in calls:
        call()
    enqueueing = time.perf_counter() - begin
    times = math.ceil(SAMPLE / gpu.seconds(calls, enqueueing))
    return calls * times, enqueueing * times
