"""The remedies for Snakemake: its timers, and what Slurm's executor takes for running."""

import asyncio
import inspect
import os
import re
import threading
import time
from types import SimpleNamespace

import pytest

from nqs.workflow import snakemake_patch


class Scheduler:
    """The part of Snakemake's scheduler that matters: one chain of timers for every call."""

    def __init__(self):
        self._open_jobs = threading.Semaphore(0)

    def _schedule_reevalutation(self, delay):
        threading.Timer(delay, lambda: self._open_jobs.release()).start()


def wakes(scheduler):
    """Number of times that ten calls wake it."""
    for _ in range(10):
        scheduler._schedule_reevalutation(0.05)
    time.sleep(0.5)
    return scheduler._open_jobs._value


def test_one_timer_serves_calls_that_overlap():
    assert wakes(Scheduler()) == 10
    remedied = type("Remedied", (Scheduler,), {})
    snakemake_patch.one_timer_at_a_time(remedied)
    assert wakes(remedied()) == 1


def test_a_timer_that_has_fired_does_not_keep_the_next_from_starting():
    remedied = type("Remedied", (Scheduler,), {})
    snakemake_patch.one_timer_at_a_time(remedied)
    scheduler = remedied()
    for _ in range(2):
        scheduler._schedule_reevalutation(0.01)
        assert scheduler._open_jobs.acquire(timeout=5)


def test_it_meets_the_snakemake_that_is_installed(monkeypatch):
    scheduler = pytest.importorskip("snakemake.scheduling.job_scheduler").JobScheduler
    monkeypatch.setattr(scheduler, snakemake_patch.METHOD, getattr(scheduler, snakemake_patch.METHOD))
    snakemake_patch.calm_snakemake()
    assert getattr(scheduler, snakemake_patch.METHOD) is snakemake_patch.look_again


def test_a_scheduler_without_such_timers_stays_as_it_is():
    other = type("Other", (), {})
    snakemake_patch.one_timer_at_a_time(other)
    assert not hasattr(other, snakemake_patch.METHOD)


def test_cancelled_jobs_have_ended_and_no_answer_is_asked_for_again():
    answers = iter([(None, None)] * 7 + [({"7": "CANCELLED by 1000", "8": "RUNNING"}, 0.1)])

    async def query(command, logger):
        return next(answers)

    said: list[str] = []
    plugin = SimpleNamespace(query_job_status=query, Executor=SimpleNamespace())
    snakemake_patch.mend_slurm_states(plugin, pause=0.0)
    answer = asyncio.run(plugin.query_job_status("sacct -X", SimpleNamespace(warning=said.append)))
    assert [line.startswith("Slurm does not answer") and "sacct -X" in line for line in said] == [True]
    assert answer == ({"7": "CANCELLED", "8": "RUNNING"}, 0.1)


def test_the_slurm_executor_that_is_installed_asks_where_it_is_understood():
    plugin = pytest.importorskip("snakemake_executor_plugin_slurm")
    assert "query_job_status(" in inspect.getsource(plugin.Executor.check_active_jobs)
    assert callable(plugin.query_job_status)
    assert {"run_uuid", "cancel_jobs"} <= set(re.findall(r"\w+", inspect.getsource(plugin.Executor)))


def test_all_jobs_of_a_run_are_cancelled_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "scancel").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    (tmp_path / "scancel").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    snakemake_patch.cancel_by_name(SimpleNamespace(run_uuid="a-run"), [])
    assert (tmp_path / "called").read_text() == "--name=a-run\n"
