"""Rows of the figures of small rings, Figs. 1 to 8 and X2, from `trace` cells: one tidy table per figure.

`nqs.studies.mummaneni2026.tables.sweep` has those of the systematic study. Every table covers the cells it is given, so
a smaller grid gives a smaller table; which models enter is said in `nqs.analysis.table_files`. Energies are totals in
S.S units unless a name says per site.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.special import betainc, betaincinv

from nqs.analysis.lattice_geometry import lattice_geometry
from nqs.analysis.rbm_observables import read_machines
from nqs.analysis.table_files import (
    CELL,
    COUNTS,
    counts,
    long,
    mark,
    marked_models,
    median_row,
    read,
    some,
    stacked,
    thinned,
    trace_pairs,
)
from nqs.model.lattices import cluster
from nqs.runtime.job import Files
from nqs.studies.mummaneni2026.tables.importance import pearson
from nqs.vmc.keys import TRACE

PUBLISHED_RINGS = ("ring4", "ring8")  # of Fig. 1
LONGEST_CURVE = 400  # points
SHOWN_RANKS = 3  # units of highest impact in Fig. 6
SHOWN_LOWEST = 2  # and of lowest


def fig1(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Sites and bonds of the published rings."""
    return lattice_geometry(cluster(name) for name in PUBLISHED_RINGS)


def fig2(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Sampled energy and variance during training, thinned; the seed of median final error and the others."""
    return stacked(_training_curves(files), files["models"])


def _training_curves(files: Files) -> Iterator[pd.DataFrame]:
    for models, trace in trace_pairs(files):
        usable = models[models.usable]
        if usable.empty:
            continue
        median = usable.loc[median_row(usable.relative_error), "repeat"]
        for repeat, curve in trace[trace.repeat.isin(usable.repeat)].groupby("repeat"):
            curve = thinned(curve.sort_values("iteration"), LONGEST_CURVE)
            first = models.iloc[0]
            yield pd.DataFrame({
                **_cell(first), "series": "median seed" if repeat == median else "seed", "repeat": repeat,
                "iteration": curve.iteration, "energy_per_site": curve.energy / first.n_sites,
                "variance": curve.variance, "exact_energy_per_site": first.exact_energy / first.n_sites,
                **_counts(models),
            })  # fmt: skip


def fig3(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """C_zz(r) over all 2^N states at each snapshot, mean and standard error over seeds."""
    marked = some(mark(read(files["snapshots"])))
    table = long(marked[marked.sector == "all"], ["czz", "exact_czz"])
    keys = ["n_sites", "alpha", "mode", "iteration"]
    groups = table[table.counted].groupby([*keys, "r"])
    means = groups.czz.agg(czz_mean="mean", czz_sem=lambda values: values.sem(ddof=1))
    means["exact_czz"] = groups.exact_czz.first()
    number = counts(marked[marked.sector == "all"], keys)
    return means.reset_index().merge(number, on=keys)


def fig4(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Weights of the model whose largest |S_AFM| is the median over seeds; the largest |S_AFM| of every seed.

    random_mean, random_low, random_high: mean and central 95 % of that maximum for as many random units.
    """
    tables = []
    for models, units, weights in zip(files["models"], files["units"], files["weights"], strict=True):
        marked = marked_models(models)
        if not marked.counted.any():
            continue
        rows = read([units])
        rows = rows[(rows.sector == "zero") & rows.repeat.isin(marked[marked.counted].repeat)]
        largest = rows.s_afm.abs().groupby(rows.repeat).max()
        chosen = median_row(largest)
        position = marked.index[marked.repeat == chosen][0]
        scores = rows[rows.repeat == chosen].sort_values("unit").s_afm.to_numpy()
        matrix = read_machines(weights).final[position].weights  # (unit, site)
        unit, site = np.indices(matrix.shape)
        shown = {"unit": unit.ravel(), "site": site.ravel(), "weight": matrix.ravel(), "s_afm": scores[unit.ravel()]}
        pattern = pd.DataFrame({"series": "representative", "repeat": chosen, **shown})
        spread = pd.DataFrame({"series": "distribution", "repeat": largest.index, "s_afm": largest.to_numpy()})
        spread = spread.assign(**random_maximum(matrix.shape[1], matrix.shape[0]))
        both = pd.concat([pattern, spread], ignore_index=True)
        tables.append(both.assign(**_cell(marked.iloc[0]), **_counts(marked)))
    return stacked(tables, files["models"])


def random_maximum(n_sites: int, n_units: int) -> dict[str, float]:
    """Mean and central 95 % of the largest |S_AFM| of n_units units with independent normal weights.

    For one unit S^2 follows the beta distribution B(1/2, (N - 2)/2).
    """
    shape = (0.5, (n_sites - 2) / 2)
    mean = 1 - quad(lambda score: betainc(*shape, score**2) ** n_units, 0, 1)[0]
    low, high = (float(np.sqrt(betaincinv(*shape, level ** (1 / n_units)))) for level in (0.025, 0.975))
    return {"random_mean": float(mean), "random_low": low, "random_high": high}


def fig5(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """dE/|E| of every removed unit: of the seed of median sampled error, and the mean over seeds at each rank."""
    units = ranked_units(files)
    keys = ["n_sites", "alpha", "mode", "sector"]
    shown = units[units.representative]
    shown = shown[[*keys, "repeat", "unit", "rank", "delta_energy_fraction", *COUNTS]].assign(series="representative")
    groups = units[units.counted].groupby([*keys, "rank"])
    means = groups.delta_energy_fraction.agg(
        delta_energy_fraction="mean", delta_energy_fraction_sem=lambda values: values.sem(ddof=1)
    )
    means[COUNTS] = groups[COUNTS].first()
    return pd.concat([shown, means.reset_index().assign(series="mean_by_rank")], ignore_index=True)


def fig6(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """C_zz(r) of the representative seed, whole, exact, and without the units of highest and of lowest impact."""
    units = ranked_units(files)
    units = units[units.representative]
    chosen = (units["rank"] <= SHOWN_RANKS) | (units["rank"] > units.n_hidden - SHOWN_LOWEST)
    removed = long(units[chosen], ["czz", "delta_czz"])
    removed = removed.assign(series="removed", czz=removed.czz + removed.delta_czz)
    whole = long(units[units["rank"] == 1], ["czz", "exact_czz"]).assign(unit=np.nan, rank=np.nan)
    parts = [whole.assign(series="full"), whole.assign(series="exact", czz=whole.exact_czz), removed]
    cell = ["n_sites", "alpha", "mode", "sector", "repeat", "n_hidden"]
    return pd.concat(parts, ignore_index=True)[[*cell, "series", "unit", "rank", "r", "czz", *COUNTS]]


def fig7(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Energy and C_zz(r) of the representative seed with one unit kept, for every unit."""
    units = ranked_units(files)
    table = long(units[units.representative], ["czz", "exact_czz", "czz_alone"])
    table = table.rename(columns={"energy": "energy_full", "czz": "czz_full"})
    energies = ["energy_alone", "energy_none", "energy_full", "exact_energy"]
    cell = ["n_sites", "alpha", "mode", "sector", "repeat", "n_hidden"]
    return table[[*cell, "unit", "rank", *energies, "r", "czz_alone", "czz_full", "exact_czz", *COUNTS]]


def fig8(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Impacts of every unit of the representative seed, its rho, and mean and spread of rho over seeds."""
    units = ranked_units(files)
    keys = ["n_sites", "alpha", "mode", "sector"]
    of_model = units.groupby([*keys, "repeat"])[["energy_impact", "correlation_impact"]]
    rho = of_model.apply(lambda part: pearson(*part.to_numpy().T))
    over_seeds = rho.groupby(keys).agg(rho_mean="mean", rho_sd=lambda values: values.std(ddof=1)).reset_index()
    table = units[units.representative].merge(rho.rename("rho").reset_index(), on=[*keys, "repeat"])
    impacts = ["energy_impact", "correlation_impact", "rho", "rho_mean", "rho_sd"]
    return table.merge(over_seeds, on=keys)[[*keys, "repeat", "unit", "rank", *impacts, *COUNTS]]


def figX2(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Weight of each |Sz| at every snapshot, in the state and in the samples, means over seeds."""
    keys = ["n_sites", "alpha", "mode", "iteration"]
    marked = some(mark(read(files["snapshots"])))
    marked = marked[marked.sector == "all"]
    exact = long(marked, ["sz_abs"], place="m").rename(columns={"sz_abs": "exact_weight"})
    traces = []
    for models, trace in trace_pairs(files):
        at_snapshots = trace[trace.iteration.isin(marked.iteration)]
        sampled = long(at_snapshots, ["sz_abs"], place="m").rename(columns={"sz_abs": "sampled_weight"})
        traces.append(sampled.assign(**_cell(models.iloc[0])))
    join = [*keys, "repeat", "m"]
    table = exact.merge(pd.concat(traces, ignore_index=True)[[*join, "sampled_weight"]], on=join, how="left")
    columns = {f"{name}_mean": (name, "mean") for name in ("exact_weight", "sampled_weight")}
    means = table[table.counted].groupby([*keys, "m"]).agg(**columns).reset_index()
    return means.merge(counts(marked, keys), on=keys)


def ranked_units(files: Files) -> pd.DataFrame:
    """Units of trace cells beside the sums of their whole model, with rank by |dE| (1 = largest).

    Also `counted`, `representative` (the model of median sampled error among those counted) and COUNTS.
    """
    keys = [*CELL, "n_hidden", "repeat", "status", "sector"]
    states = mark(read(files["states"]))
    states = some(states[states.run == TRACE])
    states = states.merge(counts(states, [*CELL, "sector"]), on=[*CELL, "sector"])
    counted = states[states.counted]
    chosen = [median_row(part.sampled_error) for _, part in counted.groupby([*CELL, "sector"])]
    states["representative"] = states.index.isin(chosen)
    units = read(files["units"]).merge(states, on=keys)
    of_model = units.groupby([*CELL, "sector", "repeat"])
    units["rank"] = of_model.energy_impact.rank(ascending=False, method="first")
    units["delta_energy_fraction"] = units.delta_energy / units.energy.abs()
    return units[units.counted].reset_index(drop=True)


def _cell(row: pd.Series) -> dict[str, Any]:
    return {name: row[name] for name in ("n_sites", "alpha", "mode")}


def _counts(marked: pd.DataFrame) -> dict[str, int]:
    """COUNTS of one cell."""
    numbers = counts(marked, CELL)
    return {name: int(numbers[name].iloc[0]) for name in COUNTS}
