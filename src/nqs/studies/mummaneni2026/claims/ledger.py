"""All checks of the claims of Mummaneni and Sajjan (2026), and the rows of tableX1: the printed numbers among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nqs.analysis.facts import read_facts
from nqs.analysis.ledger.claim import Tables, read_claims
from nqs.analysis.ledger.printed import printed
from nqs.analysis.ledger.table import Check, ledger
from nqs.analysis.table_files import read
from nqs.runtime.job import Files
from nqs.studies.mummaneni2026.claims import exact, exponents, fractions, patterns, training, units

STUDY = "mummaneni2026"
CHECKS: Mapping[str, Check] = {
    **exact.CHECKS,
    **training.CHECKS,
    **units.CHECKS,
    **patterns.CHECKS,
    **fractions.CHECKS,
    **exponents.CHECKS,
}


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Every number of the paper beside ours, from the tables of the study's other targets; settings: scale."""
    claims = [claim for claim in read_claims(files["claims"][0]).values() if claim.study == STUDY]
    tables = Tables({path.stem: read([path]) for path in files["table"]}, read_facts(files["published"][0]))
    return printed(ledger(claims, CHECKS, tables, settings["scale"]), claims)
