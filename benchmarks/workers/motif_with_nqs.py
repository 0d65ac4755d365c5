"""Worker of this project: the shallow convolutional network on a ring.

motif_with_nqs.py SETTINGS    settings of the case (JSON), see `netket_motif.py`
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
from pipe import peak_memory, serve, timed

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import pack_spins, unpack_spins
from nqs.vmc.estimates import energy_of
from nqs.vmc.loop import Run, iterate, train
from nqs.vmc.optimisers import Adam
from nqs.vmc.preconditioners import energy_gradient
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task

SEEDS = 20  # tried for a network that is not stuck at a constant psi
FEW = 2000  # samples of the iterations before the timing


class Case:
    """A network after some training, from which both programs go on."""

    def __init__(self, settings: str) -> None:
        given = json.loads(settings)
        family = ShallowCnn(given["n_sites"], given["width"], "init")
        sampler = RingSampler(given["n_sites"], given["samples"], given["chains"], "neighbour")
        self.task = ring_task(family, sampler, Adam(given["learning_rate"]), max_iterations=sys.maxsize)
        self.few = replace(self.task, sampler=replace(sampler, samples=FEW * given["chains"] // 500))
        for seed in range(SEEDS):
            self.run = Run.start(self.few, seed)
            train(self.run, self.few, lambda run: run.iteration < given["settling"])
            if self.run.status == "running" and not self.run.trace[-1][6]:
                break
        else:
            raise RuntimeError(f"all of {SEEDS} networks diverged or are constant; take other settings")
        self._repeat(1)

    def export(self, path: str) -> dict[str, Any]:
        """Write parameters, Adam's moments, the number of updates and the chains; returns the last energy."""
        run = self.run
        spins = unpack_spins(run.chains, self.task.ansatz.n_sites)
        mean, square = run.moments
        np.savez(path, iteration=run.updates, theta=run.theta, mean=mean, square=square, spins=spins)
        return {"energy": run.column("energy")[-1], "acceptance": run.column("acceptance")[-1]}

    def time(self, iterations: int, stride: int | None = None) -> dict[str, Any]:
        """CPU time of iterations that continue the run; stride: proposals between two samples (default: N / 2)."""
        return timed(lambda count: self._repeat(count, stride), iterations)

    def _repeat(self, iterations: int, stride: int | None = None) -> None:
        task = replace(self.task, sampler=replace(self.task.sampler, stride=stride))
        for _ in range(iterations):
            iterate(self.run, task)
        if self.run.status != "running":
            raise RuntimeError(f"the run ended: {self.run.status} {self.run.message}")

    def sample(self) -> dict[str, Any]:
        """Mean energy of a sample and its error."""
        wave, sampler = self.task.ansatz.at(self.run.theta), self.task.sampler
        sample = sampler.draw(wave, self.run.chains.copy(), np.random.default_rng(0))
        energy, error, *_ = energy_of(sample.along_chains(wave.ring_energies(sample.states)))
        return {"energy": energy, "error": error}

    def compare(self, path: str) -> dict[str, Any]:
        """Mean energy and gradient on given samples (n, N) against those in the same file; differences, relative to
        ours, of the gradients' norms."""
        given, wave = np.load(path), self.task.ansatz.at(self.run.theta)
        states = pack_spins(given["samples"])
        energies, weights = wave.ring_energies(states), np.full(len(states), 1 / len(states))
        ours = energy_gradient(wave.derivatives(states), weights, energies)
        return {
            "energy": abs(float(given["energy"]) / energies.mean() - 1),
            "gradient": float(np.linalg.norm(given["gradient"] - ours) / np.linalg.norm(ours)),
        }


def main() -> None:
    case = Case(sys.argv[1])
    names = ("export", "time", "sample", "compare")
    serve({name: getattr(case, name) for name in names} | {"memory": peak_memory})


if __name__ == "__main__":
    main()
