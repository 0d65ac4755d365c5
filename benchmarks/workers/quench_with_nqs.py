"""Worker of this project: a quench of the Ising ring.

quench_with_nqs.py SETTINGS    settings of the case (JSON), see `netket_quench.py`
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from pipe import peak_memory, serve, timed

from nqs.ansatz.complex_rbm import ComplexRbm
from nqs.studies.kufel2024.systems import ising_ring
from nqs.vmc.natural_gradient import shifted
from nqs.vmc.tangent_space import Problem
from nqs.vmc.time_evolution import exact_velocity, heun, sampled_velocity


class Case:
    """The problem and the machine; H = -sum sz sz - field sum sx."""

    def __init__(self, settings: str) -> None:
        self.settings = given = json.loads(settings)
        self.problem = Problem.of(ising_ring(given["n_sites"], given["field"]))
        self.machine = ComplexRbm.full(given["n_sites"], given["alpha"] * given["n_sites"], given["spread"])

    def export(self, path: str) -> dict[str, Any]:
        """Write initial parameters."""
        np.savez(path, theta=self.machine.initial(np.random.default_rng(0)))
        return {"parameters": self.machine.n_parameters}

    def load(self, path: str, sums: str) -> dict[str, Any]:
        """Go to given parameters; sums: `exact`, or `independent` samples."""
        self.theta, solver = np.load(path)["theta"], shifted(self.settings["shift"])
        if sums == "exact":
            self.velocity = exact_velocity(self.problem, self.machine, solver)
        else:
            rng = np.random.default_rng(1)
            self.velocity = sampled_velocity(self.problem, self.machine, solver, self.settings["samples"], rng)
        return {}

    def time(self, steps: int) -> dict[str, Any]:
        """CPU time of steps that go on from where the last ended."""
        return timed(self._repeat, steps)

    def _repeat(self, steps: int) -> np.ndarray:
        times = self.settings["step"] * np.arange(steps + 1)
        found = heun(self.velocity, self.theta, times, self.settings["step"])
        if found.stopped:
            raise RuntimeError(found.stopped)
        self.theta = found.parameters[-1]
        return found.parameters[1:]

    def course(self, steps: int, path: str) -> dict[str, Any]:
        """Largest difference of the parameters after every step from those in a file (steps, P), and their way."""
        begin, ours = self.theta, self._repeat(steps)
        theirs = np.load(path)["thetas"]
        return {"difference": float(np.abs(ours - theirs).max()), "way": float(np.abs(ours - begin).max())}


def main() -> None:
    case = Case(sys.argv[1])
    names = ("export", "load", "time", "course")
    serve({name: getattr(case, name) for name in names} | {"memory": peak_memory})


if __name__ == "__main__":
    main()
