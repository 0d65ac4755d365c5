"""Progress lines for long stages: what is done, how fast, and how long at most it will take."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Hashable

INTERVAL = 10.0


class Progress:
    """Counts the steps of parts that take at most `steps_each` and prints a line to stderr every ten seconds."""

    def __init__(self, name: str, parts: int, steps_each: int, interval: float = INTERVAL) -> None:
        self.name, self.parts, self.steps_each, self.interval = name, parts, steps_each, interval
        self.begin = self.printed = time.monotonic()
        self.steps: dict[int, int] = {}
        self.before: dict[int, int] = {}  # steps already done when a resumed part reported first
        self.finished: set[int] = set()
        self.saved: dict[Hashable, float] = {}
        self.lock = threading.Lock()

    def update(self, part: int, steps: int) -> None:
        """Note that `part` has done `steps` steps; prints a line if it is time."""
        with self.lock:
            self.before.setdefault(part, steps)
            self.steps[part] = steps
            now = time.monotonic()
            if now - self.printed >= self.interval:
                self.printed = now
                print(self.line(now), file=sys.stderr, flush=True)

    def done(self, part: int) -> None:
        """Note that `part` needs no more steps."""
        with self.lock:
            self.finished.add(part)

    def due(self, part: Hashable, interval: float) -> bool:
        """True once every `interval` seconds for each part."""
        now = time.monotonic()
        if now - self.saved.setdefault(part, self.begin) < interval:
            return False
        self.saved[part] = now
        return True

    def line(self, now: float) -> str:
        """One line: parts finished, steps, rate, and the time left if no running part ends early."""
        elapsed = max(now - self.begin, 1e-9)
        rate = max(sum(self.steps.values()) - sum(self.before.values()), 1) / elapsed
        running = {part: steps for part, steps in self.steps.items() if part not in self.finished}
        waiting = self.parts - len(self.finished) - len(running)
        left = waiting * self.steps_each + sum(self.steps_each - steps for steps in running.values())
        return (
            f"{self.name}: {len(self.finished)} of {self.parts} finished, {rate:,.0f} steps/s, "
            f"{elapsed:.0f} s so far, at most {left / rate:.0f} s left"
        )
