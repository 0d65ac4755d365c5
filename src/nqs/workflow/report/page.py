"""The page of the report: `./nqs report`."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import nqs
from nqs.runtime.files import atomic
from nqs.workflow.plan import duration
from nqs.workflow.report import graph, text
from nqs.workflow.report.content import Section, Source, sections
from nqs.workflow.report.ledgers import ALL_VERDICTS, MARKS, MEANINGS


def build(project: Path, scale: str, output: Path | None = None) -> Path:
    """Write the report of a scale and say where; InputError if nothing has been made at it."""
    source = Source(project, scale)
    output = output or source.results / "report.html"
    page = render(source, sections(source))
    with atomic(output) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return output


def environment() -> Environment:
    """Templates of this package; everything that is not marked as HTML is escaped."""
    found = Environment(
        loader=PackageLoader(__package__, "assets"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    found.filters |= {"markdown": text.markdown, "duration": duration, "pretty": pretty, "slug": slug}
    return found


def slug(verdict: str) -> str:
    """A verdict as a class of the style sheet."""
    return verdict.replace(" ", "-")


def pretty(value: Any) -> str:
    """Part of a record as JSON for reading."""
    return json.dumps(value, indent=1, ensure_ascii=False)


def render(source: Source, made: list[Section]) -> str:
    """The page as HTML."""
    templates = environment()
    total: Counter[str] = Counter()
    for section in made:
        total.update(section.counts)
    assets = {name: Markup(templates.loader.get_source(templates, name)[0]) for name in ("page.css", "page.js")}  # type: ignore[union-attr]
    return templates.get_template("page.html").render(
        scale=source.scale, sections=made, total=total, verdicts=ALL_VERDICTS, marks=MARKS, meanings=MEANINGS,
        style=assets["page.css"], script=assets["page.js"], version=nqs.__version__, box=graph,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )  # fmt: skip
