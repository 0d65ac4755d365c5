"""Rows of Fig. X1: how the critical size of the training set depends on the number of states per update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.westerhout2020.tables.critical_sizes import critical_row
from nqs.studies.westerhout2020.tables.summary import (
    NETWORK,
    complete,
    figure_table,
    joined,
    read,
    select,
    some_trained,
)


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per point, as for Fig. 3, and one per network and coupling with its critical size.

    series: "generalisation" or "critical" (see `critical_sizes`); batch: states per update.  settings: those of
    `figure_table`, batches (of each network), threshold and seed.
    """
    networks = complete(read(files["overlaps"], NETWORK), settings)
    points = figure_table(networks, settings)
    table = pd.concat([points, pd.DataFrame(list(_critical(networks, settings)))], ignore_index=True)
    table.insert(4, "batch", table.network.map(settings["batches"]).astype(int))
    return table


def _critical(networks: pd.DataFrame, settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Critical sizes of every network, cluster and coupling."""
    places = {place["cluster"]: place for place in settings["clusters"]}
    known = some_trained(select(networks, settings)).dropna(subset=["overlap_sampled"])
    for (cluster, j2, network), group in known.groupby(["cluster", "j2", "network"], sort=True):
        # one seed for all batches: they share their data sets, repeat by repeat
        seed = seed_of("critical-sizes", cluster, j2, settings["seed"])
        row = critical_row(group, places[cluster]["n_sites"], settings["threshold"], seed)
        named = {"j2_over_j1": j2, "network": network, "target": "sign", "series": "critical"}
        yield {**places[cluster], **named, **row, "device": joined(group.device)}
