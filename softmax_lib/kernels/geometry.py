"""How many threads take a slice, and how: with what ``softmax.cu`` is compiled. It needs neither CuPy nor a GPU."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("softmax.cu")
LONGEST_IN_TILES = 2**18  # entries; beyond, one block for each slice would be too few


@dataclass(frozen=True)
class Geometry:
    """How the work of a kernel is cut. The fields are macros in ``softmax.cu``, `parts` as IN_PARTS."""

    threads: int
    """Threads that share a slice, in each block."""
    values: int
    """Entries of it that each of them holds in registers."""
    vector: int
    """Entries moved at once: 16 bytes where they lie side by side and the length allows."""
    slices: int
    """Slices that each block takes."""
    tiled: bool
    """Whether a block goes over its slice twice, tile by tile, because it cannot hold it."""
    parts: int
    """Parts of a slice that is too long for that. Each is a block's."""
    across: bool
    """Whether the entries of a slice do not lie side by side; then those of neighbouring slices do."""
    arrays: int
    """Arrays that are read: two for the vector product."""

    @property
    def block(self) -> tuple[int, int]:
        return (self.slices, self.threads) if self.across else (self.threads, self.slices)

    @property
    def merging(self) -> int:
        """Threads that merge what was found of the parts of a slice."""
        return min(512, max(32, _power_of_two(self.parts, 1)))

    def grid(self, slices: int) -> tuple[int]:
        return (-(-slices // self.slices) * self.parts,)


def geometry(length: int, itemsize: int, *, across: bool = False, arrays: int = 1) -> Geometry:
    """The geometry for slices of `length` entries of `itemsize` bytes.

    Parameters
    ----------
    length, itemsize : int
        At least 1; and 2, 4 or 8.
    across : bool
        Whether the entries do not lie side by side.
    arrays : int
        How many arrays are read: 1, or 2 for the vector product.
    """
    # Of the 64 registers that 1024 resident threads have, 16 for the entries leave enough for much else at once, and 32
    # leave just enough. Narrow entries side by side take 32, which are no more bytes than 16 of float32.
    fullest = 128 // max(itemsize, 4) // arrays
    most = fullest if not across and (itemsize == 2 or arrays == 2) else fullest // 2
    vector = 1 if across else math.gcd(length, 16 // itemsize)
    # Eight threads with 16 bytes each fill a line of memory.
    fewest = 1 if across else 8 if length <= 64 else 16 if length <= 128 else 32
    # Across, few threads for a slice and many slices for a block have the least to tell each other.
    widest = 8 if across else 1024 // arrays
    threads, values = max(fewest, _power_of_two(length, most)), most
    tiled, parts = False, 1
    if threads > widest:
        tiled = not across and length <= LONGEST_IN_TILES
        # In larger blocks there are fewer slices at a time; so the cache keeps them until they are read again.
        larger = tiled and arrays == 1 and length * itemsize <= 2**17
        threads, values = (widest, most) if across else (1024 if larger else 512, 64 // max(itemsize, 4))
        parts = 1 if tiled else -(-length // (threads * values))
    else:
        values = max(vector, _power_of_two(length, threads))
    slices = max(32 if across else 1, 128 // threads)
    return Geometry(threads, values, vector, slices, tiled, parts, across, arrays)


def _power_of_two(count: int, share: int) -> int:
    """The least power of two of which each takes at most `share` of `count`."""
    return 1 << (-(-count // share) - 1).bit_length()


def options(dtype: str, geometry: Geometry) -> tuple[str, ...]:
    """The options that ``softmax.cu`` is compiled with, by NVRTC or nvcc."""
    macros = {name.upper(): int(value) for name, value in asdict(geometry).items() if name != "parts"}
    macros |= {"IN_PARTS": int(geometry.parts > 1), "MERGING": geometry.merging}
    return ("--std=c++17", f"-DELEMENT={dtype}", *(f"-D{name}={value}" for name, value in macros.items()))
