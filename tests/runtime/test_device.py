"""Choice of the device."""

import subprocess
import sys
from contextlib import ExitStack

import pytest
import torch

from nqs.runtime import device, gpu_lease
from nqs.runtime.errors import InputError

JOB = "import sys; from nqs.runtime.gpu_lease import take; print(take(['one', 'two']), flush=True); sys.stdin.read()"


def test_cpu_is_always_there():
    assert device.choose("cpu") == "cpu"


def test_auto_takes_what_is_there():
    assert device.choose("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_asked_for_but_absent_says_so_and_what_to_do():
    with pytest.raises(ValueError, match=r"device: cuda was asked for, but.*set device: auto or cpu"):
        device.choose("cuda")


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Starts a process that takes one of two GPUs and holds it; gives the process and its GPU."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with ExitStack() as running:

        def start():
            command = [sys.executable, "-c", JOB]
            process = running.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            running.callback(process.kill)
            assert process.stdout
            return process, int(process.stdout.readline())

        yield start


def test_two_jobs_get_a_gpu_each_and_four_two_each(job):
    assert [job()[1] for _ in range(4)] == [0, 1, 0, 1]


def test_a_killed_job_leaves_its_gpu_to_the_next(job):
    job()
    second, gpu = job()
    second.kill()
    second.wait()
    assert gpu == 1
    assert job()[1] == 1


def test_a_process_keeps_the_gpu_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_lease, "folder", lambda: tmp_path / "leases")
    monkeypatch.setattr(gpu_lease, "taken", {})
    assert [gpu_lease.take(["a", "b"]) for _ in range(3)] == [0, 0, 0]


def test_leases_that_cannot_be_written_stop_nobody(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(gpu_lease, "folder", lambda: tmp_path / "file" / "leases")
    assert gpu_lease.lease(["a", "b"]) == 0


@pytest.mark.parametrize(
    ("shown", "number"), [("", 0), ("0", 1), ("3,1", 2), ("GPU-5a,GPU-7b", 2), ("0,-1,1", 1), ("-1", 0), ("0,,1", 1)]
)
def test_visible_devices_are_counted_as_cuda_does(monkeypatch, shown, number):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert device.count_gpus("cuda") == number
    assert device.count_gpus("cpu") == 0


def test_auto_counts_gpus_only_with_a_driver_and_a_build_for_cuda(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert device.built_for_cuda() == (torch.version.cuda is not None)
    for driver, build in [(True, True), (True, False), (False, True)]:
        monkeypatch.setattr(device, "driver_present", lambda driver=driver: driver)
        monkeypatch.setattr(device, "built_for_cuda", lambda build=build: build)
        assert device.count_gpus("auto") == (2 if driver and build else 0)


def with_room_for(most):
    """A function that takes so many items at once and runs out of the GPU's memory with more."""
    calls = []

    def function(items):
        calls.append(list(items))
        if len(items) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return list(items)

    return function, calls


def test_a_full_gpu_gets_half_of_the_items_and_says_so(capsys):
    function, calls = with_room_for(2)
    device.halving(function, range(5), "model")
    assert calls == [[0, 1, 2, 3, 4], [0, 1], [2, 3, 4], [2], [3, 4]]
    assert "the GPU's memory is full: 2 models at once, not 5" in capsys.readouterr().err


def test_chunks_go_on_smaller_from_where_memory_ended():
    function, calls = with_room_for(3)
    assert device.by_chunks(function, 8, list(range(7))) == [[0, 1, 2], [3, 4, 5], [6]]
    assert [len(call) for call in calls] == [7, 3, 3, 1]


@pytest.mark.parametrize(
    "call", [lambda f: device.halving(f, range(3), "model"), lambda f: device.by_chunks(f, 4, [1])]
)
def test_a_gpu_too_small_for_one_is_refused_with_the_way_out(call):
    function, _ = with_room_for(0)
    with pytest.raises(InputError, match=r"too small for one .*; set device: cpu"):
        call(function)


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError):
        device.halving(lambda items: print(1 // 0), range(2), "model")
