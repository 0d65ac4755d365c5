"""`./nqs archive` takes finished runs of clean provenance and says what is wrong with any other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nqs.runtime.errors import ConfigError, InputError
from nqs.runtime.provenance import sha256
from nqs.workflow import archiving
from nqs.workflow.archiving import Finished, archive
from nqs.workflow.configuration import given

ROOT = Path(__file__).parents[2]
GEOMETRY, BLOCKS = "westerhout2020_fig1", "ju2025_figS2"  # without cells, and from exact ground states


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished smoke run of two figures, as if of committed code."""
    folder = tmp_path_factory.mktemp("finished")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    options = ["--cores", "2", "--config", "scale=smoke", "--", GEOMETRY, BLOCKS]
    subprocess.run([*command, *options], check=True, capture_output=True, env={**os.environ, "PATH": path})
    for record in folder.glob("results/smoke/figures/*/*.json"):
        change(record, git={"revision": "0" * 40, "dirty": False})
    return folder


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the run that a test may spoil."""
    shutil.copytree(finished / "results", tmp_path / "results")
    return Finished(tmp_path, ROOT, {"scale": "smoke"})


def change(record: Path, **values) -> None:
    times = record.stat()
    record.write_text(json.dumps(json.loads(record.read_text()) | values))
    os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))


def record_of(run, name):
    study, _, target = name.partition("_")
    return run.result("figures", study, f"{target}.json")


def test_a_clean_run_is_copied_with_its_record(run):
    made = archive([GEOMETRY, BLOCKS], run)
    folder = run.here / "archive/smoke/ju2025"
    assert [path.name for path in made] == ["fig1.csv", "fig1.json", "figS2.csv", "figS2.json"]
    assert sha256(folder / "figS2.csv") == sha256(run.result("analysis", "ju2025", "figS2.csv"))
    archived = json.loads((folder / "figS2.json").read_text())
    assert archived == json.loads(record_of(run, BLOCKS).read_text()) | {"reduced": []}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"git": {"dirty": True}}, r"fig1\.json: made with files that differ.*commit, then.*--forcerun"),
        ({"git": {"dirty": None}}, r"fig1\.json: made with files that differ"),
        ({"code": "0" * 16}, r"fig1\.json: made by other code \(0{16}, now [0-9a-f]{16}\); \./nqs run"),
        ({"config": {}}, r"fig1\.json: made with other settings; give the --config"),
        ({"inputs": {"results/fig1.csv": "0"}}, r"fig1\.csv: not the table that fig1\.json"),
    ],
)  # fmt: skip
def test_what_the_record_says_against_it_is_said(run, changes, reason):
    change(record_of(run, GEOMETRY), **changes)
    with pytest.raises(InputError, match=reason):
        archive([BLOCKS, GEOMETRY], run)
    assert not (run.here / "archive").exists()  # nor is the other target


def test_a_missing_file_is_named(run):
    run.result("analysis", "ju2025", "figS2.csv").unlink()
    with pytest.raises(
        InputError, match=r"figS2\.csv is not there; make it with \./nqs run ju2025_figS2 --config scale=smoke"
    ):
        archive([BLOCKS], run)


def test_rows_older_than_their_inputs_are_refused(run):
    table = run.result("analysis", "ju2025", "figS2.csv")
    source = next(run.result("ground_state").glob("*/*.h5"))
    os.utime(source, (table.stat().st_mtime + 5, table.stat().st_mtime + 5))
    with pytest.raises(InputError, match=rf"figS2\.csv is older than .*{source.name}"):
        archive([BLOCKS], run)


def test_cells_older_than_their_inputs_are_refused(run):
    state = next(run.result("ground_state").glob("*/*.h5"))
    matrices = run.result("hamiltonian", f"{state.parent.name}.h5")
    os.utime(state, (matrices.stat().st_mtime - 5, matrices.stat().st_mtime - 5))
    with pytest.raises(InputError, match=rf"{state.name} is older than .*{matrices.name}"):
        archive([BLOCKS], run)


def test_a_reduced_grid_needs_a_reason_that_is_kept(run, finished):
    whole = {"scale": "smoke", "westerhout2020": {"fig1": {"clusters": ["square16"]}}}
    reduced = Finished(run.here, ROOT, whole)
    change(record_of(run, GEOMETRY), config=reduced.used(*named(GEOMETRY)))
    with pytest.raises(InputError, match=r"not of the whole grid of scale smoke \(fig1\.clusters\).*--incomplete"):
        archive([GEOMETRY], reduced)
    archive([GEOMETRY], reduced, incomplete="one cluster is enough")
    archived = json.loads((run.here / "archive/smoke/westerhout2020/fig1.json").read_text())
    assert archived["reduced"] == ["fig1.clusters"]
    assert archived["incomplete"] == "one cluster is enough"


def named(name):
    return archiving.find(name)[:2]


def test_a_view_of_the_ledger_is_no_run_to_archive(run):
    with pytest.raises(InputError, match=r"a view of the ledger, which \./nqs gallery ju2025_tableX1 makes anew"):
        archive(["ju2025_tableX1"], run)


@pytest.mark.parametrize("dirty", [True, None])
def test_rows_that_nothing_shows_need_a_clean_tree(run, monkeypatch, dirty):
    study, name = named("mummaneni2026_importance")
    for file in archiving.sources(study, name, run).values():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("claim\n")
    monkeypatch.setattr(archiving, "git_state", lambda root: {"revision": "a", "dirty": dirty})
    with pytest.raises(InputError, match="archived from a clean tree only"):
        archive(["mummaneni2026_importance"], run)


def test_settings_of_a_call_are_those_of_snakemake(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("seed: 2\nnetworks: {cnn: {max_updates: 5}}\n")
    values = given(["seed=3", "networks={cnn: {kernel: 3}}"], [file])
    assert values == {"seed": 3, "networks": {"cnn": {"max_updates": 5, "kernel": 3}}}
    with pytest.raises(ConfigError, match="--config seed: write it as KEY=VALUE"):
        given(["seed"])
