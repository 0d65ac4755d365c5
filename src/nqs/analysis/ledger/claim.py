"""Claims of the sources as listed in reference/claims.yaml, and the tables that they are judged from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import ValidationError

from nqs.runtime.errors import InputError
from nqs.runtime.fields import Block
from nqs.runtime.yaml_text import QuickLoader

SCALES = ("smoke", "laptop", "paper")
ARCHIVE = "archive"  # tables of paper scale


class Published(Block):
    """A printed value: a number, a range, a mapping by condition, or words; the uncertainty has the same shape."""

    value: Any
    uncertainty: Any = None
    unit: str


class Claim(Block):
    """One checkable statement of a source.

    where: its place there; target: the figure or table that decides it; check: the test; scale: the smallest scale at
    which the test means anything; note: a known contradiction or ambiguity.
    """

    id: str
    study: str
    where: str
    target: str
    statement: str
    kind: Literal["number", "inequality", "trend", "identity", "qualitative"]
    published: Published | None
    check: str
    scale: Literal["smoke", "laptop", "paper"]
    note: str = ""

    @property
    def slug(self) -> str:
        """The id without the study."""
        return self.id.removeprefix(f"{self.study}.")

    def means_something_at(self, scale: str) -> bool:
        """Whether a scale is large enough for the test; one of the user's own counts as laptop scale."""
        known = {**{name: place for place, name in enumerate(SCALES)}, ARCHIVE: SCALES.index("paper")}
        return known.get(scale, SCALES.index("laptop")) >= SCALES.index(self.scale)


def read_claims(path: Path) -> dict[str, Claim]:
    """All claims by id, in the order of the file; InputError that names the entry and the key."""
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), QuickLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot read the claims: {error}") from None
    if not isinstance(entries, list):
        raise InputError(f"{path}: must be a list of claims")
    claims: dict[str, Claim] = {}
    for place, entry in enumerate(entries):
        claim = _claim(entry, f"{path}: entry {place + 1}")
        if claim.id in claims:
            raise InputError(f"{path}: {claim.id} is listed twice; remove one")
        claims[claim.id] = claim
    return claims


def _claim(entry: Any, where: str) -> Claim:
    """An entry of the file, checked."""
    try:
        claim = Claim.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "entry"
        name = entry.get("id", "without id") if isinstance(entry, Mapping) else "no mapping"
        raise InputError(f"{where} ({name}): {key}: {first['msg']}") from None
    if not claim.slug or claim.slug == claim.id:
        raise InputError(f"{where} ({claim.id}): id: must begin with the study, {claim.study}.")
    return claim


class NoTable(KeyError):
    """A table that a claim needs is not there at this scale."""


@dataclass(frozen=True, eq=False)
class Tables(Mapping[str, pd.DataFrame]):
    """Rows of the targets of a study, by name of the table, and the paper's numbers as the study reads them."""

    frames: Mapping[str, pd.DataFrame]
    published: Any = field(default_factory=dict)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self.frames:
            raise NoTable(name)
        return self.frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.frames)

    def __len__(self) -> int:
        return len(self.frames)

    __eq__ = object.__eq__  # frames have no equality; by identity, what is made of them can be kept
    __hash__ = object.__hash__
