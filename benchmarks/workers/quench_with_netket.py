"""Worker of NetKet: a quench of the Ising ring. Needs the environment of `netket_quench.py --install`.

quench_with_netket.py SETTINGS    settings of the case (JSON), see `netket_quench.py`
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import netket as nk
import netket.experimental as nkx
import numpy as np
from pipe import peak_memory, serve, timed


def solvers(shift: float, tolerance: float) -> dict[str, tuple[Any, Callable[..., Any]]]:
    """Geometric tensor and solver by name: in full by Cholesky, or products only by conjugate gradients."""
    conjugate_gradients = partial(jax.scipy.sparse.linalg.cg, tol=tolerance, maxiter=10_000)
    optimizer = nk.optimizer
    return {
        "cholesky": (
            optimizer.qgt.QGTJacobianDense(holomorphic=True, diag_shift=shift), optimizer.solver.cholesky
        ),
        "gradients": (optimizer.qgt.QGTOnTheFly(holomorphic=True, diag_shift=shift), conjugate_gradients),
    }  # fmt: skip


class Case:
    """Hamiltonian, machine and samplers; H = -sum sz sz - field sum sx."""

    def __init__(self, settings: str) -> None:
        self.settings = given = json.loads(settings)
        graph = nk.graph.Chain(given["n_sites"], pbc=True)
        self.space = nk.hilbert.Spin(0.5, N=graph.n_nodes)
        model = nk.operator.Ising(self.space, graph, h=given["field"], J=-1.0)
        self.hamiltonian = model.to_jax_operator()
        self.machine = nk.models.RBM(alpha=given["alpha"], param_dtype=complex)
        self.samplers = {
            "chains": nk.sampler.MetropolisLocal(self.space, n_chains=given["chains"]),
            "independent": nk.sampler.ExactSampler(self.space),
        }

    def load(self, path: str, sums: str, solver: str) -> dict[str, Any]:
        """A new driver at given parameters; sums: `exact`, or the sampler to draw with."""
        variables = {"params": tree(np.load(path)["theta"], self.settings)}
        if sums == "exact":
            self.state = nk.vqs.FullSumState(self.space, self.machine, variables=variables)
        else:
            self.state = nk.vqs.MCState(
                self.samplers[sums], self.machine, n_samples=self.settings["samples"], n_discard_per_chain=0, seed=0,
                variables=variables,
            )  # fmt: skip
        qgt, solve = solvers(self.settings["shift"], self.settings["tolerance"])[solver]
        self.driver = nkx.driver.TDVP(
            self.hamiltonian, self.state, nkx.dynamics.Heun(self.settings["step"]), qgt=qgt, linear_solver=solve
        )
        return {}

    def time(self, steps: int) -> dict[str, Any]:
        """CPU time of steps that go on from where the last ended."""
        return timed(self._repeat, steps)

    def _repeat(self, steps: int) -> None:
        for _ in range(steps):
            self.driver.integrator.step()
        jax.block_until_ready(self.driver.integrator.y)

    def course(self, steps: int, path: str) -> dict[str, Any]:
        """Write the parameters after every step (steps, P)."""
        thetas = []
        for _ in range(steps):
            self._repeat(1)
            thetas.append(flat(self.driver.integrator.y))
        np.savez(path, thetas=np.array(thetas))
        return {}

    def versions(self) -> dict[str, Any]:
        """Of NetKet and JAX."""
        return {"netket": nk.__version__, "jax": jax.__version__}


def tree(theta: np.ndarray, settings: dict[str, Any]) -> dict[str, Any]:
    """NetKet's form of the parameters a (N,), b (H,), W (H, N)."""
    n_sites = settings["n_sites"]
    visible, hidden, weights = jnp.split(jnp.asarray(theta), [n_sites, n_sites * (1 + settings["alpha"])])
    return {"visible_bias": visible, "Dense": {"bias": hidden, "kernel": weights.reshape(-1, n_sites).T}}


def flat(parameters: Any) -> np.ndarray:
    """The vector (a, b, W)."""
    layer = parameters["Dense"]
    return np.concatenate([np.ravel(part) for part in (parameters["visible_bias"], layer["bias"], layer["kernel"].T)])


def main() -> None:
    warnings.filterwarnings("ignore")
    case = Case(sys.argv[1])
    names = ("load", "time", "course", "versions")
    serve({name: getattr(case, name) for name in names} | {"memory": peak_memory})


if __name__ == "__main__":
    main()
