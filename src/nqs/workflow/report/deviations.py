"""Notes of docs/deviations.md: which study and which figures and tables each belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

from nqs.workflow.report.text import parser

LABEL = r"(?:[SX]?\d+|[IV]+)[a-z]?"
NAMED = re.compile(rf"\b(Fig|Table)s?\.?\s+({LABEL}(?:(?:\s*,\s*|\s+and\s+|\s+to\s+|\s*[-\u2013]\s*){LABEL})*)")
FILE = re.compile(r"\b((?:fig|table)[SX]?\d+)\.(?:csv|md)")
RANGE = re.compile(rf"({LABEL})\s*(?:[-\u2013]|\bto\b)\s*({LABEL})")
ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5"}


@dataclass(frozen=True)
class Note:
    """One entry of the page: the heading it stands under, its Markdown, the targets that it names."""

    heading: str
    text: str
    targets: frozenset[str]


def notes(page: str, citation: str) -> list[Note]:
    """All notes in the section of a study, which is headed by its citation."""
    section = re.search(rf"^## {re.escape(citation)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    return [*entries(section[1])] if section else []


def entries(section: str) -> Iterator[Note]:
    """Top-level list items, tables and paragraphs, each with the heading above it."""
    lines, heading = section.splitlines(), ""
    tokens = parser().parse(section)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[place + 1].content
        elif token.map and is_entry(token.type, token.level):
            text = dedent("\n".join(["  " + lines[token.map[0]].removeprefix("- "), *lines[slice(*token.map)][1:]]))
            if token.type != "list_item_open":
                text = "\n".join(lines[slice(*token.map)])
            if not text.startswith("!["):
                yield Note(heading, text.strip(), named_targets(text))


def is_entry(kind: str, level: int) -> bool:
    """Whether a token opens an entry: an item of a list, or a block outside one."""
    return (kind, level) == ("list_item_open", 1) or (kind in ("paragraph_open", "table_open") and level == 0)


def named_targets(text: str) -> frozenset[str]:
    """Names of the targets that a text speaks of: fig2, tableS1."""
    found = set(FILE.findall(text))
    for kind, listed in NAMED.findall(text):
        found |= {target(kind, label) for label in labels(listed)}
    return frozenset(found)


def labels(listed: str) -> Sequence[str]:
    """Labels in text such as "3, 5 and S3" or "2-8"."""
    found = re.findall(LABEL, listed)
    for first, last in RANGE.findall(listed):
        if first.isdigit() and last.isdigit():
            found += map(str, range(int(first), int(last)))
    return found


def target(kind: str, label: str) -> str:
    """Name of a target by the way a reader writes it: Fig, 2c -> fig2."""
    label = label.rstrip("abcdefghi")
    return kind.lower() + ROMAN.get(label, label)
