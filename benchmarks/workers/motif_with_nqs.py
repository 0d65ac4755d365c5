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
from nqs.vmc.optimisers import Adam
from nqs.vmc.ring_descent import Course, Problem, RingSampler, descend, energy_gradient, energy_of, iterate

SEEDS = 20  # tried for a network that is not stuck at a constant psi
FEW = 2000  # samples of the iterations before the timing


class Case:
    """A network after some training, from which both programs go on."""

    def __init__(self, settings: str) -> None:
        given = json.loads(settings)
        family = ShallowCnn(given["n_sites"], given["width"], "init")
        sampler = RingSampler(given["n_sites"], given["samples"], given["chains"], "neighbour")
        self.problem = Problem(family, sampler, Adam(given["learning_rate"]), max_iterations=sys.maxsize)
        self.few = replace(self.problem, sampler=replace(sampler, samples=FEW * given["chains"] // 500))
        for seed in range(SEEDS):
            self.course = Course.start(self.few, seed)
            descend(self.course, self.few, lambda course: course.iteration < given["settling"])
            if self.course.status == "running" and not self.course.trace[-1][6]:
                break
        else:
            raise RuntimeError(f"all of {SEEDS} networks diverged or are constant; take other settings")
        self._repeat(1)

    def export(self, path: str) -> dict[str, Any]:
        """Write parameters, Adam's moments, the number of updates and the chains; returns the last energy."""
        course = self.course
        spins = unpack_spins(course.chains, self.problem.ansatz.n_sites)
        mean, square = course.moments
        np.savez(path, iteration=course.updates, theta=course.theta, mean=mean, square=square, spins=spins)
        return {"energy": course.column("energy")[-1], "acceptance": course.column("acceptance")[-1]}

    def time(self, iterations: int, stride: int | None = None) -> dict[str, Any]:
        """CPU time of iterations that continue the course; stride: proposals between two samples (default: N / 2)."""
        return timed(lambda count: self._repeat(count, stride), iterations)

    def _repeat(self, iterations: int, stride: int | None = None) -> None:
        problem = replace(self.problem, sampler=replace(self.problem.sampler, stride=stride))
        for _ in range(iterations):
            iterate(self.course, problem)
        if self.course.status != "running":
            raise RuntimeError(f"the course ended: {self.course.status} {self.course.message}")

    def sample(self) -> dict[str, Any]:
        """Mean energy of a sample and its error."""
        wave, sampler = self.problem.ansatz.at(self.course.theta), self.problem.sampler
        states, _ = sampler.draw(wave, self.course.chains.copy(), np.random.default_rng(0))
        energies = wave.ring_energies(states.reshape(-1, states.shape[-1])).reshape(states.shape[:2])
        energy, error, *_ = energy_of(energies)
        return {"energy": energy, "error": error}

    def compare(self, path: str) -> dict[str, Any]:
        """Mean energy and gradient on given samples (n, N) against those in the same file; differences, relative to
        ours, of the gradients' norms."""
        given, wave = np.load(path), self.problem.ansatz.at(self.course.theta)
        states = pack_spins(given["samples"])
        energies, weights = wave.ring_energies(states), np.full(len(states), 1 / len(states))
        ours = energy_gradient(wave, states, weights, energies)
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
