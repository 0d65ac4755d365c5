"""Stochastic reconfiguration that learns the phases on a flat amplitude before the amplitude moves.

Networks at their usual initial values give psi = const. From there the amplitude of a frustrated magnet collapses on a
handful of states before the phases exist, and the run freezes. Here a first stage moves the phases alone, under a large
diagonal shift; then both move, while the shifts fall geometrically. No sign rule enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from nqs.ansatz.protocol import ComplexDerivatives
from nqs.vmc.preconditioners import Fixed
from nqs.vmc.stochastic_reconfiguration import Memory, direction

FASTER = 4 / 3  # steps of the phases grow by this times their shift, which shortens them


@dataclass(frozen=True)
class TwoParts(Fixed):
    """Natural gradients of ln|psi| and of the phase with a shift and a rate of their own; a rate of 0 keeps a part."""

    amplitude_shift: float
    phase_shift: float
    amplitude_rate: float
    phase_rate: float

    def direction(
        self, derivatives: ComplexDerivatives, weights: np.ndarray, energies: np.ndarray, memory: Memory
    ) -> np.ndarray:
        """Both parts, times their rates (P,)."""
        parts = (
            (derivatives.amplitude, energies.real, self.amplitude_shift, self.amplitude_rate),
            (derivatives.phase, energies.imag, self.phase_shift, self.phase_rate),
        )
        return np.concatenate(
            [
                rate * direction(part, weights, values, shift) if rate else np.zeros(part.n_parameters)
                for part, values, shift, rate in parts
            ]
        )


@dataclass(frozen=True)
class SignsFirst:
    """The schedule. The amplitude rests until iteration `signs_until`; then shifts fall from their first to their last
    values within the share `annealed_over` of the `iterations` left.
    """

    iterations: int
    signs_until: int
    learning_rate: float
    amplitude_shift: tuple[float, float]
    phase_shift: tuple[float, float]
    annealed_over: float

    def at(self, iteration: int) -> TwoParts:
        """What holds in one iteration."""
        span = self.annealed_over * (self.iterations - self.signs_until)
        share = min(max(iteration - self.signs_until, 0) / span, 1.0) if span > 0 else 1.0
        phase = falling(self.phase_shift, share)
        return TwoParts(
            amplitude_shift=falling(self.amplitude_shift, share),
            phase_shift=phase,
            amplitude_rate=0.0 if iteration < self.signs_until else self.learning_rate,
            phase_rate=self.learning_rate * (1 + FASTER * phase),
        )

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> SignsFirst:
        """From the block of a configuration."""
        known = {field.name: block[field.name] for field in fields(cls)}
        values: dict[str, Any] = {n: tuple(x) if n.endswith("shift") else x for n, x in known.items()}
        return cls(**values)


def falling(ends: tuple[float, float], share: float) -> float:
    """Geometric way from the first to the last value."""
    first, last = ends
    return float(first * (last / first) ** share)
