"""Rows of Fig. X2: the landscape of the energy of one ring."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nqs.analysis.table_files import read
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.exact.transfer_matrix import measure
from nqs.model.motifs import bits, design_matrix
from nqs.runtime.job import Files
from nqs.studies.ju2025.files import Optima, best_known_energy, optima_of
from nqs.studies.ju2025.tables.regressions import TERMS, least_squares
from nqs.studies.ju2025.tables.uniqueness import BEYOND, PER_SEGMENT, Settings

FITTED = (*TERMS, "r_squared")


def figX2(files: Files, settings: Settings) -> pd.DataFrame:
    """Local minima of the network's exact energy, the trained runs beside them, and a cut between the two lowest.

    settings: size, width. series: "minimum", one row per start and family (cps, cnn), ascending, with its quantile
    among those of its family, the number of starts and of distinct minima, and for each distinct one of the network the
    coefficients of Table II there (`TERMS`, r_squared);  "run", one row per trained shallow network
    of this ring and K, with its quantile within `family`, the way of training;  "cut", the energy along the straight
    line between the two lowest distinct minima, at t = 0 and 1, in the parameters of `reduced`, of the images of the
    second the one nearest to the first; none if there is only one minimum.
    """
    size, width = int(settings["size"]), int(settings["width"])
    optima = optima_of(files, size, width)
    levels = optima.table.iloc[0][["ground_energy", "triplet_energy"]]
    parts = [*_minima(optima), *_runs(files, size, width), _cut(optima)]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return table.assign(n_sites=size, width=width, **levels, delta_energy=table.energy - levels.ground_energy)


def _minima(optima: Optima) -> Iterator[pd.DataFrame]:
    for family in ("cps", "cnn"):
        rows = optima.minima(family)
        if family == "cnn":
            rows = rows.join(_regressions(optima))
        shown = rows.dropna(subset="energy").sort_values("energy", kind="stable")
        numbers = {"n_starts": len(rows), "distinct_minima": len(optima.distinct(family))}
        shown = shown.reindex(columns=["family", "start", "energy", "slope", "converged", "stuck", *FITTED])
        yield shown.assign(series="minimum", quantile=_quantiles(len(shown)), **numbers)


def _regressions(optima: Optima) -> pd.DataFrame:
    """Coefficients of Table II and R^2 at every distinct minimum of the network, by its row."""
    design, found = design_matrix(optima.length), {}
    for row in optima.distinct("cnn").index:
        numbers = coefficients(reduced(optima.arrays["cnn_parameters"][row]))
        fit = least_squares(design, measure(optima.n_sites, numbers).motif_expectations)
        found[row] = [*fit.coefficients, fit.r_squared]
    return pd.DataFrame.from_dict(found, orient="index", columns=list(FITTED), dtype=float)


def _quantiles(count: int) -> np.ndarray:
    return (np.arange(count) + 0.5) / count


def _runs(files: Files, size: int, width: int) -> Iterator[pd.DataFrame]:
    if not files.get("runs"):
        return
    runs = read(files["runs"])
    runs = runs[(runs.n_sites == size) & (runs.width == width) & runs.network.isin(FORCINGS)]
    known = runs.assign(sampled=runs.exact_energy.isna(), energy=best_known_energy(runs)).dropna(subset="energy")
    known = known.assign(energy_error=known.energy_error.where(known.sampled, 0.0), stuck=known.stuck.astype(bool))
    for network, rows in known.groupby("network"):
        shown = rows.sort_values("energy", kind="stable")[["run", "energy", "energy_error", "sampled", "stuck"]]
        yield shown.assign(series="run", family=network, quantile=_quantiles(len(rows)))


def _cut(optima: Optima) -> pd.DataFrame:
    lowest = optima.distinct("cnn").head(2)
    if len(lowest) < 2:
        return pd.DataFrame()
    first, second = (reduced(optima.arrays["cnn_parameters"][row]) for row in lowest.index)
    second = min(images(second), key=lambda image: float(np.sum((image - first) ** 2)))
    places = np.arange(-BEYOND, PER_SEGMENT + BEYOND + 1) / PER_SEGMENT
    energies = [measure(optima.n_sites, coefficients(first + t * (second - first))).energy for t in places]
    return pd.DataFrame({"series": "cut", "family": "cnn", "position": places, "energy": energies})


def reduced(parameters: np.ndarray) -> np.ndarray:
    """The K + 2 numbers (sign v, |v| u, |v| c) that matter of (v, w, b): (2K + 2,) to (K + 2,).

    w.m + b = u.s + c on spins s = +-1, and a positive factor passes through the ReLU.
    """
    scale, kernel, bias = parameters[0], parameters[1:-1].reshape(-1, 2), parameters[-1]
    field, centre = (kernel[:, 1] - kernel[:, 0]) / 2, kernel.sum() / 2 + bias
    return np.concatenate([[np.sign(scale)], abs(scale) * field, [abs(scale) * centre]])


def images(numbers: np.ndarray) -> Iterator[np.ndarray]:
    """Reduced parameters of equal energy: u and c reversed in sign, or u in space.

    Both signs: relu(x) = relu(-x) + x, and u.s sums to zero around the ring. One sign: up and down exchanged.
    """
    for along in (numbers[1:-1], numbers[-2:0:-1]):
        for field in (along, -along):
            for centre in (numbers[-1], -numbers[-1]):
                yield np.concatenate([numbers[:1], field, [centre]])


def coefficients(numbers: np.ndarray) -> np.ndarray:
    """C_s' = sign relu(u.s' + c) of reduced parameters: (K + 2,) to (2^K,)."""
    length = len(numbers) - 2
    spins = 2.0 * bits(np.arange(1 << length), length) - 1
    return numbers[0] * np.maximum(spins @ numbers[1:-1] + numbers[-1], 0)
