"""All checks of the claims of Mummaneni and Sajjan (2026), and the rows of tableX1: the printed numbers among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nqs.analysis.facts import read_facts
from nqs.analysis.ledger.printed import printed
from nqs.analysis.ledger.table import Check, ledger_of
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
    published = read_facts(files["published"][0])
    return printed(*ledger_of(STUDY, CHECKS, files, published, settings["scale"]))
