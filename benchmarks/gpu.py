"""How fast softmax and its relatives are on this machine's GPU, beside their peers and a copy.

Any Python that has CuPy can run it; PyTorch and Triton take part where they are installed. Each
answer is checked against float64; a contestant that is wrong is named and not timed. Then the
contestants take turns on one stream, several rounds in random order, timed by events. There are so
many arrays that a gigabyte moves before one is used again, and no cache is measured. The limit, in
each round, is a copy from device to device. The file is written after every case, the most telling
ones first: an interrupted run has what it measured, and with --go-on the next one adds the rest.

The file holds `facts`, `cases` and four costs. Each case has `results` by contestant: the `seconds`
of a call; in `gigabytes_per_second`, the bytes that must move, once each, over that time; and
`ratio_to_copy`, this speed over the copy's in the same round. `launch` is what a call on a tiny
array takes for the host and on the device, `transfer` is in GB/s, `first_call` in seconds.
`crossover` says how long processor and GPU take for more and more `rows`, and in `wins_from`, how
many rows it takes until the GPU is ahead.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.cases import OPERATIONS, Case
from benchmarks.contestants import Prepare
from benchmarks.gpu_cases import TOLERANCES, buffers, filled, fitted
from benchmarks.gpu_contestants import CONTESTANTS, PACKAGES
from benchmarks.gpu_costs import COLUMNS, crossover, first_call, launch, transfers
from benchmarks.gpu_device import MIB, Gpu, find
from benchmarks.gpu_timing import ROUNDS, measure, why_left_out

LENGTHS = (32, 128, 512, 1024, 4096, 16_384, 65_536, 131_072, 262_144)
ROWS, QUICK_ROWS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000), (1, 10, 100, 1000)

FIRST = [
    *(filled("softmax", length, dtype) for length in (4096, 131_072, 1024) for dtype in ("float32", "bfloat16")),
    filled("softmax", 4096, axis=0),
    filled("softmax_vjp", 4096),
    filled("cross_entropy", 4096),
]
GRID = [
    *FIRST,
    *(
        case
        for case in (
            *(filled("softmax", length, dtype) for dtype in ("float32", "bfloat16", "float16") for length in LENGTHS),
            Case("softmax", (1, 2**24)),
            filled("softmax", 4096, "float64"),
            Case("softmax", (4096, 4096), axis=0),
            *(filled("softmax", length, axis=0) for length in (32, 65_536)),
            filled("softmax", 4096, "bfloat16", axis=0),
            *(
                filled(operation, length, dtype)
                for operation in OPERATIONS[1:]
                for dtype in ("float32", "bfloat16")
                for length in (128, 4096, 131_072)
            ),
            filled("softmax_vjp", 4096, axis=0),
        )
        if case not in FIRST
    ),
]
# A compiler that takes seconds for each shape takes part in two of them.
COMPILED = FIRST[:2]
QUICK_GRID = [
    *(filled("softmax", length, size=256 * MIB) for length in (4096, 131_072)),
    filled("softmax", 4096, "bfloat16", size=256 * MIB),
    filled("softmax", 4096, axis=0, size=256 * MIB),
    *(filled(operation, 4096, size=256 * MIB) for operation in OPERATIONS[1:]),
]

# --- what is printed -------------------------------------------------------------------------------------------------


def tables(results: dict[str, Any]) -> str:
    """A table for each operation: the copy's speed, and each contestant's share of it, by case."""
    names = dict.fromkeys(name for case in results["cases"] for name in case["results"] if name != "copy")
    text = []
    for operation in dict.fromkeys(case["operation"] for case in results["cases"]):
        rows = [
            (
                f"  {case['name'].removeprefix(operation).strip()}",
                f"{case['results']['copy']['gigabytes_per_second']:.0f}",
                *(_ratio(case["results"].get(name, {})) for name in names),
            )
            for case in results["cases"]
            if case["operation"] == operation
        ]
        text.append(report.table((operation, "copy, GB/s", *names), rows))
    costs = {"launch": _launch, "transfer": _transfers, "first_call": _first_call, "crossover": _crossover}
    return "\n\n".join([*text, *(tell(results[name]) for name, tell in costs.items() if name in results)])


def _launch(found: dict[str, Any]) -> str:
    rows = [
        (f"  {name}", f"{one['call_seconds'] * 1e6:.1f}", f"{one['kernel_seconds'] * 1e6:.1f}")
        for name, one in found["results"].items()
        if "call_seconds" in one
    ]
    return report.table((f"one row of {COLUMNS}, microseconds", "in all", "on the device"), rows)


def _transfers(found: dict[str, Any]) -> str:
    rows = [
        (f"  {kind}", f"{found['to_device'][kind]:.1f}", f"{found['to_host'][kind]:.1f}") for kind in found["to_host"]
    ]
    return report.table(("transfers, GB/s", "to the device", "to the host"), rows)


def _first_call(found: dict[str, float]) -> str:
    return f"first call: {found['empty']:.2f} s, with a filled cache {found['filled']:.2f} s"


def _crossover(found: dict[str, Any]) -> str:
    rows = [(f"  {name}", *(f"{value * 1e6:.4g}" for value in curve)) for name, curve in found["seconds"].items()]
    wins = [
        f"{name} is ahead of {host} {'nowhere' if first is None else f'from {first} rows on'}"
        for name, hosts in found["wins_from"].items()
        for host, first in hosts.items()
    ]
    return "\n".join([report.table((f"rows of {COLUMNS}, microseconds", *map(str, found["rows"])), rows), *wins])


def _ratio(result: dict[str, Any]) -> str:
    if "ratio_to_copy" in result:
        return f"{result['ratio_to_copy']['median']:.2f}"
    return "wrong" if "error" in result else "-"


LEGEND = (
    "Speed: the bytes that must move, over the median time; of the copy's, in the same round. "
    "-: left out; the file says why."
)

# --- the command line ------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    made = report.parser("gpu", __doc__)
    made.add_argument("--go-on", action="store_true", help="keep what the file has, and add what it lacks")
    made.add_argument("--quick", action="store_true", help="fewer cases: about a minute")
    made.add_argument("--only", nargs="+", choices=OPERATIONS, default=OPERATIONS, metavar="OPERATION")
    made.add_argument("--dtypes", nargs="+", choices=TOLERANCES, default=list(TOLERANCES), metavar="DTYPE")
    made.add_argument(
        "--contestants",
        nargs="+",
        choices=CONTESTANTS,
        default=list(CONTESTANTS),
        metavar="NAME",
        help=f"some of {', '.join(CONTESTANTS)}; the copy always takes part",
    )
    return made


def load(gpu: Gpu, names: Iterable[str]) -> tuple[dict[str, Prepare], dict[str, str]]:
    """The contestants that are here, and why the others, or the cases in bfloat16, are left out."""
    here, left_out = {}, {}
    for name in dict.fromkeys(["copy", *names]):
        try:
            here[name] = CONTESTANTS[name](gpu)
        except Exception as problem:  # an installation can be broken in many ways
            left_out[name] = report.one_line(problem)
    try:
        import ml_dtypes

        gpu.arrays.ones(1, np.dtype("float32")).astype(np.dtype(ml_dtypes.bfloat16))
        gpu.synchronize()
    except Exception as problem:
        left_out["bfloat16"] = report.one_line(problem)
    return here, left_out


def run(gpu: Gpu, options: argparse.Namespace) -> dict[str, Any]:
    """All the measurements, as the file holds them; it is written after each."""
    begin = time.perf_counter()
    taking_part, left_out = load(gpu, options.contestants)
    facts = report.facts(PACKAGES) | {"gpu": gpu.facts()}
    facts["versions"]["cupy"] = gpu.arrays.__version__
    found = before(options) | {"facts": facts, "left_out": left_out}
    wanted = [
        case
        for case in (QUICK_GRID if options.quick else GRID)
        if case.operation in options.only and case.dtype in options.dtypes and case.dtype not in left_out
    ]
    costs: dict[str, Callable[[], dict[str, Any]]] = {
        "launch": lambda: launch(gpu, taking_part),
        "transfer": lambda: transfers(gpu),
        "first_call": first_call,
        "crossover": lambda: crossover(gpu, QUICK_ROWS if options.quick else ROWS),
    }
    progress = report.Progress(len(wanted) + len(costs))

    def save() -> None:
        if "driver_version" not in facts["gpu"]:  # asked now that the device is warm, and once: it takes a while
            facts["gpu"] |= gpu.nvidia_smi()
        if found["cases"]:
            report.write(options.output, found | {"seconds": found["seconds"] + time.perf_counter() - begin})

    measured = {case["asked"] for case in found["cases"]}
    for case in wanted:
        progress.step(str(case))
        if str(case) in measured:
            continue
        if not (case_here := fitted(case, gpu.free_bytes())):
            left_out[str(case)] = "too large for this device's memory"
            continue
        here = {name: taking_part[name] for name in taking_part if name != "torch_compile" or case in COMPILED}
        try:
            results = measure(gpu, case_here, here, ROUNDS)
        except Exception as problem:
            left_out[str(case)] = why_left_out(gpu, str(case_here), problem)
            continue
        described = {"asked": str(case), "name": str(case_here), **case_here._asdict(), "bytes": case_here.bytes_moved}
        found["cases"].append(described | {"buffers": buffers(case_here), "results": results})
        save()
    for name, cost in costs.items():
        progress.step(name.replace("_", " "))
        if name in found:
            continue
        try:
            found[name] = cost()
        except Exception as problem:
            left_out[name] = why_left_out(gpu, name, problem)
        save()
    progress.close()
    return found | {"seconds": found["seconds"] + time.perf_counter() - begin}


def before(options: argparse.Namespace) -> dict[str, Any]:
    """What an earlier run left in the file, or nothing."""
    if options.go_on and options.output.exists():
        found: dict[str, Any] = json.loads(options.output.read_text(encoding="utf-8"))
        if found["quick"] == options.quick:
            return found
    return {"quick": options.quick, "cases": [], "seconds": 0.0}


def main(given: Sequence[str] | None = None, gpu: Gpu | None = None) -> int:
    command = parser()
    options = command.parse_args(given)
    try:
        gpu = gpu or find()
    except RuntimeError as problem:
        command.error(str(problem))
    try:
        results = run(gpu, options)
    except KeyboardInterrupt:
        print(f"\nInterrupted: what was measured is in {options.output}.", file=sys.stderr)
        return 130
    if not results["cases"]:
        print(f"Nothing could be measured: {results['left_out']}", file=sys.stderr)
        return 1
    report.write(options.output, results)
    print(tables(results))
    print(f"\n{LEGEND}")
    for name, reason in results["left_out"].items():
        print(f"Left out: {name} ({reason})")
    print(f"{results['seconds']:.0f} s; written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
