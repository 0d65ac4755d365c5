"""Hamiltonians against Kronecker products of Pauli matrices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.pauli import ising_matrix, turned, xxz_matrix

from nqs.model.hamiltonians import (
    HAMILTONIANS,
    Hamiltonian,
    heisenberg,
    permuted,
    transverse_field_ising,
    xxz,
)
from nqs.model.lattices import make_cluster
from nqs.model.moves import Moves, exchanges, flips, together
from nqs.runtime.errors import InputError

OPEN = np.array([(0, 1), (1, 2), (2, 3), (3, 4)])
LADDER = np.array([(0, 1), (2, 3), (4, 5), (0, 2), (2, 4), (1, 3), (3, 5)])  # two by three, open
DIAGONALS = np.array([(0, 3), (1, 2), (2, 5), (3, 4)])
RING = make_cluster("ring", "ring", (8, 1)).j1
LATTICES = {"ring": (8, RING), "open chain": (5, OPEN), "ladder": (6, LADDER)}


def matrix_of(model):
    """All elements of a Hamiltonian: (2^N, 2^N), columns are the states acted on."""
    states = np.arange(1 << model.n_sites, dtype=np.uint64)
    total = np.diag(model.diagonal(states))
    for number in range(len(model.moves)):
        applies = model.moves.applies(states, np.array(number))
        there = (states ^ model.moves.masks[number])[applies].astype(int)
        total[there, states[applies].astype(int)] += model.amplitudes[number]
    return total


@pytest.mark.parametrize("lattice", LATTICES)
def test_every_element_is_that_of_the_pauli_matrices(lattice):
    n_sites, bonds = LATTICES[lattice]
    couplings = np.linspace(0.5, 1.5, len(bonds))
    assert_allclose(
        matrix_of(heisenberg(n_sites, bonds, couplings)), xxz_matrix(n_sites, bonds, 1.0, couplings), atol=1e-14
    )
    assert_allclose(matrix_of(xxz(n_sites, bonds, -0.7)), xxz_matrix(n_sites, bonds, -0.7), atol=1e-14)
    ising = transverse_field_ising(n_sites, bonds, 0.8)
    assert_allclose(matrix_of(ising), ising_matrix(n_sites, bonds, 0.8), atol=1e-14)


def test_j1j2_adds_the_second_set_of_bonds():
    sets = {"j1": LADDER, "j2": DIAGONALS}
    expected = xxz_matrix(6, LADDER) + 0.55 * xxz_matrix(6, DIAGONALS)
    assert_allclose(matrix_of(HAMILTONIANS["j1j2"](6, sets, j2=0.55)), expected, atol=1e-14)
    assert_allclose(matrix_of(HAMILTONIANS["j1j2"](6, sets, j2=0.0)), xxz_matrix(6, LADDER), atol=1e-14)


@pytest.mark.parametrize("delta", [1.0, 0.4])
def test_marshall_turns_one_sublattice(delta):
    rotated = turned(xxz_matrix(6, LADDER, delta), [0, 3, 4])
    assert_allclose(matrix_of(xxz(6, LADDER, delta, marshall=True)), rotated, atol=1e-14)


def test_longitudinal_fields_and_mixed_moves_need_no_other_code():
    """A Heisenberg chain in a tilted field: strings of one site, flips next to exchanges."""
    chain = heisenberg(5, OPEN)
    tilted = Hamiltonian(
        5, np.append(chain.strings, flips(5).masks), np.append(chain.values, np.full(5, 0.3)),
        together(chain.moves, flips(5)), np.append(chain.amplitudes, np.full(5, -0.2)), "ss",
    )  # fmt: skip
    field = -ising_matrix(5, [(0, 1)], 1.0) + ising_matrix(5, [(0, 1)], 0.0)  # sum sx
    states = np.arange(32, dtype=np.uint64)
    spins = 2.0 * np.bitwise_count(states) - 5
    expected = xxz_matrix(5, OPEN) - 0.2 * field + 0.3 * np.diag(spins)
    assert_allclose(matrix_of(tilted), expected, atol=1e-14)
    assert tilted.conserves == frozenset()


@pytest.mark.parametrize("name", HAMILTONIANS)
def test_what_is_conserved_commutes(name):
    parameters = {"j1j2": {"j2": 0.0}, "xxz": {"delta": 0.3}, "transverse_field_ising": {"field": 0.9}}[name]
    model = HAMILTONIANS[name](8, {"j1": RING}, **parameters)
    matrix, states = matrix_of(model), np.arange(256, dtype=np.uint64)
    magnetisation = 2.0 * np.bitwise_count(states) - 8
    keeps = np.allclose(matrix * magnetisation, magnetisation[:, None] * matrix)
    assert ("magnetisation" in model.conserves) == keeps
    assert "parity" in model.conserves
    assert_allclose(matrix, matrix[::-1, ::-1])
    step, swap = np.roll(np.arange(8), -1), np.array([1, 0, *range(2, 8)])
    for move in (step, swap):
        to = permuted(states, move).astype(int)
        assert model.commutes_with(move) == np.allclose(matrix[np.ix_(to, to)], matrix)
    assert model.commutes_with(step)


def test_units_name_columns():
    assert heisenberg(8, RING).energy_column == "energy_ss"
    assert transverse_field_ising(8, RING, 1.0).energy_column == "energy_p"


def test_moves_know_their_kind_and_sites():
    assert exchanges(np.array([(3, 1), (0, 2)])).sites.tolist() == [[1, 3], [0, 2]]
    assert flips(3).sites.tolist() == [[0], [1], [2]]
    mixed = together(flips(3), exchanges(np.array([(0, 1)])))
    assert mixed.kind == "other"
    assert_array_equal(
        mixed.applies(np.array([[0b001], [0b011]], np.uint64), np.arange(4)), [[1, 1, 1, 1], [1, 1, 1, 0]]
    )
    with pytest.raises(InputError, match="flips alone or exchanges alone"):
        _ = mixed.sites
    with pytest.raises(InputError, match="moves two spins"):
        Moves(np.array([7], np.uint64), np.array([True]))
