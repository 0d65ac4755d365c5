"""Claims about stochastic reconfiguration (Fig. 2, lower row), signs without Marshall's rule, and training sets."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, NoTable, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, near
from nqs.studies.westerhout2020.claims.clusters import marshall_free
from nqs.studies.westerhout2020.claims.curves import Curve, correlation
from nqs.studies.westerhout2020.claims.selection import LATTICES, VARIATIONAL, against_j2, complete, inside
from nqs.studies.westerhout2020.tables.critical_sizes import SMALLEST_ERROR
from nqs.studies.westerhout2020.tables.training_size import FOUND

FEWEST_SHARED = 4
LEARNED = 0.95
FEWEST_BATCHES = 4
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
    """Critical fractions on kagome24, J2 = 0.4: largest over smallest, and a batch that differs from both ends."""
    rows = tables["figX1"]
    if not {"series", "batch", "status", "critical_epsilon"} <= {*rows.columns}:
        raise NoTable("figX1 with critical sizes")
    rows = rows[(rows.series == "critical") & (rows.cluster == "kagome24") & np.isclose(rows.j2_over_j1, 0.4)]
    logs = _log_critical(rows)
    if len(logs) < FEWEST_BATCHES:
        raise NoTable(f"with critical sizes of {FEWEST_BATCHES} batches or more")
    values, errors = logs.value.to_numpy(float), logs.error.to_numpy(float)
    low, high = int(values.argmin()), int(values.argmax())
    span = Estimate(values[high] - values[low], float(np.hypot(errors[low], errors[high])), int(logs.n.min()))
    middle, width = (np.log10(5) + np.log10(20)) / 2, (np.log10(20) - np.log10(5)) / 2
    words = f"batches {logs.batch[low]:g} and {logs.batch[high]:g}: factor {10**span.value:.2f}"
    yield near("log10 of largest over smallest", span, middle, tolerance=width, part="size", remark=words)
    yield _turns(logs)


def _log_critical(rows: pd.DataFrame) -> pd.DataFrame:
    """log10 of the critical fractions found, with errors from their intervals, by batch."""
    found = rows[rows.status == FOUND].sort_values("batch").reset_index(drop=True)
    value = np.log10(found.critical_epsilon)
    ends = [np.log10(found[f"critical_epsilon_{end}"].fillna(found.critical_epsilon)) for end in ("low", "high")]
    error = ((ends[1] - ends[0]) / 2).clip(lower=SMALLEST_ERROR / np.log(10))
    return pd.DataFrame({"batch": found.batch, "value": value, "error": error, "n": found.n_members})


def _turns(logs: pd.DataFrame) -> Evidence:
    """The interior batch that differs most from both ends in one direction, by the less certain of its two steps."""
    values, errors, numbers = (logs[name].to_numpy(float) for name in ("value", "error", "n"))
    steps = np.stack([values[1:-1] - values[end] for end in (0, -1)])  # (end, interior)
    widths = np.stack([np.hypot(errors[1:-1], errors[end]) for end in (0, -1)])
    scores = np.stack([(sign * steps / widths).min(axis=0) for sign in (1, -1)])  # (direction, interior)
    direction, place = np.unravel_index(np.argmax(scores), scores.shape)
    signed = (1, -1)[direction] * steps[:, place]
    end = int(np.argmin(signed / widths[:, place]))
    step = Estimate(float(signed[end]), float(widths[end, place]), int(numbers.min()))
    words = f"batch {logs.batch.iloc[int(place) + 1]:g}"
    return above("step of log10 from both ends", step, 0.0, words, part="non-monotonic")
