"""Claims about signs against J2/J1 on 24 spins: dips and falls, Fig. 2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import inf

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, near, true
from nqs.analysis.ledger.verdict import INCONCLUSIVE, NOT_TESTED, judge
from nqs.studies.westerhout2020.claims.curves import (
    Curve,
    average,
    combined,
    derived,
    minimum,
    steepest_fall,
)
from nqs.studies.westerhout2020.claims.selection import (
    FRUSTRATED,
    LATTICES,
    absent,
    against_j2,
    complete,
    inside,
    outside,
)
from nqs.studies.westerhout2020.tables.crossings import crossings

SHOULDERS = {"square": ((0.2, 0.3), (0.7, 0.75)), "triangle": ((0.2, 0.6),)}  # J2/J1 beside the dip
DIP = {"square": (0.4, 0.6), "triangle": (0.8, 1.6)}
TRANSITION = {"square": 0.5, "triangle": 1.25, "kagome": 0.51}
TOLERANCE = {"square": 0.1, "triangle": 0.05, "kagome": 0.05}  # square: anywhere in the window
DEEP = 0.1  # depth of a dip
FINE = 0.03  # spacing of J2 on which smoothness can be seen
NEAR_DROP = 0.02
EDGES = {"lower": (0.3, 0.7), "upper": (1.5, 2.0)}  # J2/J1 about those of the kagome model
DENSE = ("dense1", "dense2")
NETWORKS = (*DENSE, "cnn")


def frustration_degrades_generalization(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Mean overlap outside minus inside the frustrated region; dense2 on all lattices, and other networks there are."""
    yield from complete(_losses(tables, NETWORKS), [f"{lattice}, dense2" for lattice in LATTICES], "J2 in and out")


def _losses(tables: Tables, networks: Sequence[str]) -> Iterator[Evidence]:
    for lattice in LATTICES:
        for network in networks:
            curve = against_j2(tables, lattice, network)
            within, without = inside(curve, lattice), outside(curve, lattice)
            if len(within) and len(without):
                loss = combined([(1.0, average(without)), (-1.0, average(within))])
                yield above("mean overlap outside - inside", loss, 0.0, part=f"{lattice}, {network}")


def kagome_drop_location(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Where dense2 falls most steeply, and the part of the whole fall from 0.4 to 1 that happens there."""
    yield from _kagome_drop(tables, "dense2")


def _kagome_drop(tables: Tables, network: str) -> Iterator[Evidence]:
    curve = against_j2(tables, "kagome", network).within(0.4, 1.0)
    if len(curve) < 4 or not {0.4, 1.0} <= {*np.round(curve.x, 6)}:
        return
    fall = steepest_fall(curve)
    yield near("J2 of the steepest fall", fall, TRANSITION["kagome"], 0.01, NEAR_DROP, part="location")
    place = int(np.argmin(np.abs((curve.x[1:] + curve.x[:-1]) / 2 - fall.value)))
    share = derived(curve, lambda mean: float((mean[place] - mean[place + 1]) / (mean[0] - mean[-1])))
    remark = f"{curve.mean[place]:.2f} to {curve.mean[place + 1]:.2f}, J2 = 1: {curve.mean[-1]:.2f}"
    yield above("part of the fall from 0.4 to 1", share, 0.5, remark, part="sharpness")


def kagome_frustrated_window(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Crossings of the exact ground state of kagome24 near either edge; where there are several, each is a reading."""
    rows = tables["figX2"]
    rows = rows[rows.cluster == "kagome24"].sort_values("j2_over_j1")
    edges = {edge: _crossed(rows, *EDGES[edge]) for edge in EDGES}
    for edge, found in edges.items():
        window = "from {:g} to {:g}".format(*EDGES[edge])
        if found is None:
            yield absent(f"{edge} edge", f"four couplings {window}")
        elif not found:
            yield true(f"a crossing {window}", False, part=f"{edge} edge")
    lone = [edge for edge in EDGES if edges[edge] and not all(edges.values())]
    for edge in lone:
        yield from (_edge(edge, place, "") for place in edges[edge] or ())
    for places in product(edges["lower"] or (), edges["upper"] or ()):
        reading = " to ".join(f"{place.value:.4g}" for place in places)
        yield from (_edge(edge, place, reading) for edge, place in zip(EDGES, places, strict=True))


def _edge(edge: str, place: Estimate, reading: str) -> Evidence:
    published = FRUSTRATED["kagome"][edge == "upper"]
    return near("J2 of the crossing", place, published, tolerance=NEAR_DROP, part=f"{edge} edge", reading=reading)


def _crossed(rows: pd.DataFrame, low: float, high: float) -> list[Estimate] | None:
    """Crossings in a window, uniform between their neighbours; None if the grid has fewer than four couplings in it."""
    j2 = rows.j2_over_j1
    if ((j2 >= low) & (j2 <= high)).sum() < 4 or j2.min() > low or j2.max() < high:
        return None
    found = crossings(rows)
    found = found[(found.j2_crossing >= low) & (found.j2_crossing <= high)]
    places, errors = found.j2_crossing.to_numpy(float), found.half_width.to_numpy(float) / np.sqrt(3)
    return [Estimate(float(place), float(error)) for place, error in zip(places, errors, strict=True)]


def square_dip(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Depth, place and smoothness of the dip of both dense networks."""
    yield from complete((one for name in DENSE for one in _dip(tables, name)), DENSE, "dip of this network")


def _dip(tables: Tables, network: str) -> Iterator[Evidence]:
    curve = against_j2(tables, "square", network)
    deep = depth(curve, "square")
    if deep is None:
        return
    yield above("depth", deep, DEEP, part=f"{network}, depth")
    low, high = DIP["square"]
    yield near(
        "J2 of the minimum", minimum(curve), (low + high) / 2, tolerance=(high - low) / 2, part=f"{network}, place"
    )
    window = curve.within(low, high)
    if len(window) < 4 or np.diff(window.x).max() > FINE or deep.value <= 0:
        yield absent(f"{network}, smooth", f"spacing of J2 of {FINE:g}")
        return
    step = derived(window, lambda mean: float(max(0.0, -np.diff(mean).min())))
    yield below("largest drop over depth", step * (1 / deep.value), 0.5, part=f"{network}, smooth")


def depth(curve: Curve, lattice: str) -> Estimate | None:
    """Mean of the shoulders minus the minimum in the dip; without shoulders, of all points outside the dip."""
    low, high = DIP[lattice]
    dip = curve.within(low, high)
    masks = [(curve.x >= a - 1e-9) & (curve.x <= b + 1e-9) for a, b in SHOULDERS[lattice]]
    if not all(mask.any() for mask in masks):
        masks = [mask for mask in (curve.x < low - 1e-9, curve.x > high + 1e-9) if mask.any()]
    if not len(dip) or not masks or (lattice == "square" and len(masks) < 2):
        return None
    beside = average(curve.where(np.logical_or.reduce(masks)))
    return combined([(1.0, beside), (-1.0, dip.point(int(np.argmin(dip.mean))))])


def triangle_minimum_before_transition(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Where dense2, on which the paper concentrates, is lowest; the grid of J2 is part of the error."""
    curve = against_j2(tables, "triangle")
    if len(curve.within(0.8, 1.6)) >= 3:
        place = minimum(curve)
        yield below("J2 of the minimum", place, TRANSITION["triangle"], part="below the transition")
        yield above("J2 of the minimum", place, 0.8, part="only slightly")


def dip_locates_transition(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Minimum (square, triangle) or steepest fall (kagome) of dense2 against the transition."""

    def each() -> Iterator[Evidence]:
        for lattice in LATTICES:
            curve = against_j2(tables, lattice)
            if len(curve) >= 4:
                place = steepest_fall(curve) if lattice == "kagome" else minimum(curve)
                known = TRANSITION[lattice]
                yield near("J2 of the dip or fall", place, known, tolerance=TOLERANCE[lattice], part=lattice)

    yield from complete(each(), LATTICES, "curve of dense2")


def cnn_dip_smaller_square(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Half the depth of each dense network minus that of the CNN, on common J2."""
    yield from _shallower(tables, "square")


def cnn_dip_smaller_triangle(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The same on the triangular lattice."""
    yield from _shallower(tables, "triangle")


def _shallower(tables: Tables, lattice: str) -> Iterator[Evidence]:
    convolutional = against_j2(tables, lattice, "cnn")

    def each() -> Iterator[Evidence]:
        for network in DENSE:
            dense = against_j2(tables, lattice, network).common(convolutional.x)
            depths = depth(dense, lattice), depth(convolutional.common(dense.x), lattice)
            if depths[0] and depths[1]:
                remark = f"depths {depths[0].value:.3f} and {depths[1].value:.3f}"
                shallower = combined([(0.5, depths[0]), (-1.0, depths[1])])
                yield above("half the dense depth - depth of cnn", shallower, 0.0, remark, part=network)

    yield from complete(each(), DENSE, "dip of this network")


def statements_hold_for_dense_networks(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The verdicts on losses, dip and kagome drop with dense1 against those with dense2."""

    def each() -> Iterator[Evidence]:
        for name in ("loss", "square dip", "kagome drop"):
            found = {network: _statement(name, tables, network) for network in DENSE}
            if NOT_TESTED not in found.values():
                yield _same(name, found["dense1"], found["dense2"])

    yield from complete(each(), ("loss", "square dip", "kagome drop"), "dense1 beside dense2")


def _statement(name: str, tables: Tables, network: str) -> str:
    """The verdict on one statement, as made for one network."""
    checks = {"loss": lambda: _losses(tables, [network]), "square dip": lambda: _dip(tables, network)}
    return judge(list(checks.get(name, lambda: _kagome_drop(tables, network))())).verdict


def _same(name: str, one: str, other: str) -> Evidence:
    """Whether two verdicts are the same; open where one of them is."""
    remark = f"dense1: {one}, dense2: {other}"
    if INCONCLUSIVE in (one, other):
        return Evidence("verdicts", np.nan, part=name, remark=remark)
    equal = one == other
    return Evidence(
        "equal verdicts", float(equal), 0.0, p_holds=float(not equal), p_fails=float(equal),
        distance=0.0 if equal else inf, part=name, remark=remark,
    )  # fmt: skip
