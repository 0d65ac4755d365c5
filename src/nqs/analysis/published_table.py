"""tableX1: every number printed in Mummaneni and Sajjan (2026) beside ours, with a verdict; see `published_checks`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.analysis.cell_tables import Files, mark, read
from nqs.analysis.published_checks import CHECKS
from nqs.analysis.published_rules import Data, Measured
from nqs.errors import InputError
from nqs.io import atomic
from nqs.published import read_facts
from nqs.table_inputs import TABLE, needs

NEEDS = needs(TABLE)
INPUTS = ("importance_threshold",)  # facts that we take over and do not check
AGREES, DIFFERS, NO_DATA = "agrees", "differs", "no data at this scale"
TOO_FEW, FEWEST_MODELS = "too few models", 5  # fewer have no error to speak of
COLUMNS = (
    "claim", "where", "quantity", "unit", "published", "published_error", "ours", "ours_error", "mode", "sector",
    "n_models", "verdict", "remark",
)  # fmt: skip
DIGITS = 4  # significant, in the Markdown table


def verdict(agrees: bool | None, n_models: int) -> str:
    """The verdict in words; few models get none."""
    if agrees is None:
        return NO_DATA
    if n_models < FEWEST_MODELS:
        return TOO_FEW
    return AGREES if agrees else DIFFERS


def published_table(facts: Mapping[str, Mapping[str, Any]], data: Data) -> pd.DataFrame:
    """One row per fact, part of it and variant; a part without data has one row. InputError for an unknown fact."""
    rows = []
    for claim, fact in facts.items():
        if claim in INPUTS:
            continue
        if claim not in CHECKS:
            raise InputError(f"published.yaml: no check for '{claim}'; known: {', '.join(CHECKS)}")
        found = list(CHECKS[claim](fact, data))
        for one in [*found, *_missing(claim, fact, found)]:
            origin = {"claim": claim, "where": fact["where"], "unit": fact["unit"]}
            rows.append(origin | vars(one) | {"verdict": verdict(one.agrees, one.n_models)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _missing(claim: str, fact: Mapping[str, Any], found: Sequence[Measured]) -> Iterator[Measured]:
    """One row for each value of a fact that nothing was measured for."""
    value, name, nan = fact["value"], claim.replace("_", " "), float("nan")
    parts = value if isinstance(value, Mapping) else {"": value}
    for part, one in parts.items():
        compared = {str(measured.published) for measured in found}
        if not found or (part and _words(one) not in compared):
            yield Measured(f"{name} {part}".strip(), _words(one), nan, nan, nan, 0, None)


def _words(value: Any) -> str:
    return " to ".join(map(str, value)) if isinstance(value, list) else str(value)


def markdown(table: pd.DataFrame) -> str:
    """The table as Markdown, numbers rounded for reading."""
    shown = table.drop(columns=["claim", "unit"])
    lines = ["| " + " | ".join(shown.columns) + " |", "|" + " --- |" * len(shown.columns)]
    for row in shown.itertuples(index=False):
        lines.append("| " + " | ".join(_cell(value) for value in row) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.{DIGITS}g}"
    return str(value).replace("|", r"\|")


def read_data(files: Files, tau: float) -> Data:
    """All tables of the study."""
    whole = {name: read(files[name]) for name in ("units", "importance", "fractions", "power_laws")}
    return Data(models=mark(read(files["models"])), states=mark(read(files["states"])), tau=tau, **whole)


def build(published: Path, files: Files, tau: float, out: Path, markdown_out: Path) -> None:
    """Write the table as CSV and as Markdown; InputError if a kind of file is missing."""
    if absent := [kind for kind in NEEDS if not files.get(kind)]:
        raise InputError(f"tableX1 needs files of kind {', '.join(absent)}")
    table = published_table(read_facts(published), read_data(files, tau))
    with atomic(out) as first, atomic(markdown_out) as second:
        table.to_csv(first, index=False)
        second.write_text(markdown(table))
    print(table.verdict.value_counts().to_string())
