"""The rows behind a figure or table, or tables between stages and figures: `python -m nqs table <study>_<target>`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nqs.analysis.table_files import COUNTS
from nqs.runtime.errors import InputError, NothingTrainedError
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
    (first, *_) = target.tables(short)
    try:
        made = function(target.rows)(job.inputs, job.settings)
    except NothingTrainedError as reason:
        print(f"{name}: {reason}", file=sys.stderr)
        made = {kind: pd.DataFrame(columns=columns_of(target)) for kind in target.tables(short)}
    for kind, table in (made if isinstance(made, Mapping) else {first: made}).items():
        write(table, job.out(kind))
    if COST in job.outputs:
        with atomic(job.out(COST)) as temporary:
            temporary.write_text(json.dumps(function(target.cost)(job.inputs, job.settings)) + "\n")


def columns_of(target: Target) -> list[str]:
    """What the figure of a target needs of its table; of a table that nothing draws, how many networks there are."""
    from nqs.figures.table import TableError

    try:
        function(target.draw)(pd.DataFrame(), pd.DataFrame(columns=["figure"]), "") if target.draw else None
    except TableError as error:
        return error.absent or COUNTS
    return COUNTS


def write(table: pd.DataFrame, out: Path) -> None:
    """Write a table as CSV."""
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)
    print(f"{out}: {len(table)} rows")
