"""Any wave function projected on a one-dimensional representation of a symmetry group.

    psi_sym(s) = sum_g chi(g)* psi(g s)

Elements permute the sites and may reverse all spins. A projection can leave nothing: then ln psi is -inf everywhere,
which sums over a basis refuse (`nqs.vmc.tangent_space`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nqs.ansatz.complex_protocol import ComplexAnsatz, ComplexWave, spins_of
from nqs.ansatz.complex_rbm import ComplexRbmWave
from nqs.model.hamiltonians import Hamiltonian, permuted
from nqs.runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class Representation:
    """permutations (G, N): where each site goes;  reversed (G,) bool: with all spins turned;  characters (G,)."""

    permutations: np.ndarray
    reversed: np.ndarray
    characters: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.permutations) == len(self.reversed) == len(self.characters):
            raise InputError("a representation needs one permutation, reversal and character per element")
        if not np.allclose(np.abs(self.characters), 1):
            raise InputError("characters: of a one-dimensional representation all have modulus 1")

    def __len__(self) -> int:
        return len(self.permutations)

    def images(self, states: np.ndarray) -> np.ndarray:
        """g s of each state (U,): (G, U) uint64."""
        everything = np.uint64((1 << self.permutations.shape[1]) - 1)
        moved = [permuted(states, permutation) for permutation in self.permutations]
        return np.array([one ^ (everything * np.uint64(turn)) for one, turn in zip(moved, self.reversed, strict=True)])

    def check(self, hamiltonian: Hamiltonian) -> None:
        """InputError if the Hamiltonian lacks one of the symmetries."""
        for permutation, turn in zip(self.permutations, self.reversed, strict=True):
            if not hamiltonian.commutes_with(permutation):
                raise InputError(f"symmetry {permutation.tolist()}: this Hamiltonian changes under it; leave it out")
            if turn and "parity" not in hamiltonian.conserves:
                raise InputError("spin flip: this Hamiltonian changes under it; leave it out")


def representation(
    permutations: np.ndarray, characters: np.ndarray | None = None, spin_flip: int | None = None
) -> Representation:
    """Of permutations (G, N) with characters (G,), 1 by default; spin_flip +1 or -1 doubles the group."""
    permutations = np.asarray(permutations, int)
    signs = np.ones(len(permutations)) if characters is None else np.asarray(characters)
    if spin_flip is None:
        return Representation(permutations, np.zeros(len(permutations), bool), signs)
    if spin_flip not in (1, -1):
        raise InputError(f"spin_flip: {spin_flip}; states are even (1) or odd (-1)")
    turned = np.repeat([False, True], len(permutations))
    return Representation(np.tile(permutations, (2, 1)), turned, np.concatenate([signs, spin_flip * signs]))


def carried_by(psi: np.ndarray, states: np.ndarray, group: Representation) -> Representation:
    """The group with the characters under which a normalised state (K,) on ascending states (K,) transforms.

    InputError if it transforms under none, as a member of a degenerate level may.
    """
    images = psi[np.searchsorted(states, group.images(states))]
    characters = (psi.conj() * images).sum(axis=1)
    if not np.allclose(np.abs(characters), 1, atol=1e-6):
        raise InputError("this state changes under a symmetry by more than a factor: its level is degenerate")
    return replace(group, characters=characters / np.abs(characters))


def translations(n_sites: int, momentum: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Permutations (N, N) of a ring and their characters (N,) at momentum 2 pi k / N."""
    steps = np.arange(n_sites)
    return (steps[:, None] + steps) % n_sites, np.exp(2j * np.pi * momentum * steps / n_sites)


@dataclass(frozen=True, eq=False)
class Symmetrised:
    """The states of an ansatz projected on a representation; its parameters are those of the ansatz."""

    ansatz: ComplexAnsatz
    group: Representation

    @property
    def n_sites(self) -> int:
        return self.ansatz.n_sites

    @property
    def n_parameters(self) -> int:
        return self.ansatz.n_parameters

    @property
    def holomorphic(self) -> bool:
        return self.ansatz.holomorphic

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        return self.ansatz.initial(rng)

    def at(self, theta: np.ndarray) -> SymmetrisedWave:
        return SymmetrisedWave(self.ansatz.at(theta), self.group)


@dataclass(frozen=True, eq=False)
class SymmetrisedWave(ComplexWave):
    """One of them."""

    wave: ComplexWave
    group: Representation

    @property
    def n_sites(self) -> int:
        return self.wave.n_sites

    def terms(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Images (G, U), chi* psi(g s) relative to the largest (G, U), and the logarithm of the largest (U,)."""
        images = self.group.images(states)
        logs = self.wave.log_psi(images.ravel()).reshape(images.shape)
        largest = logs.real.max(axis=0)
        shifted = np.where(np.isfinite(largest), logs - largest, -np.inf)
        return images, self.group.characters.conj()[:, None] * np.exp(shifted), largest

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        _, terms, largest = self.terms(states)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = np.log(terms.sum(axis=0).astype(complex)) + largest
        vanishing = np.abs(terms.sum(axis=0)) <= 1e-13 * np.abs(terms).sum(axis=0)  # what rounding leaves of a zero
        return np.where(vanishing, -np.inf, total)

    def jacobian(self, states: np.ndarray) -> np.ndarray:
        images, terms, _ = self.terms(states)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = terms / terms.sum(axis=0)
        return averaged(self.wave, images, np.where(np.isfinite(shares), shares, 0.0))


def averaged(wave: ComplexWave, states: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Sum over g of shares (G, U) times d ln psi / d theta at states (G, U): (U, P)."""
    if isinstance(wave, ComplexRbmWave) and wave.family.seen.all():
        return _of_products(wave, states, shares)
    slopes = wave.jacobian(states.ravel()).reshape(*states.shape, -1)
    found: np.ndarray = np.einsum("gu,gup->up", shares, slopes)
    return found


def _of_products(wave: ComplexRbmWave, states: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The same of a machine, whose derivatives are products of slopes and spins, without listing them by element."""
    ones = np.ones((*states.shape, 1))
    spins = np.concatenate([ones, spins_of(states.ravel(), wave.n_sites).reshape(*states.shape, -1)], axis=2)
    slopes = np.concatenate([ones, wave.slopes(states.ravel()).reshape(*states.shape, -1)], axis=2)
    weighted = shares[:, :, None] * slopes
    sums = np.matmul(weighted.transpose(1, 2, 0), spins.transpose(1, 0, 2).astype(complex))  # (state, unit, site)
    return np.concatenate([sums[:, 0, 1:], sums[:, 1:, 0], sums[:, 1:, 1:].reshape(states.shape[1], -1)], axis=1)
