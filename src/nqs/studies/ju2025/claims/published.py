"""tableX1: every number printed in Ju et al. (2025) beside ours, with a verdict; the checks are in `checks`.

It is made from the tables of other targets, so that it shows the numbers that these show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.analysis.claims import NO_DATA, checked, verdict
from nqs.analysis.facts import read_facts
from nqs.analysis.table_files import read
from nqs.runtime.job import Files
from nqs.studies.ju2025.claims.checks import CHECKS, INPUTS
from nqs.studies.ju2025.claims.compared import Compared, Tables
from nqs.studies.ju2025.tables import regressions, training, uniqueness
from nqs.vmc.keys import TRACE

PUBLISHED = Path("reference/ju2025/published.yaml")  # from the project's folder
MAKERS = {
    "fig2": training.fig2, "fig3": training.fig3, "figX1": uniqueness.figX1,
    "table2": regressions.table2, "tableS1": regressions.tableS1,
}  # fmt: skip
OF_TRACES = ("runs", "traces", "weights")  # kinds of files that Fig. 2 wants of its own cells only
COLUMNS = (
    "claim", "where", "quantity", "unit", "published", "published_error", "ours", "ours_error", "n_runs", "verdict",
    "remark",
)  # fmt: skip


def tableX1(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per fact, part of it and variant of ours; a part without data has one row.

    files: runs, traces, weights of all cells, optima, optima_arrays and ground_states of all targets in MAKERS;
    settings: those of each of these targets, by its name. ours_error is the standard error over runs, n_runs their
    number, both empty for exact numbers. Raises InputError for a fact without a check.
    """
    published = Path(files["published"][0]) if files.get("published") else PUBLISHED
    return compared(read_facts(published), tables(files, settings))


def tables(files: Files, settings: Mapping[str, Any]) -> Tables:
    """The table of each target in MAKERS."""
    traces = [all(read([path]).run_kind == TRACE) for path in files["runs"]]
    chosen = {kind: [path for path, wanted in zip(files[kind], traces, strict=True) if wanted] for kind in OF_TRACES}
    return {
        target: make({**files, **chosen} if target == "fig2" else files, settings[target])
        for target, make in MAKERS.items()
    }


def compared(facts: Mapping[str, Mapping[str, Any]], ours: Tables) -> pd.DataFrame:
    """The rows of tableX1."""
    rows = []
    for claim, fact, found in checked(facts, CHECKS, INPUTS, ours):
        for one in [*found, *_missing(claim, fact, found)]:
            rows.append({"claim": claim, "where": fact["where"], "unit": fact["unit"]} | vars(one) | {
                "verdict": _verdict(one)
            })  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _verdict(one: Compared) -> str:
    """In words; exact numbers need no runs."""
    if one.agrees is None:
        return NO_DATA
    words = verdict(one.agrees, one.n_runs) if one.n_runs is not None else verdict(one.agrees, n_models=1 << 30)
    return words.replace("models", "runs")


def _missing(claim: str, fact: Mapping[str, Any], found: Sequence[Compared]) -> Iterator[Compared]:
    """One row for each value of a fact that nothing of ours was compared with."""
    value = fact["value"]
    parts = value if isinstance(value, Mapping) else {"": value}
    for part, one in parts.items():
        if not any(part in ("", compared.part) for compared in found):
            yield Compared(f"{claim.replace('_', ' ')} {part}".strip(), one, part=part)
