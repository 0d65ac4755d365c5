"""Figures and tables of archived runs, several in one process: `python -m nqs gallery <study>`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nqs.runtime.errors import InputError, NqsError
from nqs.runtime.job import Job
from nqs.runtime.provenance import sha256
from nqs.workflow.archive import read_record
from nqs.workflow.show import show


def draw(study: str, job: Job) -> None:
    """Draw targets of a study from their archived tables.

    settings: target -> note, code, table, reduced (see nqs.workflow.archive). Inputs: <target>, its table of rows;
    <target>.record, where the run came from; published. Outputs: <target>.<kind> as nqs.workflow.show names the kinds.
    InputError at the end for those that could not be drawn; the others are there.
    """
    failed = []
    for name, settings in job.settings.items():
        try:
            show(f"{study}_{name}", job_of(name, settings, job))
        except NqsError as error:
            print(f"{study}_{name}: {error}", file=sys.stderr)
            failed.append(name)
    if failed:
        raise InputError(f"{', '.join(failed)} of {study} could not be drawn from the archive; the reasons stand above")


def job_of(name: str, settings: Mapping[str, Any], job: Job) -> Job:
    """What one target is drawn from and where it goes."""
    table, record = job.file(name), read_record(job.file(f"{name}.record"))
    inputs = {"table": [table], "published": job.inputs.get("published", ())}
    outputs = {kind.removeprefix(f"{name}."): path for kind, path in job.outputs.items() if kind.startswith(f"{name}.")}
    from_record = {key: record.get(key, []) for key in ("config", "seeds")}
    source = origin(table, record, settings)
    return Job({**from_record, "note": settings["note"], "code": settings["code"], "archived": source}, inputs, outputs)


def origin(table: Path, record: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The archived table and the run that it is of; as_recorded: whether that run drew from this very table."""
    digest = sha256(table)
    return {
        "table": settings["table"],
        "sha256": digest,
        "as_recorded": digest in record["inputs"].values(),
        "reduced": settings["reduced"],
        **({"incomplete": record["incomplete"]} if record.get("incomplete") else {}),
        "record": {key: record.get(key) for key in ("id", "code", "device", "git", "wall_seconds", "written_utc")},
    }
