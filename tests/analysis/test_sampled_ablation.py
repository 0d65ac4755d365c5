"""Units removed under Markov chains: unbiased where chains mix, and what the two ways to start them do."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from support.rbm_cells import Cell, random_machine, write_cell

from nqs.analysis import sampled_ablation
from nqs.analysis.rbm_ablation import amplitudes, without_each
from nqs.analysis.rbm_observables import important
from nqs.analysis.sampled_ablation import CONTINUED, FRESH, Meter, correlations, reader, unit_rows, without
from nqs.exact.ring_sums import ALL, measure, ring
from nqs.runtime.seeds import seed_of

SAMPLER = {"samples": 4096, "chains": 16, "discard": 5, "sweeps": 1}
DRAWS = 60


def mean_and_error(values):
    values = np.array(values)
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("n_sites", [6, 16])  # by the table of all states, and by ratios
def test_means_over_draws_are_the_exact_sums_with_and_without_a_unit(n_sites):
    machine = random_machine(n_sites, 2 * n_sites, scale=0.15)
    size, meter = ring(n_sites), Meter.of(n_sites, **SAMPLER)
    psi = amplitudes(size, ALL, machine)
    whole, cut = measure(size, ALL, psi), without_each(size, ALL, machine, psi)
    for one, energy, czz in ((machine, whole.energy, whole.czz), (without(machine, 3), cut.energy[3], cut.czz[3])):
        generators = [np.random.default_rng(seed) for seed in range(DRAWS)]
        found = [meter.read(one, meter.start(rng), rng) for rng in generators]
        mean, error = mean_and_error([sums.energy for sums in found])
        assert abs(mean - energy) < 4.5 * error
        assert error < 0.02 * abs(energy)
        mean, error = mean_and_error([sums.czz for sums in found])
        assert (np.abs(mean - czz)[1:] < 4.5 * error[1:]).all()
        assert_allclose(mean[0], 0.25)


def test_correlations_of_the_neel_states_alternate():
    neel = np.array([[1.0, -1.0] * 4, [-1.0, 1.0] * 4])
    assert_allclose(correlations(neel, np.array([0.3, 0.7])), [0.25, -0.25, 0.25, -0.25, 0.25])


def seeds(*words):
    return seed_of("test", *words)


def test_continued_chains_all_begin_where_the_whole_machine_left_them(monkeypatch):
    machine, meter, started = random_machine(6, 12), Meter.of(6, **SAMPLER), []
    plain = Meter.read

    def noted(self, one, chains, rng):
        started.append((one.n_units, chains.copy()))
        return plain(self, one, chains, rng)

    monkeypatch.setattr(Meter, "read", noted)
    read = reader(meter, machine, CONTINUED, 3, seeds)
    warm = [chains for _, chains in started]
    unit_rows(machine, read, read(machine, "whole"))
    assert len(warm) == 3
    assert not np.array_equal(warm[0], warm[2])
    after = [chains for _, chains in started[3:]]
    assert len(after) == 1 + machine.n_units
    assert all(np.array_equal(chains, after[0]) for chains in after)
    assert not np.array_equal(after[0], warm[2])
    started.clear()
    read = reader(meter, machine, FRESH, 3, seeds)
    unit_rows(machine, read, read(machine, "whole"))
    assert len({chains.tobytes() for _, chains in started}) == 1 + machine.n_units


def test_a_unit_without_weights_changes_only_by_noise_and_a_strong_one_more():
    machine = random_machine(8, 8, scale=0.15)
    machine.weights[2], machine.hidden[2] = 0.0, 0.0
    machine.weights[5] = 1.2 * (-1.0) ** np.arange(8)
    meter = Meter.of(8, **SAMPLER)
    read = reader(meter, machine, CONTINUED, 5, seeds)
    rows = unit_rows(machine, read, read(machine, "whole"))
    assert rows.correlation_impact[2] < 0.1
    assert rows.correlation_impact[5] > 0.5
    assert (rows.correlation_impact_r0 <= rows.correlation_impact).all()


@pytest.fixture
def cell(tmp_path):
    made = Cell(tmp_path, 6)
    write_cell(made, ["converged", "cap"], -2.8)
    return made


def build(cell, seed=0):
    settings = {"key": "cell", "seed": seed, "sampler": SAMPLER, "warm": 2, "tau": 0.3}
    out, units = cell.folder / f"states_{seed}.csv", cell.folder / f"units_{seed}.parquet"
    sampled_ablation.build(cell.file(".safetensors"), cell.file("_models.csv"), settings, out, units)
    return pd.read_csv(out), pd.read_parquet(units)


def test_the_stage_writes_a_row_per_model_and_start_and_one_per_unit(cell):
    states, units = build(cell)
    assert states[["repeat", "sector"]].to_numpy().tolist() == [
        [0, FRESH], [0, CONTINUED], [1, FRESH], [1, CONTINUED],
    ]  # fmt: skip
    assert states.status.tolist() == ["converged"] * 2 + ["cap"] * 2
    assert len(units) == 2 * 2 * 12
    chosen = important(units.energy_impact, units.correlation_impact, 0.3)
    counted = chosen.groupby([units.repeat, units.sector], sort=False).sum()
    assert counted.tolist() == states.n_important.tolist()
    assert (states.energy_none.groupby(states.repeat).nunique() == 1).all()  # exact


def test_the_same_seed_gives_the_same_numbers_and_another_others(cell):
    states, units = build(cell)
    again, units_again = build(cell)
    pd.testing.assert_frame_equal(states, again)
    pd.testing.assert_frame_equal(units, units_again)
    assert not np.allclose(build(cell, seed=1)[1].delta_energy, units.delta_energy)


def test_a_model_that_is_not_finite_has_no_units(cell, tmp_path):
    made = Cell(tmp_path / "broken", 6)
    made.folder.mkdir()
    write_cell(made, ["converged", "diverged"], -2.8)
    states, units = build(made)
    lost = states[states.status == "diverged"]
    finite = lost.energy.notna()
    assert len(lost) == 2
    assert set(units[units.status == "diverged"].sector) == set(lost[finite].sector)
