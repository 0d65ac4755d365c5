"""Rows of Fig. 4: the smallest training sets that generalise, against the dimension of the Hilbert space.

A network generalises from the size on at which its mean overlap on fresh |psi|^2 samples reaches the threshold and
stays there on the rest of the scan. In between two sizes of the scan ln(epsilon) is interpolated linearly. The interval
is that of the 16th and 84th percentile over a bootstrap of the repeats of every size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import WLS

from nqs.model.clusters import dimension
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.westerhout2020.tables.summary import NETWORK, complete, read, select, some_trained
from nqs.studies.westerhout2020.tables.training_size import ABOVE, BELOW, FOUND

PERCENTILES = (16, 84)
N_BOOTSTRAP = 2000
SMALLEST_ERROR = 0.05  # of ln(size) in the fit; repeats that happen to agree should not decide it


def critical_epsilons(epsilons: np.ndarray, overlaps: np.ndarray, threshold: float) -> np.ndarray:
    """Critical epsilon of curves (curve, size) over ascending sizes; inf above the grid, 0 below it."""
    low = overlaps < threshold
    # the last size below the threshold; the curve stays above from the next one on
    last = np.where(low.any(1), low.shape[1] - 1 - np.argmax(low[:, ::-1], 1), -1)
    inside = (last >= 0) & (last < len(epsilons) - 1)
    i, rows = np.where(inside, last, 0), np.arange(len(overlaps))
    left, right = overlaps[rows, i], overlaps[rows, np.minimum(i + 1, len(epsilons) - 1)]
    logs = np.log(epsilons)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(inside, (threshold - left) / (right - left), 0.0)
    between = np.exp(logs[i] + step * (logs[np.minimum(i + 1, len(epsilons) - 1)] - logs[i]))
    return np.where(inside, between, np.where(last < 0, 0.0, np.inf))


def interval(
    repeats: Sequence[np.ndarray], epsilons: np.ndarray, threshold: float, rng: np.random.Generator
) -> tuple[float, float]:
    """16th and 84th percentile of the critical epsilon over a bootstrap of the repeats; NaN beyond the grid."""
    means = [values[rng.integers(len(values), size=(N_BOOTSTRAP, len(values)))].mean(1) for values in repeats]
    critical = critical_epsilons(epsilons, np.stack(means, 1), threshold)
    # an order statistic, because there is no mean of a value and infinity
    low, high = np.percentile(critical, PERCENTILES, method="inverted_cdf")
    return tuple(float(value) if 0 < value < np.inf else np.nan for value in (low, high))  # type: ignore[return-value]


def critical_row(rows: pd.DataFrame, n_sites: int, threshold: float, seed: int) -> dict[str, Any]:
    """Critical size of one cluster and coupling from its networks; rows: epsilon, overlap_sampled."""
    states = dimension(n_sites)
    groups = {epsilon: group.overlap_sampled.to_numpy() for epsilon, group in rows.groupby("epsilon", sort=True)}
    epsilons, repeats = np.array(list(groups)), list(groups.values())
    means = np.array([values.mean() for values in repeats])
    critical = float(critical_epsilons(epsilons, means[None], threshold)[0])
    status = FOUND if 0 < critical < np.inf else BELOW if critical == 0 else ABOVE
    low, high = interval(repeats, epsilons, threshold, np.random.default_rng(seed))
    values = dict(zip(("", "_low", "_high"), (critical if status == FOUND else np.nan, low, high), strict=True))
    return {
        "dimension": states,
        "threshold": threshold,
        "status": status,
        **{f"critical_epsilon{name}": value for name, value in values.items()},
        **{f"critical_size{name}": value * states for name, value in values.items()},
        "smallest_size": float(epsilons[0]) * states,  # of the scan
        "largest_size": float(epsilons[-1]) * states,
        "n_members": min(len(values) for values in repeats),
    }


def power_law(table: pd.DataFrame) -> dict[str, float]:
    """Fit critical_size = prefactor dimension^exponent to the points found, in logarithms, weighted by their errors.

    NaN below two points, and where a size lies beyond its scan, which a line through the others would ignore; the
    standard error, from the residuals, also with exactly two.
    """
    points = table[table.status == FOUND]
    nothing = {"exponent": np.nan, "exponent_se": np.nan, "prefactor": np.nan, "n_fit": len(points)}
    if len(points) < 2 or len(points) < len(table):
        return nothing
    size = np.log(points.critical_size.to_numpy())
    low = points.critical_size_low.fillna(points.smallest_size)  # an interval that leaves the scan ends there
    high = points.critical_size_high.fillna(points.largest_size)
    error = np.maximum(np.maximum(size - np.log(low), np.log(high) - size), SMALLEST_ERROR)
    design = np.column_stack([np.ones(len(size)), np.log(points.dimension.to_numpy())])
    fit = WLS(size, design, weights=1 / error**2).fit()
    slope_error = float(fit.bse[1]) if len(points) > 2 else np.nan
    fitted = {"exponent": float(fit.params[1]), "exponent_se": slope_error, "prefactor": float(np.exp(fit.params[0]))}
    return nothing | fitted


def critical_table(rows: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per cluster and coupling, and on each the power law over the clusters of its coupling.

    settings: clusters (cluster, lattice, n_sites of each, in order), threshold, seed.
    """
    places = {place["cluster"]: place for place in settings["clusters"]}
    order = list(places)
    points = []
    for (cluster, j2), group in rows.groupby(["cluster", "j2"], sort=True):
        seed = seed_of("critical-sizes", cluster, j2, settings["seed"])
        point = critical_row(group, places[cluster]["n_sites"], settings["threshold"], seed)
        points.append({**places[cluster], "j2_over_j1": j2, **point})
    points.sort(key=lambda point: (point["j2_over_j1"], order.index(point["cluster"])))
    table = pd.DataFrame(points)
    fits = {j2: power_law(group) for j2, group in table.groupby("j2_over_j1")}
    return table.join(pd.DataFrame([fits[j2] for j2 in table.j2_over_j1], index=table.index))


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """The critical sizes from the overlaps of the cells."""
    networks = some_trained(select(complete(read(files["overlaps"], NETWORK), settings), settings))
    return critical_table(networks.dropna(subset=["overlap_sampled"]), settings)
