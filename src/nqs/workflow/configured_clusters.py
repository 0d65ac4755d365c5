"""Clusters of your own in the configuration: by lattice and shape, by their bonds, or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from nqs.model import cluster_files
from nqs.model.automorphisms import Symmetries, find_symmetries
from nqs.model.bond_lists import MOST_SITES, check
from nqs.model.clusters import LATTICES, dimension, sites
from nqs.runtime.errors import ConfigError, InputError
from nqs.runtime.fields import Block, Count, Number, Positive, pick

MOST_LISTED_SITES = 24  # 2.7 million basis states
MOST_ORBITS = 20_000_000  # of states under the symmetries, for which exact ground states have memory
WAYS = "give lattice and shape, or bonds, or file"


class ClusterBlock(Block):
    """A cluster of your own: a torus of one of the known lattices, a ring, or any other by its bonds or from a file."""

    lattice: str | None = Field(None, description=f"bond pattern: {', '.join(LATTICES)}")
    shape: tuple[Positive, Positive] | None = Field(None, description="unit cells along x and y; ring: sites and 1")
    bonds: dict[str, tuple[tuple[Count, Count], ...]] | None = Field(
        None, description="`j1` and, if there are any, `j2`: pairs of sites, counted from 0"
    )
    sites: Positive | None = Field(None, description="with bonds: number of sites, to have it checked")
    positions: tuple[tuple[Number, Number], ...] | None = Field(None, description="with bonds: [x, y] of each site")
    symmetries: dict[str, tuple[Count, ...]] | None = Field(
        None,
        description="with bonds: permutations of the sites by name, entry i the site that site i moves to; "
        "left out: found from the bonds; {}: none",
    )
    file: str | None = Field(None, description="JSON or YAML file of the bonds, relative to the project's folder")

    @model_validator(mode="before")
    @classmethod
    def bonds_make_a_cluster(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or values.get("bonds") is None:
            return values
        clash = [name for name in ("lattice", "shape") if values.get(name) is not None]
        if clash:
            raise ValueError(f"bonds and {clash[0]} are both given; {WAYS}")
        listed = check(values["bonds"], values.get("positions"), values.get("symmetries"), values.get("sites"))
        return {**values, **listed.settings()}

    @model_validator(mode="after")
    def has_an_sz_zero_sector(self) -> ClusterBlock:
        if self.bonds is not None:
            return self.fits_an_exact_ground_state()
        surplus = [name for name in ("sites", "positions", "symmetries") if getattr(self, name) is not None]
        if surplus:
            raise ValueError(f"{surplus[0]}: belongs to a cluster given by its bonds; {WAYS}")
        if self.lattice is None or self.shape is None:
            raise ValueError(f"not a whole cluster; {WAYS}")
        pattern = LATTICES[pick(self.lattice, LATTICES, "lattice", "lattice")]
        n, side = sites(self.lattice, self.shape), pattern.smallest_side
        if pattern.one_row:
            if self.shape[1] != 1 or n < side:
                raise ValueError(f"a {self.lattice} needs the shape [N, 1] with at least {side} sites")
        elif min(self.shape) < side:
            raise ValueError(f"a {self.lattice} torus needs at least {side} unit cells along each side")
        if n > MOST_SITES:
            raise ValueError(f"{n} sites: too many for an exact ground state; at most {MOST_SITES}")
        if n % 2:
            raise ValueError(f"{n} sites: an odd number of spins has no Sz = 0 sector; choose an even number")
        return self

    def fits_an_exact_ground_state(self) -> ClusterBlock:
        """The cluster, if its states are not too many; without symmetries they are far below the most sites."""
        n, order = self.size[0], 2 * self.found.order  # the spin flip
        orbits = dimension(n) // order
        if n > MOST_LISTED_SITES and orbits > MOST_ORBITS:
            raise ValueError(
                f"{n} sites with {order} symmetries: {orbits / 1e6:.0f} million orbits of states, too many "
                f"for an exact ground state (at most {MOST_ORBITS // 10**6} million); choose a smaller cluster"
            )
        return self

    @cached_property
    def found(self) -> Symmetries:
        """Symmetries to search a ground state with, of a cluster given by its bonds."""
        given = None if self.symmetries is None else list(self.symmetries.values())
        return find_symmetries(self.size[0], list((self.bonds or {}).values()), given)

    @property
    def needs_point_group(self) -> bool:
        """Whether a cluster given by its bonds has too many orbits without it; without, no level is left out."""
        n = self.size[0]
        return n > MOST_LISTED_SITES and dimension(n) >> (1 + len(self.found.commuting)) > MOST_ORBITS

    @property
    def listed(self) -> dict[str, Any]:
        """Bonds, positions and given symmetries, as `permutations`, if the cluster is given by its bonds."""
        values = self.model_dump(mode="json", include={"bonds", "positions", "symmetries"})
        # settings of a Hamiltonian call something else symmetries
        return {} if self.bonds is None else {"permutations": values.pop("symmetries"), **values}

    @property
    def lacks_j2(self) -> bool:
        """Whether it is given by its bonds and has none of J2."""
        return self.bonds is not None and not self.bonds["j2"]

    @property
    def size(self) -> tuple[int, int]:
        """Unit cells along x and y; of a cluster given by its bonds, sites and 1."""
        if self.shape is not None:
            return self.shape
        return 1 + max(site for pairs in (self.bonds or {}).values() for pair in pairs for site in pair), 1


def with_files(values: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """The values with the contents of cluster files in place; raises ConfigError that names file and key."""
    clusters = values.get("clusters")
    if not isinstance(clusters, Mapping):
        return dict(values)
    try:
        return {**values, "clusters": {name: with_file(name, block, root) for name, block in clusters.items()}}
    except InputError as error:
        raise ConfigError(f"the configuration is not valid:\n  {error}") from None


def with_file(name: str, block: Any, root: Path) -> Any:
    """A cluster with the contents of its file, if it has one."""
    if not isinstance(block, Mapping) or block.get("file") is None:
        return block
    clash = [key for key in block if key != "file" and block[key] is not None]
    if clash:
        raise InputError(f"clusters.{name}: file and {clash[0]} are both given; {WAYS}")
    try:
        return {**block, **cluster_files.read(root / str(block["file"]), str(block["file"])).settings()}
    except InputError as error:
        raise InputError(f"clusters.{name}.file: {error}") from None
