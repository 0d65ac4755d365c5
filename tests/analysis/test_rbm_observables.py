"""The stage `observables`: exact sums of the machines of a cell, with units removed, kept and grouped."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from support.rbm_cells import Cell, random_machine, write_cell

from nqs.analysis import rbm_observables
from nqs.analysis.rbm_ablation import Machine, amplitudes
from nqs.exact.ring_sums import SECTORS, measure, ring
from nqs.runtime.errors import BrokenFileError

TAU = 0.3
STATUSES = ["converged", "cap", "diverged"]


@pytest.fixture(scope="module")
def written(tmp_path_factory, ground_state_file):
    """A cell of six sites with snapshots, the second model over before the last of them."""
    cell = Cell(tmp_path_factory.mktemp("cell"), 6, run="trace")
    early = [random_machine(6, 12, seed, scale=0.01) for seed in range(3)]
    late = [random_machine(6, 12, seed + 10) for seed in range(3)]
    late[1] = Machine(*(np.full_like(part, np.nan) for part in vars(late[1]).values()))
    machines = write_cell(cell, STATUSES, -2.8027756377319946, snapshots={0: early, 30: late})
    stage(cell, ground_state_file("ring6", 0.0))
    return cell, machines


def stage(cell, ground_state):
    rbm_observables.build(
        cell.file(".safetensors"), cell.file("_models.csv"), ground_state, TAU,
        cell.file("_states.csv"), cell.file("_units.parquet"), cell.file("_snapshots.csv"),
    )  # fmt: skip


@pytest.fixture
def states(written):
    return pd.read_csv(written[0].file("_states.csv"))


@pytest.fixture
def units(written):
    return pd.read_parquet(written[0].file("_units.parquet"))


@pytest.fixture
def snapshots(written):
    return pd.read_csv(written[0].file("_snapshots.csv"))


def test_there_is_one_row_per_model_and_sector_and_unit(states, units):
    assert len(states) == 3 * 2
    assert len(units) == 3 * 2 * 12
    assert list(states.columns[:9]) == list(rbm_observables.KEYS)
    assert set(states.sector) == set(SECTORS)
    assert states.status.tolist() == [status for status in STATUSES for _ in SECTORS]


def test_exact_values_are_those_of_the_ring(states):
    assert_allclose(states.exact_energy, -2.8027756377319946, rtol=1e-9)
    assert_allclose(states.czz_0, 0.25)
    assert_allclose(states.exact_czz_0, 0.25)
    assert_allclose(3 * 6 * states.exact_czz_1, states.exact_energy, rtol=1e-9)  # singlet: S.S = 3 Sz Sz
    assert (states.energy > states.exact_energy).all()
    assert_allclose(states.relative_error, np.abs(states.energy / states.exact_energy - 1))


def test_weights_of_magnetisation_are_given_for_all_states_only(states):
    weights = states.filter(regex="^sz_abs_")
    assert list(weights.columns) == [f"sz_abs_{m}" for m in range(4)]
    assert_allclose(weights[states.sector == "all"].sum(axis=1), 1)
    assert weights[states.sector == "zero"].isna().all(axis=None)


def test_changes_are_removed_minus_full(written, units):
    _, machines = written
    size, machine = ring(6), machines[1]
    for sector in SECTORS:
        rows = units[(units.repeat == 1) & (units.sector == sector)].set_index("unit")
        full = measure(size, sector, amplitudes(size, sector, machine))
        others = machine.only(np.arange(12) != 5)
        removed = measure(size, sector, amplitudes(size, sector, others))
        assert_allclose(rows.delta_energy[5], removed.energy - full.energy, rtol=1e-9)
        assert_allclose(rows.filter(regex="^delta_czz").loc[5], removed.czz - full.czz, atol=1e-12)
        assert_allclose(rows.energy_impact[5], abs(removed.energy / full.energy - 1), rtol=1e-9)
        change = np.abs(removed.czz - full.czz).sum()
        assert_allclose(rows.correlation_impact[5], change / np.abs(full.czz[1:]).sum(), rtol=1e-9)
        assert_allclose(rows.correlation_impact_r0[5], change / np.abs(full.czz).sum(), rtol=1e-9)


def test_groups_are_those_above_the_threshold(written, states, units):
    _, machines = written
    size = ring(6)
    for row in states.itertuples():
        own = units[(units.repeat == row.repeat) & (units.sector == row.sector)].sort_values("unit")
        chosen = ((own.energy_impact > TAU) | (own.correlation_impact > TAU)).to_numpy()
        assert row.n_important == chosen.sum()
        for energy, group in ((row.energy_important, chosen), (row.energy_unimportant, ~chosen)):
            if not group.any():
                assert np.isnan(energy)
                continue
            kept = machines[row.repeat].only(group)
            assert_allclose(energy, measure(size, row.sector, amplitudes(size, row.sector, kept)).energy, rtol=1e-9)
    assert 0 < states.n_important.sum() < 12 * len(states)  # both groups occur


def test_without_units_only_the_visible_bias_is_left(written, states):
    _, machines = written
    bare = Machine(machines[0].visible, np.empty(0), np.empty((0, 6)))
    row = states[(states.repeat == 0) & (states.sector == "all")].iloc[0]
    sums = measure(ring(6), "all", amplitudes(ring(6), "all", bare))
    assert_allclose(row.energy_none, sums.energy, rtol=1e-12)
    assert_allclose([row[f"czz_none_{r}"] for r in range(4)], sums.czz, rtol=1e-12)
    spins = np.tanh(2 * machines[0].visible) / 2  # <S^z_i> of the product state
    assert_allclose(row.czz_none_3, np.mean(spins * np.roll(spins, 3)), rtol=1e-9)


def test_snapshots_of_models_that_had_ended_are_left_out(snapshots):
    assert snapshots.groupby("iteration").repeat.unique().map(list).to_dict() == {0: [0, 1, 2], 30: [0, 2]}
    first = snapshots[snapshots.iteration == 0]
    assert (first.filter(regex="^czz_[1-9]")[first.sector == "all"].abs() < 0.05).all(axis=None)


def test_a_cell_without_snapshots_has_an_empty_table(tmp_path, ground_state_file):
    cell = Cell(tmp_path, 4)
    write_cell(cell, ["cap"], -2.0)
    stage(cell, ground_state_file("ring4", 0.0))
    table = pd.read_csv(cell.file("_snapshots.csv"))
    assert table.empty
    assert {"iteration", "sector", "energy"} <= set(table.columns)


def test_a_machine_that_is_not_finite_has_no_energy(tmp_path, ground_state_file):
    cell, broken = Cell(tmp_path, 4), random_machine(4, 8)
    broken.hidden[0] = np.nan
    write_cell(cell, ["diverged", "cap"], -2.0, [broken, random_machine(4, 8)])
    stage(cell, ground_state_file("ring4", 0.0))
    energy = pd.read_csv(cell.file("_states.csv")).groupby("repeat").energy
    assert energy.count().tolist() == [0, 2]


def test_files_that_do_not_belong_together_are_named(written, tmp_path):
    cell, _ = written
    short = pd.read_csv(cell.file("_models.csv")).iloc[:2]
    short.to_csv(tmp_path / "X_models.csv", index=False)
    with pytest.raises(BrokenFileError, match=r"X_models\.csv"):
        rbm_observables.read_models(tmp_path / "X_models.csv", 3)
    (tmp_path / "X.safetensors").write_bytes(b"no")
    with pytest.raises(BrokenFileError, match=r"X\.safetensors"):
        rbm_observables.read_machines(tmp_path / "X.safetensors")
