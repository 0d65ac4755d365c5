"""A run that is asked to stop tells its jobs, which stop at their checkpoints, and keeps what they finish meanwhile.

Snakemake by itself lets running jobs go on to their end after SIGTERM, however long that takes. After SIGINT it waits
for them as well and then forgets those that finish: the next run makes them again.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

from nqs.workflow.fork_client import AT_START
from nqs.workflow.fork_server import JOB

INTERVAL = 0.2  # seconds between two looks for jobs that have begun meanwhile
MESSAGE = "Terminating processes: jobs stop at their checkpoints, and the next run goes on from there."


def stop_on_signals(scheduler: type) -> None:
    """Let a JobScheduler stop within seconds of a signal that ends a process."""
    schedule = scheduler.schedule  # type: ignore[attr-defined]

    @functools.wraps(schedule)
    def until_asked(self: Any) -> Any:
        if self.dryrun or threading.current_thread() is not threading.main_thread():
            return schedule(self)
        with listening(self):
            return schedule(self)

    scheduler.schedule = until_asked  # type: ignore[attr-defined]


@contextlib.contextmanager
def listening(scheduler: Any) -> Iterator[None]:
    """Heed signals while a scheduler works; a handler only writes into a pipe, a thread does what takes locks."""
    reader, writer = os.pipe()
    ended = threading.Event()
    thread = threading.Thread(target=stop_when_asked, args=(scheduler, reader, ended), daemon=True)
    before = {number: signal.getsignal(number) for number in AT_START}

    def ask(number: int, frame: Any) -> None:
        os.write(writer, b"!")
        if not scheduler.workflow.local_exec:  # Snakemake cancels the jobs that it has submitted
            raise KeyboardInterrupt

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, ask)
    thread.start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        ended.set()
        os.write(writer, b".")
        thread.join()
        os.close(reader)
        os.close(writer)


def stop_when_asked(scheduler: Any, reader: int, ended: threading.Event) -> None:
    """Once the pipe says so, have no new jobs started and tell the running ones, each once, until all have ended."""
    if os.read(reader, 1) != b"!":
        return
    logging.getLogger("snakemake.logging").info(MESSAGE)
    scheduler._user_kill = "graceful"
    scheduler._open_jobs.release()
    told: set[int] = set()
    while True:
        for process in working():
            if process.pid not in told:
                told.add(process.pid)
                with contextlib.suppress(OSError):
                    os.kill(process.pid, signal.SIGTERM)
        if ended.wait(INTERVAL):
            return


def working() -> list[Any]:
    """Processes below this one that do the work of its jobs: no shell that waits for one, and no fork, whose client
    passes signals on."""
    import psutil

    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if not process.children() and not process.name().startswith(JOB):
                found.append(process)
    return found
