"""What all benchmarks share: options, facts about the machine, results, a table, a progress bar."""

import argparse
import importlib.metadata
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import softmax_lib

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "softmax_lib" / "measurements"


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser(name: str, description: str | None) -> Parser:
    """The options that every benchmark has; `name` is also the name of its results."""
    made = Parser(f"python -m benchmarks.{name}", description=description)
    made.add_argument("--output", type=_output, default=str(RESULTS / f"{name}.json"), help="the results, as JSON")
    return made


def _output(text: str) -> Path:
    """A path that can be written. It is better to know that before the minutes of measuring."""
    path = Path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise argparse.ArgumentTypeError(f"cannot write to {text}: {problem.strerror}") from None
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot write to {text}")
    return path


# --- facts -----------------------------------------------------------------------------------------------------------


def facts(packages: Iterable[str]) -> dict[str, Any]:
    """When, on what and with which versions: what a reader needs to judge a result."""
    commit = output_of("git", "-C", str(ROOT), "rev-parse", "HEAD")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "dirty": bool(output_of("git", "-C", str(ROOT), "status", "--porcelain")) if commit else None,
        "processor": _processor(),
        "cores": cores(),
        "caches_bytes": _caches(),
        "memory_bytes": memory(),
        # This is the average of the last minute. Above about 0.5, others were using the machine.
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), "softmax_lib": softmax_lib.__version__}
        | {name: _version(name) for name in packages},
    }


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> int | None:
    """The machine's memory in bytes, where the system says."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return output_of("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor() or platform.machine()


def _caches() -> dict[str, int]:
    """Bytes of each cache of the first core (Linux says; elsewhere empty)."""
    sizes = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / name).read_text().strip() for name in ("level", "type", "size"))
        sizes[f"L{level}{'' if kind == 'Unified' else kind[0].lower()}"] = int(size.removesuffix("K")) * 1024
    return sizes


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def output_of(*command: str) -> str | None:
    """What a command prints, or None where it fails or is missing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


# --- results ---------------------------------------------------------------------------------------------------------


def write(path: Path, results: dict[str, Any]) -> None:
    """Write `results` whole or not at all: who interrupts a run keeps the file of the last one."""
    text = json.dumps(_plain(results), indent=1, allow_nan=False) + "\n"
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".tmp", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def _plain(value: Any) -> Any:
    """`value` for JSON: floats to six digits; infinity as "inf", which Python's float() reads."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else str(value)
    return value


def one_line(problem: Exception) -> str:
    """An exception as the results name it: its type and the beginning of its message."""
    return f"{type(problem).__name__}: {problem}".splitlines()[0][:200]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns in line, the first one flush left and the others flush right."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) if number else cell.ljust(width) for number, (cell, width) in enumerate(cells))
        for cells in (list(zip(line, widths, strict=True)) for line in lines)
    )


class Progress:
    """A bar on stderr that says what is measured; if that is no terminal, a line for each step."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0

    def step(self, label: str) -> None:
        """Say that `label` begins, and all before it is done."""
        if sys.stderr.isatty():
            filled = 30 * self.done // self.total
            text = f"\r\033[K[{'#' * filled}{'.' * (30 - filled)}] {self.done}/{self.total} {label}"
        else:
            text = f"[{self.done + 1}/{self.total}] {label}\n"
        print(text, end="", file=sys.stderr, flush=True)
        self.done += 1

    def close(self) -> None:
        """Leave an empty line where the bar was."""
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
