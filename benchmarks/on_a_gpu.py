"""All that only a GPU can tell, in one command that ends in time: tests, measurements, a profile, a search for errors.

Beside the library's own needs it takes CuPy, ml-dtypes, Hypothesis, mpmath, pytest and pytest-xdist; PyTorch, Triton,
Nsight Compute and compute-sanitizer take part where they are installed. What it finds goes into one folder: the log of
each step, `gpu.json` as `python -m benchmarks.gpu` writes it, `clocks.csv` with the driver's word on clocks, power and
heat, and `report.json`, which says what came of each step, or why it was left out. A second run with the same folder
goes on where the first one stopped.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import gpu_device, report

LAST_WORDS = 10.0  # seconds that are kept for the report
SAMPLED = "timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu"
# Whether a kernel waits for memory or for instructions, and how busy the memory is meanwhile.
COUNTERS = (
    "gpu__time_duration.sum",
    "dram__throughput.avg.pct_of_peak_sustained_elapsed",
    "smsp__issue_active.avg.pct_of_peak_sustained_active",
    "sm__warps_active.avg.pct_of_peak_sustained_active",
    "smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio",
)
# Three shapes: rows of one block in float32, rows of one warp in bfloat16, rows in tiles.
PROFILED = """
import cupy, ml_dtypes, numpy
from softmax_lib import with_cupy
for dtype, shape in (("float32", (65536, 4096)), (ml_dtypes.bfloat16, (524288, 1024)), ("float32", (2048, 131072))):
    x = cupy.random.standard_normal(shape, dtype=numpy.float32).astype(dtype)
    with_cupy.softmax(x, out=cupy.empty_like(x))
"""
# Every way through memory: a warp, several, tiles, parts, 16 bytes at once or not, and across.
TOUCHED = """
import cupy
from softmax_lib import with_cupy
for dtype in ("float16", "float32", "float64"):
    for shape, axis in (((37, 24), 1), ((9, 260), 1), ((5, 1001), 1), ((2, 50000), 1), ((1, 270000), 1),
                        ((5, 70, 3), 1), ((3, 5000, 2), 1)):
        x = cupy.random.standard_normal(shape).astype(dtype)
        target = cupy.zeros(shape[:1] + shape[2:], int)
        p = with_cupy.softmax(x, axis)
        with_cupy.log_softmax(x, axis), with_cupy.logsumexp(x, axis), with_cupy.softmax_vjp(p, x, axis)
        with_cupy.cross_entropy(x, target, axis), with_cupy.cross_entropy_grad(x, target, axis)
cupy.cuda.runtime.deviceSynchronize()
"""


@dataclass(frozen=True)
class Step:
    """A command, the seconds that it gets at most, and those it needs for anything to come of it."""

    name: str
    command: tuple[str, ...]
    most: float
    least: float = 20.0


def steps(folder: Path) -> list[Step]:
    """What is to be done, the most telling first."""
    # The tests' own quick benchmark would take the time of the measurements; and what other packages warn of is not
    # what is tested.
    chosen = ("-m", "gpu", "-k", "not quick_run", "-W", "default", "--numprocesses", "8", "--durations", "10")
    measure = ("-m", "benchmarks.gpu", "--go-on", "--output", str(folder / "gpu.json"))
    counted = ("--csv", "--clock-control", "none", "--kernel-name", "softmax", "--metrics", ",".join(COUNTERS))
    touched = (sys.executable, "-c", TOUCHED)
    return [
        Step("tests", (sys.executable, "-m", "pytest", *chosen, "tests"), 180),
        Step("measurements", (sys.executable, *measure), 330),
        Step("profile", ("ncu", *counted, sys.executable, "-c", PROFILED), 60),
        Step("memory", ("compute-sanitizer", "--tool", "memcheck", "--error-exitcode", "1", *touched), 120),
        Step("races", ("compute-sanitizer", "--tool", "racecheck", "--error-exitcode", "1", *touched), 120),
    ]


NAMES = tuple(step.name for step in steps(Path()))


def take(step: Step, seconds: float, log: Path) -> dict[str, Any]:
    """What came of a step in at most so many seconds; all that it printed goes into the log."""
    begin = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(step.command, cwd=report.ROOT, stdout=file, stderr=subprocess.STDOUT)
        try:
            status = process.wait(seconds)
            outcome = "failed" if status else "done"
        except subprocess.TimeoutExpired:
            process.terminate()  # not killed: what is measured case by case is complete but for the last one
            outcome = "out of time"
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LAST_WORDS / 2)
            process.kill()
    return {"outcome": outcome, "seconds": time.monotonic() - begin, "log": log.name}


def why_left_out(step: Step, left: float, no_gpu: str | None) -> str | None:
    """Why a step cannot be taken; None if it can."""
    if no_gpu:
        return no_gpu
    if not shutil.which(step.command[0]):
        return f"there is no {step.command[0]}"
    return f"it needs {step.least:.0f} s, and {left:.0f} s are left" if left < step.least else None


def run(folder: Path, budget: float, wanted: Sequence[Step], no_gpu: str | None) -> dict[str, Any]:
    """Take the steps one after the other, inside the budget; after each, write the report."""
    end = time.monotonic() + budget - LAST_WORDS
    path = folder / "report.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"steps": {}}
    told["left_out"] = {}
    progress = report.Progress(len(wanted))
    for step in wanted:
        progress.step(step.name)
        if told["steps"].get(step.name, {}).get("outcome") == "done":
            continue
        left = end - time.monotonic()
        if reason := why_left_out(step, left, no_gpu):
            told["left_out"][step.name] = reason
        else:
            told["steps"][step.name] = take(step, min(step.most, left), folder / f"{step.name}.log")
        report.write(path, told)
    progress.close()
    return told


@contextlib.contextmanager
def sampling(path: Path) -> Iterator[None]:
    """Write the driver's word on the GPU twice a second, where there is a driver that answers."""
    command = ("nvidia-smi", f"--query-gpu={SAMPLED}", "--format=csv,nounits", "--loop-ms=500")
    if not shutil.which(command[0]):
        yield
        return
    with path.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def main(given: Sequence[str] | None = None) -> int:
    command = report.Parser(
        "python -m benchmarks.on_a_gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_argument("--budget", type=float, default=540.0, help="the seconds that all of it may take: 540")
    command.add_argument("--folder", type=Path, default=report.ROOT / "_build" / "on_a_gpu", help="where it all goes")
    command.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="STEP", help=", ".join(NAMES))
    options = command.parse_args(given)
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    with sampling(folder / "clocks.csv"):
        wanted = [step for step in steps(folder) if step.name in options.only]
        told = run(folder, options.budget, wanted, gpu_device.why_none())
    for name, step in told["steps"].items():
        print(f"{name}: {step['outcome']}, {step['seconds']:.0f} s, {step['log']}")
    for name, reason in told["left_out"].items():
        print(f"{name}: left out, because {reason}")
    print(f"Everything is in {folder}.")
    done = [step["outcome"] == "done" for step in told["steps"].values()]
    return 0 if done and all(done) and not told["left_out"] else 1


if __name__ == "__main__":
    sys.exit(main())
