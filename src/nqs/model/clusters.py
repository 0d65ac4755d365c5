"""Names and shapes of the built-in clusters; standard library only, for config validation."""

from dataclasses import dataclass
from math import comb

from nqs.runtime.registry import Registry

Point = tuple[int, int]

CLUSTERS: Registry[str, tuple[str, tuple[int, int]]] = {
    "square16": ("square", (4, 4)),
    "square24": ("square", (6, 4)),
    "square30": ("square", (6, 5)),
    "square32": ("square", (4, 8)),
    "square36": ("square", (6, 6)),
    "triangle16": ("triangle", (4, 4)),
    "triangle24": ("triangle", (6, 4)),
    "triangle24b47": ("triangle", (6, 4)),
    "triangle30": ("triangle", (6, 5)),
    "triangle30b59": ("triangle", (6, 5)),
    "kagome12": ("kagome", (2, 2)),
    "kagome18": ("kagome", (2, 3)),
    "kagome24": ("kagome", (2, 4)),
    "kagome30": ("kagome", (10, 1)),
    **{f"ring{n}": ("ring", (n, 1)) for n in range(4, 23, 2)},
}

# Clusters that lack one J1 bond, given by its sites: triangle30b59 is the 30-spin cluster as the code of Westerhout et
# al. (2020) had it, triangle24b47 its counterpart with 24 spins.
MISSING_BONDS = {"triangle24b47": (9, 10), "triangle30b59": (9, 10)}

BY_BONDS = "bonds"  # lattice of the clusters given by their bonds, whose shape is (sites, 1)
QUSPIN_SITES = 20  # up to here QuSpin builds the matrices, unless told otherwise; the kernel is faster above


@dataclass(frozen=True)
class Lattice:
    """A bond pattern on a grid: places of a cell's sites, and bonds in grid steps.

    step: grid points from cell to cell;  oblique: whether the second axis is drawn at 60 degrees;  smallest_side: cells
    along each side below which bonds coincide;  one_row: a ring, of shape (N, 1);  inversion: whether turning by 180
    degrees about the first site is a symmetry.
    """

    j1: tuple[Point, ...]
    j2: tuple[Point, ...] = ()
    basis: tuple[Point, ...] = ((0, 0),)
    step: int = 1
    oblique: bool = True
    smallest_side: int = 3
    one_row: bool = False
    inversion: bool = True


# The true geometry of triangle and kagome has the second axis at 60 degrees, where (1, -1) is as long as (1, 0).
LATTICES: dict[str, Lattice] = {
    "square": Lattice(((1, 0), (0, 1)), ((1, 1), (1, -1)), oblique=False, inversion=False),  # mirrors instead
    "triangle": Lattice(((1, 0), (0, 1)), ((1, -1),)),
    "kagome": Lattice(((1, 0), (1, -1)), ((0, 1),), basis=((0, 0), (1, 0), (0, 1)), step=2, smallest_side=2),
    "ring": Lattice(((1, 0),), one_row=True, smallest_side=4),
}


def sites(lattice: str, shape: tuple[int, int]) -> int:
    """Number of sites of a torus of `shape` unit cells; ValueError for an unknown lattice."""
    if lattice == BY_BONDS:
        return shape[0] * shape[1]
    if lattice not in LATTICES:
        raise ValueError(f"unknown lattice '{lattice}'; known lattices: {', '.join(LATTICES)}")
    return len(LATTICES[lattice].basis) * shape[0] * shape[1]


def dimension(n_sites: int) -> int:
    """States of the basis with zero magnetisation."""
    return comb(n_sites, n_sites // 2)


def coupling_name(j2: float) -> str:
    """A coupling as it stands in file names, e.g. j2_0.55."""
    return f"j2_{j2:g}"
