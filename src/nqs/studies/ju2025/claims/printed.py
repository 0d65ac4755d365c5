"""tableX1: every number printed in Ju et al. (2025) beside ours, as the ledger of claims judges it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.analysis.facts import read_facts
from nqs.analysis.ledger.claim import Claim, Tables, read_claims
from nqs.analysis.ledger.table import CLAIM, ledger
from nqs.analysis.ledger.verdict import NOT_TESTED, OPEN
from nqs.analysis.table_files import read
from nqs.runtime.job import Files
from nqs.runtime.markdown import markdown as as_markdown
from nqs.studies.ju2025.claims.ledger import CHECKS

STUDY = "ju2025"
COLUMNS = (
    "claim", "where", "quantity", "part", "reading", "unit", "published", "published_error", "ours", "ours_error",
    "n_runs", "verdict", "distance", "remark",
)  # fmt: skip


def tableX1(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per piece of evidence for a claim with a printed number.

    files: table, the rows of all other targets; claims, the list of all studies; published, the paper's numbers;
    settings: scale. distance is in standard errors, infinite for exact numbers.
    """
    published = read_facts(files["published"][0]) if files.get("published") else {}
    tables = Tables({Path(path).stem: read([path]) for path in files["table"]}, published)
    claims = {key: one for key, one in read_claims(Path(files["claims"][0])).items() if one.study == STUDY}
    return printed(ledger(claims.values(), CHECKS, tables, settings["scale"]), claims)


def printed(table: pd.DataFrame, claims: Mapping[str, Claim]) -> pd.DataFrame:
    """The evidence in a ledger for claims with a printed number; a claim without any has one row.  [COLUMNS]"""
    return pd.DataFrame([*_rows(table, claims)], columns=list(COLUMNS))


def _rows(table: pd.DataFrame, claims: Mapping[str, Claim]) -> Iterator[dict[str, Any]]:
    for row in table.to_dict("records"):
        claim = claims[row["claim"]]
        if claim.published is None or (row["row"] == CLAIM and row["verdict"] != NOT_TESTED):
            continue
        untested = row["row"] == CLAIM
        yield {str(name): value for name, value in row.items()} | {
            "claim": claim.slug, "where": claim.where, "unit": claim.published.unit,
            "published": claim.published.value if untested else row["published"],
            "ours": row["value"], "ours_error": row["error"], "n_runs": row["n"],
            "quantity": claim.statement if untested else row["quantity"],
            "verdict": OPEN if untested else row["verdict"],
        }  # fmt: skip


def markdown(table: pd.DataFrame) -> str:
    """The table as Markdown, numbers rounded for reading."""
    return as_markdown(table.drop(columns=["unit", "n_runs"]).fillna({"part": "", "reading": "", "remark": ""}))
