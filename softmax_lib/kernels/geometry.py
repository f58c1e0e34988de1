"""How many threads take a slice, and how: with what ``softmax.cu`` is compiled. It needs neither CuPy nor a GPU."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("softmax.cu")


@dataclass(frozen=True)
class Geometry:
    """How the work of a kernel is cut. The fields are macros in ``softmax.cu``; `parts` alone is an argument there."""

    threads: int
    """Threads that share a slice, in each block."""
    values: int
    """Entries of it that each of them holds in registers."""
    vector: int
    """Entries moved at once: 16 bytes where they lie side by side and the length allows."""
    slices: int
    """Slices that each block takes."""
    cluster: int
    """Blocks that share a slice and read each other's memory."""
    parts: int
    """Parts of a slice that is too long for that. Each is a block's, and is read twice."""
    across: bool
    """Whether the entries of a slice do not lie side by side; then those of neighbouring slices do."""
    arrays: int
    """Arrays that are read: two for the vector product."""

    @property
    def block(self) -> tuple[int, int]:
        return (self.slices, self.threads) if self.across else (self.threads, self.slices)

    def grid(self, slices: int) -> tuple[int]:
        return (-(-slices // self.slices) * self.cluster * self.parts,)


def geometry(length: int, itemsize: int, *, across: bool = False, clusters: bool = True, arrays: int = 1) -> Geometry:
    """The geometry for slices of `length` entries of `itemsize` bytes.

    Parameters
    ----------
    length, itemsize : int
        At least 1; and 2, 4 or 8.
    across : bool
        Whether the entries do not lie side by side.
    clusters : bool
        Whether the GPU has clusters: of compute capability 9.0 or more.
    arrays : int
        How many arrays are read: 1, or 2 for the vector product.
    """
    # 16 registers for the entries of an array leave enough of the 64 that 1024 resident threads have.
    most = 64 // max(itemsize, 4) // arrays
    vector = 1 if across else math.gcd(length, 16 // itemsize)
    # Eight threads with 16 bytes each fill a line of memory.
    fewest = 1 if across else 8 if length <= 64 else 16 if length <= 128 else 32
    # Across, each thread leaves its sums, of up to 56 bytes, in 48 KiB of shared memory, for 32 slices.
    widest = (32 if arrays == 1 else 16) if across else 512
    threads, values, cluster, parts = max(fewest, _power_of_two(length, most)), most, 1, 1
    if threads > widest:
        larger = [(widest, most, blocks) for blocks in (2, 4, 8) if clusters]
        if not across:
            larger += [(count, 2 * most, 8 if clusters else 1) for count in (widest, 2 * widest)]
        fitting = [each for each in larger if math.prod(each) >= length]
        threads, values, cluster = fitting[0] if fitting else (widest, most, 1)
        parts = 1 if fitting else -(-length // (widest * most))
    else:
        values = max(vector, _power_of_two(length, threads))
    slices = max(32 if across else 1, 128 // threads)
    return Geometry(threads, values, vector, slices, cluster, parts, across, arrays)


def _power_of_two(count: int, share: int) -> int:
    """The least power of two of which each takes at most `share` of `count`."""
    return 1 << (-(-count // share) - 1).bit_length()


def options(dtype: str, geometry: Geometry) -> tuple[str, ...]:
    """The options that ``softmax.cu`` is compiled with, by NVRTC or nvcc."""
    macros = {name.upper(): int(value) for name, value in asdict(geometry).items() if name != "parts"}
    return ("--std=c++17", f"-DELEMENT={dtype}", *(f"-D{name}={value}" for name, value in macros.items()))
