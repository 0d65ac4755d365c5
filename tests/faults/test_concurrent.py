"""Two runs at once on one tree: the second is refused, the first goes on; and jobs that outlive a killed run."""

import os
import re
import signal
import subprocess
import time

import psutil
import pytest
from support.killed_runs import command, differing, finish, kill_tree, start, unlock

from nqs.workflow import survivors

TARGET = ["westerhout2020_fig5"]
LONG = "westerhout2020={training: {max_updates: 1000000, patience: 1000000}}"  # until somebody stops it


def wait_for(condition, seconds=300):
    """Until something is so."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    assert condition()


@pytest.mark.faults
def test_a_second_run_on_the_same_tree_is_refused_and_harms_nothing(tmp_path):
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    alone.mkdir()
    shared.mkdir()
    finish(alone, TARGET)
    first = start(shared, TARGET)
    wait_for(lambda: any((shared / ".snakemake/locks").glob("*")))
    second = subprocess.run(command(shared, TARGET), capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert re.search("Directory cannot be locked", second.stdout + second.stderr)
    assert first.wait() == 0
    assert differing(alone / "results/smoke", shared / "results/smoke") == []


@pytest.mark.faults
def test_trainings_that_outlive_a_killed_run_stop_before_the_next_one_begins(tmp_path):
    run = start(tmp_path, TARGET, LONG)
    folder = tmp_path / survivors.FOLDER
    logs = tmp_path / "results/smoke/logs/supervised"
    wait_for(lambda: any("steps/s" in log.read_text() for log in logs.rglob("*.log")))
    left = survivors.living(folder)
    assert left
    servers = [one for one in psutil.Process(run.pid).children() if "nqs.workflow.fork_server" in one.cmdline()]
    assert len(servers) < 2
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    unlock(tmp_path)
    begin = time.monotonic()
    next_one = start(tmp_path, TARGET, LONG)
    wait_for(lambda: not psutil.pid_exists(left[0]), 120)
    assert time.monotonic() - begin < 120
    wait_for(lambda: set(survivors.living(folder)) - {*left})
    kill_tree(next_one)
    assert list((tmp_path / "results/smoke/checkpoints").rglob("*.npz"))
