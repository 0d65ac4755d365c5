"""Errors of means."""

from __future__ import annotations

import numpy as np
import pandas as pd


def standard_error(values: pd.Series) -> float:
    """std / sqrt(n); NaN for one value."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))
