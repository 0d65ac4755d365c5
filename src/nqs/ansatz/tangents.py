"""Tangent vectors X = sqrt(w) (O - <O>) of a wave function, O = d ln psi / d theta: an array, or products.

A Boltzmann machine with all connections has O = (s_i, t_h, t_h s_i) with slopes t_h = tanh theta_h. With s_0 = t_0 = 1
these are the products t_h s_i, and sums over them factorise: X^+ X needs sums of t_h* t_h' times s_i s_j, real numbers
of which there are N^2 / 2, and X X^+ is the product of two small kernels, element by element.

Shapes: U states, P parameters; sqrt(w) (U,) is called root.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nqs.ansatz.complex_rbm_kernel import pair_products

CHUNK = 1024  # states summed at once


def centred(jacobian: np.ndarray, root: np.ndarray) -> np.ndarray:
    """sqrt(w) (O - <O>) for O (U, P); a state of weight zero has no part in it."""
    weighted = root[:, None] * np.where(root[:, None] > 0, jacobian, 0)
    found: np.ndarray = weighted - root[:, None] * (root @ weighted)
    return found


@dataclass(frozen=True, eq=False)
class ProductTangents:
    """X of O = (s_i, t_h, t_h s_i): root (U,), spins (U, N), slopes (U, H)."""

    root: np.ndarray
    spins: np.ndarray
    slopes: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(U, P)."""
        return len(self.root), (self.spins.shape[1] + 1) * (self.slopes.shape[1] + 1) - 1

    def __len__(self) -> int:
        return len(self.root)

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        products = (self.slopes[:, :, None] * self.spins[:, None]).reshape(len(self), -1)
        return centred(np.concatenate([self.spins, self.slopes, products], axis=1), self.root)

    @cached_property
    def weighted(self) -> np.ndarray:
        """sqrt(w) (1, t): (U, H + 1)."""
        root = self.root[:, None]
        return np.concatenate([root, root * np.where(root > 0, self.slopes, 0)], axis=1)

    @cached_property
    def order(self) -> np.ndarray:
        """Place of every parameter among the products t_h s_i, h first: (P,)."""
        n_sites = self.spins.shape[1]
        places = np.arange(self.shape[1] + 1).reshape(-1, n_sites + 1)
        return np.concatenate([places[0, 1:], places[1:, 0], places[1:, 1:].ravel()])

    def metric(self) -> np.ndarray:
        """X^+ X: (P, P)."""
        units, sites = self.slopes.shape[1] + 1, self.spins.shape[1] + 1
        sums = self.sums()[pair_of(sites)]  # (site, site, pair of units)
        one, two = np.triu_indices(units)
        whole = np.empty((units, units, sites, sites), complex)
        whole[one, two] = np.moveaxis(sums, 2, 0)
        whole[two, one] = np.moveaxis(sums.conj(), 2, 0)
        flat = whole.transpose(0, 2, 1, 3).reshape(units * sites, units * sites)
        mean = flat[0, self.order]
        found: np.ndarray = flat[np.ix_(self.order, self.order)] - np.outer(mean.conj(), mean)
        return found

    def sums(self) -> np.ndarray:
        """Sums of w t_h* t_h' s_i s_j over the states, by pairs i <= j and h <= h'."""
        one, two = np.triu_indices(self.spins.shape[1] + 1)
        units = self.slopes.shape[1] + 1
        found = np.zeros((len(one), units * (units + 1) // 2), complex)
        for start in range(0, len(self), CHUNK):
            spins = np.insert(self.spins[start : start + CHUNK], 0, 1, axis=1).T  # (site, state)
            of_units = np.empty((spins.shape[1], found.shape[1]), complex)
            pair_products(self.weighted[start : start + CHUNK], of_units)
            found += ((spins[one] * spins[two]) @ of_units.view(float)).view(complex)  # the spins are real
        return found

    def kernel(self) -> np.ndarray:
        """X X^+: (U, U)."""
        uncentred = (self.weighted @ self.weighted.conj().T) * (1 + self.spins @ self.spins.T)
        left = uncentred - np.outer(self.root, self.root @ uncentred)
        found: np.ndarray = left - np.outer(left @ self.root, self.root)
        return found

    def pulled(self, right: np.ndarray) -> np.ndarray:
        """X^+ r for r (U,): (P,)."""
        rest = right - self.root * (self.root @ right)
        spins = np.insert(self.spins, 0, 1, axis=1)
        products = (self.weighted.conj() * rest[:, None]).T @ spins
        found: np.ndarray = products.ravel()[self.order]
        return found


Tangents = np.ndarray | ProductTangents


def metric(tangents: Tangents) -> np.ndarray:
    """X^+ X: (P, P)."""
    return tangents.metric() if isinstance(tangents, ProductTangents) else tangents.conj().T @ tangents


def kernel(tangents: Tangents) -> np.ndarray:
    """X X^+: (U, U)."""
    return tangents.kernel() if isinstance(tangents, ProductTangents) else tangents @ tangents.conj().T


def pulled(tangents: Tangents, right: np.ndarray) -> np.ndarray:
    """X^+ r for r (U,): (P,)."""
    return tangents.pulled(right) if isinstance(tangents, ProductTangents) else tangents.conj().T @ right


def pair_of(n: int) -> np.ndarray:
    """Number of the pair (i, j), in either order, among those with i <= j: (n, n)."""
    found = np.zeros((n, n), int)
    first, second = np.triu_indices(n)
    found[first, second] = found[second, first] = np.arange(len(first))
    return found
