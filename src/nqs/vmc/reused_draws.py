"""Independent draws of |psi|^2 from a table over all Sz = 0 states that serves several iterations.

Evaluating millions of states costs more than all the rest of an iteration, and |psi|^2 changes little from one to the
next. So states are drawn from the |psi_0|^2 of an earlier iteration and carry importance weights |psi / psi_0|^2. The
table is made anew as soon as the weights leave too few effective draws, and after `LONGEST` samples in any case, so
that states which |psi_0|^2 has almost none of cannot stay away for long.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nqs.ansatz.amplitude_phase import AmplitudePhaseWave
from nqs.ansatz.dense import DenseAnsatz
from nqs.model.states import zero_magnetisation_states
from nqs.vmc.sampler import NotFiniteError, Sample, drawn, refuse_long_lists

EFFECTIVE = 0.9  # share of the draws that must count
LONGEST = 10  # samples from one table
TABLES = 4  # kept, for runs side by side


@dataclass(frozen=True, eq=False)
class ReusedDraws:
    """A sampler of waves exp(a + i phi). chains (1 + P,): samples drawn so far from the table, and its parameters.

    amplitude: the family of a, with P parameters.  Raises InputError beyond the sites that can be enumerated.
    """

    amplitude: DenseAnsatz
    samples: int
    _tables: OrderedDict[bytes, np.ndarray] = field(default_factory=OrderedDict, repr=False)

    def __post_init__(self) -> None:
        refuse_long_lists(self.amplitude.n_sites)

    def start(self, rng: np.random.Generator, wave: AmplitudePhaseWave) -> np.ndarray:
        return np.concatenate([[LONGEST], parameters(wave)])

    def draw(self, wave: AmplitudePhaseWave, chains: np.ndarray, rng: np.random.Generator) -> Sample:
        if chains[0] < LONGEST:
            sample, effective = self._drawn(wave, chains[1:], rng)
            if effective >= EFFECTIVE * self.samples:
                chains[0] += 1
                return sample
        chains[0], chains[1:] = 1, parameters(wave)
        return self._drawn(wave, chains[1:], rng)[0]

    def _drawn(self, wave: AmplitudePhaseWave, theta: np.ndarray, rng: np.random.Generator) -> tuple[Sample, float]:
        """A sample from the table of the parameters theta, with weights of the wave, and how many draws count."""
        places, counts = drawn(self._cumulative(theta), self.samples, rng)
        states = self.sector[places]
        change = 2 * (wave.log_modulus(states) - self.amplitude.at(theta).log_psi(states))
        times = np.exp(change - change.max())
        weights = counts * times
        if not np.isfinite(weights.sum()):
            raise NotFiniteError("|psi|^2 is no longer finite")
        effective = weights.sum() ** 2 / (weights @ times)
        return Sample(states, weights / weights.sum(), self.samples), float(effective)

    def _cumulative(self, theta: np.ndarray) -> np.ndarray:
        """Cumulative sum (U,) of |psi_0|^2 over its maximum."""
        key = theta.tobytes()
        if key not in self._tables:
            logs = self.amplitude.at(theta).log_psi(self.sector)
            logs -= logs.max()
            logs *= 2
            sums = np.cumsum(np.exp(logs, out=logs), out=logs)
            if not np.isfinite(sums[-1]):
                raise NotFiniteError("|psi|^2 is no longer finite")
            self._tables[key] = sums
            while len(self._tables) > TABLES:
                self._tables.popitem(last=False)
        return self._tables[key]

    @cached_property
    def sector(self) -> np.ndarray:
        """The Sz = 0 states, ascending."""
        return zero_magnetisation_states(self.amplitude.n_sites)


def parameters(wave: AmplitudePhaseWave) -> np.ndarray:
    """Those of the amplitude (P,) float64, as exact as they are used."""
    theta: np.ndarray = wave.amplitude.theta  # type: ignore[attr-defined]
    return theta.astype(np.float64)
