"""Which jobs a configuration asks for.

A cell is one scientific unit of work, (study, cluster, coupling, network, target, data): all its data-set sizes and
repeats train together in one process. Figures ask for cells; a cell needed by several figures exists once, with the
union of their members. A cell's JSON holds all the numbers its job depends on and no others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from nqs.config import Config
from nqs.identity import SAMPLED, WHOLE, CellKey, Member


def figure_cells(config: Config, study: str, figure: str) -> list[CellKey]:
    """The cells a figure shows, sorted."""
    block = getattr(getattr(config, study), figure)
    if figure == "fig2":
        trained = {
            CellKey(study, panel.cluster, j2, network, "sign", SAMPLED)
            for panel in block.panels
            for network in panel.networks
            for j2 in panel.couplings(network)
        }
        return sorted(
            trained
            | {
                CellKey(study, panel.cluster, j2, block.expressibility_network, "sign", WHOLE)
                for panel in block.panels
                for j2 in panel.expressibility
            }
        )
    return sorted(
        CellKey(study, block.cluster, j2, block.network, target, SAMPLED)
        for j2 in block.j2
        for target in ("sign", "amplitude")
    )


def westerhout2020_members(config: Config) -> dict[CellKey, set[Member]]:
    """Cells and members that the figures of the study need."""
    study = config.westerhout2020
    cells: dict[CellKey, set[Member]] = defaultdict(set)
    for figure, block in (("fig2", study.fig2), ("fig5", study.fig5)):
        for key in figure_cells(config, "westerhout2020", figure):
            whole = key.data == WHOLE
            epsilon, repeats = (1.0, study.expressibility.repeats) if whole else (block.epsilon, block.repeats)
            cells[key] |= {Member(epsilon, repeat) for repeat in range(repeats)}
    return dict(cells)


def supervised_cells(config: Config) -> dict[CellKey, list[Member]]:
    """All supervised cells of all studies, members sorted."""
    return {key: sorted(members) for key, members in sorted(westerhout2020_members(config).items())}


def supervised_settings(config: Config, key: CellKey, members: Iterable[Member]) -> dict[str, Any]:
    """What the training of one cell depends on."""
    study = getattr(config, key.study)
    network = config.networks[key.network].model_dump(mode="json")
    training = (study.expressibility if key.data == WHOLE else study.training).model_dump(mode="json")
    training["max_updates"] = min(training["max_updates"], network.pop("max_updates") or training["max_updates"])
    return {
        "key": vars(key),
        "members": [vars(member) for member in members],
        "network": network,
        "training": training,
        "seed": config.seed,
    }


def dataset_settings(config: Config, study: str, cluster: str, j2: float, epsilon: float) -> dict[str, Any]:
    """What the data sets of one size depend on: as many repeats as any cell of that coupling trains on."""
    repeats = {
        member.repeat
        for key, cell in supervised_cells(config).items()
        if (key.study, key.cluster, key.j2, key.data) == (study, cluster, j2, SAMPLED)
        for member in cell
        if member.epsilon == epsilon
    }
    return {
        "cluster": cluster,
        "j2": j2,
        "epsilon": epsilon,
        "repeats": max(repeats) + 1,
        "seed": config.seed,
        **getattr(config, study).dataset.model_dump(mode="json"),
    }


def figure_summary(config: Config, study: str, figure: str) -> dict[str, Any]:
    """What a figure's table depends on: its cells, the data-set size, and its clusters in order."""
    block = getattr(getattr(config, study), figure)
    clusters = [panel.cluster for panel in block.panels] if figure == "fig2" else [block.cluster]
    return {
        "cells": [vars(key) for key in figure_cells(config, study, figure)],
        "epsilon": block.epsilon,
        "repeats": {SAMPLED: block.repeats, WHOLE: getattr(config, study).expressibility.repeats},
        "lattices": [(name, config.cluster(name)[0]) for name in clusters],
    }


def figure_config(config: Config, study: str, figure: str) -> dict[str, Any]:
    """The part of the configuration that a figure depends on, for its provenance."""
    blocks = getattr(config, study).model_dump(mode="json")
    if figure == "fig1":
        return {"fig1": blocks["fig1"]}
    training = ("dataset", "training", "expressibility", "overlaps")
    whole = config.model_dump(mode="json")
    used = sorted({key.network for key in figure_cells(config, study, figure)})
    return {name: blocks[name] for name in (*training, figure)} | {
        "seed": config.seed,
        "ground_state": whole["ground_state"],
        "networks": {name: whole["networks"][name] for name in used},
    }


def couplings(cells: Iterable[CellKey]) -> list[tuple[str, float]]:
    """The distinct (cluster, J2) pairs, sorted."""
    return sorted({key.coupling for key in cells})
