"""What a study is: one object, from which the workflow makes its rules, targets, configuration and provenance.

Functions that compute or draw are named by strings, "nqs.module:function", so that reading the Snakefile imports
nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from nqs.model.clusters import coupling_name
from nqs.runtime.fields import Block

B = TypeVar("B", bound=Block)
Inputs = Mapping[str, Sequence[str]]  # kind -> files below results/<scale>/


def ground_state_file(cluster: str, j2: float) -> str:
    """Ground state of one coupling, below results/<scale>/."""
    return f"ground_state/{cluster}/{coupling_name(j2)}.h5"


class Common(Protocol):
    """What all studies share of the configuration."""

    @property
    def scale(self) -> str:
        """Name of the preset."""

    @property
    def seed(self) -> int:
        """Enters every random seed."""

    @property
    def networks(self) -> Mapping[str, Any]:
        """Networks by name."""

    @property
    def ground_state(self) -> Any:
        """How exact ground states are found."""

    def cluster(self, name: str) -> tuple[str, tuple[int, int]]:
        """Lattice and shape of a cluster."""

    def cluster_names(self) -> list[str]:
        """All clusters, built in or of the user's own."""

    def n_sites(self, name: str) -> int:
        """Sites of a cluster."""

    def lacks_j2(self, name: str) -> bool:
        """Whether a cluster has no J2 bonds by its list of bonds."""

    def cluster_settings(self, name: str) -> dict[str, Any]:
        """What a stage needs to make a cluster."""


@dataclass(frozen=True, eq=False)
class StudyConfig(Generic[B]):
    """The configuration as one study sees it: the common part and its own block."""

    common: Common
    block: B

    @property
    def scale(self) -> str:
        """Name of the preset, which says what claims can be tested."""
        return self.common.scale

    @property
    def seed(self) -> int:
        """Enters every random seed."""
        return self.common.seed

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The study's block as JSON."""
        return self.block.model_dump(mode="json")

    @cached_property
    def ground_state(self) -> dict[str, Any]:
        """The block of exact ground states as JSON."""
        return self.common.ground_state.model_dump(mode="json")


@dataclass(frozen=True)
class Cell:
    """One scientific unit of work, done in one job.

    path: its files below results/<scale>/<stage>/, without endings; settings: all the numbers it depends on; n_sites:
    decides memory and time; code: what the settings choose of the code, besides the stage's own, as "module:name".
    """

    stage: str
    path: str
    settings: Callable[[], Mapping[str, Any]]
    inputs: Inputs = field(default_factory=dict)
    n_sites: int = 0
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A figure, a table, or tables between stages and figures.

    rows: function (files, settings) -> table, or tables by name; inputs, settings: its arguments; used: the part of the
    configuration behind it, for provenance. draw: function (table, published, note) -> Figure; layout: function
    table -> Markdown, of what is shown as a table; neither: only rows, in the tables `names`. shows: another target of
    the study whose rows this one shows. cost: function files -> wall time and devices of the training behind it. needs:
    kinds of files without which there are no rows; reads_published: the paper's numbers are one more, `published`;
    is_view: it shows the study's ledger, made from the list of all claims, `claims`, and the tables of other targets.
    """

    rows: str = ""
    inputs: Callable[[StudyConfig[Any]], Inputs] = lambda config: {}
    settings: Callable[[StudyConfig[Any]], Mapping[str, Any]] = lambda config: {}
    used: Callable[[StudyConfig[Any]], Mapping[str, Any]] = lambda config: {}
    draw: str = ""
    layout: str = ""
    names: tuple[str, ...] = ()
    shows: str = ""
    cost: str = "nqs.runtime.training_cost:cost"
    reads_published: bool = False
    is_view: bool = False
    needs: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """`figures`, `tables` or `rows`."""
        return "figures" if self.draw else "tables" if self.layout else "rows"

    def tables(self, name: str) -> dict[str, str]:
        """Output kind -> name of every table of rows; name: of the target."""
        return {table: table for table in self.names} or {"table": name}


@dataclass(frozen=True)
class Study:
    """One paper.

    block: its block of the configuration; published: file below reference/ with the paper's numbers, if there are any,
    read by the function `read`; cells: all cells; check: refuses what no cell can be made from, by a ValueError that
    names the key; claims: mapping of the study's claims in reference/claims.yaml, without its name, to functions
    (claim, tables of rows) -> evidence.
    """

    name: str
    citation: str
    block: type[Block]
    targets: Mapping[str, Target]
    cells: Callable[[StudyConfig[Any]], Iterable[Cell]] = lambda config: ()
    published: str = ""
    read: str = ""
    check: Callable[[StudyConfig[Any]], None] = lambda config: None
    claims: str = ""

    def shown(self, name: str) -> Target:
        """The target whose rows a target shows: another one, or itself."""
        target = self.targets[name]
        return self.targets[target.shows] if target.shows else target


def shown_name(name: str) -> str:
    """A target as a reader would call it: Fig. 2, Table S1."""
    kind = "Fig. " if name.startswith("fig") else "Table "
    return kind + name.removeprefix("fig").removeprefix("table")
