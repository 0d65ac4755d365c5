"""Jobs that a fork server runs: the same words and exit status, ended with whoever asked, counted by benchmarks."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from nqs.workflow import fork_server as forks
from nqs.workflow import snakemake_patch
from nqs.workflow.fork_client import ADDRESS, ask, one_thread

ENDED = {143, -signal.SIGTERM}  # in the course of its work, or before it began

PATIENCE = 150  # seconds: a signal waits for the end of a call into compiled code


def nqs(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "nqs", *arguments], capture_output=True, text=True, check=False, **options
    )


def alone(*arguments):
    return nqs(*arguments, env={**os.environ, ADDRESS: ""})


def start_long_job(folder):
    """A job of the kind that the rules start, which takes CPU time until it is ended, and the fork that runs it."""
    cluster = {"name": "square24", "lattice": "square", "shape": [4, 6], "boundary": "periodic"}
    settings = {**cluster, "backend": "quspin", "symmetries": ["translations", "spin_flip"]}
    command = [sys.executable, "-m", "nqs", "stage", "hamiltonian", "--settings", json.dumps(settings)]
    given = os.environ.get("PYTHONPATH")
    process = subprocess.Popen(
        [*command, f"--output=hamiltonian={folder / 'h.h5'}"], stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([forks.SOURCE, *([given] if given else [])])},
    )  # fmt: skip
    return process, fork_of(process)


@pytest.fixture
def long_job(fork_server, tmp_path):
    return start_long_job(tmp_path)


@pytest.mark.parametrize("path", [None, "", "src", "/nowhere"])
def test_a_server_knows_the_jobs_of_its_run(monkeypatch, tmp_path, path, request):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if path is not None:
        monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.chdir(tmp_path)
    request.getfixturevalue("fork_server")
    process, _ = start_long_job(tmp_path)
    process.terminate()
    assert process.wait(PATIENCE) in ENDED


def fork_of(process, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        for one in psutil.process_iter(["name"]):
            if one.info["name"] == f"{forks.JOB}{process.pid}":
                return one
        time.sleep(0.02)
    raise AssertionError(f"no fork: {process.returncode}, {process.stderr.read() if process.stderr else ''}")


def test_a_fork_says_and_returns_what_a_process_of_its_own_does(fork_server, tmp_path):
    wrong = ["stage", "hamiltonian", "--settings", "not json", "--output", "hamiltonian=x"]
    for arguments in (["--help"], ["stage", "hamiltonan", "--settings", "{}", "--output", "a=b"], ["table"], wrong):
        forked, own = nqs(*arguments, cwd=tmp_path), alone(*arguments)
        assert (forked.returncode, forked.stdout, forked.stderr) == (own.returncode, own.stdout, own.stderr)
        assert own.returncode == {"--help": 0, "table": 2}.get(arguments[0], 1)


@pytest.fixture
def pretender(monkeypatch):
    """A listening socket in place of a server."""
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.setenv(ADDRESS, name := f"nqs-test-{os.urandom(8).hex()}")
        listener.bind("\0" + name)
        listener.listen()
        listener.settimeout(60)
        yield listener


def call_with(pretender, answer):
    """A call that is answered so; the call and how it ended."""
    command = [sys.executable, "-m", "nqs", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        client, _ = pretender.accept()
        _, call, streams = forks.read_call(client)
        for stream in streams:
            os.close(stream)
        client.send(answer)
        client.close()
        out, error = process.communicate(timeout=60)
    return call, process.returncode, out, error


def test_a_refused_call_runs_alone(pretender):
    call, status, out, _ = call_with(pretender, b"n")
    assert call["arguments"] == ["--help"]
    assert status == 0
    assert "Usage" in out


def test_a_call_that_is_not_answered_runs_alone(pretender):
    assert call_with(pretender, b"")[1] == 0


def test_a_job_whose_server_dies_fails_and_says_so(pretender):
    _, status, out, error = call_with(pretender, b"y")
    assert (status, out) == (1, "")
    assert "run again" in error


def test_a_server_refuses_a_process_with_other_modules(fork_server, tmp_path):
    (tmp_path / "nqs").mkdir()
    (tmp_path / "nqs/__init__.py").touch()
    (tmp_path / "nqs/__main__.py").write_text("from nqs.workflow import nothing")
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    assert "No module named 'nqs.workflow'" in nqs("--help", env={**os.environ, "PYTHONPATH": paths}).stderr


def test_callers_that_are_killed_before_their_answer_leave_the_server_alive(fork_server, tmp_path):
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("\0" + os.environ[ADDRESS])
            ask(client, ["--help"])
    assert nqs("--help", cwd=tmp_path).returncode == 0
    assert fork_server.poll() is None


def test_jobs_of_several_threads_run_alone():
    assert one_thread(["stage", "x", "--threads", "1", "--code", "2"])
    assert not one_thread(["stage", "x", "--threads", "2"])


def test_the_end_of_a_run_ends_its_server_and_jobs(fork_server, long_job):
    process, fork = long_job
    fork_server.stdin.close()
    assert fork_server.wait(30) == 0
    assert process.wait(PATIENCE) in ENDED
    assert not fork.is_running()


def test_a_killed_server_takes_its_jobs_with_it(fork_server, long_job):
    process, fork = long_job
    fork_server.kill()
    assert process.wait(PATIENCE) == 1
    assert fork.wait(PATIENCE) is None or not fork.is_running()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_ends_with_the_process_that_asked_for_it(long_job, number):
    process, fork = long_job
    process.send_signal(number)
    assert process.wait(PATIENCE) in (ENDED if number == signal.SIGTERM else {-number})
    psutil.wait_procs([fork], PATIENCE)
    assert not fork.is_running()


def test_a_process_killed_in_a_job_is_told_as_killed(long_job):
    process, fork = long_job
    fork.kill()
    assert process.wait(PATIENCE) == -signal.SIGKILL


def test_benchmarks_count_what_a_fork_does(fork_server, long_job, monkeypatch):
    benchmark = pytest.importorskip("snakemake.benchmark")
    timer = benchmark.BenchmarkTimer
    monkeypatch.setattr(timer, "__init__", timer.__init__)  # the old one comes back after the test

    def seconds_seen():
        record = benchmark.BenchmarkRecord()
        timer(process.pid, record).work()
        return record.cpu_time

    process, fork = long_job
    time.sleep(0.5)
    without = seconds_seen()
    snakemake_patch.measure_forks(fork_server.pid)
    used = sum(fork.cpu_times()[:2])
    assert seconds_seen() >= without + used > without
    process.terminate()
    process.wait(PATIENCE)
