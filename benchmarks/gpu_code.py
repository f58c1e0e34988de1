"""What the compiler makes of the CUDA kernels, read off the machine code; this needs nvcc and cuobjdump, but no GPU.

For some types and lengths it prints, of each kernel, the registers of a thread and what of them spills to memory, the
instructions for each entry that a thread holds, and the bytes that a thread has asked for when it first waits. A GPU
of the H100's kind is kept busy by some 64 KiB on the way in each multiprocessor, and can issue about 80 instructions
in the time in which a float32 comes and goes.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import report
from softmax_lib.kernels.geometry import SOURCE, geometry, options

SIZES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
# Of each type, rows of a warp or two, of a block, and in tiles; and columns.
CASES = [(dtype, length, False) for dtype in SIZES for length in (1024, 8192, 65_536)] + [("float32", 4096, True)]
INSTRUCTION = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)\s*([^;]*);")
BYTES = {"64": 8, "128": 16, "U8": 1, "U16": 2, "S16": 2}


class Code(NamedTuple):
    """What a kernel's machine code is made of."""

    instructions: int
    in_flight: int
    """Bytes that a thread has asked for when it first uses any of them, or meets others."""


def read(disassembly: str) -> dict[str, Code]:
    """The kernels of what cuobjdump prints, by name."""
    kernels = re.split(r"Function : (\w+)", disassembly)[1:]
    return {name: _code(body) for name, body in zip(kernels[::2], kernels[1::2], strict=True)}


def _code(body: str) -> Code:
    found = INSTRUCTION.findall(body)
    most = 0
    asked: dict[str, int] = {}  # the first register of each load that nobody has used yet
    for name, operands in found:
        registers = re.findall(r"\bR\d+", operands)
        if name.startswith("LDG"):
            size = next((BYTES[part] for part in name.split(".") if part in BYTES), 4)
            asked[registers[0]] = size
            most = max(most, sum(asked.values()))
        elif asked and (set(registers) & set(asked) or name.startswith(("BAR", "SHFL"))):
            asked = {}
    return Code(len(found), most)


def compiled(dtype: str, length: int, across: bool, arrays: int, architecture: str) -> list[tuple[str, ...]]:
    """A line of the table for each kernel."""
    how = geometry(length, SIZES[dtype], across=across, arrays=arrays)
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "cubin"
        command = ["nvcc", f"-arch={architecture}", "-cubin", "-ftz=true", "-Xptxas=-v", *options(dtype, how)]
        made = subprocess.run([*command, "-o", str(cubin), str(SOURCE)], capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(made.stderr)
        said = subprocess.run(["cuobjdump", "-sass", str(cubin)], capture_output=True, text=True, check=True).stdout
    used = re.findall(
        r"entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers",
        made.stderr,
        flags=re.S,
    )
    code = read(said)
    where = f"{dtype} {length}{' across' if across else ''}"
    return [
        (
            f"{where} {name}",
            registers,
            str(int(stored) + int(loaded)),
            f"{code[name].instructions / how.values:.1f}",
            str(code[name].in_flight),
        )
        for name, stored, loaded, registers in used
        if not name.startswith("merge") and name not in ("logsumexp", "cross_entropy")
    ]


def main(given: Sequence[str] | None = None) -> int:
    command = report.Parser(
        "python -m benchmarks.gpu_code", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_argument("--architecture", default="sm_90", help="what nvcc compiles for: sm_90")
    command.add_argument("--dtypes", nargs="+", choices=SIZES, default=list(SIZES), metavar="DTYPE")
    chosen = command.parse_args(given)
    for program in ("nvcc", "cuobjdump"):
        if not shutil.which(program):
            command.error(f"{program} is needed, and is not on the PATH; CUDA's toolkit has it")
    wanted = [(case, arrays) for case in CASES if case[0] in chosen.dtypes for arrays in (1, 2)]
    progress = report.Progress(len(wanted))
    lines = []
    for (dtype, length, across), arrays in wanted:
        progress.step(f"{dtype} {length}")
        lines += compiled(dtype, length, across, arrays, chosen.architecture)
    progress.close()
    print(report.table(("kernel", "registers", "spilled", "instructions an entry", "bytes in flight"), lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
