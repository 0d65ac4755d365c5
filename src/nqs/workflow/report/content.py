"""What stands on the report's page: studies, their figures and tables, and the claims that each decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from nqs.analysis.ledger.claim import ARCHIVE, Claim, read_claims
from nqs.runtime.errors import ConfigError, InputError
from nqs.runtime.tables import read_json
from nqs.studies.protocol import Study, shown_name
from nqs.workflow.configuration import load
from nqs.workflow.report import costs, text
from nqs.workflow.report.deviations import Note, notes
from nqs.workflow.report.graph import Graph, graph
from nqs.workflow.report.ledgers import Judged, counts, judged
from nqs.workflow.report.pictures import Picture, pictures
from nqs.workflow.studies import found_studies
from nqs.workflow.work import Work

RECORDED = (  # what the page shows of a record
    "id", "config", "inputs", "code", "python", "packages", "device", "seeds", "git", "wall_seconds", "written_utc",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Where the report is made from: the project's folder and the scale."""

    project: Path
    scale: str

    @property
    def results(self) -> Path:
        """Folder of the scale."""
        return self.project / "results" / self.scale

    def maker(self, study: Study, name: str) -> Source:
        """The scale at which a target can be made: paper scale where it is not in the archive."""
        table = self.project / "archive" / "paper" / study.name / f"{study.targets[name].shows or name}.csv"
        return Source(self.project, "paper") if self.scale == ARCHIVE and not table.exists() else self

    def command(self, name: str) -> str:
        """What makes a target at this scale; an empty name: all of them."""
        if self.scale == ARCHIVE:
            return f"./nqs gallery {name}".strip()
        words = ["./nqs run", name, "" if self.scale == "laptop" else f"--config scale={self.scale}"]
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class Shown:
    """A figure or table on the page; without picture and table: not made at this scale."""

    key: str
    title: str
    kind: str
    caption: Markup
    alt: str
    command: str
    picture: Picture | None = None
    table: Markup = field(default_factory=Markup)
    record: Mapping[str, Any] = field(default_factory=dict)
    cost: costs.Cost | None = None
    claims: Sequence[Judged] = ()
    notes: Sequence[Note] = ()

    @property
    def is_made(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.picture or self.table)


@dataclass(frozen=True)
class Section:
    """A study on the page. loose: claims whose figure is none of the study's; notes: those that name no figure."""

    name: str
    citation: str
    shown: Sequence[Shown]
    claims: Sequence[Judged]
    loose: Sequence[Judged] = ()
    notes: Sequence[Note] = ()
    graph: Graph | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Number of claims by verdict."""
        return counts(self.claims)


def sections(source: Source) -> list[Section]:
    """Everything on the page; InputError if there is nothing at this scale."""
    if not any((source.results / kind).is_dir() for kind in ("figures", "tables", "claims")):
        raise InputError(f"no results at scale {source.scale}; make them with {source.command('')}")
    claims = [*read_claims(source.project / "reference" / "claims.yaml").values()]
    studies = found_studies()
    work = work_of(source)
    images = pictures(sorted((source.results / "figures").rglob("*.png")))
    known = [section(source, study, of(claims, study.name), work, images) for study in studies.values()]
    others = dict.fromkeys(claim.study for claim in claims if claim.study not in studies)
    return [*known, *(unknown(source, name, of(claims, name)) for name in others)]


def of(claims: Iterable[Claim], study: str) -> list[Claim]:
    """The claims of a study."""
    return [claim for claim in claims if claim.study == study]


def work_of(source: Source) -> Work | None:
    """All work of the scale's configuration, of paper scale for archived tables; None if it has none any more."""
    try:
        return Work(load(source.project, {"scale": "paper" if source.scale == ARCHIVE else source.scale}))
    except ConfigError:
        return None


def ledger(source: Source, study: str) -> Path:
    """The verdicts on a study's claims."""
    return source.results / "claims" / f"{study}.csv"


def unknown(source: Source, name: str, claims: Sequence[Claim]) -> Section:
    """A study with claims but without figures."""
    found = judged(claims, ledger(source, name))
    return Section(name, citation_of(name), (), found, loose=found)


def citation_of(name: str) -> str:
    """A study's name as a citation: kufel2024 -> Kufel et al. 2024."""
    author, year = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
    return f"{author.capitalize()} et al. {year}".strip()


def section(
    source: Source, study: Study, claims: Sequence[Claim], work: Work | None, images: Mapping[Path, Picture]
) -> Section:
    """A study with its figures, tables and claims."""
    found = judged(claims, ledger(source, study.name))
    names = [name for name, target in study.targets.items() if target.kind != "rows"]
    page = source.project / "docs" / "deviations.md"
    written = notes(page.read_text(encoding="utf-8"), study.citation) if page.exists() else []
    made = [shown(source, study, name, found, written, work, images) for name in names]
    decided = {one.claim.id for each in made for one in each.claims}
    return Section(
        study.name, study.citation, made, found,
        loose=[one for one in found if one.claim.id not in decided],
        notes=[note for note in written if not note.targets & {*names}],
        graph=graph(work, study) if work else None,
    )  # fmt: skip


def shown(
    source: Source,
    study: Study,
    name: str,
    claims: Iterable[Judged],
    written: Iterable[Note],
    work: Work | None,
    images: Mapping[Path, Picture],
) -> Shown:
    """A figure or table with all that belongs to it."""
    key = f"{study.name}_{name}"
    path = source.results / study.targets[name].kind / study.name / name
    words = read_text(source.project / "docs" / "captions" / f"{key}.rst")
    title = shown_name(name)
    return Shown(
        key, title, study.targets[name].kind.removesuffix("s"), text.caption(words),
        alt=f"{title}: {text.first_sentence(words)}" if words else title,
        command=source.maker(study, name).command(key),
        picture=images.get(path.with_name(f"{name}.png")),
        table=text.markdown(read_text(path.with_name(f"{name}.md"))),
        record=read_record(path.with_name(f"{name}.json")),
        cost=cost_of(source, study, name, work),
        claims=[one for one in claims if one.claim.target == key],
        notes=[note for note in written if name in note.targets],
    )  # fmt: skip


def read_text(path: Path) -> str:
    """A file's text, empty if it is not there."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def read_record(path: Path) -> dict[str, Any]:
    """Provenance beside a figure, empty if there is none; BrokenFileError if it is no record."""
    return read_json(path, RECORDED) if path.exists() else {}


def cost_of(source: Source, study: Study, name: str, work: Work | None) -> costs.Cost | None:
    """What a target took at this scale."""
    cells = costs.cells_behind(work, study, name) if work else set()
    return costs.cost(costs.benchmarks(source.results / "benchmarks", study, name, cells))
