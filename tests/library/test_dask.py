"""What with_dask promises beyond the contract: any chunks, clear errors, and a cluster of separate processes."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import softmax_lib
from tests.library.backends import ONLY
from tests.library.contract.helpers import INF, NAN, normal

if ONLY not in (None, "with_dask"):
    pytest.skip(f"{ONLY} is the backend to test", allow_module_level=True)
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
with_dask = pytest.importorskip("softmax_lib.with_dask")
LOSSES = ["cross_entropy", "cross_entropy_grad"]


@pytest.fixture(autouse=True)
def _in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


# --- any chunks ------------------------------------------------------------------------------------------------------


@st.composite
def cut_arrays(draw):
    """Logits of up to three axes, with -inf among them, cut anywhere along each axis; and one axis or several."""
    shape = draw(hnp.array_shapes(max_dims=3, max_side=5))
    x = draw(hnp.arrays(np.float64, shape, elements=st.sampled_from([-INF, 0, 1, 1.5, 700]) | st.floats(-800, 800)))
    chunks = []
    for n in shape:
        cuts = draw(st.sets(st.integers(1, n - 1), max_size=2)) if n > 1 else set()
        chunks.append(tuple(np.diff([0, *sorted(cuts), n]).tolist()))
    axes = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    return da.from_array(x, tuple(chunks)), x, tuple(axes)


@examples(max_examples=25, deadline=None, derandomize=True)
@given(arrays=cut_arrays())
def test_no_cut_changes_an_answer(arrays):
    lazy, x, axes = arrays
    functions = ("softmax", "log_softmax", "logsumexp", "normalizer")
    p, *_ = found = dask.compute(*(getattr(with_dask, name)(lazy, axes) for name in functions))
    for name, got in zip(functions, found, strict=True):
        assert_allclose(got, getattr(softmax_lib, name)(x, axes), rtol=2e-15, atol=2e-15, err_msg=name)
    if len(axes) == x.ndim and not np.isnan(p).any():  # one slice, whose order and ties are kept wherever they lie
        order = np.argsort(x, axis=None)
        rises = np.diff(p.ravel()[order])
        assert np.all(rises >= 0)
        assert np.all(rises[np.diff(x.ravel()[order]) == 0] == 0)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("chunks", [(2, 3), (5, 2), (1, 7), ((1, 4), (6, 1))])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}])
def test_losses_of_any_cut_and_any_kind_of_target(axis, chunks, options):
    x = normal(5, 7, scale=5)
    x[1, 2], x[3, 4] = 60, 60  # certain classes
    lazy = da.from_array(x, chunks)
    classes = np.array([3, 2, 0, 4, 1, 1, 0])[: x.shape[1 - axis]] % x.shape[axis]
    shares = softmax_lib.softmax(normal(5, 7, seed=1, scale=20), axis)
    for target, cut in ((classes, (lazy.chunks[1 - axis],)), (shares, lazy.chunks)):
        expected = [
            getattr(softmax_lib, name)(x, target, axis, **options) for name in ("cross_entropy", "cross_entropy_grad")
        ]
        for given_target in (target, da.from_array(target, cut)):
            got = dask.compute(*(getattr(with_dask, name)(lazy, given_target, axis, **options) for name in LOSSES))
            for one, other in zip(got, expected, strict=True):
                assert_allclose(one, other, rtol=1e-13, atol=1e-300)


def test_an_ignored_class_in_an_array_of_dask():
    lazy = da.from_array(normal(4, 6), (2, 3))
    target = da.from_array(np.array([1, -7, 5, -7]), 2)
    loss, gradient = dask.compute(*(getattr(with_dask, name)(lazy, target, ignore_index=-7) for name in LOSSES))
    assert_array_equal(loss[[1, 3]], 0)
    assert_array_equal(gradient[[1, 3]], 0)
    assert_allclose(loss[[0, 2]], softmax_lib.cross_entropy(normal(4, 6)[[0, 2]], [1, 5]), rtol=1e-14)


def test_a_mask_of_dask_may_be_one_for_all_rows():
    x, keep = normal(4, 6), np.array([True, False, True, True, False, True])
    for mask in (keep, da.from_array(keep, 3), da.from_array(np.broadcast_to(keep, x.shape).copy(), (2, 3))):
        got = with_dask.softmax(da.from_array(x, (2, 3)), where=mask).compute()
        assert_allclose(got, softmax_lib.softmax(x, where=keep), rtol=1e-15)


def test_nothing_is_computed_before_it_is_asked_for():
    def fail(block):
        raise AssertionError("computed")

    x = da.ones((4, 6), chunks=(2, 3)).map_blocks(fail, meta=np.empty((0, 0)))
    target = da.zeros(4, chunks=2, dtype=int).map_blocks(fail, meta=np.empty(0, int))
    lazy = [with_dask.softmax(x), with_dask.log_softmax(x, None), with_dask.logsumexp(x, 0), *with_dask.normalizer(x)]
    lazy += [with_dask.cross_entropy(x, target), with_dask.cross_entropy_grad(x, target)]
    for each in lazy:
        assert isinstance(each, da.Array)
        with pytest.raises(AssertionError, match="computed"):
            each.compute()


def test_without_numba_the_definition_works_in_the_chunks():
    code = """
import sys
sys.modules["numba"] = None
import numpy as np, dask.array as da
import softmax_lib
from softmax_lib import of_chunks, with_dask
assert of_chunks.backend is softmax_lib.with_numpy
x = np.random.default_rng(0).normal(scale=5, size=(5, 7))
for name in ("softmax", "log_softmax", "logsumexp"):
    got = getattr(with_dask, name)(da.from_array(x, (2, 3))).compute(scheduler="synchronous")
    np.testing.assert_allclose(got, getattr(softmax_lib, name)(x), rtol=1e-15)
print("right")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("right\n", "")


@pytest.mark.parametrize("cut", [1000, 500])
def test_a_chunk_keeps_to_one_core(monkeypatch, cut):
    with_numba = pytest.importorskip("softmax_lib.with_numba")
    for name in ("along_rows_on_all_cores", "parts_of_rows_on_all_cores"):
        monkeypatch.setattr(with_numba, name, None)  # who calls it fails
    x = normal(400, 1000)
    got = with_dask.softmax(da.from_array(x, (400, cut))).compute()
    assert_allclose(got, softmax_lib.softmax(x), rtol=1e-14)
    monkeypatch.undo()
    assert_allclose(with_numba.softmax(x), got, rtol=1e-14)  # on all cores again


# --- errors ----------------------------------------------------------------------------------------------------------


def of_unknown_sizes():
    x = da.from_array(normal(4, 6), (2, 3))
    return x[x[:, 0] > -9]


@pytest.mark.parametrize("function", ["softmax", "log_softmax", "logsumexp", "normalizer", "cross_entropy"])
def test_unknown_sizes_are_refused_with_what_to_do(function):
    told = (
        f"{function}: x must have chunks of known sizes, got ((nan, nan), (3, 3)); call x.compute_chunk_sizes() first"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        getattr(with_dask, function)(of_unknown_sizes(), *[0] * (function == "cross_entropy"))
    x = da.from_array(normal(4, 6), (2, 3))
    if function == "cross_entropy":
        with pytest.raises(ValueError, match=r"^cross_entropy: target must have chunks of known sizes, got"):
            with_dask.cross_entropy(x, of_unknown_sizes()[:, 0])
    elif function != "normalizer":
        with pytest.raises(ValueError, match=f"^{function}: where must have chunks of known sizes, got"):
            getattr(with_dask, function)(x, where=of_unknown_sizes() > 0)


def test_chunks_that_are_not_those_of_x_are_refused_with_what_to_do():
    x = da.from_array(normal(4, 6), (2, 3))
    for target, like in ((da.zeros(4, dtype=int, chunks=4), ((2, 2),)), (da.full((4, 6), 1 / 6), ((2, 2), (3, 3)))):
        told = (
            f"cross_entropy: target must have the chunks of x, {like}, got {target.chunks}; pass target.rechunk({like})"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
            with_dask.cross_entropy(x, target)
        assert with_dask.cross_entropy(x, target.rechunk(like)).compute().shape == (4,)
    told = "softmax: where must have the chunks of x, ((3, 3),), got ((6,),); pass where.rechunk(((3, 3),))"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        with_dask.softmax(x, where=da.ones(6, dtype=bool))


def test_an_axis_without_classes_has_no_loss():
    for target in ([0, 0], da.zeros(2, dtype=int)):
        with pytest.raises(
            ValueError, match=r"^x must have at least one class along axis 1 for a target, got shape \(\d, 0\)$"
        ):
            with_dask.cross_entropy(da.zeros((2, 0)), target)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ([0, 6, 1, 1], "target must be a class index from 0 to 5, got 6"),
        ([0, 1, 1, -1], "target must be a class index from 0 to 5, got -1"),
        (np.full((4, 6), 0.25), "target must be a distribution that sums to 1, got a sum of 1.5"),
        (np.tile([2.0, -1, 0, 0, 0, 0], (4, 1)), "target must be a distribution, none negative or NaN, got -1.0"),
        (np.full((4, 6), NAN), "target must be a distribution, none negative or NaN, got nan"),
    ],
)
@pytest.mark.parametrize("function", LOSSES)
def test_a_bad_entry_of_a_target_of_dask_is_named_where_it_is_computed(function, target, told):
    x = da.from_array(normal(4, 6), (2, 3))
    target = np.array(target)
    lazy = getattr(with_dask, function)(x, da.from_array(target, x.chunks[: target.ndim]))
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        lazy.compute()


def test_what_shows_without_entries_is_refused_at_the_call():
    x = da.from_array(normal(4, 6), (2, 3))
    no_target = "target must be class indices of shape (4,) or distributions of shape (4, 6), got"
    no_number = "cross_entropy expects a target of class indices or distributions, got dtype complex128"
    for target, options, error, told in [
        (da.zeros(3, dtype=int), {}, ValueError, f"{no_target} int64 of shape (3,)"),
        (da.zeros(4), {}, ValueError, f"{no_target} float64 of shape (4,)"),
        (da.zeros(4, dtype=complex), {}, TypeError, no_number),
        (da.zeros(4, dtype=int), {"label_smoothing": 2}, ValueError, "label_smoothing must be a number from 0 to 1"),
        (da.full((4, 6), 1 / 6), {"ignore_index": 1}, ValueError, "ignore_index must be None where target is"),
    ]:
        with pytest.raises(error, match=re.escape(told)):
            with_dask.cross_entropy(x, target, **options)
    with pytest.raises(TypeError, match=r"^softmax expects a real numeric array, got dtype complex128$"):
        with_dask.softmax(x.astype(complex))
    with pytest.raises(TypeError, match=r"^masked arrays are not supported; pass x.filled\(-np.inf\)$"):
        with_dask.softmax(da.ma.masked_less(x, 0))
    with pytest.raises(TypeError, match=r"^where must be an array of bool, got dtype float64$"):
        with_dask.softmax(x, where=x)


# --- a cluster -------------------------------------------------------------------------------------------------------

MEMORY = 384 * 2**20  # of a worker; half of it is Python with Dask and Numba


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed")
    settings = {"distributed.scheduler.work-stealing": False}  # or chunks would be moved to share the work
    options = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": MEMORY, "host": "127.0.0.1"}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(**options, dashboard_address="127.0.0.1:0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def sent(client):
    """The bytes of data that all workers have sent to each other."""
    return sum(client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total).values())


def most_memory_in(client, work):
    """The most bytes of memory that a worker has during `work`, beyond what it had before."""

    def status(name):
        return int(re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

    def begin():
        Path("/proc/self/clear_refs").write_text("5")  # from now on, VmHWM is the most since now
        return status("VmRSS")

    before = client.run(begin)
    work()
    peaks = client.run(status, "VmHWM")
    return max(peaks[worker] - before[worker] for worker in before)


def ramp(block, block_info):
    """0, 1, 2 and so on, as far as this chunk's part goes."""
    start, stop = block_info[None]["array-location"][0]
    return np.arange(start, stop, dtype=float)


def slowly(block):
    time.sleep(0.1)
    return block


@pytest.mark.slow
def test_two_workers_give_the_answers_of_one(client):
    assert {worker.split(":")[1] for worker in client.scheduler_info()["workers"]} == {"//127.0.0.1"}
    x = normal(60, 400, scale=5)
    target = np.arange(60)
    lazy = da.from_array(x, (20, 100))
    got = dask.compute(
        with_dask.softmax(lazy), with_dask.logsumexp(lazy), with_dask.cross_entropy_grad(lazy, target), scheduler=client
    )
    expected = softmax_lib.softmax(x), softmax_lib.logsumexp(x), softmax_lib.cross_entropy_grad(x, target)
    for one, other in zip(got, expected, strict=True):
        assert_allclose(one, other, rtol=1e-14)


@pytest.mark.slow
def test_two_numbers_a_row_and_chunk_travel(client):
    rows, parts = 250, 8
    x = client.persist(da.from_array(normal(rows, 200 * parts), (rows, 200)))
    client.gather(client.compute(x.sum()))
    before = sent(client)
    client.gather(client.compute(with_dask.logsumexp(x).sum()))
    assert 0 < sent(client) - before <= 2 * 8 * rows * parts


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_does_not_fit_is_reduced_in_the_memory_of_a_few_chunks(client):
    chunk, length = 2**20, 4 * 2 * MEMORY // 8  # four times what all workers may have
    x = da.zeros(length, chunks=chunk).map_blocks(ramp, meta=np.empty(0))
    small = with_dask.logsumexp(x[: 4 * chunk])
    client.gather(client.compute(small))  # so that everything is imported and compiled
    sums = []
    most = most_memory_in(client, lambda: sums.append(client.gather(client.compute(with_dask.logsumexp(x)))))
    assert most < 10 * 8 * chunk
    # The sum of e^-k over all k is 1 / (1 - 1/e).
    assert_allclose(sums, (length - 1) - np.log1p(-np.exp(-1)), rtol=1e-15)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_worker_that_is_killed_is_survived(client):
    x = normal(40, 60, scale=5)
    lazy = da.from_array(x, (10, 6)).map_blocks(slowly, meta=np.empty((0, 0)))
    running = client.compute(with_dask.softmax(lazy))
    pids = client.run(os.getpid)
    time.sleep(0.5)
    assert not running.done()
    os.kill(next(iter(pids.values())), signal.SIGKILL)
    assert_allclose(running.result(timeout=60), softmax_lib.softmax(x), rtol=1e-14)
