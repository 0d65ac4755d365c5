"""Which hidden units matter, their share against the size of the ring, and power laws m' = a N^k.

Three tables over all cells of the systematic study: one row per model and threshold, seed means, and fits to the means.
`with_r0` says whether r = 0 enters the correlation criterion (see `observables`). Which models enter the means is said
in `nqs.analysis.table_files`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.power_laws import log_log_law, power_law
from nqs.analysis.rbm_observables import KEYS, important
from nqs.analysis.table_files import CELL, counts, mark, read, some
from nqs.runtime.job import Files

IMPACT = {False: "correlation_impact", True: "correlation_impact_r0"}  # by with_r0


MODEL = [*KEYS, "sector"]


POINT = [*CELL, "sector", "tau", "with_r0"]


CURVE = ["study", "alpha", "mode", "run", "sector", "tau", "with_r0"]


def pearson(one: np.ndarray, two: np.ndarray) -> float:
    """Pearson correlation; NaN for fewer than two values or if one of them does not vary."""
    one, two = one - one.mean(), two - two.mean()
    norm = np.sqrt((one @ one) * (two @ two))
    return float(np.clip(one @ two / norm, -1.0, 1.0)) if norm > 0 else np.nan


def classify(units: pd.DataFrame, taus: Sequence[float]) -> pd.DataFrame:
    """Numbers of important units of every model, one row per (model, sector, tau, with_r0).

    n_by_energy: by the energy criterion alone.  rho: Pearson of the two impacts over the units, the same for all
    thresholds and with or without r = 0.
    """
    groups = units.groupby(MODEL, sort=True)
    models = groups.size().rename("units").reset_index()
    models["rho"] = [pearson(part.energy_impact.to_numpy(), part.correlation_impact.to_numpy()) for _, part in groups]
    keys = [units[name] for name in MODEL]
    tables = []
    for tau in taus:
        by_energy = (units.energy_impact > tau).groupby(keys, sort=True).sum().to_numpy()
        for with_r0, impact in IMPACT.items():
            chosen = important(units.energy_impact, units[impact], tau)
            number = chosen.groupby(keys, sort=True).sum().to_numpy()
            found = {"tau": tau, "with_r0": with_r0, "n_important": number, "fraction": number / models.units}
            tables.append(models.assign(**found, n_by_energy=by_energy))
    return pd.concat(tables, ignore_index=True).drop(columns="units")


def seed_means(models: pd.DataFrame) -> pd.DataFrame:
    """Mean, standard deviation (ddof 1) and standard error over seeds of m', m'/M and rho, one row per POINT.

    converged: whether the means run over converged models. Cells without a usable model are left out.
    models: as `classify` gives them, marked by `mark`.
    """
    counted = models[models.counted]
    values = counted.groupby(POINT, sort=True)[["n_important", "fraction", "rho"]]
    table = counts(models, POINT)
    for suffix, over in (("mean", values.mean()), ("sd", values.std(ddof=1)), ("sem", values.sem(ddof=1))):
        table = table.merge(over.add_suffix(f"_{suffix}").reset_index(), on=POINT)
    converged = (counted.status == "converged").groupby([counted[name] for name in POINT]).all()
    return table.merge(converged.rename("converged").reset_index(), on=POINT)


FITS = {"nonlinear": power_law, "loglog": log_log_law}


def fits(means: pd.DataFrame) -> pd.DataFrame:
    """Power laws of the seed means of m' against N, one row per CURVE and kind of fit.

    converged: whether every mean runs over converged models;  smallest, largest: sizes fitted.
    """
    rows = []
    for curve, points in means.groupby(CURVE, sort=True):
        sizes, values = points.n_sites.to_numpy(dtype=float), points.n_important_mean.to_numpy(dtype=float)
        origin = {"converged": points.converged.all(), "smallest": int(sizes.min()), "largest": int(sizes.max())}
        for name, fit in FITS.items():
            rows.append(dict(zip(CURVE, curve, strict=True)) | {"fit": name} | vars(fit(sizes, values)) | origin)
    return pd.DataFrame(rows)


def rows(files: Files, settings: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Important units of every network, their means over repeats and the fits, from all cells of the study.

    settings: taus, the thresholds.
    """
    marked = some(mark(read(files["states"])))
    models = classify(read(files["units"]), settings["taus"])
    models = models.merge(marked[[*MODEL, "usable", "counted"]], on=MODEL, how="left")
    means = seed_means(models)
    return {"importance": models, "fractions": means, "power_laws": fits(means)}
