"""Hamiltonians as Kronecker products of Pauli matrices; bit 1 is an up spin, sigma^z = +1, site 0 the lowest bit."""

import numpy as np

X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, 1j], [-1j, 0]])  # of the basis down, up
Z = np.array([[-1, 0], [0, 1]])


def product(n_sites, factors):
    """The product of one-site matrices, site -> matrix, on all 2^N states."""
    total = np.eye(1)
    for site in range(n_sites):
        total = np.kron(factors.get(site, np.eye(2)), total)
    return total


def xxz_matrix(n_sites, bonds, delta=1.0, couplings=None):
    """sum J (SxSx + SySy + delta SzSz), S.S units: (2^N, 2^N)."""
    total = np.zeros((1 << n_sites, 1 << n_sites), complex)
    for (i, k), coupling in zip(bonds, np.ones(len(bonds)) if couplings is None else couplings, strict=True):
        for pauli, factor in ((X, 1.0), (Y, 1.0), (Z, delta)):
            total += coupling * factor / 4 * product(n_sites, {int(i): pauli, int(k): pauli})
    assert np.abs(total.imag).max() == 0
    return total.real


def ising_matrix(n_sites, bonds, field):
    """-sum sz sz - field sum sx, Pauli units."""
    total = -sum(product(n_sites, {int(i): Z, int(k): Z}) for i, k in bonds)
    return total - field * sum(product(n_sites, {site: X}) for site in range(n_sites))


def turned(matrix, sublattice):
    """The matrix after a rotation of some sites by pi about z."""
    n_sites = len(matrix).bit_length() - 1
    sign = np.diag(product(n_sites, dict.fromkeys(sublattice, Z)))
    return sign[:, None] * matrix * sign
