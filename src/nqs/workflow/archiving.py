"""Putting finished runs into the archive: `./nqs archive <study>_<target> ... --config scale=<scale>`.

Only tables of clean provenance are taken: made by committed code, by one code from Hamiltonian to drawing, newer than
what they are made from, and of the whole grid of their scale unless the reason why not is given.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nqs.runtime.errors import InputError
from nqs.runtime.files import atomic
from nqs.runtime.provenance import git_state, record, sha256, write_record
from nqs.studies.protocol import Study
from nqs.workflow.archive import HOME, differences, read_record
from nqs.workflow.configuration import load
from nqs.workflow.rows import find
from nqs.workflow.work import Work, as_json, files_in


class Finished:
    """Finished runs of one configuration below the folder `here`; project: where config.yaml and the code are."""

    def __init__(self, here: Path, project: Path, overrides: Mapping[str, Any]) -> None:
        self.here = here
        self.project = project
        self.work = Work(load(project, overrides))
        self.whole = Work(load(project, {"scale": self.scale}))

    @property
    def scale(self) -> str:
        """Name of the results tree."""
        return self.work.config.scale

    def used(self, study: Study, name: str) -> Any:
        """The configuration behind a target, as it was run."""
        return used(self.work, study, name)

    def result(self, *parts: str) -> Path:
        """A file of this scale's results."""
        return self.here.joinpath("results", self.scale, *parts)

    def command(self, name: str) -> str:
        """How a target is made at this scale."""
        return f"./nqs run {name} --config scale={self.scale}"


def used(work: Work, study: Study, name: str) -> Any:
    """The part of a configuration behind a target."""
    return plain(study.shown(name).used(work.config.of(study)))


def plain(value: Any) -> Any:
    """As it stands in a JSON file."""
    return json.loads(as_json(value))


def archive(names: Sequence[str], run: Finished, incomplete: str = "") -> list[Path]:
    """Copy the tables of targets into the archive; returns the new files.

    incomplete: why the grid is not the whole one of the scale. InputError with all reasons if a target is refused;
    nothing is copied then.
    """
    found = [find(name)[:2] for name in names]
    refused = [f"{study.name}_{name}: {why}" for study, name in found for why in refusals(study, name, run, incomplete)]
    if refused:
        raise InputError("not archived:\n  " + "\n  ".join(refused))
    return [path for study, name in found for path in copy(study, name, run, incomplete)]


def sources(study: Study, name: str, run: Finished) -> dict[str, Path]:
    """Name in the archive -> file of the results, without the record."""
    target = study.targets[name]
    tables = study.shown(name).tables(target.shows or name).values()
    files = {f"{table}.csv": run.result("analysis", study.name, f"{table}.csv") for table in tables}
    return files | ({f"{name}.md": run.result("tables", study.name, f"{name}.md")} if target.layout else {})


def record_file(study: Study, name: str, run: Finished) -> Path | None:
    """The record beside a figure or table; rows that nothing shows have none."""
    kind = study.targets[name].kind
    return None if kind == "rows" else run.result(kind, study.name, f"{name}.json")


def refusals(study: Study, name: str, run: Finished, incomplete: str) -> Iterator[str]:
    """Why a target cannot be archived: each names the file and the way out."""
    if study.targets[name].is_view:
        yield f"a view of the ledger, which ./nqs gallery {study.name}_{name} makes anew from the archived tables"
        return
    make = run.command(f"{study.name}_{name}")
    path = record_file(study, name, run)
    files = [*sources(study, name, run).values(), *([path] if path else [])]
    if absent := [file for file in files if not file.exists()]:
        yield f"{absent[0]} is not there; make it with {make}"
        return
    yield from unclean(study, name, run, make)
    yield from older(study, name, run, make)
    if (short := shortened(study, name, run)) and not incomplete:
        keys = ", ".join(short)
        yield f"{files[0]} is not of the whole grid of scale {run.scale} ({keys}); run that, or say --incomplete 'why'"


def unclean(study: Study, name: str, run: Finished, make: str) -> Iterator[str]:
    """What the record says against a target."""
    path = record_file(study, name, run)
    if path is None:
        if git_state(run.project)["dirty"] is not False:
            yield "rows without a record are archived from a clean tree only; commit or stash the changes"
        return
    said, again = read_record(path), f"{make} --forcerun {study.name}_{name}"
    if said.get("git", {}).get("dirty") is not False:
        yield f"{path}: made with files that differ from any commit; commit, then {again}"
    code = json.loads(run.work.figure_settings(study, name))["code"]
    if said.get("code") != code:
        yield f"{path}: made by other code ({said.get('code')}, now {code}); {make}"
    if said["config"] != run.used(study, name):
        yield f"{path}: made with other settings; give the --config and --configfile of that run, or {make}"
    (table, *_) = sources(study, name, run).values()
    if sha256(table) not in said["inputs"].values():
        yield f"{table}: not the table that {path.name} was made from; {again}"


def older(study: Study, name: str, run: Finished, make: str) -> Iterator[str]:
    """The first file behind a target that is older than what it is made from, or lacks it."""
    tables = [path for path in sources(study, name, run).values() if path.parent.parent.name == "analysis"]
    todo = [(path, run.work.inputs(study, study.shown(name))) for path in tables]
    seen: set[Path] = set()
    while todo:
        path, inputs = todo.pop()
        for file in files_in(inputs):
            source = run.result(file)
            if not source.exists():
                yield f"{source} is not there, from which {path.name} is made; {make}"
                return
            if source.stat().st_mtime > path.stat().st_mtime:
                yield f"{path} is older than {source}, from which it is made; {make}"
                return
            if source not in seen:
                seen.add(source)
                todo.append((source, inputs_of(file, study, run)))


def inputs_of(file: str, study: Study, run: Finished) -> Mapping[str, Sequence[str]]:
    """What a file below results/<scale>/ is made from."""
    stage, path = run.work.origin(file)
    if stage == "analysis":
        return run.work.inputs(study, study.targets[run.work.maker(study, path.split("/")[-1])])
    return run.work.cell(stage, path).inputs


def shortened(study: Study, name: str, run: Finished) -> list[str]:
    """Keys in which a run differs from the whole grid of its scale, sorted; of rows alone, how many files lack."""
    short = sorted(differences(run.used(study, name), used(run.whole, study, name)))
    if study.targets[name].kind != "rows":
        return short
    target = study.targets[name]
    ours, whole = ({*files_in(work.inputs(study, target))} for work in (run.work, run.whole))
    return [*short, *([f"{len(whole - ours)} of {len(whole)} files"] if whole - ours else [])]


def copy(study: Study, name: str, run: Finished, incomplete: str) -> list[Path]:
    """The files of a target in the archive, the record with what is missing in it."""
    folder = run.here / HOME / run.scale / study.name
    made = []
    for ending, source in sources(study, name, run).items():
        with atomic(folder / ending) as temporary:
            shutil.copyfile(source, temporary)
        made.append(folder / ending)
    short = shortened(study, name, run)
    said = {"reduced": short, **({"incomplete": incomplete} if short else {})}
    write_record(folder / f"{name}.json", {**origin(study, name, run), **said})
    return [*made, folder / f"{name}.json"]


def origin(study: Study, name: str, run: Finished) -> Mapping[str, Any]:
    """The record of a figure or table, or a new one of rows that nothing shows."""
    path = record_file(study, name, run)
    if path is not None:
        return read_record(path)
    settings = json.loads(run.work.figure_settings(study, name))
    return record(
        f"{study.name}_{name}",
        config={**settings["config"], "settings": plain(run.work.settings(study, study.targets[name]))},
        inputs=sources(study, name, run).values(),
        root=run.here,
        code=settings["code"],
        device="none",
        seeds=settings["seeds"],
        wall_seconds=0.0,
        repository=run.project,
    )
