"""Claims about stochastic reconfiguration (Fig. 2, lower row) and about signs without Marshall's rule."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

import numpy as np

from nqs.analysis.ledger.claim import Claim, NoTable, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above
from nqs.studies.westerhout2020.claims.clusters import marshall_free
from nqs.studies.westerhout2020.claims.curves import Curve, correlation
from nqs.studies.westerhout2020.claims.selection import LATTICES, VARIATIONAL, against_j2, complete, inside

FEWEST_SHARED = 4
LEARNED = 0.95
DRAWN_AT = (0.4, 0.6)  # J2/J1
REFERENCE, UNIFORM_STATES = "reference", "uniform states"  # rows of Table X1


def sr_tracks_generalization(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Rank correlation over J2 of signs learned from samples and states found by energy, 24 spins, per lattice."""

    def each() -> Iterator[Evidence]:
        for lattice in LATTICES:
            learned = against_j2(tables, lattice)
            found = against_j2(tables, lattice, series=VARIATIONAL, metric="full")
            learned, found = learned.common(found.x), found.common(learned.x)
            if len(found) >= FEWEST_SHARED:
                remark = _within(learned, found, lattice)
                yield above("rank correlation over J2", _ranked(learned, found), 0.0, remark, part=lattice)

    yield from complete(each(), LATTICES, "four shared J2")


def _within(learned: Curve, found: Curve, lattice: str) -> str:
    """The same correlation in the frustrated region alone."""
    one, other = inside(learned, lattice), inside(found, lattice)
    if len(one) < FEWEST_SHARED:
        return ""
    return f"frustrated region: {correlation(one, other, ranked=True).value:.2f}"


def _ranked(one: Curve, other: Curve) -> Estimate:
    """Spearman's, with the errors of both curves and the spread of unrelated curves of as many points."""
    found = correlation(one, other, ranked=True)
    return Estimate(found.value, hypot(found.error, 1 / np.sqrt(len(one) - 1)))


def sign_learned_without_marshall(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Overlap of signs at J2 = 0 on the square lattice, and that the basis has a sign problem."""
    found = against_j2(tables, "square").at(0.0)
    if found:
        yield above("overlap at J2 = 0", found, LEARNED, part="learned")
        yield from marshall_free()


def psi2_sampling_beats_uniform(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Overlap over the whole basis: training sets from |psi|^2 minus uniform ones, kagome24, J2 = 0.4 and 0.6."""
    if "tableX1" not in tables:
        raise NoTable("tableX1")
    rows = tables["tableX1"]
    rows = rows[(rows.cluster == "kagome24") & (rows.network == "dense2") & np.isclose(rows.epsilon_train, 0.01)]

    def each() -> Iterator[Evidence]:
        for j2 in DRAWN_AT:
            here = rows[np.isclose(rows.j2_over_j1, j2)].set_index("variation")
            if {REFERENCE, UNIFORM_STATES} <= {*here.index}:
                values = here.loc[[REFERENCE, UNIFORM_STATES]]
                columns = (values.overlap_full_mean, values.overlap_full_sem, values.n_members)
                one, other = (Estimate(float(x), float(se), int(n)) for x, se, n in zip(*columns, strict=True))
                unseen = " and ".join(f"{value:.3f}" for value in values.overlap_rest_mean)
                yield above("gain in overlap", one - other, 0.0, f"unseen states: {unseen}", part=f"J2 = {j2:g}")

    yield from complete(each(), [f"J2 = {j2:g}" for j2 in DRAWN_AT], "uniform draws")


def batch_size_matters(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Needs critical fractions for several batch sizes; only one batch is scanned."""
    raise NoTable("of training-set sizes scanned with several batches")
