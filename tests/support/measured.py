"""Numbers that tests measure and pages show, between `<!-- measured: NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path


def write(page: Path, name: str, text: str) -> None:
    """Replace what a page says between the markers of a name; ValueError without such markers."""
    marked = re.compile(rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end -->)", re.S)
    before = page.read_text(encoding="utf-8")
    if not marked.search(before):
        raise ValueError(f"{page}: no marker 'measured: {name}'")
    page.write_text(marked.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", before), encoding="utf-8")


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of equal keys as a Markdown table."""
    head = [*rows[0]]
    lines = [head, ["---"] * len(head), *([str(row[key]) for key in head] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
