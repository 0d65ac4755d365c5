"""The same numbers to the last bit, wherever the arrays lie in memory: compiled kernels, and short whole runs.

LLVM compiles a loop that stores twice, vectorised and scalar, and picks one by the addresses of the arrays. With
fastmath the two may round differently, and an optimisation amplifies the last bit to another run.
"""

from functools import partial

import numpy as np
import pytest
from supervised.test_ensemble import DENSE, MEMBERS, SETTINGS
from support.vmc_problems import ring_bonds, ring_problem, sampler_named

from nqs.ansatz import dense_kernel as ansatz_kernel
from nqs.ansatz import rbm_kernel
from nqs.ansatz.amplitude_phase import AmplitudePhase
from nqs.ansatz.deep_cnn import DeepCnn
from nqs.ansatz.dense import DenseAnsatz
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact import ring_sums, transfer_kernel
from nqs.exact.transfer_matrix import energy_and_gradient
from nqs.model.hamiltonians import heisenberg
from nqs.supervised import dense_kernel, ensemble
from nqs.vmc import sampler as samplers
from nqs.vmc.loop import Run, train
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task

SINGLE = np.float32


def moved(arrays, rng):
    """Copies in one buffer, in random order and with random gaps."""
    gaps = 8 * rng.choice([0, 1, 2, 6, 8, 600], len(arrays))
    buffer, end, copies = np.empty(sum(array.nbytes + 8 for array in arrays) + gaps.sum(), np.uint8), 0, list(arrays)
    for place in rng.permutation(len(arrays)):
        start, array = end + gaps[place], arrays[place]
        copies[place] = np.ndarray(array.shape, array.dtype, buffer, start)
        copies[place][...] = array
        end = start + -(-array.nbytes // 8) * 8
    return copies


def outcomes(call, arrays, times):
    """The different outcomes, changes of the arrays included, of equal calls while the heap changes under them."""
    rng, found, litter = np.random.default_rng(0), set(), [np.empty(0, SINGLE)]
    for _ in range(times):
        litter = [*litter[-20:], *(np.ones(int(10 ** rng.uniform(0, 5.5)), SINGLE) for _ in range(10))]
        copies = moved(arrays, rng)
        found.add(tuple(np.asarray(part).tobytes() for part in (*(call(*copies) or ()), *copies)))
    return found


def dense_tangent_kernel(a, b, d, e, top, overlap, root):
    kernel = ansatz_kernel.tangent_kernel((a, b), (d, e), top, overlap, SINGLE(1), root, SINGLE(0.1))
    return [np.tril(kernel)]


def rbm_tangent_kernel(spins, gram, overlap, root):
    rbm_kernel.tangent_kernel(spins, gram, overlap, SINGLE(0.7), root, SINGLE(0.01))


def transfer_step_back(weights, walks, later, sooner, slopes):
    transfer_kernel._walk_back(weights, walks, later, sooner, 0, 10, slopes)


@pytest.mark.parametrize(
    ("call", "shapes", "kind"),
    [
        (dense_tangent_kernel, [(347, 17), (347, 65), *[(347, 64)] * 3, 347, 347], SINGLE),
        (rbm_tangent_kernel, [(50, 50), (50, 50), 50, 50], SINGLE),
        (partial(rbm_kernel._move, sign=SINGLE(-1)), [13] * 3, SINGLE),
        (partial(dense_kernel.adam, step=3, rate=1e-3, l2=SINGLE(0.01)), [4999] * 4, SINGLE),
        (transfer_step_back, [16, *[(8, 12)] * 3, 16], float),
    ],
)
def test_a_kernel_does_not_depend_on_addresses(call, shapes, kind):
    rng = np.random.default_rng(1)
    assert len(outcomes(call, [rng.random(shape).astype(kind) for shape in shapes], times=50)) == 1


def supervised():
    return [part for one in ensemble.train(DENSE, MEMBERS[:2], SETTINGS) for part in (one.best, one.losses)]


def monte_carlo(sampler, **changes):
    problem = ring_problem(8, sampler, **changes)
    course = train(Run.start(problem, 0), problem)
    return course.theta, course.trace


def reconfiguration():
    model, ansatz = heisenberg(12, ring_bonds(12)), DenseAnsatz(12, (64, 64))
    changes = {"hamiltonian": model, "ansatz": AmplitudePhase(ansatz, ansatz), "optimiser": Sgd(0.03), "shift": 0.1}
    return monte_carlo(samplers.Exact(12, 400, zero_magnetisation=True), **changes)


def convolutional(network, proposals):
    sampler = RingSampler(network.n_sites, 100, 5, proposals, burn_in=5)
    problem = ring_task(network, sampler, Adam(0.01), steps=2, max_iterations=5)
    course = train(Run.start(problem, 0), problem)
    return course.theta, course.trace


RUNS = {
    "supervised": supervised,
    "rbm, flips": lambda: monte_carlo(sampler_named("flip", 8)),
    "rbm, exchanges": lambda: monte_carlo(sampler_named("exchange", 8)),
    "reconfiguration": reconfiguration,
    "shallow": lambda: convolutional(ShallowCnn(24, 18), "neighbour"),  # too wide for a table
    "deep": lambda: convolutional(DeepCnn(12, 4, 2, 3), "pair"),
    "transfer matrix": lambda: energy_and_gradient(20, np.linspace(-1, 1, 16)),
    "exact sums": lambda: ring_sums.energy_and_variance(ring_sums.ring(12), "all", np.tri(64) + 0.1),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_run_repeats_to_the_last_bit(run, monkeypatch):
    monkeypatch.setattr(samplers, "TABLE_SITES", 0)  # the chains' own kernels
    assert len(outcomes(run, [], times=6)) == 1
