"""Cells of variational Monte Carlo: the published grid, each cell once, settings of the two protocols."""

import pytest
from support.studies import config_of, figures_of

from nqs.studies.mummaneni2026.cells import (
    SHOWN,
    density_cells,
    figure_config,
    polarised_cells,
    small_cells,
    sweep_cells,
    table_cells,
    vmc_cells,
    vmc_settings,
)
from nqs.studies.mummaneni2026.kinds import ANALYSED, PER_CELL, TABLE
from nqs.vmc.keys import SWEEP, TRACE, VmcKey
from nqs.workflow.studies import found_studies

SMOKE = config_of("mummaneni2026", "smoke")
PAPER = config_of("mummaneni2026", "paper")
STUDY = "mummaneni2026"
FIGURES = figures_of(STUDY)


def settings(cluster, alpha, mode, run, **study):
    config = config_of(STUDY, "paper", **{STUDY: study})
    return vmc_settings(config, VmcKey(STUDY, cluster, alpha, mode, run))


def test_paper_scale_is_the_published_grid():
    cells = [key for key in sweep_cells(PAPER) if key.mode == "paper"]
    assert len(cells) * PAPER.block.sweep.repeats == 280
    assert {key.cluster for key in cells} == {f"ring{n}" for n in range(8, 21, 2)}


def test_every_cell_exists_once_and_is_shown():
    cells = vmc_cells(SMOKE)
    assert len(cells) == len(set(cells)) == len({key.path for key in cells})
    assert set(cells) == {key for figure in FIGURES for key in table_cells(SMOKE, figure)}
    assert SHOWN.keys() == {*PER_CELL, TABLE} == {*FIGURES, "trained", "ablated", TABLE}
    assert ANALYSED.keys() < PER_CELL.keys()


def test_a_cell_that_two_blocks_ask_for_runs_as_long_as_either_wants():
    small, density = {"sizes": [6], "repeats": 2, "iterations": 1500}, {"size": 6, "repeats": 5, "iterations": 1600}
    config = config_of(STUDY, **{STUDY: {"small": small, "density": density}})
    (key,) = set(small_cells(config)) & set(density_cells(config)) & {VmcKey(STUDY, "ring6", 2, "paper", TRACE)}
    made = vmc_settings(config, key)
    assert (made["repeats"], made["max_iterations"]) == (5, 1600)


def test_traces_do_not_stop_and_sweeps_keep_no_snapshots():
    trace, sweep = settings("ring8", 2, "paper", TRACE), settings("ring8", 2, "paper", SWEEP)
    assert (trace["tolerance"], trace["max_iterations"], trace["snapshots"][-1]) == (None, 1500, 1500)
    assert (sweep["tolerance"], sweep["max_iterations"], sweep["snapshots"]) == (1e-3, 6000, [])


@pytest.mark.parametrize(
    ("cluster", "mode", "rule", "space"),
    [
        ("ring8", "paper", "flip", "all"),
        ("ring20", "paper", "flip", "all"),
        ("ring16", "sound", "exact", "all"),
        ("ring18", "sound", "exchange", "zero"),
    ],
)
def test_protocols_of_sampling(cluster, mode, rule, space):
    sampler = settings(cluster, 2, mode, SWEEP)["sampler"]
    assert (sampler["rule"], sampler["space"], sampler["samples"]) == (rule, space, 4096)


def test_settings_change_only_with_what_the_cell_depends_on():
    cell = ("ring18", 3, "sound", SWEEP)
    before = settings(*cell)
    assert settings(*cell, paper={"chains": 32}) == before
    assert settings(*cell, small={"iterations": 2000}) == before
    assert settings(*cell, sweep={"alphas": [3]}) == before
    assert settings(*cell, vmc={"snapshots": [0]}) == before
    assert settings(*cell, importance={"tau": 0.25}) == before
    assert settings(*cell, sound={"chains": 32}) != before
    assert settings(*cell, vmc={"shift": 0}) != before
    assert settings("ring16", 3, "sound", SWEEP, sound={"chains": 32}) == settings("ring16", 3, "sound", SWEEP)


def test_provenance_names_the_blocks_behind_a_figure():
    assert figure_config(SMOKE, "fig1") == {}
    assert {"small", "paper", "sound"} <= figure_config(SMOKE, "fig5").keys()
    assert "sweep" not in figure_config(SMOKE, "fig5")
    assert {"sweep", "density"} <= figure_config(SMOKE, "fig12").keys()


def test_tables_get_the_files_they_need():
    study = found_studies()["mummaneni2026"]
    for name in PER_CELL:
        assert {*PER_CELL[name], *ANALYSED.get(name, ())} == {*study.targets[name].needs}, name
        assert study.targets[name].inputs(SMOKE).keys() == {*study.targets[name].needs}


def test_printed_numbers_are_judged_from_all_other_tables():
    targets = found_studies()[STUDY].targets
    (files,) = targets[TABLE].inputs(SMOKE).values()
    others = {table for name, one in targets.items() if name != TABLE for table in one.tables(name).values()}
    assert set(files) == {f"analysis/{STUDY}/{table}.csv" for table in others}


def test_the_polarised_ring_keeps_parameters_for_longer_and_enters_its_figure_only():
    study = PAPER.block.polarised
    keys = polarised_cells(PAPER)
    assert {(key.cluster, key.alpha, key.run) for key in keys} == {(f"ring{study.size}", study.alpha, TRACE)}
    made = vmc_settings(PAPER, keys[0])
    assert (made["max_iterations"], made["repeats"]) == (study.iterations, study.repeats)
    assert made["snapshots"] == sorted({*PAPER.block.vmc.snapshots, *study.snapshots})
    assert [figure for figure in SHOWN if set(keys) & set(table_cells(PAPER, figure))] == ["figX2"]
    assert "polarised" in figure_config(PAPER, "figX2")
    assert "polarised" not in figure_config(PAPER, "fig12")
