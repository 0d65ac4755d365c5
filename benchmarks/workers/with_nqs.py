"""Worker of this project: trains the networks of one cell and resumes them at checkpoints.

with_nqs.py SETTINGS GROUND_STATE    settings of the cell (JSON, as `nqs vmc` takes them), file of its ground state
"""

from __future__ import annotations

import dataclasses
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pipe import peak_memory, serve, timed

from nqs.analysis import rbm_ablation
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ring_sums import ALL, energy_and_variance, ring
from nqs.vmc import stochastic_reconfiguration
from nqs.vmc.convergence import EnergyCriterion
from nqs.vmc.local_energy import local_energies
from nqs.vmc.loop import Run, iterate, train
from nqs.vmc.stages.rbm import task_of

KEPT = 64  # checkpoints of a training: so many at most, at regular intervals


class Checkpoints:
    """Course of a training every so many iterations, the interval doubling whenever there are too many files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.interval, self.files = folder, 10, dict[int, Path]()

    def keep(self, run: Run) -> bool:
        """Called after every iteration; True, so that the training goes on."""
        if run.iteration % self.interval == 0 and run.status == "running":
            path = self.files[run.iteration] = self.folder / f"{run.iteration}.pickle"
            path.write_bytes(pickle.dumps(dataclasses.replace(run, trace=[])))
        if len(self.files) > KEPT:
            self.interval *= 2
            for iteration in [i for i in self.files if i % self.interval]:
                self.files.pop(iteration).unlink()
        return True


class Cell:
    """The task of a cell and the run being timed."""

    def __init__(self, settings: str, ground_state: str) -> None:
        self.task = task_of(json.loads(settings), Wavefunction.read(Path(ground_state)))
        exact_energy = self.task.criterion.exact_energy
        self.endless = dataclasses.replace(
            self.task, criterion=EnergyCriterion(exact_energy), max_iterations=sys.maxsize
        )
        self.run = Run.start(self.task, 0)
        self._repeat(3)  # for the compiler

    def train(self, seed: int, folder: str | None = None) -> dict[str, Any]:
        """Train one network to its end, keeping checkpoints in a folder; CPU and wall time without their writing."""
        checkpoints = Checkpoints(Path(folder)) if folder else None
        run = Run.start(self.task, seed)
        self.run = train(run, self.task, *([checkpoints.keep] if checkpoints else []))
        return {
            "status": run.status, "iterations": run.iteration, "energy": run.trace[-1][0],
            "exact_energy": self.task.criterion.exact_energy, "cpu_s": run.cpu_s, "wall_s": run.wall_s,
            "checkpoints": {str(i): str(path) for i, path in checkpoints.files.items()} if checkpoints else {},
        }  # fmt: skip

    def load(self, checkpoint: str, seed: int) -> dict[str, Any]:
        """Go to a checkpoint, with random numbers of its own for every seed."""
        self.run = pickle.loads(Path(checkpoint).read_bytes())
        self.run.rng = np.random.default_rng(seed)
        return {"iteration": self.run.iteration}

    def export(self, path: str) -> dict[str, Any]:
        """Write parameters, Adam's moments, the number of updates and the chains."""
        run = self.run
        arrays = {"theta": run.theta, "mean": run.moments[0], "square": run.moments[1]}
        for name, vector in arrays.copy().items():
            visible, hidden, weights = self.task.ansatz.split(vector)
            arrays |= {f"{name}.visible": visible, f"{name}.hidden": hidden, f"{name}.weights": weights}
            del arrays[name]
        bits = run.chains[:, None] >> np.arange(self.task.ansatz.n_sites, dtype=np.uint64) & np.uint64(1)
        np.savez(path, iteration=run.iteration, spins=2 * bits.astype(np.int8) - 1, **arrays)
        return {}

    def time(self, iterations: int) -> dict[str, Any]:
        """CPU time of iterations that continue the run."""
        return timed(self._repeat, iterations)

    def _repeat(self, iterations: int) -> None:
        for _ in range(iterations):
            iterate(self.run, self.endless)
        if self.run.status != "running":
            raise RuntimeError(f"the run ended: {self.run.status} {self.run.message}")

    def exact(self) -> dict[str, Any]:
        """Energy and variance of the run's parameters over all 2^N states."""
        visible, hidden, weights = self.task.ansatz.split(self.run.theta)
        size = ring(len(visible))
        psi = rbm_ablation.amplitudes(size, ALL, rbm_ablation.Machine(visible, hidden, weights.T))
        energy, variance = energy_and_variance(size, ALL, psi)
        return {"energy": energy, "variance": variance}

    def direction(self, path: str) -> dict[str, Any]:
        """Compare mean energy and natural gradient on given samples (n, N) with those in the same file.

        Differences relative to ours; for the direction, of the vectors' norms.
        """
        given = np.load(path)
        n_sites = self.task.ansatz.n_sites
        words = ((given["samples"] > 0).astype(np.uint64) << np.arange(n_sites, dtype=np.uint64)).sum(axis=1)
        states, counts = np.unique(words.astype(np.uint64), return_counts=True)
        weights, wave = counts / counts.sum(), self.task.ansatz.at(self.run.theta)
        energies = local_energies(self.task.hamiltonian, wave, states)
        shift = self.task.preconditioner.diagonal_shift
        ours = stochastic_reconfiguration.direction(wave.derivatives(states), weights, energies, shift)
        theirs = np.concatenate([given["visible"], given["hidden"], given["weights"].ravel()])
        mean = float(weights @ energies)
        return {
            "n_distinct": len(states),
            "energy": abs(float(given["energy"]) / mean - 1),
            "direction": float(np.linalg.norm(theirs - ours) / np.linalg.norm(ours)),
        }


def main() -> None:
    cell = Cell(*sys.argv[1:])
    names = ("train", "load", "export", "time", "exact", "direction")
    serve({name: getattr(cell, name) for name in names} | {"memory": peak_memory})


if __name__ == "__main__":
    main()
