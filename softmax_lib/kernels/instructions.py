"""Instructions that Numba has no name for, and LLVM has; and floats taken apart into their bits."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array

from softmax_lib.kernels.compiling import compiled

# --- numbers ---------------------------------------------------------------------------------------------------------


def is_wide(x):
    """Whether `x` is a float64: known at compile time."""


@overload(is_wide)
def _overload_is_wide(x):
    wide = x == types.float64
    return lambda x: wide


@compiled(forceinline=True)
def unsigned(index):
    """The index, known not to be negative.

    Otherwise Numba asks whether it is, and no loop that asks runs in vector registers.
    """
    return np.uintp(index)


@intrinsic
def cast_like(typing, like, value):
    """`value` in the type of `like`."""
    return like(like, like), lambda context, builder, signature, arguments: arguments[1]


@intrinsic
def fma(typing, a, b, c):
    """a * b + c, rounded once."""
    return a(a, a, a), lambda context, builder, signature, arguments: builder.fma(*arguments)


@intrinsic
def larger(typing, a, b):
    """The larger of both, or the one that is no NaN.

    `a if a > b else b` would become a store under a mask, and what was stored so has to reach the
    cache before it can be read again: 0.6 ns, not 0.3.
    """

    def generate(context, builder, signature, arguments):
        kind = arguments[0].type
        maximum = builder.module.declare_intrinsic("llvm.maxnum", [kind], ir.FunctionType(kind, [kind, kind]))
        return builder.call(maximum, arguments)

    return a(a, a), generate


@compiled(forceinline=True)
def is_finite(x):
    return abs(x) < np.inf


# --- bits ------------------------------------------------------------------------------------------------------------


@intrinsic
def bits(typing, x):
    """The bits of a float as an integer."""
    integer = types.Integer.from_bitwidth(x.bitwidth, True)
    return integer(x), lambda context, builder, signature, arguments: builder.bitcast(
        arguments[0], ir.IntType(x.bitwidth)
    )


@intrinsic
def from_bits(typing, integer):
    """The inverse of `bits`."""
    kind = {32: types.float32, 64: types.float64}[integer.bitwidth]
    return kind(integer), lambda context, builder, signature, arguments: builder.bitcast(
        arguments[0], context.get_value_type(kind)
    )


@compiled(forceinline=True)
def power_above(x):
    """The least power of two above a positive float64."""
    return from_bits((bits(x) & np.int64(0x7FF << 52)) + np.int64(1 << 52))


@intrinsic
def power_of_two(typing, rounded):
    """The float whose exponent is in the lowest bits of `rounded`."""

    def generate(context, builder, signature, arguments):
        as_integer = builder.bitcast(arguments[0], ir.IntType(rounded.bitwidth))
        shifted = builder.shl(as_integer, as_integer.type({32: 23, 64: 52}[rounded.bitwidth]))
        return builder.bitcast(shifted, arguments[0].type)

    return rounded(rounded), generate


# --- registers, arrays and caches ------------------------------------------------------------------------------------


@intrinsic
def fill_registers(typing):
    """Have the loops of the calling function use registers of 512 bits, where there are any.

    By default, LLVM uses half of each on Intel's processors: exp alone then takes 0.94 ns in
    float64, not 0.71. The call must stand in the function that has the loop, because each is
    compiled by itself before it is put into another.
    """

    def generate(context, builder, signature, arguments):
        # llvmlite's own `add` knows only attributes without a value.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def bare(typing, array):
    """The same array, but nobody counts references to it: they cost 50 to 200 ns for every row.

    So the array itself must be used once more when all is done, or its memory is given back too
    early.
    """

    def generate(context, builder, signature, arguments):
        uncounted = make_array(array)(context, builder, arguments[0])
        uncounted.meminfo = cgutils.get_null_value(uncounted.meminfo.type)
        return uncounted._getvalue()

    return array(array), generate


@intrinsic
def address(typing, array):
    """Where an array begins, as a number."""

    def generate(context, builder, signature, arguments):
        return builder.ptrtoint(make_array(array)(context, builder, arguments[0]).data, ir.IntType(64))

    return types.intp(array), generate


@intrinsic
def stream_line(typing, values, i, factor, out, j):
    """Store `factor` times a line of `values` from i on in `out` from j on, past the caches."""

    def generate(context, builder, signature, arguments):
        line = ir.VectorType(context.get_data_type(values.dtype), 512 // values.dtype.bitwidth)
        source = _pointer(context, builder, values, *arguments[:2], line)
        target = _pointer(context, builder, out, *arguments[3:], line)
        one = builder.insert_element(ir.Constant(line, ir.Undefined), arguments[2], ir.IntType(32)(0))
        factors = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), line.count), None))
        product = builder.fmul(builder.load(source, align=values.dtype.bitwidth // 8), factors)
        store = builder.store(product, target, align=64)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(values, types.intp, values.dtype, out, types.intp), generate


@intrinsic
def fence(typing):
    """Wait for the stores past the caches.

    They are not ordered with others, and another thread could read what was there before.
    """

    def generate(context, builder, signature, arguments):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def prefetch(typing, array, index):
    """Ask for the 64 elements from this index on to be brought into the cache."""

    def generate(context, builder, signature, arguments):
        flag, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        request = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        place = builder.bitcast(_pointer(context, builder, array, *arguments), byte)
        for line in range(array.dtype.bitwidth // 8):
            start = builder.gep(place, [ir.IntType(64)(64 * line)])
            builder.call(request, [start, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _pointer(context, builder, kind, array, index, vector=None):
    """Where this entry of an array lies; for a whole line, as a pointer to a `vector`."""
    pointer = builder.gep(make_array(kind)(context, builder, array).data, [index])
    return pointer if vector is None else builder.bitcast(pointer, vector.as_pointer())
