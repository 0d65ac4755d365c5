"""Scale archive: archived tables are drawn, nothing is computed, and what is missing is said."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nqs.runtime.errors import BrokenFileError, ConfigError, InputError
from nqs.runtime.job import Job
from nqs.workflow import gallery
from nqs.workflow.archive import Archive, differences, note, read_record
from nqs.workflow.configuration import load
from nqs.workflow.studies import found_studies
from nqs.workflow.work import Work

ROOT = Path(__file__).parents[2]
JU = found_studies()["ju2025"]


PARTS = ("Snakefile", "config.yaml", "rules", "presets", "profiles", "envs", "reference", "docs/captions")
KEPT = ("table1", "table2", "figX2")  # of one study, in the archive of the copied project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project whose archive holds three targets."""
    copy = tmp_path_factory.mktemp("project")
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
    (copy / "src").symlink_to(ROOT / "src")
    keep(copy, *KEPT)
    return copy


def keep(folder, *names):
    """Copies of archived tables and records of one study below a folder."""
    place = folder / "archive/paper/ju2025"
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        for ending in (".csv", ".json"):
            shutil.copy(ROOT / "archive/paper/ju2025" / f"{name}{ending}", place)


def snakemake(project, folder, *arguments, check=True):
    """Snakemake on the project at scale archive, results in `folder`; what it says."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    place = ["--snakefile", str(project / "Snakefile"), "--directory", str(folder), "--cores", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *place, *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def work():
    return Work(load(ROOT, {"scale": "archive"}))


@pytest.fixture
def archive(tmp_path, work):
    """An archive of two tables of one study."""
    keep(tmp_path, "table1", "figX2")
    return Archive(tmp_path, work)


def test_a_table_is_drawn_without_computing_anything(project, tmp_path):
    output = snakemake(project, tmp_path, "--config", "scale=archive", "--", "ju2025_table1")
    made = tmp_path / "results/archive"
    assert {path.name for path in made.iterdir()} <= {"figures", "tables", "logs", "benchmarks"}
    archived = ROOT / "archive/paper/ju2025/table1.csv"
    pd.testing.assert_frame_equal(pd.read_csv(made / "tables/ju2025/table1.csv"), pd.read_csv(archived))
    record = json.loads((made / "tables/ju2025/table1.json").read_text())
    assert record["archived"]["table"] == "archive/paper/ju2025/table1.csv"
    assert record["archived"]["sha256"] == hashlib.sha256(archived.read_bytes()).hexdigest()
    original = json.loads(archived.with_suffix(".json").read_text())
    assert record["archived"]["record"]["id"] == original["id"] != record["id"]
    assert record["config"] == original["config"]
    assert "westerhout2020_fig2: not archived" in output


def test_a_view_of_the_ledger_is_made_anew_from_the_archived_tables(project, tmp_path):
    snakemake(project, tmp_path, "--config", "scale=archive", "--", "ju2025_tableX1")
    table = pd.read_csv(tmp_path / "results/archive/tables/ju2025/tableX1.csv")
    design = table[table.claim == "table2_condition_number"]
    archived = pd.read_csv(ROOT / "archive/paper/ju2025/table2.csv")
    exact = archived[(archived.source == "exact") & (archived.n_sites == 16) & (archived.term == "intercept")]
    assert design.ours.item() == pytest.approx(exact.condition_number.item(), rel=1e-12)


def test_only_drawing_is_planned(tmp_path):
    output = snakemake(ROOT, tmp_path, "--dry-run", "--config", "scale=archive")
    jobs = re.findall(r"^(\w+) +\d+$", output[output.rindex("Job stats:") :], re.M)
    assert {re.sub("_.*", "", job) for job in jobs} <= {"gallery", "rows", "all", "total", *found_studies()}
    assert all(job.endswith("tableX1") for job in jobs if job.startswith("rows_"))
    assert "gallery_ju2025_fig1" in jobs


def test_a_target_that_is_not_archived_is_refused_with_the_way_to_make_it(project, tmp_path):
    output = snakemake(project, tmp_path, "--config", "scale=archive", "--", "westerhout2020_fig2", check=False)
    assert "westerhout2020_fig2: not archived, there is no archive/paper/westerhout2020/fig2.csv" in output
    assert "./nqs archive westerhout2020_fig2 --config scale=paper" in output
    assert not (tmp_path / "results").exists()


def test_settings_cannot_change_what_is_archived():
    with pytest.raises(ConfigError, match=r"scale=archive .* networks, seed cannot be changed"):
        load(ROOT, {"scale": "archive", "seed": 3, "networks": {}})


def test_the_configuration_is_that_of_paper_scale():
    archived, paper = (load(ROOT, {"scale": scale}).model_dump() for scale in ("archive", "paper"))
    assert archived.pop("scale") == "archive"
    assert paper.pop("scale") == "paper"
    assert archived == paper


def test_what_is_archived_and_what_is_not(archive):
    assert list(archive.batches(JU)) == [("figX2", "table1")]
    assert "fig1" in archive.missing(JU)
    assert [path.name for path in archive.tables(JU)] == ["figX2.csv", "table1.csv"]
    archive.record(JU, "table1").unlink()
    assert "there is no archive/paper/ju2025/table1.json" in archive.why_missing(JU, "table1")


def test_every_archived_target_is_in_one_batch(work):
    archive = Archive(ROOT, work)
    for study in work.studies.values():
        drawn = [name for batch in archive.batches(study) for name in batch]
        assert sorted([*drawn, *archive.missing(study)]) == sorted(archive.shown(study))


def test_small_print_says_where_a_run_falls_short_of_paper_scale(archive):
    assert archive.settings(JU, "table1")["note"] == "archived run at paper scale"
    short = archive.settings(JU, "figX2")
    assert "landscape.starts" in short["reduced"]  # 100 of 400 descents
    assert short["note"].startswith("archived run at paper scale; reduced in ")
    assert note([], "disk full") == "archived run at paper scale; incomplete: disk full"


def test_keys_added_since_are_no_difference():
    ours = {"a": {"n": 4, "old": 1}, "list": [{"x": 1, "y": 2}], "same": [1, 2]}
    theirs = {"a": {"n": 10, "new": 1}, "list": [{"y": 2.0, "x": 1.0, "z": None}], "same": [1, 2]}
    assert list(differences(ours, theirs)) == ["a.n"]
    assert list(differences({"same": [1]}, {"same": [1, 2]})) == ["same"]


def test_one_broken_table_does_not_keep_the_others_back(archive, tmp_path, capsys):
    archive.table(JU, "figX2").write_text("nothing\n")
    names = ("figX2", "table1")
    inputs = {name: [archive.table(JU, name)] for name in names}
    inputs |= {f"{name}.record": [archive.record(JU, name)] for name in names}
    inputs["published"] = [ROOT / "reference/ju2025/published.yaml"]
    kinds = {"figX2": ("pdf", "png", "record"), "table1": ("table", "markdown", "record")}
    outputs = {f"{name}.{kind}": tmp_path / f"{name}.{kind}" for name in names for kind in kinds[name]}
    settings = {name: archive.settings(JU, name) for name in names}
    with pytest.raises(InputError, match="figX2 of ju2025 could not be drawn"):
        gallery.draw("ju2025", Job(settings, inputs, outputs))
    assert "ju2025_figX2: the table lacks columns" in capsys.readouterr().err
    assert json.loads((tmp_path / "table1.record").read_text())["archived"]["as_recorded"]
    assert not (tmp_path / "figX2.pdf").exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_record_is_named(tmp_path, text):
    file = tmp_path / "fig1.json"
    file.write_text(text)
    with pytest.raises(BrokenFileError, match=r"fig1\.json: no.*restore it"):
        read_record(file)
