"""Stage `published-table`: the table of published numbers as CSV and Markdown, with its provenance."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nqs import provenance
from nqs.analysis import published_table
from nqs.training_cost import training_cost


def build(
    name: str,
    settings: Mapping[str, Any],
    files: Mapping[str, Sequence[Path]],
    tau: float,
    published: Path,
    stem: Path,
) -> None:
    """Write `stem`.csv, .md and .json. settings: config (the part the table depends on), code (hash), seeds."""
    begin = time.monotonic()
    out, markdown = Path(f"{stem}.csv"), Path(f"{stem}.md")
    published_table.build(published, files, tau, out, markdown)
    training = training_cost(files["models"])
    record = provenance.record(
        name,
        config=settings["config"],
        inputs=[published, *(path for kind, paths in files.items() if kind != "models" for path in paths)],
        root=Path.cwd(),
        code=settings["code"],
        device=" and ".join(training["devices"]) or "none",
        seeds=settings["seeds"],
        wall_seconds=round(time.monotonic() - begin + training["training_wall_s"], 2),
        repository=Path(__file__).parents[2],
    )
    provenance.write_record(Path(f"{stem}.json"), record)
    print(f"{stem}.csv, .md, .json: {record['id']}")
