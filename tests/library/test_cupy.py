"""What is particular to the CuPy backend: its geometry, its CUDA source, and what it says where there is no GPU."""

import functools
import itertools
import math
import re
import shutil
import subprocess

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import softmax_lib
from softmax_lib.kernels import geometry as geometries
from tests.emulated_gpu.device import KERNELS_OF
from tests.library.backends import BACKENDS, load

with_cupy = pytest.importorskip("softmax_lib.with_cupy", reason="CuPy is not installed", exc_type=ImportError)

SIZES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
LENGTHS = [*range(1, 2100), *(2**n + d for n in range(11, 27) for d in (-1, 0, 1)), 50_257, 128_256, 3 * 2**14, 10**6]
SHARED_MEMORY, REGISTERS, THREADS = 48 * 1024, 65_536, 1024
# What a slice's pair takes, and its moments, by the size of an entry.
SIZE_OF_FOUND = {(1, size): 16 for size in (2, 4, 8)} | {(2, 2): 20, (2, 4): 40, (2, 8): 56}


def every_geometry(lengths=LENGTHS):
    for size, across, arrays in itertools.product((2, 4, 8), (False, True), (1, 2)):
        for length in lengths:
            yield length, size, geometries.geometry(length, size, across=across, arrays=arrays)


def shared_bytes(geometry, size):
    """What `over_slice` declares: the partial results of its largest and its sums, or of the moments."""
    together = geometry.slices if geometry.across else 1
    in_warp = 1 if together >= 32 else min(geometry.threads, 32 // together)
    partials = geometry.threads // in_warp
    places = geometry.slices * partials if partials > 1 else 0
    if geometry.arrays == 2:
        return places * SIZE_OF_FOUND[2, size]
    return places * (8 + 24 if size == 8 else 4 + 16)


# --- geometry --------------------------------------------------------------------------------------------------------


def test_every_entry_has_a_place_and_every_block_fits():
    for length, size, geometry in every_geometry():
        at_once = geometry.threads * geometry.values
        told = f"{length} entries of {size} bytes: {geometry}"
        assert not (geometry.tiled and geometry.parts > 1), told
        assert geometry.tiled or (geometry.parts - 1) * at_once < length <= geometry.parts * at_once, told
        assert length % geometry.vector == 0, told
        assert geometry.values % geometry.vector == 0, told
        assert geometry.vector * size <= 16, told
        threads = math.prod(geometry.block)
        assert threads % 32 == 0, told  # __shfl_xor_sync asks all lanes of a warp
        assert threads <= THREADS, told
        assert shared_bytes(geometry, size) <= SHARED_MEMORY, told
        assert geometry.values * max(size, 4) // 4 * geometry.arrays <= 32, told


def test_rows_get_the_threads_they_can_use():
    def of(length, size=4, **options):
        found = geometries.geometry(length, size, **options)
        return found.threads, found.values, found.vector, found.slices, found.tiled, found.parts

    assert of(32) == (8, 4, 4, 16, False, 1)
    assert of(64) == (8, 8, 4, 16, False, 1)
    assert of(65) == (16, 8, 1, 8, False, 1)
    assert of(1000) == (64, 16, 4, 2, False, 1)
    assert of(1000, 2) == (32, 32, 8, 4, False, 1)
    assert of(1000, 8) == (128, 8, 2, 1, False, 1)
    assert of(8192) == (512, 16, 4, 1, False, 1)
    assert of(16_384) == (1024, 16, 4, 1, False, 1)
    assert of(16_388) == (1024, 16, 4, 1, True, 1)
    assert of(50_257, 2) == (1024, 16, 1, 1, True, 1)
    assert of(2**18) == (512, 16, 4, 1, True, 1)
    assert of(2**18 + 4) == (512, 16, 4, 1, False, 33)
    assert of(2**24) == (512, 16, 4, 1, False, 2048)
    assert of(32_768) == (1024, 16, 4, 1, True, 1)
    assert of(4096, across=True) == (8, 16, 1, 32, False, 32)
    assert of(3, across=True) == (1, 4, 1, 128, False, 1)


def test_a_grid_has_all_slices():
    for length, count in itertools.product((3, 1000, 20_000, 10**6), (1, 2, 127, 128, 129, 10**6)):
        geometry = geometries.geometry(length, 4)
        (blocks,) = geometry.grid(count)
        assert blocks % geometry.parts == 0
        groups = blocks // geometry.parts
        assert (groups - 1) * geometry.slices < count <= groups * geometry.slices


# --- the source ------------------------------------------------------------------------------------------------------

KERNELS = {int(arrays): set(names) for arrays, names in KERNELS_OF.items()}
COMPILED = [
    ("float32", 1000, False, 1),
    ("float32", 262_144, False, 1),
    ("float32", 5000, True, 1),
    ("float16", 50_257, False, 1),
    ("bfloat16", 8192, False, 1),
    ("float64", 100, False, 1),
    ("float32", 131_072, False, 2),
    ("float16", 24, False, 2),
    ("float64", 5000, True, 2),
]


@functools.cache
def architectures():
    """What this nvcc compiles for, of the three that the kernels are meant for."""
    listed = subprocess.run(["nvcc", "--list-gpu-code"], capture_output=True, text=True, check=True).stdout.split()
    return [each for each in ("sm_75", "sm_80", "sm_90") if each in listed]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not installed")
@pytest.mark.parametrize(
    ("architecture", "name", "length", "across", "arrays"),
    # Of the older two, each type and the largest blocks will do for one, a few for the other.
    [
        (each, *case)
        for each, cases in (("sm_75", COMPILED[1:2] + COMPILED[4:]), ("sm_80", COMPILED[1:3]), ("sm_90", COMPILED))
        for case in cases
    ],
)
def test_it_compiles_and_its_blocks_fit(name, length, across, arrays, architecture, tmp_path):
    if architecture not in architectures():
        pytest.skip(f"this nvcc does not compile for {architecture}")
    geometry = geometries.geometry(length, SIZES[name], across=across, arrays=arrays)
    command = ["nvcc", f"-arch={architecture}", "-cubin", "-ftz=true", "-Werror=all-warnings", "-Xptxas=-v"]
    command += [*geometries.options(name, geometry), "-o", tmp_path / "cubin", geometries.SOURCE]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    used = dict(re.findall(r"entry function '(\w+)'.*?Used (\d+ registers[^\n]*)", result.stderr, flags=re.S))
    assert set(used) == KERNELS[arrays]
    registers = max(int(told.split()[0]) for told in used.values())
    assert registers * math.prod(geometry.block) <= REGISTERS
    shared = {kernel: sum(map(int, re.findall(r"(\d+) bytes smem", told))) for kernel, told in used.items()}
    merged = shared.pop("merge_normalizers" if arrays == 1 else "merge_moments")
    assert merged == geometry.merging // 32 * SIZE_OF_FOUND[arrays, SIZES[name]]
    assert 0 <= max(shared.values()) - shared_bytes(geometry, SIZES[name]) < 16


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not installed")
@pytest.mark.parametrize("arrays", [1, 2])
@pytest.mark.parametrize("name", SIZES)
def test_sixteen_bytes_are_read_and_written_at_once(name, arrays, tmp_path):
    geometry = geometries.geometry(1000, SIZES[name], arrays=arrays)
    options = geometries.options(name, geometry)
    subprocess.run(["nvcc", "-arch=sm_90", "-ptx", *options, "-o", tmp_path / "ptx", geometries.SOURCE], check=True)
    function = "softmax" if arrays == 1 else "softmax_vjp"
    code = re.search(rf"\.entry {function}\(.*?\n}}", (tmp_path / "ptx").read_text(), flags=re.S)[0]
    vectors = geometry.values // geometry.vector
    assert len(re.findall(r"ld\.global\.v[24]\.\w+", code)) >= arrays * vectors
    assert len(re.findall(r"st\.global\.cs\.v[24]\.\w+", code)) == vectors


# --- every way through memory, on the emulated device and, where there is one, on a GPU -------------------------------

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
WAYS = {
    "8 threads": ((37, 24), -1),
    "16 threads": ((19, 100), -1),
    "32 threads": ((9, 260), -1),
    "64 threads": ((5, 1000), -1),
    "512 threads": ((2, 8000), -1),
    "odd": ((7, 37), -1),
    "odd, 1024 threads": ((2, 9001), -1),
    "in tiles": ((1, 50_000), -1),
    "odd, in tiles": ((1, 40_001), -1),
    "in parts": ((2, 270_000), -1),
    "a thread a column": ((2, 5, 70), 1),
    "columns": ((2, 300, 33), 1),
    "columns, in parts": ((9000, 3), 0),
    "two axes": ((30, 4, 50), (0, 2)),
}


def skip_one_narrow_type(backend, dtype, case, cases):
    """On the emulated device, which is slow, let every other case have float16, and the rest bfloat16.

    The two have one geometry and are computed with as float32; they differ in how one entry is read and written,
    which is the same function on every way through memory. A GPU has them both everywhere.
    """
    if "emulated" in backend.name and dtype is FLOATS[1 - list(cases).index(case) % 2]:
        pytest.skip("the emulated device is slow, and this case has the other narrow type there")


def ulps(got, expected, dtype):
    """The largest error in units in the last place of `expected`; infinities have to be the same."""
    format_ = ml_dtypes.finfo(dtype)
    finite = np.isfinite(expected)
    assert_array_equal(got[~finite].astype(np.longdouble), expected[~finite])
    exponent = np.maximum(np.frexp(expected[finite])[1] - 1, int(format_.minexp))
    error = np.abs(got[finite].astype(np.longdouble) - expected[finite])
    return np.max(error / np.ldexp(np.longdouble(1), exponent - format_.nmant))


def assert_within_4_ulp(backend, x, axis):
    wide = x.astype(np.longdouble)
    for function in ("softmax", "log_softmax", "logsumexp"):
        expected = getattr(softmax_lib, function)(wide, axis)
        assert ulps(getattr(backend, function)(x, axis), expected, x.dtype) <= 4, function
    if isinstance(axis, tuple):
        return
    targets = np.random.default_rng(1).integers(0, x.shape[axis], np.delete(x.shape, axis))
    for function in ("cross_entropy", "cross_entropy_grad"):
        expected = getattr(softmax_lib, function)(wide, targets, axis)
        assert ulps(getattr(backend, function)(x, targets, axis), expected, x.dtype) <= 4, function
    p, v = backend.softmax(x, axis), np.random.default_rng(2).normal(size=x.shape).astype(x.dtype)
    expected = softmax_lib.softmax_vjp(p.astype(np.longdouble), v.astype(np.longdouble), axis)
    assert ulps(backend.softmax_vjp(p, v, axis), expected, x.dtype) <= 4


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_through_memory_is_within_4_ulp(cupy_backend, way, dtype):
    skip_one_narrow_type(cupy_backend, dtype, way, WAYS)
    shape, axis = WAYS[way]
    x = np.random.default_rng(0).normal(scale=4, size=shape).astype(dtype)
    x.ravel()[:: x.size // 7] = -np.inf
    assert_within_4_ulp(cupy_backend, x, axis)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("length", [24, 1000, 36_000])
def test_a_row_is_the_same_wherever_it_lies(cupy_backend, dtype, length):
    around = np.random.default_rng(0).normal(size=3 * length + 9).astype(dtype)
    rows = around[: 3 * length].reshape(3, length).copy()
    together = {function: getattr(cupy_backend, function)(rows) for function in ("softmax", "log_softmax")}
    for offset in range(16 // around.itemsize + 1):  # 16 bytes are the most that is moved at once: then all recurs
        around[offset : offset + 3 * length] = rows.ravel()
        elsewhere = around[offset : offset + 3 * length].reshape(3, length)
        for function, expected in together.items():
            assert_array_equal(getattr(cupy_backend, function)(elsewhere), expected)
            out = np.full(3 * length + 9, 7, dtype)
            getattr(cupy_backend, function)(rows, out=out[offset : offset + 3 * length].reshape(3, length))
            assert_array_equal(out[offset : offset + 3 * length], expected.ravel())
            assert np.all(out[:offset] == 7)
            assert np.all(out[offset + 3 * length :] == 7)


ODD_LENGTHS = [24, 1000, 33_001, 270_000]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("length", ODD_LENGTHS)
def test_nothing_is_lost_of_odd_rows(cupy_backend, dtype, length):
    skip_one_narrow_type(cupy_backend, dtype, length, ODD_LENGTHS)
    x = np.zeros((7, length), dtype)
    x[1, length // 2] = np.nan
    x[2, -1] = np.inf
    x[3] = -np.inf
    x[4, :-1] = -np.inf
    x[5, 0] = x[5, -1] = 30_000  # beyond which nothing is subtracted; the others vanish
    x[6] = -30_000
    expected = [math.log(length), np.nan, np.inf, -np.inf, 0, 30_000 + math.log(2), math.log(length) - 30_000]
    assert_array_equal(cupy_backend.logsumexp(x).astype(float), np.array(expected).astype(dtype).astype(float))
    p = cupy_backend.softmax(x).astype(float)
    assert np.isnan(p[1:4]).all()
    assert_array_equal(p[4], np.eye(1, length, length - 1)[0])
    assert_array_equal(p[5], (np.eye(1, length)[0] + np.eye(1, length, length - 1)[0]) / 2)
    uniform = np.array(1 / length).astype(dtype).astype(float)
    assert_array_equal(p[[0, 6]], np.full((2, length), uniform))


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float32])
@pytest.mark.parametrize(("shape", "axis"), [((2, 24), -1), ((2, 33_001), -1), ((1, 270_000), -1), ((24, 3), 0)])
def test_subnormal_numbers_are_kept(cupy_backend, shape, axis, dtype):
    if "emulated" in cupy_backend.name and shape[-1] > 9000 and dtype == ml_dtypes.bfloat16:
        pytest.skip("the emulated device is slow, and computes with float32 here too: only reading and writing differ")
    # CuPy has the compiler take them for 0; and summed up as such, they would have few digits.
    first = np.moveaxis(np.zeros(shape), axis, 0)
    first[0] = 1
    first = np.moveaxis(first, 0, axis)
    for lowest in (-89, -95):
        assert_within_4_ulp(cupy_backend, np.where(first, 0, lowest).astype(dtype), axis)
    for p, v in [(np.where(first, 1, 1e-40), 1e10 * (1 - first)), (first / 2 + 0.25, 1e-39 * (2 - first))]:
        p, v = p.astype(dtype), v.astype(dtype)
        expected = softmax_lib.softmax_vjp(p.astype(np.longdouble), v.astype(np.longdouble), axis)
        assert ulps(cupy_backend.softmax_vjp(p, v, axis), expected, dtype) <= 4


def test_axes_apart_and_what_goes_to_out(cupy_backend):
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 2)).astype(np.float32)
    for axes in ((0, 2), (1, 3), (3, 0)):
        for function in ("softmax", "log_softmax"):
            out, expected = np.empty_like(x), getattr(softmax_lib, function)(x.astype(np.longdouble), axes)
            assert ulps(getattr(cupy_backend, function)(x, axes), expected, x.dtype) <= 4
            assert ulps(getattr(cupy_backend, function)(x, axes, out=out), expected, x.dtype) <= 4
    out, where = np.empty_like(x), np.ones(x.shape, bool)
    where[1, 2, 3], where[0, 0, 0, 1] = False, False
    expected = softmax_lib.softmax(x.astype(np.longdouble), where=where)
    assert ulps(cupy_backend.softmax(x, where=where, out=out), expected, x.dtype) <= 4


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
def test_a_mask_does_not_widen_bfloat16(cupy_backend, function):
    # CuPy itself selects from bfloat16 as from float32.
    x = np.random.default_rng(0).normal(size=(3, 40)).astype(ml_dtypes.bfloat16)
    where = np.arange(40) < 30
    result = getattr(cupy_backend, function)(x, where=where)
    assert result.dtype == x.dtype
    expected = getattr(softmax_lib, function)(x.astype(np.longdouble), where=where)
    assert ulps(result, expected, x.dtype) <= 4


def test_bfloat16_needs_a_cupy_that_has_it(cupy_backend, monkeypatch):
    cp = cupy_backend.module.cp
    monkeypatch.setattr(type(cp) if "emulated" in cupy_backend.name else cp, "__version__", "13.6.0")
    with pytest.raises(TypeError, match=r"softmax needs CuPy 14 or later for bfloat16, and this is CuPy 13\.6\.0"):
        cupy_backend.softmax(np.zeros(3, ml_dtypes.bfloat16))


@pytest.mark.parametrize("function", ["softmax", "log_softmax", "softmax_vjp"])
def test_an_out_on_another_device_is_an_error(function):
    # On a GPU it would be an access to memory that is not there, after which nothing works.
    module = load("with_cupy, emulated").module
    x = module.cp.asarray(np.zeros((2, 3)))
    out = module.cp.empty((2, 3))
    out.device = type(x.device)(1)
    arguments = (x, x) if function == "softmax_vjp" else (x,)
    name = "p" if function == "softmax_vjp" else "x"
    with pytest.raises(ValueError, match=f"out must be on the device of {name}, <CUDA Device 0>, got <CUDA Device 1>"):
        getattr(module, function)(*arguments, out=out)


def test_the_out_of_a_vector_product_of_two_float_types(cupy_backend):
    p, v = cupy_backend.softmax(np.arange(12.0).reshape(2, 6)), np.random.default_rng(0).normal(size=(2, 6))
    p, out = p.astype(np.float32), np.empty((2, 6), np.float32)
    expected = softmax_lib.softmax_vjp(p.astype(np.longdouble), v.astype(np.longdouble))
    assert ulps(cupy_backend.softmax_vjp(p, v, out=out), expected, np.float32) <= 4


@pytest.mark.parametrize("length", [300, 20_000, 300_000])
def test_a_vector_of_which_only_some_entries_are_scaled(cupy_backend, length):
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(length))
    v = random.normal(size=length) * 1e289
    v[length // 3] = 3e290  # beyond 1e290, the thread that has it counts 2^-64 of everything
    expected = softmax_lib.softmax_vjp(p.astype(np.longdouble), v.astype(np.longdouble))
    assert np.all(np.abs(cupy_backend.softmax_vjp(p, v) - expected) <= 1e-14 * np.abs(expected))


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_class_that_is_alone_is_certain(cupy_backend, dtype):
    x = np.append(0.9, np.random.default_rng(0).normal(scale=10, size=400)).astype(dtype)
    for column in (x[:, np.newaxis], np.ascontiguousarray(x[np.newaxis]).T):
        assert_array_equal(cupy_backend.softmax(column), np.ones((401, 1)))
        assert_array_equal(cupy_backend.softmax(column.T, axis=0), np.ones((1, 401)))


@pytest.mark.parametrize(
    ("shape", "far"),
    [((40_000,), -700.3), ((300_000,), -700.3), ((5000, 2), -700.3), ((5000, 2), -715.1), ((5000, 2), -744.8)],
)
def test_what_lies_far_below_keeps_its_digits_also_in_parts(cupy_backend, shape, far):
    x = np.full(shape, far)
    x[shape[0] // 2] = 0.1
    certain = np.full(shape[1:], shape[0] // 2)
    calls = [("softmax", ()), ("log_softmax", ()), ("logsumexp", ())]
    calls += [
        (name, (target,)) for name in ("cross_entropy", "cross_entropy_grad") for target in (certain, certain - 1)
    ]
    for function, target in calls:
        expected = getattr(softmax_lib, function)(x.astype(np.longdouble), *target, axis=0)
        assert ulps(getattr(cupy_backend, function)(x, *target, axis=0), expected, np.float64) <= 4, function


# --- smoothed and ignored targets -------------------------------------------------------------------------------------


SMOOTHED_WAYS = ["8 threads", "odd, in tiles", "in parts", "columns", "columns, in parts"]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("way", SMOOTHED_WAYS)
def test_smoothed_and_ignored_targets_on_every_way_through_memory(cupy_backend, way, dtype):
    skip_one_narrow_type(cupy_backend, dtype, way, SMOOTHED_WAYS)
    shape, axis = WAYS[way]
    x = np.random.default_rng(0).normal(scale=4, size=shape).astype(dtype)
    target = np.random.default_rng(1).integers(0, shape[axis], np.delete(shape, axis))
    target.ravel()[0] = -1
    np.moveaxis(x, axis, -1).reshape(-1, shape[axis])[0, 0] = np.nan
    options = {"label_smoothing": 0.3, "ignore_index": -1}
    wide = x.astype(np.longdouble)
    loss, gradient = (
        getattr(cupy_backend, function)(x, target, axis, **options)
        for function in ("cross_entropy", "cross_entropy_grad")
    )
    assert loss.dtype == gradient.dtype == dtype
    format_ = ml_dtypes.finfo(dtype)
    eps, least = float(format_.eps), float(format_.smallest_subnormal)
    expected = softmax_lib.cross_entropy(wide, target, axis, **options)
    # The sum of 9,000 columns is NumPy's here, which adds one after the other.
    assert np.all(np.abs(loss - expected) <= 4 * max(eps, 2e-14) * np.abs(expected))
    expected = softmax_lib.cross_entropy_grad(wide, target, axis, **options)
    # Where p and t nearly cancel, what counts is how large they are.
    terms = np.abs(expected) + softmax_lib.softmax(wide, axis) + 0.3 / shape[axis]
    right = np.abs(gradient - expected) <= 2 * eps * terms + least
    ignored = np.broadcast_to(np.expand_dims(target, axis) == -1, shape)
    assert np.all(gradient[ignored] == 0)
    assert right[~ignored].all()
    assert loss.ravel()[0] == 0


@pytest.mark.parametrize("label_smoothing", [1e-3, 0.1, 0.999, 1.0])
@pytest.mark.parametrize("length", [2, 1000, 50_000])
def test_a_smoothed_gradient_is_right_relative_to_its_terms(cupy_backend, length, label_smoothing):
    x = np.random.default_rng(0).normal(scale=3, size=length)
    for target in (int(np.argmax(x)), int(np.argmin(x))):
        wide = x.astype(np.longdouble)
        got = cupy_backend.cross_entropy_grad(x, target, label_smoothing=label_smoothing)
        expected = softmax_lib.cross_entropy_grad(wide, target, label_smoothing=label_smoothing)
        p, t = softmax_lib.softmax(wide), np.full(length, np.longdouble(label_smoothing) / length)
        t[target] += 1 - np.longdouble(label_smoothing)
        assert np.all(np.abs(got - expected) <= 1e-14 * (p * (1 - t) + t * (1 - p)))


@pytest.mark.parametrize("function", ["cross_entropy", "cross_entropy_grad"])
def test_targets_of_a_type_that_holds_not_every_class(cupy_backend, function):
    # CuPy refuses to compare such an array with a number that its type does not hold.
    x = np.random.default_rng(0).normal(size=(3, 300))
    for kind in (np.int8, np.uint8, np.uint64):
        target = np.array([0, 100, 7], kind)
        expected = getattr(softmax_lib, function)(x, [0, 100, -1], ignore_index=-1)
        got = getattr(cupy_backend, function)(x, np.array([0, 100, 7], kind), ignore_index=7)
        np.testing.assert_allclose(got, expected, rtol=1e-14)
        for ignore_index in (-1, 2**70):
            got = getattr(cupy_backend, function)(x, target, ignore_index=ignore_index)
            np.testing.assert_allclose(got, getattr(softmax_lib, function)(x, target.astype(int)), rtol=1e-14)


# --- on a GPU --------------------------------------------------------------------------------------------------------


@pytest.mark.gpu
def test_the_contract_and_the_accuracy_are_tested_on_this_gpu():
    assert any("with_cupy" in getattr(backend, "values", ()) for backend in BACKENDS)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("length", [16_384, 32_768, 65_536, 131_072, 262_144, 262_148, 2**24])
def test_long_rows_on_this_gpu(length, dtype):
    x = np.random.default_rng(0).normal(scale=4, size=(1, length)).astype(dtype)
    assert_within_4_ulp(load("with_cupy"), x, -1)


@pytest.mark.gpu
def test_it_works_on_the_callers_stream():
    cp = with_cupy.cp
    x = cp.random.default_rng(0).standard_normal((4096, 4096), dtype=np.float32)
    expected = with_cupy.softmax(x)
    cp.cuda.Device().synchronize()
    stream, out = cp.cuda.Stream(non_blocking=True), cp.zeros_like(x)
    with stream:
        for _ in range(200):
            with_cupy.softmax(x, out=out)
        assert not stream.done  # nothing has waited for it
    stream.synchronize()
    cp.testing.assert_array_equal(out, expected)


@pytest.mark.gpu
def test_it_works_on_the_callers_device():
    cp = with_cupy.cp
    if cp.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("there is but one GPU")
    for number in range(cp.cuda.runtime.getDeviceCount()):
        with cp.cuda.Device(number):
            p = with_cupy.softmax(cp.zeros((3, 4)))
            assert p.device.id == number
            cp.testing.assert_array_equal(p, cp.full((3, 4), 0.25))


# --- without a GPU ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(with_cupy.cp.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("function", with_cupy.__all__)
def test_without_a_gpu_every_function_says_what_to_use(function):
    arguments = {"softmax_vjp": [[0.5, 0.5], [1, 0]], "merge": [(0, 1), (0, 1)]}.get(function, [[0.0, 1.0]])
    arguments += [0] if "entropy" in function else []
    with pytest.raises(RuntimeError, match=f"^{function} of softmax_lib.with_cupy needs an NVIDIA GPU") as error:
        getattr(with_cupy, function)(*arguments)
    assert "softmax_lib.with_numba and softmax_lib have the same functions" in str(error.value)
