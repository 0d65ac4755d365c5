"""Claims of Ju et al. (2025), Secs. II and VI, about parameters and energies (Fig. 3, bottom)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import linregress

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, exactly, mean, near, true
from nqs.analysis.ledger.table import Check
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.studies.ju2025.claims.select import each, groups, select
from nqs.studies.ju2025.claims.sweep import (
    FORCED,
    ORIGINAL,
    RINGS,
    SETTING,
    WORKS,
    Deep,
    deep_networks,
    more_often,
    pairs,
    runs,
    searches,
    states,
)

GOOD = 2.5  # percent of |E0|, the error of a good approximation
GOOD_RING, GOOD_WIDTH = 60, 6
ORDERS = 100  # "orders of magnitude"
AS_LOW = np.log(1.25)  # of a ratio of Delta E
SMALL = 100  # parameters of a small two-layer network
FEWEST_SPREADS = 4  # networks, for a trend of their scatter


def parameters_linear_in_n(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Parameters of the shallow networks of Fig. 3."""
    rows = select(tables["fig3"], "n_sites width n_parameters network", series="run")
    rows = rows[rows.network.isin(FORCINGS)].drop_duplicates(["n_sites", "width", "n_parameters"])
    for row in each(rows):
        few = row.n_parameters == 2 * row.width + 2 <= 2 * row.n_sites + 2
        part, published = f"N = {row.n_sites:g}, K = {row.width:g}", f"<= {2 * row.n_sites + 2:g}"
        remark = f"{states(int(row.n_sites)):.1e} states; 2K + 2 parameters, of which K + 1 combinations act"
        yield true("parameters", few, row.n_parameters, published=published, part=part, remark=remark)


def small_kernel_good_approximation(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Delta E / |E0| of K = 6: what the kernel can do, its exact optimum, and what our training reaches."""
    table = tables["fig3"]
    where = {"n_sites": GOOD_RING, "width": GOOD_WIDTH}
    columns = "delta_over_ground delta_over_gap ground_energy"
    for row in each(select(table, columns, series="optimum", family="cnn", **where)):
        yield _good(Estimate(-100 * row.delta_over_ground), row.delta_over_gap, row.ground_energy, "exact optimum")
    trained = select(table, f"{columns} network stuck", series="run", **where)
    trained = trained[trained.network.isin(FORCINGS)]
    moving = trained[trained.stuck == 0]
    if len(moving):
        best = moving.groupby("network").delta_over_ground.mean().idxmax()  # E0 < 0
        same = moving[moving.network == best]
        reading = f"mean of trained networks, {best}, {len(same)} of {(trained.network == best).sum()} runs"
        gaps, ground = same.delta_over_gap.mean(), same.ground_energy.iloc[0]
        yield _good(mean(-100 * same.delta_over_ground), gaps, ground, reading)


def _good(found: Estimate, gaps: float, ground: float, reading: str) -> Evidence:
    """An error in percent of |E0| of sum P; in S.S units, without the constant N/2, beside it."""
    pairs_only = found.value * ground / (ground - GOOD_RING / 2)
    remark = f"{pairs_only:.2f} % in S.S units; {gaps:.1f} gaps, by which it is not good"
    return below("Delta E / |E0| of sum P, percent, K = 6, N = 60", found, GOOD, reading=reading, remark=remark)


def energy_matches_deep(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Lowest mean Delta E over K of forced networks over that of deep ones; the number of filters is a reading."""
    for n_sites in RINGS:
        rows = runs(tables, n_sites)
        forced = _lowest(rows, FORCED)
        for deep in deep_networks(rows):
            other = _lowest(rows, (deep.name,))
            if forced and other:
                (_, one), (_, two) = forced, other
                error = float(np.hypot(one.error / one.value, two.error / two.value))
                ratio = Estimate(float(np.log(one.value / two.value)), error, min(one.n, two.n))
                part, reading = f"{deep.layers} layers, N = {n_sites}", f"{deep.filters} filters"
                yield near("ln of Delta E, forced over deep", ratio, 0.0, tolerance=AS_LOW, part=part, reading=reading)


def _means(rows: pd.DataFrame, names: tuple[str, ...]) -> list[tuple[float, Estimate]]:
    """Parameters and mean Delta E of the runs that moved, of each network and K with an error."""
    moving = rows[rows.network.isin(names) & (rows.stuck == 0)]
    found = [
        (float(part.n_parameters.iloc[0]), mean(part.delta_energy)) for _, part in moving.groupby(["network", "width"])
    ]
    return [(number, one) for number, one in found if np.isfinite(one.error) and one.value > 0]


def _lowest(rows: pd.DataFrame, names: tuple[str, ...]) -> tuple[float, Estimate] | None:
    """Parameters and mean Delta E of the network and K that is lowest."""
    return min(_means(rows, names), key=lambda one: one[1].value, default=None)


def fewer_parameters_by_orders(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Parameters of the smallest deep network as low as the best forced one, over those of the latter."""
    for n_sites in RINGS:
        rows = runs(tables, n_sites)
        forced, deep = _lowest(rows, FORCED), _means(rows, tuple(one.name for one in deep_networks(rows)))
        if not forced or not deep:
            continue
        number, best = forced
        low = [one for one, found in deep if (found - best).value <= 2 * (found - best).error]
        words, part = "parameters, deep over forced", f"N = {n_sites}"
        if low:
            ratio = min(low) / number
            yield true(words, ratio >= ORDERS, ratio, published=f">= {ORDERS}", part=part)
        else:  # a larger one might be as low
            ratio = max(one for one, _ in deep) / number
            yield Evidence(words, ratio, published=f">= {ORDERS}", part=part, remark="no deep network is as low")


def symforce_improves_accuracy(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Delta E without forcing less that with it, in pairs of equal seeds that moved; the ratio is a reading."""
    for n_sites in RINGS:
        rows = runs(tables, n_sites)
        both = pairs(rows, ORIGINAL, "traj")
        stuck = rows.groupby("network").stuck.agg(["sum", "count"])
        if both.rows.empty:
            continue
        counted = ", ".join(f"{name}: {one['sum']:g} of {one['count']:g} runs stuck" for name, one in stuck.iterrows())
        readings = {
            "difference": both.rows.delta_energy - both.rows.delta_energy_other,
            "logarithm of the ratio": -both.ratios("delta_energy"),
        }
        for reading, values in readings.items():
            if found := both.estimates(values):
                words = "Delta E without forcing against traj"
                yield above(words, found, 0.0, f"{both.counted}; {counted}", part=f"N = {n_sites}", reading=reading)


def symforce_robust(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """How often runs and settings end low, with and without forcing."""
    for network in FORCED:
        for n_sites in RINGS:
            ran, tried = runs(tables, n_sites), _working(searches(tables, n_sites))
            for rows, what in ((ran, "runs"), (tried, "settings")):
                first, second = (_successes(rows, name) for name in (network, ORIGINAL))
                if first[1] and second[1]:
                    words = f"share of {what} within {WORKS} times the lowest Delta E of their K, forced less original"
                    yield more_often(words, first, second, part=f"{what}, {network}, N = {n_sites}")


def _successes(rows: pd.DataFrame, name: str) -> tuple[int, int]:
    """How many of how many rows of a network work."""
    own = rows[rows.network == name]
    return int(own.works.sum()), len(own)


def _working(rows: pd.DataFrame, names: tuple[str, ...] = FORCINGS) -> pd.DataFrame:
    """Settings searched, with `works`: none of its runs stuck or diverged, and low for its K."""
    lowest = rows[rows.network.isin(names)].groupby("width").delta_energy_mean.min()
    sound = (rows.n_stuck == 0) & (rows.n_diverged == 0)
    return rows.assign(works=sound & (rows.delta_energy_mean <= WORKS * rows.width.map(lowest).astype(float)))


def small_deep_networks_fragile(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Slope of the scatter of Delta E over seeds against ln of the parameters of deep networks."""
    for n_sites in RINGS:
        rows = runs(tables, n_sites)
        spreads = [
            (deep.layers, np.log(part.n_parameters.iloc[0]), part.delta_energy.std(ddof=1))
            for deep in deep_networks(rows)
            for _, part in groups(rows[rows.network == deep.name], "width")
            if len(part) > 1
        ]
        table = pd.DataFrame(spreads, columns=["layers", "size", "spread"])
        for layers, same in groups(table, "layers"):
            if len(same) >= FEWEST_SPREADS and same["size"].nunique() > 1:
                law = linregress(same["size"], same.spread)
                found = Estimate(float(law.slope), float(law.stderr), len(same) - 1)
                words = "slope of the scatter of Delta E against ln of the parameters"
                yield below(words, found, 0.0, part=f"{layers} layers, N = {n_sites}")


def one_setting_below_100_parameters(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Settings by which small two-layer networks end low beside forced shallow ones; what is counted is a reading."""
    for n_sites in RINGS:
        tried = _working(searches(tables, n_sites), FORCED)
        two = [deep.name for deep in deep_networks(tried) if _is_small(deep)]
        small = tried[tried.network.isin(two) & (tried.n_parameters < SMALL)]
        if small.empty or small.groupby(SETTING).ngroups < 2 or not claim.published:
            continue
        works, expected = small[small.works], claim.published.value
        remark = f"of {small.groupby(SETTING).ngroups}; works: Delta E at most {WORKS} times the forced shallow one's"
        rates = works.groupby(SETTING).ngroups
        for reading, number in (("rate and steps", rates), ("rate, steps, K and filters", len(works))):
            yield exactly("settings that work", number, expected, part=f"N = {n_sites}", reading=reading, remark=remark)


def _is_small(deep: Deep) -> bool:
    return deep.layers == 2


CHECKS: dict[str, Check] = {
    "parameters_linear_in_n": parameters_linear_in_n,
    "small_kernel_good_approximation": small_kernel_good_approximation,
    "energy_matches_deep": energy_matches_deep,
    "fewer_parameters_by_orders": fewer_parameters_by_orders,
    "symforce_improves_accuracy": symforce_improves_accuracy,
    "symforce_robust": symforce_robust,
    "small_deep_networks_fragile": small_deep_networks_fragile,
    "one_setting_below_100_parameters": one_setting_below_100_parameters,
}
