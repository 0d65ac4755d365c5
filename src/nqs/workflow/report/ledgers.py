"""The claims of a study with what the ledger of a scale says about each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.analysis.ledger.claim import Claim
from nqs.analysis.ledger.table import CLAIM, COLUMNS
from nqs.analysis.ledger.verdict import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_REPRODUCED,
    NOT_TESTED,
    REPRODUCED,
    VERDICTS,
)
from nqs.runtime.tables import read_table
from nqs.workflow.report import numbers

NOT_JUDGED = "not judged yet"
ALL_VERDICTS = (*VERDICTS, NOT_JUDGED)
MARKS = dict(zip(ALL_VERDICTS, "✓✗≠?○…", strict=True))
MEANINGS = {
    REPRODUCED: "holds within two standard errors",
    NOT_REPRODUCED: "fails by more than two standard errors",
    CONTRADICTED: "cannot be true, by an exact argument",
    INCONCLUSIVE: "the error bars allow neither",
    NOT_TESTED: "the tables it needs do not exist at this scale",
    NOT_JUDGED: "no ledger of this study has been made",
}


@dataclass(frozen=True)
class Finding:
    """Numbers of one row of a ledger, as text."""

    verdict: str
    quantity: str = ""
    case: str = ""
    ours: str = ""
    published: str = ""
    n: str = ""
    distance: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim, its verdict with the numbers that decide it, and all evidence."""

    claim: Claim
    finding: Finding
    evidence: Sequence[Finding] = field(default=())

    @property
    def verdict(self) -> str:
        """One of ALL_VERDICTS."""
        return self.finding.verdict

    @property
    def published(self) -> str:
        """The printed value: as the ledger compares it, else as the list of claims has it."""
        if self.finding.published or self.claim.published is None:
            return self.finding.published
        return numbers.published(self.claim.published.value, self.claim.published.uncertainty)

    @property
    def unit(self) -> str:
        """Unit of the printed value."""
        return self.claim.published.unit if self.claim.published else ""


def judged(claims: Iterable[Claim], ledger: Path) -> list[Judged]:
    """The claims of one study with the rows of its ledger; not judged where there is no file or no row."""
    table = read_ledger(ledger) if ledger.exists() else pd.DataFrame(columns=list(COLUMNS))
    rows = {str(name): group for name, group in table.groupby("claim", sort=False)}
    return [one(claim, rows.get(claim.id)) for claim in claims]


def read_ledger(path: Path) -> pd.DataFrame:
    """A ledger as written by the workflow; BrokenFileError if it is none."""
    return read_table(path, COLUMNS)


def one(claim: Claim, rows: pd.DataFrame | None) -> Judged:
    """A claim with its rows, if there are any."""
    if rows is None:
        return Judged(claim, Finding(NOT_JUDGED))
    first, *others = (finding(row) for row in sorted(rows.to_dict("records"), key=lambda row: row["row"] != CLAIM))
    return Judged(claim, first, others)


def finding(row: Mapping[Any, Any]) -> Finding:
    """A row as text."""
    return Finding(
        verdict=str(row["verdict"]),
        quantity=words(row["quantity"]),
        case="; ".join(text for text in (words(row["part"]), words(row["reading"])) if text),
        ours=numbers.with_error(row["value"], row["error"]),
        published=numbers.published(row["published"], row["published_error"]),
        n=f"{int(row['n'])}" if numbers.is_number(row["n"]) and row["n"] else "",
        distance=numbers.distance(row["distance"]),
        remark=words(row["remark"]),
    )


def words(value: Any) -> str:
    """Text of a cell, empty where it holds none."""
    return "" if value is None or value != value else str(value)


def counts(claims: Iterable[Judged]) -> dict[str, int]:
    """Number of claims by verdict, in the order of ALL_VERDICTS, without zeros."""
    found = Counter(one.verdict for one in claims)
    return {verdict: found[verdict] for verdict in ALL_VERDICTS if found[verdict]}
