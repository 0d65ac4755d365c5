"""Claims of Ju et al. (2025), Secs. II and VI, about the grand sum, the exchange of up and down, and reflection."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import spearmanr, theilslopes

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Evidence, above, exactly, mean, near, share_above, true
from nqs.analysis.ledger.table import Check
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.studies.ju2025.claims.select import each, groups, identities, select, within_factor
from nqs.studies.ju2025.tables.identity_ring import Ring

RANDOM_SEED = 0
FEWEST_POINTS = 5  # of a run, for a rank correlation or a trend
CORRELATED, SMALL_SUM, SMALL_DIFFERENCE = 0.8, 1e-3, 1e-2
LAST = 0.9  # of the iterations: what comes after is the end
TRAINED = 500  # iterations, the published cap; the end of shorter runs is not compared
FACTOR_FIRST, DECADES_LAST, SHARE_FALLING = 2.0, 1.0, 0.8
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


def _snapshots(tables: Tables, columns: str) -> pd.DataFrame:
    """Kept parameters of Fig. 2 whose psi is not constant."""
    rows = select(tables["fig2"], f"network width run iteration grand_sum {columns}".strip(), series="snapshot")
    return rows[rows.constant.astype(int) == 0] if "constant" in rows else rows


def _runs(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows of each run, in order."""
    for _, run in groups(rows, "network", "width", "run"):
        yield run.sort_values("iteration")


def difference_vanishes(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Rank correlation along each run, and the differences where the grand sum is small."""
    rows = _snapshots(tables, "relative_difference constant")
    original = rows[rows.network == "original"]
    orders = [
        spearmanr(run.grand_sum.abs(), run.relative_difference.abs()).statistic
        for run in _runs(original)
        if len(run) >= FEWEST_POINTS
    ]
    if orders:
        words = "rank correlation of |grand sum| and |difference| along a run"
        yield above(words, mean(orders), CORRELATED, part="together")
    near_zero = rows[rows.grand_sum.abs() < SMALL_SUM].relative_difference.abs()
    if len(near_zero):
        largest = float(near_zero.max())
        words = f"|difference| where |grand sum| < {SMALL_SUM:g}, largest"
        yield true(words, largest < SMALL_DIFFERENCE, largest, part="at zero", remark=f"{len(near_zero)} snapshots")


def grandsum_initial(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """|grand sum| before training, one value for each set of initial parameters."""
    rows = select(tables["fig2"], "width seed grand_sum", series="snapshot", network="original", iteration=0)
    first = rows.drop_duplicates(["width", "seed"]).grand_sum.abs()
    if len(first) and claim.published:
        remark = f"median {first.median():.2g}; random parameters have a standard deviation of sqrt(4/3)"
        published = float(claim.published.value)
        yield within_factor("|grand sum| at the start, mean", mean(first), published, FACTOR_FIRST, remark=remark)


def grandsum_final(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """|grand sum| at the end of training without forcing on a logarithmic scale, and its trend, for each setting.

    The paper shows several settings without naming them: each of ours is a reading.
    """
    rows = _snapshots(tables, "constant learning_rate steps")
    rows = rows[(rows.network == "original") & (rows.grand_sum != 0)]
    if rows.empty or rows.iteration.max() < TRAINED or not claim.published:
        return
    expected = float(np.log10(claim.published.value))
    for (rate, steps), same in groups(rows, "learning_rate", "steps"):
        reading = f"learning rate {rate:g}, {steps:g} step{'s' if steps > 1 else ''}"
        ends, slopes = _ends(same)
        yield near(
            "log10 |grand sum|, last tenth of the iterations", mean(ends), expected, tolerance=DECADES_LAST,
            part="end", reading=reading, remark=f"geometric mean {10 ** float(np.mean(ends)):.1e}",
        )  # fmt: skip
        falling = sum(slope < 0 for slope in slopes)
        yield share_above("runs whose |grand sum| falls", falling, len(slopes), SHARE_FALLING, part="", reading=reading)


def _ends(rows: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Mean log10 |grand sum| at the end of each run, and its Theil-Sen slope against iterations."""
    ends, slopes = [], []
    for run in _runs(rows):
        logs = np.log10(run.grand_sum.abs())
        if len(run) >= FEWEST_POINTS and run.iteration.max() >= TRAINED:
            ends.append(float(logs[run.iteration >= LAST * run.iteration.max()].mean()))
            slopes.append(float(theilslopes(logs, run.iteration).slope))
    return ends, slopes


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
