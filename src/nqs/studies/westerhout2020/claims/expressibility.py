"""Claims about what networks can represent, however they are trained: Fig. 2, dashed lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below
from nqs.studies.westerhout2020.claims.curves import Curve
from nqs.studies.westerhout2020.claims.selection import (
    EXPRESSIBILITY,
    GENERALISATION,
    LATTICES,
    against_j2,
    against_size,
    complete,
    points,
)

REPRESENTED = 0.94  # overlap over the whole basis


def expressibility_floor(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Signs of dense2 trained on the whole state: smallest overlap over J2, per lattice."""

    def each() -> Iterator[Evidence]:
        for lattice in LATTICES:
            curve = against_j2(tables, lattice, series=EXPRESSIBILITY, metric="full")
            if len(curve):
                yield _floor(curve, lattice)

    yield from complete(each(), LATTICES, "network trained on the whole state")


def _floor(curve: Curve, lattice: str) -> Evidence:
    """One network above the bound shows that there is one; below it, errors decide."""
    place = int(np.argmin(curve.mean))
    worst = curve.point(place)
    words = f"at J2 = {curve.x[place]:g} of {len(curve)} couplings"
    worst = Estimate(worst.value) if worst.value > REPRESENTED else worst
    return above("smallest overlap over the whole basis", worst, REPRESENTED, words, part=lattice)


def expressive_but_not_generalizing(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """On kagome, states that some dense2 represents and others, of small training sets, do not generalise to."""

    def each() -> Iterator[Evidence]:
        able = {j2 for j2, one in represented(tables, "kagome", "sign").items() if one.value >= REPRESENTED}
        poor = against_j2(tables, "kagome").within(0.53, 2.0).common(np.array(sorted(able)))
        if len(poor):
            place = int(np.argmin(poor.mean))
            remark = f"J2 = {poor.x[place]:g}, eps = 0.01"
            yield below("overlap on unseen states", poor.point(place), 0.5, remark, part="frustrated")
        small = against_size(tables, "kagome", 24).get(0.4)
        if small and 0.4 in able:
            remark = f"J2 = 0.4, eps = {small.x[0]:g}"
            yield below("overlap on unseen states", small.point(0), 0.2, remark, part="ordered")

    yield from complete(each(), ("frustrated", "ordered"), "state represented at 0.94 and learned from a sample")


def amplitudes_expressible(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Best overlap over the whole basis at every J2, over all networks of amplitudes; a lower bound."""

    def each() -> Iterator[Evidence]:
        for lattice in ("kagome", "square"):
            best = represented(tables, lattice, "amplitude")
            if best:
                yield reached(best, lattice)

    yield from complete(each(), ("kagome", "square"), "network of amplitudes")


def represented(tables: Tables, lattice: str, target: str) -> dict[float, Estimate]:
    """Largest mean overlap over the whole basis that dense2 reached, by J2/J1, however it was trained."""
    rows = points(tables, lattice=lattice, n_sites=24, network="dense2", target=target)
    if "overlap_full_mean" not in rows:
        return {}
    rows = rows[rows.series.isin((GENERALISATION, EXPRESSIBILITY))].dropna(subset=["overlap_full_mean"])
    best = rows.sort_values("overlap_full_mean").drop_duplicates("j2_over_j1", keep="last").sort_values("j2_over_j1")
    columns = (best.j2_over_j1, best.overlap_full_mean, best.overlap_full_sem, best.n_members)
    return {float(j2): Estimate(float(mean), float(sem), int(n)) for j2, mean, sem, n in zip(*columns, strict=True)}


def reached(best: dict[float, Estimate], part: str) -> Evidence:
    """Evidence that every state was represented: by a network that did so, exactly; else open, as others might."""
    j2, worst = min(best.items(), key=lambda item: item[1].value)
    found = above("smallest overlap over the whole basis", Estimate(worst.value), REPRESENTED, part=part)
    words = f"at J2 = {j2:g} of {len(best)} couplings"
    if worst.value > REPRESENTED:
        return found.named(remark=words)
    return replace(
        found, p_holds=1.0, p_fails=1.0, distance=np.nan, remark=f"{words}; a lower bound, training may end early"
    )
