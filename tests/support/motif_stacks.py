"""Shallow networks of several runs side by side, and their chains, shared by tests on CPU and GPU."""

from dataclasses import replace
from itertools import count, islice

import numpy as np
import torch
from scipy.stats import chisquare

from nqs.model.states import zero_magnetisation_states
from nqs.vmc.gpu.ring import MotifStack
from nqs.vmc.gpu.ring_sampler import StackedRings, spins_of
from nqs.vmc.loop import Run
from nqs.vmc.optimisers import Adam
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task

SETTINGS = ((0.01, 1), (0.03, 3), (0.03, 1))  # learning rate, steps per sample


def waves_of(family, runs=3):
    """Waves at random parameters, none of them dead or linear."""
    thetas = (family.initial(np.random.default_rng(seed)) for seed in count())
    return [family.at(theta) for theta in islice((one for one in thetas if not family.why_constant(one)), runs)]


def start_of(waves, sampler):
    """Words (R, C, W) of random states."""
    cold = replace(sampler, burn_in=0)
    return np.stack([cold.start(np.random.default_rng(run), wave) for run, wave in enumerate(waves)])


def drawn(waves, sampler, device, n_pairs=None):
    """States (R, D, N, C) and acceptances after a burn-in, and the stack."""
    stack = MotifStack.of(waves, device)
    chains = StackedRings(sampler, waves[0].width, len(waves), device, n_pairs)
    spins = spins_of(start_of(waves, sampler), sampler.n_sites, device)
    spins = chains.burn_in(stack.motifs, spins, range(len(waves)))
    return stack, *chains.draw(stack.motifs, spins, range(10, 10 + len(waves)))


def p_value(states, wave):
    """Chi-square p-value of independent states (D, N, C) against |psi|^2 of a short ring."""
    n_sites = states.shape[1]
    codes = (states.long() << torch.arange(n_sites, device=states.device)[:, None]).sum(1).flatten().cpu().numpy()
    sector = zero_magnetisation_states(n_sites)
    logs = wave.log_psi(sector)
    weights = np.exp(2 * (logs - logs.max()))
    expected = weights / weights.sum() * len(codes)
    counts = np.array([(codes == state).sum() for state in sector.astype(np.int64)])
    assert counts.sum() == len(codes)
    rare = expected < 5
    if rare.any():
        counts, expected = (np.append(values[~rare], values[rare].sum()) for values in (counts, expected))
    return chisquare(counts, expected).pvalue


def problems_of(family, samples=400, iterations=6, settings=SETTINGS, **changes):
    """One problem for each setting."""
    sampler = RingSampler(family.n_sites, samples, 100, burn_in=10)
    return [ring_task(family, sampler, Adam(rate), steps, iterations, **changes) for rate, steps in settings]


def stored_copies(courses):
    """Courses as they would come from a checkpoint."""
    copies = []
    for course in courses:
        rng = np.random.default_rng()
        rng.bit_generator.state = course.rng.bit_generator.state
        kept = {"trace": [list(row) for row in course.trace], "chains": course.chains.copy(), "rng": rng}
        copies.append(Run(**{**vars(course), **kept}))
    return copies
