"""Restricted Boltzmann machines of one shape, side by side as PyTorch tensors: `nqs.ansatz.rbm` for many of them.

Shapes: m models, U states, N sites, M hidden units, P parameters, B moves. States are int64, bit i = site i, 1 = up.
The identities behind the products are those of `nqs.ansatz.rbm_kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from nqs.ansatz.rbm import Rbm
from nqs.ansatz.rbm_kernel import TINY
from nqs.supervised.stacked import spins_of


@dataclass(frozen=True)
class Machines:
    """a (m, N), b (m, M), W (m, N, M), float64."""

    visible: Tensor
    hidden: Tensor
    weights: Tensor

    @classmethod
    def of(cls, ansatz: Rbm, theta: np.ndarray, device: str) -> Machines:
        """From flat parameters (m, P)."""
        return cls(*(torch.as_tensor(np.ascontiguousarray(part), device=device) for part in ansatz.split(theta)))

    @property
    def n_sites(self) -> int:
        return self.visible.shape[1]

    def spins(self, states: Tensor) -> Tensor:
        """Spins +-1 (..., N), float64."""
        return spins_of(states, self.n_sites).double()

    def tanh(self, spins: Tensor) -> Tensor:
        """t = tanh theta (m, U, M) at spins (m, U, N)."""
        return torch.tanh(spins @ self.weights + self.hidden[:, None])

    def log_psi_all(self) -> Tensor:
        """ln psi of all 2^N states, in order: (m, 2^N)."""
        n_low = self.n_sites // 2
        *low, low_log = self._half(slice(0, n_low), torch.zeros_like(self.hidden))
        *high, high_log = self._half(slice(n_low, self.n_sites), self.hidden)
        product = torch.ones(*high_log.shape, low_log.shape[1], dtype=torch.float64, device=self.hidden.device)
        for p, q, p_high, q_high in zip(*(part.unbind(-1) for part in (*low, *high)), strict=True):  # unit by unit
            product *= (p_high[:, :, None] * p[:, None]).addcmul_(q_high[:, :, None], q[:, None])
        logs = product.clamp_(min=TINY).log_() + high_log[:, :, None] + low_log[:, None]  # (m, upper, lower)
        return logs.flatten(1)

    def _half(self, sites: slice, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """e^(theta-|theta|), e^(-theta-|theta|) (m, 2^n, M) and a.s + sum |theta| (m, 2^n) of n sites alone."""
        weights = self.weights[:, sites]
        n = weights.shape[1]
        spins = spins_of(torch.arange(1 << n, device=bias.device), n).double()
        theta = spins @ weights + bias[:, None]
        size = theta.abs()
        return torch.exp(theta - size), torch.exp(-theta - size), self.visible[:, sites] @ spins.T + size.sum(-1)

    def moves(self, first: Tensor, second: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """What moves change: 2 da (m, B), cosh and sinh of 2 dW (m, B, M).

        With s the spin at `first` (B,), psi(s')/psi(s) = exp(-2 s da) prod_j (cosh 2dW_j - s t_j sinh 2dW_j); da and dW
        are a and W of the flipped site, or those of `first` less those of `second` for an exchange.
        """
        visible, weights = 2 * self.visible[:, first], 2 * self.weights[:, first]
        if second is not None:
            visible, weights = visible - 2 * self.visible[:, second], weights - 2 * self.weights[:, second]
        return visible, weights.cosh(), weights.sinh()

    def ratios(self, states: Tensor, first: Tensor, second: Tensor | None) -> Tensor:
        """psi(s')/psi(s) (m, U, B) after each move as in `moves`; 0 for exchanges of parallel spins."""
        spins = self.spins(states)
        tanh = self.tanh(spins)
        visible, cosh, sinh = self.moves(first, second)
        sign = spins[..., first]  # (m, U, B)
        ratios = torch.exp(-sign * visible[:, None])
        for move in range(len(first)):  # one at a time, because (m, U, B, M) would be large
            signed = sign[:, :, move, None] * tanh
            factors = torch.addcmul(cosh[:, move, None], signed, sinh[:, move, None], value=-1)
            ratios[..., move] *= factors.prod(-1)
        return ratios if second is None else torch.where(sign == spins[..., second], 0.0, ratios)

    def derivatives(self, states: Tensor) -> StackedDerivatives:
        """Derivatives of ln psi at states (m, U)."""
        spins = self.spins(states)
        return StackedDerivatives(spins.float(), self.tanh(spins).float())


@dataclass(frozen=True)
class StackedDerivatives:
    """Derivatives s (m, U, N), t (m, U, M) and s t of ln psi, float32."""

    spins: Tensor
    tanh: Tensor

    @property
    def n_parameters(self) -> int:
        n_sites, n_hidden = self.spins.shape[2], self.tanh.shape[2]
        return n_sites + n_hidden + n_sites * n_hidden

    @cached_property
    def _inputs(self) -> Tensor:
        """1 and the spins (m, U, 1 + N): the hidden biases are the weights of a spin that is always up."""
        return torch.cat([torch.ones_like(self.spins[..., :1]), self.spins], -1)

    def forward(self, vector: Tensor) -> Tensor:
        """O v (m, U) for v (m, P)."""
        n_sites = self.spins.shape[2]
        of_units = self._inputs @ vector[:, n_sites:].unflatten(1, (n_sites + 1, -1))  # (m, U, M)
        return (self.spins @ vector[:, :n_sites, None]).squeeze(-1) + (of_units * self.tanh).sum(-1)

    def backward(self, vector: Tensor) -> Tensor:
        """O^T r (m, P) for r (m, U)."""
        of_units = (self._inputs * vector[..., None]).mT @ self.tanh  # (m, 1 + N, M)
        return torch.cat([(vector[:, None] @ self.spins).squeeze(1), of_units.flatten(1)], 1)

    def jacobian(self) -> Tensor:
        """O (m, U, P)."""
        products = self.spins[..., :, None] * self.tanh[..., None, :]
        return torch.cat([self.spins, self.tanh, products.flatten(2)], -1)

    def tangent_kernel(self, weights: Tensor) -> Tensor:
        """sqrt(w_u w_v) (O_u - O_mean).(O_v - O_mean) for weights (m, U): (m, U, U)."""
        mean = self.backward(weights)
        overlap, root = self.forward(mean), weights.sqrt()
        kernel = (1 + self.spins @ self.spins.mT).mul_(1 + self.tanh @ self.tanh.mT)  # (1 + s.s')(1 + t.t')
        kernel += ((mean * mean).sum(-1, keepdim=True) - 1 - overlap)[:, :, None] - overlap[:, None]
        return kernel.mul_(root[:, :, None]).mul_(root[:, None])
