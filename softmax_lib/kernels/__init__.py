"""What Numba compiles for :mod:`softmax_lib.with_numba`. This file itself loads nothing.

From the bottom up: `compiling` is the one decorator of all that is compiled here. `instructions`
has the instructions that Numba has no name for, `exponential` an exponential that runs in vector
registers, and `storing` the stores past the caches. `sums` adds exponentials, and `normalizers`
makes of them what softmax must know of a row. `on_all_cores` decides when several cores share the
work. On these stand the kernels: `rows`, `long_rows`, `columns` and `vector_product`.

Everything rests on one trade. Softmax needs the maximum of a row only to keep exponentials in
range, and most rows are in range. So the exponentials come first, and their total tells whether
that was right; if not, the row, still in the cache, is done again from its maximum.

The comments give nanoseconds an element in float32, on one core of a Xeon with AVX-512.

What CuPy compiles for :mod:`softmax_lib.with_cupy` is beside it: ``softmax.cu``, and `geometry`, which
says how many threads take a slice.
"""
