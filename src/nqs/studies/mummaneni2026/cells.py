"""Which cells of variational Monte Carlo the study `mummaneni2026` asks for, and what its figures are made from.

A cell is one ring, density of hidden units, protocol of sampling and kind of run; all its repeats train in one job.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from nqs.studies.mummaneni2026.config import Mummaneni2026
from nqs.studies.mummaneni2026.kinds import ANALYSED, PER_CELL, TABLE
from nqs.studies.protocol import Cell, Inputs, StudyConfig, ground_state_file
from nqs.vmc.keys import SWEEP, TRACE, VmcKey

STUDY = "mummaneni2026"
# Blocks of the configuration whose cells a table is made from.
SHOWN: dict[str, tuple[str, ...]] = {
    "fig1": (),
    **{f"fig{number}": ("small",) for number in range(2, 9)},
    **{f"fig{number}": ("sweep",) for number in range(9, 12)},
    "fig12": ("density", "sweep"),
    "figX1": ("sweep",),
    "figX2": ("small", "density", "polarised"),
    "figX3": ("sweep",),
    "trained": ("small", "density"),
    "ablated": ("sweep",),
    TABLE: ("small", "density", "sweep"),
}


def ring(n_sites: int) -> str:
    """Name of a ring."""
    return f"ring{n_sites}"


def sweep_cells(config: StudyConfig[Mummaneni2026]) -> list[VmcKey]:
    """Cells of the systematic study, sorted."""
    study = config.block
    return sorted(
        VmcKey(STUDY, ring(n_sites), alpha, mode, SWEEP)
        for n_sites in study.sweep.sizes
        for alpha in study.sweep.alphas
        for mode in study.modes
    )


def small_cells(config: StudyConfig[Mummaneni2026]) -> list[VmcKey]:
    """Cells of Figs. 2 to 8, sorted."""
    study = config.block
    return sorted(
        VmcKey(STUDY, ring(n_sites), study.small.alpha, mode, TRACE)
        for n_sites in study.small.sizes
        for mode in study.modes
    )


def density_cells(config: StudyConfig[Mummaneni2026]) -> list[VmcKey]:
    """Cells of Fig. 12, sorted."""
    study = config.block
    return sorted(
        VmcKey(STUDY, ring(study.density.size), alpha, mode, TRACE)
        for alpha in study.density.alphas
        for mode in study.modes
    )


def polarised_cells(config: StudyConfig[Mummaneni2026]) -> list[VmcKey]:
    """Cells of the first row of Fig. X2, sorted."""
    study = config.block
    one = study.polarised
    return sorted(VmcKey(STUDY, ring(one.size), one.alpha, mode, TRACE) for mode in study.modes)


ASKED_BY = {  # block of the configuration
    "sweep": sweep_cells,
    "small": small_cells,
    "density": density_cells,
    "polarised": polarised_cells,
}


def table_cells(config: StudyConfig[Mummaneni2026], table: str) -> list[VmcKey]:
    """The cells a figure or table is made from, sorted."""
    return sorted({key for block in SHOWN[table] for key in ASKED_BY[block](config)})


def vmc_cells(config: StudyConfig[Mummaneni2026]) -> list[VmcKey]:
    """All cells of the study, each once, sorted."""
    return sorted({key for cells in ASKED_BY.values() for key in cells(config)})


def sampled_cells(config: StudyConfig[Mummaneni2026]) -> list[VmcKey]:
    """Cells of the systematic study whose units are also removed under Markov chains, sorted."""
    modes = config.block.modes
    mode = "paper" if "paper" in modes else modes[0]
    return [key for key in sweep_cells(config) if key.mode == mode]


def n_sites(config: StudyConfig[Mummaneni2026], key: VmcKey) -> int:
    """Sites of a cell's ring."""
    return config.common.n_sites(key.cluster)


def vmc_settings(config: StudyConfig[Mummaneni2026], key: VmcKey) -> dict[str, Any]:
    """What the optimisation of one cell depends on."""
    study = config.block
    blocks = blocks_of(config, key)
    sweep = key.run == SWEEP
    return {
        "key": vars(key),
        "n_sites": n_sites(config, key),
        "repeats": max(block.repeats for block in blocks),
        "seed": config.seed,
        "ansatz": {"name": "rbm", "alpha": key.alpha, "initial_std": study.vmc.initial_std},
        "sampler": sampler(config, key),
        "optimiser": {"name": "adam", "learning_rate": study.vmc.learning_rate},
        "shift": study.vmc.shift,
        "tolerance": study.vmc.tolerance if sweep else None,
        "max_iterations": study.vmc.max_iterations if sweep else max(block.iterations for block in blocks),
        "snapshots": [] if sweep else snapshots(config, key),
    }


def sampled_settings(config: StudyConfig[Mummaneni2026], key: VmcKey) -> dict[str, Any]:
    """What the sampled ablation of one cell depends on."""
    study = config.block
    chains = {name: getattr(study.paper, name) for name in ("chains", "sweeps", "discard")}
    return {
        "key": vars(key),
        "seed": config.seed,
        "sampler": {"samples": study.vmc.samples, **chains},
        "warm": study.sampled.warm,
        "tau": study.importance.tau,
    }


def snapshots(config: StudyConfig[Mummaneni2026], key: VmcKey) -> list[int]:
    """Iterations after which a trace keeps its parameters."""
    study = config.block
    more = study.polarised.snapshots if key in polarised_cells(config) else ()
    return sorted({*study.vmc.snapshots, *more})


def blocks_of(config: StudyConfig[Mummaneni2026], key: VmcKey) -> list[Any]:
    """The blocks of the configuration that ask for a cell; one that two ask for runs as long as either wants."""
    return [getattr(config.block, name) for name, cells in ASKED_BY.items() if key in cells(config)]


def sampler(config: StudyConfig[Mummaneni2026], key: VmcKey) -> dict[str, Any]:
    """How the states of a cell are drawn: single flips in all 2^N states, exact draws, or exchanges at Sz = 0."""
    study = config.block
    samples = {"samples": study.vmc.samples}
    if key.mode == "sound" and n_sites(config, key) <= study.sound.enumerate_up_to:
        return {"rule": "exact", "space": "all", **samples}
    chains = getattr(study, key.mode)
    rule, space = {"paper": ("flip", "all"), "sound": ("exchange", "zero")}[key.mode]
    numbers = {name: getattr(chains, name) for name in ("chains", "sweeps", "discard")}
    return {"rule": rule, "space": space, **numbers, **samples}


def figure_config(config: StudyConfig[Mummaneni2026], figure: str) -> dict[str, Any]:
    """The part of the configuration that a figure depends on, for its provenance."""
    blocks, keys = config.plain, set(table_cells(config, figure))
    if not keys:
        return {}
    asked = sorted(name for name, cells in ASKED_BY.items() if keys & set(cells(config)))
    used = {name: blocks[name] for name in ("modes", "vmc", *blocks["modes"], *asked)}
    if figure == "figX3":
        used["sampled"] = blocks["sampled"]
    importance = blocks["importance"] if figure in (*ANALYSED, TABLE) else {"tau": blocks["importance"]["tau"]}
    return used | {"importance": importance, "seed": config.seed, "ground_state": config.ground_state}


FILES = {  # kind -> stage and ending
    "weights": ("vmc", ".safetensors"),
    "models": ("vmc", "_models.csv"),
    "traces": ("vmc", "_trace.parquet"),
    "states": ("observables", "_states.csv"),
    "units": ("observables", "_units.parquet"),
    "snapshots": ("observables", "_snapshots.csv"),
    "sampled_states": ("sampled_ablation", "_states.csv"),
    "sampled_units": ("sampled_ablation", "_units.parquet"),
}


def cells(config: StudyConfig[Mummaneni2026]) -> Iterator[Cell]:
    """All cells of the study."""
    tau = {"tau": config.block.importance.tau}
    for key in vmc_cells(config):
        ground_state = {"ground_state": [ground_state_file(key.cluster, 0)]}
        yield Cell("vmc", key.path, partial(vmc_settings, config, key), ground_state)
        files = {kind: files_of(kind, [key]) for kind in ("weights", "models")}
        yield Cell("observables", key.path, lambda: tau, files | ground_state)
        if key in sampled_cells(config):
            yield Cell("sampled_ablation", key.path, partial(sampled_settings, config, key), files)


def files_of(kind: str, keys: Sequence[VmcKey]) -> list[str]:
    """Files of one kind, in the order of the cells."""
    stage, ending = FILES[kind]
    return [f"{stage}/{key.path}{ending}" for key in keys]


def inputs_of(config: StudyConfig[Mummaneni2026], table: str) -> Inputs:
    """What a table is made from: kind -> files."""
    keys = table_cells(config, table)
    files = {kind: files_of(kind, keys) for kind in PER_CELL[table]}
    return files | {kind: [f"analysis/{STUDY}/{kind}.csv"] for kind in ANALYSED.get(table, ())}


def swept(config: StudyConfig[Mummaneni2026]) -> Inputs:
    """What the tables over all cells of the sweep are made from."""
    keys = sweep_cells(config)
    return {kind: files_of(kind, keys) for kind in ("states", "units")}


def swept_by_chains(config: StudyConfig[Mummaneni2026]) -> Inputs:
    """The same of the cells whose units are removed under Markov chains."""
    keys = sampled_cells(config)
    return {kind: files_of(f"sampled_{kind}", keys) for kind in ("states", "units")}
