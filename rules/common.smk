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

from nqs import cells, cells_mummaneni2026
from nqs.identity import WHOLE, CellKey, VmcKey, coupling_name
from nqs.codehash import closure, code_hash, module_path
from nqs.config import load
from nqs.errors import ConfigError

try:
    CONFIG = load(PROJECT, config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{CONFIG.scale}"
CELLS = cells.supervised_cells(CONFIG)
VMC_CELLS = cells_mummaneni2026.vmc_cells(CONFIG)
SWEEP_CELLS = cells_mummaneni2026.sweep_cells(CONFIG)
COUPLINGS = sorted(
    {*cells.couplings(CELLS), *((key.cluster, 0.0) for key in VMC_CELLS)}
)
# modules whose code makes the numbers of a figure
TRAINED = [
    "nqs.hamiltonian",
    "nqs.ground_state",
    "nqs.dataset",
    "nqs.supervised",
    "nqs.analysis.overlaps",
    "nqs.analysis.summary",
]
VMC = ["nqs.hamiltonian", "nqs.ground_state", "nqs.vmc", "nqs.analysis.observables"]
COMPUTING = {
    "westerhout2020": {
        "fig1": ["nqs.lattices", "nqs.analysis.lattice_geometry"],
        "fig2": TRAINED,
        "fig5": TRAINED,
    },
    "mummaneni2026": {
        table: [
            (
                "nqs.analysis.published_table"
                if table == cells_mummaneni2026.TABLE
                else "nqs.analysis.rbm_tables"
            ),
            *(VMC if cells_mummaneni2026.table_cells(CONFIG, table) else []),
            *(
                ["nqs.analysis.importance"]
                if table in cells_mummaneni2026.ANALYSED
                else []
            ),
        ]
        for table in cells_mummaneni2026.PER_CELL
    },
}
DRAWING = {study: ["nqs.figures.draw", f"nqs.figures.{study}"] for study in COMPUTING}
FIGURE_CONFIG = {
    "westerhout2020": partial(cells.figure_config, study="westerhout2020"),
    "mummaneni2026": cells_mummaneni2026.figure_config,
}
GPU = {"gpu": 1} if CONFIG.device == "cuda" else {}


wildcard_constraints:
    study=r"[a-z]+\d{4}",
    cluster=r"[A-Za-z][A-Za-z0-9]*",
    j2=r"\d+(\.\d+)?([eE]-?\d+)?",
    epsilon=r"\d+(\.\d+)?([eE]-?\d+)?",
    network=r"[A-Za-z][A-Za-z0-9]*",
    target="sign|amplitude",
    data="sampled|whole",
    alpha=r"[1-9]\d*",
    mode="paper|sound",
    run="sweep|trace",


def as_json(value):
    """Settings as they are passed to a stage; sorted, so that equal settings are equal text."""
    return json.dumps(value, sort_keys=True)


def cluster_settings(name):
    """Lattice and shape of a cluster."""
    lattice, shape = CONFIG.cluster(name)
    return {"name": name, "lattice": lattice, "shape": list(shape)}


def ground_state_file(cluster, j2):
    """Ground state of one coupling."""
    return f"{RESULTS}/ground_state/{cluster}/{coupling_name(j2)}.h5"


def dataset_file(study, cluster, j2, epsilon):
    """Data sets of one coupling and size."""
    return f"{RESULTS}/dataset/{study}/{cluster}/{coupling_name(j2)}/epsilon_{epsilon:g}.h5"


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
    return [dataset_file(key.study, key.cluster, key.j2, epsilon) for epsilon in sizes]


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
    files = {
        kind: vmc_files(kind, keys) for kind in cells_mummaneni2026.PER_CELL[table]
    }
    for kind in cells_mummaneni2026.ANALYSED.get(table, ()):
        files[kind] = f"{RESULTS}/analysis/mummaneni2026/{kind}.csv"
    return files


def options(**files):
    """Command-line options, one per file: --kind=path."""
    return [
        f"--{kind.replace('_', '-')}={path}"
        for kind, paths in files.items()
        for path in ([paths] if isinstance(paths, str) else paths)
    ]


def figure_scripts(study):
    """Files that draw a study's figures."""
    modules = closure(f"nqs.figures.{study}")
    return [
        str(module_path(name)) for name in modules if name.startswith("nqs.figures.")
    ]


def figure_settings(study, figure):
    """What a figure's small print and provenance say besides its data."""
    return as_json(
        {
            "note": f"{CONFIG.scale} scale",
            "config": FIGURE_CONFIG[study](CONFIG, figure=figure),
            "seeds": [CONFIG.seed],
            "code": code_hash(*DRAWING[study], *COMPUTING[study][figure]),
        }
    )
