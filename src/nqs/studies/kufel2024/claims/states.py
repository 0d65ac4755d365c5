"""Claims of Figs. 3 and 4: tensor networks and entanglement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, exactly, mean, near, share_above, true
from nqs.studies.kufel2024.claims.method import part, slope


def mps_parameters_area_law(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Parameter counts, and bond dimensions of both kinds of states."""
    counts, bonds = part(tables, "fig3", "count"), part(tables, "fig3", "bond")
    for bond in sorted(counts.bond.unique()):
        rows = counts[counts.bond == bond]
        long = rows.sort_values("n_sites").tail(2)
        per_site = np.diff(long.n_parameters)[0] / np.diff(long.n_sites)[0]
        yield exactly(f"parameters per site, bond dimension {bond:g}", float(per_site), 2 * bond**2).named("count")
    if bonds.n_sites.nunique() < 3:
        return
    haar = bonds[bonds.target == "haar"]
    found = slope(np.exp(haar.n_sites), haar.bond)
    yield near("slope of ln bond in N, Haar-random", found, np.log(2) / 2, tolerance=0.1 * np.log(2) / 2).named(
        "volume law"
    )
    gapped = bonds[bonds.target == "gapped"].sort_values("n_sites")
    growth = float(gapped.bond.iloc[-1] - gapped.bond.iloc[-2])
    yield true(
        "bond dimension of the gapped ring no longer grows",
        growth <= 0,
        float(gapped.bond.iloc[-1]),
        part="area law",
    )


def nqs_more_expressive_than_tn(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """A volume-law state in few parameters, and every small matrix product state fitted."""
    for _, row in part(tables, "fig3", "explicit").iterrows():
        words = f"infidelity of the explicit machine; a matrix product state needs bond dimension {row.bond:g}"
        whole = bool(row.infidelity < 1e-6 and row.bond == 2 ** (row.n_sites // 2))
        yield true(words, whole, row.infidelity, part="volume law")
    fits = part(tables, "fig3", "tensor")
    best = fits.groupby("instance").infidelity.min()
    hits = int((best < 1e-3).sum())
    yield share_above("matrix product states fitted below 1e-3", hits, len(best), 0.5, part="small bonds",
                      remark="a stalled fit does not refute; three instances decide little")  # fmt: skip


def mps_best_in_1d(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Pairs in which the machine has no more real parameters: the error of the matrix product state is not larger."""
    grouped = part(tables, "fig3", "energy").groupby(["target", "bond", "family"])
    sizes = grouped.n_parameters.first().unstack("family")
    best = grouped.relative_error.min().unstack("family").dropna()[sizes.rbm <= sizes.mps]
    yield share_above(
        "pairs in which the matrix product state is as good", int((best.mps <= best.rbm).sum()), len(best), 0.8
    )


def local_rbm_area_law(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Bounds of every instance, and the slope in the bulk."""
    rows = part(tables, "fig4", "local")
    for width, here in rows.groupby("width"):
        excess = float((here.entropy - here.bound).max())
        yield true("largest entropy less its bound", excess <= 1e-9, excess, part=f"{width:g} sites seen, bound")
        bulk = here[here.length >= here.length.max() - 2]
        slopes = [np.polyfit(one.length, one.entropy, 1)[0] for _, one in bulk.groupby("instance")]
        yield near("slope of the entropy in the bulk", mean(slopes), 0.0, resolution=0.25 * np.log(2),
                   part=f"{width:g} sites seen, slope")  # fmt: skip


def nonlocal_rbm_volume_law(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The explicit state to rounding, and random ones by their slope."""
    pairs, random = part(tables, "fig4", "pairs"), part(tables, "fig4", "long-range")
    worst = float((pairs.entropy - pairs.length * np.log(2)).abs().max())
    yield exactly("largest |S(l) - l ln 2|", worst, 0.0, allowed=1e-9, part="explicit")
    slopes = [np.polyfit(one.length, one.entropy, 1)[0] for _, one in random.groupby("instance")]
    yield above("slope of the entropy in l", mean(slopes), 0.0, part="random")


def overlapping_convolutions(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Largest entropies of square blocks against their bound, and those of a circuit without overlaps.

    L counts the layers above the first, which sees single sites.
    """
    rows = part(tables, "fig4", "circuit")
    side = 2
    blocks = rows[rows.length == side**2]  # sites are numbered by 2 x 2 blocks
    for _, row in blocks[(blocks.stride == 1) & (blocks.layers > 1)].iterrows():
        depth = row.layers - 1
        bound = min(depth * row.kernel * side, side**2) * np.log(2)
        yield above_rounding(
            f"ln rank of a {side} x {side} block less its bound", row.entropy - bound, f"L = {depth:g}"
        )
        if depth * row.kernel > side:
            volume = side**2 * np.log(2)
            yield exactly("ln rank, volume law", row.entropy, volume, 1e-12, part=f"L = {depth:g}, volume")
    largest = float(blocks[blocks.stride > 1].entropy.max())
    yield true("ln rank without overlaps, below the volume", largest < side**2 * np.log(2) - 1e-9, largest, part="tree")


def above_rounding(quantity: str, excess: float, name: str) -> Evidence:
    """A bound that holds but for rounding."""
    return true(quantity, excess >= -1e-9, excess, part=name)


def no_sign_problem_in_principle(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Variance at the exact state, and the average sign of a Monte Carlo weight."""
    rows = part(tables, "fig5", "sign")
    yield exactly(
        "largest variance of E_loc at exact states", float(rows.variance.max()), 0.0, allowed=1e-18, part="variance"
    )
    frustrated = rows[rows.rotated.astype(bool)]
    least = float(frustrated.average_sign.min())
    yield true("average sign of a Monte Carlo weight below 0.5", least < 0.5, least, part="average sign")


def sign_structure_harder(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Same network and budget: plain less rotated basis, frustrated less unfrustrated, of ln relative errors."""
    runs = part(tables, "fig5", "run")
    errors = runs.assign(log=np.log(runs.relative_error.clip(lower=1e-15)))
    widest = (
        errors[errors.hidden == errors.hidden.median()] if (errors.hidden == errors.hidden.median()).any() else errors
    )
    hard, rotated = widest.j2 > 0, widest.rotated.astype(bool)
    for name, one, two in (
        ("plain less rotated basis", widest[~hard & ~rotated], widest[~hard & rotated]),
        ("frustrated less unfrustrated", widest[hard & rotated], widest[~hard & rotated]),
    ):
        yield above(f"ln relative error, {name}", mean(one.log) - mean(two.log), 0.0, part=name)


def local_minima(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Share of runs that end more than 1e-3 above the best of their width."""
    runs = part(tables, "fig5", "run")
    runs = runs[~runs.rotated.astype(bool)]
    best = runs.groupby(["j2", "hidden"]).relative_error.transform("min")
    stuck = runs.relative_error - best > 1e-3
    hard = runs.j2 > 0
    yield share_above(
        "runs that end 1e-3 above the best", int(stuck[hard].sum()), int(hard.sum()), 0.1, part="frustrated"
    )
    yield above(
        "share at J2 > 0 less that at J2 = 0", share(stuck[hard]) - share(stuck[~hard]), 0.0, part="more than at J2 = 0"
    )


def share(hits: pd.Series) -> Estimate:
    """Part of true values with a binomial error that does not vanish at 0 and 1."""
    n = len(hits)
    value = float(np.mean(hits))
    smoothed = (np.sum(hits) + 1) / (n + 2)
    return Estimate(value, float(np.sqrt(smoothed * (1 - smoothed) / n)), n)


def more_parameters_stop_helping(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Slope of ln error in ln P over both halves of the widths, by seed, frustrated model in the plain basis."""
    low, high = halves(tables)
    if low and high:
        yield above("slope over the upper half less over the lower", mean(high) - mean(low), 0.0, part="flatter")
        yield near("slope over the upper half", mean(high), 0.0, resolution=1.0, part="flat")


def halves(tables: Tables) -> tuple[list[float], list[float]]:
    """Slopes of ln error in ln P by seed, lower and upper half."""
    runs = part(tables, "fig5", "run")
    runs = runs[(runs.j2 > 0) & ~runs.rotated.astype(bool)]
    widths = np.sort(runs.n_parameters.unique())
    if len(widths) < 4:
        return [], []
    middle = widths[len(widths) // 2]
    found = []
    for some in (runs[runs.n_parameters <= middle], runs[runs.n_parameters >= middle]):
        logs = some.assign(x=np.log(some.n_parameters), y=np.log(some.relative_error.clip(lower=1e-15)))
        found.append([float(np.polyfit(one.x, one.y, 1)[0]) for _, one in logs.groupby("seed")])
    return found[0], found[1]


def qgt_rank_saturates(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Breaks of rank and of ln error against ln P, by piecewise linear fits."""
    runs = part(tables, "fig5", "run")
    for rotated, rows in runs[runs.j2 > 0].groupby("rotated"):
        grouped = rows.groupby("n_parameters").median(numeric_only=True)
        if len(grouped) < 5:
            continue
        x = np.log(grouped.index.to_numpy(float))
        ranks = kink(x, np.log(grouped["rank"].to_numpy()))
        errors = kink(x, np.log(grouped.relative_error.clip(lower=1e-15).to_numpy()))
        spacing = float(np.diff(x).max()) * np.sqrt(2 / 12)  # of two uniform distributions between widths
        basis = "rotated basis" if rotated else "plain basis"
        yield near("ln P at the break of the error less that of the rank", Estimate(errors - ranks, spacing), 0.0,
                   tolerance=np.log(2), resolution=2.0, reading=basis)  # fmt: skip


def kink(x: np.ndarray, y: np.ndarray) -> float:
    """Where two straight lines that meet at an inner point fit best."""
    costs = []
    for place in range(1, len(x) - 1):
        basis = np.stack([np.ones_like(x), x, np.maximum(x - x[place], 0)], axis=1)
        costs.append(np.linalg.norm(y - basis @ np.linalg.lstsq(basis, y, rcond=None)[0]))
    return float(x[1 + int(np.argmin(costs))])


def symmetry_improves_orders(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Median error of the plain network over that of the largest group, and the trend with the order."""
    rows = part(tables, "fig5", "symmetry")
    for j2, here in rows.groupby("j2"):
        logs = here.assign(y=np.log(here.relative_error.clip(lower=1e-15)))
        plain, full = logs[logs.order == logs.order.min()], logs[logs.order == logs.order.max()]
        gain = mean(plain.y) - mean(full.y)
        yield above(f"ln of the gain, J2 = {j2:g} (a factor 100)", gain, np.log(100), part=f"J2 = {j2:g}, gain")
        slopes = [np.polyfit(np.log(one.order), one.y, 1)[0] for _, one in logs.groupby("seed")]
        yield above("fall of ln error with ln order", mean(-np.array(slopes)), 0.0, part=f"J2 = {j2:g}, trend")


def approximate_symmetry_suffices(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Gains in ln error over a network without symmetry: where symmetry is broken, and where it is exact."""
    rows = part(tables, "fig5", "broken")
    logs = rows.assign(y=np.log(rows.relative_error.clip(lower=1e-15)))

    def gain(name: str, strength: float) -> Estimate:
        here = logs[logs.strength == strength]
        return mean(here[here.symmetry == "none"].y) - mean(here[here.symmetry == name].y)

    full = gain("exact", 0.0)
    for strength in sorted(rows.strength.unique()):
        if not strength:
            continue
        words = f"couplings that scatter by {strength:g}"
        found = gain("approximate", strength)
        yield above("ln of the gain over no symmetry", found, 0.0, part=f"{words}, gain")
        yield above(
            "ln of the gain over exact symmetry", found - gain("exact", strength), 0.0, part=f"{words}, breaking"
        )
        half = Estimate(full.value / 2, full.error / 2, full.n)
        yield above("ln of the gain less half of that of exact symmetry where it holds", found - half, 0.0,
                    part=f"{words}, comparable")  # fmt: skip
