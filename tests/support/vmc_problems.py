"""Small problems of variational Monte Carlo on rings, shared by tests."""

from dataclasses import replace

import numpy as np
from scipy.stats import chisquare

from nqs.ansatz.rbm import Rbm
from nqs.model.hamiltonians import heisenberg
from nqs.model.moves import exchanges
from nqs.vmc.convergence import EnergyCriterion
from nqs.vmc.estimates import SectorEstimates
from nqs.vmc.loop import Run, Task
from nqs.vmc.optimisers import Adam
from nqs.vmc.preconditioners import StochasticReconfiguration
from nqs.vmc.sampler import Chains, Exact, relative_weights

ENERGY = {4: -2.0, 6: -2.8027756, 8: -3.6510934}  # of the ring, S.S


def ring_bonds(n_sites):
    """Bonds of a ring (B, 2)."""
    return np.array([(i, (i + 1) % n_sites) for i in range(n_sites)])


def sampler_named(name, n_sites, samples=512, chains=16):
    """`exact`, `flip` or `exchange`."""
    if name == "exact":
        return Exact(n_sites, samples)
    return Chains(n_sites, samples, chains, moves=exchanges(ring_bonds(n_sites)) if name == "exchange" else None)


def ring_problem(n_sites, sampler, shift=1e-3, tolerance=None, **changes):
    """A machine of density 2 on a ring."""
    problem = Task(
        hamiltonian=heisenberg(n_sites, ring_bonds(n_sites), marshall=True),
        ansatz=Rbm(n_sites, 2 * n_sites, 0.05),
        sampler=sampler,
        optimiser=Adam(5e-3),
        estimates=SectorEstimates(n_sites),
        preconditioner=StochasticReconfiguration(shift),
        criterion=EnergyCriterion(ENERGY[n_sites], tolerance),
        max_iterations=10,
    )
    return replace(problem, **changes)


def courses_of(problem, seeds):
    """Runs at their start."""
    return [Run.start(problem, seed) for seed in seeds]


def p_value(sample, log_psi, sector=None):
    """Chi-square p-value of a sample of independent states against |psi|^2; states expected less than 5 times count as
    one."""
    weights = relative_weights(log_psi)
    if sector is not None:
        weights = np.where(np.isin(np.arange(len(weights)), sector), weights, 0)
    counts = np.zeros(len(weights))
    counts[sample.states.astype(int)] = np.round(sample.weights * sample.n)
    expected = weights / weights.sum() * sample.n
    rare = expected < 5
    assert counts[expected == 0].sum() == 0
    counts, expected = (np.append(values[~rare], values[rare].sum()) for values in (counts, expected))
    return chisquare(counts[expected > 0], expected[expected > 0]).pvalue
