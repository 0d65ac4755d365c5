"""Claims of Ju et al. (2025), Secs. II and VI, about the grand sum, the exchange of up and down, and reflection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Evidence, below, exactly, mean, near, true
from nqs.analysis.ledger.table import Check
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.studies.ju2025.claims.select import each, groups, identities, select, within_factor
from nqs.studies.ju2025.tables.identity_ring import Ring

RANDOM_SEED = 0
SMALL_SUM, LARGE_SUM, SMALL_DIFFERENCE = 1e-3, 0.1, 1e-2
DRAWS = 2000  # of initial parameters
LAST = 0.9  # of the iterations: what comes after is the end
TRAINED = 500  # iterations, the published cap; the end of shorter runs is not compared
FACTOR_FIRST, DECADES_LAST = 2.0, 1.0
BROKEN = 1e-3  # difference of ln psi that a network without the condition has
RETAINED = 1e-10  # drift of the grand sum that counts as none


def grandsum_size(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Parameters that the grand sum depends on, and with v those of the networks of Fig. 3."""
    rows = select(tables["fig3"], "width n_parameters network")
    for row in each(rows[rows.network.isin(FORCINGS)].drop_duplicates("width")):
        width = int(row.width)
        family, part = ShallowCnn(2 * width, width), f"K = {width}"
        counted = sum(family.grand_sum(unit) != 0 for unit in np.eye(family.n_parameters))
        yield exactly("parameters in the grand sum", counted, 2 * width + 1, part=part)
        yield exactly("parameters of the network but v, Fig. 3", row.n_parameters - 1, 2 * width + 1, part=part)


def theorem1(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Random networks with and without the condition."""
    found = list(identities(tables, "theorem 1"))
    yield from found
    if found:
        for n_sites, width in ((8, 3), (8, 4), (12, 5), (12, 6)):
            with_it, without = (_exchange_difference(n_sites, width, symmetric) for symmetric in (True, False))
            part = f"N = {n_sites}, K = {width}"
            yield exactly("|ln psi(s) - ln psi(Ls)|, largest", with_it.max(), 0.0, 1e-12, part=part)
            other = float(without.max())
            words = "the same without the condition"
            yield true(words, other > BROKEN, other, published=f"> {BROKEN:g}", part=f"without, {part}")


def _exchange_difference(n_sites: int, width: int, symmetric: bool) -> np.ndarray:
    """Largest |ln psi(s) - ln psi(Ls)| of each random network."""
    ring = Ring(n_sites, width, RANDOM_SEED)
    logs = np.array([ring.network(theta) for theta in ring.random_networks("exchange", symmetric)])
    return np.abs(logs - logs[:, ring.flipped]).max(axis=1)


def difference_vanishes(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Differences of networks without forcing where their grand sum is small, and that there are any elsewhere."""
    rows = _unforced(tables, "relative_difference")
    size, difference = rows.grand_sum.abs(), rows.relative_difference.abs()
    small, large = difference[size < SMALL_SUM], difference[size > LARGE_SUM]
    if len(small) and len(large):
        quantity, remark = f"|difference| where |grand sum| < {SMALL_SUM:g}, largest", f"{len(small)} snapshots"
        yield true(
            quantity, small.max() < SMALL_DIFFERENCE, float(small.max()), published=f"< {SMALL_DIFFERENCE:g}",
            part="at zero", remark=remark,
        )  # fmt: skip
        quantity, remark = f"|difference| where |grand sum| > {LARGE_SUM:g}, largest", f"{len(large)} snapshots"
        yield true(
            quantity, large.max() > SMALL_DIFFERENCE, float(large.max()), published=f"> {SMALL_DIFFERENCE:g}",
            part="elsewhere", remark=remark,
        )  # fmt: skip


def _unforced(tables: Tables, columns: str) -> pd.DataFrame:
    """Kept parameters of networks without forcing whose psi is not constant."""
    columns = f"width run iteration grand_sum constant {columns}"
    rows = select(tables["fig2"], columns, series="snapshot", network="original")
    return rows[rows.constant.astype(float) == 0]


def grandsum_initial(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """|grand sum| of random initial parameters, and that the runs shown begin like them."""
    rows = select(tables["fig2"], "width seed grand_sum", series="snapshot", network="original", iteration=0)
    for width, same in groups(rows.drop_duplicates(["width", "seed"]), "width"):
        if claim.published:
            published, part = float(claim.published.value), f"K = {width:g}"
            drawn = mean(_initial_sums(int(width)))
            quantity, remark = "mean |grand sum| of random initial parameters", "standard deviation sqrt(4/3)"
            yield within_factor(quantity, drawn, published, FACTOR_FIRST, part=part, remark=remark)
            shown = mean(same.grand_sum.abs())
            quantity, remark = "mean |grand sum| of the runs at the start", f"published {published:g}"
            yield near(quantity, shown, drawn.value, resolution=published, part=f"runs, {part}", remark=remark)


def _initial_sums(width: int) -> list[float]:
    """|grand sum| of many random initial parameters."""
    family, rng = ShallowCnn(2 * width, width), np.random.default_rng(RANDOM_SEED)
    return [abs(family.grand_sum(family.initial(rng))) for _ in range(DRAWS)]


def grandsum_final(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """|grand sum| at the end of training without forcing, and its fall, both on a logarithmic scale.

    The paper shows several settings of the optimiser without naming them: each of ours is a reading. Runs that end at a
    constant psi are left out.
    """
    rows = _unforced(tables, "learning_rate steps")
    for (rate, steps), same in groups(rows[rows.grand_sum != 0], "learning_rate", "steps"):
        logs = [one for _, run in groups(same, "width", "run") if (one := _first_and_last(run))]
        if logs and claim.published:
            first, last = np.array(logs).T
            more: dict[str, Any] = {"reading": f"learning rate {rate:g}, {steps:g} step{'s' if steps > 1 else ''}"}
            remark = f"{len(logs)} runs, geometric mean {10 ** last.mean():.1e}"
            expected, quantity = float(np.log10(claim.published.value)), "log10 |grand sum|, last tenth"
            yield near(quantity, mean(last), expected, tolerance=DECADES_LAST, part="end", remark=remark, **more)
            yield below("log10 |grand sum|, end less start", mean(last - first), 0.0, part="falls", **more)


def _first_and_last(run: pd.DataFrame) -> tuple[float, float] | None:
    """log10 |grand sum| at the first iteration and at the end; None for a run that did not get there."""
    run = run.sort_values("iteration")
    if run.iteration.max() < TRAINED:
        return None
    logs = np.log10(run.grand_sum.abs())
    return float(logs.iloc[0]), float(logs[run.iteration >= LAST * run.iteration.max()].mean())


def reflection_via_flip(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Classes of Fig. 1 whose reflection is a shifted exchange of labels, and random networks of grand sum zero."""
    drawn = select(tables["fig1"], "spins state_class", series="exact")
    if drawn.empty:
        return
    alike = drawn[[_as_exchange(spins) for spins in drawn.spins]]
    whole = [name for name, one in groups(drawn, "state_class") if one.spins.isin(alike.spins).all()]
    found = "of " + ", ".join(drawn.spins[drawn.state_class == name].iloc[0] for name in whole)
    found += f"; {drawn.state_class.nunique()} classes in all"
    words = "classes whose reflection is an exchange of labels and a shift, but no shift"
    yield true(words, len(whole) > 0, len(whole), part="Fig. 1", remark=found)
    ring = Ring(8, 4, RANDOM_SEED)
    chosen = np.array([_as_exchange("".join("du"[bit] for bit in spins)) for spins in ring.spins])
    logs = np.array([ring.network(theta) for theta in ring.random_networks("reflection", symmetric=True)])
    apart = np.abs(logs - logs[:, ring.reflected])
    words = "|ln psi(Rs) - ln psi(s)| in them at grand sum zero, largest"
    yield exactly(words, apart[:, chosen].max(), 0.0, 1e-12, part="random networks, N = 8, K = 4")


def _as_exchange(spins: str) -> bool:
    """Whether the reflection of a state is a shift of its exchange, but no shift of itself."""
    doubled, exchanged = spins * 2, spins.translate(str.maketrans("ud", "du")) * 2
    return spins[::-1] in exchanged and spins[::-1] not in doubled


def theorem_s2_update_symmetry(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """One exact step and many, and, as another reading of "training", steps of Adam and from samples."""
    exact = "exact slope, plain gradient"
    found = list(identities(tables, "theorem S2", "kept by plain gradient, exact slope"))
    yield from (one.named(reading=exact) for one in found)
    if found:
        yield _mirrored().named(reading=exact)
    for name in ("kept by Adam, sampled", "kept by plain gradient, sampled"):
        for row in each(select(tables["table1"], "deviation", identity=name)):
            reading, words = name.removeprefix("kept by "), "drift of the grand sum over that of random networks"
            yield exactly(words, row.deviation, 0.0, RETAINED, reading=reading, remark="100 steps")


def _mirrored() -> Evidence:
    """How much one exact step tells a state from its reflection where that is an exchange and a shift."""
    ring = Ring(8, 4, RANDOM_SEED)
    chosen = np.array([_as_exchange("".join("du"[bit] for bit in spins)) for spins in ring.spins])
    apart = 0.0
    for theta in ring.random_networks("step", symmetric=True):
        move = ring.network(theta - 1e-2 * ring.slope(theta)) - ring.network(theta)
        apart = max(apart, float(np.abs(move - move[ring.reflected])[chosen].max()))
    return exactly("one exact step: change of ln psi(s) less that of ln psi(Rs)", apart, 0.0, 1e-10, part="reflection")


def projection_exact(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The shift of the kernel."""
    yield from identities(tables, "projection")


CHECKS: dict[str, Check] = {
    "grandsum_size": grandsum_size,
    "theorem1": theorem1,
    "difference_vanishes_with_grandsum": difference_vanishes,
    "grandsum_initial": grandsum_initial,
    "grandsum_final": grandsum_final,
    "reflection_via_flip": reflection_via_flip,
    "theorem_s2_update_symmetry": theorem_s2_update_symmetry,
    "projection_exact": projection_exact,
}
