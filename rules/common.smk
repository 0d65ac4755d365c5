"""The configuration, where results go, and what every rule shares."""

import difflib
import json
import sys
from functools import partial
from shlex import quote

PROJECT = Path(workflow.basedir)
SOURCE = str(PROJECT / "src")
if SOURCE not in sys.path:
    sys.path.insert(0, SOURCE)
# jobs find the package even where it is not installed, e.g. in a per-rule conda environment
shell.prefix(f"export PYTHONPATH={quote(SOURCE)}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; ")

from nqs.studies.ju2025 import cells as cells_ju2025, study as motif_table_inputs
from nqs.studies.mummaneni2026 import (
    cells as cells_mummaneni2026,
    study as table_inputs,
)
from nqs.studies.westerhout2020 import cells
from nqs.model.clusters import coupling_name, sites
from nqs.supervised.keys import DISTINCT, SAMPLED, WHOLE, CellKey
from nqs.vmc.keys import MotifKey, OptimaKey, ReconfigurationKey, VmcKey
from nqs.workflow.code_hash import closure, code_hash, module_path
from nqs.workflow.configuration import load
from nqs.runtime.errors import ConfigError
from nqs.workflow.snakemake_patch import calm_snakemake

calm_snakemake()

try:
    CONFIG = load(PROJECT, config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{CONFIG.scale}"
CELLS = cells.supervised_cells(CONFIG)
RECONFIGURATION_CELLS = cells.reconfiguration_cells(CONFIG)
VMC_CELLS = cells_mummaneni2026.vmc_cells(CONFIG)
SWEEP_CELLS = cells_mummaneni2026.sweep_cells(CONFIG)
MOTIF_CELLS = cells_ju2025.motif_cells(CONFIG)
OPTIMA_CELLS = cells_ju2025.optima_cells(CONFIG)
RINGS = {
    cells_ju2025.ring(size)
    for target in motif_table_inputs.NEEDS
    for size in cells_ju2025.exact_rings(CONFIG, target)
}
COUPLINGS = sorted(
    {
        *cells.couplings([*CELLS, *RECONFIGURATION_CELLS]),
        *((key.cluster, 0.0) for key in VMC_CELLS),
        *((ring, 0.0) for ring in RINGS),
    }
)
# modules whose code makes the numbers of a figure
TRAINED = [
    "nqs.exact.blocks",
    "nqs.exact.ground_state",
    "nqs.supervised.dataset",
    "nqs.supervised.stage",
    "nqs.analysis.overlaps",
    "nqs.studies.westerhout2020.tables.summary",
]
EXACT = ["nqs.exact.blocks", "nqs.exact.ground_state"]
VMC = [*EXACT, "nqs.vmc.stages.rbm", "nqs.analysis.rbm_observables"]
MOTIF = ["nqs.vmc.stages.ring", "nqs.ansatz.deep_cnn"]
COMPUTING = {
    "westerhout2020": {
        "fig1": ["nqs.model.lattices", "nqs.analysis.lattice_geometry"],
        **{figure: TRAINED for figure in cells.SUMMARISED},
        "fig2": [*TRAINED, "nqs.vmc.stages.amplitude_phase"],
        "fig4": [*TRAINED, "nqs.studies.westerhout2020.tables.critical_sizes"],
        "tableX1": [*TRAINED, "nqs.studies.westerhout2020.tables.sensitivity"],
    },
    "mummaneni2026": {
        table: [
            (
                "nqs.studies.mummaneni2026.claims.table"
                if table == table_inputs.TABLE
                else "nqs.studies.mummaneni2026.tables.small_rings"
            ),
            *(VMC if cells_mummaneni2026.table_cells(CONFIG, table) else []),
            *(
                ["nqs.studies.mummaneni2026.tables.importance"]
                if table in table_inputs.ANALYSED
                else []
            ),
        ]
        for table in table_inputs.PER_CELL
    },
    "ju2025": {
        target: [
            "nqs.workflow.target",
            f"nqs.studies.ju2025.{module}",
            *(MOTIF if cells_ju2025.table_cells(CONFIG, target) else []),
            *(
                ["nqs.vmc.stages.ring_optima"]
                if cells_ju2025.table_optima(CONFIG, target)
                else []
            ),
            *(EXACT if cells_ju2025.exact_rings(CONFIG, target) else []),
        ]
        for target, module in motif_table_inputs.MODULES.items()
    },
}
FIGURE_MODULES = {
    "westerhout2020": "geometry",
    "mummaneni2026": "training",
    "ju2025": "registry",
}
DRAWING = {
    study: ["nqs.workflow.draw", f"nqs.studies.{study}.figures.{FIGURE_MODULES[study]}"]
    for study in COMPUTING
}
TABLES = {*cells.TABLES, *motif_table_inputs.TABLES, table_inputs.TABLE}
FIGURE_CONFIG = {
    "westerhout2020": partial(cells.figure_config, study="westerhout2020"),
    "mummaneni2026": cells_mummaneni2026.figure_config,
    "ju2025": cells_ju2025.figure_config,
}
GPU = {"gpu": 1} if CONFIG.device == "cuda" else {}


wildcard_constraints:
    study=r"[a-z]+\d{4}",
    cluster=r"[A-Za-z][A-Za-z0-9]*",
    j2=r"-?\d+(\.\d+)?([eE]-?\d+)?",
    epsilon=r"\d+(\.\d+)?([eE]-?\d+)?",
    network=r"[A-Za-z][A-Za-z0-9]*",
    target="sign|amplitude",
    data="sampled|distinct|whole",
    draw="(_distinct)?",
    alpha=r"[1-9]\d*",
    mode="paper|sound",
    run="sweep|trace|search|final|single",
    n_sites=r"[1-9]\d*",
    width=r"[1-9]\d*",


def by_size(small, medium, large):
    """A resource for clusters of up to 24, up to 32 and more sites."""

    def value(wildcards):
        n_sites = sites(*CONFIG.cluster(wildcards.cluster))
        return small if n_sites <= 24 else medium if n_sites <= 32 else large

    return value


def as_json(value):
    """Settings as they are passed to a stage; sorted, so that equal settings are equal text."""
    return json.dumps(value, sort_keys=True)


def cluster_settings(name):
    """What a cluster is made from."""
    return CONFIG.cluster_settings(name)


def ground_state_file(cluster, j2):
    """Ground state of one coupling."""
    return f"{RESULTS}/ground_state/{cluster}/{coupling_name(j2)}.h5"


def dataset_file(key, epsilon):
    """Data sets of one size for a cell."""
    draw = f"_{DISTINCT}" if key.data == DISTINCT else ""
    return f"{RESULTS}/dataset/{key.study}/{key.cluster}/{coupling_name(key.j2)}/epsilon_{epsilon:g}{draw}.h5"


def known_cell(key, known):
    """The cell, if the configuration asks for it; otherwise an error that offers the nearest one."""
    if key not in known:
        near = difflib.get_close_matches(
            key.path, [cell.path for cell in known], n=1, cutoff=0.0
        )
        raise WorkflowError(
            f"{key.path} is no cell of the {CONFIG.scale} configuration; did you mean {near[0]}?"
        )
    return key


def members_of(key):
    """The networks of a cell."""
    return CELLS[known_cell(key, CELLS)]


def dataset_files(key):
    """Data sets of all sizes that a cell trains on; none if it trains on the whole ground state."""
    if key.data == WHOLE:
        return []
    sizes = sorted({member.epsilon for member in members_of(key)})
    return [dataset_file(key, epsilon) for epsilon in sizes]


def cell_of(wildcards):
    """The cell that the wildcards name."""
    return CellKey(
        wildcards.study,
        wildcards.cluster,
        float(wildcards.j2),
        wildcards.network,
        wildcards.target,
        wildcards.data,
    )


def cell_files(figure, stage):
    """Tables of one stage, a file for each cell behind a figure or table of westerhout2020."""
    keys = cells.figure_cells(CONFIG, figure)
    return [f"{RESULTS}/{stage}/{key.path}.csv" for key in keys]


def reconfiguration_cell_of(wildcards):
    """The cell of stochastic reconfiguration that the wildcards name."""
    key = ReconfigurationKey(
        wildcards.study, wildcards.cluster, float(wildcards.j2), wildcards.network
    )
    return known_cell(key, RECONFIGURATION_CELLS)


def reconfiguration_files(figure):
    """Tables of the variational states that a figure of westerhout2020 shows."""
    keys = RECONFIGURATION_CELLS if figure == "fig2" else []
    return [f"{RESULTS}/reconfiguration/{key.path}.csv" for key in keys]


def vmc_cell_of(wildcards):
    """The cell of variational Monte Carlo that the wildcards name."""
    key = VmcKey(
        wildcards.study,
        wildcards.cluster,
        int(wildcards.alpha),
        wildcards.mode,
        wildcards.run,
    )
    return known_cell(key, VMC_CELLS)


def vmc_files(kind, keys):
    """Files of one kind, in the order of the cells."""
    stage, ending = {
        "weights": ("vmc", ".safetensors"),
        "models": ("vmc", "_models.csv"),
        "traces": ("vmc", "_trace.parquet"),
        "states": ("observables", "_states.csv"),
        "units": ("observables", "_units.parquet"),
        "snapshots": ("observables", "_snapshots.csv"),
    }[kind]
    return [f"{RESULTS}/{stage}/{key.path}{ending}" for key in keys]


def table_files(table):
    """What a table of mummaneni2026 is made from: kind -> files."""
    keys = cells_mummaneni2026.table_cells(CONFIG, table)
    files = {kind: vmc_files(kind, keys) for kind in table_inputs.PER_CELL[table]}
    for kind in table_inputs.ANALYSED.get(table, ()):
        files[kind] = f"{RESULTS}/analysis/mummaneni2026/{kind}.csv"
    return files


def motif_cell_of(wildcards):
    """The cell of energy descent that the wildcards name."""
    key = MotifKey(
        wildcards.study,
        int(wildcards.n_sites),
        int(wildcards.width),
        wildcards.network,
        wildcards.run,
    )
    return known_cell(key, MOTIF_CELLS)


def deep_code(key):
    """The module of a cell's network that shallow cells do without."""
    return ["nqs.ansatz.deep_cnn"] if key.deep else []


def optima_cell_of(wildcards):
    """The cell of exact optima that the wildcards name."""
    key = OptimaKey(wildcards.study, int(wildcards.n_sites), int(wildcards.width))
    return known_cell(key, OPTIMA_CELLS)


def search_file(key):
    """The table of runs that a cell of energy descent takes its settings from; none if it has its own."""
    if not cells_ju2025.is_searched(key):
        return []
    search = cells_ju2025.search_key(CONFIG, key)
    return f"{RESULTS}/motif_vmc/{search.path}_runs.csv"


def motif_files(target):
    """What a table of ju2025 is made from: kind -> files, in the order of the cells."""
    keys = cells_ju2025.table_cells(CONFIG, target)
    optima = cells_ju2025.table_optima(CONFIG, target)
    rings = cells_ju2025.exact_rings(CONFIG, target)
    files = {
        "runs": [f"{RESULTS}/motif_vmc/{key.path}_runs.csv" for key in keys],
        "traces": [f"{RESULTS}/motif_vmc/{key.path}_trace.parquet" for key in keys],
        "weights": [f"{RESULTS}/motif_vmc/{key.path}.safetensors" for key in keys],
        "optima": [f"{RESULTS}/motif_optima/{key.path}.csv" for key in optima],
        "optima_arrays": [
            f"{RESULTS}/motif_optima/{key.path}.safetensors" for key in optima
        ],
        "ground_states": [
            ground_state_file(cells_ju2025.ring(size), 0) for size in rings
        ],
    }
    return {kind: files[kind] for kind in motif_table_inputs.NEEDS[target]}


def cost_file(target):
    """Training time behind a figure or table of westerhout2020; the lattices of Fig. 1 have none."""
    if target == "fig1":
        return []
    return f"{RESULTS}/analysis/westerhout2020/{target}_cost.json"


def options(**files):
    """Command-line options, one per file: --kind=path."""
    return [
        f"--{kind.replace('_', '-')}={path}"
        for kind, paths in files.items()
        for path in ([paths] if isinstance(paths, str) else paths)
    ]


def figure_scripts(study):
    """Files that draw a study's figures."""
    modules = closure(DRAWING[study][1])
    return [str(module_path(name)) for name in modules if ".figures." in name]


def figure_settings(study, figure):
    """What a figure's small print and provenance, or a table's provenance, say besides its data."""
    showing = ["nqs.workflow.write_table"] if figure in TABLES else DRAWING[study]
    return as_json(
        {
            "note": f"{CONFIG.scale} scale",
            "config": FIGURE_CONFIG[study](CONFIG, figure=figure),
            "seeds": [CONFIG.seed],
            "code": code_hash(*showing, *COMPUTING[study][figure]),
        }
    )
