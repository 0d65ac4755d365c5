"""Remedies for Snakemake: a scheduler that slows down with every job it has started and does not stop when asked
(nqs.workflow.stopping), needless collections, a benchmark that does not see what a job lets another process do, and a
Slurm executor that loses jobs.

Snakemake 9 limits how many jobs may start per second. After each look at the ready jobs it sets a timer that has it
look again a second later, and that look sets the next timer; so each finished job leaves behind a chain of its own that
never ends. After some hundred jobs the main process looks without pause and takes a whole core from the jobs.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import subprocess
import sys
import threading
from typing import Any

from nqs.workflow.fork_server import JOB
from nqs.workflow.stopping import stop_on_signals

METHOD = "_schedule_reevalutation"  # Snakemake's spelling


def calm_snakemake() -> None:
    """Apply the remedies to the Snakemake that is running, if its version keeps its scheduler where 9.27 does."""
    collect_garbage_rarely()
    logging.raiseExceptions = False  # else a log on a full disk buries the reason below a traceback for each line
    mend_slurm_states()
    try:
        from snakemake.scheduling.job_scheduler import JobScheduler
    except ImportError:
        return
    one_timer_at_a_time(JobScheduler)
    stop_on_signals(JobScheduler)


def one_timer_at_a_time(scheduler: type) -> None:
    """Let a JobScheduler wait for one timer at most; a version without such timers stays as it is."""
    if hasattr(scheduler, METHOD):
        setattr(scheduler, METHOD, look_again)


def look_again(scheduler: Any, delay: float) -> None:
    """Wake the scheduler after `delay` seconds unless that is already due."""
    if getattr(scheduler, "_nqs_due", False):
        return
    scheduler._nqs_due = True

    def wake() -> None:
        scheduler._nqs_due = False  # before it wakes, or the look that follows would set no timer
        scheduler._open_jobs.release()

    timer = threading.Timer(delay, wake)
    timer.daemon = True  # no wait for it at the end
    timer.start()


def collect_garbage_rarely() -> None:
    """Spare the collector what is loaded for good, and the hundred thousand objects of a large graph of jobs.

    A full collection goes through all of them and finds nothing, over and over while the graph grows.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def measure_forks(server: int) -> None:
    """Let benchmarks count what a fork of the server with this process id does for a job."""
    try:
        import psutil
        from snakemake.benchmark import BenchmarkTimer
    except ImportError:
        return

    class WithForks(psutil.Process):
        """A process whose children include those that the server forked for it or for one of them."""

        def children(self, recursive: bool = False) -> list[Any]:
            found = super().children(recursive=recursive)
            asking = {f"{JOB}{process.pid}" for process in [self, *found]}
            return found + [process for process in forks(server) if name_of(process) in asking]

    def forks(server: int) -> list[Any]:
        try:
            return psutil.Process(server).children()
        except psutil.NoSuchProcess:
            return []

    def name_of(process: Any) -> str:
        try:
            return str(process.name())
        except psutil.NoSuchProcess:  # it has just ended
            return ""

    begin = BenchmarkTimer.__init__

    def begin_with_forks(timer: Any, *arguments: Any, **options: Any) -> None:
        begin(timer, *arguments, **options)
        timer.main = WithForks(timer.pid)

    BenchmarkTimer.__init__ = begin_with_forks


def mend_slurm_states(plugin: Any = None, pause: float = 10.0) -> None:
    """Let Slurm's executor, if there is one, see that jobs were cancelled, and keep them while Slurm does not answer.

    Of "CANCELLED by 1000" it sees no end; after five questions without an answer it forgets all its jobs for ever.
    """
    plugin = plugin or sys.modules.get("snakemake_executor_plugin_slurm")
    query = getattr(plugin, "query_job_status", None)
    if query is None:
        return

    async def states_of_jobs(command: str, logger: Any) -> tuple[dict[str, str], float]:
        states, seconds = await query(command, logger)
        if states is None:
            logger.warning(f"Slurm does not answer; asked again every {pause:.0f} s until it does: {command}")
        while states is None:
            await asyncio.sleep(pause)
            states, seconds = await query(command, logger)
        return {job: state.split()[0] for job, state in states.items()}, seconds

    plugin.query_job_status = states_of_jobs
    plugin.Executor.cancel_jobs = cancel_by_name


def cancel_by_name(executor: Any, jobs: Any) -> None:
    """Cancel all jobs of a run, which share its name; the list given lacks those whose states are just asked for."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(["scancel", f"--name={executor.run_uuid}"], timeout=60, check=False)
