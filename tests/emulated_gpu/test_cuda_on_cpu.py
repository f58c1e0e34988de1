"""The emulated device on which tests hold the CUDA kernels: what it computes, and what it must not let pass."""

import os
import re

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.emulated_gpu import device

RIGHT = """
template <class T> __device__ void sum_of_warp(T* x) {
    T sum = x[threadIdx.x];
    for (int offset = 1; offset < 32 && offset < blockDim.x; offset *= 2)
        sum += __shfl_xor_sync(ALL_LANES, sum, offset);
    x[threadIdx.x] = sum;
}
extern "C" __global__ void sum_int(int* x) { sum_of_warp(x); }
extern "C" __global__ void sum_unsigned(unsigned* x) { sum_of_warp(x); }
extern "C" __global__ void sum_long(long long* x) { sum_of_warp(x); }
extern "C" __global__ void sum_float(float* x) { sum_of_warp(x); }
extern "C" __global__ void sum_double(double* x) { sum_of_warp(x); }

extern "C" __global__ void indices(int* numbers) {
    const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    numbers[block * blockDim.x * blockDim.y * blockDim.z + thread] = 1000 * block + thread;
}

template <class T> __device__ void reverse_twice(T* x) {
    for (int i = 0; i < 2; ++i) {
        SHARED(T, copy, 256);  // the same memory both times
        copy[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
        __syncthreads();
        x[blockIdx.x * blockDim.x + threadIdx.x] = copy[blockDim.x - 1 - threadIdx.x] + T(1);
        __syncthreads();
    }
}
extern "C" __global__ void reverse(double* x, float* y) { reverse_twice(x); reverse_twice(y); }

extern "C" __global__ void unwritten(float* x) {
    SHARED(float, s, 64);
    x[blockIdx.x * blockDim.x + threadIdx.x] = s[threadIdx.x];
    __syncthreads();
    s[threadIdx.x] = 0;
}

extern "C" __global__ void widen(const unsigned short* half, float* x) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    x[i] = half_to_float(half[i]);
}
extern "C" __global__ void narrow_more(const float* x, unsigned short* bfloat) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    bfloat[i] = float_to_bfloat(x[i]);
}

extern "C" __global__ void narrow(const float* x, unsigned short* half) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    half[i] = float_to_half(x[i]);
}

__device__ const float table[3] = {0.5f, 1.5f, 2.5f};
extern "C" __global__ void arguments(
    double* out, const float* none, long long number, double real, int small, float single) {
    out[0] = number, out[1] = real, out[2] = small, out[3] = single, out[4] = none == nullptr;
    out[5] = table[small];
}
"""

BEGIN_WRONG = "const int t = threadIdx.x; SHARED(float, s, 64);"
# With 64 threads, on an array x of 64 floats. None: nothing is wrong after all.
WRONG = [
    ("if (t < 40) __syncthreads();", "no thread can go on: of 64 threads, 24 have returned, 40 wait at __syncthreads"),
    ("if (t % 2) __syncthreads();\nelse __syncthreads();", "is at __syncthreads on line"),
    ("if (t < 40) __shfl_xor_sync(0xffffffff, t, 1);", "56 have returned, 8 wait at __shfl_xor_sync"),
    ("__shfl_xor_sync(0xff, t, 1);", "with mask 0xff"),
    ("__shfl_xor_sync(0xffffffff, t, 32);", "with lane 32 of a warp of 32"),
    ("x[t + 1] = 1;", "thread (63, 0, 0) of block (0, 0, 0) writes 4 bytes at offset 256 of argument 0, which has 256"),
    ("x[t] = x[t - 1];", "thread (0, 0, 0) of block (0, 0, 0) reads 4 bytes at offset -4 of argument 0"),
    ("*(float*)(long long)(t * 4) = 0;", "writes 4 bytes at (nil), outside every array"),
    ("((Vector*)(x + 1))->at[t % 4] = 0;", "uses a misaligned address on line"),
    ("Vector v = *(Vector*)(x + 2); x[t] = v.at[t % 4];", "uses a misaligned address on line"),
    ("s[t + 1] = 0;", "has an index out of bounds on line"),
    ("float* end = s + t; end[1] = 0;", "writes 4 bytes at 0x"),
    ("SHARED(float, more, 12225); more[t] = 0;", "declares 49156 bytes of shared memory, of 49152"),
    (
        "s[t] = t; x[t] = s[t / 2];",
        "thread (1, 0, 0) of block (0, 0, 0) reads byte 0 of shared memory, which thread 0 wrote",
    ),
    ("x[t] = s[t + (t < 63)]; s[t] = 0;", "writes byte 4 of shared memory, which others read since their last barrier"),
    ("x[t] = s[1]; if (t == 1) s[1] = 0;", "writes byte 4 of shared memory, which others read"),
    ("if (t < 2) s[0] = t;", "where another thread wrote something else since their last barrier"),
    ("s[0] = 7;", None),
    ("s[t] = t; __syncthreads(); x[t] = s[63 - t]; __syncthreads(); s[t] = 0;", None),
    ("x[0] = 0x7fffffff + t;", "overflows a sum on line"),
    ("x[0] = 1 << (t + 1);", "shifts by too much on line"),
    ("x[0] = 1 / t;", "divides by zero"),
    ("x[0] = int(1e10f * t);", "converts a float that does not fit on line"),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    source = RIGHT + "struct alignas(16) Vector { float at[4]; };\n"
    for i, (body, _) in enumerate(WRONG):
        source += f'extern "C" __global__ void wrong_{i}(float* x) {{ {BEGIN_WRONG} {body} }}\n'
    path = tmp_path_factory.mktemp("kernels") / "kernels.cu"
    path.write_text(source)
    try:
        return device.compile(path, {"ALL_LANES": "0xffffffff"}, re.findall(r'"C" __global__ void (\w+)', source))
    except device.NoCompiler as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("threads", [1, 8, 64])
@pytest.mark.parametrize(
    ("kernel", "dtype"),
    [
        ("sum_int", np.int32),
        ("sum_unsigned", np.uint32),
        ("sum_long", np.int64),
        ("sum_float", np.float32),
        ("sum_double", np.float64),
    ],
)
def test_shuffles_add_up_a_warp(compiled, kernel, dtype, threads):
    x = (np.arange(threads) ** 3 + 2**24).astype(dtype)
    expected = np.concatenate([np.full_like(warp, warp.sum()) for warp in np.split(x, range(32, threads, 32))])
    compiled.get_function(kernel)((1,), (threads,), (x,))
    assert_array_equal(x, expected)


def test_every_thread_knows_its_place(compiled):
    numbers = np.zeros(24 * 24, np.int32)
    compiled.get_function("indices")((2, 3, 4), (4, 2, 3), (numbers,))
    assert_array_equal(numbers, (1000 * np.arange(24)[:, None] + np.arange(24)).ravel())


def test_blocks_have_shared_memory_of_their_own(compiled):
    x = np.arange(3 * 256.0)
    y = x.astype(np.float32)
    compiled.get_function("reverse")((3,), (256,), (x, y))
    assert_array_equal(x, np.arange(3 * 256.0) + 2)
    assert_array_equal(y, x)


def test_shared_memory_is_nan_until_written(compiled):
    x = np.zeros(3 * 64, np.float32)
    for _ in range(2):
        compiled.get_function("unwritten")((3,), (64,), (x,))
        assert np.isnan(x).all()


def test_every_half_becomes_its_float(compiled):
    half = np.arange(2**16, dtype=np.uint16)
    x = np.empty(2**16, np.float32)
    compiled.get_function("widen")((256,), (256,), (half, x))
    assert_array_equal(x, half.view(np.float16).astype(np.float32))
    assert_array_equal(np.signbit(x), half >= 2**15)


def test_floats_round_to_halves(compiled):
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    every = np.unique(halves[np.isfinite(halves)])
    ties = np.append((every[:-1] + every[1:]) / 2, np.float32(65520))
    x = np.concatenate([halves, ties, np.nextafter(ties, -np.inf, dtype="f4"), np.nextafter(ties, np.inf, dtype="f4")])
    anything = np.random.default_rng(0).integers(0, 2**32, 2**16, np.uint32).view(np.float32)
    x = np.resize(np.concatenate([x, anything]), 2**19)
    half = np.empty(2**19, np.uint16)
    compiled.get_function("narrow")((512,), (1024,), (x, half))
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)
    assert_array_equal(half.view(np.float16), expected)
    assert_array_equal(half[~np.isnan(x)], expected.view(np.uint16)[~np.isnan(x)])


def test_floats_round_to_bfloats(compiled):
    x = np.random.default_rng(0).integers(0, 2**32, 2**16, np.uint32)
    x[:4] = 0x3F808000, 0x3F818000, 0x7FC12345, 0x00018000  # two ties, a NaN, a tie of subnormals
    bits = np.empty(2**16, np.uint16)
    compiled.get_function("narrow_more")((64,), (1024,), (x.view(np.float32), bits))
    with np.errstate(all="ignore"):
        expected = x.view(np.float32).astype(ml_dtypes.bfloat16)
    assert_array_equal(bits.view(ml_dtypes.bfloat16).astype(np.float32), expected.astype(np.float32))


def test_arguments_have_the_types_that_cupy_gives_them(compiled):
    kernel = compiled.get_function("arguments")
    out = np.zeros(6)
    kernel((1,), (1,), (out, None, 2**40, 0.1, np.int32(2), np.float32(0.5)))
    assert_array_equal(out, [2**40, 0.1, 2, 0.5, 1, 2.5])
    with pytest.raises(TypeError, match=r"arguments takes .*'i4', 'f4'.*, got .*'i8', 'f4'"):
        kernel((1,), (1,), (out, None, 1, 0.1, 2, np.float32(0.5)))
    with pytest.raises(ValueError, match="cannot run with grid"):
        kernel((1,), (1025,), (out, None, 1, 0.1, np.int32(2), np.float32(0.5)))


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_a_gpu_would_not_forgive_is_an_error(compiled, number):
    _, problem = WRONG[number]
    kernel = compiled.get_function(f"wrong_{number}")
    arguments = (1,), (64,), (np.zeros(64, np.float32),)
    if problem is None:
        kernel(*arguments)
    else:
        with pytest.raises(RuntimeError, match=re.escape(problem)):
            kernel(*arguments)
    numbers = np.zeros(64, np.int32)
    compiled.get_function("indices")((2,), (32,), (numbers,))
    assert_array_equal(numbers[-1], 1031, err_msg="the device does not go on after an error")


def test_what_does_not_compile_says_why(tmp_path):
    (tmp_path / "kernel.cu").write_text('extern "C" __global__ void kernel() { undeclared = WIDTH; }')
    with pytest.raises(RuntimeError, match="undeclared"):
        device.compile(tmp_path / "kernel.cu", {"WIDTH": 3}, ["kernel"])


def test_no_compiler_is_a_reason_to_skip(monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(device.NoCompiler, match=r"no g\+\+"):
        device.run_compiler()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_a_kernel_has_not_written_is_nan(dtype):
    cupy = device.ArrayModule()
    assert np.isnan(cupy.empty((2, 3), dtype)).all()
    assert np.isnan(cupy.empty_like(np.zeros((2, 3, 4), dtype).transpose(1, 2, 0))).all()
    assert np.isnan(cupy.empty((), dtype)).all()
