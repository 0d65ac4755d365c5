"""What Mummaneni and Sajjan (2026) say in words about the course of the training, tested on our models.

The models are those of Figs. 2 to 8 and 12, which run for a fixed number of iterations; energies are as sampled.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from nqs.analysis.claims import Check, Data, Measured, beyond, result, spread, trained, variants
from nqs.analysis.table_files import CELL
from nqs.vmc.keys import TRACE

WINDOW = 50  # iterations of a rolling mean
STEADY = 0.8  # share of seeds that must be smooth
SIGNIFICANT = 0.6  # |S_AFM| of a specialised unit, Sec. II
DENSITY_SIZE = 10  # sites, Fig. 12
REACHED = (1e-2, 1e-3)  # relative errors


def courses(data: Data, n_sites: int) -> pd.DataFrame:
    """Traces of the counted models of one ring beside their rows; empty if they were not trained long enough."""
    models = data.counted("models", run=TRACE, n_sites=n_sites)
    if models.empty or data.traces.empty or not trained(models):
        return models.iloc[:0].assign(iteration=0)
    models = models.drop(columns=["energy", "variance"], errors="ignore")
    return data.traces.merge(models, on=[*CELL, "repeat"]).sort_values([*CELL, "repeat", "iteration"])


def smooth_convergence(data: Data) -> Iterator[Measured]:
    """At N = 4 and 8 no window of 50 iterations lies 3 SE above the 50 before, in at least 8 of 10 seeds."""
    for n_sites in (4, 8):
        table = courses(data, n_sites)
        for cell, part in variants(table[table.alpha == 2], "mode"):
            rise = part.groupby("repeat").energy.apply(lambda energy: largest_rise(energy.to_numpy()))
            share = float((rise <= 3).mean())
            remark = f"largest rise in SE of the two windows: {spread(rise)}"
            quantity = f"share of seeds whose mean energy never rises, N = {n_sites}"
            yield result(quantity, share, share >= STEADY, cell | {"sector": "sampled"}, len(rise), remark)


def largest_rise(energy: np.ndarray) -> float:
    """Largest rise of the mean from one window of the curve (iteration,) to the next, over its standard error."""
    windows = np.lib.stride_tricks.sliding_window_view(energy, WINDOW)
    mean, variance = windows.mean(axis=1), windows.var(axis=1, ddof=1) / WINDOW
    rise = mean[WINDOW:] - mean[:-WINDOW]
    error = np.sqrt(variance[WINDOW:] + variance[:-WINDOW])
    return float((rise / np.maximum(error, 1e-300)).max())


def several_units_specialize(data: Data) -> Iterator[Measured]:
    """At N = 4 and 8 more units have |S_AFM| > 0.6 after the training than before, paired over seeds, by 2 SE."""
    if data.initial.empty:
        return
    after = data.units[data.units.sector == "zero"].merge(
        data.initial.rename(columns={"s_afm": "s_afm_before"}), on=[*CELL, "repeat", "unit"]
    )
    models = data.counted("models", run=TRACE, alpha=2)[[*CELL, "repeat", "stopped_at"]]
    units = after.merge(models, on=[*CELL, "repeat"])
    units = units.assign(now=units.s_afm.abs() > SIGNIFICANT, then=units.s_afm_before.abs() > SIGNIFICANT)
    for cell, part in variants(units[units.n_sites.isin([4, 8])], "n_sites", "mode"):
        number = part.groupby("repeat")[["now", "then"]].sum()
        gained = number.now - number.then
        agrees = beyond(gained) if trained(part) else None
        remark = f"of {part.n_hidden.iloc[0]}: {number.then.mean():.3g} before, {number.now.mean():.3g} after"
        quantity = f"units gained with |S_AFM| > {SIGNIFICANT}, N = {cell['n_sites']}"
        yield result(quantity, gained, agrees, cell, len(gained), remark)


def alpha_speeds_convergence(data: Data) -> Iterator[Measured]:
    """At N = 10 the iteration that first meets an error falls with the density: Spearman < 0 by 2 SE over seeds."""
    table = courses(data, DENSITY_SIZE)
    for cell, part in variants(table, "mode"):
        error = (part.energy / part.exact_energy - 1).abs()
        for bound in REACHED:
            first = part.iteration.where(error < bound)
            first = first.groupby([part.repeat, part.alpha]).min()
            never = int(first.isna().sum())
            rank = first.fillna(part.iteration.max() + 1).groupby("repeat").apply(_rank_with_density).dropna()
            remark = f"{never} of {len(first)} models never met it"
            quantity = f"Spearman of density and iterations to an error of {bound:g}, N = {DENSITY_SIZE}"
            agrees = beyond(rank, -1) if len(rank) else None
            yield result(quantity, rank, agrees, cell | {"sector": "sampled"}, len(rank), remark)


def _rank_with_density(first: pd.Series) -> float:
    """Spearman of the iterations of one seed with the density; NaN if they are all equal."""
    if first.nunique() < 2:
        return np.nan
    return float(spearmanr(first.index.get_level_values("alpha"), first).statistic)


TRENDS: dict[str, Check] = {
    "smooth_convergence": smooth_convergence,
    "several_units_specialize": several_units_specialize,
    "alpha_speeds_convergence": alpha_speeds_convergence,
}
