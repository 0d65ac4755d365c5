"""Tables of Figs. 1 to 3 of Ju et al. (2025): a network learns the states of a small ring, its symmetry under exchange
of up and down, and how fast and how well four ways of training work on long rings.

Each function takes files by kind, one per cell and in the same order for all kinds, and the block of the configuration
of its figure (`nqs.studies.ju2025.cells`).
ln psi is normalised, sum psi^2 = 1, in Fig. 1, and the network's own output in Fig. 2. Energies are totals of sum P.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.table_files import read
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.model.motifs import motif_classes, motif_counts, spell, state_classes
from nqs.runtime.errors import InputError
from nqs.runtime.job import Files
from nqs.runtime.tensors import read_tensors, refuse_absurd
from nqs.studies.ju2025.files import best_known_energy, ring_ground_state
from nqs.studies.ju2025.tables.convergence_saving import reductions
from nqs.vmc.estimates import spread_vanishes
from nqs.vmc.keys import FINAL, SEARCH, SINGLE
from nqs.vmc.ring_choice import is_stuck
from nqs.vmc.ring_evaluation import WINDOWS

Settings = Mapping[str, Any]
LONGEST_CURVE = 80  # points of a grand sum
SETTING = ["network", "width", "run", "seed", "learning_rate", "steps"]
DISTANCES = ["delta_energy", "delta_over_gap", "delta_over_ground"]
LEVELS = ["ground_energy", "triplet_energy"]
CONVERGENCE = [f"{kind}_{window}" for window in WINDOWS for kind in ("t_cv", "noise")]
CAPPED = {f"capped_{window}": f"reached_{window}" for window in WINDOWS}
RUN = [
    "n_sites", *SETTING, "n_parameters", *DISTANCES, "energy", "energy_error", "exact_energy", "exact_delta_energy",
    "variance", "autocorrelation_time", *CONVERGENCE, *CAPPED, "iterations", "samples", "status", "stuck",
    "why_constant", "diverged", *LEVELS,
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Snapshots:
    """A cell with the parameters of its runs at several iterations: runs (one row each), kept (run, kept, P)."""

    network: ShallowCnn
    runs: pd.DataFrame
    iterations: np.ndarray
    kept: np.ndarray

    @classmethod
    def read(cls, runs: Path, weights: Path) -> Snapshots:
        """Raises InputError for a deep network, which has no grand sum, and for weights without snapshots."""
        table, arrays = read([runs], ["status"]), read_tensors(weights)
        first = table.iloc[0]
        if first.network not in FORCINGS:
            raise InputError(f"{weights}: {first.network} has no grand sum; give cells of {', '.join(FORCINGS)}")
        if "snapshots" not in arrays or len(arrays["snapshots"]) != len(table):
            raise InputError(f"{weights}: needs snapshots of each of the {len(table)} runs; train it as a trace")
        refuse_absurd(weights, arrays["snapshots"], table.status == "diverged")
        network = ShallowCnn(int(first.n_sites), int(first.width), first.network)
        return cls(network, table, arrays["snapshot_iterations"], arrays["snapshots"])


def fig1(files: Files, settings: Settings) -> pd.DataFrame:
    """Learned and exact ln psi of all states of a small ring, and how often each motif occurs in each.

    series: "learned" (one row per state and iteration, with the fidelity), "exact", "counts" (per state and motif).
    position orders states, motif_position motifs, both class by class. The run is that of lowest energy among those of
    the first network and width in the settings whose psi is not constant, unless all are (stuck). "course": one row per
    run of that network and width and iteration, with the fidelity and the part of the variance of ln psi over states
    that lies within their classes, NaN for constant psi.
    """
    cell, row = _shown_run(files, settings)
    n_sites, width = cell.network.n_sites, cell.network.width
    states = _states(n_sites)
    ordered = states.state.to_numpy(np.uint64)
    exact = _normalised(np.log(np.abs(ring_ground_state(files, n_sites).lookup(ordered))))
    run = cell.runs.iloc[row]
    parts = [states.assign(series="exact", log_psi=exact, fidelity=1.0)]
    for kept in _places(cell.iterations, settings["shown"]):
        learned = _normalised(cell.network.at(cell.kept[row, kept]).log_psi(ordered))
        fidelity = float(np.exp(learned + exact).sum() ** 2)
        iteration = int(cell.iterations[kept])
        parts.append(states.assign(series="learned", iteration=iteration, log_psi=learned, fidelity=fidelity))
    parts.append(_count_rows(states, n_sites, width))
    shown = pd.concat(parts, ignore_index=True).assign(**{name: run[name] for name in (*SETTING, "stuck")})
    course = _courses(cell, ordered, exact, states.state_class.to_numpy(), _places(cell.iterations, settings["shown"]))
    return pd.concat([shown, course], ignore_index=True).assign(n_sites=n_sites)


def _courses(
    cell: Snapshots, states: np.ndarray, exact: np.ndarray, labels: np.ndarray, places: Sequence[int]
) -> pd.DataFrame:
    """Rows "course" of all runs of a cell, from the states (U,), the exact ln psi (U,) and the class (U,) of each."""
    rows: list[dict[str, Any]] = []
    for kept, (_, run) in zip(cell.kept, cell.runs.iterrows(), strict=True):
        for place in places:
            learned = _normalised(cell.network.at(kept[place]).log_psi(states))
            rows.append({name: run[name] for name in (*SETTING, "stuck")} | {
                "series": "course", "iteration": int(cell.iterations[place]),
                "fidelity": float(np.exp(learned + exact).sum() ** 2), "within_classes": share_within(learned, labels),
            })  # fmt: skip
    return pd.DataFrame(rows)


def share_within(values: np.ndarray, labels: np.ndarray) -> float:
    """Part of the variance of values (U,) that lies within the classes of labels (U,); NaN where all are equal."""
    if spread_vanishes(values):
        return float("nan")
    means = np.bincount(labels, values) / np.bincount(labels)
    return float(np.sum((values - means[labels]) ** 2) / np.sum((values - values.mean()) ** 2))


def _shown_run(files: Files, settings: Settings) -> tuple[Snapshots, int]:
    """The cell of Fig. 1 and the row of its run."""
    wanted = settings["networks"][0], settings["widths"][0]
    for cell in _snapshots(files):
        if (cell.network.forcing, cell.network.width) == wanted:
            energies = best_known_energy(cell.runs)[cell.runs.status != "diverged"].dropna()
            if energies.empty:
                raise InputError(f"all runs of network {wanted[0]}, K = {wanted[1]}, diverged; lower learning_rates")
            moving = energies[~cell.runs.stuck.astype(bool)]
            shown = energies if moving.empty else moving
            return cell, int(shown.index[int(shown.to_numpy().argmin())])
    raise InputError(f"no cell of network {wanted[0]}, K = {wanted[1]}, with snapshots; add it to traces")


def _snapshots(files: Files) -> list[Snapshots]:
    return [Snapshots.read(*paths) for paths in zip(files["runs"], files["weights"], strict=True)]


def _states(n_sites: int) -> pd.DataFrame:
    """All states class by class."""
    classes = state_classes(n_sites)
    codes, labels = classes.codes[classes.order], classes.labels[classes.order]
    return pd.DataFrame({
        "position": np.arange(len(codes)), "state": codes, "spins": _spins(codes, n_sites),
        "state_class": labels, "class_size": classes.sizes[labels],
    })  # fmt: skip


def _spins(codes: np.ndarray, length: int) -> list[str]:
    """States or motifs as text, site 0 first."""
    return [spell(code, length) for code in codes]


def _count_rows(states: pd.DataFrame, n_sites: int, width: int) -> pd.DataFrame:
    """One row per state and motif."""
    classes = motif_classes(width)
    motifs = pd.DataFrame({
        "motif_position": np.arange(len(classes.codes)), "motif": classes.codes[classes.order],
        "motif_spins": _spins(classes.codes[classes.order], width), "motif_class": classes.labels[classes.order],
    })  # fmt: skip
    counts = motif_counts(states.state.to_numpy(np.uint64), n_sites, width)[:, classes.order]  # (state, motif)
    return states.merge(motifs, how="cross").assign(series="counts", count=counts.ravel())


def _normalised(log_psi: np.ndarray) -> np.ndarray:
    """ln psi with sum psi^2 = 1."""
    highest = log_psi.max()
    return log_psi - highest - np.log(np.exp(2 * (log_psi - highest)).sum()) / 2


def _places(iterations: np.ndarray, shown: Sequence[int]) -> list[int]:
    """Places of the iterations shown among the snapshots."""
    if absent := sorted(set(shown) - set(iterations.tolist())):
        raise InputError(f"shown: no snapshots at iterations {absent}; there are some at {iterations.tolist()}")
    return [int(np.flatnonzero(iterations == iteration)[0]) for iteration in sorted(shown)]


def fig2(files: Files, settings: Settings) -> pd.DataFrame:
    """ln psi of a state s and of Ls, up and down exchanged, at the snapshots, and the grand sum during training.

    series: "snapshot" (relative_difference = (a - b) / ((|a| + |b|) / 2), 0 where both are 0; constant: psi is the same
    for all states, so that the difference says nothing), "trace" (grand_sum at growing distances; constant on the
    sample). s is `example_state`.
    """
    parts = []
    for cell, trace in zip(_snapshots(files), files["traces"], strict=True):
        n_sites = cell.network.n_sites
        rows = [*_differences(cell), *_grand_sums(cell, read([trace]))]
        parts.append(pd.concat(rows, ignore_index=True).assign(n_sites=n_sites, state=example_state(n_sites)))
    return pd.concat(parts, ignore_index=True)


def example_state(n_sites: int) -> str:
    """The state s of Fig. 2, site 0 first: uuuddudd for 8 sites, as printed but for one spin that the print lacks.

    On longer rings the same with longer domains, so that no translation or reflection exchanges its up and down.
    """
    half = n_sites // 2
    return "u" * (half - 1) + "d" * (half - 2) + "udd"


def _differences(cell: Snapshots) -> Iterator[pd.DataFrame]:
    n_sites = cell.network.n_sites
    state = sum(1 << site for site, spin in enumerate(example_state(n_sites)) if spin == "u")
    every = state_classes(n_sites).codes
    places = np.searchsorted(every, np.array([state, state ^ ((1 << n_sites) - 1)], np.uint64))
    for kept, (_, run) in zip(cell.kept, cell.runs.iterrows(), strict=True):
        logs = np.stack([cell.network.at(theta).log_psi(every) for theta in kept])  # (kept, state)
        a, b = logs[:, places].T
        size = (np.abs(a) + np.abs(b)) / 2
        yield pd.DataFrame({
            **{name: run[name] for name in SETTING}, "series": "snapshot", "iteration": cell.iterations,
            "log_psi": a, "log_psi_exchanged": b,
            "relative_difference": np.divide(a - b, size, out=np.zeros_like(a), where=size > 0),
            "grand_sum": [cell.network.grand_sum(theta) for theta in kept],
            "constant": spread_vanishes(logs),
        })  # fmt: skip


def _grand_sums(cell: Snapshots, trace: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for _, run in cell.runs.iterrows():
        curve = trace[trace.run == run.run].sort_values("iteration")
        shown = np.unique((np.geomspace(1, len(curve), LONGEST_CURVE) - 1).round().astype(int))
        curve = curve.iloc[shown]
        yield pd.DataFrame({
            **{name: run[name] for name in SETTING}, "series": "trace", "iteration": curve.iteration,
            "grand_sum": curve.grand_sum, "constant": curve.stuck.astype(float) == 1,
        })  # fmt: skip


def fig3(files: Files, settings: Settings) -> pd.DataFrame:
    """T_cv and Delta E = E - E0 of every run, their means over seeds, and exact variational optima.

    series: "run", of the final cells; "mean" over their seeds; "single", the run with one chain; "search", means over
    the seeds of each setting tried; "reduction" of T_cv by symmetry forcing (`reductions`); "optimum",
    the lowest of the family cps or cnn. capped: the rule of T_cv was never met, so that T_cv is a lower bound.
    stuck: see `nqs.vmc.ring_choice.is_stuck`. See `means` for means, and `with_distances` for the units of energies.
    """
    runs = prepared(files["runs"])
    final, search = runs[runs.run_kind == FINAL], runs[runs.run_kind == SEARCH]
    cell = ["n_sites", "network", "width", "learning_rate", "steps"]
    parts = [
        final[RUN].assign(series="run"),
        *(means(part).assign(series="mean", **_named(cell, key)) for key, part in final.groupby(cell)),
        runs.loc[runs.run_kind == SINGLE, RUN].assign(series="single"),
        *(means(part).assign(series="search", **_named(cell, key)) for key, part in search.groupby(cell)),
        *(reductions(final, window).assign(series="reduction") for window in WINDOWS),
        *_optima(files),
    ]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def prepared(paths: Sequence[Path]) -> pd.DataFrame:
    """Tables of runs with the distances of their energies and, as 0 or 1, stuck, diverged and capped."""
    runs = with_distances(read(paths))
    runs = runs.assign(stuck=is_stuck(runs).astype(int), diverged=(runs.status == "diverged").astype(int))
    return runs.assign(**{capped: 1 - runs[reached].astype(int) for capped, reached in CAPPED.items()})


def _named(names: Sequence[str], key: Any) -> dict[str, Any]:
    return dict(zip(names, key, strict=True))


def with_distances(table: pd.DataFrame) -> pd.DataFrame:
    """Energies above the ground state beside those of a table: as totals, over the gap E1 - E0, and over E0 < 0.

    exact_delta_energy is that of the exact energy of the same parameters, if the table has it.
    """
    excess = table.energy - table.ground_energy
    table = table.assign(
        delta_energy=excess,
        delta_over_gap=excess / (table.triplet_energy - table.ground_energy),
        delta_over_ground=excess / table.ground_energy,
    )
    return (
        table.assign(exact_delta_energy=table.exact_energy - table.ground_energy) if "exact_energy" in table else table
    )


def means(runs: pd.DataFrame) -> pd.DataFrame:
    """One row about the seeds of one cell and setting.

    Means (_mean) and standard errors (_sem) over those that did not diverge, stuck ones included; means without these
    (_moving).
    """
    kept = runs[runs.diverged == 0]
    row: dict[str, Any] = {
        "n_runs": len(runs), "n_stuck": int(kept.stuck.sum()), "n_diverged": int(runs.diverged.sum()),
        **{f"n_{name}": int(kept[name].sum()) for name in CAPPED},
    }  # fmt: skip
    for name in (*DISTANCES, *CONVERGENCE):
        row |= {f"{name}_mean": kept[name].mean(), f"{name}_sem": kept[name].sem(ddof=1)}
        row[f"{name}_moving"] = kept[name][kept.stuck == 0].mean()
    first = runs.iloc[0]
    return pd.DataFrame([row | {name: first[name] for name in ("n_parameters", "samples", *LEVELS)}])


def _optima(files: Files) -> Iterator[pd.DataFrame]:
    """The lowest energy of each family, ring and width."""
    for path in files["optima"]:
        table = with_distances(read([path]).dropna(subset=["energy"]))
        for family, minima in table.groupby("family"):
            best = minima.loc[[minima.energy.idxmin()], ["n_sites", "width", "family", "energy", *DISTANCES, *LEVELS]]
            width = int(best.width.iloc[0])
            n_parameters = len(motif_classes(width)) if family == "cps" else 2 * width + 2
            yield best.assign(series="optimum", n_parameters=n_parameters, n_starts=len(minima))


TABLES: dict[str, Callable[[Files, Settings], pd.DataFrame]] = {"fig1": fig1, "fig2": fig2, "fig3": fig3}
