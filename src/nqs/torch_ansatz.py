"""Variational Monte Carlo of any PyTorch network with output ln psi: ratios by evaluation, derivatives by `torch.func`.

Slower than an ansatz with structure of its own, but it asks for nothing beyond the network (`nqs.networks.Network`).

Shapes: U states, P parameters, B bonds, C chains, as in `nqs.ansatz`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from nqs.ansatz import DenseDerivatives
from nqs.errors import InputError
from nqs.networks import Network, count_parameters, initial_parameters
from nqs.stacked import spins_of, unflatten

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
class TorchWave:
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
        chunks = [self.network(self._parameters, chunk) for chunk in self._spins(states).split(CHUNK)]
        return torch.cat(chunks).double().cpu().numpy()

    def log_psi_all(self) -> np.ndarray:
        return self.log_psi(np.arange(1 << self.n_sites, dtype=np.uint64))

    def swap_ratios(self, states: np.ndarray, bonds: np.ndarray) -> np.ndarray:
        moves, antiparallel = exchanges(bonds)
        state, bond = np.nonzero(antiparallel(states[:, None], np.arange(len(bonds))))
        reached, place = np.unique(states[state] ^ moves[bond], return_inverse=True)  # each once: many coincide
        ratios = np.zeros((len(states), len(bonds)))
        ratios[state, bond] = np.exp(self.log_psi(reached)[place] - self.log_psi(states)[state])
        return ratios

    def flip_sweeps(self, states: np.ndarray, sweeps: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        moves = np.uint64(1) << np.arange(self.n_sites, dtype=np.uint64)
        return self._sweeps(states, moves, lambda words, picks: np.full(len(words), True), sweeps, rng)

    def exchange_sweeps(
        self, states: np.ndarray, bonds: np.ndarray, sweeps: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        return self._sweeps(states, *exchanges(bonds), sweeps, rng)

    def _sweeps(
        self, states: np.ndarray, moves: np.ndarray, allowed: Allowed, sweeps: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Metropolis chains with random moves (bits that are reversed): one evaluation per proposal for all chains."""
        shape = sweeps, self.n_sites, len(states)
        picks, thresholds = rng.integers(len(moves), size=shape), 0.5 * np.log1p(-rng.random(shape))
        logs, accepted = self.log_psi(states), 0
        visited = np.empty((sweeps, len(states)), np.uint64)
        for sweep in range(sweeps):
            for pick, threshold in zip(picks[sweep], thresholds[sweep], strict=True):
                proposed = states ^ moves[pick]
                there = self.log_psi(proposed)
                accept = allowed(states, pick) & (there - logs > threshold)
                states[accept], logs[accept] = proposed[accept], there[accept]
                accepted += int(accept.sum())
            visited[sweep] = states
        return visited, accepted

    def derivatives(self, states: np.ndarray) -> DenseDerivatives:
        def log_psi(theta: Tensor, spins: Tensor) -> Tensor:
            return self.network(unflatten(self.network, theta), spins[None])[0]

        gradient = torch.func.vmap(torch.func.grad(log_psi), in_dims=(None, 0), chunk_size=DERIVATIVE_CHUNK)
        return DenseDerivatives(gradient(self.theta, self._spins(states)).float().cpu().numpy())


Allowed = Callable[[np.ndarray, np.ndarray], np.ndarray]  # states and numbers of moves -> which may be made


def exchanges(bonds: np.ndarray) -> tuple[np.ndarray, Allowed]:
    """The bits that an exchange along each bond (B, 2) reverses, and whether its two spins are antiparallel."""
    first, second = bonds.T.astype(np.uint64)
    one = np.uint64(1)
    return (one << first) | (
        one << second
    ), lambda words, bond: ((words >> first[bond] ^ words >> second[bond]) & one) == 1
