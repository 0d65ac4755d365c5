"""Worker of NetKet: the same training, run by NetKet's driver. Needs the environment of `netket_rbm.py --install`.

with_netket.py SETTINGS    settings of the cell (JSON, as `nqs vmc` takes them)
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import netket as nk
import numpy as np
from pipe import peak_memory, serve, timed

COMPILING = 3  # iterations after which nothing is compiled any more


def sr(method: str, shift: float) -> Any:
    """Stochastic reconfiguration by NetKet's default (S on the fly, conjugate gradients), or S in full, by Cholesky."""
    if method == "default":
        return nk.optimizer.SR(diag_shift=shift)
    solver = nk.optimizer.solver.cholesky
    return nk.optimizer.SR(qgt=nk.optimizer.qgt.QGTJacobianDense, solver=solver, diag_shift=shift)


class Cell:
    """Hamiltonian, network, sampler and driver of a cell, in units of S.S."""

    def __init__(self, settings: str) -> None:
        self.settings = json.loads(settings)
        graph = nk.graph.Chain(self.settings["n_sites"], pbc=True)
        self.space = nk.hilbert.Spin(0.5, N=graph.n_nodes)
        self.hamiltonian = nk.operator.Heisenberg(self.space, graph, J=0.25, sign_rule=True)  # S.S = sigma.sigma / 4
        ansatz = self.settings["ansatz"]
        normal = jax.nn.initializers.normal(ansatz["initial_std"])
        initial = {"kernel_init": normal, "hidden_bias_init": normal, "visible_bias_init": normal}
        self.network = nk.models.RBM(alpha=ansatz["alpha"], param_dtype=float, **initial)
        self.methods = {name: sr(name, self.settings["shift"]) for name in ("default", "cholesky")}
        sampler = self.settings["sampler"]
        chains = nk.sampler.MetropolisLocal(
            self.space, n_chains=sampler["chains"], sweep_size=sampler["sweeps"] * graph.n_nodes
        )
        self.state = nk.vqs.MCState(
            chains, self.network, n_samples=sampler["samples"], n_discard_per_chain=sampler["discard"], seed=0
        )
        self.adam = nk.optimizer.Adam(learning_rate=self.settings["optimiser"]["learning_rate"])
        method = self.methods["default"]
        self.driver = nk.driver.VMC(self.hamiltonian, self.adam, variational_state=self.state, preconditioner=method)

    def start(self, seed: int) -> None:
        """Random parameters and chains; what is compiled stays."""
        self.state.init(seed)
        sampler = self.state.sampler
        self.state.sampler_state = sampler.init_state(self.state.model, self.state.variables, seed=seed + 1)
        self.driver.optimizer = self.adam
        self.driver.preconditioner = self.methods["default"]

    def load(self, path: str, method: str = "default") -> dict[str, Any]:
        """Continue from parameters, moments and chains of another program's course."""
        given = np.load(path)
        self.state.parameters = tree(given, "theta")
        spins = jnp.asarray(given["spins"])
        self.state.sampler_state = self.state.sampler_state.replace(σ=spins)
        moments, *rest = self.driver._optimizer_state  # there is no other way to set Adam's moments
        moments = moments._replace(
            count=jnp.asarray(given["iteration"], moments.count.dtype), mu=tree(given, "mean"), nu=tree(given, "square")
        )
        self.driver._optimizer_state = (moments, *rest)
        self.driver.preconditioner = self.methods[method]
        return {}

    def time(self, iterations: int) -> dict[str, Any]:
        """CPU time of iterations that continue the course."""
        return timed(self._repeat, iterations)

    def _repeat(self, iterations: int) -> None:
        for _ in range(iterations):
            self._evaluate()
            self._update()
        jax.block_until_ready(self.state.parameters)

    def _evaluate(self) -> float:
        """First half of an iteration of `driver.run`, without its loggers: sampled energy and natural gradient."""
        self.driver.reset_step()
        energy, self.step = self.driver.compute_loss_and_update()
        return float(np.real(energy.mean))

    def _update(self) -> None:
        self.driver.update_parameters(self.step)

    def train(self, seed: int, exact_energy: float) -> dict[str, Any]:
        """Train one network from random parameters until its energy meets the criterion, without compilation."""
        for _ in range(2):  # the first time for the compiler
            self.start(seed)
            self._repeat(COMPILING)
        self.start(seed)
        cpu, wall, iterations = time.process_time(), time.perf_counter(), 0
        while abs(self._evaluate() / exact_energy - 1) >= self.settings["tolerance"]:
            self._update()
            iterations += 1
            if iterations == self.settings["max_iterations"]:
                break
        return {
            "iterations": iterations, "cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall,
            "status": "cap" if iterations == self.settings["max_iterations"] else "converged",
        }  # fmt: skip

    def versions(self) -> dict[str, Any]:
        """Of NetKet and JAX."""
        return {"netket": nk.__version__, "jax": jax.__version__}

    def exact(self) -> dict[str, Any]:
        """Energy and variance of the parameters over all 2^N states."""
        full = nk.vqs.FullSumState(self.space, self.network, variables=self.state.variables)
        energy = full.expect(self.hamiltonian)
        return {"energy": float(np.real(energy.mean)), "variance": float(np.real(energy.variance))}

    def direction(self, path: str, method: str) -> dict[str, Any]:
        """Write a sample, its mean energy and its natural gradient."""
        self.driver.preconditioner = self.methods[method]
        energy = self._evaluate()
        dense, samples = self.step["Dense"], np.asarray(self.state.samples).reshape(-1, self.settings["n_sites"])
        np.savez(
            path, samples=samples, energy=energy, visible=np.asarray(self.step["visible_bias"]),
            hidden=np.asarray(dense["bias"]), weights=np.asarray(dense["kernel"]),
        )  # fmt: skip
        return {}


def tree(given: Any, name: str) -> dict[str, Any]:
    """NetKet's form of a vector of parameters."""
    visible, hidden, weights = (jnp.asarray(given[f"{name}.{part}"]) for part in ("visible", "hidden", "weights"))
    return {"Dense": {"kernel": weights, "bias": hidden}, "visible_bias": visible}


def main() -> None:
    warnings.filterwarnings("ignore")
    cell = Cell(*sys.argv[1:])
    names = ("load", "time", "train", "versions", "exact", "direction")
    serve({name: getattr(cell, name) for name in names} | {"memory": peak_memory})


if __name__ == "__main__":
    main()
