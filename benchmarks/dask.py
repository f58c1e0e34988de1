"""How with_dask compares with the lines that one writes with dask.array, on two worker processes of one machine.

Logits are made where they are needed, as if they came from files, and are cut along the classes. Each answer is
checked against the other's. The two take turns, several rounds in random order.

The file holds `facts` and `cases`. Each case has `results` by contestant: the `seconds` of a run; `peak_bytes`, the
most memory that a worker needed beyond what it had before; and `sent_bytes`, what the workers sent to each other.
The worst run counts for both.
"""

import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster

from benchmarks import report, timing
from softmax_lib import with_dask

PACKAGES = ("numpy", "numba", "dask", "distributed")
WORKERS = 2
ROUNDS = 5


class Case(NamedTuple):
    """What is computed, of how many rows and classes, and how many classes a chunk has."""

    operation: str
    rows: int
    classes: int
    cut: int


CASES = (
    Case("logsumexp", 64, 1_000_000, 20_000),
    Case("cross_entropy", 64, 1_000_000, 20_000),
    Case("softmax", 64, 1_000_000, 20_000),
)


def logits(block: Any, block_info: Any) -> Any:
    """A chunk of float32 logits from 0 to 20 and a little more in each row, the same in every run."""
    row = 20 * np.random.default_rng(block_info[None]["chunk-location"]).random(block.shape[1], dtype=np.float32)
    return row + np.linspace(0, 1, len(block), dtype=np.float32)[:, np.newaxis]


# --- the contestants, each of whose results is a number a row --------------------------------------------------------


def naive_softmax(x: Any, target: Any) -> Any:
    exponentials = da.exp(x - x.max(axis=-1, keepdims=True))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).max(axis=-1)


def naive_logsumexp(x: Any, target: Any) -> Any:
    maximum = x.max(axis=-1, keepdims=True)
    return (maximum + da.log(da.exp(x - maximum).sum(axis=-1, keepdims=True)))[:, 0]


def naive_cross_entropy(x: Any, target: Any) -> Any:
    exponentials = da.exp(x - x.max(axis=-1, keepdims=True))
    p = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return -da.log(p.vindex[np.arange(len(target)), target])


CONTESTANTS: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "softmax": {"naive": naive_softmax, "with_dask": lambda x, target: with_dask.softmax(x).max(axis=-1)},
    "logsumexp": {"naive": naive_logsumexp, "with_dask": lambda x, target: with_dask.logsumexp(x)},
    "cross_entropy": {"naive": naive_cross_entropy, "with_dask": with_dask.cross_entropy},
}

# --- a run -----------------------------------------------------------------------------------------------------------


def status(name: str) -> int:
    """A number of bytes that Linux says of this process."""
    found = re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    return int(found[1]) * 1024 if found else 0


def begin() -> int:
    """Forget the most memory that this process has had, and say how much it has."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return status("VmRSS")


def sent(client: Client) -> int:
    return sum(client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total).values())


def run(client: Client, lazy: Any) -> tuple[Any, dict[str, float]]:
    """The answer, and what it took."""
    before, sent_before = client.run(begin), sent(client)
    start = time.perf_counter()
    answer = client.gather(client.compute(lazy))
    seconds = time.perf_counter() - start
    peaks = client.run(status, "VmHWM")
    most = max(peaks[worker] - before[worker] for worker in before)
    return answer, {"seconds": seconds, "peak_bytes": most, "sent_bytes": sent(client) - sent_before}


def measure(client: Client, case: Case, rounds: int) -> dict[str, Any]:
    shape = case.rows, case.classes
    x = da.zeros(shape, chunks=(case.rows, case.cut), dtype=np.float32).map_blocks(
        logits, dtype=np.float32, meta=np.empty((0, 0), np.float32)
    )
    target = np.arange(case.rows) * (case.classes // case.rows)
    lazy = {name: make(x, target) for name, make in CONTESTANTS[case.operation].items()}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in lazy}
    answers = {name: run(client, each)[0] for name, each in lazy.items()}  # and everything is compiled
    np.testing.assert_allclose(answers["with_dask"], answers["naive"], rtol=1e-4)
    order = random.Random(0)
    for _ in range(rounds):
        for name in order.sample(list(lazy), len(lazy)):
            runs[name].append(run(client, lazy[name])[1])
    return {
        name: {"seconds": timing.quartiles([one["seconds"] for one in found])}
        | {what: int(max(one[what] for one in found)) for what in ("peak_bytes", "sent_bytes")}
        for name, found in runs.items()
    }


def mebibytes(one: dict[str, Any]) -> list[str]:
    return [f"{one[what] / 2**20:.1f}" for what in ("peak_bytes", "sent_bytes")]


def main(given: Sequence[str] | None = None) -> int:
    parser = report.parser("dask", __doc__)
    parser.add_argument("--quick", action="store_true", help="one round of a hundredth of the classes")
    options = parser.parse_args(given)
    cases = [
        case._replace(classes=case.classes // 100, cut=case.cut // 100) if options.quick else case for case in CASES
    ]
    results: dict[str, Any] = {"facts": report.facts(PACKAGES), "workers": WORKERS, "quick": options.quick, "cases": []}
    progress = report.Progress(len(cases))
    with (
        dask.config.set({"distributed.scheduler.work-stealing": False}),
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, memory_limit=0, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):
        for case in cases:
            progress.step(case.operation)
            found = measure(client, case, 1 if options.quick else ROUNDS)
            results["cases"].append(
                {"operation": case.operation, "shape": [case.rows, case.classes], "chunks": [case.rows, case.cut]}
                | {"dtype": "float32", "results": found}
            )
    progress.close()
    report.write(options.output, results)
    rows = [
        (f"{case['operation']}, {name}", f"{one['seconds']['median']:.2f}", *mebibytes(one))
        for case in results["cases"]
        for name, one in case["results"].items()
    ]
    print(report.table(("", "seconds", "MiB", "MiB sent"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
