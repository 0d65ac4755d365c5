"""Which jobs a configuration asks for.

A cell is one scientific unit of work, (study, cluster, coupling, network, target, data): all its data-set sizes and
repeats train together in one process. Figures ask for cells; a cell needed by several figures exists once, with the
union of their members. A cell's JSON holds all the numbers its job depends on and no others.

Figures and tables of westerhout2020 show

    fig2, figS4                    several networks against J2; fig2 also expressibility and variational states
    fig5, figS2, figS6             signs and amplitudes against J2
    fig3, figS1, figS3, figS5, figS7   one network against the size of the training set
    fig4                           critical sizes in some of those scans
    figX1                          such scans for several batches
    tableX1, X2                    variants of a network, and of the way its training sets are drawn
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

from nqs.model.clusters import coupling_name
from nqs.networks import registry
from nqs.studies.protocol import Cell, Inputs, StudyConfig, ground_state_file
from nqs.studies.westerhout2020.config import (
    BATCH_SCAN,
    EPSILON_SCANS,
    NETWORK_SCANS,
    STUDY,
    TARGET_SCANS,
    VARIANT_TABLES,
    Westerhout2020,
)
from nqs.studies.westerhout2020.variants import batches, variations
from nqs.supervised.keys import DISTINCT, SAMPLED, UNIFORM, WHOLE, CellKey, Member
from nqs.vmc.keys import ReconfigurationKey

DRAWN = ("fig1", "fig2", "fig3", "fig4", "fig5", *(f"figS{number}" for number in range(1, 8)), BATCH_SCAN)
SUMMARISED = (*NETWORK_SCANS, *TARGET_SCANS, *EPSILON_SCANS, BATCH_SCAN)  # figures with one row per point

Sizes = dict[float, int]  # data-set size -> repeats


class DatasetKey(NamedTuple):
    """Data sets of one size, a fraction of the Hilbert space; data: the draw, `sampled`, `distinct` or `uniform`."""

    cluster: str
    j2: float
    data: str
    epsilon: float

    @property
    def path(self) -> str:
        """Path below results/<scale>/dataset/."""
        draw = "" if self.data == SAMPLED else f"_{self.data}"
        return f"{STUDY}/{self.cluster}/{coupling_name(self.j2)}/epsilon_{self.epsilon:g}{draw}"


@cache
def shown(config: StudyConfig[Westerhout2020], figure: str) -> dict[CellKey, Sizes]:
    """Cells behind a figure or table of westerhout2020, sorted, and which of their members it takes."""
    if figure in NETWORK_SCANS:
        cells = _network_scan(config, figure)
    elif figure in TARGET_SCANS:
        cells = _target_scan(config, figure)
    elif figure in (*EPSILON_SCANS, BATCH_SCAN):
        cells = _epsilon_scan(config, figure)
    elif figure == "fig4":
        cells = _critical(config)
    else:
        cells = _variants(config, figure)
    return dict(sorted(cells.items()))


def _network_scan(config: StudyConfig[Westerhout2020], figure: str) -> dict[CellKey, Sizes]:
    study = config.block
    block = getattr(study, figure)
    cells = {
        CellKey(STUDY, panel.cluster, j2, network, "sign", SAMPLED): {block.epsilon: block.repeats}
        for panel in block.panels
        for network in panel.networks
        for j2 in panel.couplings(network)
    }
    for network, line in block.bands().items():
        for panel in block.panels:
            for j2 in panel.couplings(line) if line in panel.networks else ():
                cells[CellKey(STUDY, panel.cluster, j2, network, "sign", SAMPLED)] = {block.epsilon: block.repeats}
    if figure == "fig2":
        for panel in block.panels:
            for j2 in panel.expressibility:
                key = CellKey(STUDY, panel.cluster, j2, block.expressibility_network, "sign", WHOLE)
                cells[key] = {1.0: study.expressibility.repeats}
    return cells


def _target_scan(config: StudyConfig[Westerhout2020], figure: str) -> dict[CellKey, Sizes]:
    block = getattr(config.block, figure)
    lines = [(block.network, "sign"), (block.network, "amplitude"), *((name, "sign") for name in block.bands())]
    return {
        CellKey(STUDY, panel.cluster, j2, network, target, SAMPLED): {block.epsilon: block.repeats}
        for panel in block.panels
        for j2 in panel.j2
        for network, target in lines
    }


def _epsilon_scan(config: StudyConfig[Westerhout2020], figure: str) -> dict[CellKey, Sizes]:
    block = getattr(config.block, figure)
    return {
        CellKey(STUDY, panel.cluster, j2, network, block.target, SAMPLED): dict.fromkeys(
            sorted(panel.epsilons), block.repeats
        )
        for panel in block.panels
        for j2 in panel.j2
        for network in block.scanned
    }


def _critical(config: StudyConfig[Westerhout2020]) -> dict[CellKey, Sizes]:
    block = config.block.fig4
    scans = [_epsilon_scan(config, scan) for scan in block.scans]
    return {key: sizes for key, sizes in union(scans).items() if key.cluster in block.clusters and key.j2 in block.j2}


def _variants(config: StudyConfig[Westerhout2020], table: str) -> dict[CellKey, Sizes]:
    block = getattr(config.block, table)
    kinds = [(network, SAMPLED) for network in block.networks]
    kinds += [(block.networks[0], data) for data in block.other_draws]
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


def figure_cells(config: StudyConfig[Westerhout2020], figure: str) -> list[CellKey]:
    """The cells behind a figure or table, sorted."""
    return [] if figure == "fig1" else list(shown(config, figure))


@cache
def supervised_cells(config: StudyConfig[Westerhout2020]) -> dict[CellKey, list[Member]]:
    """All supervised cells, members sorted."""
    cells = union(shown(config, figure) for figure in (*SUMMARISED, "fig4", *VARIANT_TABLES))
    return {
        key: [Member(epsilon, repeat) for epsilon in sorted(sizes) for repeat in range(sizes[epsilon])]
        for key, sizes in sorted(cells.items())
    }


def reconfiguration_cells(config: StudyConfig[Westerhout2020]) -> list[ReconfigurationKey]:
    """All cells of stochastic reconfiguration, sorted: the lower row of Fig. 2."""
    block = config.block.fig2.variational
    return sorted(
        ReconfigurationKey(STUDY, panel.cluster, j2, block.network, method)
        for panel in block.panels
        for j2 in panel.j2
        for method in block.methods
    )


def supervised_settings(config: StudyConfig[Westerhout2020], key: CellKey, members: Iterable[Member]) -> dict[str, Any]:
    """What the training of one cell depends on."""
    study = config.block
    network = config.common.networks[key.network].model_dump(mode="json")
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


def reconfiguration_settings(config: StudyConfig[Westerhout2020], key: ReconfigurationKey) -> dict[str, Any]:
    """What one cell of stochastic reconfiguration depends on."""
    network = config.common.networks[key.network]
    return {
        "key": vars(key),
        "network": {"architecture": network.architecture, "hidden": list(network.hidden)},
        "reconfiguration": config.block.reconfiguration.of(key.method).model_dump(mode="json"),
        "seed": config.seed,
    }


def datasets(config: StudyConfig[Westerhout2020]) -> dict[DatasetKey, int]:
    """All data sets with as many repeats as any cell of their coupling and draw trains on."""
    repeats: dict[DatasetKey, int] = defaultdict(int)
    for key, members in supervised_cells(config).items():
        for member in members if key.data != WHOLE else ():
            one = DatasetKey(*key.coupling, key.data, member.epsilon)
            repeats[one] = max(repeats[one], member.repeat + 1)
    return repeats


def dataset_settings(config: StudyConfig[Westerhout2020], key: DatasetKey, repeats: int) -> dict[str, Any]:
    """What the data sets of one size depend on."""
    settings = dict(config.plain["dataset"])
    settings["replacement"] &= key.data != DISTINCT
    return {
        "cluster": key.cluster,
        "j2": key.j2,
        "epsilon": key.epsilon,
        "repeats": repeats,
        "seed": config.seed,
        **settings,
        **({"power": 0} if key.data == UNIFORM else {}),
    }


def overlap_settings(config: StudyConfig[Westerhout2020], cluster: str) -> dict[str, Any]:
    """How the overlaps of a cluster's networks are found: number of samples, and whether there are exact sums."""
    block = config.block.overlaps
    estimated = config.common.n_sites(cluster) > block.exact_up_to
    return {"samples": block.large_samples if estimated else block.samples, "estimated": estimated}


def figure_summary(config: StudyConfig[Westerhout2020], figure: str) -> dict[str, Any]:
    """What a figure's table depends on: its cells with sizes and repeats, and its clusters in drawing order."""
    block = getattr(config.block, figure)
    places = {"fig4": "clusters", **dict.fromkeys(VARIANT_TABLES, "points")}.get(figure, "panels")
    names = [getattr(place, "cluster", place) for place in getattr(block, places)]
    if figure == "fig2":
        names += [panel.cluster for panel in block.variational.panels]
    clusters = []
    for name in dict.fromkeys(names):
        lattice, n_sites = config.common.cluster(name)[0], config.common.n_sites(name)
        clusters.append({"cluster": name, "lattice": lattice, "n_sites": n_sites})
    return {
        "cells": [{**vars(key), "sizes": sorted(sizes.items())} for key, sizes in shown(config, figure).items()],
        "clusters": clusters,
        **({"bands": block.bands()} if figure in config.block.banded else {}),
        **({"threshold": block.threshold, "seed": config.seed} if figure == "fig4" else {}),
        **(batches(config) if figure == BATCH_SCAN else {}),
        **(variations(config, figure) if figure in VARIANT_TABLES else {}),
    }


def figure_config(config: StudyConfig[Westerhout2020], figure: str) -> dict[str, Any]:
    """The part of the configuration that a figure depends on, for its provenance."""
    blocks = config.plain
    if figure == "fig1":
        return {"fig1": blocks["fig1"]}
    used = ["dataset", "training", "overlaps", figure]
    used += ["expressibility", "reconfiguration"] if figure == "fig2" else []
    used += blocks["fig4"]["scans"] if figure == "fig4" else []
    networks = {key.network for key in figure_cells(config, figure)}
    networks |= {key.network for key in reconfiguration_cells(config)} if figure == "fig2" else set()
    return {name: blocks[name] for name in used} | {
        "seed": config.seed,
        "ground_state": config.ground_state,
        "networks": {name: config.common.networks[name].model_dump(mode="json") for name in sorted(networks)},
    }


def cells(config: StudyConfig[Westerhout2020]) -> Iterator[Cell]:
    """All cells of the study."""
    yield from (dataset_cell(config, key, repeats) for key, repeats in datasets(config).items())
    for key, members in supervised_cells(config).items():
        yield supervised_cell(config, key, members)
        yield overlap_cell(config, key, members)
    yield from (reconfiguration_cell(config, key) for key in reconfiguration_cells(config))


def dataset_cell(config: StudyConfig[Westerhout2020], key: DatasetKey, repeats: int) -> Cell:
    """Training and validation sets of one size."""
    inputs = {"ground_state": [ground_state_file(key.cluster, key.j2)]}
    settings = partial(dataset_settings, config, key, repeats)
    return Cell("dataset", key.path, settings, inputs, config.common.n_sites(key.cluster))


def supervised_cell(config: StudyConfig[Westerhout2020], key: CellKey, members: Sequence[Member]) -> Cell:
    """The training of one network at one coupling."""
    settings = partial(supervised_settings, config, key, members)
    n_sites = config.common.n_sites(key.cluster)
    return Cell("supervised", key.path, settings, data_of(key, members), n_sites, code_of(config, key))


def overlap_cell(config: StudyConfig[Westerhout2020], key: CellKey, members: Sequence[Member]) -> Cell:
    """Overlaps of the networks of one supervised cell."""
    inputs = {**data_of(key, members), "weights": [f"supervised/{key.path}.safetensors"]}
    settings, n_sites = partial(overlap_settings, config, key.cluster), config.common.n_sites(key.cluster)
    return Cell("overlaps", key.path, settings, inputs, n_sites, code_of(config, key))


def code_of(config: StudyConfig[Westerhout2020], key: CellKey) -> tuple[str, ...]:
    """The network of a cell, which its configuration chooses."""
    return (registry.entry(config.common.networks[key.network].architecture),)


def data_of(key: CellKey, members: Iterable[Member]) -> dict[str, list[str]]:
    """What a supervised cell learns from: the whole ground state, or data sets of all its sizes."""
    sizes = [] if key.data == WHOLE else sorted({member.epsilon for member in members})
    data = [f"dataset/{DatasetKey(*key.coupling, key.data, epsilon).path}.h5" for epsilon in sizes]
    return {"ground_state": [ground_state_file(*key.coupling)], "data": data}


def reconfiguration_cell(config: StudyConfig[Westerhout2020], key: ReconfigurationKey) -> Cell:
    """Variational states of one network at one coupling."""
    inputs = {"ground_state": [ground_state_file(*key.coupling)]}
    settings = partial(reconfiguration_settings, config, key)
    return Cell("reconfiguration", key.path, settings, inputs, config.common.n_sites(key.cluster))


def inputs_of(config: StudyConfig[Westerhout2020], figure: str) -> Inputs:
    """What the table behind a figure is made from: kind -> files, in the order of its cells."""
    keys = figure_cells(config, figure)
    files = {"overlaps": [f"overlaps/{key.path}.csv" for key in keys]} if keys else {}
    if figure == "fig2":
        files["reconfiguration"] = [f"reconfiguration/{key.path}.csv" for key in reconfiguration_cells(config)]
    if figure in VARIANT_TABLES:
        files["histories"] = [f"supervised/{key.path}.csv" for key in keys]
    return files


def drawn_clusters(config: StudyConfig[Westerhout2020]) -> dict[str, Any]:
    """The clusters of Fig. 1."""
    return {"clusters": [config.common.cluster_settings(name) for name in config.block.fig1.clusters]}
