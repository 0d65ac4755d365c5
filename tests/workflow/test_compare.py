"""Two trees of results side by side: made tables whose equality is known, and how often chance calls them different."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nqs.runtime.errors import InputError
from nqs.workflow.compare import LEVEL, compare, tree_of
from nqs.workflow.compare_files import differences
from nqs.workflow.compare_rows import chi_square, compare_tables, distances, error_of, key_columns

STUDY = "ju2025"


def sample(seed: int, repeats: int = 4, shift: float = 0.0, cells: int = 20) -> pd.DataFrame:
    """Means and errors of a few repeats on many cells, two views of each."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(1 + shift, 0.1, (cells, repeats))
    mean, sem = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / np.sqrt(repeats)
    table = pd.DataFrame({"n_sites": 60, "width": np.arange(cells), "network": "traj", "n_runs": repeats})
    table = table.assign(energy_mean=mean, energy_sem=sem, gap=rng.normal(size=cells))
    return pd.concat([table.assign(sector=sector) for sector in ("zero", "all")], ignore_index=True)


def tree(folder: Path, **tables: pd.DataFrame) -> str:
    (folder / "analysis" / STUDY).mkdir(parents=True)
    for name, table in tables.items():
        table.to_csv(folder / "analysis" / STUDY / f"{name}.csv", index=False)
    return str(folder)


def report(first: str, second: str) -> tuple[int, str]:
    stream = io.StringIO()
    return compare(first, second, stream=stream), stream.getvalue()


def p_value(first: pd.DataFrame, second: pd.DataFrame) -> float:
    (column,) = compare_tables(first, second).tests
    return column.p


def test_false_alarms_are_as_rare_as_stated():
    """Few repeats, so that errors are uncertain, and rows that share their trainings."""
    found = np.array([p_value(sample(2 * seed), sample(2 * seed + 1)) for seed in range(200)])
    for level in (LEVEL, 0.05, 0.2):
        alarms = int((found < level).sum())
        assert alarms <= 200 * level + 3 * np.sqrt(200 * level)
    assert 0.3 < np.median(found) < 0.7


def test_a_difference_of_two_errors_in_every_row_is_found():
    found = [p_value(sample(2 * seed), sample(2 * seed + 1, shift=0.14)) for seed in range(40)]
    assert np.mean(np.array(found) < LEVEL) > 0.9


def test_normal_errors_give_a_chi_square_of_one_per_row():
    rng = np.random.default_rng(3)
    one, two = rng.normal(0, 0.3, (2, 5000))
    error, many = np.full(5000, 0.3), np.full(5000, np.inf)
    assert np.mean(distances(one, two, error, error, many, many) ** 2) == pytest.approx(1, abs=0.06)
    four = np.full(5000, 4.0)
    nearer = np.abs(distances(one, two, error, error, four, four))
    assert (nearer <= np.abs(distances(one, two, error, error, many, many)) + 1e-9).all()


def test_rows_of_the_same_trainings_count_once():
    distance = np.array([2.0, 2.0, 2.0, 1.0, np.nan])
    assert chi_square(distance, np.array([0, 0, 0, 1, 1])) == (5.0, 2)
    assert chi_square(distance[4:], np.array([0]))[1] == 0


def test_rows_are_matched_by_what_they_are_about_in_any_order(tmp_path):
    table = sample(1)
    code, text = report(
        tree(tmp_path / "a", fig3=table), tree(tmp_path / "b", fig3=table.sample(frac=1, random_state=1))
    )
    assert code == 0
    assert "identical" in text
    assert "Identical: 1 tables, 1 identical to the last bit" in text
    assert set(key_columns(table, table)) == {"n_sites", "width", "network", "sector"}


def test_equal_within_errors_and_different_are_told_apart(tmp_path):
    first = tree(tmp_path / "a", fig3=sample(1), fig1=sample(1))
    same = tree(tmp_path / "b", fig3=sample(2), fig1=sample(1))
    other = tree(tmp_path / "c", fig3=sample(2, shift=0.5), table2=sample(1))
    code, text = report(first, same)
    assert (code, "equal within errors | energy_mean" in text, "DIFFERENT" in text) == (0, True, False)
    assert "(gap)" in text  # without errors: the relative difference
    code, text = report(first, other)
    assert (code, "DIFFERENT | energy_mean" in text) == (1, True)
    assert "the rows furthest apart" in text
    assert "| ju2025/fig1 | B |" in text
    assert "| ju2025/table2 | A |" in text
    assert text.startswith("# ")


def test_rows_on_one_side_are_counted():
    table = sample(1)
    found = compare_tables(table, table.iloc[3:])
    assert (found.matched, found.only_first, found.only_second) == (len(table) - 3, 3, 0)
    assert not found.identical


def test_numbers_with_settings_that_are_missing_or_real_match():
    one = pd.DataFrame({"j2_over_j1": [0.5, 0.55], "n_sites": [16, np.nan], "value": [1.0, 2.0]})
    two = pd.DataFrame({"j2_over_j1": [0.55, 0.5], "n_sites": [None, 16], "value": [2.0, 1.0]})
    assert compare_tables(one, two).identical


def test_changed_verdicts_are_listed(tmp_path):
    trees = [tree(tmp_path / name, fig3=sample(1)) for name in "ab"]
    for folder, verdict in zip(trees, ("confirmed", "contradicted"), strict=True):
        rows = {"claim": ["x-1", "x-1", "x-2"], "row": ["claim", "evidence", "claim"]}
        table = pd.DataFrame(rows | {"verdict": [verdict, verdict, "confirmed"]})
        (Path(folder) / "claims").mkdir()
        table.to_csv(Path(folder) / "claims" / f"{STUDY}.csv", index=False)
    code, text = report(*trees)
    assert "| ju2025: x-1 | confirmed | contradicted |" in text
    assert "x-2" not in text
    assert code == 0


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("energy_mean", "energy_sem"),
        ("k", "k_se"),
        ("slope", "slope_error"),
        ("coefficient", "standard_error"),
        ("x", None),
    ],
)
def test_errors_are_found_by_name(name, error):
    assert error_of(name, ["energy_sem", "k_se", "slope_error", "standard_error"]) == error


def test_bad_input_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder nowhere"):
        tree_of("nowhere")
    with pytest.raises(InputError, match="unknown study kufel"):
        tree_of(str(tmp_path), ["kufel"])
    with pytest.raises(InputError, match="no table in common"):
        compare(tree(tmp_path / "a", fig1=sample(1)), tree(tmp_path / "b", fig3=sample(1)))


def test_times_of_jobs_and_programs_are_not_compared_exactly(tmp_path):
    files = [tmp_path / name for name in ("a.csv", "b.csv")]
    for file, seconds in zip(files, (1.0, 2.0), strict=True):
        pd.DataFrame({"seconds": [seconds], "wall_s": [seconds], "energy": [-1.0]}).to_csv(file)
    assert not [*differences(*files)]
    pd.DataFrame({"seconds": [1.0], "wall_s": [1.0], "energy": [-1.1]}).to_csv(files[1])
    assert [line.partition(":")[0] for line in differences(*files)] == ["energy"]


def test_the_command_ends_with_2_for_bad_input_and_compares_files_exactly(tmp_path):
    first, second = tree(tmp_path / "a", fig3=sample(1)), tree(tmp_path / "b", fig3=sample(2))
    command = [sys.executable, "-m", "nqs", "compare", first]
    codes = [
        subprocess.run([*command, *rest], capture_output=True, text=True, check=False)
        for rest in (["nowhere"], [second, "--study", STUDY], [second, "--exact"], [first, "--exact"])
    ]
    assert [done.returncode for done in codes] == [2, 0, 1, 0]
    assert "error: no folder nowhere" in codes[0].stderr
    assert "energy_mean: " in codes[2].stdout
