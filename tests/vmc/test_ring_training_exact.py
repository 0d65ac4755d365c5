"""Energies sampled while networks of three and six sites train, against the transfer matrix at the same parameters."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.cnn_cells import ground_energies

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.transfer_matrix import energy_variance, measure
from nqs.model.motifs import motif_classes
from nqs.vmc.estimates import energy_of
from nqs.vmc.exact_descent import lowest_energy
from nqs.vmc.loop import Run, train
from nqs.vmc.optimisers import Adam
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task

CASES = [(12, 3), (12, 6), (16, 3), (16, 6)]
KEPT = tuple(range(0, 61, 4))


@cache
def trained(n_sites, width, forcing):
    network = ShallowCnn(n_sites, width, forcing)
    problem = ring_task(network, RingSampler(n_sites, 4000, 200, discard=2), Adam(1e-2), 1, KEPT[-1], KEPT)
    return network, train(Run.start(problem, 3), problem)


def exact_energies(network, course):
    return np.array([measure(network.n_sites, network.at(course.snapshots[k]).motifs).energy for k in KEPT])


@pytest.mark.parametrize(("n_sites", "width"), CASES)
@pytest.mark.parametrize("forcing", FORCINGS)
def test_energies_of_a_training_are_exact_within_their_errors(n_sites, width, forcing):
    network, course = trained(n_sites, width, forcing)
    exact = exact_energies(network, course)
    sampled, errors = (course.column(name)[list(KEPT)] for name in ("energy", "energy_error"))
    pulls = (sampled - exact) / errors
    assert np.abs(pulls).max() < 4.5
    assert 0.5 < np.sqrt(np.mean(pulls**2)) < 1.6
    assert errors.max() < 0.1


@pytest.mark.parametrize(("n_sites", "width"), CASES)
def test_final_energies_of_a_fresh_sample(n_sites, width):
    network, course = trained(n_sites, width, "traj")
    wave, rng = network.at(course.theta), np.random.default_rng(5)
    sampler = RingSampler(n_sites, 20_000, 400)
    sample = sampler.draw(wave, sampler.start(rng, wave), rng)
    energy, error, variance, _ = energy_of(sample.along_chains(wave.ring_energies(sample.states)))
    assert abs(energy - measure(n_sites, wave.motifs).energy) < 4 * error
    assert error < 0.03
    if n_sites >= 3 * width:
        assert_allclose(variance, energy_variance(n_sites, wave.motifs), rtol=0.1)


@pytest.mark.parametrize(("n_sites", "width"), CASES)
def test_training_descends_to_between_the_best_plaquettes_and_its_start(n_sites, width):
    best = lowest_energy(Cps.symmetric(n_sites, width), np.zeros(len(motif_classes(width)))).energy
    assert best > ground_energies(n_sites)["ground_energy"]
    for forcing in ("init", "traj"):
        exact = exact_energies(*trained(n_sites, width, forcing))
        assert (exact >= best - 1e-9).all()
        assert exact[-1] < exact[0] - 1
