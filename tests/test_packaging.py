"""The lock, the project file, the conda environments and the citation agree with each other."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import nqs
from nqs.workflow import code_hash
from nqs.workflow.stages import STAGES
from nqs.workflow.studies import found_studies

ROOT = Path(__file__).resolve().parents[1]


def load_make_envs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_envs", ROOT / "tools/make_envs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_envs = load_make_envs()


def normal(name: str) -> str:
    """A package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    return {normal(name): version for name, version in make_envs.read_lock().items()}


def names(requirements: list[str]) -> list[str]:
    return [normal(re.split(r"[<>=!~\[; ]", text)[0]) for text in requirements]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-bench.lock"])
def test_lock_holds_plain_public_pins(lock):
    for line in (ROOT / lock).read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line), line


def test_everything_the_project_asks_for_is_pinned(project, pins):
    extras = project["optional-dependencies"]
    assert set(names(project["dependencies"] + extras["test"] + extras["slurm"])) <= set(pins)


def test_benchmark_lock_holds_its_extra_and_agrees_with_the_main_lock(project, pins):
    lines = (ROOT / "requirements-bench.lock").read_text().split()
    bench = {normal(name): version for name, version in (line.split("==") for line in lines)}
    shared = bench.keys() & pins
    assert set(names(project["optional-dependencies"]["bench"])) <= set(bench)
    assert {"numpy", "scipy", "numba"} <= shared
    assert {name: bench[name] for name in shared} == {name: pins[name] for name in shared}
    assert "torch" not in bench


def test_installed_versions_are_those_of_the_lock(pins):
    installed = {normal(item.metadata["Name"]): item.version for item in distributions()}
    installed = {name: version.split("+")[0] for name, version in installed.items()}
    differ = {
        name: (installed[name], version)
        for name, version in pins.items()
        if name in installed and installed[name] != version
    }
    assert not differ


@pytest.mark.parametrize("name", make_envs.ENVIRONMENTS)
def test_conda_environment_agrees_with_lock(name, project, pins):
    text = (ROOT / f"envs/{name}.yaml").read_text()
    assert text == make_envs.environment(make_envs.ENVIRONMENTS[name]), "run tools/make_envs.py"
    *_, pip_section = yaml.safe_load(text)["dependencies"]
    listed = dict(pin.split("==") for pin in pip_section["pip"])
    assert {normal(key) for key in listed} <= set(names(project["dependencies"]))
    assert all(pins[normal(key)] == version for key, version in listed.items())


def test_no_environment_file_without_an_entry():
    assert {path.stem for path in (ROOT / "envs").iterdir()} == set(make_envs.ENVIRONMENTS)


def test_one_version_everywhere(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert project["version"] == nqs.__version__ == citation["version"]


def test_every_locked_package_stands_with_its_version_and_licence(pins):
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", (ROOT / "docs/licences.md").read_text(), re.MULTILINE)
    listed = {normal(name): version for name, version, _ in rows if name != "package"}
    assert listed == pins, "run ./nqs lock --licences"


def test_public_checks_run_the_lanes_there_are_on_pythons_that_are_allowed(project):
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())["jobs"]
    pythons = jobs["checks"]["strategy"]["matrix"]["python"]
    assert min(map(float, pythons)) == float(project["requires-python"].removeprefix(">="))
    lanes = jobs["nightly"]["strategy"]["matrix"]["lane"]
    marks = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
    launcher = (ROOT / "nqs").read_text()
    for lane in lanes:
        words = lane.split()
        assert words[1] in {mark.split(":")[0] for mark in marks} if words[0] == "-m" else f'"{lane}": [' in launcher
    commands = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    called = {word for text in commands for word in re.findall(r"\./nqs (?:\$\S+ )?(\w+)", text)}
    assert called == {"setup", "test", "exec"}


def test_the_image_is_installed_by_the_launcher_and_leaves_local_files_out():
    lines = (ROOT / "Containerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith(("FROM", "ENTRYPOINT"))] == [
        "FROM python:3.11-slim", 'ENTRYPOINT ["./nqs"]',
    ]  # fmt: skip
    left_out = (ROOT / ".containerignore").read_text().split()
    assert {".venv", ".snakemake", "results/*"} <= set(left_out)


def test_the_catalogue_promises_what_the_rules_have():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"] == any("conda:" in rule for rule in rules())
    assert usage["report"] == any("report(" in rule for rule in rules())


def rules() -> list[str]:
    return [path.read_text() for path in (ROOT / "rules").glob("*.smk")]


def test_four_sources_are_cited():
    references = yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]
    first_authors = {source["authors"][0]["family-names"] for source in references}
    assert first_authors == {"Westerhout", "Ju", "Mummaneni", "Kufel"}


@pytest.mark.parametrize("script", ["nqs", ".ci/run"])
def test_script_is_executable(script):
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("results/laptop/logs/a.log", True),
        (".venv/bin/python", True),
        (".venv-bench/bin/python", True),
        (".nqs-install.log", True),
        ("results/README.md", False),
        ("benchmarks/training.py", False),
        ("src/nqs/results/a.py", False),
        ("requirements.lock", False),
        ("requirements-bench.lock", False),
    ],
)
def test_git_ignores_output_only(tmp_path, path, ignored):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    code = subprocess.run(["git", "check-ignore", "-q", path], cwd=tmp_path).returncode
    assert (code == 0) == ignored


def imported_packages(entries: list[str]) -> set[str]:
    """Packages from outside that the modules import that hold what entries reach."""
    found = set()
    for path in code_hash.files_of(*entries):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    found = {{"yaml": "pyyaml"}.get(name, name) for name in found - {"nqs"}}
    return found - set(sys.stdlib_module_names)


def entries() -> list[tuple[str, list[str], str]]:
    """Name, entries and conda environment of every stage, of rows and drawing of every target, and of the claims."""
    stages = [(stage.name, [stage.entry], stage.environment) for stage in STAGES.values()]
    targets = [
        (f"{study}_{name}", [entry for entry in (target.rows, target.draw, target.layout) if entry], "plot")
        for study, one in found_studies().items()
        for name, target in one.targets.items()
    ]
    judging = "nqs.workflow.claims:build"
    claims = [
        (f"{name}_claims", [one.claims, judging], "claims") for name, one in found_studies().items() if one.claims
    ]
    return stages + targets + claims


def test_some_stage_uses_each_environment():
    assert {environment for _, _, environment in entries()} == set(make_envs.ENVIRONMENTS)


WITH_TORCH = {"triton"}  # part of the CUDA builds of PyTorch, and used only where it is there


@pytest.mark.parametrize(("name", "reached", "environment"), entries(), ids=lambda value: str(value)[:40])
def test_environment_of_a_rule_holds_what_its_code_imports(name, reached, environment):
    needed = imported_packages(reached) - WITH_TORCH
    held = {normal(name) for name in make_envs.ENVIRONMENTS[environment]}
    assert needed
    assert needed <= held
