"""Softmax's Jacobian times a vector, p (v - <p, v>), along rows.

What is computed is p_i sum_j p_j (v_i - v_j), relative to v where p is largest. As it stands, the
formula loses a component whole where p is near one-hot.
"""

import numpy as np
from numba import prange

from softmax_lib.kernels.compiling import compiled
from softmax_lib.kernels.exponential import constants
from softmax_lib.kernels.instructions import (
    bare,
    bits,
    fence,
    fill_registers,
    fma,
    from_bits,
    prefetch,
    unsigned,
)
from softmax_lib.kernels.normalizers import maximum_of
from softmax_lib.kernels.storing import aligned, store, store_block, to_next_line
from softmax_lib.kernels.sums import FAR, two_sum

BLOCK = 2**10  # elements of the product that are computed before they are stored
NEARLY_ONE = 0x3F7FFF00  # the bits of 1 - 2^-16 in float32: as long as all others are below it, they have digits left

# --- float64 ---------------------------------------------------------------------------------------------------------


@compiled(parallel=True)
def vjp_along_rows_on_all_cores(p, v, out, length, large, count, parts):
    for part in prange(parts):
        vjp_along_rows(p, v, out, length, large, part * count // parts, (part + 1) * count // parts)


@compiled()
def vjp_along_rows(p, v, out, length, large, first, last):
    """The product for the rows from `first` to `last`, with sums in twice the precision.

    `out` may be `p` or `v`.
    """
    memory, lane_memory = aligned(BLOCK, p), aligned(4 * 64, np.empty(0))
    p, v, out, buffer, lane = bare(p), bare(v), bare(out), bare(memory), bare(lane_memory)
    for row in range(first, last):
        start, stop = row * length, (row + 1) * length
        shares, directions = p[start:stop], v[start:stop]
        at_anchor = min(_first(shares, maximum_of(p, start, length)), length - 1)
        scale = _scale(shares, directions)
        anchor = _scaled(shares[at_anchor], directions[at_anchor], scale)
        mean, mean_low, excess = _dot_twice(shares, directions, anchor, scale, lane)
        # A factor above 1 goes to the share, which is small, and one below 1 to the product. The other way round the
        # product could leave the range: 1e-306 times 1 would be 0 if they were multiplied as 1e-306 and 2^-64.
        raise_share, lower_product = max(1 / scale, 1.0), min(1 / scale, 1.0)
        for at in range(0, length, BLOCK):
            to = min(at + BLOCK, length)
            here, there, values = shares[at:to], directions[at:to], buffer[: to - at]
            _multiply(here, there, anchor, scale, mean, mean_low, excess, raise_share, values)
            store(buffer, 0, to - at, lower_product, out, start + at, large)
    if large:
        fence()
    memory[0] = lane_memory[0] = 0  # they must live until here


@compiled(forceinline=True)
def _scale(p, v):
    """A power of two that takes the largest v with a share to 2^500. It goes in and out exactly.

    Differences then stay in range, and no product that counts is too small for a float, with any
    share down to 2^-1074.
    """
    fill_registers()
    largest = np.int64(0)
    for i in range(p.size):
        largest = max(largest, bits(_scaled(p[i], v[i], 1.0)) & np.int64(0x7FFFFFFFFFFFFFFF))
    exponent = (largest >> 52) - 1023
    return from_bits((min(500 - exponent, 1000) + 1023) << 52)


@compiled(forceinline=True)
def _scaled(share, direction, scale):
    """v times the scale.

    Without a share v counts as 0, because what is scaled for the others could overflow; but an
    infinite v, or a NaN, gives NaN.
    """
    return (direction if share != 0 else share * direction) * scale


@compiled(forceinline=True)
def _dot_twice(p, v, anchor, scale, lane):
    """sum(p (v - anchor)) in two parts, and sum(p) - 1, in twice the precision.

    The method is that of Ogita, Rump and Oishi (2005). Rounded probabilities do not sum to 1
    exactly, and p (v - <p, v>) takes that for granted.
    """
    fill_registers()
    lane[:] = 0
    mean, mean_low, total, total_low = 0, 64, 128, 192
    for start in range(0, p.size, 64):
        for j in range(min(64, p.size - start)):
            share = p[unsigned(start + j)]
            direction, direction_low = two_sum(_scaled(share, v[unsigned(start + j)], scale), -anchor)
            product = share * direction
            product_low = fma(share, direction_low, fma(share, direction, -product))
            sums, error = two_sum(lane[unsigned(mean + j)], product)
            lane[unsigned(mean + j)] = sums
            lane[unsigned(mean_low + j)] += error + product_low
            sums, error = two_sum(lane[unsigned(total + j)], share)
            lane[unsigned(total + j)] = sums
            lane[unsigned(total_low + j)] += error
    sums, sums_low, excess, excess_low = 0.0, 0.0, -1.0, 0.0
    for j in range(min(64, p.size)):
        sums, error = two_sum(sums, lane[mean + j])
        sums_low += error + lane[mean_low + j]
        excess, error = two_sum(excess, lane[total + j])
        excess_low += error + lane[total_low + j]
    return sums, sums_low, excess + excess_low


@compiled(forceinline=True)
def _multiply(p, v, anchor, scale, mean, mean_low, excess, raise_share, out):
    fill_registers()
    for i in range(p.size):
        share = p[unsigned(i)]
        direction, direction_low = two_sum(_scaled(share, v[unsigned(i)], scale), -anchor)
        difference, difference_low = two_sum(direction, -mean)
        difference += (difference_low + direction_low) - mean_low + direction * excess
        out[unsigned(i)] = (share * raise_share) * difference


# --- float32 ---------------------------------------------------------------------------------------------------------


@compiled(parallel=True)
def narrow_vjp_along_rows_on_all_cores(p, v, out, length, large, count, parts):
    for part in prange(parts):
        narrow_vjp_along_rows(p, v, out, length, large, part * count // parts, (part + 1) * count // parts)


@compiled()
def narrow_vjp_along_rows(p, v, out, length, large, first, last):
    """The same for float32, in float64.

    One row is written while the next is read, as in `along_rows`.
    """
    memory = aligned(64, p)
    p, v, out, values = bare(p), bare(v), bare(out), bare(memory)
    anchor, one = constants(p[0]).zero, constants(p[0]).one
    mean = total = 0.0
    for row in range(first, last + 1):
        start, ready = row * length, (row - 1) * length
        head = min(to_next_line(out, ready), length) if large else 0
        if row > first and head:
            _narrow_multiply(p, v, ready, head, anchor, mean, total, values)
            store(values, 0, head, one, out, ready, False)
        mean_here = total_here = square = 0.0
        largest = np.int32(0)
        for i in range(0, length, 64):
            if row < last:
                prefetch(p, start + i + FAR)
                prefetch(v, start + i + FAR)
                some = min(64, length - i)
                if some == 64:
                    mean_part, total_part, square_part, highest = _narrow_dot(p, v, start + i, 64, None)
                else:
                    mean_part, total_part, square_part, highest = _narrow_dot(p, v, start + i, some, None)
                mean_here += mean_part
                total_here += total_part
                square += square_part
                largest = max(largest, highest)
            if row > first:
                at = ready + head + i
                some = min(64, length - head - i)
                if some == 64:
                    _narrow_multiply(p, v, at, 64, anchor, mean, total, values)
                elif some > 0:
                    _narrow_multiply(p, v, at, some, anchor, mean, total, values)
                store_block(values, 0, some, one, out, at, large)
        mean, total, anchor = mean_here, total_here, constants(one).zero
        # Where all of v is far from 0 beside its deviation, v - <p, v> is but the last digits of both.
        apart = square * total - mean * mean >= 2.0**-20 * mean * mean
        if row < last and not (largest < NEARLY_ONE and apart):
            anchor = v[start + min(_first(p[start : start + length], from_bits(largest)), length - 1)]
            mean, total, _, _ = _narrow_dot(p, v, start, length, anchor)
    if large:
        fence()
    memory[0] = 0  # it must live until here


@compiled(fastmath={"reassoc", "contract"}, forceinline=True)
def _narrow_dot(p, v, start, count, anchor):
    """sum(p (v - anchor)), sum(p), sum(p (v - anchor)^2) in float64; the bits of the largest p."""
    fill_registers()
    mean = total = square = 0.0
    largest = np.int32(0)
    for i in range(start, start + count):
        share, direction = np.float64(p[unsigned(i)]), np.float64(v[unsigned(i)])
        if anchor is not None:
            direction -= np.float64(anchor)
        mean += share * direction
        total += share
        square += share * direction * direction
        largest = max(largest, bits(p[unsigned(i)]))
    return mean, total, square, largest


@compiled(forceinline=True)
def _narrow_multiply(p, v, start, count, anchor, mean, total, values):
    fill_registers()
    for i in range(count):
        direction = np.float64(v[unsigned(start + i)]) - np.float64(anchor)
        values[unsigned(i)] = np.float64(p[unsigned(start + i)]) * fma(direction, total, -mean)


# --- for both --------------------------------------------------------------------------------------------------------


@compiled(forceinline=True)
def _first(values, value):
    """The index at which a value occurs first, or the number of values if it does not."""
    fill_registers()
    first = np.int32(values.size)
    for i in range(values.size):
        first = min(first, np.int32(i) if values[i] == value else np.int32(values.size))
    return first
