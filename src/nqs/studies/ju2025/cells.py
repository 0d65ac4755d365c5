"""Which cells the study `ju2025` asks for, and what its figures and tables are made from.

A cell of energy descent (`MotifKey`) is one ring, kernel size, network and kind of run. A cell of exact optima
(`OptimaKey`) is one ring and motif length. A figure or table is made by a function `(files, settings)`, where `files`
are of the kinds that it needs and `settings` are those of `table_settings`:

    fig1, fig2     config block `traces`: size, widths, networks, learning_rates, steps, samples, repeats, iterations,
                   snapshot_every, shown (iterations of Fig. 1b; Fig. 1 shows the first of widths and of networks)
    fig3           block `fig3`: sizes, widths, networks, samples, repeats, iterations, evaluation, optima_widths, and
                   the blocks search, deep and single
    figS1, figS2   block `entanglement`: size, widths (Fig. S1), sizes (Fig. S2)
    figX1          block `uniqueness`: sizes
    figX2          block `landscape`: size, width, starts
    figX3          block `equal`: size, networks, samples, iterations, panels (width, repeats, learning_rates, steps)
    table1         block `table1`: size, width
    table2         block `table2`: size, width, exact_sizes
    tableS1        block `tableS1`: size, widths
    tableX1        no block: only `scale`, the name of the scale, which says what claims can be tested

each other with `seed` besides, the seed of the configuration. Kinds of files behind a target: see
`nqs.studies.ju2025.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from nqs.studies.ju2025.config import ChainsBlock, Ju2025
from nqs.studies.ju2025.kinds import NEEDS
from nqs.studies.protocol import Cell, Inputs, StudyConfig, ground_state_file
from nqs.vmc.keys import EQUAL, FINAL, SEARCH, SINGLE, TRACE, MotifKey, OptimaKey

STUDY = "ju2025"
# Block of the configuration behind each target.
BLOCK = {
    "fig1": "traces", "fig2": "traces", "fig3": "fig3", "figS1": "entanglement", "figS2": "entanglement",
    "figX1": "uniqueness", "figX2": "landscape", "figX3": "equal",
    "table1": "table1", "table2": "table2", "tableS1": "tableS1",
}  # fmt: skip
PRINTED = "tableX1"  # a view of the claims: made from the tables of all others
COMPARED_WIDTH = 6  # longest blocks of Fig. S1 whose motifs are compared with optima


def ring(n_sites: int) -> str:
    """Name of a ring among the clusters with exact ground states."""
    return f"ring{n_sites}"


def is_searched(key: MotifKey) -> bool:
    """True for cells that take their settings from a search."""
    return key.run in (FINAL, SINGLE)


def search_key(config: StudyConfig[Ju2025], key: MotifKey) -> MotifKey:
    """The search that a final or single-chain cell takes its settings from."""
    fig3 = config.block.fig3
    size = (fig3.deep if key.deep else fig3).search.size
    return MotifKey(STUDY, size, key.width, key.network, SEARCH)


def final_cells(config: StudyConfig[Ju2025]) -> list[MotifKey]:
    """Runs of Fig. 3 with the chosen settings, sorted."""
    fig3 = config.block.fig3
    return sorted(
        MotifKey(STUDY, size, width, network, FINAL)
        for block in (fig3, fig3.deep)
        for size in block.sizes
        for width in block.widths
        for network in block.networks
    )


def single_cells(config: StudyConfig[Ju2025]) -> list[MotifKey]:
    """The run with one chain, on the shortest ring of Fig. 3."""
    fig3 = config.block.fig3
    return [MotifKey(STUDY, min(fig3.sizes), fig3.single.width, fig3.single.network, SINGLE)]


def regression_cells(config: StudyConfig[Ju2025]) -> list[MotifKey]:
    """Shallow networks of Table II, sorted; usually among those of Fig. 3."""
    block = config.block.table2
    return sorted(MotifKey(STUDY, block.size, block.width, network, FINAL) for network in config.block.fig3.networks)


def trace_cells(config: StudyConfig[Ju2025]) -> list[MotifKey]:
    """Runs of Figs. 1b and 2, sorted."""
    block = config.block.traces
    return sorted(MotifKey(STUDY, block.size, width, net, TRACE) for width in block.widths for net in block.networks)


def equal_cells(config: StudyConfig[Ju2025]) -> list[MotifKey]:
    """Runs of Fig. X3, sorted."""
    block = config.block.equal
    return sorted(
        MotifKey(STUDY, block.size, panel.width, network, EQUAL) for panel in block.panels for network in block.networks
    )


def table_cells(config: StudyConfig[Ju2025], target: str) -> list[MotifKey]:
    """Cells of energy descent that a target shows, sorted; Fig. 3 also the searches behind them."""
    if target in ("fig1", "fig2"):
        return trace_cells(config)
    if target == "figX2":
        block = config.block.landscape
        shallow = [key for key in final_cells(config) if not key.deep]
        return [key for key in shallow if (key.n_sites, key.width) == (block.size, block.width)]
    if target == "figX3":
        return equal_cells(config)
    if target == "figS1":
        return [key for key in regression_cells(config) if key.width in config.block.entanglement.widths]
    if target == "table2":
        return regression_cells(config)
    if target != "fig3":
        return []
    keys = {*final_cells(config), *single_cells(config)}
    return sorted(keys | searches(config, keys))


def searches(config: StudyConfig[Ju2025], keys: Iterable[MotifKey]) -> set[MotifKey]:
    """The searches behind cells."""
    return {search_key(config, key) for key in keys if is_searched(key)}


def motif_cells(config: StudyConfig[Ju2025]) -> list[MotifKey]:
    """All cells of energy descent, each once, sorted."""
    keys = {key for target in BLOCK for key in table_cells(config, target)}
    return sorted(keys | searches(config, keys))


def table_optima(config: StudyConfig[Ju2025], target: str) -> list[OptimaKey]:
    """Cells of exact optima that a target shows, sorted."""
    study = config.block
    block = study.entanglement
    pairs = {
        "fig3": [(size, width) for size in study.fig3.sizes for width in study.fig3.optima_widths],
        "figS1": [(block.size, width) for width in block.widths if width <= min(COMPARED_WIDTH, block.size // 2)],
        "figX2": [(study.landscape.size, study.landscape.width)],
        "table2": [(study.table2.size, study.table2.width)],
        "tableS1": [(study.tableS1.size, width) for width in study.tableS1.widths],
    }
    return sorted(OptimaKey(STUDY, size, width) for size, width in pairs.get(target, []))


def optima_cells(config: StudyConfig[Ju2025]) -> list[OptimaKey]:
    """All cells of exact optima, each once, sorted."""
    return sorted({key for target in BLOCK for key in table_optima(config, target)})


def exact_rings(config: StudyConfig[Ju2025], target: str) -> list[int]:
    """Sites of the rings whose exact ground states a target needs, ascending."""
    study = config.block
    sizes = {
        "fig1": [study.traces.size],
        "figS1": [study.entanglement.size],
        "figS2": study.entanglement.sizes,
        "table1": [study.table1.size],
        "table2": study.table2.exact_sizes,
    }
    return sorted(sizes.get(target, []))


def motif_settings(config: StudyConfig[Ju2025], key: MotifKey) -> dict[str, Any]:
    """What one cell of energy descent depends on; a final or single one also on its search."""
    block = run_block(config, key)
    training = config.block.fig3.deep if key.deep else config.block.training
    chains = {name: getattr(training, name) for name in ChainsBlock.model_fields}
    sampler: dict[str, Any] = {"samples": block.samples}
    if key.run == SINGLE:
        sampler |= {"chains": 1, "stride": 1, "burn_in": 0, "discard": 0}
    else:
        sampler |= {"stride": None, **chains}
    searched = is_searched(key)
    return {
        "key": vars(key),
        "seed": config.seed,
        "sampler": sampler,
        "learning_rates": None if searched else list(block.learning_rates),
        "steps": None if searched else list(block.steps),
        "repeats": block.repeats,
        "iterations": block.iterations,
        "snapshots": list(block.snapshots) if key.run == TRACE else [],
        "evaluation": {"samples": config.block.training.evaluation, **chains},
    }


def run_block(config: StudyConfig[Ju2025], key: MotifKey) -> Any:
    """The block of the configuration with the samples, repeats and iterations of a cell."""
    study = config.block
    family = study.fig3.deep if key.deep else study.fig3
    if key.run == EQUAL:
        return study.equal.at(key.width)
    return {TRACE: study.traces, SEARCH: family.search, FINAL: family, SINGLE: study.fig3.single}[key.run]


def optima_settings(config: StudyConfig[Ju2025], key: OptimaKey) -> dict[str, Any]:
    """What one cell of exact optima depends on; the one of the landscape has as many starts as either block wants."""
    study = config.block
    starts = study.optima.starts
    if key in table_optima(config, "figX2"):
        starts = max(starts, study.landscape.starts)
    return {"key": vars(key), "seed": config.seed, "starts": starts}


def table_settings(config: StudyConfig[Ju2025], target: str) -> dict[str, Any]:
    """What the table behind a target depends on besides its files; the module says which keys there are."""
    if target == PRINTED:
        return {"scale": config.scale}
    block = getattr(config.block, BLOCK[target])
    return block.model_dump(mode="json") | {"seed": config.seed}


def figure_config(config: StudyConfig[Ju2025], figure: str) -> dict[str, Any]:
    """The part of the configuration that a figure or table depends on, for its provenance."""
    if figure == PRINTED:
        return {name: part for other in BLOCK for name, part in figure_config(config, other).items()}
    used = {BLOCK[figure]}
    if table_cells(config, figure):
        used |= {"training"}
    if any(key.run not in (TRACE, EQUAL) for key in table_cells(config, figure)):
        used |= {"fig3"}
    if table_optima(config, figure):
        used |= {"optima"}
    exact = {"ground_state": config.ground_state} if exact_rings(config, figure) else {}
    return {name: config.plain[name] for name in sorted(used)} | {"seed": config.seed} | exact


def cells(config: StudyConfig[Ju2025]) -> Iterator[Cell]:
    """All cells of the study."""
    for key in motif_cells(config):
        yield Cell(
            "motif_vmc", key.path, partial(motif_settings, config, key), search_of(config, key), code=code_of(key)
        )
    for one in optima_cells(config):
        yield Cell("motif_optima", one.path, partial(optima_settings, config, one))


def search_of(config: StudyConfig[Ju2025], key: MotifKey) -> Inputs:
    """The table of runs that a cell of energy descent takes its settings from; none if it has its own."""
    if not is_searched(key):
        return {}
    return {"search": [f"motif_vmc/{search_key(config, key).path}_runs.csv"]}


def code_of(key: MotifKey) -> tuple[str, ...]:
    """The network of a cell, which its name chooses."""
    return ("nqs.ansatz.deep_cnn:DeepCnn",) if key.deep else ()


def inputs_of(config: StudyConfig[Ju2025], target: str) -> Inputs:
    """What a table is made from: kind -> files, in the order of the cells."""
    if target == PRINTED:
        return {"table": [f"analysis/{STUDY}/{other}.csv" for other in BLOCK]}
    keys, optima = table_cells(config, target), table_optima(config, target)
    files = {
        "runs": [f"motif_vmc/{key.path}_runs.csv" for key in keys],
        "traces": [f"motif_vmc/{key.path}_trace.parquet" for key in keys],
        "weights": [f"motif_vmc/{key.path}.safetensors" for key in keys],
        "optima": [f"motif_optima/{key.path}.csv" for key in optima],
        "optima_arrays": [f"motif_optima/{key.path}.safetensors" for key in optima],
        "ground_states": [ground_state_file(ring(size), 0) for size in exact_rings(config, target)],
    }
    return {kind: files[kind] for kind in NEEDS[target]}
