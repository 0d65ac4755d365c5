"""What fault drills found, as a table for docs/reliability.md."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

REFUSED, IDENTICAL = "one clear line", "identical tables"
HEAD = [
    "| fault | cases | ended in one clear line | ended in identical tables | seconds |",
    "|---|---:|---:|---:|---:|",
]


@dataclass
class Drill:
    """Faults by kind: how each ended, and the seconds that they took."""

    outcomes: dict[str, list[tuple[str, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, fault: str, outcome: str, seconds: float) -> None:
        """Count one fault."""
        self.outcomes[fault].append((outcome, seconds))

    @property
    def whole(self) -> bool:
        """Whether more than a part of the drill ran."""
        return len(self.outcomes) >= 8

    def table(self) -> str:
        """Markdown, one row per kind of fault."""
        rows = []
        for fault, found in self.outcomes.items():
            ends = [end for end, _ in found]
            seconds = sum(seconds for _, seconds in found)
            rows.append(f"| {fault} | {len(found)} | {ends.count(REFUSED)} | {ends.count(IDENTICAL)} | {seconds:.0f} |")
        return "\n".join([*HEAD, *rows]) + "\n"
