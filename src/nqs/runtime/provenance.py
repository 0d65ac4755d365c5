"""Where a figure or table comes from: one JSON record beside it, its id inside the files.

The record names no user, machine or absolute path. Its id is a hash of what defines the figure, so
the same inputs give the same id and, with it, the same bytes of PDF and PNG.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nqs.runtime.files import atomic

PACKAGES = (
    "nqs", "numpy", "scipy", "pandas", "torch", "numba", "quspin", "h5py", "pyarrow", "matplotlib",
    "snakemake",
)  # fmt: skip


# Parts of the record that make the id; git revision, wall time and the time of writing do not.
DEFINING = ("figure", "config", "inputs", "code", "python", "packages", "device", "seeds", "archived")


def record(
    figure: str,
    *,
    config: Mapping[str, Any],
    inputs: Iterable[Path],
    root: Path,
    code: str,
    device: str,
    seeds: Sequence[int],
    wall_seconds: float,
    repository: Path | None = None,
    archived: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Provenance of one figure, ready for JSON.

    config: the part of the configuration that the figure depends on; inputs: files it was drawn from, named relative
    to the project's folder `root` (by file name alone if outside it); code: hash of the code, whose git repository is
    `repository` (`root` if not given); device: where the networks were trained, in words; archived: the archived run
    that a figure is drawn from, if it is. Raises OSError if an input cannot be read, TypeError if the configuration
    does not fit JSON.
    """
    content: dict[str, Any] = {
        "figure": figure,
        "config": config,
        "inputs": {_name(path, root): sha256(path) for path in sorted(inputs)},
        "code": code,
        "python": platform.python_version(),
        "packages": package_versions(),
        "device": device,
        "seeds": list(seeds),
        **({"archived": archived} if archived else {}),
    }
    identity = json.dumps([content[key] for key in DEFINING if key in content], sort_keys=True, allow_nan=False)
    return {
        "id": hashlib.sha256(identity.encode()).hexdigest()[:16],
        **content,
        "git": git_state(repository or root),
        "wall_seconds": wall_seconds,
        "written_utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def package_versions() -> dict[str, str]:
    """Versions of those of PACKAGES that are installed; imports none of them."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def git_state(root: Path) -> dict[str, str | bool | None]:
    """Revision and whether files differ from it; both None where `root` is not a repository."""
    top = _git(root, "rev-parse", "--show-toplevel")
    # A folder inside somebody else's repository has no revision of its own.
    if top is None or Path(top).resolve() != root.resolve():
        return {"revision": None, "dirty": None}
    changes = _git(root, "status", "--porcelain")
    return {
        "revision": _git(root, "rev-parse", "HEAD"),
        "dirty": None if changes is None else bool(changes),
    }


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except OSError:  # git is not installed
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _name(path: Path, root: Path) -> str:
    # Links stay as they are: results behind one have the names that they would have without it.
    path, root = path.absolute(), root.absolute()
    if not path.is_relative_to(root):
        path, root = path.resolve(), root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def sha256(path: Path) -> str:
    """Hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n")
