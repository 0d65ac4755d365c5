"""Fig. 6: a quench of the Ising ring, by time-dependent variational Monte Carlo and exactly.

series  trajectory   <sx>(t) and infidelity against the exact state, by regularisation, sums and family
        ground       infidelity of the same machine as a ground state of the model after the quench
        bias         the tensor of a state with a zero, sampled and exact
        step         error of one step of all-state parameters against exp(-i H dt); imaginary against real time
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.ansatz.complex_protocol import ComplexAnsatz
from nqs.ansatz.complex_rbm import ComplexRbm
from nqs.ansatz.feed_forward import FeedForward
from nqs.exact.evolution import evolved
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.kufel2024.systems import flipped, ground_state, ising_ring
from nqs.vmc.natural_gradient import Solver, in_parameter_space, pseudo_inverse, shifted, signal_to_noise
from nqs.vmc.small_descent import minimise, sr
from nqs.vmc.tangent_space import IMAGINARY_TIME, REAL_TIME, Problem, infidelity
from nqs.vmc.time_evolution import Trajectory, exact_velocity, heun, sampled_velocity

Row = dict[str, Any]
CUTOFF = 1e-10
LEAST_SIGNAL = 2.0
DRAWN, BATCHES = 200, 1000
SMALL = 0.1  # amplitude that is added to the zero of a state


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """All series; settings: those of the figure, and seed."""
    problem = Problem.of(ising_ring(settings["n_sites"], settings["field"]))
    parts = (trajectories(problem, settings), ground(problem, settings), bias(settings), steps(problem, settings))
    return pd.DataFrame([row for part in parts for row in part])


def plans(settings: Mapping[str, Any]) -> Iterator[tuple[Row, Solver, int]]:
    """Regularisations by exact sums, then by samples."""
    for shift in settings["shifts"]:
        yield {"sums": "exact", "regularisation": "shift", "strength": shift}, shifted(shift), 0
    yield {"sums": "exact", "regularisation": "cut-off", "strength": CUTOFF}, pseudo_inverse(CUTOFF), 0
    for samples in settings["samples"]:
        drawn = {"sums": "sampled", "samples": samples}
        yield drawn | {"regularisation": "shift", "strength": 1e-3}, shifted(1e-3), samples
        solver = signal_to_noise(LEAST_SIGNAL, samples)
        yield drawn | {"regularisation": "signal to noise", "strength": LEAST_SIGNAL}, solver, samples


def trajectories(problem: Problem, settings: Mapping[str, Any]) -> Iterator[Row]:
    """Complex machines from near |+x ... +x>, and one network without phases."""
    n_sites = settings["n_sites"]
    times = np.linspace(0, settings["time"], settings["points"])
    machine = ComplexRbm.full(n_sites, settings["density"] * n_sites, 0.05)
    for plan, solver, samples in plans(settings):
        for seed in range(settings["seeds"]):
            rng = np.random.default_rng(seed_of("fig6", seed, settings["seed"]))
            start = machine.initial(rng)
            velocity = (
                sampled_velocity(problem, machine, solver, samples, rng)
                if samples
                else exact_velocity(problem, machine, solver)
            )
            found = heun(velocity, start, times, settings["step"])
            yield from compared(problem, machine, found, times, plan | {"family": "complex rbm", "seed": seed})
        print(f"{plan}: done")
    positive = FeedForward(n_sites, settings["density"] * n_sites, phase=False)
    plan = {"sums": "exact", "regularisation": "cut-off", "strength": CUTOFF, "family": "real network"}
    for seed in range(settings["seeds"]):
        start = 0.3 * positive.initial(np.random.default_rng(seed_of("fig6 real", seed, settings["seed"])))
        velocity = exact_velocity(problem, positive, pseudo_inverse(CUTOFF))
        found = heun(velocity, start, times, settings["step"])
        yield from compared(problem, positive, found, times, plan | {"seed": seed})


def compared(
    problem: Problem, ansatz: ComplexAnsatz, found: Trajectory, times: np.ndarray, common: Row
) -> Iterator[Row]:
    """A trajectory beside the exact evolution of its first state; times that it did not reach are left out."""
    n_sites = problem.hamiltonian.n_sites
    exact = evolved(problem.h, problem.amplitudes(ansatz.at(found.parameters[0])), times)
    for time, theta, psi in zip(found.times, found.parameters, exact, strict=False):
        ours = problem.amplitudes(ansatz.at(theta))
        yield common | {
            "series": "trajectory", "n_sites": n_sites, "time": time, "sx": flipped(ours, n_sites),
            "exact_sx": flipped(psi, n_sites), "infidelity": infidelity(ours, psi), "stopped": found.stopped,
            "modulus_overlap": float(abs(np.vdot(np.abs(psi), psi)) ** 2),
        }  # fmt: skip


def ground(problem: Problem, settings: Mapping[str, Any]) -> Iterator[Row]:
    """The same machines as ground states of the model after the quench."""
    n_sites = settings["n_sites"]
    machine = ComplexRbm.full(n_sites, settings["density"] * n_sites, 0.05)
    _, psi = ground_state(problem)
    for seed in range(settings["seeds"]):
        start = machine.initial(np.random.default_rng(seed_of("fig6", seed, settings["seed"])))
        found = minimise(problem, machine, start, sr(0.05, 1e-4), 400)
        reached = infidelity(problem.amplitudes(machine.at(found.theta)), psi.astype(complex))
        yield {"series": "ground", "n_sites": n_sites, "seed": seed, "infidelity": reached}


def bias(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Element of S of an amplitude that is zero, or small: its mean over batches of samples, and its exact value.

    The parameters are the amplitudes of four states; S_zz = 1 / norm - |psi_z|^2 / norm^2 is finite where psi_z = 0,
    although no sample ever falls there.
    """
    rng = np.random.default_rng(seed_of("fig6 bias", settings["seed"]))
    for last in (0.0, SMALL):
        psi = np.array([1.0, 0.7, 0.5, last])
        weights = psi**2 / (psi @ psi)
        exact = (1 - weights[3]) / (psi @ psi)
        hits = rng.multinomial(DRAWN, weights, BATCHES)[:, 3] / DRAWN
        slope = 1 / last if last else 0.0  # never asked for where nothing is drawn
        sampled = (hits - hits**2) * slope**2 * DRAWN / (DRAWN - 1)
        yield {
            "series": "bias", "amplitude": last, "exact": exact, "sampled": sampled.mean(), "batches": BATCHES,
            "sampled_error": sampled.std(ddof=1) / np.sqrt(BATCHES),
        }  # fmt: skip


def steps(problem: Problem, settings: Mapping[str, Any]) -> Iterator[Row]:
    """One exact step of a machine with a full-rank tensor, of several lengths; and i times the imaginary-time step."""
    machine = ComplexRbm.full(4, 12, 0.3)
    small = Problem.of(ising_ring(4, settings["field"]))
    theta = machine.initial(np.random.default_rng(seed_of("fig6 step", settings["seed"])))
    space = small.tangent_space(machine, theta)
    psi, velocity = small.amplitudes(machine.at(theta)), pseudo_inverse(1e-12)(*space.system(REAL_TIME))
    for length in (1e-3, 2e-3, 4e-3, 8e-3):
        moved = small.amplitudes(machine.at(theta + length * velocity))
        exact = evolved(small.h, psi, np.array([0, length]))[1]
        yield {"series": "step", "length": length, "infidelity": infidelity(moved, exact)}
    well_conditioned = 1e-3  # any shift shows the factor; this one keeps rounding below 1e-12
    one, two = (in_parameter_space(*space.system(factor), well_conditioned) for factor in (IMAGINARY_TIME, REAL_TIME))
    yield {"series": "factor", "difference": float(np.linalg.norm(two - 1j * one) / np.linalg.norm(one))}
