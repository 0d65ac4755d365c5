"""tableX1: every number printed in Ju et al. (2025) beside ours, as the ledger of claims judges it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.analysis.facts import read_facts
from nqs.analysis.ledger.claim import Tables, read_claims
from nqs.analysis.ledger.printed import printed
from nqs.analysis.ledger.table import ledger
from nqs.analysis.table_files import read
from nqs.runtime.job import Files
from nqs.studies.ju2025.claims.ledger import CHECKS

STUDY = "ju2025"


def tableX1(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per piece of evidence for a claim with a printed number.

    files: table, the rows of all other targets; claims, the list of all studies; published, the paper's numbers;
    settings: scale.
    """
    published = read_facts(files["published"][0]) if files.get("published") else {}
    tables = Tables({Path(path).stem: read([path]) for path in files["table"]}, published)
    claims = [claim for claim in read_claims(Path(files["claims"][0])).values() if claim.study == STUDY]
    return printed(ledger(claims, CHECKS, tables, settings["scale"]), claims)
