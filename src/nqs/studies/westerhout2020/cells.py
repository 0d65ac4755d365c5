"""Which jobs a configuration asks for.

A cell is one scientific unit of work, (study, cluster, coupling, network, target, data): all its data-set sizes and
repeats train together in one process. Figures ask for cells; a cell needed by several figures exists once, with the
union of their members. A cell's JSON holds all the numbers its job depends on and no others.

Figures and tables of westerhout2020 show

    fig2, figS4                    several networks against J2; fig2 also expressibility and variational states
    fig5, figS2, figS6             signs and amplitudes against J2
    fig3, figS1, figS3, figS5, figS7   one network against the size of the training set
    fig4                           critical sizes in some of those scans
    tableX1                        variants of a network, and of the way its training sets are drawn
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from nqs.model.clusters import sites
from nqs.studies.westerhout2020.config import EPSILON_SCANS, NETWORK_SCANS, STUDY, TARGET_SCANS
from nqs.supervised.keys import DISTINCT, SAMPLED, WHOLE, CellKey, Member
from nqs.vmc.keys import ReconfigurationKey
from nqs.workflow.configuration import Config

DRAWN = ("fig1", "fig2", "fig3", "fig4", "fig5", *(f"figS{number}" for number in range(1, 8)))
SUMMARISED = (*NETWORK_SCANS, *TARGET_SCANS, *EPSILON_SCANS)  # figures with one row per point
TABLES = ("tableX1",)

Sizes = dict[float, int]  # data-set size -> repeats


def shown(config: Config, figure: str) -> dict[CellKey, Sizes]:
    """Cells behind a figure or table of westerhout2020, sorted, and which of their members it takes."""
    if figure in NETWORK_SCANS:
        cells = _network_scan(config, figure)
    elif figure in TARGET_SCANS:
        cells = _target_scan(config, figure)
    elif figure in EPSILON_SCANS:
        cells = _epsilon_scan(config, figure)
    elif figure == "fig4":
        cells = _critical(config)
    else:
        cells = _variants(config)
    return dict(sorted(cells.items()))


def _network_scan(config: Config, figure: str) -> dict[CellKey, Sizes]:
    study = config.westerhout2020
    block = getattr(study, figure)
    cells = {
        CellKey(STUDY, panel.cluster, j2, network, "sign", SAMPLED): {block.epsilon: block.repeats}
        for panel in block.panels
        for network in panel.networks
        for j2 in panel.couplings(network)
    }
    if figure == "fig2":
        for panel in block.panels:
            for j2 in panel.expressibility:
                key = CellKey(STUDY, panel.cluster, j2, block.expressibility_network, "sign", WHOLE)
                cells[key] = {1.0: study.expressibility.repeats}
    return cells


def _target_scan(config: Config, figure: str) -> dict[CellKey, Sizes]:
    block = getattr(config.westerhout2020, figure)
    return {
        CellKey(STUDY, panel.cluster, j2, block.network, target, SAMPLED): {block.epsilon: block.repeats}
        for panel in block.panels
        for j2 in panel.j2
        for target in ("sign", "amplitude")
    }


def _epsilon_scan(config: Config, figure: str) -> dict[CellKey, Sizes]:
    block = getattr(config.westerhout2020, figure)
    return {
        CellKey(STUDY, panel.cluster, j2, block.network, block.target, SAMPLED): dict.fromkeys(
            sorted(panel.epsilons), block.repeats
        )
        for panel in block.panels
        for j2 in panel.j2
    }


def _critical(config: Config) -> dict[CellKey, Sizes]:
    block = config.westerhout2020.fig4
    scans = [_epsilon_scan(config, scan) for scan in block.scans]
    return {key: sizes for key, sizes in union(scans).items() if key.cluster in block.clusters and key.j2 in block.j2}


def _variants(config: Config) -> dict[CellKey, Sizes]:
    block = config.westerhout2020.tableX1
    kinds = [(network, SAMPLED) for network in block.networks]
    kinds += [(block.networks[0], DISTINCT)] if block.distinct else []
    cells = [(point.cluster, point.j2, *kind) for point in block.points for kind in kinds]
    cells += [(point.lacking, point.j2, block.networks[0], SAMPLED) for point in block.points if point.lacking]
    return {
        CellKey(STUDY, cluster, j2, network, "sign", data): {block.epsilon: block.repeats}
        for cluster, j2, network, data in cells
    }


def union(parts: Iterable[Mapping[CellKey, Sizes]]) -> dict[CellKey, Sizes]:
    """All cells of the parts, each with the sizes of all and the most repeats of each."""
    cells: dict[CellKey, Sizes] = defaultdict(dict)
    for part in parts:
        for key, sizes in part.items():
            for epsilon, repeats in sizes.items():
                cells[key][epsilon] = max(repeats, cells[key].get(epsilon, 0))
    return dict(cells)


def figure_cells(config: Config, figure: str) -> list[CellKey]:
    """The cells behind a figure or table, sorted."""
    return [] if figure == "fig1" else list(shown(config, figure))


def supervised_cells(config: Config) -> dict[CellKey, list[Member]]:
    """All supervised cells, members sorted."""
    cells = union(shown(config, figure) for figure in (*SUMMARISED, "fig4", *TABLES))
    return {
        key: [Member(epsilon, repeat) for epsilon in sorted(sizes) for repeat in range(sizes[epsilon])]
        for key, sizes in sorted(cells.items())
    }


def reconfiguration_cells(config: Config) -> list[ReconfigurationKey]:
    """All cells of stochastic reconfiguration, sorted: the lower row of Fig. 2."""
    block = config.westerhout2020.fig2.variational
    return sorted(
        {ReconfigurationKey(STUDY, panel.cluster, j2, block.network) for panel in block.panels for j2 in panel.j2}
    )


def supervised_settings(config: Config, key: CellKey, members: Iterable[Member]) -> dict[str, Any]:
    """What the training of one cell depends on."""
    study = getattr(config, key.study)
    network = config.networks[key.network].model_dump(mode="json")
    training = (study.expressibility if key.data == WHOLE else study.training).model_dump(mode="json")
    training["max_updates"] = min(training["max_updates"], network.pop("max_updates") or training["max_updates"])
    training["batch"] = network.pop("batch") or training["batch"]
    return {
        "key": vars(key),
        "members": [vars(member) for member in members],
        "network": network,
        "training": training,
        "seed": config.seed,
    }


def reconfiguration_settings(config: Config, key: ReconfigurationKey) -> dict[str, Any]:
    """What one cell of stochastic reconfiguration depends on."""
    network = config.networks[key.network]
    return {
        "key": vars(key),
        "network": {"architecture": network.architecture, "hidden": list(network.hidden)},
        "reconfiguration": getattr(config, key.study).reconfiguration.model_dump(mode="json"),
        "seed": config.seed,
    }


def dataset_settings(
    config: Config,
    study: str,
    coupling: tuple[str, float],
    data: str,
    epsilon: float,
    cells: Mapping[CellKey, Iterable[Member]],
) -> dict[str, Any]:
    """What the data sets of one size depend on: as many repeats as any cell of that coupling and data trains on.

    cells: all supervised cells.
    """
    repeats = {
        member.repeat
        for key, members in cells.items()
        if (key.study, key.coupling, key.data) == (study, coupling, data)
        for member in members
        if member.epsilon == epsilon
    }
    settings = getattr(config, study).dataset.model_dump(mode="json")
    settings["replacement"] &= data != DISTINCT
    cluster, j2 = coupling
    return {
        "cluster": cluster,
        "j2": j2,
        "epsilon": epsilon,
        "repeats": max(repeats) + 1,
        "seed": config.seed,
        **settings,
    }


def overlap_settings(config: Config, study: str, cluster: str) -> dict[str, Any]:
    """How the overlaps of a cluster's networks are found: number of samples, and whether there are exact sums."""
    block = getattr(config, study).overlaps
    estimated = sites(*config.cluster(cluster)) > block.exact_up_to
    return {"samples": block.large_samples if estimated else block.samples, "estimated": estimated}


def figure_summary(config: Config, figure: str) -> dict[str, Any]:
    """What a figure's table depends on: its cells with sizes and repeats, and its clusters in drawing order."""
    block = getattr(config.westerhout2020, figure)
    places = {"fig4": "clusters", "tableX1": "points"}.get(figure, "panels")
    names = [getattr(place, "cluster", place) for place in getattr(block, places)]
    if figure == "fig2":
        names += [panel.cluster for panel in block.variational.panels]
    clusters = []
    for name in dict.fromkeys(names):
        lattice, shape = config.cluster(name)
        clusters.append({"cluster": name, "lattice": lattice, "n_sites": sites(lattice, shape)})
    return {
        "cells": [{**vars(key), "sizes": sorted(sizes.items())} for key, sizes in shown(config, figure).items()],
        "clusters": clusters,
        **({"threshold": block.threshold, "seed": config.seed} if figure == "fig4" else {}),
        **(variations(config) if figure == "tableX1" else {}),
    }


def variations(config: Config) -> dict[str, Any]:
    """Rows of the table of variants.

    variations, at each point: network, kind of data, and in words what differs; first none.  lacking: points at
    which a cluster is compared with one that lacks a bond.
    """
    block = config.westerhout2020.tableX1
    blocks = [config.networks[name].model_dump(mode="json") for name in block.networks]
    rows = [{"variation": "reference", "network": block.networks[0], "data": SAMPLED}]
    for name, values in zip(block.networks[1:], blocks[1:], strict=True):
        changed = [f"{key} = {json.dumps(value)}" for key, value in values.items() if value != blocks[0][key]]
        rows.append({"variation": ", ".join(changed) or name, "network": name, "data": SAMPLED})
    if block.distinct:
        rows.append({"variation": "distinct states", "network": block.networks[0], "data": DISTINCT})
    return {"variations": rows, "lacking": [vars(point) for point in block.points if point.lacking]}


def figure_config(config: Config, study: str, figure: str) -> dict[str, Any]:
    """The part of the configuration that a figure depends on, for its provenance."""
    blocks = getattr(config, study).model_dump(mode="json")
    if figure == "fig1":
        return {"fig1": blocks["fig1"]}
    used = ["dataset", "training", "overlaps", figure]
    used += ["expressibility", "reconfiguration"] if figure == "fig2" else []
    used += blocks["fig4"]["scans"] if figure == "fig4" else []
    whole = config.model_dump(mode="json")
    networks = {key.network for key in figure_cells(config, figure)}
    networks |= {key.network for key in reconfiguration_cells(config)} if figure == "fig2" else set()
    return {name: blocks[name] for name in used} | {
        "seed": config.seed,
        "ground_state": whole["ground_state"],
        "networks": {name: whole["networks"][name] for name in sorted(networks)},
    }


def couplings(cells: Iterable[CellKey | ReconfigurationKey]) -> list[tuple[str, float]]:
    """The distinct (cluster, J2) pairs, sorted."""
    return sorted({key.coupling for key in cells})
