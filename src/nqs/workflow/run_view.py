"""How a run is shown: one calm live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nqs.workflow.plan import duration, mean, measured_seconds, read_seconds
from nqs.workflow.run_state import CLAIMS, FIGURES, ROWS, TABLES, RunningJob, RunState, stage_of

REFRESH = 1.0  # seconds between two drawings of the live view
STATUS = 30.0  # seconds between two plain lines
MOST_JOBS = 8  # running jobs that are listed
BAR = 28  # characters


class View(Protocol):
    """A view of a run: `say` prints lines that stay, `stop` ends it."""

    def say(self, text: str) -> None:
        """Print lines that stay."""

    def finished(self, name: str) -> None:
        """A figure or table is there."""

    def stop(self) -> None:
        """Draw for the last time."""


def view_of(state: RunState, lock: threading.RLock, results: Callable[[], Path | None], stream: TextIO) -> View:
    """The view that suits an output; lock: guards the state; results: folder of the scale, None: not known yet."""
    console = Console(file=stream, highlight=False)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveView(state, lock, results, console)
    return PlainView(state, lock, results, stream)


class Repeated:
    """Calls a function every few seconds in a thread of its own until it is stopped."""

    def __init__(self, call: Callable[[], None], interval: float) -> None:
        self.call, self.interval, self.ended = call, interval, threading.Event()
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def _loop(self) -> None:
        while not self.ended.wait(self.interval):
            self.call()

    def stop(self) -> None:
        """End the thread; waits for the call in progress."""
        self.ended.set()
        self.thread.join()


class LiveView:
    """Bars per stage, time left and the last line of each running job, redrawn every second."""

    def __init__(
        self, state: RunState, lock: threading.RLock, results: Callable[[], Path | None], console: Console
    ) -> None:
        self.state, self.lock, self.earlier, self.console = state, lock, Earlier(results), console
        self.live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self.live.start()
        self.draw()
        self.repeated = Repeated(self.draw, REFRESH)

    def draw(self) -> None:
        """Draw once more."""
        with self.lock:
            content = picture(self.state, self.earlier, time.monotonic(), self.console.width)
        self.live.update(content, refresh=True)

    def say(self, text: str) -> None:
        """Print lines above the view."""
        self.console.print(Text(text), soft_wrap=True)  # paths stay whole

    def finished(self, name: str) -> None:
        """Nothing: the bars say so."""

    def stop(self) -> None:
        """Leave the bars as they are at the end, with the cursor below them."""
        self.repeated.stop()
        self.draw()
        self.live.stop()


class PlainView:
    """A line per finished figure or table, and one about everything twice a minute."""

    def __init__(
        self, state: RunState, lock: threading.RLock, results: Callable[[], Path | None], stream: TextIO
    ) -> None:
        self.state, self.lock, self.earlier, self.stream = state, lock, Earlier(results), stream
        self.say(headline(state, self.earlier, time.monotonic()))
        self.repeated = Repeated(self.status, STATUS)

    def status(self) -> None:
        """Print where the run stands."""
        with self.lock:
            line = headline(self.state, self.earlier, time.monotonic())
        self.say(line)

    def say(self, text: str) -> None:
        """Print lines."""
        print(text, file=self.stream, flush=True)

    def finished(self, name: str) -> None:
        """Print that a figure or table is there."""
        done, total = self.state.count((FIGURES, TABLES))
        self.say(f"{name} ({done} of {total})")

    def stop(self) -> None:
        """Print no more."""
        self.repeated.stop()


class Earlier:
    """Mean wall seconds of a rule's jobs in earlier runs at the same scale, read once; None: there were none."""

    def __init__(self, results: Callable[[], Path | None]) -> None:
        self.results = results
        self.mean = cache(self._mean)

    def __call__(self, rule: str) -> float | None:
        """Mean of a rule; None as long as the folder of results is not known."""
        return self.mean(rule) if self.results() else None

    def _mean(self, rule: str) -> float | None:
        folder, stage = Path(self.results() or ".") / "benchmarks", stage_of(rule)
        own = folder / stage / f"{rule.removeprefix('rows_')}.tsv"
        if stage == CLAIMS:
            own = folder / CLAIMS / f"{rule.removesuffix('_claims')}.tsv"
        if stage in (ROWS, FIGURES, TABLES, CLAIMS) and (seconds := read_seconds(own)):
            return mean(seconds)
        return mean(list(measured_seconds(folder / stage).values()))


def headline(state: RunState, earlier: Earlier, now: float) -> str:
    """Figures, jobs, time so far and time left in one line."""
    shown, asked = state.count((FIGURES, TABLES))
    done, total = state.jobs()
    parts = [f"figures and tables {shown} of {asked}"] if asked else []
    parts += [f"jobs {done} of {total}", f"{duration(now - state.begin)} so far", left(state, earlier, now)]
    if state.failed:
        parts.append(f"{len(state.failed)} failed")
    return " · ".join(part for part in parts if part)


def left(state: RunState, earlier: Earlier, now: float) -> str:
    """The time left in words; empty once all is done or the run is being stopped."""
    if state.stopping:
        return "stopping"
    done, total = state.jobs()
    if done + len(state.failed) >= total:
        return ""
    seconds, known = state.seconds_left(now, earlier)
    if not known and seconds == 0:
        return "time left unknown"
    return f"{'about' if known else 'at least'} {duration(max(seconds, 1.0))} left"


def picture(state: RunState, earlier: Earlier, now: float, width: int) -> Group:
    """All of the live view, at most `width` characters wide."""
    head = Text(headline(state, earlier, now), style="bold")
    bars = Table.grid(padding=(0, 1))
    for name, (done, total) in state.stages().items():
        bar = ProgressBar(total=total, completed=done, width=BAR, complete_style="cyan", finished_style="green")
        bars.add_row(Text(name), bar, Text(f"{done} of {total}"))
    running = list(state.running.values())
    lines = [Text(running_line(job, width), style="dim") for job in running[:MOST_JOBS]]
    if len(running) > MOST_JOBS:
        lines.append(Text(f"and {len(running) - MOST_JOBS} more", style="dim"))
    return Group(head, bars, *lines)


def running_line(job: RunningJob, width: int) -> str:
    """A job and the last line of its log, shorter than `width`; the end of a long name tells jobs apart."""
    room = width // 2
    label = job.label if len(job.label) < room else f"…{job.label[1 - room :]}"
    words = "".join(job.last_lines(1)).removeprefix(f"{job.rule}: ")
    line = f"{label}: {words}" if words else label
    return line if len(line) < width else f"{line[: width - 2]}…"
