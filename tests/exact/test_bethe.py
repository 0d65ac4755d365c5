"""Bethe ansatz against exact diagonalisation and the infinite ring."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse.linalg import eigsh
from support.exact_diagonalization import full_hamiltonian

from nqs.exact import bethe
from nqs.exact.bethe import heisenberg_energies, permutation_energy, rapidities
from nqs.model.lattices import make_cluster
from nqs.runtime.errors import GroundStateError, InputError

INFINITE_RING = 0.25 - np.log(2)  # energy per site [Hulthen 1938]


def in_permutation_units(n_sites):
    energies = heisenberg_energies(n_sites)
    return [permutation_energy(energy, n_sites) for energy in (energies.ground, energies.triplet)]


@pytest.mark.parametrize(
    ("n_sites", "ground", "triplet"),
    [
        (8, -3.302186817874, -2.256838127689),
        (16, -6.284592721234, -5.744213356733),
        (60, -23.205146331247, -23.055556908021),
    ],
)
def test_reference_energies_of_the_permutation_hamiltonian(n_sites, ground, triplet):
    assert_allclose(in_permutation_units(n_sites), [ground, triplet], rtol=0, atol=2e-12)


def test_four_sites_by_hand():
    energies = heisenberg_energies(4)
    assert_allclose([energies.ground, energies.triplet, energies.gap], [-2, -1, 1], atol=1e-13)


@pytest.mark.parametrize("n_sites", [6, 8, 10, 16])
def test_two_lowest_levels_of_the_diagonalised_ring(n_sites):
    """With Sz = 0 the two lowest levels are the singlet and one member of the triplet."""
    _, hamiltonian = full_hamiltonian(make_cluster("ring", "ring", (n_sites, 1)), 0.0)
    start = np.random.default_rng(0).normal(size=hamiltonian.shape[0])
    levels = np.sort(eigsh(hamiltonian, k=2, which="SA", v0=start, return_eigenvectors=False))
    energies = heisenberg_energies(n_sites)
    assert_allclose([energies.ground, energies.triplet], levels, rtol=0, atol=1e-10)


@pytest.mark.parametrize("n_sites", [60, 240, 500])
def test_long_rings_lie_below_the_infinite_one_by_the_central_charge(n_sites):
    """E/N = 1/4 - ln 2 - pi^2 / (12 N^2) (1 + O(1 / ln^3 N)): central charge 1, velocity pi/2."""
    correction = heisenberg_energies(n_sites).ground / n_sites - INFINITE_RING
    assert_allclose(correction * n_sites**2, -(np.pi**2) / 12, rtol=0.02)


def test_gap_closes_as_one_over_n():
    """N gap rises, with logarithmic corrections, towards pi^2 / 2."""
    sizes = np.arange(4, 242, 2)
    gaps = np.array([heisenberg_energies(int(n)).gap for n in sizes])
    assert (np.diff(gaps) < 0).all()
    assert (np.diff(gaps * sizes) > 0).all()
    assert 0.92 * np.pi**2 / 2 < gaps[-1] * sizes[-1] < np.pi**2 / 2


def test_rapidities_are_distinct_and_symmetric():
    roots = rapidities(240, 120)
    assert_allclose(roots, -roots[::-1], atol=1e-12)
    assert (np.diff(roots) > 0).all()


@pytest.mark.parametrize(("n_sites", "reversed_spins"), [(8, 4), (60, 29), (240, 120), (240, 119)])
def test_rapidities_solve_the_equations_in_product_form(n_sites, reversed_spins):
    """((x_j + i/2) / (x_j - i/2))^N = prod_(k != j) (x_j - x_k + i) / (x_j - x_k - i)."""
    roots = rapidities(n_sites, reversed_spins)
    around = ((roots + 0.5j) / (roots - 0.5j)) ** n_sites
    scattered = (roots[:, None] - roots + 1j) / (roots[:, None] - roots - 1j)
    np.fill_diagonal(scattered, 1)
    assert_allclose(around, scattered.prod(axis=1), rtol=0, atol=1e-10)


def test_jacobian_is_finite_differences():
    roots, numbers, step = np.array([-0.4, 0.1, 0.7]), np.array([-1.0, 0.0, 1.0]), 1e-6
    slopes = [
        (bethe._residual(8, numbers, roots + shift) - bethe._residual(8, numbers, roots - shift)) / (2 * step)
        for shift in step * np.eye(3)
    ]
    assert_allclose(bethe._jacobian(8, roots), np.transpose(slopes), atol=1e-8)


@pytest.mark.parametrize("n_sites", [2, 7])
def test_odd_or_short_rings_are_refused(n_sites):
    with pytest.raises(InputError, match=rf"even rings of 4 sites or more, not {n_sites}"):
        heisenberg_energies(n_sites)


def test_failure_names_size_and_residual():
    with pytest.raises(GroundStateError, match=r"N = 12 with 6 reversed spins: residual \d.*allow more steps"):
        rapidities(12, 6, steps=1)
