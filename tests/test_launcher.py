"""The launcher, on a project of one small package: real venv, real pip, no network."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
from support.interrupts import heed_signals

LAUNCHER = Path(__file__).resolve().parents[1] / "nqs"

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "toy"
version = "0.1.0"
dependencies = []
"""
# An editable wheel by hand, so that pip needs nothing from an index.
BACKEND = """\
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "toy-0.1.0-py3-none-any.whl"
    info = "toy-0.1.0.dist-info/"
    dependencies = [line for line in open("dependencies.txt")]
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("toy.py", "answer = 42\\n")
        requires = "".join("Requires-Dist: " + line for line in dependencies)
        head = "Metadata-Version: 2.1\\nName: toy\\nVersion: 0.1.0\\nProvides-Extra: test\\n"
        wheel.writestr(info + "METADATA", head + requires)
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: toy\\n"
                       "Root-Is-Purelib: true\\nTag: py3-none-any\\n")
        files = ["toy.py", info + "METADATA", info + "WHEEL", info + "RECORD"]
        wheel.writestr(info + "RECORD", "".join(file + ",,\\n" for file in files))
    return name
"""


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with pip cut off from every index."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    return {**own, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **changes}


def nqs(project: Path, *arguments: str, cwd: Path | None = None, **changes: str):
    """Run the project's launcher; returns the finished process."""
    return subprocess.run(
        [sys.executable, project / "nqs", *arguments],
        cwd=cwd or project,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=120,
    )


def start(command: list[str | Path]) -> subprocess.Popen[str]:
    """Start a command in a process group of its own, which a signal can be sent to, and which heeds interrupts."""
    return subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_signals,
    )


def write_project(folder: Path) -> Path:
    folder.mkdir()
    shutil.copy(LAUNCHER, folder / "nqs")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "dependencies.txt").touch()
    (folder / "requirements.lock").write_text("torch==2.13.0\n")
    return folder


def assert_works(project: Path) -> None:
    done = nqs(project, "exec", "python", "-c", "import toy; print(toy.answer)")
    assert done.stdout == "42\n", done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose first installation was killed half-way and then taken up again."""
    folder = write_project(tmp_path_factory.mktemp("launcher") / "project")
    command: list[str | Path] = [sys.executable, folder / "nqs", "setup"]
    first = start(command)
    marker = folder / ".venv/.nqs-installing"
    while not marker.exists():
        assert first.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert marker.exists()
    done = nqs(folder, "setup")
    assert done.returncode == 0, done.stderr
    assert "incomplete or broken; making it anew" in done.stderr
    return folder


@pytest.fixture(scope="module")
def launcher() -> ModuleType:
    loader = SourceFileLoader("launcher", str(LAUNCHER))
    spec = importlib.util.spec_from_loader("launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, sys, "dont_write_bytecode", sys.dont_write_bytecode)
        sys.dont_write_bytecode = True
        loader.exec_module(module)
    return module


def test_python_3_6_can_read_the_launcher():
    ast.parse(LAUNCHER.read_text(), feature_version=(3, 6))


def test_old_python_is_told_what_is_needed(launcher, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit) as stop:
        launcher.check_python((3, 9, 1))
    assert stop.value.code == 1
    assert "Python 3.11 or newer is needed, this is Python 3.9.1" in capsys.readouterr().err


def test_old_python_hands_over_to_a_newer_one(tmp_path):
    newer = tmp_path / "python3.12"
    newer.write_text('#!/bin/sh\necho "newer $@"\n')
    newer.chmod(0o755)
    source = f"sys.argv[1:] = ['plan']; name = {str(LAUNCHER)!r}; module = {{'__file__': name}};"
    source += "exec(open(name).read(), module); module['check_python']((3, 9, 1))"
    command = [sys.executable, "-c", "import sys; " + source]
    path = f"{tmp_path}{os.pathsep}/bin"
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == f"newer {LAUNCHER} plan"


def test_missing_venv_module_is_named(launcher, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        launcher.create_venv()
    assert "apt install python3-venv" in capsys.readouterr().err


def test_without_a_home_caches_lie_beside_the_run(launcher, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    assert launcher.place_for_caches() == {}
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert launcher.place_for_caches() == {"XDG_CACHE_HOME": str(tmp_path / ".snakemake" / "cache")}
    assert (tmp_path / ".snakemake" / "cache").is_dir()


def test_help_and_misspelt_command_install_nothing(tmp_path):
    folder = write_project(tmp_path / "project")
    assert "usage: ./nqs" in nqs(folder).stdout
    done = nqs(folder, "tset")
    assert (done.returncode, "did you mean ./nqs test?" in done.stderr) == (2, True)
    assert "did you mean ./nqs run fig2?" in nqs(folder, "fig2").stderr
    assert not (folder / ".venv").exists()


def test_a_lane_of_tests_exists_and_is_left_out_of_the_others(launcher):
    (folder,) = [word for word in launcher.LANES["--cluster"] if "/" in word]
    marked = [path for path in (LAUNCHER.parent / folder).glob("test_*.py") if "mark.cluster" in path.read_text()]
    assert marked
    assert "not cluster" in (LAUNCHER.parent / "pyproject.toml").read_text()
    assert "not cluster" in (LAUNCHER.parent / "tools/check.py").read_text()


def test_second_call_installs_nothing(project, tmp_path):
    """It asks pip for nothing, and leaves every file of the environment as it is."""
    stamps = {path: path.stat().st_mtime_ns for path in (project / ".venv").rglob("*") if path.suffix != ".pyc"}
    done = nqs(project, "setup", PIP_LOG=str(tmp_path / "pip.log"))
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "pip.log").exists()
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_exec_passes_the_exit_code(project):
    assert nqs(project, "exec", "python", "-c", "import sys; sys.exit(7)").returncode == 7
    missing = nqs(project, "exec", "no-such-command")
    assert missing.returncode == 127
    assert "no command 'no-such-command'" in missing.stderr


def test_environment_is_first_on_path(project):
    code = "import os, shutil; print(shutil.which('python')); print(os.environ['VIRTUAL_ENV'])"
    done = nqs(project, "exec", "python", "-c", code)
    assert done.stdout.split() == [str(project / ".venv/bin/python"), str(project / ".venv")]


def test_changed_lock_is_installed_in_place(project):
    marker = project / ".venv/kept"
    marker.touch()
    (project / "requirements.lock").write_text("torch==2.13.0\nsix==1.17.0\n")
    done = nqs(project, "setup")
    assert "installed in" in done.stderr
    assert marker.exists()
    assert_works(project)


def test_two_calls_mend_a_broken_environment_together(project):
    (project / ".venv/bin/python").unlink()
    (project / ".venv/bin/python").symlink_to("/nowhere/python3")
    command: list[str | Path] = [sys.executable, project / "nqs", "exec", "python", "-c"]
    command.append("import toy; print('ok')")
    calls = [start(command) for _ in range(2)]
    outputs = [call.communicate(timeout=120) for call in calls]
    assert [out for out, _ in outputs] == ["ok\n", "ok\n"]
    messages = "".join(err for _, err in outputs)
    assert messages.count("making it anew") == 1
    assert "another ./nqs is installing; waiting for it" in messages


@pytest.fixture
def unreachable_dependency(project: Path) -> Iterator[dict[str, str]]:
    """The project asks for a package from an index that does not answer."""
    (project / "dependencies.txt").write_text("six\n")
    (project / "pyproject.toml").write_text(PROJECT.replace("dependencies = []", 'dependencies = ["six"]'))
    yield {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    (project / "dependencies.txt").write_text("")
    (project / "pyproject.toml").write_text(PROJECT)


def test_no_network_is_said_and_costs_nothing(project, unreachable_dependency):
    done = nqs(project, "setup", **unreachable_dependency)
    assert done.returncode == 1
    assert "no network?" in done.stderr
    assert str(project / ".nqs-install.log") in done.stderr
    assert "     | ERROR:" in done.stderr  # the end of pip's log
    assert "Traceback" not in done.stderr
    (project / "pyproject.toml").write_text(PROJECT)
    assert_works(project)  # what was installed still is


@pytest.mark.skipif(sys.platform == "darwin", reason="the default build is the CPU build")
def test_cpu_build_needs_an_index_that_has_it(project):
    done = nqs(project, "--cpu", "setup")
    assert done.returncode == 1
    assert "Set NQS_TORCH_INDEX" in done.stderr
    assert "torch==2.13.0+cpu" in done.stderr


def test_unwritable_folder_is_said(tmp_path):
    folder = write_project(tmp_path / "project")
    (folder / ".nqs-busy").mkdir()  # even root cannot write a file here
    done = nqs(folder, "setup")
    assert done.returncode == 1
    assert f"cannot install into {folder}" in done.stderr
    assert "Traceback" not in done.stderr


def write_snakemake(project: Path, body: str) -> None:
    path = project / ".venv/bin/snakemake"
    path.write_text(f"#!{project}/.venv/bin/python\nimport sys, time\n{body}")
    path.chmod(0o755)


def test_run_from_another_folder(project, tmp_path):
    (tmp_path / "mine.yaml").touch()
    write_snakemake(project, "import os; print(os.getcwd(), *sys.argv[1:])\n")
    arguments = ["fig2", "--configfile", "mine.yaml", "--config", "scale=smoke"]
    done = nqs(project, "run", *arguments, cwd=tmp_path)
    mine = tmp_path / "mine.yaml"
    expected = f"{project} --logger=nqs --cores all fig2 --configfile {mine} --config scale=smoke\n"
    assert done.stdout == expected
    assert f"working in {project}" in done.stderr


@pytest.mark.parametrize("option", ["-c2", "--cores=2", "-j 4", "--jobs 4", "-e slurm", "--profile x", "-call"])
def test_run_leaves_the_users_cores_alone(project, option):
    write_snakemake(project, "print(*sys.argv[1:])\n")
    assert nqs(project, "run", *option.split()).stdout == f"--logger=nqs {option}\n"


@pytest.mark.parametrize("option", ["-n", "--dry-run", "--quiet", "--verbose", "--report", "--unlock", "--logger=x"])
def test_what_snakemake_prints_by_itself_is_left_to_it(launcher, option):
    assert launcher.view_of(["fig2", option]) == ([], ["fig2", option])


def test_v_gives_snakemakes_own_output(launcher):
    assert launcher.view_of(["fig2", "-v", "--config", "a=1"]) == ([], ["fig2", "--config", "a=1"])
    assert launcher.view_of(["fig2", "--keep-going"]) == (["--logger=nqs"], ["fig2", "--keep-going"])


def test_interrupted_run_says_that_work_is_kept(project):
    write_snakemake(project, "print('up', flush=True)\ntime.sleep(60)\n")
    command: list[str | Path] = [sys.executable, project / "nqs", "run"]
    call = start(command)
    assert call.stdout is not None
    assert call.stdout.readline() == "up\n"
    os.killpg(call.pid, signal.SIGINT)  # as a terminal does
    _, message = call.communicate(timeout=20)
    assert call.returncode == 130
    assert "finished files are kept" in message


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["fig2", "--config", "scale=paper"], ["fig2", "--config", "scale=paper"]),
        (["--config", "scale=paper", "fig2"], ["fig2", "--config", "scale=paper"]),
        (
            ["-n", "--config", "a=1", "fig2", "b=2", "--quiet", "all"],
            ["fig2", "-n", "--config", "a=1", "b=2", "--quiet", "all"],
        ),
        (["-C", "networks={d: {x: 1}}"], ["-C", "networks={d: {x: 1}}"]),
    ],
)
def test_targets_after_config_stay_targets(launcher: ModuleType, given: list[str], passed: list[str]) -> None:
    assert launcher.targets_first(given) == passed


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([], ["--config", "scale=archive"]),
        (["fig2", "-n"], ["fig2", "-n", "--config", "scale=archive"]),
        (["fig2", "--config", "seed=1", "-n"], ["fig2", "-n", "--config", "seed=1", "scale=archive"]),
    ],
)
def test_the_gallery_is_a_run_at_archive_scale(launcher: ModuleType, given: list[str], passed: list[str]) -> None:
    assert launcher.at_archive_scale(given) == passed


def test_lock_of_a_killed_run_is_released(
    launcher: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real Snakemake holds a lock; while it lives it keeps it, once killed it does not."""
    (tmp_path / "Snakefile").write_text("rule all:\n    output: 'done'\n    shell: 'sleep 30'\n")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launcher, "RUNNING", tmp_path / ".nqs-running")
    run = subprocess.Popen(
        ["snakemake", "--cores", "1"], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    launcher.RUNNING.write_text(f"{platform.node()} {run.pid}")
    locks = tmp_path / ".snakemake" / "locks"
    deadline = time.monotonic() + 30
    while not any(locks.glob("*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    launcher.release_stale_lock()
    assert any(locks.glob("*"))
    os.killpg(run.pid, signal.SIGKILL)
    os.waitid(os.P_PID, run.pid, os.WEXITED | os.WNOWAIT)  # dead, but still a zombie
    launcher.RUNNING.write_text(f"elsewhere {run.pid}")
    launcher.release_stale_lock()
    assert any(locks.glob("*"))
    launcher.RUNNING.write_text(f"{platform.node()} {run.pid}")
    launcher.release_stale_lock()
    assert not any(locks.glob("*"))
    assert not launcher.RUNNING.exists()
    run.wait()
