"""The row softmax that Triton's users know: a program reads a row into registers, writes it once.

It has a file of its own because Triton looks up a kernel's names in the kernel's module.
"""

from typing import Any

import triton
import triton.language as tl

LONGEST = 65_536  # beyond it the row no longer fits into the registers of one program


@triton.jit
def _softmax_row(out, x, columns, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    start = tl.program_id(0).to(tl.int64) * columns
    places = tl.arange(0, BLOCK)
    logits = tl.load(x + start + places, mask=places < columns, other=-float("inf")).to(tl.float32)
    exponentials = tl.exp(logits - tl.max(logits, axis=0))
    tl.store(out + start + places, exponentials / tl.sum(exponentials, axis=0), mask=places < columns)


def softmax(x: Any, out: Any) -> Any:
    """Along the last axis of a contiguous matrix, into `out`."""
    rows, columns = x.shape
    warps = 4 if columns < 2048 else 8 if columns < 8192 else 16 if columns < 32_768 else 32
    _softmax_row[(rows,)](out, x, columns, BLOCK=triton.next_power_of_2(columns), num_warps=warps)
    return out
