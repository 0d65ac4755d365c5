"""Update requirements.lock and what is made from it: envs/*.yaml, requirements-bench.lock, docs/licences.md.

./nqs lock                   the newest versions of everything but PyTorch
./nqs lock numpy torch       the newest versions of these; everything else stays if it can
./nqs lock --licences        docs/licences.md alone
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import make_envs

ROOT = Path(__file__).resolve().parent.parent
LOCK, BENCH = ROOT / "requirements.lock", ROOT / "requirements-bench.lock"
KEPT = ("torch",)  # updated by name only: numbers of trainings and archived times hang on it
ONE_BUILD = re.compile(r"(nvidia|cuda|triton)\b")  # what only builds of PyTorch for CUDA ask for
LONG = 60  # letters: a licence field that holds the whole text


@dataclass(frozen=True)
class Package:
    """A distribution as pip would install it."""

    name: str
    version: str
    licence: str


def normal(name: str) -> str:
    """A package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted() -> list[str]:
    """What pyproject.toml asks for: of the project itself, of its tests and on Slurm."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["test"], *extras["slurm"]]


def licence_of(metadata: Mapping[str, Any]) -> str:
    """The licence that a package states: its expression, its classifiers, or a short word of its own."""
    if expression := metadata.get("license_expression") or installed_expression(str(metadata["name"])):
        return str(expression)
    classifiers = [str(text) for text in metadata.get("classifier") or () if str(text).startswith("License ::")]
    names = [text.rsplit(" :: ", 1)[1] for text in classifiers if not text.endswith("OSI Approved")]
    own = str(metadata.get("license") or "").strip()
    short = own if own and len(own) <= LONG and "\n" not in own else ""
    return "; ".join(names) or short or "see the package"


def installed_expression(name: str) -> str | None:
    """The licence expression of the installed package; older versions of pip leave it out of their reports."""
    try:
        return distribution(name).metadata["License-Expression"]
    except PackageNotFoundError:
        return None


def resolve(requirements: Sequence[str], pins: Mapping[str, str]) -> list[Package]:
    """What pip would install into an empty environment, with some versions fixed; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        constraints, report = Path(folder, "constraints.txt"), Path(folder, "report.json")
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
        call = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        call += ["--report", str(report), "-c", str(constraints), *requirements]
        print("lock: asking pip for versions, about a minute", file=sys.stderr, flush=True)
        done = subprocess.run(call, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{done.stderr.strip()}\nlock: pip finds no versions that fit together; the lock is unchanged")
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = [item["metadata"] for item in items]
    return [
        Package(data["name"], data["version"].split("+")[0], licence_of(data))
        for data in sorted(found, key=lambda data: data["name"].lower())
        if not ONE_BUILD.match(normal(data["name"]))
    ]


def update(names: Sequence[str]) -> None:
    """Write the lock anew, with the newest versions of the named packages or of all, and what is made from it."""
    old = make_envs.read_lock()
    known = {normal(name): name for name in old}
    if unknown := sorted(name for name in names if normal(name) not in known):
        sys.exit(f"lock: {', '.join(unknown)}: not in requirements.lock; a new package enters by pyproject.toml")
    free = {normal(name) for name in names} or known.keys() - set(KEPT)
    packages = resolve(wanted(), {name: version for name, version in old.items() if normal(name) not in free})
    new = {package.name: package.version for package in packages}
    LOCK.write_text("".join(f"{name}=={version}\n" for name, version in new.items()), encoding="utf-8")
    make_envs.main()
    align_benchmarks(new)
    write_licences(packages)
    for line in changes(old, new) or ["everything is at its newest version"]:
        print(line)
    print("run ./nqs setup, then ./nqs test, before you commit")


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """One line per package that came, went or changed its version."""
    before, after = ({normal(name): version for name, version in lock.items()} for lock in (old, new))
    return [
        f"{name}: {before.get(name, 'new')} -> {after.get(name, 'gone')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def align_benchmarks(new: Mapping[str, str]) -> None:
    """Give the lock of the benchmarks the same version of every package that both hold."""
    versions = {normal(name): version for name, version in new.items()}
    pins = (line.split("==") for line in BENCH.read_text(encoding="utf-8").split())
    text = "".join(f"{name}=={versions.get(normal(name), version)}\n" for name, version in pins)
    BENCH.write_text(text, encoding="utf-8")


def write_licences(packages: Iterable[Package]) -> None:
    """Write docs/licences.md."""
    rows = "".join(f"| {package.name} | {package.version} | {package.licence} |\n" for package in packages)
    (ROOT / "docs/licences.md").write_text(LICENCES + rows, encoding="utf-8")


LICENCES = """\
# Licences

The project itself is under BSD-3-Clause (`LICENSE`). Nothing of the packages below is part of it; `./nqs setup`
installs them, in these versions. The licences are those that the packages state. Made by `./nqs lock`.

| package | version | licence |
|---|---|---|
"""


def main(arguments: Sequence[str]) -> None:
    if "--help" in arguments or "-h" in arguments:
        print(__doc__.strip())
    elif list(arguments) == ["--licences"]:
        write_licences(resolve(wanted(), make_envs.read_lock()))
    elif options := [word for word in arguments if word.startswith("-")]:
        sys.exit(f"lock: unknown option {options[0]}; there is --licences")
    else:
        update(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
