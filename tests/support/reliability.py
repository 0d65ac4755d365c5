"""What fault drills found, as tables in docs/reliability.md."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
        return "\n".join([*HEAD, *rows])


def rows_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Markdown of rows with the same columns."""
    lines = [[*rows[0]], ["---"] * len(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_section(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of a section."""
    begin, end = f"<!-- drill: {name} -->", "<!--/-->"
    found = re.compile(rf"{re.escape(begin)}.*?{re.escape(end)}", re.S)
    content = page.read_text(encoding="utf-8")
    page.write_text(found.sub(lambda _: f"{begin}\n{text}\n{end}", content, count=1), encoding="utf-8")
