"""Stage `motif-vmc`: what it writes, that the numbers belong together, and that it resumes to the same bits."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from safetensors import safe_open
from safetensors.numpy import load_file

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import MotifTable
from nqs.exact import transfer_matrix
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.errors import InputError
from nqs.vmc import loop
from nqs.vmc.convergence import convergence
from nqs.vmc.estimates import RING_COLUMNS
from nqs.vmc.keys import MotifKey
from nqs.vmc.ring_choice import chosen
from nqs.vmc.ring_evaluation import exact_energy, unsampled
from nqs.vmc.runs import keep, kept
from nqs.vmc.stages import ring as ring_stage
from nqs.vmc.stages.ring import Setting, run_seed

CHAINS = {"chains": 40, "burn_in": 10, "discard": 0}
SETTINGS: dict[str, Any] = {
    "key": {"study": "ju2025", "n_sites": 8, "width": 3, "network": "traj", "run": "trace"},
    "seed": 0, "sampler": {"samples": 200, "stride": None, **CHAINS}, "learning_rates": [0.01, 0.03], "steps": [1, 3],
    "repeats": 2, "iterations": 20, "snapshots": [0, 10, 20], "evaluation": {"samples": 4000, **CHAINS},
}  # fmt: skip


def cell(run="trace", **changes):
    """Settings of a cell with another key or other numbers."""
    key = {name: changes.pop(name) for name in list(changes) if name in SETTINGS["key"]}
    return {**SETTINGS, "key": {**SETTINGS["key"], "run": run, **key}, **changes}


def stage(folder, settings=SETTINGS, **options):
    """Run the stage; returns weights, runs and trace."""
    files = [folder / name for name in ("w.safetensors", "runs.csv", "trace.parquet")]
    ring_stage.run(settings, *files, **{"checkpoints": folder / "checkpoints", **options})
    return load_file(files[0]), pd.read_csv(files[1]), pd.read_parquet(files[2])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The cell of SETTINGS: its folder, and what it wrote."""
    folder = tmp_path_factory.mktemp("cell")
    return folder, *stage(folder)


def test_the_stage_writes_what_it_promises(trained):
    folder, weights, runs, trace = trained
    assert weights["parameters"].shape == (8, 8)
    assert weights["snapshots"].shape == (8, 3, 8)
    assert weights["snapshot_iterations"].tolist() == [0, 10, 20]
    assert_allclose(weights["snapshots"][:, -1], weights["parameters"])
    assert len(runs) == 8
    assert runs.groupby(["learning_rate", "steps"]).size().tolist() == [2] * 4
    assert runs.updates.tolist() == (20 * runs.steps).tolist()
    assert (runs.status == "cap").all()
    assert list(trace.columns) == ["run", "iteration", *RING_COLUMNS]
    assert len(trace) == 8 * 21
    assert not list(folder.glob("checkpoints/*"))
    with safe_open(folder / "w.safetensors", "np") as file:
        assert json.loads(file.metadata()["key"]) == SETTINGS["key"]
        assert json.loads(file.metadata()["settings"]) == SETTINGS


def test_the_parameters_have_the_energies_of_the_table(trained):
    _, weights, runs, _ = trained
    network = ShallowCnn(8, 3, "traj")
    for row, theta in zip(runs.itertuples(), weights["parameters"], strict=True):
        wave = network.at(theta)
        assert isinstance(wave, MotifTable)
        assert row.exact_energy == pytest.approx(transfer_matrix.measure(8, wave.motifs).energy, rel=1e-10)
        assert abs(row.energy - row.exact_energy) < 5 * row.energy_error + 1e-9
        assert row.grand_sum == pytest.approx(0, abs=1e-12)
    assert (runs.exact_energy >= runs.ground_energy).all()
    assert_allclose(runs.ground_energy, -3.302186817874)
    assert_allclose(runs.triplet_energy, -2.256838127689)


def test_a_repeat_starts_from_the_same_parameters_at_every_setting(trained):
    _, weights, runs, _ = trained
    for _, rows in runs.groupby("seed"):
        assert len(rows) == 4
        starts = weights["snapshots"][rows.index, 0]
        assert np.array_equal(starts, np.tile(starts[0], (4, 1)))
    assert run_seed(cell(network="original"), 0) == run_seed(cell(network="init"), 0)
    others = [cell(network="deep2x2"), cell(run="final"), cell(width=4), cell(n_sites=10), {**SETTINGS, "seed": 1}]
    assert len({run_seed(settings, 0) for settings in [SETTINGS, *others]}) == 6


def test_convergence_is_that_of_the_trace(trained):
    _, _, runs, trace = trained
    for row in runs.itertuples():
        curve = trace[trace.run == row.run]
        found = convergence(curve.energy.to_numpy(), curve.energy_error.to_numpy(), 5)
        assert (row.t_cv_5, row.reached_5) == (found.iteration, found.reached)
        assert row.noise_5 == pytest.approx(found.noise)


def test_threads_and_the_number_of_runs_change_nothing(trained, tmp_path):
    alone = stage(tmp_path, cell(repeats=1, learning_rates=[0.03], steps=[3]), threads=2)
    assert np.array_equal(alone[0]["parameters"][0], trained[1]["parameters"][6])
    assert alone[1].energy[0] == trained[2].energy[6]


def test_an_interrupted_cell_resumes_to_the_same_bits(trained, tmp_path, monkeypatch):
    normal, left = loop.iterate, {"calls": 50}

    def interrupted(course, problem):
        left["calls"] -= 1
        if left["calls"] < 0:
            raise KeyboardInterrupt
        normal(course, problem)

    monkeypatch.setattr(loop, "iterate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path, save_every=0.0)
    assert len(list(tmp_path.glob("checkpoints/*.npz"))) == 3
    monkeypatch.setattr(loop, "iterate", normal)
    weights, runs, trace = stage(tmp_path)
    assert np.array_equal(weights["snapshots"], trained[1]["snapshots"])
    assert np.array_equal(weights["parameters"], trained[1]["parameters"])
    pd.testing.assert_frame_equal(runs.drop(columns="cpu_s"), trained[2].drop(columns="cpu_s"), check_exact=True)
    pd.testing.assert_frame_equal(trace, trained[3], check_exact=True)


def test_checkpoints_of_other_settings_are_not_used(tmp_path):
    files = Checkpoints(tmp_path, "this", 0.0)
    one = ring_stage.trials_of(SETTINGS, None)[0]
    course = loop.Run.start(one.task, one.seed)
    keep(files, "run_0", course)
    assert kept(Checkpoints(tmp_path, "that", 0.0), "run_0") is None
    stored = kept(files, "run_0")
    assert stored is not None
    assert stored.rng.bit_generator.state == course.rng.bit_generator.state


def test_a_run_that_diverges_is_kept_and_repeats_its_last_parameters(tmp_path, monkeypatch):
    normal = loop.iterate

    def diverges(course, problem):
        if course.iteration == 12:
            course.end("diverged", "on purpose")
        else:
            normal(course, problem)

    monkeypatch.setattr(loop, "iterate", diverges)
    weights, runs, trace = stage(tmp_path, cell(learning_rates=[0.03], steps=[1], repeats=1))
    assert (runs.status[0], runs.iterations[0]) == ("diverged", 12)
    assert "on purpose" in runs.message[0]
    assert np.array_equal(weights["snapshots"][0, -1], weights["parameters"][0])
    assert not np.array_equal(weights["snapshots"][0, 1], weights["parameters"][0])
    assert len(trace) == 12


def test_stuck_runs_are_marked_and_kept(tmp_path, monkeypatch):
    dead = np.array([1.0, *[-1.0] * 6, 0.0])  # no window activates the filter
    monkeypatch.setattr(ShallowCnn, "initial", lambda self, rng: dead)
    _, runs, _ = stage(tmp_path, cell(network="original", learning_rates=[0.03], steps=[1]))
    assert runs.stuck.tolist() == [True, True]
    assert runs.why_constant.tolist() == ["dead", "dead"]
    assert_allclose(runs.exact_energy, 8 * (3 - 4) / 7, rtol=1e-12)  # of a constant psi: N (N/2 - 1 - N/2) / (N - 1)


def table(*rows):
    """Runs of a search: learning rate, steps, energy, status."""
    runs = pd.DataFrame(rows, columns=["learning_rate", "steps", "energy", "status"])
    return runs.assign(
        n_sites=8, energy_error=0.01, stuck=False, seed=runs.groupby(["learning_rate", "steps"]).cumcount()
    )


def test_the_lowest_mean_energy_is_chosen():
    runs = table((0.01, 1, -2, "cap"), (0.01, 1, -4, "cap"), (0.01, 10, -3.4, "cap"), (0.01, 10, -3.2, "cap"))
    assert chosen(runs) == Setting(0.01, 10)
    assert chosen(runs.assign(energy=-1.0)) == Setting(0.01, 1)  # the first of equal ones


def test_settings_with_stuck_or_diverged_runs_lose():
    rows = table((0.01, 1, -9, "cap"), (0.01, 1, -2, "cap"), (0.03, 1, -5, "cap"), (0.03, 1, -5, "cap"))
    assert chosen(rows.assign(energy=[-9, -2, -5, -5])) == Setting(0.01, 1)
    assert chosen(rows.assign(stuck=[False, True, False, False])) == Setting(0.03, 1)
    assert chosen(rows.assign(energy=[-9, -8 / 7, -5, -5])) == Setting(0.03, 1)  # no lower than a constant psi
    assert chosen(rows.assign(status=["cap", "cap", "cap", "diverged"])) == Setting(0.01, 1)
    assert chosen(rows.assign(energy=[np.nan, -9, -5, -5])) == Setting(0.03, 1)
    with pytest.raises(InputError, match="learning_rates"):
        chosen(rows.assign(energy=np.nan))


def test_a_final_cell_takes_its_setting_from_the_search(trained, tmp_path):
    folder, _, runs, _ = trained
    final = cell("final", learning_rates=None, steps=None, snapshots=[])
    weights, made, _ = stage(tmp_path, final, search=folder / "runs.csv")
    best = chosen(runs)
    assert made.learning_rate.tolist() == [best.learning_rate] * 2
    assert made.steps.tolist() == [best.steps] * 2
    assert set(weights) == {"parameters"}
    assert not set(made.seed) & set(runs.seed)
    with pytest.raises(InputError, match="--search"):
        stage(tmp_path, final)


def test_one_chain_keeps_every_step(trained, tmp_path):
    sampler = {"samples": 300, "chains": 1, "stride": 1, "burn_in": 0, "discard": 0}
    settings = cell("single", learning_rates=None, steps=None, snapshots=[], repeats=1, sampler=sampler)
    _, runs, trace = stage(tmp_path, settings, search=trained[0] / "runs.csv")
    assert runs.chains.tolist() == [1]
    assert trace.autocorrelation_time.median() > 2  # neighbouring states differ by one exchange at most


def test_deep_networks_run_in_the_same_stage(tmp_path):
    settings = cell(network="deep2x2", learning_rates=[0.01], steps=[1], repeats=1, iterations=5, snapshots=[])
    weights, runs, _ = stage(tmp_path, settings)
    assert (runs.layers[0], runs.filters[0]) == (2, 2)
    assert weights["parameters"].shape == (1, runs.n_parameters[0])
    assert abs(runs.energy[0] - runs.exact_energy[0]) < 5 * runs.energy_error[0]


def test_windows_too_wide_for_a_table_are_said_to_be(tmp_path, capsys):
    wide = cell(n_sites=18, width=17, learning_rates=[0.01], steps=[1], repeats=1, iterations=1, snapshots=[])
    _, runs, _ = stage(tmp_path, wide)
    assert "K = 17: too wide for a table of motifs, evaluated window by window" in capsys.readouterr().err
    assert runs.t_cv_5.isna().all()  # too short a run
    assert runs.exact_energy.isna().all()  # too long a ring to sum, too wide a window for the transfer matrix


def test_exact_energies_agree_between_the_sum_and_the_transfer_matrix(monkeypatch):
    network = ShallowCnn(12, 4, "init")
    theta = network.initial(np.random.default_rng(3))
    summed = exact_energy(network, theta)
    monkeypatch.setattr("nqs.vmc.ring_evaluation.SUMMED_SITES", 0)
    assert exact_energy(network, theta) == pytest.approx(summed, rel=1e-12)
    assert np.isnan(exact_energy(ShallowCnn(12, 8), ShallowCnn(12, 8).initial(np.random.default_rng(0))))


def test_names_of_cells():
    key = MotifKey("ju2025", 60, 6, "traj", "final")
    assert key.path == "ju2025/n60/k6-traj-final"
    assert (key.deep, key.depth) == (False, (1, 1))
    deep = MotifKey("ju2025", 60, 6, "deep3x8", "final")
    assert (deep.deep, deep.depth) == (True, (3, 8))


def test_an_energy_that_no_state_has_is_a_failed_run():
    ground = -23.2
    assert unsampled(-23.0, 0.1, ground, 60) == unsampled(float("nan"), 1.0, ground, 60) == {}
    assert unsampled(-23.5, 0.1, ground, 60) == {}  # three standard errors
    for energy, error in ((-23.8, 0.1), (-70e6, 69e6), (61.0, 1.0)):
        failed = unsampled(energy, error, ground, 60)
        assert failed["status"] == "diverged"
        assert f"energy {energy:.6g}" in failed["message"]
