"""How long and where the networks behind a table trained; apart from the table, because it differs from run to run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.runtime.files import atomic


def training_cost(models: Sequence[Path]) -> dict[str, Any]:
    """Wall seconds of all networks in the tables of models, and the devices they trained on.

    Runs that had a core each are timed by its seconds, cpu_s.
    """
    tables = [pd.read_csv(path) for path in models]
    seconds = sum(float(table["wall_s" if "wall_s" in table else "cpu_s"].sum()) for table in tables)
    return {
        "training_wall_s": round(seconds, 2),
        "devices": sorted({name for table in tables for name in table.device.unique()}),
    }


def write(models: Sequence[Path], out: Path) -> None:
    """Write the cost as JSON."""
    with atomic(out) as temporary:
        temporary.write_text(json.dumps(training_cost(models)) + "\n")
