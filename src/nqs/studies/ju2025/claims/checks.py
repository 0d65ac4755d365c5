"""What Ju et al. (2025) print, beside the same quantities of ours, and when the two agree.

A check takes one published fact and the tables of our targets, and yields one `Compared` per part and variant. All
variants are reported and none is chosen. The rules:

    numbers with errors   |ours - published| <= 2 sqrt(SE^2 + published error^2), SE over runs, none for exact numbers;
                          coefficients of Table II have the precision of the print as their published error, because
                          the printed one says what two features leave open, not how uncertain the coefficient is
    numbers of one run    the published value lies in the range of our runs
    ranges, bounds        the range within 2 SE of ours, the bound kept by ours
    settings              equal; another value at a reduced scale is no disagreement but no data
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.claims import at
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.model.motifs import motif_classes, state_classes
from nqs.studies.ju2025.claims.compared import Compared, Fact, Tables, exact, in_range
from nqs.studies.ju2025.claims.table_checks import (
    best_energy,
    coefficient,
    design,
    explained,
    multipliers,
    significance,
)
from nqs.vmc.convergence import convergence

INPUTS = ("exchange_hamiltonian", "example_state", "table2_setting")  # facts that we take over and do not check
TRAINED = 500  # iterations, the published cap; shorter runs are not compared with its end
RINGS = (60, 240)  # of Fig. 3; on shorter ones its claims get no verdict
ZERO_SUM, SAME_LOG = 1e-12, 1e-9  # grand sums that are zero, and differences of ln psi that are, to rounding
WORKS = 2  # a setting works if Delta E is at most this many times that of the forced shallow network of its K


def kernel_bounds(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """Necessary bounds of the K that separates all classes of states, beside the smallest that does."""
    counted = at(ours["figX1"], symmetrised=True)
    for part, bound in fact["value"].items():
        here = at(counted, n_sites=int(part[1:]))
        for _, row in at(here, series="smallest").iterrows():
            remark = "necessary and sufficient"
            for _, there in at(here, series="share", length=bound).iterrows():
                if there.distinct < there.classes:
                    remark = f"not sufficient: K = {bound} tells {there.distinct:g} of {there.classes:g} classes apart"
            quantity = f"smallest K that separates all classes, N = {part[1:]} (published: bound)"
            yield exact(quantity, bound, 0, row.length, bool(row.length >= bound), remark, part)


def grand_sum_sizes(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """How many parameters the grand sum depends on."""
    for part, number in fact["value"].items():
        family = ShallowCnn(2 * int(part[1:]), int(part[1:]))
        counted = sum(family.grand_sum(unit) != 0 for unit in np.eye(family.n_parameters))
        yield exact(f"parameters in the grand sum, K = {part[1:]}", number, 0, counted, counted == number, "", part)


def states_and_motifs(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """Sizes of the count matrix of Fig. 1."""
    for part, counted in (("states", len(state_classes(8).codes)), ("motifs", len(motif_classes(4).codes))):
        number = fact["value"][part]
        yield exact(f"{part}, N = 8, K = 4", number, 0, counted, counted == number, "", part)


# ---- Figs. 2 and 3


def first_grand_sum(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """|grand sum| before training, one value per seed."""
    rows = at(ours["fig2"], series="snapshot", network="original", iteration=0)
    yield from in_range("|grand sum| at the start", fact, rows.drop_duplicates(["width", "seed"]).grand_sum.abs())


def last_grand_sum(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """|grand sum| after training without forcing, runs with constant psi left out."""
    rows = at(ours["fig2"], series="snapshot", network="original")
    last = rows[(rows.iteration == rows.iteration.max()) & (rows.constant.astype(int) == 0)]
    known = None if last.empty or last.iteration.iloc[0] < TRAINED else True
    yield from in_range("|grand sum| at the end, psi not constant", fact, last.grand_sum.abs(), known)


def zero_grand_sum(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """Symmetry under exchange of up and down where the grand sum is zero, and the converse."""
    rows = at(ours["fig2"], series="snapshot")
    zero, constant = rows[rows.grand_sum.abs() <= ZERO_SUM], rows[rows.constant.astype(int) == 1]
    if len(zero):
        largest = float((zero.log_psi - zero.log_psi_exchanged).abs().max())
        remark = "sufficient"
        if len(constant) and constant.grand_sum.abs().max() > ZERO_SUM:
            highest = constant.grand_sum.abs().max()
            remark += f", not necessary: with constant psi the difference is zero at grand sums up to {highest:.2g}"
        quantity = "|ln psi(s) - ln psi(Ls)| where the grand sum is zero, largest"
        yield exact(quantity, fact["value"], 0, largest, largest <= SAME_LOG, remark)


def convergence_rule(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """Settings of T_cv."""
    shallow = _shallow(ours)
    defaults = signature(convergence).parameters
    used = {name: float(defaults[name].default) for name in ("tolerance", "lag")}
    used |= {"cap": float(shallow.iterations.max()), "seeds": float(at(_means(ours), network="original").n_runs.max())}
    for part, value in used.items():
        yield exact(f"T_cv: {part}", fact["value"][part], 0, value, _same(value, fact["value"][part]), "setting", part)


def grid(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """How many of the rings and kernel sizes of Fig. 3 ours have."""
    for part, column, words in (("sizes", "n_sites", "rings"), ("widths", "width", "kernel sizes")):
        published = fact["value"][part]
        shared = len({*published} & {int(value) for value in _shallow(ours)[column]})
        quantity = f"Fig. 3: {words} ({', '.join(map(str, published))})"
        yield exact(quantity, len(published), 0, shared, _same(shared, len(published)), "setting", part)


def _same(ours: Any, published: Any) -> bool | None:
    """True or None: a smaller scale has other settings on purpose."""
    return True if ours == published else None


def _shallow(ours: Tables) -> pd.DataFrame:
    rows = at(ours["fig3"], series="run")
    return rows[rows.network.isin(FORCINGS)]


def _means(ours: Tables) -> pd.DataFrame:
    return at(ours["fig3"], series="mean")


def _long_rings(rows: pd.DataFrame) -> bool:
    """Whether all are rings of Fig. 3, where the claims are made."""
    return bool(rows.n_sites.isin(RINGS).all())


def saved_iterations(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """The part of T_cv that forcing saves, of all pairs of runs and of those without a stuck one, for both windows."""
    low, high = fact["value"]
    rows, shallow = at(ours["fig3"], series="reduction"), _shallow(ours)
    comparable = _long_rings(shallow) and shallow.iterations.max() >= TRAINED
    for _, row in rows[rows.n_sites.isna()].sort_values(["window", "network"]).iterrows():
        for name, pairs, chosen in (
            ("reduction", "n_pairs", ""), ("reduction_moving", "n_pairs_moving", ", pairs without a stuck run"),
        ):  # fmt: skip
            value, error = row[name], row[f"{name}_sem"]
            within = bool(value - 2 * error <= high and value + 2 * error >= low)
            agrees = within if comparable and np.isfinite(error) else None
            quantity = f"T_cv saved by {row.network}, window of {row.window:g}{chosen}"
            remark = f"each at its best setting; runs that never met the rule: {row.n_capped:g}"
            if not chosen and row.stuck_share > 0:
                remark += f"; stuck runs make {100 * row.stuck_share:.0f} % of the mean difference"
            quoted = f"{low:g} to {high:g}"
            yield Compared(quantity, quoted, np.nan, value, error, int(row[pairs]), agrees, remark)


def deep_to_shallow(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """How many times as many parameters the smallest deep network has that is as low as the forced shallow one."""
    means = _means(ours)
    deep = means[~means.network.isin(FORCINGS)]
    for _, one in at(means, network="traj").iterrows():
        there = at(deep, n_sites=one.n_sites)
        if there.empty:
            continue
        errors = np.hypot(there.delta_energy_sem.fillna(0), np.nan_to_num(one.delta_energy_sem))
        low = there[there.delta_energy_mean <= one.delta_energy_mean + 2 * errors]
        found = (low if len(low) else there).sort_values("n_parameters").iloc[0 if len(low) else -1]
        ratio = found.n_parameters / one.n_parameters
        known = one.n_sites in RINGS and (len(low) or ratio >= fact["value"])  # else larger ones might be as low
        agrees = bool(ratio >= fact["value"]) if known else None
        which = f"{found.network}, K = {found.width:g}"
        remark = f"as low: {which}" if len(low) else f"none as low, the largest: {which}"
        quantity = f"parameters, deep over traj, N = {one.n_sites:g}, K = {one.width:g} (published: bound)"
        yield Compared(quantity, fact["value"], np.nan, ratio, np.nan, int(one.n_runs), agrees, remark)


def working_settings(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """Settings of two-layer networks with few parameters that work, among those of the search."""
    table, means = ours["fig3"], _means(ours)
    tried = at(table, series="search")
    tried = tried[tried.network.str.startswith("deep2x") & (tried.n_parameters < fact["parameters"])]
    forced = means[means.network.isin(["init", "traj"])]
    reference = forced.groupby(["n_sites", "width"]).delta_energy_mean.min().rename("reference").reset_index()
    known = tried.merge(reference, on=["n_sites", "width"])
    if len(known):
        good = known[(known.n_diverged == 0) & (known.delta_energy_mean <= WORKS * known.reference)]
        agrees = len(good) == fact["value"] if _long_rings(known) else None
        remark = (
            f"of {len(known)} of K, filters, learning rate and steps; works: Delta E at most {WORKS} times that of the "
            "forced shallow network of this K"
        )
        quantity = f"two-layer settings below {fact['parameters']} parameters that work"
        yield Compared(quantity, fact["value"], 0, float(len(good)), np.nan, len(known), agrees, remark)


CHECKS: dict[str, Callable[[Fact, Tables], Iterator[Compared]]] = {
    "kernel_bound_for_unique_values": kernel_bounds,
    "grandsum_size": grand_sum_sizes,
    "states_and_motifs_n8_k4": states_and_motifs,
    "grandsum_initial": first_grand_sum,
    "grandsum_final": last_grand_sum,
    "grandsum_condition": zero_grand_sum,
    "tcv_rule": convergence_rule,
    "fig3_grid": grid,
    "tcv_reduced": saved_iterations,
    "fewer_parameters_by_orders": deep_to_shallow,
    "one_setting_below_100_parameters": working_settings,
    "table2_intercept": lambda fact, ours: coefficient(fact, ours, "intercept"),
    "table2_d_neel": lambda fact, ours: coefficient(fact, ours, "d_neel"),
    "table2_n_like": lambda fact, ours: coefficient(fact, ours, "n_like"),
    "table2_interaction": lambda fact, ours: coefficient(fact, ours, "interaction"),
    "table2_r2": explained,
    "table2_observations": lambda fact, ours: design(fact, ours, "observations"),
    "table2_condition_number": lambda fact, ours: design(fact, ours, "condition_number"),
    "table2_significance": significance,
    "delta_e_best": best_energy,
    "lambda_regression_k3": multipliers,
}
