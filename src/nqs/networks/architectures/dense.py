"""Fully connected ReLU networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nqs.networks.protocol import Geometry, Network, Parameters

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Dense:
    """Fully connected ReLU network; two outputs for signs, one for log-amplitudes [Westerhout 2020, Supp. I a, b].

    The published parameter counts are those of a last layer without bias.
    """

    geometry: Geometry
    target: str
    hidden: tuple[int, ...] = (64,)
    last_bias: bool = False

    translation_invariant = False

    @property
    def widths(self) -> tuple[int, ...]:
        """Layer widths from the sites to the outputs."""
        return (self.geometry.n_sites, *self.hidden, 2 if self.target == "sign" else 1)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (n_in, n_out) in enumerate(pairwise(self.widths)):
            shapes[f"weight{layer}"] = (n_in, n_out)
            if layer < len(self.hidden) or self.last_bias:
                shapes[f"bias{layer}"] = (n_out,)
        return shapes

    @property
    def fan_in(self) -> dict[str, int]:
        return {name: self.widths[int(name.removeprefix("weight").removeprefix("bias"))] for name in self.shapes}

    def __call__(self, parameters: Parameters, spins: Tensor) -> Tensor:
        h = spins  # (..., batch, site)
        for layer in range(len(self.widths) - 1):
            h = h @ parameters[f"weight{layer}"]  # (..., batch, width)
            if f"bias{layer}" in parameters:
                h = h + parameters[f"bias{layer}"].unsqueeze(-2)
            if layer < len(self.hidden):
                h = h.relu()
        return h[..., 0] - h[..., 1] if self.target == "sign" else h[..., 0]


def make(geometry: Geometry, target: str, options: Mapping[str, Any]) -> Network:
    """Dense network of the configured widths."""
    return Dense(geometry, target, tuple(options["hidden"]), options["last_bias"])
