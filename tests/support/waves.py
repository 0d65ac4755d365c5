"""Wave functions for tests."""

import numpy as np

from nqs.ansatz import by_evaluation


class Table:
    """A wave that holds psi of every state, of any sign, zero or not."""

    def __init__(self, psi):
        self.psi = psi

    def ratios(self, states, moves):
        reached = self.psi[(states[:, None] ^ moves.masks).astype(int)]
        applies = moves.applies(states[:, None], np.arange(len(moves)))
        return np.where(applies, reached / self.psi[states.astype(int), None], 0)


class Evaluated(by_evaluation.EvaluatedWave):
    """Another wave, of which only ln psi is used."""

    def __init__(self, wave):
        self.wave = wave

    @property
    def n_sites(self):
        return self.wave.n_sites

    def log_psi(self, states):
        return self.wave.log_psi(states)
