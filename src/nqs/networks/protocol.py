"""Neural networks that map spin configurations to sign logits or log-amplitudes.

A network is a frozen description: it lists its parameters, draws their initial values and evaluates them. It is written
for one set of parameters; a leading `member` axis on parameters and spins batches an ensemble, because every operation
acts on the last axes only.

    spins    (..., batch, site) in {-1, +1}
    output   (..., batch)   sign:      log p(+) - log p(-), the logit of a non-negative amplitude
                            amplitude: log|psi|
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


Parameters = Mapping[str, "Tensor"]


@dataclass(frozen=True)
class Geometry:
    """What a network may know of the state: size, torus and the momentum of the ground state (units 2 pi / L)."""

    n_sites: int
    shape: tuple[int, int]
    momentum: tuple[int, int] = (0, 0)


class Network(Protocol):
    """One architecture for one cluster and target."""

    @property
    def geometry(self) -> Geometry:
        """The cluster and momentum it was made for."""

    @property
    def target(self) -> str:
        """`sign` or `amplitude`."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Parameter shapes by name, in the order in which they are flattened."""

    @property
    def fan_in(self) -> dict[str, int]:
        """Number of inputs that feed each parameter; sets the range of its initial values."""

    @property
    def translation_invariant(self) -> bool:
        """True if the output is unchanged, or only flips sign as `geometry.momentum` demands, under translations."""

    def __call__(self, parameters: Parameters, spins: Tensor) -> Tensor:
        """Output (..., batch) for spins (..., batch, site)."""


def like(table: np.ndarray, tensor: Tensor) -> Tensor:
    """A constant table as a tensor of the same type and on the same device as another."""
    import torch

    return torch.as_tensor(table, dtype=tensor.dtype, device=tensor.device)


def initial_parameters(network: Network, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """PyTorch's default initialisation: uniform in +-1/sqrt(fan_in), weights and biases alike; float32."""
    return {
        name: rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(sqrt(network.fan_in[name]))
        for name, shape in network.shapes.items()
    }


def count_parameters(network: Network) -> int:
    """Number of trainable numbers."""
    return sum(prod(shape) for shape in network.shapes.values())
