"""The GPU benchmark, without a GPU: NumPy stands in for CuPy, and a clock that each call moves for the events.

What is timed is checked first, what is in a cache is not timed, and a ratio is one of speeds in the same round. Nothing
here looks at how long anything took.
"""

import functools
import json
import math
import subprocess
import sys
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest

from benchmarks import cases, gpu, gpu_cases, gpu_contestants, gpu_costs, gpu_device, gpu_timing, report
from benchmarks.cases import Case
from softmax_lib import with_numpy

SPEED = 1e6  # bytes a second, of the stand-in's memory


class StandIn(gpu_device.Gpu):
    def __init__(self, free=2**40):
        self.arrays, self.free, self.now = np, free, 0.0

    def seconds(self, calls, enqueueing=0.0):
        start = self.now
        for call in calls:
            call()
        return self.now - start

    def synchronize(self):
        pass

    def free_bytes(self):
        return self.free

    def copy(self, source, target):
        np.copyto(target, source)
        self.now += 2 * source.nbytes / SPEED

    def upload(self, host, device):
        np.copyto(device, host)

    def download(self, device, host):
        np.copyto(host, device)

    def to_host(self, array):
        return np.asarray(array)

    def pinned(self, size):
        return np.empty(size, np.uint8)

    def facts(self):
        return {"name": "none"}

    def nvidia_smi(self):
        return {"driver_version": None}


def contestant(share=1.0, change=None, seen=None):
    """Right, unless `change` makes it wrong, and as fast as this share of the memory's speed."""

    def factory(device):
        def prepare(case, inputs, out):
            def call():
                device.now += case.bytes_moved / (share * SPEED)
                if seen is not None:
                    seen.append((case, id(inputs[0])))
                result = getattr(with_numpy, case.operation)(*inputs, axis=case.axis)
                return change(result) if change else result

            return call

        return prepare

    return factory


def absent(device):
    raise ImportError("nobody has it")


def unwritten(device):
    return lambda case, inputs, out: lambda: out


def one_wrong(result):
    result.flat[-1] *= 2
    return result


def raises(result):
    raise MemoryError("too much")


CASES = [
    Case("softmax", (6, 5)),
    Case("softmax", (6, 5), axis=0),
    *(Case("softmax", (4, 37), dtype) for dtype in ("float16", "bfloat16", "float64")),
    *(Case(operation, (6, 5), dtype) for operation in cases.OPERATIONS[1:] for dtype in ("float32", "bfloat16")),
]
WRONG = {
    "wrong": contestant(change=one_wrong),
    "double": contestant(change=lambda result: result.astype(np.longdouble)),
    "unwritten": unwritten,
    "raises": contestant(change=raises),
}


@pytest.fixture
def small(monkeypatch):
    """Cases and costs that take no time."""
    monkeypatch.setattr(gpu, "GRID", CASES)
    monkeypatch.setattr(gpu_cases, "ROTATION", 1000)
    monkeypatch.setattr(gpu_timing, "SAMPLE", 1e-3)
    monkeypatch.setattr(gpu_costs, "PATIENCE", 0)
    monkeypatch.setattr(gpu_costs, "TRANSFERRED", 2**18)
    monkeypatch.setattr(gpu, "ROWS", (1, 10))
    monkeypatch.setattr(gpu_costs, "FIRST_CALL", "print(0.25)")
    for backend in ("with_numba", "with_cupy"):
        monkeypatch.setitem(sys.modules, f"softmax_lib.{backend}", with_numpy)
    return monkeypatch


def run(tmp_path, taking_part, monkeypatch, *options, device=None):
    chosen = {"copy": gpu_contestants.copy} | taking_part
    monkeypatch.setattr(gpu, "CONTESTANTS", chosen)
    output = tmp_path / "gpu.json"
    return gpu.main(["--output", str(output), *options], device or StandIn()), output


# --- the whole run ---------------------------------------------------------------------------------------------------


def test_a_run_times_the_right_ones_against_the_copy(small, tmp_path, capsys):
    status, output = run(tmp_path, {"fast": contestant(0.9), "slow": contestant(0.25)}, small)
    printed = capsys.readouterr().out
    assert status == 0
    assert list(tmp_path.iterdir()) == [output]
    results = json.loads(output.read_text())
    measured = [(case["operation"], tuple(case["shape"]), case["dtype"], case["axis"]) for case in results["cases"]]
    assert measured == CASES
    assert results["left_out"] == {}
    for case in results["cases"]:
        assert case["name"].removeprefix(case["operation"]) in printed
        found = case["results"]
        assert found["copy"]["ratio_to_copy"] == {"lower_quartile": 1, "median": 1, "upper_quartile": 1}
        for name, share in {"copy": 1, "fast": 0.9, "slow": 0.25}.items():
            assert found[name]["ratio_to_copy"]["median"] == pytest.approx(share, rel=1e-4)
            assert found[name]["gigabytes_per_second"] == pytest.approx(share * SPEED / 1e9, rel=1e-4)
            assert found[name]["samples"] == gpu_timing.ROUNDS
            assert found[name]["error"] <= gpu_cases.TOLERANCES[case["dtype"]] / 10
    assert "0.90" in printed
    assert "0.25" in printed
    assert results["facts"]["gpu"] == {"name": "none", "driver_version": None}
    assert results["facts"]["versions"].keys() == {"python", "softmax_lib", "cupy", *gpu_contestants.PACKAGES}


def test_a_run_tells_what_it_costs_to_be_there(small, tmp_path, capsys):
    _, output = run(tmp_path, {"half": contestant(0.5)}, small)
    results = json.loads(output.read_text())
    (launched, copied) = (results["launch"]["results"][name] for name in ("half", "copy"))
    assert launched["kernel_seconds"] == pytest.approx(2 * copied["kernel_seconds"], rel=1e-4)
    assert launched["kernel_seconds"] == pytest.approx(2 * 4 * 1000 / (0.5 * SPEED), rel=1e-4)
    assert launched["call_seconds"] > 0
    assert results["first_call"] == {"empty": 0.25, "filled": 0.25}
    assert results["transfer"].keys() == {"bytes", "to_device", "to_host"}
    for way in ("to_device", "to_host"):
        assert results["transfer"][way].keys() == {"pageable", "pinned"}
        assert min(results["transfer"][way].values()) > 0
    curves = results["crossover"]
    assert curves["rows"] == [1, 10]
    assert {name: len(curve) for name, curve in curves["seconds"].items()} == dict.fromkeys(
        ("with_numpy", "with_numba", "with_cupy", "with_cupy_and_transfers"), 2
    )
    assert curves["wins_from"].keys() == {"with_cupy", "with_cupy_and_transfers"}
    printed = capsys.readouterr().out
    assert "first call: 0.25 s" in printed
    assert "with_cupy_and_transfers is ahead of with_numpy " in printed


def test_the_wrong_and_the_absent_are_named_and_not_timed(small, tmp_path, capsys):
    status, output = run(tmp_path, WRONG | {"absent": absent, "right": contestant()}, small)
    results = json.loads(output.read_text())
    assert status == 0
    assert results["left_out"] == {"absent": "ImportError: nobody has it"}
    assert "Left out: absent (ImportError: nobody has it)" in capsys.readouterr().out
    assert len(results["cases"]) == len(CASES)
    for case in results["cases"]:
        found = case["results"]
        assert "seconds" in found["right"]
        assert not [name for name in WRONG if "seconds" in found[name] or "ratio_to_copy" in found[name]]
        assert found["wrong"]["left_out"].startswith("wrong: the largest error is ")
        assert float(found["wrong"]["error"]) > gpu_cases.TOLERANCES[case["dtype"]]
        assert float(found["double"]["error"]) == float(found["unwritten"]["error"]) == math.inf
        assert found["raises"]["left_out"] == "MemoryError: too much"


def test_a_wrong_backend_has_no_place_in_the_crossover(small):
    doubled = SimpleNamespace(softmax=lambda x: 2 * with_numpy.softmax(x))
    small.setitem(sys.modules, "softmax_lib.with_cupy", doubled)
    found = gpu_costs.crossover(StandIn(), (1, 10))
    assert found["left_out"]["with_cupy"] == "ValueError: softmax 1 x 1000 float32: the largest error is 1"
    assert "with_cupy" not in found["seconds"]
    assert found["wins_from"] == {}


def test_nothing_is_used_again_before_the_rotation_has_passed(small, tmp_path):
    seen = []
    run(tmp_path, {"seen": contestant(seen=seen)}, small)
    for case in CASES:
        used = [array for which, array in seen if which == case]
        assert len(set(used)) == gpu_cases.buffers(case)
        timed = used[1:]  # not the first, whose answer is checked
        distance = len(set(used))
        assert all(len(set(timed[i : i + distance])) == distance for i in range(len(timed) - distance))
        assert (distance - 1) * case.bytes_moved >= 1000


def test_the_slow_stop_after_three_rounds_and_the_copy_never_does(small, tmp_path):
    small.setattr(gpu_timing, "ENOUGH", 0)
    _, output = run(tmp_path, {"slow": contestant(0.1)}, small)
    for case in json.loads(output.read_text())["cases"]:
        assert {name: found["samples"] for name, found in case["results"].items()} == {
            "copy": gpu_timing.ROUNDS,
            "slow": 3,
        }
        assert case["results"]["slow"]["ratio_to_copy"]["median"] == pytest.approx(0.1, rel=1e-4)


def test_an_interrupted_run_keeps_what_it_measured_and_the_next_adds_the_rest(small, tmp_path, capsys):
    calls = []

    def interrupted(result):
        calls.append(1)
        if len(calls) == stops_at:
            raise KeyboardInterrupt
        return result

    stops_at = 1
    (tmp_path / "gpu.json").write_text("the last run's")
    status, output = run(tmp_path, {"right": contestant(change=interrupted)}, small)
    assert (status, output.read_text()) == (130, "the last run's")  # nothing was measured
    small.setattr(gpu, "GRID", CASES[:2])
    run(tmp_path, {"right": contestant(seen=(seen := []))}, small)
    first = json.loads(output.read_text())["cases"]
    small.setattr(gpu, "GRID", CASES)
    seen.clear()
    run(tmp_path, {"right": contestant(seen=seen)}, small, "--go-on")
    results = json.loads(output.read_text())
    assert results["cases"][:2] == first
    assert [case["asked"] for case in results["cases"]] == [str(case) for case in CASES]
    assert CASES[0] not in {case for case, _ in seen}
    assert list(tmp_path.iterdir()) == [output]


def test_a_file_is_written_after_every_case(small, tmp_path, capsys):
    output = tmp_path / "gpu.json"

    def interrupted(result):
        if output.exists() and len(json.loads(output.read_text())["cases"]) == 3:
            raise KeyboardInterrupt
        return result

    status, _ = run(tmp_path, {"interrupted": contestant(change=interrupted)}, small)
    assert status == 130
    assert len(json.loads(output.read_text())["cases"]) == 3
    assert f"Interrupted: what was measured is in {output}." in capsys.readouterr().err


def test_a_compiler_takes_part_where_it_is_asked_to(small, tmp_path):
    small.setattr(gpu, "COMPILED", CASES[1:2])
    _, output = run(tmp_path, {"torch_compile": contestant()}, small)
    cases_here = json.loads(output.read_text())["cases"]
    assert [case["asked"] for case in cases_here if "torch_compile" in case["results"]] == [str(CASES[1])]


def test_a_lost_device_ends_the_run_with_the_name_of_who_lost_it(small, tmp_path):
    class Lost(StandIn):
        def synchronize(self):
            if broken:
                raise RuntimeError("an illegal memory access was encountered")

    def breaks(result):
        broken.append(True)
        raise RuntimeError("launch failure")

    broken = []
    with pytest.raises(SystemExit, match=r"lost after breaks, softmax 6 x 5 float32 \(RuntimeError: launch failure\)"):
        run(tmp_path, {"right": contestant(), "breaks": contestant(change=breaks)}, small, device=Lost())
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_or_cannot_be_made_is_named(small, tmp_path, capsys):
    small.setattr(gpu, "GRID", [Case("softmax", (6, 5)), Case("softmax", (6, 2**20))])
    status, output = run(tmp_path, {}, small, device=StandIn(free=2**20))
    assert status == 0
    assert json.loads(output.read_text())["left_out"] == {
        "softmax 6 x 1048576 float32": "too large for this device's memory"
    }
    small.setattr(gpu_timing, "make_inputs", lambda *_: 1 / 0)
    output.unlink()
    assert run(tmp_path, {}, small, "--only", "softmax")[0] == 1
    assert list(tmp_path.iterdir()) == []
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_without_bfloat16_its_cases_are_left_out(small, tmp_path):
    small.setitem(sys.modules, "ml_dtypes", None)
    _, output = run(tmp_path, {}, small)
    results = json.loads(output.read_text())
    assert "ml_dtypes" in results["left_out"]["bfloat16"]
    assert {case["dtype"] for case in results["cases"]} == {"float16", "float32", "float64"}


# --- what is missing -------------------------------------------------------------------------------------------------


class NoDriver(RuntimeError):
    pass


def fake_cupy(answer):
    def count():
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(cuda=SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=count)))


@pytest.mark.parametrize(
    ("cupy", "message"),
    [
        (None, "CuPy is needed, and cannot be imported: "),
        (fake_cupy(0), "a CUDA GPU is needed, and CuPy finds none\n"),
        (fake_cupy(NoDriver("no CUDA-capable device")), "and CuPy cannot use one: no CUDA-capable device\n"),
    ],
)
def test_without_a_gpu_one_line_says_what_is_missing(cupy, message, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(SystemExit) as stopped:
        gpu.main(["--output", str(tmp_path / "gpu.json")])
    printed, error = capsys.readouterr()
    assert (stopped.value.code, printed) == (2, "")
    assert error.startswith("python -m benchmarks.gpu: ")
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# --- what fits, and what must move -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", gpu.GRID + gpu.QUICK_GRID, ids=str)
def test_cases_fill_the_memory_there_is_and_keep_their_length(case):
    size = math.prod(case.shape) * np.dtype(case.dtype).itemsize
    assert size <= 2**30
    assert (gpu_cases.buffers(case) - 1) * case.bytes_moved >= 10**9
    assert gpu_cases.fitted(case, 2**40) == case
    for free in (70 * 2**30, 12 * 2**30, 4 * 2**30):
        here = gpu_cases.fitted(case, free)
        assert here.shape[here.axis] == case.shape[case.axis]
        assert here._replace(shape=case.shape) == case
        arrays = {"softmax": 2, "log_softmax": 2, "softmax_vjp": 3, "cross_entropy": 2}[case.operation]
        bytes_here = math.prod(here.shape) * np.dtype(case.dtype).itemsize
        assert (gpu_cases.buffers(here) * arrays + gpu_cases.WORKING) * bytes_here <= 0.8 * free
        assert (gpu_cases.buffers(here) - 1) * here.bytes_moved >= 10**9
        if here != case:
            batch = here.axis + 1
            doubled = here._replace(shape=tuple(n * (2 if i == batch else 1) for i, n in enumerate(here.shape)))
            assert gpu_cases.footprint(doubled) > 0.8 * free
    assert gpu_cases.fitted(case, 2**20) is None


def test_the_grid_has_what_the_goals_ask_for():
    softmax = [case for case in gpu.GRID if case.operation == "softmax"]
    for dtype in ("float32", "float16", "bfloat16"):
        lengths = [case.shape[1] for case in softmax if (case.dtype, case.axis) == (dtype, -1)]
        assert {32, 128, 512, 1024, 4096, 16384, 65536, 131072, 262144} <= set(lengths)
    full = [case for case in gpu.GRID if math.prod(case.shape) * np.dtype(case.dtype).itemsize == 2**30]
    assert len(full) == len(gpu.GRID) - 2  # (1, 2**24) and the square along axis 0
    assert Case("softmax", (4096, 4096), axis=0) in softmax
    assert {case.operation for case in gpu.GRID} == set(cases.OPERATIONS)
    assert len(set(gpu.GRID)) == len(gpu.GRID)
    assert {case.operation for case in gpu.QUICK_GRID} == set(cases.OPERATIONS)


def test_the_inputs_are_those_of_the_processors_benchmark():
    device = StandIn()
    for operation in cases.OPERATIONS:
        case = Case(operation, (2003, 1009))
        here, there = gpu_cases.make_inputs(device, case), cases.make_inputs(case)
        for ours, theirs in zip(here, there, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=3e-6 if operation == "softmax_vjp" else 0)
    p, _ = gpu_cases.make_inputs(device, Case("softmax_vjp", (100, 31), "bfloat16", axis=0))
    assert p.dtype == ml_dtypes.bfloat16
    np.testing.assert_allclose(p.astype(np.float64).sum(axis=0), 1, rtol=0.01)


# --- what is right ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", gpu_cases.TOLERANCES)
@pytest.mark.parametrize("operation", cases.OPERATIONS)
def test_an_error_in_the_slices_that_are_looked_at_is_found(operation, dtype):
    for axis in (-1, 0) if operation != "cross_entropy" else (-1,):
        case = Case(operation, (700, 1100), dtype, axis)
        inputs = gpu_cases.make_inputs(StandIn(), case)
        answer = gpu_cases.Answer(StandIn(), case, inputs)
        right = getattr(with_numpy, operation)(*inputs, axis=axis)
        assert answer.error(right) <= gpu_cases.TOLERANCES[dtype] / 10
        assert {0, (1100 if axis == 0 else 700) - 1} < set(answer.slices)
        for place in (0, -1):
            wrong = right.astype(dtype)
            wrong.flat[place] = np.nan
            assert answer.error(wrong) == math.inf
            wrong.flat[place] = 1.2 * float(right.flat[place]) + 0.01
            assert answer.error(wrong) > gpu_cases.TOLERANCES[dtype]
        hidden = right.copy()
        unseen = np.setdiff1d(np.arange(right.shape[0 if axis else 1]), answer.slices)[0]
        gpu_cases.bits(hidden)[(3, unseen) if axis == 0 else unseen] = gpu_cases.unwritten(hidden)
        assert answer.error(hidden) == math.inf
        assert answer.error(right[:-1]) == math.inf
        assert answer.error(right.astype(np.float64 if dtype == "float32" else np.float32)) == math.inf


@pytest.mark.parametrize("dtype", ["float32", "float64"])  # NumPy sums narrower ones as they are; CuPy does not
@pytest.mark.parametrize("operation", cases.OPERATIONS)
def test_the_plain_lines_are_right(operation, dtype):
    prepare = gpu_contestants.cupy_lines(StandIn())
    for axis in (-1, 0) if operation != "cross_entropy" else (-1,):
        case = Case(operation, (60, 110), dtype, axis)
        inputs = gpu_cases.make_inputs(StandIn(), case)
        result = prepare(case, inputs, None)()
        assert gpu_cases.Answer(StandIn(), case, inputs).error(result) <= gpu_cases.TOLERANCES[dtype]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([1, 1, 1], [2, 2, 2], 1),
        ([3, 1, 1], [2, 2, 2], 10),
        ([1, 3, 1], [2, 2, 2], 100),  # ahead at 1, by chance or not, and behind again
        ([1, 1, 2], [2, 2, 2], None),
        ([1, 1, 3], [2, 2, 2], None),
    ],
)
def test_who_wins_from_where(ours, theirs, expected):
    assert gpu_costs.wins_from([1, 10, 100], ours, theirs) == expected


# --- the clock -------------------------------------------------------------------------------------------------------


class Queue:
    """A device that works off what the host enqueues, each in its own time; enough of CuPy for `Gpu`."""

    def __init__(self):
        self.host = self.device = 0.0
        queue = self

        class Event:
            def record(self):
                queue.enqueue(1e-6, 0)
                self.at = queue.device

            def synchronize(self):
                queue.host = max(queue.host, self.at)

        self.cuda = SimpleNamespace(
            Event=Event,
            get_elapsed_time=lambda start, stop: (stop.at - start.at) * 1e3,
            Stream=SimpleNamespace(null=SimpleNamespace(use=lambda: None)),
            runtime=SimpleNamespace(memGetInfo=lambda: (2**33, 2**34)),
        )

    def get_default_memory_pool(self):
        return SimpleNamespace(free_all_blocks=lambda: None)

    def zeros(self, size, dtype):
        copied = SimpleNamespace(copy_from_device_async=lambda source, count: self.enqueue(2e-6, count / 1e12))
        return SimpleNamespace(data=copied, nbytes=size)

    def enqueue(self, on_host, on_device):
        self.host += on_host
        self.device = max(self.host, self.device) + on_device


@pytest.mark.parametrize(("on_host", "on_device"), [(20e-6, 2e-6), (2e-6, 20e-6), (1e-3, 1e-6)])
def test_the_device_never_waits_for_python(on_host, on_device):
    queue = Queue()
    device = gpu_device.Gpu(queue)
    assert device.copy_seconds == pytest.approx(256 * 2**20 / 1e12)
    calls = 50 * [functools.partial(queue.enqueue, on_host, on_device)]
    assert device.seconds(calls, 50 * on_host) == pytest.approx(50 * on_device)
    queue.host = queue.device = max(queue.host, queue.device) + 1
    assert (device.seconds(calls) > 60 * on_device) is (on_host > 10 * on_device)  # what it is for


def test_a_first_call_is_not_counted(monkeypatch):
    took, now = iter([100, 5, 1, 2, 4, 3]), [0]
    monkeypatch.setattr(gpu_costs, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(gpu_costs, "PATIENCE", 0)
    assert gpu_costs.wall(StandIn(), lambda: now.append(now.pop() + next(took))) == 3


# --- on a real one ---------------------------------------------------------------------------------------------------


@pytest.mark.gpu
def test_a_quick_run_on_a_gpu(tmp_path):
    output = tmp_path / "gpu.json"
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--quick", "--output", str(output)],
        cwd=report.ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr
    results = json.loads(output.read_text())
    assert results["facts"]["gpu"]["name"]
    assert {case["operation"] for case in results["cases"]} == set(cases.OPERATIONS)
    for case in results["cases"]:
        ours = case["results"]["with_cupy"]
        assert ours["error"] <= gpu_cases.TOLERANCES[case["dtype"]] / 10, case["name"]
        assert ours["samples"] == gpu_timing.ROUNDS
        assert case["results"]["copy"]["error"] == 0
    assert results["launch"]["results"]["with_cupy"]["call_seconds"] > 0
    assert results["first_call"]["empty"] > 0
    assert {"with_numpy", "with_cupy", "with_cupy_and_transfers"} <= results["crossover"]["seconds"].keys()
