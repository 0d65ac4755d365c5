"""docs/gallery.md and the gallery of README.md: every figure and table at the best scale there is, with verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nqs.analysis.ledger.claim import ARCHIVE
from nqs.runtime.errors import InputError
from nqs.studies.protocol import Study, shown_name
from nqs.workflow.pages import thumbnails
from nqs.workflow.pages.verdicts import Counts, added, archived_verdicts, in_words
from nqs.workflow.report.text import first_sentence
from nqs.workflow.studies import found_studies

PAGE, PICTURES = Path("docs/gallery.md"), Path("docs/gallery")
OPEN, CLOSE = "<!-- gallery: made by ./nqs pages -->", "<!-- end of the gallery -->"
HEAD = """# Gallery

Every figure and table, from archived runs at paper scale where there are any, else at laptop scale. Claims are counted
by their verdicts on archived tables; `./nqs report` shows each of them with its evidence. This page is made by
`./nqs pages`.
"""


@dataclass(frozen=True)
class Entry:
    """A figure or table of the gallery. scale: the best there is; counts: of the claims it decides."""

    study: Study
    name: str
    scale: str
    words: str
    has_picture: bool
    counts: Counts

    @property
    def key(self) -> str:
        """Name of the target in the workflow."""
        return f"{self.study.name}_{self.name}"

    @property
    def alt(self) -> str:
        """The picture in words."""
        return f"{shown_name(self.name)} of {self.study.citation}: {self.words}".replace('"', "'").replace("|", r"\|")

    @property
    def command(self) -> str:
        """What makes it."""
        return f"./nqs {'gallery' if self.scale == ARCHIVE else 'run'} {self.key}"


def entries(project: Path, study: Study, counts: Mapping[str, Counts]) -> Iterator[Entry]:
    """All figures and tables of a study, from what is in the repository alone."""
    for name, target in study.targets.items():
        key = f"{study.name}_{name}"
        caption = project / "docs" / "captions" / f"{key}.rst"
        if target.kind != "rows":
            yield Entry(
                study, name,
                scale=ARCHIVE if archived(project, study, name).exists() else "laptop",
                words=first_sentence(caption.read_text(encoding="utf-8")) if caption.exists() else "",
                has_picture=(project / PICTURES / f"{key}.png").exists(),
                counts=counts.get(key, {}),
            )  # fmt: skip


def archived(project: Path, study: Study, name: str) -> Path:
    """The archived rows of a target, there or not."""
    return project / "archive" / "paper" / study.name / f"{study.targets[name].shows or name}.csv"


def draw(project: Path) -> Iterator[str]:
    """Make the thumbnails of all figures that are there at their scale; what is not, and how to make it."""
    for study in found_studies().values():
        for entry in entries(project, study, {}):
            figure = project / "results" / entry.scale / "figures" / study.name / f"{entry.name}.png"
            if figure.exists():
                table = thumbnails.table_in(figure.with_suffix(".json"))
                thumbnails.write(figure, table, project / PICTURES / f"{entry.key}.png")
            elif study.targets[entry.name].draw:
                kept = "its thumbnail stays as it is" if entry.has_picture else "it has no thumbnail"
                yield f"{entry.key} is not there at {entry.scale} scale, {kept}; make it with {entry.command}"


def pages(project: Path) -> tuple[str, str]:
    """The page of the gallery, and README.md with its part of it."""
    parts, rows, pictures = [HEAD], [], []
    for study in found_studies().values():
        counts = archived_verdicts(project, study)
        shown = [*entries(project, study, counts)]
        parts.append(section(study, shown, added(counts)))
        verdicts = in_words(added(counts)) or "not judged yet"
        rows.append(f"| {study.citation} | {len(shown)} | {verdicts} |")
        pictures += [icon(entry) for entry in shown if entry.has_picture]
    table = ["| source | figures and tables | claims on archived tables |", "|---|---:|---|", *rows]
    inner = "\n".join([*table, "", "<p>", *pictures, "</p>"])
    return "\n".join(parts), between(project / "README.md", inner)


def section(study: Study, shown: list[Entry], total: Counts) -> str:
    """A study's part of the page."""
    words = f"\nClaims: {in_words(total)}.\n" if total else ""
    lines = [row(entry) for entry in shown]
    return "\n".join([f"## {study.citation}", words, "| | |", "|---|---|", *lines, ""])


def row(entry: Entry) -> str:
    """One figure or table: its picture, and what belongs to it."""
    address = f"gallery/{entry.key}.png"
    left = f"![{entry.alt}]({address})" if entry.has_picture else shown_name(entry.name)
    words = entry.words.replace("|", r"\|")
    right = [f"**{shown_name(entry.name)}**, `{entry.key}`", f"{words}." if words else ""]
    right += [f"Claims: {in_words(entry.counts)}." if entry.counts else "", f"{entry.scale}: `{entry.command}`"]
    return f"| {left} | {'<br>'.join(part for part in right if part)} |"


def icon(entry: Entry) -> str:
    """A figure in the README, leading to the page."""
    picture = f'<img src="{PICTURES}/{entry.key}.png" width="104" alt="{entry.alt}">'
    return f'<a href="{PAGE}">{picture}</a>'


def between(page: Path, inner: str) -> str:
    """A page with new text between the marks of the gallery; InputError if they are not there once."""
    text = page.read_text(encoding="utf-8")
    if text.count(OPEN) != 1 or text.count(CLOSE) != 1:
        raise InputError(f"{page.name}: needs the lines '{OPEN}' and '{CLOSE}', once each")
    before, rest = text.split(OPEN)
    return f"{before}{OPEN}\n\n{inner}\n\n{CLOSE}{rest.split(CLOSE)[1]}"
