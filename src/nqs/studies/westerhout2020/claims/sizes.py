"""Claims about how signs generalise with the size of the training set: Figs. 3, S1, S5, S7."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, log10

import numpy as np
from scipy.stats import chi2

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below
from nqs.studies.westerhout2020.claims.curves import Curve, combined
from nqs.studies.westerhout2020.claims.rises import (
    HALF,
    Critical,
    critical,
    has_risen,
    median,
    rise,
    rises,
    slope,
)
from nqs.studies.westerhout2020.claims.selection import (
    READINGS,
    absent,
    against_size,
    complete,
    named,
    weights,
)
from nqs.studies.westerhout2020.tables.training_size import THRESHOLD

ABRUPT = 0.5  # decades
SHARP = 0.7
SAME = 1.5  # factor within which critical fractions count as equal
RESOLVED = 0.1  # decades, error of a critical fraction that would show such a factor
SATURATED = 0.2  # slope over the last third of the sizes, in units of the largest
CEILING = 0.98
GAIN = 0.1  # most that the last third of the sizes adds on a plateau
ALL_OF_WEIGHT = 0.9  # held by training sets that leave nothing to test on


def abrupt_threshold_kagome(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Widths of complete rises of the signs: below half a decade, and below half of the amplitudes' width."""
    for metric in READINGS:
        signs = rises(against_size(tables, "kagome", 24, metric=metric))
        amplitudes = against_size(tables, "kagome", 24, "amplitude", metric)
        for j2, found in signs.items():
            where = f"J2 = {j2:g}"
            yield below("width of the rise (decades)", found.width, ABRUPT, part=where, reading=metric)
            slow = rise(amplitudes[j2]) if j2 in amplitudes else None
            if slow is None:
                yield absent(f"{where}, amplitudes", "rise of the amplitudes", metric)
            else:
                excess = combined([(1.0, slow.width), (-2.0, found.width)])
                yield above(
                    "width of amplitudes - 2 width of signs", excess, 0.0, part=f"{where}, amplitudes", reading=metric
                )


def kagome_reasonable_generalization_at_0p6(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Overlap at J2 = 0.6 and eps = 0.01."""
    for metric in READINGS:
        curve = against_size(tables, "kagome", 24, metric=metric).get(0.6)
        if curve and (found := curve.at(0.01)):
            yield above("overlap at eps = 0.01", found, 0.5, reading=metric)


def kagome_eps_grows_with_frustration(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """log10 eps* at J2 = 0.6 minus 0.4, and at 1.0 minus 0.6."""
    for metric in READINGS:
        found = _criticals(against_size(tables, "kagome", 24, metric=metric))
        for low, high in ((0.4, 0.6), (0.6, 1.0)):
            if low in found and high in found and not found[low].beyond:
                beyond = f"eps* at {high:g} lies beyond the sizes" if found[high].beyond else ""
                shift = combined([(1.0, found[high].log), (-1.0, found[low].log)])
                yield above("log10 ratio of eps*", shift, 0.0, beyond, part=f"{high:g} to {low:g}", reading=metric)


def _criticals(curves: dict[float, Curve], threshold: float = HALF) -> dict[float, Critical]:
    found = {j2: critical(one, threshold) for j2, one in curves.items()}
    return {j2: one for j2, one in found.items() if one is not None}


def sharp_transition_square_triangle(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Median width over J2, per lattice at 24 spins."""
    yield from _sharp(tables, 24, ("square", "triangle"))


def spins30_abrupt(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Median width over J2, per lattice at 30 spins."""
    yield from _sharp(tables, 30, ("square", "triangle", "kagome"))


def _sharp(tables: Tables, n_sites: int, lattices: tuple[str, ...]) -> Iterator[Evidence]:
    def each() -> Iterator[Evidence]:
        for metric in READINGS:
            for lattice in lattices:
                found = rises(against_size(tables, lattice, n_sites, metric=metric))
                if found:
                    width = median([one.width for one in found.values()])
                    remark = "J2 = " + ", ".join(f"{j2:g}" for j2 in found)
                    yield below("median width (decades)", width, SHARP, remark, part=lattice, reading=metric)

    yield from complete(each(), lattices, "complete rise")


def sharp_transition_32_36(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Width of every rise on the square lattice; one that the sizes do not cover is open."""
    curves = {
        (n_sites, metric): against_size(tables, "square", n_sites, metric=metric)
        for n_sites in (32, 36)
        for metric in READINGS
    }
    if not any(has_risen(one) for part in curves.values() for one in part.values()):
        return
    for (n_sites, metric), part in curves.items():
        for name, one in named(part):
            where = f"{n_sites} spins, {name}"
            found = rise(one) if has_risen(one) else None
            if found is None:
                yield absent(where, "complete rise", metric)
            else:
                yield below("width (decades)", found.width, SHARP, part=where, reading=metric)


def square_eps_independent_of_j2(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Chi-square of log10 eps* against one value, and the largest ratio; for overlaps of 0.5 and 0.15."""
    for metric in READINGS:
        for threshold in (HALF, THRESHOLD):
            found = _criticals(against_size(tables, "square", 24, metric=metric), threshold)
            if len(found) < 3 or any(one.beyond for one in found.values()):
                continue
            reading = f"{metric}, overlap {threshold:g}"
            logs = [one.log for one in found.values()]
            remark = ", ".join(f"{10**one.log.value:.4f} at {j2:g}" for j2, one in found.items())
            yield _constant(logs, remark, reading)
            yield _spread(logs, reading)


def _constant(logs: list[Estimate], remark: str, reading: str) -> Evidence:
    """Chi-square test that values are equal."""
    values, errors = np.array([one.value for one in logs]), np.array([one.error for one in logs])
    mean = np.average(values, weights=errors**-2.0)
    p = float(chi2.sf((((values - mean) / errors) ** 2).sum(), len(logs) - 1))
    return Evidence(
        "p of one eps* for all J2", p, n=len(logs), published="> 0.0455", p_fails=p, compared=True,
        distance=float(chi2.isf(p, 1)) ** 0.5 if p else inf, resolved=bool(errors.max() <= RESOLVED),
        part="chi-square", reading=reading, remark=remark,
    )  # fmt: skip


def _spread(logs: list[Estimate], reading: str) -> Evidence:
    """Largest against smallest critical fraction."""
    low, high = min(logs, key=lambda one: one.value), max(logs, key=lambda one: one.value)
    ratio = combined([(1.0, high), (-1.0, low)])
    return below("log10 of the largest ratio of eps*", ratio, log10(SAME), part="ratio", reading=reading)


def triangle_kagome_eps_grows(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Slope of log10 eps* against J2; an eps* beyond the sizes enters as their largest, which lowers the slope."""

    def each() -> Iterator[Evidence]:
        for metric in READINGS:
            for lattice in ("triangle", "kagome"):
                found = _criticals(against_size(tables, lattice, 24, metric=metric))
                if len(found) < 3:
                    continue
                rate = slope(np.array(list(found)), [_with_floor(one) for one in found.values()])
                beyond = ", ".join(f"{j2:g}" for j2, one in found.items() if one.beyond)
                remark = f"beyond the sizes at J2 = {beyond}" if beyond else ""
                yield above("slope of log10 eps* against J2", rate, 0.0, remark, part=lattice, reading=metric)

    yield from complete(each(), ("triangle", "kagome"), "critical sizes at three J2")


def _with_floor(one: Critical) -> Estimate:
    """A bound gets the error of a coarse grid, lest it decide alone."""
    return Estimate(one.log.value, 0.05, one.log.n) if one.beyond else one.log


def spins30_smaller_fraction(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """eps* of 30 spins over that of 24, at equal lattice and J2."""

    def each() -> Iterator[Evidence]:
        for metric in READINGS:
            for lattice in ("square", "triangle", "kagome"):
                small, large = (_criticals(against_size(tables, lattice, n, metric=metric)) for n in (24, 30))
                for j2 in sorted(small.keys() & large.keys()):
                    if not small[j2].beyond and not large[j2].beyond:
                        ratio = combined([(1.0, large[j2].log), (-1.0, small[j2].log)])
                        where = f"{lattice}, J2 = {j2:g}"
                        yield below("log10 eps*(30) / eps*(24)", ratio, log10(0.5), part=where, reading=metric)

    yield from complete(each(), ("square", "triangle", "kagome"), "critical size of both")


def plateau_in_larger_systems(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """What the last third of the sizes (in logarithms) still adds, on curves that rose before and stay below 1."""
    for metric in READINGS:
        for lattice, n_sites in (("square", 30), ("triangle", 30), ("kagome", 30), ("square", 32), ("square", 36)):
            for name, one in named(against_size(tables, lattice, n_sites, metric=metric)):
                if rest := _after_the_rise(one):
                    where = f"{lattice}{n_sites}, {name}"
                    remark = f"overlap {one.mean[-1]:.2f}"
                    ratio, gain = _levelling(one, rest)
                    yield below("last slope over largest", ratio, SATURATED, remark, part=where, reading=metric)
                    yield below("gain over last third of sizes", gain, GAIN, part=f"{where}, gain", reading=metric)


def _after_the_rise(curve: Curve) -> Curve | None:
    """The sizes of the last third in log10, if the curve rose before them and ends below 1; None below three."""
    x = np.log10(curve.x)
    rest = curve.where(x >= x[-1] - (x[-1] - x[0]) / 3 - 1e-9)
    risen = has_risen(curve) and rest.mean[0] >= HALF * curve.mean[-1] and curve.mean[-1] < CEILING
    return rest if risen and len(rest) >= 3 else None


def _levelling(curve: Curve, rest: Curve) -> tuple[Estimate, Estimate]:
    """Slope over the last sizes in units of the largest between neighbours, and what it adds to the overlap."""
    x = np.log10(rest.x)
    steepest = float((np.diff(curve.mean) / np.diff(np.log10(curve.x))).max())
    flat = slope(x, rest.points())
    return flat * (1 / steepest), flat * float(x[-1] - x[0])


def plateau_hidden_at_24(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Where a plateau below 1 does show at 24 spins: the weight that the training sets hold at its end."""
    for lattice in ("kagome", "square"):
        for j2, one in against_size(tables, lattice, 24).items():
            held, rest = weights(tables, lattice, j2), _after_the_rise(one)
            if rest is None or not len(held):
                continue
            ratio, gain = _levelling(one, rest)
            if below("", ratio, SATURATED).holds(1) and below("", gain, GAIN).holds(1):
                weight = Estimate(float(held.sample_weight_mean.iloc[-1]))
                remark = f"overlap {rest.mean[0]:.2f} to {rest.mean[-1]:.2f} from eps = {rest.x[0]:g} on"
                where = f"{lattice}, J2 = {j2:g}"
                yield above("weight of the training set", weight, ALL_OF_WEIGHT, remark, part=where)
