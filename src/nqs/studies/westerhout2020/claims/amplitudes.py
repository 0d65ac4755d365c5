"""Claims about amplitudes beside signs: Figs. 5, S2, S3, S6."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below
from nqs.studies.westerhout2020.claims.curves import Curve, average, combined, difference
from nqs.studies.westerhout2020.claims.dips import depth
from nqs.studies.westerhout2020.claims.rises import has_risen, rise
from nqs.studies.westerhout2020.claims.selection import (
    LATTICES,
    READINGS,
    against_j2,
    against_size,
    complete,
    inside,
    outside,
)

DECENT, POOR, DEEP = 0.6, 0.2, 0.7  # overlaps; J2/J1 from which kagome is deep in the frustrated region
MUCH = 3  # by how much more signs fall than amplitudes
JUMP = 0.2  # change of an overlap per tenth of a decade
NON_ZERO = 0.2


def _pair(tables: Tables, lattice: str, n_sites: int = 24) -> tuple[Curve, Curve]:
    """Amplitudes and signs of dense2 against J2, on the J2 that both have."""
    amplitude, sign = (against_j2(tables, lattice, target=target, n_sites=n_sites) for target in ("amplitude", "sign"))
    return amplitude.common(sign.x), sign.common(amplitude.x)


def amplitudes_easier(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Amplitudes minus signs in the frustrated region of kagome."""
    amplitude, sign = _pair(tables, "kagome")
    within = inside(amplitude, "kagome")
    if len(within):
        ordered = difference(outside(amplitude, "kagome"), outside(sign, "kagome")).value
        remark = f"outside {ordered:.3f}" if np.isfinite(ordered) else ""
        yield above("amplitude - sign overlap, frustrated", difference(within, inside(sign, "kagome")), 0.0, remark)


def both_drop_sign_more(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Falls from the last J2 before the crossing to the first at 0.525 or beyond."""
    amplitude, sign = _pair(tables, "kagome")
    drops = [_drop(one) for one in (amplitude, sign)]
    if drops[0] is None or drops[1] is None:
        return
    yield above("fall of amplitudes", drops[0], 0.0, part="amplitudes")
    yield above("fall of signs", drops[1], 0.0, part="signs")
    excess = combined([(1.0, drops[1]), (-float(MUCH), drops[0])])
    yield above(f"fall of signs - {MUCH} falls of amplitudes", excess, 0.0, part="signs more")


def _drop(curve: Curve) -> Estimate | None:
    """Overlap at J2 = 0.5 (or 0.48) minus that at 0.53 (or 0.525)."""
    before = [one for j2 in (0.5, 0.48) if (one := curve.at(j2))]
    after = [one for j2 in (0.53, 0.525) if (one := curve.at(j2))]
    return combined([(1.0, before[0]), (-1.0, after[0])]) if before and after else None


def signs_too_poor_deep(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Mean overlap of the signs from J2 = 0.7 to 1."""
    curve = against_j2(tables, "kagome").within(DEEP, 1.0)
    if len(curve):
        remark = ", ".join(f"{mean:.2f} at {j2:g}" for j2, mean in zip(curve.x, curve.mean, strict=True))
        yield below("mean sign overlap, J2 = 0.7 to 1", average(curve), POOR, remark)


def amplitudes_decent_deep(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Overlap of the amplitudes at J2 = 1."""
    found = against_j2(tables, "kagome", target="amplitude").at(1.0)
    if found:
        printed = claim.published.value["J2_1.0"] if claim.published else ""
        yield above("amplitude overlap at J2 = 1", found, DECENT, f"published {printed}")


def both_dip_sign_harder_s2(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Dips of both, and amplitudes minus signs in the frustrated region, on square and triangle."""

    def each() -> Iterator[Evidence]:
        for lattice in ("square", "triangle"):
            amplitude, sign = _pair(tables, lattice)
            depths = {"signs": depth(sign, lattice), "amplitudes": depth(amplitude, lattice)}
            for name, found in depths.items():
                if found:
                    yield above("depth of the dip", found, 0.0, part=f"{lattice}, {name}")
            yield from _harder(amplitude, sign, lattice)

    yield from complete(each(), ("square", "triangle"), "amplitudes and signs")


def spins30_signs_harder(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Amplitudes minus signs in the frustrated regions at 30 spins."""
    found = (one for lattice in LATTICES for one in _harder(*_pair(tables, lattice, 30), lattice))
    yield from complete(found, LATTICES, "frustrated J2")


def _harder(amplitude: Curve, sign: Curve, lattice: str) -> Iterator[Evidence]:
    within = inside(amplitude, lattice)
    if len(within):
        excess = difference(within, inside(sign, lattice))
        yield above("amplitude - sign overlap, frustrated", excess, 0.0, part=f"{lattice}, difference")


def amplitude_smooth_in_eps(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Largest change per tenth of a decade of fitted logistics, and whether it is below half that of the signs.

    The change is height over width, up to a factor, so that the products of the other's height and width compare it.
    """
    for metric in READINGS:
        signs = against_size(tables, "kagome", 24, metric=metric)
        for j2, curve in against_size(tables, "kagome", 24, "amplitude", metric).items():
            slow = rise(curve)
            fast = rise(signs[j2]) if j2 in signs and has_risen(signs[j2]) else None
            if slow and fast:
                where = f"J2 = {j2:g}"
                yield below("change per 0.1 decade", slow.steepest, JUMP, part=where, reading=metric)
                excess = combined([(fast.top, slow.width), (-2 * slow.top, fast.width)])
                yield above(
                    "height x width, signs x amplitudes - twice amplitudes x signs", excess, 0.0,
                    f"changes {slow.steepest.value:.2f}, {fast.steepest.value:.2f}", part=f"{where}, signs",
                    reading=metric,
                )  # fmt: skip


def amplitude_nonzero_small_sets(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Overlap of the amplitudes on the smallest training sets, at every J2."""
    for metric in READINGS:
        for j2, curve in against_size(tables, "kagome", 24, "amplitude", metric).items():
            remark = f"eps = {curve.x[0]:g}"
            yield above("amplitude overlap", curve.point(0), NON_ZERO, remark, part=f"J2 = {j2:g}", reading=metric)
