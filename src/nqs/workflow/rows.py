"""The rows behind a figure or table, or tables between stages and figures: `python -m nqs table <study>_<target>`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nqs.runtime.errors import InputError
from nqs.runtime.files import atomic
from nqs.runtime.job import Job, function
from nqs.studies.protocol import Study, Target
from nqs.workflow.studies import found_studies

COST = "cost"  # output kind of the wall time and devices behind the rows


def find(name: str) -> tuple[Study, str, Target]:
    """Study and target of a name such as westerhout2020_fig2; InputError that lists the known ones."""
    known = {f"{study}_{target}": (study, target) for study, one in found_studies().items() for target in one.targets}
    if name not in known:
        raise InputError(f"unknown target '{name}'; known: {', '.join(known)}")
    study, target = known[name]
    return found_studies()[study], target, found_studies()[study].targets[target]


def build(name: str, job: Job) -> None:
    """Write the rows of a target, and what the training behind them cost; InputError if a kind of file is missing."""
    _, short, target = find(name)
    if absent := [kind for kind in target.needs if not job.inputs.get(kind)]:
        raise InputError(f"{name} needs files of kind {', '.join(absent)}")
    made = function(target.rows)(job.inputs, job.settings)
    (first, *_) = target.tables(short)
    for kind, table in (made if isinstance(made, Mapping) else {first: made}).items():
        write(table, job.out(kind))
    if COST in job.outputs:
        with atomic(job.out(COST)) as temporary:
            temporary.write_text(json.dumps(function(target.cost)(job.inputs, job.settings)) + "\n")


def write(table: pd.DataFrame, out: Path) -> None:
    """Write a table as CSV."""
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)
    print(f"{out}: {len(table)} rows")
