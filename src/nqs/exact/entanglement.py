"""Entanglement of K neighbouring sites of a ring with the rest, and what conformal field theory makes of it.

    rho_K = Tr_rest |psi><psi| = exp(-beta H_K) / Z,        <m_s'> / N = <s'| rho_K |s'>       [Ju 2025, eq. 7]

At zero magnetisation rho_K keeps the number of up spins in the block, so every operator here is a list of sectors, and
no matrix has more than (K over K/2) rows. For H = sum_n P_n,n+1, a critical chain of central charge c = 1 and velocity
pi, the entanglement Hamiltonian of a block of a ring is expected to be

    H_K = sum_n f(n) P_n,n+1,    f(n) = (N/pi) sin(pi n/N) sin(pi (K - n)/N) / sin(pi K/N),    beta = 2 pi / pi = 2

[Bisognano and Wichmann 1975; Cardy and Tonni 2016; Mendes-Santos et al. 2019], and the entropy

    S(K) = (c/3) ln[(N/pi) sin(pi K/N)] + constant                                         [Calabrese and Cardy 2004].

Motifs are integers as in `nqs.model.motifs`; entropies are in nats. P exchanges two spins, without the Marshall gauge:
the amplitudes of a ground-state file have their own signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np
from scipy.optimize import brentq
from scipy.stats import linregress

from nqs.runtime.errors import InputError

BETA = 2.0  # inverse entanglement temperature: 2 pi over the velocity of H = sum P
CENTRAL_CHARGE = 1.0
COLDEST = 1e3  # largest beta that a fit tries


@dataclass(frozen=True, eq=False)
class BlockOperator:
    """A real symmetric operator on K spins that keeps their magnetisation.

    sectors: for n = 0, ..., K up spins the matrix between the motifs with n up, ascending: (D_n, D_n), D_n = K over n.
    """

    sectors: tuple[np.ndarray, ...]

    @property
    def length(self) -> int:
        """K."""
        return len(self.sectors) - 1

    @cached_property
    def eigen(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues (2^K,), ascending, and eigenvectors on the motifs (2^K, 2^K), in columns."""
        values, vectors = np.empty(1 << self.length), np.zeros((1 << self.length, 1 << self.length))
        first = 0
        for ups, sector in enumerate(self.sectors):
            columns = slice(first, first + len(sector))
            values[columns], vectors[motifs_with(ups, self.length), columns] = np.linalg.eigh(sector)
            first += len(sector)
        order = np.argsort(values, kind="stable")
        return values[order], vectors[:, order]

    @cached_property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues, ascending: (2^K,)."""
        return np.sort(np.concatenate([np.linalg.eigvalsh(sector) for sector in self.sectors]))

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Elements <s'| . |s'> of all motifs: (2^K,)."""
        elements = np.zeros(1 << self.length)
        for ups, sector in enumerate(self.sectors):
            elements[motifs_with(ups, self.length)] = np.diag(sector)
        return elements


def motifs_with(ups: int, length: int) -> np.ndarray:
    """Motifs of K sites with a number of up spins, ascending: (K over n,)."""
    codes = np.arange(1 << length)
    return codes[np.bitwise_count(codes) == ups]


def block_density(psi: np.ndarray, n_sites: int, length: int) -> BlockOperator:
    """rho_K of the last K sites, 1 <= K <= N - 1, of a state psi over the states of zero magnetisation, ascending.

    psi (N over N/2,) as `Wavefunction.expand` lists it, normalised or not. In an eigenstate of translations every block
    is like the last. InputError for other sizes.
    """
    if n_sites % 2 or not 1 <= length < n_sites or psi.shape != (comb(n_sites, n_sites // 2),):
        raise InputError(
            f"a block of K = {length} sites of N = {n_sites}, {psi.shape} amplitudes: give K from 1 to N - 1 and one "
            "amplitude for each state of zero magnetisation, N even"
        )
    rest = n_sites - length
    block_ups = np.bitwise_count(np.arange(1 << length)).astype(int)
    # Ascending states have the last sites as their leading digits: psi lists the rest for one motif after the other.
    runs = np.array([comb(rest, n_sites // 2 - n) if n <= n_sites // 2 else 0 for n in range(length + 1)])[block_ups]
    starts = np.cumsum(runs) - runs
    norm = psi @ psi
    sectors = []
    for ups in range(length + 1):
        motifs = motifs_with(ups, length)
        rows = psi[starts[motifs][:, None] + np.arange(runs[motifs[0]])]  # (motif, state of the rest)
        sectors.append(rows @ rows.T / norm)
    return BlockOperator(tuple(sectors))


def entropy(weights: np.ndarray) -> float:
    """-sum p ln p of the eigenvalues p of a density matrix; what rounding made negative counts as zero."""
    positive = weights[weights > 0]
    return float(-(positive * np.log(positive)).sum())


def chord(n_sites: int, length: float | np.ndarray) -> np.ndarray:
    """(N/pi) sin(pi K/N), the length of a block as a ring sees it."""
    return n_sites / np.pi * np.sin(np.pi * np.asarray(length) / n_sites)


def conformal_hamiltonian(n_sites: int, length: int) -> BlockOperator:
    """H_K = sum_n f(n) P_n,n+1 over the K - 1 bonds of the block; InputError unless 1 <= K <= N - 1."""
    if not 1 <= length < n_sites:
        raise InputError(f"a block of K = {length} sites of N = {n_sites}: choose 1 <= K <= N - 1")
    bonds = np.arange(1, length)
    strengths = chord(n_sites, bonds) * np.sin(np.pi * (length - bonds) / n_sites) / np.sin(np.pi * length / n_sites)
    sectors = []
    for ups in range(length + 1):
        motifs = motifs_with(ups, length)
        matrix = np.zeros((len(motifs), len(motifs)))
        for bond, strength in zip(bonds, strengths, strict=True):
            pair = motifs >> (bond - 1) & 3
            exchanged = np.where((pair == 1) | (pair == 2), motifs ^ (3 << (bond - 1)), motifs)
            matrix[np.searchsorted(motifs, exchanged), np.arange(len(motifs))] += strength
        sectors.append(matrix)
    return BlockOperator(tuple(sectors))


def thermal(hamiltonian: BlockOperator, beta: float = BETA) -> BlockOperator:
    """exp(-beta H) / Z."""
    spectra = [np.linalg.eigh(sector) for sector in hamiltonian.sectors]
    lowest = min((beta * levels).min() for levels, _ in spectra)
    total = sum(np.exp(lowest - beta * levels).sum() for levels, _ in spectra)
    return BlockOperator(
        tuple((vectors * (np.exp(lowest - beta * levels) / total)) @ vectors.T for levels, vectors in spectra)
    )


def relative_entropy(density: BlockOperator, hamiltonian: BlockOperator, beta: float = BETA) -> float:
    """Tr rho (ln rho - ln sigma) of sigma = exp(-beta H) / Z; zero only for rho = sigma."""
    levels = hamiltonian.eigenvalues
    lowest = (beta * levels).min()
    log_total = float(np.log(np.exp(lowest - beta * levels).sum()) - lowest)
    return beta * _mean(density, hamiltonian) + log_total - entropy(density.eigenvalues)


def trace_distance(first: BlockOperator, second: BlockOperator) -> float:
    """Half the sum of |eigenvalues| of the difference: 0 for equal states, 1 for orthogonal ones."""
    pairs = zip(first.sectors, second.sectors, strict=True)
    return float(sum(np.abs(np.linalg.eigvalsh(a - b)).sum() for a, b in pairs) / 2)


def fitted_beta(density: BlockOperator, hamiltonian: BlockOperator) -> float:
    """The beta of least relative entropy, at which exp(-beta H) / Z has the <H> of rho; NaN if no beta has it."""
    target, levels = _mean(density, hamiltonian), hamiltonian.eigenvalues

    def excess(beta: float) -> float:
        weights = np.exp((beta * levels).min() - beta * levels)
        return float(weights @ levels / weights.sum()) - target

    # <H> falls with beta, from the mean level to the lowest.
    if not excess(0.0) > 0 > excess(COLDEST):
        return float("nan")
    return float(brentq(excess, 0.0, COLDEST, xtol=1e-12))


def _mean(density: BlockOperator, hamiltonian: BlockOperator) -> float:
    """Tr rho H."""
    return float(sum(np.vdot(a, b) for a, b in zip(density.sectors, hamiltonian.sectors, strict=True)))


@dataclass(frozen=True)
class LogarithmicLaw:
    """S = (c/3) ln chord + constant, by least squares; error: the standard error of c, from the scatter about it."""

    central_charge: float
    error: float
    constant: float

    def entropy(self, chords: np.ndarray) -> np.ndarray:
        """S at these chords."""
        return self.central_charge / 3 * np.log(chords) + self.constant


def fit_entropies(chords: Sequence[float] | np.ndarray, entropies: Sequence[float] | np.ndarray) -> LogarithmicLaw:
    """The law through three or more entropies; InputError for fewer."""
    if len(chords) < 3:
        raise InputError(f"a fit of central charge and constant needs three blocks or more, not {len(chords)}")
    line = linregress(np.log(chords), entropies)
    return LogarithmicLaw(3 * float(line.slope), 3 * float(line.stderr), float(line.intercept))


def conformal_law(chords: np.ndarray, entropies: np.ndarray) -> LogarithmicLaw:
    """The law with c = 1, the constant by least squares."""
    constant = float(np.mean(entropies - CENTRAL_CHARGE / 3 * np.log(chords)))
    return LogarithmicLaw(CENTRAL_CHARGE, 0.0, constant)
