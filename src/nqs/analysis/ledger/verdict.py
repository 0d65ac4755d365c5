"""One verdict for each claim, from all evidence about it.

The rule: readings are alternatives, parts of a reading are all needed. A claim is

    reproduced       if one reading holds in all its parts, each part at the level of two standard errors divided by the
                     number of readings (for printed numbers: agreement demanded at that many times the level, divided
                     by the number of parts)
    contradicted     if every reading has a part that cannot be true by an exact argument
    not reproduced   if every reading has a part that fails, at the level divided by the number of parts of the reading
    inconclusive     if the error bars allow neither
    not tested       without evidence: its tables do not exist at this scale
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nqs.analysis.ledger.evidence import Evidence

REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE = "reproduced", "not reproduced", "inconclusive"
CONTRADICTED, NOT_TESTED = "contradicted", "not tested at this scale"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_TESTED)
HOLDS, FAILS, IMPOSSIBLE, OPEN = "holds", "fails", "cannot be true", "open"


@dataclass(frozen=True)
class Verdict:
    """A verdict, the evidence that decides it (index, None without any), and why."""

    verdict: str
    decided_by: int | None = None
    remark: str = ""


def outcomes(found: Sequence[Evidence]) -> list[str]:
    """What each piece of evidence says, at the levels of the whole set."""
    n_readings = len({one.reading for one in found})
    n_parts = {reading: len([one for one in found if one.reading == reading]) for reading in {e.reading for e in found}}
    return [
        IMPOSSIBLE
        if one.impossible
        else FAILS
        if one.fails(n_parts[one.reading])
        else HOLDS
        if one.holds(n_readings, n_parts[one.reading])
        else OPEN
        for one in found
    ]


def judge(found: Sequence[Evidence]) -> Verdict:
    """The verdict by the rule of this module."""
    if not found:
        return Verdict(NOT_TESTED)
    said = outcomes(found)
    readings = {
        reading: [place for place, one in enumerate(found) if one.reading == reading]
        for reading in dict.fromkeys(one.reading for one in found)
    }
    for places in readings.values():
        if all(said[place] == HOLDS for place in places):
            return Verdict(REPRODUCED, max(places, key=lambda place: _doubt(found[place])))
    worst = {
        reading: max(
            (place for place in places if said[place] in (FAILS, IMPOSSIBLE)),
            key=lambda place: (said[place] == IMPOSSIBLE, _distance(found[place])),
            default=None,
        )
        for reading, places in readings.items()
    }
    failing = [place for place in worst.values() if place is not None]
    if len(failing) < len(readings):
        undecided = [place for place, outcome in enumerate(said) if outcome == OPEN]
        return Verdict(INCONCLUSIVE, undecided[0] if undecided else 0)
    nearest = min(failing, key=lambda place: _distance(found[place]))
    if all(said[place] == IMPOSSIBLE for place in failing):
        return Verdict(CONTRADICTED, nearest, found[nearest].impossible)
    return Verdict(NOT_REPRODUCED, nearest)


def _distance(one: Evidence) -> float:
    """Standard errors from what the claim allows, exact evidence farthest."""
    return one.distance if np.isfinite(one.distance) else np.inf


def _doubt(one: Evidence) -> tuple[float, float]:
    """How little holding evidence says: its weakest part decides."""
    return (1 - one.p_fails, one.distance) if one.compared else (one.p_holds, one.distance)
