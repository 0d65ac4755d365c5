"""Verdicts on the claims of a study, from its archived tables alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from nqs.analysis.ledger.claim import ARCHIVE
from nqs.analysis.ledger.table import ledger_of, verdicts
from nqs.analysis.ledger.verdict import VERDICTS
from nqs.runtime.job import function
from nqs.studies.protocol import Study

Counts = dict[str, int]  # verdict -> number of claims, in the order of VERDICTS


def archived_verdicts(project: Path, study: Study) -> dict[str, Counts]:
    """Counts by target, <study>_<target>; empty for a study that judges no claims."""
    if not study.claims:
        return {}
    names = {table for name, target in study.targets.items() for table in target.tables(name).values()}
    folder, reference = project / "archive" / "paper" / study.name, project / "reference"
    files = {
        "table": [path for path in sorted(folder.glob("*.csv")) if path.stem in names],
        "claims": [reference / "claims.yaml"],
    }
    published = function(study.read)(reference / study.published) if study.read else {}
    judged, listed = ledger_of(study.name, function(study.claims), files, published, ARCHIVE)
    table = verdicts(judged)
    target = {claim.id: claim.target for claim in listed}
    found = Counter(
        (target[str(claim)], str(verdict)) for claim, verdict in zip(table.claim, table.verdict, strict=True)
    )
    return {
        name: {verdict: found[name, verdict] for verdict in VERDICTS if found[name, verdict]}
        for name in dict.fromkeys(target.values())
    }


def added(counts: dict[str, Counts]) -> Counts:
    """Counts of all targets together."""
    total = Counter[str]()
    for one in counts.values():
        total.update(one)
    return {verdict: total[verdict] for verdict in VERDICTS if total[verdict]}


def in_words(counts: Counts) -> str:
    """Counts as a reader sees them: 3 reproduced, 1 inconclusive."""
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
