"""Figures and tables as readers see them, with their provenance: `python -m nqs figure <study>_<target>`.

A figure is a PDF and a PNG, a table a CSV and a Markdown file; beside both lies the record of where they come from.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.runtime import provenance
from nqs.runtime.files import atomic
from nqs.runtime.job import Job, function
from nqs.runtime.tables import read_json, read_table
from nqs.workflow.rows import find

REPOSITORY = Path(__file__).parents[3]


def show(name: str, job: Job) -> None:
    """Draw or lay out a target from its rows.

    settings: note (opens the small print), config (the part the target depends on), code (hash), seeds, archived (the
    archived run behind the table, if there is one). Inputs: table, cost (wall time and devices of the training behind
    it), published. Outputs: pdf, png or csv, md; record.
    """
    study, _, target = find(name)
    begin = time.monotonic()
    table = read_table(job.file("table"))
    cost = cost_of(job)
    if target.draw:
        published = function(study.read)(job.file("published")) if study.read else {}
        figures(function(target.draw)(table, published, job.settings["note"]), name, job, table, cost, begin)
    else:
        tables(function(target.layout)(table), name, job, table, cost, begin)


def cost_of(job: Job) -> dict[str, Any]:
    """Wall time and devices of the training behind a table, from its file or from the record of the archived run."""
    if "archived" in job.settings:
        run = job.settings["archived"]["record"]
        devices = [] if run["device"] == "none" else [run["device"]]
        return {"devices": devices, "training_wall_s": run["wall_seconds"] or 0.0}
    return read_json(job.file("cost"), ("devices", "training_wall_s")) if job.inputs.get("cost") else {}


def figures(figure: Any, name: str, job: Job, table: pd.DataFrame, cost: Mapping[str, Any], begin: float) -> None:
    """Write a figure as PDF and PNG, its id inside, and its record."""
    from nqs.figures.save import save_figure

    devices = sorted(table.device.unique()) if "device" in table else cost.get("devices", [])
    record = record_of(name, job, devices, cost, begin)
    save_figure(figure, job.out("pdf").with_suffix(""), record)
    print(f"{job.out('pdf')}: {record['id']}")


def tables(text: str, name: str, job: Job, table: pd.DataFrame, cost: Mapping[str, Any], begin: float) -> None:
    """Write a table as CSV and Markdown, and its record."""
    with atomic(job.out("table")) as first, atomic(job.out("markdown")) as second:
        table.to_csv(first, index=False)
        second.write_text(text)
    record = record_of(name, job, cost.get("devices", []), cost, begin)
    provenance.write_record(job.out("record"), record)
    print(f"{job.out('table')}: {record['id']}")


def record_of(name: str, job: Job, devices: list[str], cost: Mapping[str, Any], begin: float) -> dict[str, Any]:
    """Where a figure or table comes from."""
    return provenance.record(
        name,
        config=job.settings["config"],
        inputs=[job.file("table"), *job.inputs.get("published", ())],
        root=Path.cwd(),
        code=job.settings["code"],
        device=" and ".join(devices) or "none",
        seeds=job.settings["seeds"],
        wall_seconds=round(time.monotonic() - begin + cost.get("training_wall_s", 0.0), 2),
        repository=REPOSITORY,
        archived=job.settings.get("archived"),
    )
