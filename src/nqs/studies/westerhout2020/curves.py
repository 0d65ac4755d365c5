"""The published curves of Westerhout et al. 2020."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.analysis.facts import PublishedError
from nqs.model.clusters import CLUSTERS, sites

CURVES = Path("reference/westerhout2020/curves.json")  # from the project's folder


PRECISION = 0.01  # of every overlap


COLUMNS = (
    "figure", "panel", "cluster", "lattice", "n_sites", "network", "target", "series",
    "j2_over_j1", "epsilon_train", "x", "overlap", "overlap_signed",
)  # fmt: skip


UPPER_ROW = {
    "fig2a_square24_eps0.01": ("a", "square24"),
    "fig2b_triangle24_eps0.01": ("b", "triangle24"),
    "fig2c_kagome24_eps0.01": ("c", "kagome24"),
}


LOWER_ROW = {"fig2d_SR_square24": ("d", "square24"), "fig2f_SR_kagome24": ("f", "kagome24")}


KAGOME_SIGNS = ("fig2c_kagome24_eps0.01", "dense2")  # the one curve whose sign is known


EPSILON = 0.01  # data-set size of Figs. 2 (upper row) and 5


# By how much the critical training set grows between two square clusters [text on Fig. 4; its points are not read off].
GROWTH, GROWTH_SITES = 10.0, (24, 36)


def read_curves(path: Path = CURVES) -> pd.DataFrame:
    """Published points of Figs. 2, 3 and 5, one per row; columns `COLUMNS`.

    series is "generalisation" or "variational"; x is the quantity on the axis, J2/J1 (Figs. 2, 5)
    or epsilon_train (Fig. 3); overlap is as plotted; overlap_signed is NaN where only the modulus
    is known. Raises PublishedError if the file is missing, broken or lacks a curve.
    """
    try:
        curves = json.loads(path.read_text())
        points = [*_fig2(curves), *_fig3(curves), *_fig5(curves)]
    except (OSError, json.JSONDecodeError, KeyError, ValueError) as error:
        raise PublishedError(f"{path}: cannot read the published curves: {error!r}") from error
    return pd.DataFrame([_of_cluster(point["cluster"]) | point for point in points], columns=list(COLUMNS))


def _of_cluster(cluster: str) -> dict[str, Any]:
    lattice, shape = CLUSTERS[cluster]
    return {"lattice": lattice, "n_sites": sites(lattice, shape)}


def _fig2(curves: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key, (panel, cluster) in UPPER_ROW.items():
        for network, curve in curves[key].items():
            yield from _against_j2(
                curve,
                signed=(key, network) == KAGOME_SIGNS,
                figure="fig2", panel=panel, cluster=cluster, network=network, target="sign",
                series="generalisation", epsilon_train=EPSILON,
            )  # fmt: skip
    for key, (panel, cluster) in LOWER_ROW.items():
        yield from _against_j2(
            curves[key],
            figure="fig2", panel=panel, cluster=cluster, network="dense2", target="sign",
            series="variational", epsilon_train=float("nan"),
        )  # fmt: skip


def _fig3(curves: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for j2, curve in curves["fig3_kagome24_dense2_eps"].items():
        for epsilon, overlap in zip(curve["eps"], curve["ov"], strict=True):
            yield {
                "figure": "fig3", "panel": "", "cluster": "kagome24", "network": "dense2",
                "target": "sign", "series": "generalisation", "j2_over_j1": float(j2),
                "epsilon_train": float(epsilon), "x": float(epsilon), "overlap": float(overlap),
            }  # fmt: skip


def _fig5(curves: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    shared: dict[str, Any] = {
        "figure": "fig5", "panel": "", "cluster": "kagome24", "network": "dense2",
        "series": "generalisation", "epsilon_train": EPSILON,
    }  # fmt: skip
    key, network = KAGOME_SIGNS
    yield from _against_j2(curves[key][network], signed=True, target="sign", **shared)
    yield from _against_j2(curves["paperfig5_kagome24_amplitudes_dense2"], target="amplitude", **shared)


def _against_j2(curve: Mapping[str, Any], signed: bool = False, **cell: Any) -> Iterator[dict[str, Any]]:
    for j2, value in zip(curve["j2"], curve["ov"], strict=True):
        point = cell | {"j2_over_j1": float(j2), "x": float(j2), "overlap": abs(float(value))}
        yield point | ({"overlap_signed": float(value)} if signed else {})
