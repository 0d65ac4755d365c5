"""The ledger of one study as a table: one row per claim with its verdict, its evidence in the rows below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, NoTable, Tables, read_claims
from nqs.analysis.ledger.evidence import Evidence
from nqs.analysis.ledger.verdict import NOT_TESTED, Verdict, judge, outcomes
from nqs.runtime.errors import InputError
from nqs.runtime.job import Files
from nqs.runtime.tables import read_table

Check = Callable[[Claim, Tables], Iterable[Evidence]]
COLUMNS = (
    "claim", "row", "verdict", "quantity", "part", "reading", "published", "published_error", "value", "error", "n",
    "distance", "remark",
)  # fmt: skip
CLAIM, EVIDENCE = "claim", "evidence"  # values of the column `row`


def ledger(claims: Iterable[Claim], checks: Mapping[str, Check], tables: Tables, scale: str) -> pd.DataFrame:
    """The table of COLUMNS for all claims of a study; InputError for a claim without a check or a check without one.

    distance: standard errors from what the claim allows; n: runs or points behind a value, 0 for exact numbers.
    """
    claims = list(claims)
    if loose := {claim.slug for claim in claims} ^ {*checks}:
        raise InputError(f"claims and checks differ: {', '.join(sorted(loose))}")
    rows = [row for claim in claims for row in _rows(claim, *_found(claim, checks[claim.slug], tables, scale))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def ledger_of(
    study: str, checks: Mapping[str, Check], files: Files, published: Any, scale: str
) -> tuple[pd.DataFrame, list[Claim]]:
    """The ledger of a study and its claims; files: claims, the list of all studies, and table, rows by their names."""
    (listed,) = files["claims"]
    claims = [claim for claim in read_claims(Path(listed)).values() if claim.study == study]
    found = {Path(path).stem: read_table(path) for path in files.get("table", ())}
    tables = Tables({name: table for name, table in found.items() if len(table)}, published)
    return ledger(claims, checks, tables, scale), claims


def _found(claim: Claim, check: Check, tables: Tables, scale: str) -> tuple[list[Evidence], str]:
    """The evidence for a claim, and why there is none."""
    if not claim.means_something_at(scale):
        return [], f"needs {claim.scale} scale"
    try:
        found = list(check(claim, tables))
    except NoTable as missing:
        return [], f"needs the table {missing.args[0]}"
    return found, "" if found else "the tables of this scale lack the cells it needs"


def _rows(claim: Claim, found: list[Evidence], why_none: str) -> Iterator[dict[str, Any]]:
    """The row of a claim, then those of its evidence."""
    verdict = judge(found)
    yield {"claim": claim.id, "row": CLAIM, "verdict": verdict.verdict} | _decisive(verdict, found, why_none)
    for one, outcome in zip(found, outcomes(found), strict=True):
        yield {"claim": claim.id, "row": EVIDENCE, "verdict": outcome} | _numbers(one)


def _decisive(verdict: Verdict, found: list[Evidence], why_none: str) -> dict[str, Any]:
    """The numbers that decide a verdict."""
    if verdict.decided_by is None:
        return {"remark": why_none, "n": 0, "value": np.nan, "error": np.nan, "distance": np.nan}
    numbers = _numbers(found[verdict.decided_by])
    return numbers | ({"remark": verdict.remark} if verdict.remark else {})


def _numbers(one: Evidence) -> dict[str, Any]:
    """The columns of one piece of evidence."""
    names = (
        "quantity", "part", "reading", "published", "published_error", "value", "error", "n", "distance", "remark",
    )  # fmt: skip
    return {name: getattr(one, name) for name in names}


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of claims alone."""
    return table[table.row == CLAIM]


def counts(table: pd.DataFrame) -> dict[str, int]:
    """Number of claims by verdict."""
    return {str(name): int(number) for name, number in verdicts(table).verdict.value_counts().items()}


def share_with_verdict(table: pd.DataFrame) -> float:
    """Part of the claims that have a verdict."""
    return float((verdicts(table).verdict != NOT_TESTED).mean())
