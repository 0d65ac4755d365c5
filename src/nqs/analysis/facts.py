"""Published values: curves as a tidy table, facts as a mapping.

The curves are those of Westerhout et al. (2020), arXiv:1907.08186, read off the plots of the paper, +-0.01 in overlap.
Curves described in words only (dense1 at small J2 on the kagome lattice, the dashed lines of Fig. 2) are no data and
left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from nqs.runtime.errors import NqsError
from nqs.runtime.yaml_text import QuickLoader


class PublishedError(NqsError):
    """The file does not hold the published values."""


def read_facts(path: Path) -> dict[str, Any]:
    """Published numbers by name; each a mapping with value, uncertainty, unit and where. Raises PublishedError."""
    try:
        facts = yaml.load(path.read_text(), QuickLoader)
    except (OSError, yaml.YAMLError) as error:
        raise PublishedError(f"{path}: cannot read the published numbers: {error!r}") from error
    if not isinstance(facts, dict):
        raise PublishedError(f"{path}: must be a mapping of names to published numbers")
    return facts
