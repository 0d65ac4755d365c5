"""Snakemake's events during `./nqs run`, turned into a view of the run.

Snakemake calls this in a thread of its own. Its usual output stays in its log file below
.snakemake/log.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

if TYPE_CHECKING:
    from nqs.workflow.run_state import RunningJob, RunState
    from nqs.workflow.run_view import View

LAST_LINES = 15  # of a failed job's log
NOTHING = "Nothing to be done"  # how Snakemake's message begins where every output is there
STOPPING = "Terminating processes"
ALL_LOGS = "Complete log(s): "
REPEATED = ("Exiting because", "At least one job")  # what the failed jobs have said already


class LogHandler(LogHandlerBase):
    """Shows a run to people. What only a run with jobs needs is imported once there is one."""

    def __post_init__(self) -> None:
        self.guard = threading.RLock()
        self.state: RunState | None = None
        self.view: View | None = None
        self.results: Path | None = None
        self.log = ""
        self.cores = 1

    def emit(self, record: logging.LogRecord) -> None:
        """Take one event; an error of the view is reported and leaves the run alone."""
        try:
            self._take(record)
        except Exception:
            self.handleError(record)

    def _take(self, record: logging.LogRecord) -> None:
        event, values = getattr(record, "event", None), record.__dict__
        if event == LogEvent.RESOURCES_INFO:
            self.cores = values.get("cores") or self.cores
        elif event == LogEvent.RUN_INFO:
            self._begin(values["stats"])
        elif event == LogEvent.JOB_ERROR:
            self._failed(values)
        elif event in (None, LogEvent.ERROR):
            self._message(record)
        elif self.state is not None:
            self._job(self.state, event, values)

    def _begin(self, stats: dict[str, int]) -> None:
        from nqs.workflow.run_state import RunState
        from nqs.workflow.run_view import view_of

        if self.state is None:
            self.state = RunState(cores=self.cores)
            self.state.plan(stats)
            self.view = view_of(self.state, self.guard, lambda: self.results, sys.stdout)

    def _job(self, state: RunState, event: Any, values: dict[str, Any]) -> None:
        from nqs.workflow.run_state import FIGURES, TABLES, job_of, stage_of

        now, done = time.monotonic(), None
        with self.guard:
            if event == LogEvent.JOB_INFO:
                job = job_of(values, now)
                state.start(values["jobid"], job)
                self.results = self.results or _results_of(job)
            elif event == LogEvent.JOB_FINISHED:
                done = state.finish(values["job_id"], now)
        if done and self.view and stage_of(done.rule) in (FIGURES, TABLES):
            self.view.finished(done.rule)

    def _failed(self, values: dict[str, Any]) -> None:
        from nqs.workflow.run_state import RunState, job_of

        self.state = self.state or RunState()
        job = job_of(values, time.monotonic())
        with self.guard:
            if self.state.stopping:  # it was told to
                self.state.running.pop(values["jobid"], None)
                return
            known = self.state.running.get(values["jobid"], job)
            new = self.state.fail(values["jobid"], known)
        if new:
            self._say("\n".join([f"failed: {known.label}", *_end_of_log(job)]))

    def _message(self, record: logging.LogRecord) -> None:
        """A message that is no event: errors and warnings are shown, of the others what matters."""
        text = self.format(record)
        if text.startswith(NOTHING):
            self._say("Nothing to do: every output is there and up to date.")
        elif text.startswith(ALL_LOGS):
            self.log = text.removeprefix(ALL_LOGS)
        elif text.startswith(STOPPING) and self.state is not None:
            self.state.stopping = True
        elif record.levelno >= logging.WARNING and not (self._has_failed() and any(map(text.count, REPEATED))):
            self._say(text)

    def _has_failed(self) -> bool:
        return self.state is not None and bool(self.state.failed)

    def _say(self, text: str) -> None:
        """Print lines that stay; errors before the first job go where Snakemake writes them."""
        if self.view is not None:
            self.view.say(text)
        else:
            print(text, file=sys.stdout if text.startswith("Nothing to do") else sys.stderr, flush=True)

    def close(self) -> None:
        """End the view and say how the run ended."""
        if self.view is not None and self.state is not None:
            view, self.view = self.view, None
            view.stop()
            view.say(self._summary(self.state))
        super().close()

    def _summary(self, state: RunState) -> str:
        from nqs.workflow.plan import duration

        done, total = state.jobs()
        line = f"{done} of {total} jobs done in {duration(time.monotonic() - state.begin)}"
        if state.failed:
            line += f", {len(state.failed)} failed; what is done is kept"
        return f"{line}\nSnakemake's log: {self.log}" if self.log and done < total else line

    @property
    def writes_to_stream(self) -> bool:
        """So that Snakemake writes to its log file only."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """No file of its own."""
        return False

    @property
    def has_filter(self) -> bool:
        """All events are wanted."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Messages are worded by Snakemake."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """Not needed."""
        return False


def _results_of(job: RunningJob) -> Path | None:
    """results/<scale> of a job, from where its log is."""
    return next((Path(*log.parts[: log.parts.index("logs")]) for log in job.logs if "logs" in log.parts), None)


def _end_of_log(job: RunningJob) -> list[str]:
    """The last lines of a failed job's log, and where it is."""
    if not job.logs:
        return ["  (no log)"]
    return [*(f"  | {line}" for line in job.last_lines(LAST_LINES)), f"  its log: {job.logs[0]}"]
