"""Which cells of variational Monte Carlo the study `mummaneni2026` asks for, and what its figures are made from.

A cell is one ring, density of hidden units, protocol of sampling and kind of run; all its repeats train in one job.
"""

from __future__ import annotations

from typing import Any

from nqs.studies.mummaneni2026.study import ANALYSED, TABLE
from nqs.vmc.keys import SWEEP, TRACE, VmcKey
from nqs.workflow.configuration import Config

STUDY = "mummaneni2026"
# Blocks of the configuration whose cells a table is made from.
SHOWN: dict[str, tuple[str, ...]] = {
    "fig1": (),
    **{f"fig{number}": ("small",) for number in range(2, 9)},
    **{f"fig{number}": ("sweep",) for number in range(9, 12)},
    "fig12": ("density", "sweep"),
    "figX1": ("sweep",),
    "figX2": ("small", "density", "polarised"),
    TABLE: ("small", "density", "sweep"),
}


def ring(n_sites: int) -> str:
    """Name of a ring."""
    return f"ring{n_sites}"


def sweep_cells(config: Config) -> list[VmcKey]:
    """Cells of the systematic study, sorted."""
    study = config.mummaneni2026
    return sorted(
        VmcKey(STUDY, ring(n_sites), alpha, mode, SWEEP)
        for n_sites in study.sweep.sizes
        for alpha in study.sweep.alphas
        for mode in study.modes
    )


def small_cells(config: Config) -> list[VmcKey]:
    """Cells of Figs. 2 to 8, sorted."""
    study = config.mummaneni2026
    return sorted(
        VmcKey(STUDY, ring(n_sites), study.small.alpha, mode, TRACE)
        for n_sites in study.small.sizes
        for mode in study.modes
    )


def density_cells(config: Config) -> list[VmcKey]:
    """Cells of Fig. 12, sorted."""
    study = config.mummaneni2026
    return sorted(
        VmcKey(STUDY, ring(study.density.size), alpha, mode, TRACE)
        for alpha in study.density.alphas
        for mode in study.modes
    )


def polarised_cells(config: Config) -> list[VmcKey]:
    """Cells of the first row of Fig. X2, sorted."""
    study = config.mummaneni2026
    one = study.polarised
    return sorted(VmcKey(STUDY, ring(one.size), one.alpha, mode, TRACE) for mode in study.modes)


ASKED_BY = {  # block of the configuration
    "sweep": sweep_cells,
    "small": small_cells,
    "density": density_cells,
    "polarised": polarised_cells,
}


def table_cells(config: Config, table: str) -> list[VmcKey]:
    """The cells a figure or table is made from, sorted."""
    return sorted({key for block in SHOWN[table] for key in ASKED_BY[block](config)})


def vmc_cells(config: Config) -> list[VmcKey]:
    """All cells of the study, each once, sorted."""
    return sorted({key for cells in ASKED_BY.values() for key in cells(config)})


def n_sites(config: Config, key: VmcKey) -> int:
    """Sites of a cell's ring."""
    return config.cluster(key.cluster)[1][0]


def vmc_settings(config: Config, key: VmcKey) -> dict[str, Any]:
    """What the optimisation of one cell depends on."""
    study = config.mummaneni2026
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


def snapshots(config: Config, key: VmcKey) -> list[int]:
    """Iterations after which a trace keeps its parameters."""
    study = config.mummaneni2026
    more = study.polarised.snapshots if key in polarised_cells(config) else ()
    return sorted({*study.vmc.snapshots, *more})


def blocks_of(config: Config, key: VmcKey) -> list[Any]:
    """The blocks of the configuration that ask for a cell; one that two ask for runs as long as either wants."""
    return [getattr(config.mummaneni2026, name) for name, cells in ASKED_BY.items() if key in cells(config)]


def sampler(config: Config, key: VmcKey) -> dict[str, Any]:
    """How the states of a cell are drawn: single flips in all 2^N states, exact draws, or exchanges at Sz = 0."""
    study = config.mummaneni2026
    samples = {"samples": study.vmc.samples}
    if key.mode == "sound" and n_sites(config, key) <= study.sound.enumerate_up_to:
        return {"rule": "exact", "space": "all", **samples}
    chains = getattr(study, key.mode)
    rule, space = {"paper": ("flip", "all"), "sound": ("exchange", "zero")}[key.mode]
    numbers = {name: getattr(chains, name) for name in ("chains", "sweeps", "discard")}
    return {"rule": rule, "space": space, **numbers, **samples}


def figure_config(config: Config, figure: str) -> dict[str, Any]:
    """The part of the configuration that a figure depends on, for its provenance."""
    whole = config.model_dump(mode="json")
    blocks, keys = whole["mummaneni2026"], set(table_cells(config, figure))
    if not keys:
        return {}
    asked = sorted(name for name, cells in ASKED_BY.items() if keys & set(cells(config)))
    used = {name: blocks[name] for name in ("modes", "vmc", *blocks["modes"], *asked)}
    importance = blocks["importance"] if figure in ANALYSED else {"tau": blocks["importance"]["tau"]}
    return used | {"importance": importance, "seed": config.seed, "ground_state": whole["ground_state"]}
