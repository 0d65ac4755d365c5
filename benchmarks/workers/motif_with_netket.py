"""Worker of NetKet: the shallow convolutional network on a ring. Needs the environment of `netket_motif.py --install`.

motif_with_netket.py SETTINGS    settings of the case (JSON), see `netket_motif.py`
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import netket as nk
import numpy as np
from pipe import peak_memory, serve, timed


class Convolution(nn.Module):
    """ln psi = v sum relu(w.m + b) with Flax's convolution of one-hot spins, columns down and up."""

    width: int

    @nn.compact
    def __call__(self, spins: Any) -> Any:
        channels = jnp.stack([spins < 0, spins > 0], axis=-1).astype(float)  # (..., site, 2)
        inputs = nn.Conv(1, (self.width,), padding="CIRCULAR", param_dtype=float)(channels)
        scale = self.param("scale", jax.nn.initializers.normal(1.0), (), float)
        return scale * nn.relu(inputs).sum((-2, -1))


class Rolls(nn.Module):
    """The same, as a sum over shifted rings; same parameters."""

    width: int

    @nn.compact
    def __call__(self, spins: Any) -> Any:
        weights = Weights(self.width, name="Conv_0")
        inputs = weights(jnp.zeros(()), spins)
        scale = self.param("scale", jax.nn.initializers.normal(1.0), (), float)
        return scale * nn.relu(inputs).sum(-1)


class Weights(nn.Module):
    """Kernel and bias under the names that Flax gives them."""

    width: int

    @nn.compact
    def __call__(self, start: Any, spins: Any) -> Any:
        kernel = self.param("kernel", jax.nn.initializers.normal(1.0), (self.width, 2, 1), float)
        bias = self.param("bias", jax.nn.initializers.zeros, (1,), float)
        parts = (
            jnp.where(jnp.roll(spins, -site, axis=-1) > 0, kernel[site, 1, 0], kernel[site, 0, 0])
            for site in range(self.width)
        )
        return sum(parts, start + bias[0])


NETWORKS = {"convolution": Convolution, "rolls": Rolls}


class Case:
    """Hamiltonian, network, sampler and driver; H = sum P = sum (sigma.sigma + 1) / 2, without the constant."""

    def __init__(self, settings: str) -> None:
        self.settings = given = json.loads(settings)
        graph = nk.graph.Chain(given["n_sites"], pbc=True)
        space = nk.hilbert.Spin(0.5, N=graph.n_nodes, total_sz=0)
        hamiltonian = nk.operator.Heisenberg(space, graph, J=0.5, sign_rule=True)
        self.operators = {"jax": hamiltonian.to_jax_operator(), "numba": hamiltonian.to_numba_operator()}
        self.sampler = nk.sampler.MetropolisExchange(
            space, graph=graph, n_chains=given["chains"], sweep_size=graph.n_nodes // 2
        )
        self.constant = graph.n_nodes / 2
        self.adam = nk.optimizer.Adam(learning_rate=given["learning_rate"])

    def load(self, path: str, network: str, operator: str, chunk_size: int) -> dict[str, Any]:
        """A new driver, which goes on from parameters, moments and chains of another program's course."""
        given = np.load(path)
        self.state = nk.vqs.MCState(
            self.sampler, NETWORKS[network](self.settings["width"]), n_samples=self.settings["samples"],
            n_discard_per_chain=0, chunk_size=chunk_size, seed=0, variables={"params": tree(given, "theta")},
        )  # fmt: skip
        spins = jnp.asarray(given["spins"], self.state.sampler_state.σ.dtype)
        self.state.sampler_state = self.state.sampler_state.replace(σ=spins)
        self.driver = nk.driver.VMC(self.operators[operator], self.adam, variational_state=self.state)
        moments, *rest = self.driver._optimizer_state  # there is no other way to set Adam's moments
        moments = moments._replace(
            count=jnp.asarray(given["iteration"], moments.count.dtype), mu=tree(given, "mean"), nu=tree(given, "square")
        )
        self.driver._optimizer_state = (moments, *rest)
        return {}

    def time(self, iterations: int) -> dict[str, Any]:
        """CPU time of iterations that continue the course."""
        return timed(self._repeat, iterations)

    def _repeat(self, iterations: int) -> None:
        for _ in range(iterations):
            self._evaluate()
            self.driver.update_parameters(self.gradient)
        jax.block_until_ready(self.state.parameters)

    def _evaluate(self) -> Any:
        """First half of an iteration of `driver.run`, without its loggers: sampled energy and gradient."""
        self.driver.reset_step()
        energy, self.gradient = self.driver.compute_loss_and_update()
        return energy

    def sample(self, path: str) -> dict[str, Any]:
        """Write a sample and its gradient; returns its mean energy and the error of that."""
        energy = self._evaluate()
        samples = np.asarray(self.state.samples).reshape(-1, self.settings["n_sites"])
        mean = float(np.real(energy.mean)) + self.constant
        np.savez(path, samples=samples.astype(np.int8), energy=mean, gradient=flat(self.gradient))
        return {"energy": mean, "error": float(energy.error_of_mean)}

    def versions(self) -> dict[str, Any]:
        """Of NetKet and JAX."""
        return {"netket": nk.__version__, "jax": jax.__version__}


def tree(given: Any, name: str) -> dict[str, Any]:
    """NetKet's form of a vector of parameters (v, w, b)."""
    scale, kernel, bias = jnp.split(jnp.asarray(given[name]), [1, len(given[name]) - 1])
    return {"Conv_0": {"kernel": kernel.reshape(-1, 2, 1), "bias": bias}, "scale": scale[0]}


def flat(parameters: Any) -> np.ndarray:
    """The vector (v, w, b)."""
    layer = parameters["Conv_0"]
    return np.concatenate([np.ravel(part) for part in (parameters["scale"], layer["kernel"], layer["bias"])])


def main() -> None:
    warnings.filterwarnings("ignore")
    case = Case(sys.argv[1])
    names = ("load", "time", "sample", "versions")
    serve({name: getattr(case, name) for name in names} | {"memory": peak_memory})


if __name__ == "__main__":
    main()
