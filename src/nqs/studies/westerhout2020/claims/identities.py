"""Identities about networks, losses and stochastic reconfiguration, tested with random numbers or exact sums."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import least_squares

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, below, exactly
from nqs.analysis.overlaps import sums
from nqs.ansatz.protocol import ComplexDerivatives, DenseDerivatives
from nqs.model.lattices import cluster
from nqs.networks.protocol import Geometry, Network, count_parameters, initial_parameters
from nqs.networks.registry import make
from nqs.studies.westerhout2020.claims.small_systems import ground_state, matrix
from nqs.vmc.stochastic_reconfiguration import direction

HIDDEN = {"dense1": [64], "dense2": [64, 64]}
SHAPES = {24: (6, 4), 30: (6, 5)}
TIME_STEPS = (1e-3, 1e-4)  # imaginary time, 1/J1
N_FEATURES = 5
SINGLE = 1e-6  # what single precision allows


def dense_parameters(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Weights of the networks of signs, as the product builds them."""
    printed = claim.published.value if claim.published else {}
    for name, number in printed.items():
        architecture, _, n_sites = name.partition("_N")
        options = {"hidden": HIDDEN[architecture], "last_bias": False}
        network = make("dense", Geometry(int(n_sites), SHAPES[int(n_sites)]), "sign", options)
        yield exactly("weights", count_parameters(network), number, part=f"{architecture}, {n_sites} spins")


def two_logit_softmax(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Cross-entropy of two logits against our loss of their difference, and the larger logit against the sign."""
    import torch

    from nqs.supervised.stacked import losses

    random = np.random.default_rng(0)
    logits = torch.as_tensor(random.normal(0, 3, (1000, 2)))
    plus = torch.as_tensor(random.integers(0, 2, 1000))
    softmax = torch.nn.functional.cross_entropy(logits, 1 - plus, reduction="none")
    output = logits[:, 0] - logits[:, 1]
    ours = losses(make("dense", Geometry(4, (2, 2)), "sign", {"hidden": [2], "last_bias": False}), output, 2 * plus - 1)
    yield exactly("largest difference of the losses", float((softmax - ours).abs().max()), 0, 1e-12, part="loss")
    wrong = int(((logits.argmax(1) == 0) != (torch.sigmoid(output) >= 0.5)).sum())
    yield exactly("signs that differ", wrong, 0, part="sign")


def cnn_translation_invariant(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """p of all translates of random configurations, without momentum."""
    for name in ("square24", "triangle24"):
        here = cluster(name)
        p = _probabilities(here.shape, (0, 0), list(_translations(here.shape)))
        yield exactly("largest change of p", float(np.abs(p - p[0]).max()), 0, SINGLE, part=name)


def cnn_odd_flips_sign(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """p after one and two steps along y, for momentum pi along y."""
    here = cluster("square24")
    p = _probabilities(here.shape, (0, here.shape[1] // 2), [(0, 0), (0, 1), (0, 2)])
    yield exactly("largest p + p shifted by one, minus 1", float(np.abs(p[0] + p[1] - 1).max()), 0, SINGLE, part="one")
    yield exactly("largest change of p by two steps", float(np.abs(p[0] - p[2]).max()), 0, SINGLE, part="two")


def _translations(shape: tuple[int, int]) -> Iterator[tuple[int, int]]:
    return ((x, y) for x in range(shape[0]) for y in range(shape[1]))


def _probabilities(
    shape: tuple[int, int], momentum: tuple[int, int], shifts: list[tuple[int, int]], seed: int = 0
) -> np.ndarray:
    """p(+) of a random CNN at shifted random configurations: (shift, configuration)."""
    import torch

    n_sites = shape[0] * shape[1]
    options = {"channels": (32, 64), "kernel": 5, "site_weights": False}
    network: Network = make("cnn", Geometry(n_sites, shape, momentum), "sign", options)
    random = np.random.default_rng(seed)
    parameters = {name: torch.as_tensor(value) for name, value in initial_parameters(network, random).items()}
    grid = random.choice(np.array([-1, 1], np.float32), (100, shape[1], shape[0]))  # site = x + Lx y
    moved = np.stack([np.roll(grid, (y, x), (1, 2)).reshape(100, n_sites) for x, y in shifts])
    with torch.no_grad():
        return torch.stack([torch.sigmoid(network(parameters, torch.as_tensor(part))) for part in moved]).numpy()


def small_amplitude_signs_harmless(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The overlap of given signs on an exact ground state, and what flipping the smaller half of the states does."""
    psi = ground_state(cluster("kagome12"), 0.6)[1]
    weight = psi**2
    right, wrong = np.sign(psi), np.random.default_rng(0).random(len(psi)) < 0.3
    found = sums("sign", psi, np.where(wrong, -right, right)).overlap
    yield exactly("overlap - (1 - 2 wrong weight)", found - (1 - 2 * weight[wrong].sum()), 0, 1e-12, part="identity")
    small = np.argsort(weight, kind="stable")[: len(psi) // 2]
    output = right.copy()
    output[small] *= -1
    lost = 1 - sums("sign", psi, output).overlap
    remark = f"they hold {weight[small].sum():.2g} of the weight"
    yield exactly(
        "overlap lost by the smaller half - twice its weight", lost - 2 * weight[small].sum(), 0, 1e-12,
        part="smaller half", remark=remark,
    )  # fmt: skip


def sr_maximizes_imaginary_time_overlap(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The change that brings psi closest to (1 - dt H) psi, found by least squares, against -dt S^-1 F."""
    hamiltonian = matrix(cluster("kagome12"), 0.6).toarray()
    features = np.random.default_rng(1).normal(size=(2, len(hamiltonian), N_FEATURES))  # of ln|psi|, of the phase
    best = [_closest(hamiltonian, features, dt) / dt for dt in TIME_STEPS]
    step = _reconfiguration_step(hamiltonian, features)
    off = [float(np.linalg.norm(one - step) / np.linalg.norm(step)) for one in best]
    remark = f"{off[0]:.1g} at dt = {TIME_STEPS[0]:g}"
    yield below("relative difference as dt goes to 0", Estimate(off[-1]), 1e-3, remark)


START = np.linspace(-0.2, 0.2, 2 * N_FEATURES)


def _psi(theta: np.ndarray, features: np.ndarray) -> np.ndarray:
    """exp(a + i phi), both linear in their parameters: (K,)."""
    amplitude, phase = np.split(theta, 2)
    return np.exp(features[0] @ amplitude + 1j * features[1] @ phase)


def _closest(hamiltonian: np.ndarray, features: np.ndarray, dt: float) -> np.ndarray:
    """Change of the parameters that maximises the overlap with the evolved state."""
    psi = _psi(START, features)
    target = psi - dt * hamiltonian @ psi
    target /= np.linalg.norm(target)

    def distance(change: np.ndarray) -> np.ndarray:
        trial = _psi(START + dt * change, features)
        trial /= np.linalg.norm(trial)
        apart = target * np.exp(1j * np.angle(np.vdot(target, trial))) - trial
        return np.concatenate([apart.real, apart.imag]) / dt

    return dt * least_squares(distance, np.zeros(len(START)), xtol=1e-14, ftol=1e-14, gtol=1e-14).x


def _reconfiguration_step(hamiltonian: np.ndarray, features: np.ndarray) -> np.ndarray:
    """-S^-1 F by the product's solver, whose F is twice the covariance."""
    psi = _psi(START, features)
    weights = np.abs(psi) ** 2 / np.linalg.norm(psi) ** 2
    derivatives = ComplexDerivatives(*(DenseDerivatives(part) for part in features))
    return -direction(derivatives, weights, hamiltonian @ psi / psi, 0.0, "parameters") / 2
