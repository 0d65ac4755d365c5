"""The workflow as a user runs it: every target at smoke scale, nothing twice, and clear refusals."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from support.studies import config_of

from nqs.studies.ju2025 import cells as cells_ju2025
from nqs.studies.mummaneni2026 import cells as cells_mummaneni2026
from nqs.studies.westerhout2020 import cells
from nqs.vmc.keys import EQUAL, TRACE
from nqs.workflow.studies import found_studies

ROOT = Path(__file__).parents[1]
TARGETS = {
    "westerhout2020": [
        f"fig{number}" for number in (*range(1, 6), *(f"S{number}" for number in range(1, 8)), "X1", "X2")
    ],
    "mummaneni2026": [*(f"fig{number}" for number in range(1, 13)), "figX1", "figX2", "figX3"],
    "ju2025": ["fig1", "fig2", "fig3", "figS1", "figS2", "figX1", "figX2", "figX3"],
    "kufel2024": [f"fig{number}" for number in range(1, 9)],
}
TABLES = {
    "westerhout2020": ["tableX1", "tableX2"],
    "mummaneni2026": ["tableX1"],
    "ju2025": ["table1", "table2", "tableS1", "tableX1"],
}
NAMES = [f"{study}_{figure}" for study, figures in TARGETS.items() for figure in figures]
TABLE_NAMES = [f"{study}_{table}" for study, tables in TABLES.items() for table in tables]


def snakemake(folder, *arguments, check=True):
    """Snakemake on the project's Snakefile with results in `folder`."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    done.stdout += done.stderr
    assert not check or done.returncode == 0, done.stdout[-5000:]
    return done


def planned(folder, *arguments):
    """Rule -> number of jobs of a dry run at smoke scale; `settings` overlay the configuration."""
    output = snakemake(folder, "--cores", "1", "--dry-run", "--config", "scale=smoke", *arguments).stdout
    table = output[output.rindex("Job stats:") :] if "Job stats:" in output else ""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M) if name != "total"}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """A finished smoke run of everything."""
    folder = tmp_path_factory.mktemp("smoke")
    snakemake(folder, "--cores", "2", "--config", "scale=smoke")
    return folder


def test_every_target_is_on_disk(smoke):
    for study, figures in TARGETS.items():
        for figure in figures:
            stem = smoke / "results/smoke/figures" / study / figure
            assert stem.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
            assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
            record = json.loads(stem.with_suffix(".json").read_text())
            assert record["figure"] == f"{study}_{figure}"
            assert record["id"].encode() in stem.with_suffix(".png").read_bytes()
            assert str(smoke) not in json.dumps(record)


def test_every_table_is_on_disk(smoke):
    for study, tables in TABLES.items():
        for table in tables:
            stem = smoke / "results/smoke/tables" / study / table
            assert len(pd.read_csv(stem.with_suffix(".csv"))) > 0
            assert stem.with_suffix(".md").read_text().count("|") > 10
            assert json.loads(stem.with_suffix(".json").read_text())["figure"] == f"{study}_{table}"


def test_a_smoke_run_leaves_the_targets_and_no_other_figure(smoke):
    kinds = {"figures": [*NAMES], "tables": [*TABLE_NAMES]}
    for kind, names in kinds.items():
        stems = {"_".join(path.with_suffix("").parts[-2:]) for path in smoke.glob(f"results/smoke/{kind}/*/*")}
        assert stems == set(names)


def test_targets_and_drawing_functions_are_the_same(tmp_path):
    rules = snakemake(tmp_path, "--list-rules").stdout.split()
    found = [f"{study}_{name}" for study, one in found_studies().items() for name, it in one.targets.items() if it.draw]
    assert sorted(found) == sorted(NAMES)
    studies = "|".join(TARGETS)
    assert sorted(name for name in rules if re.match(studies, name)) == sorted(
        [*NAMES, *TABLE_NAMES, *TARGETS, *(f"{study}_claims" for study in TARGETS)]
    )


@pytest.mark.parametrize("name", [*NAMES, *TABLE_NAMES])
def test_every_target_has_a_caption(name):
    assert (ROOT / f"docs/captions/{name}.rst").read_text().strip()


def test_tables_hold_every_point_once(smoke):
    config = config_of("westerhout2020")
    folder = smoke / "results/smoke/analysis/westerhout2020"
    for figure in cells.SUMMARISED:
        table = pd.read_csv(folder / f"{figure}.csv")
        table = table[table.series != "critical"]  # of Fig. X1, one for each scan
        variational = cells.reconfiguration_cells(config) if figure == "fig2" else []
        assert len(table) == sum(map(len, cells.shown(config, figure).values())) + len(variational)
        assert table.overlap_full_mean.abs().max() <= 1
        assert table.overlap_full_mean.notna().all()
        assert set(table[table.estimated].n_sites) <= {18}  # smoke scale sums up to 16 sites
    critical = pd.read_csv(folder / "fig4.csv")
    assert len(critical) == len(cells.shown(config, "fig4"))


def test_variational_states_stand_below_their_lattices(smoke):
    table = pd.read_csv(smoke / "results/smoke/analysis/westerhout2020/fig2.csv")
    below = table[table.series == "variational"]
    assert list(below.cluster) == ["square16", "square16", "triangle16", "kagome12"]
    assert list(below.cluster) == list(table[table.series == "signs_first"].cluster)
    assert below.energy_error_mean.between(0, 2).all()
    assert below.epsilon_train.isna().all()


def test_a_second_run_has_nothing_to_do(smoke):
    assert planned(smoke) == {}
    assert "Nothing to be done" in snakemake(smoke, "--cores", "1", "--config", "scale=smoke").stdout


def test_a_second_run_hashes_no_code_again(smoke, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path))  # where no other run adds answers
    planned(smoke)  # drawing may have asked what the rules had not
    (kept,) = tmp_path.rglob("code_answers.json")
    known = kept.read_bytes()
    planned(smoke)  # strings hash differently in every process
    assert kept.read_bytes() == known


def test_finished_trainings_leave_no_checkpoints(smoke):
    assert not [path for path in smoke.glob("results/smoke/checkpoints/**/*") if path.is_file()]


def test_a_changed_number_reruns_only_what_depends_on_it(smoke):
    jobs = planned(smoke, "networks={dense1: {learning_rate: 0.002}}")
    assert "ground_state" not in jobs
    assert "dataset" not in jobs
    dense1 = [key for key in cells.supervised_cells(config_of("westerhout2020")) if key.network == "dense1"]
    assert jobs["supervised"] == len(dense1)
    assert jobs["overlaps"] == len(dense1)
    assert "westerhout2020_fig2" in jobs


def test_a_new_coupling_adds_only_its_own_jobs(smoke):
    couplings = "westerhout2020={fig5: {panels: [{cluster: kagome18, j2: [0.4, 0.7, 1.0]}]}}"
    jobs = planned(smoke, couplings)
    assert jobs["ground_state"] == jobs["dataset"] == 1
    assert jobs["supervised"] == jobs["overlaps"] == 4  # signs at three learning rates, and amplitudes
    assert "hamiltonian" not in jobs
    assert "westerhout2020_fig2" not in jobs


def test_a_new_seed_reruns_all_random_stages_and_no_ground_state(smoke):
    jobs = planned(smoke, "seed=5")
    assert "ground_state" not in jobs
    assert jobs["supervised"] == len(cells.supervised_cells(config_of("westerhout2020")))
    assert jobs["vmc"] == len(cells_mummaneni2026.vmc_cells(config_of("mummaneni2026")))


def test_a_changed_grid_adds_only_its_own_cells(smoke):
    study = config_of("mummaneni2026").block
    jobs = planned(smoke, f"mummaneni2026={{sweep: {{alphas: {[*study.sweep.alphas, 7]}}}}}")
    assert jobs["vmc"] == jobs["observables"] == len(study.sweep.sizes) * len(study.modes)
    assert not jobs.keys() & {"ground_state", "supervised", "westerhout2020_fig2", "mummaneni2026_fig5"}
    assert {"rows_mummaneni2026_importance", "mummaneni2026_fig10", "mummaneni2026_tableX1"} <= jobs.keys()


def test_scanned_thresholds_rerun_no_optimisation(smoke):
    jobs = planned(smoke, "mummaneni2026={importance: {taus: [0.2, 0.3]}}")
    assert jobs["rows_mummaneni2026_importance"] == 1
    assert not jobs.keys() & {"vmc", "observables", "mummaneni2026_fig5"}


def test_more_samples_of_the_search_rerun_what_takes_its_settings(smoke):
    config = config_of("ju2025")
    jobs = planned(smoke, "ju2025={fig3: {search: {samples: 150}}}")
    shallow = [key for key in cells_ju2025.motif_cells(config) if not key.deep and key.run not in (TRACE, EQUAL)]
    assert jobs["motif_vmc"] == len(shallow)
    assert not jobs.keys() & {"motif_optima", "ground_state", "vmc", "ju2025_fig1", "ju2025_figS2", "ju2025_tableS1"}
    assert {"ju2025_fig3", "ju2025_table2"} <= jobs.keys()


def test_one_figure_alone(tmp_path):
    jobs = planned(tmp_path, "--", "westerhout2020_fig5")
    assert jobs["supervised"] == 8
    assert "westerhout2020_fig2" not in jobs


def test_paper_scale_plans_the_full_grid(tmp_path):
    output = snakemake(
        tmp_path,
        "--cores",
        "1",
        "--dry-run",
        "--quiet",
        "rules",
        "--config",
        "scale=paper",
        "--",
        "westerhout2020_fig2",
    ).stdout
    count = int(re.findall(r"^supervised +(\d+)$", output, re.M)[-1])
    # couplings times networks, four variants of them, and one network trained on the whole state at each coupling
    assert count == 21 * (3 + 4 + 1) + 17 * (3 + 4 + 1) + 24 * (2 + 4 + 1)


def test_paper_scale_plans_all_cells_of_a_study(tmp_path):
    options = ("--cores", "1", "--dry-run", "--quiet", "rules", "--config", "scale=paper", "--", "mummaneni2026")
    output = snakemake(tmp_path, *options).stdout
    (count,) = re.findall(r"^vmc +(\d+)$", output, re.M)[-1:]
    assert int(count) == (7 * 4 + 2 + 4 + 1) * 2  # sweep, small, density and polarised cells in two protocols
    assert "westerhout2020" not in output


def test_paper_scale_plans_the_searches_of_fig3(tmp_path):
    options = ("--cores", "1", "--dry-run", "--quiet", "rules", "--config", "scale=paper", "--", "ju2025_fig3")
    (count,) = re.findall(r"^motif_vmc +(\d+)$", snakemake(tmp_path, *options).stdout, re.M)[-1:]
    networks, deep, widths, sizes = 3, 6, 4, 2
    assert int(count) == (networks + deep) * widths * (sizes + 1) + 1  # a search each, and the single chain


def test_a_mistake_stops_before_anything_runs(tmp_path):
    done = snakemake(tmp_path, "--cores", "1", "--config", "scale=smok", check=False)
    assert done.returncode != 0
    assert "did you mean 'smoke'" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "results").exists()


def test_reading_the_snakefile_imports_no_heavy_library(tmp_path):
    command = [
        "-X",
        "importtime",
        "-m",
        "snakemake",
        "--snakefile",
        str(ROOT / "Snakefile"),
        "--dry-run",
        "--quiet",
        "all",
    ]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, *command, "--cores", "1", "--directory", str(tmp_path), "--", "westerhout2020_fig1"],
        capture_output=True, text=True, check=True, env={**os.environ, "PATH": path},
    )  # fmt: skip
    imported = set(re.findall(r"\| +(\w+)$", done.stderr, re.M))
    assert "snakemake" in imported
    heavy = {"torch", "quspin", "numba", "scipy", "matplotlib", "h5py"}
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:  # which imports pandas itself
        heavy.add("pandas")
    assert not imported & heavy


def test_unknown_cell_offers_the_nearest(tmp_path):
    target = "results/smoke/supervised/westerhout2020/square16/j2_0.55/dense9-sign-sampled.csv"
    done = snakemake(tmp_path, "--cores", "1", "--config", "scale=smoke", "--", target, check=False)
    assert done.returncode != 0
    assert re.search(
        r"square16/j2_0.55/dense9-sign-sampled is no cell.*did you mean westerhout2020/square16/j2_0.55/dense",
        done.stdout,
    )


def test_unknown_cell_of_a_ring_offers_the_nearest(tmp_path):
    for cell in ("ring8/rbm9-paper-sweep", "ring9/rbm2-paper-sweep"):
        target = f"results/smoke/vmc/mummaneni2026/{cell}_models.csv"
        done = snakemake(tmp_path, "--cores", "1", "--config", "scale=smoke", "--", target, check=False)
        assert done.returncode != 0
        assert re.search(rf"{cell} is no cell.*did you mean mummaneni2026/ring\d/rbm\d-paper-sweep", done.stdout)


def test_two_runs_of_a_figure_have_the_same_id_and_bytes(smoke, tmp_path):
    table = "results/smoke/analysis/westerhout2020/fig5.csv"
    first = smoke / "results/smoke/figures/westerhout2020/fig5.pdf"
    snakemake(tmp_path, "--cores", "2", "--config", "scale=smoke", "--", "westerhout2020_fig5")
    assert (tmp_path / table).read_bytes() == (smoke / table).read_bytes()
    assert (tmp_path / first.relative_to(smoke)).read_bytes() == first.read_bytes()


def test_every_compute_rule_states_what_it_needs():
    seen = []
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for name, body in re.findall(r"^ *rule ?(\w*):\n(.*?)(?=^ *rule[ :]|\Z)", path.read_text(), re.M | re.S):
            if "localrule: True" in body:
                continue
            for directive in ("output", "params", "log", "benchmark", "threads", "resources", "conda", "shell"):
                assert f"    {directive}:" in body, f"{path.name}: rule {name} has no {directive}"
            depends = any(text in body for text in ("code_hash(", "code_of(", "figure_settings(", "GALLERY.settings("))
            assert depends, f"rule {name} does not depend on its code"
            seen.append(name)
    assert len(seen) == 5  # of stages, of rows, of what a reader sees, of verdicts, and of archived targets


@pytest.mark.parametrize(("shown", "together"), [("0,1", "2"), ("", None)])
def test_as_many_trainings_at_once_as_there_are_gpus(tmp_path, monkeypatch, shown, together):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    target = "results/smoke/hamiltonian/kagome12.h5"
    said = snakemake(tmp_path, "--cores", "1", "--config", "scale=smoke", "device=cuda", "--", target).stdout
    found = re.search(r"^Provided resources:.*\bgpu=\D*(\d+)", said, re.M)
    assert (found and found[1]) == together
