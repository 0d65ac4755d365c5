"""Stage `reconfiguration`: files, resumption, and how runs end."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open

from nqs.ansatz.dense import DenseAnsatz
from nqs.exact import blocks, ground_state
from nqs.exact.eigenstate import Wavefunction
from nqs.model.hamiltonians import Hamiltonian
from nqs.model.lattices import bond_cluster
from nqs.runtime.errors import InputError
from nqs.vmc import loop
from nqs.vmc.convergence import EnergyCriterion
from nqs.vmc.local_energy import local_energies
from nqs.vmc.reused_draws import ReusedDraws
from nqs.vmc.sampler import Exact
from nqs.vmc.stages import amplitude_phase as amplitude_phase_stage
from nqs.workflow import cli as command_line

KEY = {"study": "westerhout2020", "cluster": "kagome12", "j2": 0.4, "network": "tiny", "method": "plain"}
BLOCK = {
    "samples": 200, "shift": 1e-2, "learning_rate": 1e-2, "iterations": 30, "repeats": 2, "average_over": 10,
}  # fmt: skip
SETTINGS = {
    "key": KEY,
    "network": {"architecture": "dense", "hidden": [16, 16]},
    "reconfiguration": BLOCK,
    "seed": 7,
}


@pytest.fixture(scope="module")
def kagome12(ground_state_file):
    return ground_state_file("kagome12", 0.4)


def stage(ground_state, folder, settings=SETTINGS, **options):
    """Parameters, table and trace."""
    folder.mkdir(exist_ok=True)
    out, table, trace = folder / "w.safetensors", folder / "t.csv", folder / "trace.parquet"
    amplitude_phase_stage.run(settings, ground_state, out, table, trace, folder / "checkpoints", **options)
    with safe_open(out, "np") as file:
        theta, header = file.get_tensor("theta"), json.loads(file.metadata()["settings"])
    assert header == settings
    return theta, pd.read_csv(table), pd.read_parquet(trace)


def changed(**block):
    return {**SETTINGS, "reconfiguration": BLOCK | block}


def test_the_stage_writes_what_it_promises(kagome12, tmp_path):
    theta, table, trace = stage(kagome12, tmp_path)
    state = Wavefunction.read(kagome12)
    assert theta.shape == (2, 2 * (12 * 16 + 16 + 16 * 16 + 16 + 16))
    assert table.columns.tolist() == [
        "study", "cluster", "j2", "network", "method", "repeat", "seed", "status", "message", "iterations", "energy_ss",
        "energy_error", "overlap_full", "v_score", "settled", "cpu_s", "wall_s", "device",
    ]  # fmt: skip
    assert table.status.tolist() == ["cap", "cap"]
    assert table.iterations.tolist() == [30, 30]
    assert table.seed.nunique() == 2
    for repeat, row in table.iterrows():
        energies = trace[trace["repeat"] == repeat].energy
        assert len(energies) == 31
        assert row.energy_ss == pytest.approx(energies[-10:].mean())
        assert row.energy_error == pytest.approx((row.energy_ss - state.energy) / -state.energy)
    at = trace.iteration[trace.overlap.notna()].unique()
    assert at.tolist() == [0, 25, 30]
    assert trace.overlap.dropna().between(0, 1).all()
    assert np.allclose(trace.energy_error_bar, np.sqrt(trace.variance / 200))
    assert not list(tmp_path.glob("checkpoints/*"))


def test_the_first_energy_is_that_of_its_state(kagome12):
    """Energy of the initial parameters by sampling and by the whole sum."""
    problem = amplitude_phase_stage.task_of(changed(samples=40_000), Wavefunction.read(kagome12))
    course = loop.Run.start(problem, 0)
    wave = problem.ansatz.at(course.theta)
    states, _ = Wavefunction.read(kagome12).expand()
    weights = np.exp(2 * wave.log_psi(states).real)
    exact = (weights @ local_energies(problem.hamiltonian, wave, states)).real / weights.sum()
    loop.iterate(course, problem)
    energy, _, variance = course.trace[0][:3]
    assert abs(energy - exact) < 4 * np.sqrt(variance / 40_000)


def test_threads_and_the_number_of_repeats_change_nothing(kagome12, tmp_path):
    two, _, _ = stage(kagome12, tmp_path / "two", threads=2)
    one, _, _ = stage(kagome12, tmp_path / "one", changed(repeats=1))
    assert np.array_equal(one[0], two[0])


def test_an_interrupted_run_resumes_to_the_same_numbers(kagome12, tmp_path, monkeypatch):
    whole, _, expected = stage(kagome12, tmp_path / "whole")
    normal, calls = loop.iterate, {"left": 40}

    def interrupted(course, task):
        calls["left"] -= 1
        if calls["left"] < 0:
            raise KeyboardInterrupt
        normal(course, task)

    monkeypatch.setattr(loop, "iterate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stage(kagome12, tmp_path / "cut", save_every=0.0)
    monkeypatch.setattr(loop, "iterate", normal)
    resumed, _, trace = stage(kagome12, tmp_path / "cut")
    assert np.array_equal(whole, resumed)
    pd.testing.assert_frame_equal(trace, expected)


def test_a_run_that_breaks_stays_in_the_table(kagome12, tmp_path):
    _, table, trace = stage(kagome12, tmp_path, changed(learning_rate=1e37))
    assert table.status.isin(["diverged", "singular"]).all()
    assert table.message.str.startswith("iteration ").all()
    assert (table.iterations < 30).all()
    assert set(trace["repeat"]) == {0, 1}


@pytest.mark.parametrize(
    ("energies", "expected"),
    [
        (np.tile([1.0, 1.2], 20), True),
        (np.linspace(0, -4, 40), False),
        (np.ones(40), True),
        (np.ones(15), False),  # less than two windows
    ],
)
def test_settled(energies, expected):
    assert amplitude_phase_stage.settled(energies, np.zeros_like(energies), 10, 16) is expected


def test_a_frozen_run_is_not_settled():
    """Energies that rest far from an eigenstate: square16 at J2 = 0.55, where all seeds freeze at an overlap of 0.7."""
    energies = np.full(40, -8.1)
    assert amplitude_phase_stage.v_score(energies, np.full(40, 0.3), 10, 16) == pytest.approx(16 * 0.3 / 8.1**2)
    assert not amplitude_phase_stage.settled(energies, np.full(40, 0.3), 10, 16)
    assert amplitude_phase_stage.settled(energies, np.full(40, 0.1), 10, 16)


def test_overlap_does_not_see_phase_or_norm():
    exact = np.array([0.6, -0.8])
    assert amplitude_phase_stage.overlap(np.log(exact + 0j) + 800 + 0.3j, exact) == pytest.approx(1)
    assert amplitude_phase_stage.overlap(np.log(np.array([0.8, 0.6]) + 0j), exact) == pytest.approx(0, abs=1e-12)


def test_only_dense_networks(kagome12):
    settings = {**SETTINGS, "network": {"architecture": "cnn", "hidden": [3]}}
    with pytest.raises(InputError, match="network tiny: cnn cannot be used"):
        amplitude_phase_stage.task_of(settings, Wavefunction.read(kagome12))


def test_command(kagome12, tmp_path, monkeypatch):
    settings = changed(iterations=2, repeats=1, average_over=1)
    words = ["nqs", "stage", "reconfiguration", f"--settings={json.dumps(settings)}"]
    files = [f"--input=ground_state={kagome12}", f"--checkpoints={tmp_path / 'checkpoints'}"]
    files += [f"--output={kind}={tmp_path / kind}" for kind in ("weights", "table", "trace")]
    monkeypatch.setattr(sys, "argv", words + files + ["--threads=1", "--code=abc"])
    with pytest.raises(SystemExit) as end:
        command_line.app()
    assert end.value.code == 0
    assert pd.read_csv(tmp_path / "table").iterations.tolist() == [2]


def test_a_cluster_given_by_its_bonds(tmp_path):
    """A square with its diagonals."""
    square = {"j1": [[0, 1], [1, 2], [2, 3], [0, 3]], "j2": [[0, 2], [1, 3]]}
    blocks.build(bond_cluster("mine", square), tmp_path / "h.h5")
    ground_state.solve(tmp_path / "h.h5", 0.5, tmp_path / "s.h5")
    task = amplitude_phase_stage.task_of(SETTINGS, Wavefunction.read(tmp_path / "s.h5"))
    assert isinstance(task.hamiltonian, Hamiltonian)
    assert isinstance(task.criterion, EnergyCriterion)
    pairs = map(tuple, task.hamiltonian.moves.sites.tolist())
    bonds = dict(zip(pairs, (2 * task.hamiltonian.amplitudes).tolist(), strict=True))
    assert bonds == {(0, 1): 1, (1, 2): 1, (2, 3): 1, (0, 3): 1, (0, 2): 0.5, (1, 3): 0.5}
    assert task.criterion.exact_energy == pytest.approx(-2 + 0.5 * 0.5)  # both diagonals are triplets
    _, table, _ = stage(tmp_path / "s.h5", tmp_path / "out", changed(samples=50, iterations=20))
    assert (table.energy_ss > -1.75).all()


@pytest.mark.parametrize(("n_sites", "kind"), [(18, Exact), (24, ReusedDraws)])
def test_long_tables_serve_several_iterations(n_sites, kind):
    assert isinstance(amplitude_phase_stage.sampler_of(DenseAnsatz(n_sites, (4,)), 100), kind)
