"""How well a number tells two kinds apart: the receiver operating characteristic."""

from __future__ import annotations

import numpy as np


def curve(score: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """False alarms and hits for every threshold of a score (n,), high for wrong (n,) bool, and the area below.

    Equal scores share a threshold; NaN counts as low, infinity as highest. The area is NaN where one kind is missing.
    """
    score = np.nan_to_num(score, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    thresholds = np.append(np.inf, np.unique(score)[::-1])
    n_wrong, n_right = int(wrong.sum()), int((~wrong).sum())
    if not n_wrong or not n_right:
        return np.array([0.0, 1.0]), np.array([0.0, 1.0]), float("nan")
    hits = np.array([(score[wrong] >= level).sum() for level in thresholds]) / n_wrong
    alarms = np.array([(score[~wrong] >= level).sum() for level in thresholds]) / n_right
    hits, alarms = np.append(0.0, hits), np.append(0.0, alarms)
    return alarms, hits, float(np.trapezoid(hits, alarms))
