"""What README.md and docs/ say can be done: their commands name what exists, their examples run."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from snakemake.cli import parse_args
from typer.main import get_command

from nqs.workflow.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "README.md",
    *(f"docs/{name}" for name in ("architecture.md", "cluster.md", "conventions.md", "extending.md", "index.md")),
]
BLOCK = re.compile(r"(?:<!-- (?P<edit>[^\n]+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
EDIT = re.compile(r'(?P<verb>add to|edit) (?P<path>\S+)(?: above "(?P<anchor>.+)")?')


def blocks(page: str) -> list[dict[str, str]]:
    """Fenced blocks of a page, each with the comment above it, if any."""
    return [match.groupdict(default="") for match in BLOCK.finditer((ROOT / page).read_text())]


def command_lines(text: str) -> list[str]:
    """Commands of a block of shell lines, without comments."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line.startswith(("./nqs", "snakemake"))]


def commands(page: str) -> list[str]:
    """Every command in the blocks and in the text of a page; README opens with an indented block."""
    text = (ROOT / page).read_text()
    fenced = [line for block in blocks(page) for line in command_lines(block["text"])]
    indented = command_lines("\n".join(re.findall(r"^    (\S.*)$", text, re.M)))
    prose = BLOCK.sub("", text).replace("\n", " ")
    return list(dict.fromkeys([*fenced, *indented, *command_lines("\n".join(re.findall(r"`([^`]+)`", prose)))]))


def apply(folder: Path, edit: str, text: str) -> None:
    """Make one edit of a page: a new file, text at the end of a file or above a line, or a diff."""
    match = EDIT.fullmatch(edit)
    assert match, edit
    path, anchor = folder / match["path"], match["anchor"]
    space = "\n\n" if path.suffix in (".py", ".smk") else ""
    if match["verb"] == "edit":
        lines = text.splitlines()
        replace(path, *("\n".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +")))
    elif anchor:
        replace(path, "\n" + anchor, f"\n{text}{space}{anchor}")
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() + space if path.exists() else "") + text)


def replace(path: Path, old: str, new: str) -> None:
    """Replace the one place where `old` stands."""
    content = path.read_text()
    assert content.count(old) == 1, f"{path.name} has {content.count(old)} places with: {old}"
    path.write_text(content.replace(old, new))


def snakemake(folder: Path, *arguments: str) -> None:
    """Run Snakemake in a copy of the project with this Python's programs first on PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--quiet", "progress", "rules", "host", *arguments],
        cwd=folder, env={**own, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def copy_project(folder: Path) -> Path:
    """The project without its environment and results, but with its compiled kernels, which take long to make."""
    ignore = shutil.ignore_patterns(".*", "results", "*.egg-info", "*.pyc*", "*.tmp.*", "tests")
    return Path(shutil.copytree(ROOT, folder / "project", ignore=ignore))


@pytest.fixture(scope="module")
def launcher() -> ModuleType:
    spec = importlib.util.spec_from_loader("launcher", SourceFileLoader("launcher", str(ROOT / "nqs")))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_extending_runs_from_top_to_bottom(tmp_path):
    project = copy_project(tmp_path)
    drawn = project / "results/tutorial/figures/westerhout2020"
    for block in blocks("docs/extending.md"):
        if block["edit"]:
            apply(project, block["edit"], block["text"])
        elif block["language"] == "sh":
            for line in command_lines(block["text"]):
                snakemake(project, "--cores", "2", *shlex.split(line)[2:])
        else:
            assert block["language"] == "python"
            check_printed(project, block["text"])
    table = pd.read_csv(project / "results/tutorial/overlaps/westerhout2020/square20/j2_0.5/jastrow-sign-sampled.csv")
    assert set(table.network) == {"jastrow"}
    assert table.overlap_full.between(-1, 1).all()
    assert sorted(path.name for path in drawn.iterdir()) == [f"sample_weight.{kind}" for kind in ("json", "pdf", "png")]
    gaps = pd.read_csv(project / "results/tutorial/analysis/gaps2026/fig1.csv")
    assert list(gaps.n_sites) == [8, 10, 12]
    assert (project / "results/tutorial/figures/gaps2026/fig1.pdf").stat().st_size > 0
    ruff = [sys.executable, "-m", "ruff"]
    for check in (["check"], ["format", "--check"]):
        assert subprocess.run([*ruff, *check, "src"], cwd=project, check=False).returncode == 0


def check_printed(project: Path, code: str) -> None:
    """Run an example with the project's code; it must print what its last line, a comment, says."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == code.strip().splitlines()[-1].removeprefix("# "), done.stderr[-3000:]


SECTION = re.compile(r"^## (?P<title>.+?) \((?P<places>[^)]+)\)$(?P<text>.*?)(?=^## |\Z)", re.M | re.S)


def places(text: str) -> set[str]:
    """Places of the code that the edits of a section touch: files, a new folder of a study counting once."""
    edits = [EDIT.fullmatch(match["edit"] or "") for match in BLOCK.finditer(text)]
    paths = [Path(edit["path"]) for edit in edits if edit]
    return {
        str(path.parent if (ROOT / path.parent).is_dir() is False else path)
        for path in paths
        if path.parts[0] not in ("presets", "config.yaml")
    }


def test_extending_takes_as_many_places_as_its_headings_say():
    sections = list(SECTION.finditer((ROOT / "docs/extending.md").read_text()))
    assert len(sections) == 8
    for section in sections:
        count = len(places(section["text"]))
        assert section["places"].startswith(str(count)), section["title"]


def test_edits_of_a_page_must_fit(tmp_path):
    (tmp_path / "a.py").write_text("ONE = 1\nTWO = 2\n")
    apply(tmp_path, "edit a.py", " ONE = 1\n-TWO = 2\n+TWO = 3\n")
    apply(tmp_path, 'add to a.py above "TWO"', "HALF = 1.5\n")
    assert (tmp_path / "a.py").read_text() == "ONE = 1\nHALF = 1.5\n\n\nTWO = 3\n"
    with pytest.raises(AssertionError, match="0 places with: TWO = 2"):
        apply(tmp_path, "edit a.py", "-TWO = 2\n+TWO = 3\n")


def test_readme_opens_with_the_two_commands():
    first = [line for line in (ROOT / "README.md").read_text().splitlines() if line][:3]
    assert [line.split("#")[0].strip() for line in first[1:]] == ["./nqs run", "./nqs test"]


@pytest.mark.parametrize("page", PAGES)
def test_launcher_commands_exist(page, launcher):
    subcommands = set(get_command(app).commands)  # type: ignore[attr-defined]
    for line in commands(page):
        words = shlex.split(line)
        if words[0] != "./nqs" or words[1:] in ([], ["--help"]):
            continue
        command, *rest = words[1 + (words[1] == "--cpu") :]
        assert command in launcher.COMMANDS, line
        if rest[:3] == ["python", "-m", "nqs"]:
            assert rest[3] in subcommands, line
        if command == "test":
            assert all((ROOT / word).is_file() or word in launcher.LANES for word in rest), line


@pytest.fixture(scope="module")
def dry_runs(tmp_path_factory) -> dict[str, set[str]]:
    """Targets of all `run`, `plan` and `snakemake` lines by the configuration they are used with."""
    folder = tmp_path_factory.mktemp("files")
    for block in blocks("README.md"):
        if block["edit"]:
            apply(folder, block["edit"], block["text"])
    groups: dict[str, set[str]] = {}
    for page in PAGES:
        for line in commands(page):
            words = shlex.split(line)
            workflow = words[0] == "snakemake" or words[1:2] in (["run"], ["plan"])
            if not workflow or "scale=tutorial" in words:
                continue
            if "--profile" in words:  # how the same jobs run; the executor of a cluster need not be installed
                del words[(place := words.index("--profile")) : place + 2]
            _, parsed = parse_args(["--cores", "1", *words[1 if words[0] == "snakemake" else 2 :]])
            files = [str(folder / path) for path in parsed.configfile or ()]
            values = [value for value in parsed.config or () if not value.startswith("device=")]  # the same jobs
            key = shlex.join([*(["--configfile", *files] if files else []), "--config", *(values or ["seed=0"])])
            groups.setdefault(key, set()).update(parsed.targets or ["all"])
    return groups


def test_run_commands_name_targets_that_exist(dry_runs):
    assert len(dry_runs) >= 3
    for options, targets in dry_runs.items():
        snakemake(ROOT, "--dry-run", "--cores", "1", *sorted(targets), *shlex.split(options))


LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
NAMED = re.compile(r"`((?:src|docs|rules|presets|tests|reference|tools|profiles|envs)/[\w./]+)`")


def test_the_readme_has_links_names_of_files_and_commands():
    """So that what checks them has something to check."""
    text = (ROOT / "README.md").read_text()
    assert min(len(LINK.findall(text)), len(list(commands("README.md")))) >= 5
    assert sum(len(NAMED.findall((ROOT / page).read_text())) for page in PAGES) >= 10


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_links_lead_somewhere(page):
    for target in LINK.findall((ROOT / page).read_text()):
        assert target.startswith("http") or (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_files_named_in_the_text_exist(page):
    edits = [EDIT.fullmatch(block["edit"]) for block in blocks("docs/extending.md")]
    made_by_examples = {edit["path"] for edit in edits if edit}
    prose = BLOCK.sub("", (ROOT / page).read_text())
    for name in NAMED.findall(prose):
        assert (ROOT / name).exists() or name in made_by_examples, name
