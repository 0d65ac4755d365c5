"""Local energies of all Hamiltonians against matrices, and short optimisations by the same loop."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.pauli import xxz_matrix
from support.waves import Evaluated, Table

from nqs.ansatz.rbm import Rbm
from nqs.exact.sparse_states import lowest_states
from nqs.model.hamiltonians import heisenberg, j1j2, transverse_field_ising, xxz
from nqs.model.lattices import make_cluster
from nqs.vmc.estimates import SectorEstimates
from nqs.vmc.local_energy import local_energies
from nqs.vmc.loop import Run, Task, train
from nqs.vmc.optimisers import Adam
from nqs.vmc.preconditioners import StochasticReconfiguration
from nqs.vmc.sampler import Chains, Exact

RING = make_cluster("ring", "ring", (8, 1)).j1
NEXT = np.array([sorted((i, (i + 2) % 8)) for i in range(8)])
SQUARE = make_cluster("square16", "square", (4, 4))
SQUARE_SETS = {"j1": SQUARE.j1, "j2": SQUARE.j2}
MODELS = {
    "Heisenberg": heisenberg(8, RING),
    "Marshall": heisenberg(8, RING, marshall=True),
    "J1-J2": j1j2(8, {"j1": RING, "j2": NEXT}, 0.3),
    "XXZ": xxz(8, RING, 1.6),
    "XXZ, Marshall": xxz(8, RING, 0.5, marshall=True),
    "Ising": transverse_field_ising(8, RING, 0.9),
    "square J1-J2": j1j2(16, SQUARE_SETS, 0.55),
    "square Ising": transverse_field_ising(16, SQUARE.j1, 3.0),
}
POSITIVE = ["Marshall", "XXZ, Marshall", "Ising"]


def ground_state(model):
    """Energy, and psi of all 2^N states."""
    found = lowest_states(model, magnetisation=0 if "magnetisation" in model.conserves else None)
    return found.energies[0], found.lookup(np.arange(1 << model.n_sites, dtype=np.uint64))


@pytest.mark.parametrize("name", MODELS)
def test_an_exact_state_has_its_energy_at_every_state(name):
    model = MODELS[name]
    energy, psi = ground_state(model)
    states = np.flatnonzero(np.abs(psi) > 1e-7).astype(np.uint64)
    assert len(states) >= 50
    assert_allclose(local_energies(model, Table(psi), states), energy, rtol=1e-6)
    # where psi is large, to rounding
    states = np.flatnonzero(np.abs(psi) > 1e-2 * np.abs(psi).max()).astype(np.uint64)
    assert_allclose(local_energies(model, Table(psi), states), energy, rtol=1e-9)


@pytest.mark.parametrize("name", POSITIVE)
def test_the_ground_state_is_positive(name):
    _, psi = ground_state(MODELS[name])
    assert (psi >= 0).all()


@pytest.mark.parametrize("name", ["Heisenberg", "XXZ", "Ising"])
def test_the_mean_local_energy_is_the_rayleigh_quotient(name):
    family, model = Rbm(8, 16), MODELS[name]
    wave = family.at(np.random.default_rng(0).normal(0, 0.3, family.n_parameters))
    states = np.arange(256, dtype=np.uint64)
    psi = np.exp(wave.log_psi(states))
    weights = psi**2 / (psi @ psi)
    acted = local_energies(model, wave, states) * psi
    assert_allclose(weights @ local_energies(model, wave, states), psi @ acted / (psi @ psi), rtol=1e-12)
    assert_allclose(local_energies(model, Evaluated(wave), states), local_energies(model, wave, states), rtol=1e-11)
    if name == "Heisenberg":
        assert_allclose(acted, xxz_matrix(8, RING) @ psi, rtol=1e-10)


def trained(model, sampler):
    """Relative error of the mean sampled energy over the last 50 of 300 iterations."""
    energy, _ = ground_state(model)
    direction = StochasticReconfiguration(1e-3)
    task = Task(model, Rbm(8, 16, 0.05), sampler, SectorEstimates(8), direction, Adam(1e-2), 300)
    course = train(Run.start(task, 1), task)
    assert course.status == "cap", course.message
    return np.mean([row[0] for row in course.trace[-50:]]) / energy - 1


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("name", ["XXZ, Marshall", "Ising"])
def test_chains_of_the_hamiltonians_own_moves_find_its_ground_state(name, table, monkeypatch):
    if not table:
        monkeypatch.setattr("nqs.vmc.sampler.TABLE_SITES", 0)
    model = MODELS[name]
    assert abs(trained(model, Chains(8, 1024, 64, moves=model.moves))) < 6e-3


@pytest.mark.parametrize("name", ["XXZ, Marshall", "Ising"])
def test_exact_draws_find_the_ground_state(name):
    model = MODELS[name]
    assert abs(trained(model, Exact(8, 1024, "magnetisation" in model.conserves))) < 6e-3
