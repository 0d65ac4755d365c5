"""tableX1: every number printed in Ju et al. (2025) beside ours, as the ledger of claims judges it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nqs.analysis.facts import read_facts
from nqs.analysis.ledger.printed import printed
from nqs.analysis.ledger.table import ledger_of
from nqs.runtime.job import Files
from nqs.studies.ju2025.claims.ledger import CHECKS

STUDY = "ju2025"


def tableX1(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per piece of evidence for a claim with a printed number.

    files: table, the rows of all other targets; claims, the list of all studies; published, the paper's numbers;
    settings: scale.
    """
    published = read_facts(files["published"][0]) if files.get("published") else {}
    return printed(*ledger_of(STUDY, CHECKS, files, published, settings["scale"]))
