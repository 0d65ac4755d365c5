"""What a cell is expected to cost before it ever ran: CPU seconds, from what drives the cost of its stage.

seconds = per_job + per_unit x units. The two numbers of each stage stand in reference/timings.csv, made from the
benchmarks of a finished run by tools/reference_timings.py; the units are counted here from a cell's settings.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from math import comb, prod
from pathlib import Path
from typing import Any, NamedTuple

from nqs.model.clusters import QUSPIN_SITES
from nqs.runtime.errors import ConfigError
from nqs.studies.protocol import Cell
from nqs.workflow.work import Work

FILE = "reference/timings.csv"
MACHINE = "machine"  # the entry whose per_job is the speed of the reference machine, see nqs.workflow.machine_speed
EPOCHS = 5.0  # updates of a training, in those after which it stops without progress: it makes some first
Settings = Mapping[str, Any]


class Timing(NamedTuple):
    """CPU seconds of a stage on the reference machine."""

    per_job: float
    per_unit: float


def read_timings(root: Path) -> dict[str, Timing]:
    """Timings by stage, `rows`, `figures` and so on; ConfigError that names the file and its line."""
    path = root / FILE
    try:
        with path.open(encoding="utf-8") as lines:
            rows = csv.DictReader(line for line in lines if not line.startswith("#"))
            return {row["stage"]: Timing(float(row["per_job"]), float(row["per_unit"])) for row in rows}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{FILE}: cannot be read ({error}); restore it, e.g. with git checkout") from None


class Costs:
    """Expected CPU seconds of the cells of a configuration on the reference machine."""

    def __init__(self, work: Work, timings: Mapping[str, Timing]) -> None:
        self.work = work
        self.timings = timings
        self.units = cache(self._units)

    def seconds(self, rule: str, path: str) -> float:
        """Of one cell, or of one target's rows or figure; 0 without timings of that stage."""
        timing = self.timings.get(rule, Timing(0.0, 0.0))
        return timing.per_job + (timing.per_unit * self.units(rule, path) if timing.per_unit else 0.0)

    def _units(self, stage: str, path: str) -> float:
        """What drives the cost of a cell."""
        cell = self.work.cell(stage, path)
        if stage in OF_THE_MODEL:
            return OF_THE_MODEL[stage](cell, self.source(cell).settings())
        return UNITS[stage](cell, cell.settings()) if stage in UNITS else 0.0

    def source(self, cell: Cell) -> Cell:
        """The cell that trained what this one looks at."""
        (weights, *_) = cell.inputs["weights"]
        return self.work.cell(*self.work.origin(weights))


def basis(n_sites: int) -> float:
    """States of zero magnetisation."""
    return float(comb(n_sites, n_sites // 2))


CONVOLUTION = 0.25  # time of a multiplication in a convolution, in those of a small dense layer


def parameters(network: Settings, n_sites: int) -> float:
    """Multiplications for one state, about."""
    if network["architecture"] == "cnn":
        first, second = network["channels"]
        return CONVOLUTION * n_sites * network["kernel"] ** 2 * (first + first * second)
    widths = [n_sites, *network["hidden"], 2]
    return float(sum(before * after for before, after in pairwise(widths)))


def orbits(cell: Cell, settings: Settings, point: bool = True) -> float:
    """States that symmetry does not make one: by translations, spin flip and, if wanted, the point group."""
    lattice, shape = settings["lattice"], settings["shape"]
    translations = cell.n_sites / (3 if lattice == "kagome" else 1)
    around = (8 if lattice == "square" and shape[0] == shape[1] else 4 if lattice == "square" else 2) if point else 1
    return basis(cell.n_sites) / (2 * translations * around)


def general(cell: Cell, settings: Settings) -> bool:
    """Whether a general library builds the matrices: those of small clusters."""
    backend = settings.get("backend", "auto")
    return backend == "quspin" or (backend == "auto" and cell.n_sites <= QUSPIN_SITES)


def matrices(cell: Cell, settings: Settings) -> float:
    """Orbits; those of a general library count many times."""
    weight = GENERAL if general(cell, settings) else 1.0
    return orbits(cell, settings, "point" in settings["symmetries"]) * weight


def solved(cell: Cell, settings: Settings) -> float:
    """Orbits, and states for the search of all other momenta; orbits of a general library, whose sectors are larger."""
    of_state = orbits(cell, settings) * (SOLVED if general(cell, settings) else 1)
    if settings["known"]:
        return of_state * KNOWN
    if general(cell, settings):
        return of_state
    return orbits(cell, settings) + MOMENTA * basis(cell.n_sites)


SOLVED = 7.0  # time to find a ground state from matrices of QuSpin, in that from the compiled kernel


KNOWN = 0.4  # time to compute a state in a known sector, in that of the search of all sectors


MOMENTA = 0.018  # time to bound the levels of all other momenta, per state, in that of an orbit


GENERAL = 100.0  # time to build a row of a matrix in QuSpin, in those of the compiled kernel


def data_sets(cell: Cell, settings: Settings) -> float:
    """States that are drawn from, and drawn."""
    return basis(cell.n_sites) * (1 + settings["epsilon"] * settings["repeats"])


def training(cell: Cell, settings: Settings) -> float:
    """Updates of all networks, times states per update, times parameters."""
    how = settings["training"]
    updates = min(how["max_updates"], EPOCHS * how["patience"] * how["check_every"])
    return len(settings["members"]) * updates * how["batch"] * parameters(settings["network"], cell.n_sites)


def reconfiguration(cell: Cell, settings: Settings) -> float:
    """Iterations times samples times parameters; the local energy sees a state for every bond."""
    how = settings["reconfiguration"]
    steps = how["repeats"] * how["iterations"] * how["samples"]
    return steps * parameters(settings["network"], cell.n_sites) * (1 + cell.n_sites)


def machines(cell: Cell, settings: Settings) -> float:
    """Iterations times samples times parameters of restricted Boltzmann machines."""
    n_sites, alpha = settings["n_sites"], settings["ansatz"]["alpha"]
    iterations = settings["max_iterations"] * (1.0 if settings["tolerance"] is None else CONVERGED)
    return settings["repeats"] * iterations * settings["sampler"]["samples"] * alpha * n_sites**2


CONVERGED = 0.3  # iterations until a tolerance is met, in those allowed


def rings(cell: Cell, settings: Settings) -> float:
    """Runs times iterations times samples times the windows and their width."""
    key, sampler = settings["key"], settings["sampler"]
    scanned = prod(len(settings[name] or [0]) for name in ("learning_rates", "steps"))
    runs = settings["repeats"] * scanned
    states = settings["iterations"] * (sampler["samples"] + sampler["burn_in"]) + settings["evaluation"]["samples"]
    return runs * states * key["n_sites"] * key["width"] * filters(key["network"])


def filters(network: str) -> float:
    """Convolutions of a network on a ring: deep<layers>x<filters>, or one."""
    layers, _, width = network.removeprefix("deep").partition("x")
    return float(layers) * float(width) ** 2 if width else 1.0


def optima(cell: Cell, settings: Settings) -> float:
    """Descents times transfer matrices times sites."""
    return float(settings["starts"] * settings["key"]["n_sites"] * 4 ** min(settings["key"]["width"], 8))


def overlaps(cell: Cell, trained: Settings) -> float:
    """States summed over for every network, times parameters."""
    settings = cell.settings()
    states = settings["samples"] if settings["estimated"] else basis(cell.n_sites)
    return len(trained["members"]) * states * parameters(trained["network"], cell.n_sites)


def observables(cell: Cell, trained: Settings) -> float:
    """All states of a ring for every model and every hidden unit that is taken out."""
    units = trained["ansatz"]["alpha"] * trained["n_sites"]
    snapshots = len(trained["snapshots"]) or 1
    return float(trained["repeats"] * snapshots * 2 ** trained["n_sites"] * units)


def sampled_ablation(cell: Cell, trained: Settings) -> float:
    """Draws: one for every model and every hidden unit that is taken out."""
    return float(trained["repeats"] * trained["ansatz"]["alpha"] * trained["n_sites"])


UNITS: Mapping[str, Callable[[Cell, Settings], float]] = {
    "hamiltonian": matrices,
    "ground_state": solved,
    "dataset": data_sets,
    "supervised": training,
    "reconfiguration": reconfiguration,
    "vmc": machines,
    "motif_vmc": rings,
    "motif_optima": optima,
}
OF_THE_MODEL: Mapping[str, Callable[[Cell, Settings], float]] = {
    "overlaps": overlaps,
    "observables": observables,
    "sampled_ablation": sampled_ablation,
}
