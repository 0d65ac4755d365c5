"""Variational Monte Carlo of any PyTorch network with output ln psi: ratios by evaluation, derivatives by `torch.func`.

Slower than an ansatz with structure of its own, but it asks for nothing beyond the network
(`nqs.networks.protocol.Network`).

Shapes: U states, P parameters, B bonds, C chains, as in `nqs.ansatz.protocol`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from nqs.ansatz.by_evaluation import EvaluatedWave
from nqs.ansatz.protocol import DenseDerivatives
from nqs.networks.protocol import Network, count_parameters, initial_parameters
from nqs.runtime.device import by_chunks
from nqs.runtime.errors import InputError
from nqs.supervised.stacked import spins_of, unflatten

CHUNK = 1 << 12  # states per evaluation
DERIVATIVE_CHUNK = 1 << 8


@dataclass(frozen=True)
class TorchAnsatz:
    """The wave functions psi = exp(output) of a network.

    device: `cpu` or `cuda`; dtype: of parameters and activations, derivatives are float32. Raises InputError if the
    network's target is not the amplitude.
    """

    network: Network
    device: str = "cpu"
    dtype: torch.dtype = torch.float64

    def __post_init__(self) -> None:
        if self.network.target != "amplitude":
            raise InputError(
                f"a network with target {self.network.target} has no ln psi as output; set it to amplitude"
            )

    @property
    def n_sites(self) -> int:
        return self.network.geometry.n_sites

    @property
    def n_parameters(self) -> int:
        return count_parameters(self.network)

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """The network's own initialisation: (P,) float64."""
        return np.concatenate([value.ravel() for value in initial_parameters(self.network, rng).values()]).astype(float)

    def at(self, theta: np.ndarray) -> TorchWave:
        return TorchWave(self.network, torch.as_tensor(theta, dtype=self.dtype, device=self.device))


@dataclass(frozen=True, eq=False)
class TorchWave(EvaluatedWave):
    """A network with parameters (P,)."""

    network: Network
    theta: Tensor

    @property
    def n_sites(self) -> int:
        return self.network.geometry.n_sites

    @cached_property
    def _parameters(self) -> dict[str, Tensor]:
        return unflatten(self.network, self.theta)

    def _spins(self, states: np.ndarray) -> Tensor:
        packed = torch.as_tensor(states.astype(np.int64), device=self.theta.device)
        return spins_of(packed, self.n_sites).to(self.theta.dtype)

    @torch.no_grad()
    def log_psi(self, states: np.ndarray) -> np.ndarray:
        outputs = by_chunks(lambda chunk: self.network(self._parameters, self._spins(chunk)), CHUNK, states)
        return torch.cat(outputs).double().cpu().numpy()

    def derivatives(self, states: np.ndarray) -> DenseDerivatives:
        def log_psi(theta: Tensor, spins: Tensor) -> Tensor:
            return self.network(unflatten(self.network, theta), spins[None])[0]

        gradient = torch.func.vmap(torch.func.grad(log_psi), in_dims=(None, 0), chunk_size=DERIVATIVE_CHUNK)
        return DenseDerivatives(gradient(self.theta, self._spins(states)).float().cpu().numpy())
