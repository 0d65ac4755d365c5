"""Stages `published-table` and `table`: a table as CSV and Markdown, with its provenance."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.runtime import provenance
from nqs.runtime.files import atomic
from nqs.runtime.markdown import markdown
from nqs.runtime.training_cost import training_cost
from nqs.studies.ju2025 import markdown as ju2025_markdown
from nqs.studies.mummaneni2026.claims import table as published_table

# tables, or else studies, whose layout is their own
RENDERED = {"ju2025_tableX1": published_table.markdown, "ju2025": ju2025_markdown.markdown}


def build(
    name: str,
    settings: Mapping[str, Any],
    files: Mapping[str, Sequence[Path]],
    tau: float,
    published: Path,
    stem: Path,
) -> None:
    """Write the published numbers of a study beside ours as `stem`.csv, .md and .json.

    settings: config (the part the table depends on), code (hash), seeds.
    """
    begin = time.monotonic()
    out, markdown_out = Path(f"{stem}.csv"), Path(f"{stem}.md")
    published_table.build(published, files, tau, out, markdown_out)
    inputs = [published, *(path for kind, paths in files.items() if kind != "models" for path in paths)]
    _record(name, settings, inputs, training_cost(files["models"]), stem, begin)


def save(
    name: str,
    settings: Mapping[str, Any],
    rows: Path,
    published: Path | None,
    stem: Path,
    cost: Path | None = None,
) -> None:
    """Write the rows of an analysis as `stem`.csv, .md and .json.

    published: the numbers that the rows hold beside ours;  cost: JSON with the wall time and devices behind them.
    """
    begin = time.monotonic()
    table = pd.read_csv(rows)
    with atomic(Path(f"{stem}.csv")) as first, atomic(Path(f"{stem}.md")) as second:
        table.to_csv(first, index=False)
        render = RENDERED.get(name) or RENDERED.get(name.partition("_")[0], markdown)
        second.write_text(render(table))
    training = json.loads(cost.read_text()) if cost else {}
    _record(name, settings, [rows, *([published] if published else [])], training, stem, begin)


def _record(
    name: str,
    settings: Mapping[str, Any],
    inputs: Sequence[Path],
    training: Mapping[str, Any],
    stem: Path,
    begin: float,
) -> None:
    """Write the provenance; training: devices and training_wall_s."""
    record = provenance.record(
        name,
        config=settings["config"],
        inputs=inputs,
        root=Path.cwd(),
        code=settings["code"],
        device=" and ".join(training.get("devices", [])) or "none",
        seeds=settings["seeds"],
        wall_seconds=round(time.monotonic() - begin + training.get("training_wall_s", 0.0), 2),
        repository=Path(__file__).parents[3],
    )
    provenance.write_record(Path(f"{stem}.json"), record)
    print(f"{stem}.csv, .md, .json: {record['id']}")
