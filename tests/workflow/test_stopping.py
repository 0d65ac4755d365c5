"""Signals to Snakemake alone: jobs hear of them, stop at their checkpoints, and what they finish meanwhile counts."""

import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.interrupts import heed_signals

from nqs.workflow import survivors

SOURCE = Path(__file__).parents[2] / "src"
JOB = """
import signal, sys, time
from pathlib import Path
from nqs.workflow import cli, survivors
name, end = sys.argv[1:]
survivors.announce()
cli.end_as_exception()
try:
    Path(name + ".begun").touch()
    time.sleep(100)
except SystemExit:
    time.sleep(0.5)  # a checkpoint is being written, and the signal comes again
    Path(name + ".checkpoint").touch()
    if end == "finished":
        Path(name).touch()
        sys.exit(0)
    raise
"""
SNAKEFILE = f"""
import sys
sys.path.insert(0, {str(SOURCE)!r})
from nqs.workflow.snakemake_patch import calm_snakemake
calm_snakemake()
rule all:
    input: "finished", "unfinished", "late"
rule work:
    output: "{{name,(un)?finished}}"
    shell: "{sys.executable} job.py {{wildcards.name}} {{wildcards.name}}"
rule late:
    input: "finished"
    output: touch("late")
"""


@pytest.fixture
def run(tmp_path):
    """A run of two jobs that have begun."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "job.py").write_text(JOB)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen(
        [*command, "-s", str(tmp_path / "Snakefile")], env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=heed_signals,
    )  # fmt: skip
    begun = [tmp_path / "finished.begun", tmp_path / "unfinished.begun"]
    wait_for(lambda: all(path.exists() for path in begun) or process.poll() is not None)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


def wait_for(condition, seconds=60):
    """Until something is so."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_snakemake_alone_stops_its_jobs_at_their_checkpoints(run, tmp_path, number):
    begin = time.monotonic()
    run.send_signal(number)
    time.sleep(0.1)
    run.send_signal(number)  # as impatient people do
    out, _ = run.communicate(timeout=150)
    assert time.monotonic() - begin < 20
    assert run.returncode == 1, out
    assert (tmp_path / "finished.checkpoint").exists()
    assert (tmp_path / "unfinished.checkpoint").exists()
    assert (tmp_path / "finished").exists()
    assert not (tmp_path / "late").exists()  # nothing new begins
    assert not [*(tmp_path / ".snakemake/locks").glob("*")]
    assert not [*(tmp_path / ".snakemake/incomplete").glob("*")]  # what was finished is not made again
    assert survivors.living(tmp_path / survivors.FOLDER) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of files")
def test_jobs_that_outlive_a_killed_run_are_found_and_stopped(run, tmp_path, capsys):
    run.kill()
    run.wait(20)
    folder = tmp_path / survivors.FOLDER
    left = survivors.living(folder)
    assert len(left) == 2
    assert survivors.stop(folder, patience=0.0) == left  # they are still writing
    assert survivors.stop(folder) == []
    assert "2 jobs of a run that was killed still at work" in capsys.readouterr().err
    assert (tmp_path / "unfinished.checkpoint").exists()
    assert [*folder.glob("*")] == []


def test_jobs_that_do_not_end_are_named():
    assert "kill -9 12 34" in survivors.refusal([12, 34])


def test_the_file_of_a_job_that_was_killed_does_no_harm(tmp_path):
    path = tmp_path / f"{platform.node()}-123456789"
    path.touch()
    assert survivors.living(tmp_path) == []
    assert not path.exists()


DROPPED = """
import sys, time
from nqs.workflow import cli

class Deleted:
    def __del__(self):
        print("deleting", flush=True)
        time.sleep(100)

cli.end_as_exception()
try:
    one = Deleted()
    del one  # what a signal raises in here is dropped
    time.sleep(100)
except SystemExit as end:
    print("checkpoint", flush=True)
    raise
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_while_an_object_is_deleted_is_not_lost(number):
    job = subprocess.Popen(
        [sys.executable, "-c", DROPPED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(SOURCE)}, preexec_fn=heed_signals,
    )  # fmt: skip
    assert job.stdout
    assert job.stdout.readline() == "deleting\n"
    job.send_signal(number)
    out, errors = job.communicate(timeout=30)
    assert (job.returncode, out, errors) == (128 + number, "checkpoint\n", "")
