"""Stage `motif-tables`: one tidy table per figure or table of Ju et al. (2025); a figure selects and draws, no more.

Each is made by the function of its name, `(files, settings) -> DataFrame`, in the module that `motif_table_inputs`
names; it is imported only when asked for, so that a target depends on its own module alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.analysis.table_files import Files
from nqs.runtime.errors import InputError
from nqs.runtime.files import atomic
from nqs.studies.ju2025.study import MODULES


def table_of(target: str, files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """The table behind a target; InputError for an unknown one, or from its function for files that are missing."""
    if target not in MODULES:
        raise InputError(f"unknown table '{target}'; known: {', '.join(MODULES)}")
    table: pd.DataFrame = getattr(import_module(f"nqs.studies.ju2025.{MODULES[target]}"), target)(files, settings)
    return table


def build(target: str, files: Files, settings: Mapping[str, Any], out: Path) -> None:
    """Write the table of one target."""
    table = table_of(target, files, settings)
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)
    print(f"{target}: {len(table)} rows in {out}")
