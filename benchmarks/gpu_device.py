"""The GPU, as far as the benchmark needs it: its clock, its memory, copies, and its facts."""

import gc
import math
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.cases import Call

MIB = 2**20


class Gpu:
    """The current device. The tests put NumPy in the place of CuPy's `arrays`."""

    def __init__(self, cupy: Any) -> None:
        self.arrays, self.runtime = cupy, cupy.cuda.runtime
        # PyTorch and Triton use this stream too, unless they are told otherwise. So its events time everybody.
        cupy.cuda.Stream.null.use()
        size = min(256 * MIB, self.free_bytes() // 16)
        self.scratch = [cupy.zeros(size, np.uint8) for _ in range(2)]
        self.copy_seconds = math.inf
        copies = 10 * [lambda: self.copy(*self.scratch)]
        self.copy_seconds = self.seconds(copies) / len(copies)

    def seconds(self, calls: Iterable[Call], enqueueing: float = 0.0) -> float:
        """How long the device takes for the calls.

        Before them it copies, for longer than the host takes to enqueue them (`enqueueing`, in
        seconds). So it never waits for Python, and finds nothing of theirs in its cache.
        """
        for _ in range(1 + math.ceil(2 * min(enqueueing, 0.1) / self.copy_seconds)):
            self.copy(*self.scratch)
        start, stop = self.arrays.cuda.Event(), self.arrays.cuda.Event()
        start.record()
        for call in calls:
            call()
        stop.record()
        stop.synchronize()
        return self.arrays.cuda.get_elapsed_time(start, stop) / 1e3  # type: ignore[no-any-return]

    def synchronize(self) -> None:
        self.runtime.deviceSynchronize()

    def free_bytes(self) -> int:
        """How much can be allocated, after everything that nobody needs has been given back."""
        gc.collect()
        self.arrays.get_default_memory_pool().free_all_blocks()
        if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
            sys.modules["torch"].cuda.empty_cache()
        return int(self.runtime.memGetInfo()[0])

    def copy(self, source: Any, target: Any) -> None:
        target.data.copy_from_device_async(source.data, source.nbytes)

    def upload(self, host: Any, device: Any) -> None:
        device.set(host)

    def download(self, device: Any, host: Any) -> None:
        device.get(out=host)

    def to_host(self, array: Any) -> Any:
        return self.arrays.asnumpy(array)

    def pinned(self, size: int) -> Any:
        """Bytes of the host that the device reads and writes itself, without a detour."""
        from cupyx import empty_pinned

        return empty_pinned(size, np.uint8)

    def facts(self) -> dict[str, Any]:
        properties = self.runtime.getDeviceProperties(self.runtime.getDevice())
        return {
            "name": properties["name"].decode(),
            "compute_capability": f"{properties['major']}.{properties['minor']}",
            "multiprocessors": properties["multiProcessorCount"],
            "memory_bytes": properties["totalGlobalMem"],
            "l2_bytes": properties["l2CacheSize"],
            "cuda_of_driver": self.runtime.driverGetVersion(),
            "cuda_of_cupy": self.runtime.runtimeGetVersion(),
        }

    def nvidia_smi(self) -> dict[str, str | None]:
        """The driver's version, clocks in MHz now and at most, power limit in W; or None."""
        names = ("driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm", "clocks.max.mem", "power.limit")
        bus = self.runtime.deviceGetPCIBusId(self.runtime.getDevice())
        query = f"--query-gpu={','.join(names)}"
        said = report.output_of("nvidia-smi", "-i", bus, query, "--format=csv,noheader,nounits")
        values = (said or "").split(", ")
        return dict(zip(names, values if len(values) == len(names) else len(names) * [None], strict=True))


def why_none() -> str | None:
    """What is missing for a GPU to be used, in one line; None if nothing is."""
    try:
        import cupy
    except ImportError as problem:
        return f"CuPy is needed, and cannot be imported: {problem}".splitlines()[0]
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as problem:  # CuPy raises one of these for every CUDA error
        return f"a CUDA GPU is needed, and CuPy cannot use one: {problem}".splitlines()[0]
    return None if count else "a CUDA GPU is needed, and CuPy finds none"


def find() -> Gpu:
    """The GPU, or a RuntimeError that says what is missing."""
    if reason := why_none():
        raise RuntimeError(reason)
    import cupy

    return Gpu(cupy)
