"""Cells of energy descent and exact optima: the published grid, each cell once, what each target needs."""

import pytest
from support.studies import config_of, rows_of

from nqs.studies.ju2025.cells import (
    BLOCK,
    PRINTED,
    STUDY,
    exact_rings,
    figure_config,
    final_cells,
    inputs_of,
    motif_cells,
    motif_settings,
    optima_cells,
    optima_settings,
    search_key,
    single_cells,
    table_cells,
    table_optima,
    table_settings,
)
from nqs.studies.ju2025.kinds import NEEDS
from nqs.studies.ju2025.study import STUDY as THE_STUDY
from nqs.vmc.keys import FINAL, SEARCH, SINGLE, TRACE, MotifKey, OptimaKey

SCALES = {scale: config_of("ju2025", scale) for scale in ("smoke", "laptop", "paper")}
SMOKE, PAPER = SCALES["smoke"], SCALES["paper"]


def settings(key, **study):
    return motif_settings(config_of(STUDY, "paper", **{STUDY: study}), key)


def test_paper_scale_is_the_published_grid():
    shallow = [key for key in final_cells(PAPER) if not key.deep]
    assert {(key.n_sites, key.width) for key in shallow} == {(n, k) for n in (60, 240) for k in (3, 6, 12, 24)}
    assert {key.network for key in shallow} == {"original", "init", "traj"}
    assert PAPER.block.fig3.repeats == 5
    assert {key.depth[0] for key in final_cells(PAPER) if key.deep} == {2, 3}


@pytest.mark.parametrize("scale", SCALES)
def test_every_cell_exists_once_and_every_final_cell_has_its_search(scale):
    config = SCALES[scale]
    cells = motif_cells(config)
    assert len(cells) == len({key.path for key in cells})
    assert {search_key(config, key) for key in cells if key.run in (FINAL, SINGLE)} == {
        key for key in cells if key.run == SEARCH
    }
    optima = optima_cells(config)
    assert len(optima) == len({key.path for key in optima})
    assert set(optima) == {key for target in BLOCK for key in table_optima(config, target)}


def test_every_target_has_its_block_its_files_and_its_function():
    assert {*BLOCK, PRINTED} == NEEDS.keys() == THE_STUDY.targets.keys()
    for target, needs in NEEDS.items():
        assert {"runs", "weights", "traces"} & {*needs} or not table_cells(SMOKE, target)
        assert ("optima" in needs) == bool(table_optima(SMOKE, target))
        assert ("ground_states" in needs) == bool(exact_rings(SMOKE, target))


@pytest.mark.parametrize("target", NEEDS)
def test_every_target_has_a_function_for_its_rows(target):
    assert callable(rows_of("ju2025", target))


def test_settings_of_the_kinds_of_runs():
    key = MotifKey(STUDY, 60, 6, "traj", FINAL)
    final, single = settings(key), motif_settings(PAPER, single_cells(PAPER)[0])
    search, trace = (motif_settings(PAPER, cell) for cell in (search_key(PAPER, key), table_cells(PAPER, "fig2")[0]))
    assert (final["learning_rates"], final["steps"], final["snapshots"]) == (None, None, [])
    assert (final["sampler"]["samples"], final["sampler"]["chains"], final["repeats"]) == (20000, 500, 5)
    assert single["sampler"] == {"samples": 20000, "chains": 1, "stride": 1, "burn_in": 0, "discard": 0}
    assert search["learning_rates"] == [1e-3, 3e-3, 1e-2, 3e-2]
    assert search["steps"] == [1, 10]
    assert trace["key"]["run"] == TRACE
    assert trace["snapshots"][-1] == trace["iterations"] == 500


def test_settings_change_only_with_what_the_cell_depends_on():
    final, deep = MotifKey(STUDY, 60, 6, "traj", FINAL), MotifKey(STUDY, 60, 6, "deep2x4", FINAL)
    before, deep_before = settings(final), settings(deep)
    assert settings(final, fig3={"widths": [6]}) == before
    assert settings(final, fig3={"deep": {"samples": 500}}) == before
    assert settings(final, traces={"samples": 500}) == before
    assert settings(final, fig3={"samples": 500}) != before
    assert settings(final, training={"burn_in": 3}) != before
    assert settings(deep, fig3={"samples": 500}) == deep_before
    assert settings(deep, fig3={"deep": {"samples": 500}}) != deep_before


def test_the_landscape_has_as_many_starts_as_either_block_wants():
    landscape = PAPER.block.landscape
    key = OptimaKey(STUDY, landscape.size, landscape.width)
    assert key in table_optima(PAPER, "table2")
    assert optima_settings(PAPER, key)["starts"] == landscape.starts
    assert optima_settings(PAPER, OptimaKey(STUDY, 60, 3))["starts"] == PAPER.block.optima.starts


def test_tables_know_their_block_and_the_seed():
    for target, block in BLOCK.items():
        given = table_settings(SMOKE, target)
        assert given.pop("seed") == SMOKE.seed
        assert given == getattr(SMOKE.block, block).model_dump(mode="json")


def test_the_table_of_printed_numbers_is_made_from_the_tables_of_all_others():
    tables = inputs_of(PAPER, PRINTED)["table"]
    assert tables == [f"analysis/ju2025/{target}.csv" for target in THE_STUDY.targets if target != PRINTED]
    assert table_settings(PAPER, PRINTED) == {"scale": "paper"}
    assert {*BLOCK.values(), "training", "optima", "ground_state", "seed"} == figure_config(PAPER, PRINTED).keys()


def test_provenance_names_the_blocks_behind_a_target():
    assert figure_config(SMOKE, "figX1").keys() == {"uniqueness", "seed"}
    assert figure_config(SMOKE, "fig3").keys() == {"fig3", "training", "optima", "seed"}
    assert {"table2", "fig3", "training", "optima", "ground_state"} <= figure_config(SMOKE, "table2").keys()
