"""What it costs to use a GPU: launch, transfers, first call; and how many rows pay for that."""

import functools
import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks import cases, report
from benchmarks.cases import Call, Case
from benchmarks.contestants import Prepare
from benchmarks.gpu_cases import TOLERANCES, Answer, make_inputs
from benchmarks.gpu_device import Gpu
from benchmarks.gpu_timing import ROUNDS, prepared, why_left_out

COLUMNS = 1000  # of the launch and the crossover: as many as ImageNet has classes
TRANSFERRED = 256 * 2**20  # bytes
PATIENCE = 0.2  # seconds for each point of a curve by the host's clock, and five calls at least
FIRST_CALL = """
import time
import cupy
x = cupy.zeros((2, 1000), cupy.float32)
cupy.cuda.runtime.deviceSynchronize()
start = time.perf_counter()
from softmax_lib.with_cupy import softmax
softmax(x)
cupy.cuda.runtime.deviceSynchronize()
print(time.perf_counter() - start)
"""


def wall(gpu: Gpu, call: Call) -> float:
    """Seconds by the host's clock until a result is there, the median without the first call."""
    samples: list[float] = []
    while len(samples) < 6 or sum(samples) < PATIENCE:
        gpu.synchronize()
        begin = time.perf_counter()
        call()
        gpu.synchronize()
        samples.append(time.perf_counter() - begin)
    return statistics.median(samples[1:])


def launch(gpu: Gpu, taking_part: dict[str, Prepare]) -> dict[str, Any]:
    """Seconds for one row: from the call until its result is there, and for its kernels alone."""
    case = Case("softmax", (1, COLUMNS))
    arrays = [(make_inputs(gpu, case), gpu.arrays.empty(case.shape, np.dtype(case.dtype)))]
    calls, results = prepared(gpu, case, taking_part, arrays)
    for name, (call,) in calls.items():
        in_all = wall(gpu, call)
        samples = [gpu.seconds(50 * [call], 50 * in_all) / 50 for _ in range(ROUNDS)]
        results[name] |= {"call_seconds": in_all, "kernel_seconds": statistics.median(samples)}
    return {"shape": case.shape, "dtype": case.dtype, "results": results}


def transfers(gpu: Gpu) -> dict[str, Any]:
    """GB/s between host and device; `pageable` memory is what the system may move, `pinned` not."""
    size = min(TRANSFERRED, gpu.free_bytes() // 4)
    device = gpu.arrays.empty(size, np.dtype("uint8"))
    found: dict[str, Any] = {"bytes": size, "to_device": {}, "to_host": {}}
    for kind, host in (("pageable", np.empty(size, np.uint8)), ("pinned", gpu.pinned(size))):
        host.fill(1)  # the system gives a page its memory at the first touch
        found["to_device"][kind] = size / wall(gpu, functools.partial(gpu.upload, host, device)) / 1e9
        found["to_host"][kind] = size / wall(gpu, functools.partial(gpu.download, device, host)) / 1e9
    return found


def first_call() -> dict[str, float]:
    """Seconds of a new process for import and first call, with an empty cache and a filled one."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"CUPY_CACHE_DIR": folder, "CUDA_CACHE_PATH": folder}
        for cache in ("empty", "filled"):
            command = [sys.executable, "-c", FIRST_CALL]
            ran = subprocess.run(command, cwd=report.ROOT, env=environment, capture_output=True, text=True)
            if ran.returncode:
                raise RuntimeError(ran.stderr.strip().rpartition("\n")[2])
            found[cache] = float(ran.stdout)
    return found


def crossover(gpu: Gpu, rows: Sequence[int]) -> dict[str, Any]:
    """Seconds for more and more rows: on the processor, on the GPU, and with both transfers."""

    def on_host(softmax: Callable[[Any], Any]) -> Callable[[Any], Call]:
        return lambda x: lambda: softmax(x)

    def on_device(softmax: Callable[[Any], Any]) -> Callable[[Any], Call]:
        def prepare(x: Any) -> Call:
            device = gpu.arrays.asarray(x)
            return lambda: softmax(device)

        return prepare

    def there_and_back(softmax: Callable[[Any], Any]) -> Callable[[Any], Call]:
        return lambda x: lambda: gpu.to_host(softmax(gpu.arrays.asarray(x)))

    ways = {
        "with_numpy": ("with_numpy", on_host),
        "with_numba": ("with_numba", on_host),
        "with_cupy": ("with_cupy", on_device),
        "with_cupy_and_transfers": ("with_cupy", there_and_back),
    }
    prepare, left_out = {}, {}
    for name, (backend, way) in ways.items():
        try:
            prepare[name] = way(importlib.import_module(f"softmax_lib.{backend}").softmax)
        except ImportError as problem:
            left_out[name] = str(problem)
    seconds: dict[str, list[float]] = {name: [] for name in prepare}
    for number in rows:
        case = Case("softmax", (number, COLUMNS))
        inputs = cases.make_inputs(case)
        answer = Answer(gpu, case, (gpu.arrays.asarray(inputs[0]),))
        for name in list(seconds):
            try:
                call = prepare[name](*inputs)
                if not (found := answer.error(gpu.arrays.asarray(call()))) <= TOLERANCES[case.dtype]:
                    raise ValueError(f"{case}: the largest error is {found:.2g}")
                seconds[name].append(wall(gpu, call))
            except Exception as problem:
                left_out[name] = why_left_out(gpu, f"{name}, {case}", problem)
                del seconds[name]
    wins = {
        name: {host: wins_from(rows, seconds[name], seconds[host]) for host in seconds if "cupy" not in host}
        for name in seconds
        if "cupy" in name
    }
    return {"columns": COLUMNS, "rows": list(rows), "seconds": seconds, "wins_from": wins, "left_out": left_out}


def wins_from(sizes: Sequence[int], ours: Sequence[float], theirs: Sequence[float]) -> int | None:
    """The size from which on we are always faster; None if we are not faster at the largest."""
    ahead = None
    for size, mine, other in reversed(list(zip(sizes, ours, theirs, strict=True))):
        if mine >= other:
            break
        ahead = size
    return ahead
