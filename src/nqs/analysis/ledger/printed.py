"""The printed numbers of a source beside ours: a view of the ledger."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim
from nqs.analysis.ledger.table import CLAIM, EVIDENCE
from nqs.analysis.ledger.verdict import NOT_TESTED
from nqs.runtime.markdown import markdown as as_markdown

COLUMNS = (
    "claim", "where", "quantity", "part", "reading", "unit", "published", "published_error", "ours", "ours_error",
    "n_runs", "verdict", "distance", "remark",
)  # fmt: skip


def printed(table: pd.DataFrame, claims: Iterable[Claim]) -> pd.DataFrame:
    """Evidence rows of claims with a printed number, in COLUMNS; one row for such a claim that is not tested.

    table: as `ledger` makes it. n_runs: runs or points behind a value, 0 for exact numbers; distance: standard errors
    from what the claim allows.
    """
    stated = {claim.id: claim for claim in claims if claim.published is not None}
    untested = (table.row == CLAIM) & (table.verdict == NOT_TESTED)
    rows = table[table.claim.isin(stated) & ((table.row == EVIDENCE) | untested)]
    numbers = rows.rename(columns={"value": "ours", "error": "ours_error", "n": "n_runs"})
    behind = [stated[name] for name in rows.claim]
    none = numbers.verdict == NOT_TESTED
    numbers = numbers.assign(
        where=[claim.where for claim in behind],
        unit=[claim.published.unit if claim.published else "" for claim in behind],
        claim=[claim.slug for claim in behind],
        published=numbers.published.where(~none, [_value(claim) for claim in behind]),
        quantity=numbers.quantity.where(~none, [claim.statement for claim in behind]),
        distance=numbers.distance.astype(float).replace(np.inf, np.nan),
    )
    return numbers[list(COLUMNS)].reset_index(drop=True)


def _value(claim: Claim) -> str:
    """A printed value in words."""
    return str(claim.published.value) if claim.published else ""


def markdown(table: pd.DataFrame) -> str:
    """The table as Markdown, numbers rounded for reading."""
    return as_markdown(table.drop(columns=["claim", "unit"]).fillna({"part": "", "reading": "", "remark": ""}))
