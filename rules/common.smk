"""The configuration, where results go, and what every rule shares."""

import difflib
import json
import sys
from shlex import quote

PROJECT = Path(workflow.basedir)
SOURCE = str(PROJECT / "src")
if SOURCE not in sys.path:
    sys.path.insert(0, SOURCE)
# jobs find the package even where it is not installed, e.g. in a per-rule conda environment
shell.prefix(f"export PYTHONPATH={quote(SOURCE)}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; ")

from nqs import cells
from nqs.identity import WHOLE, CellKey, coupling_name
from nqs.codehash import code_hash
from nqs.config import load
from nqs.errors import ConfigError

try:
    CONFIG = load(PROJECT, config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{CONFIG.scale}"
CELLS = cells.supervised_cells(CONFIG)
# modules whose code makes the numbers of a figure
TRAINED = [
    "nqs.hamiltonian",
    "nqs.ground_state",
    "nqs.dataset",
    "nqs.supervised",
    "nqs.analysis.overlaps",
    "nqs.analysis.summary",
]
COMPUTING = {
    "fig1": ["nqs.lattices", "nqs.analysis.lattice_geometry"],
    "fig2": TRAINED,
    "fig5": TRAINED,
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


def members_of(key):
    """The networks of a cell; a cell that the configuration does not ask for is an error."""
    if key not in CELLS:
        near = difflib.get_close_matches(
            key.path, [cell.path for cell in CELLS], n=1, cutoff=0.0
        )
        raise WorkflowError(
            f"{key.path} is no cell of the {CONFIG.scale} configuration; did you mean {near[0]}?"
        )
    return CELLS[key]


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


def figure_settings(figure):
    """What a figure's small print and provenance say besides its data."""
    return as_json(
        {
            "note": f"{CONFIG.scale} scale",
            "config": cells.figure_config(CONFIG, "westerhout2020", figure),
            "seeds": [CONFIG.seed],
            "code": code_hash("nqs.figures.draw", *COMPUTING[figure]),
        }
    )
