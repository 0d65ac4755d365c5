"""The archive: tables of finished runs at paper scale, which scale `archive` draws without computing anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nqs.runtime.errors import BrokenFileError
from nqs.studies.protocol import Study
from nqs.workflow.code_hash import code_hash
from nqs.workflow.work import Work, as_json

HOME = "archive"
SCALE = "paper"  # whose tables the scale `archive` draws
TOGETHER = 5  # targets drawn by one process: starting one takes about as long as drawing a figure


class Archive:
    """What a project's folder has in its archive of the targets of a configuration at scale `archive`."""

    def __init__(self, root: Path, work: Work) -> None:
        self.root = root
        self.work = work

    def file(self, study: Study, name: str, ending: str) -> Path:
        """A file of the archive, there or not."""
        return self.root / HOME / SCALE / study.name / f"{name}{ending}"

    def table(self, study: Study, name: str) -> Path:
        """The rows of a figure or table."""
        return self.file(study, study.targets[name].shows or name, ".csv")

    def record(self, study: Study, name: str) -> Path:
        """Where the figure or table came from that was made in the archived run."""
        return self.file(study, name, ".json")

    def has(self, study: Study, name: str) -> bool:
        """Whether a figure or table can be drawn."""
        return self.table(study, name).exists() and self.record(study, name).exists()

    def shown(self, study: Study) -> Iterator[str]:
        """Figures and tables that readers see of a study's runs, archived or not; views of its ledger are made anew."""
        return (name for name, target in study.targets.items() if target.kind != "rows" and not target.is_view)

    def batches(self, study: Study) -> Iterator[tuple[str, ...]]:
        """Archived figures and tables of a study, in lots that are drawn together."""
        there = [name for name in self.shown(study) if self.has(study, name)]
        return (tuple(there[first : first + TOGETHER]) for first in range(0, len(there), TOGETHER))

    def missing(self, study: Study) -> list[str]:
        """Figures and tables of a study that cannot be drawn."""
        return [name for name in self.shown(study) if not self.has(study, name)]

    def tables(self, study: Study) -> list[Path]:
        """All archived tables of rows of a study's targets."""
        targets = ((name, target) for name, target in study.targets.items() if not target.is_view)
        names = [table for name, target in targets for table in target.tables(name).values()]
        return [path for name in dict.fromkeys(names) if (path := self.file(study, name, ".csv")).exists()]

    def why_missing(self, study: Study, name: str) -> str:
        """That a target is not archived, and how to make it."""
        lacking = next(path for path in (self.table(study, name), self.record(study, name)) if not path.exists())
        full = f"{study.name}_{name}"
        return (
            f"{full}: not archived, there is no {lacking.relative_to(self.root)}; make it with "
            f"./nqs run {full} --config scale={SCALE} && ./nqs archive {full} --config scale={SCALE}"
        )

    def settings(self, study: Study, name: str) -> dict[str, Any]:
        """What the small print and the provenance of an archived target say besides its record."""
        record = read_record(self.record(study, name))
        paper = json.loads(as_json(study.shown(name).used(self.work.config.of(study))))
        changed = sorted(differences(record.get("config", {}), paper))
        target = study.targets[name]
        showing = {target.draw or target.layout, f"nqs.workflow.show:{target.kind}", *filter(None, [study.read])}
        return {
            "note": note(changed, record.get("incomplete", "")),
            "code": code_hash(*showing),
            "table": self.table(study, name).relative_to(self.root).as_posix(),
            "reduced": changed,
        }


def note(changed: list[str], incomplete: str) -> str:
    """How the small print begins: what was run, and where it falls short of paper scale."""
    parts = ["archived run at paper scale"]
    parts += [f"reduced in {', '.join(changed)}"] if changed else []
    parts += [f"incomplete: {incomplete}"] if incomplete else []
    return "; ".join(parts)


def differences(ours: Any, theirs: Any, key: str = "") -> Iterator[str]:
    """Keys, a.b.c, whose values differ in two parts of a configuration; a key that only one has was added since."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in ours.keys() & theirs.keys():
            yield from differences(ours[name], theirs[name], f"{key}.{name}" if key else name)
    elif not same(ours, theirs):
        yield key


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values agree as far as both say something; lists agree entry by entry."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(same(ours[name], theirs[name]) for name in ours.keys() & theirs.keys())
    return bool(ours == theirs)


@cache
def read_record(path: Path) -> dict[str, Any]:
    """A record of provenance; BrokenFileError that names the file."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BrokenFileError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise BrokenFileError(f"{path}: not JSON ({error}); restore it, e.g. with git checkout") from None
    if not isinstance(record, dict) or not {"id", "config", "inputs"} <= record.keys():
        raise BrokenFileError(f"{path}: no record of provenance; restore it, e.g. with git checkout")
    return record
