"""Names and shapes of the built-in clusters; standard library only, for config validation."""

from math import comb

from nqs.runtime.registry import Registry

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
SITES_PER_CELL = {"square": 1, "triangle": 1, "kagome": 3, "ring": 1, BY_BONDS: 1}


def sites(lattice: str, shape: tuple[int, int]) -> int:
    """Number of sites of a torus of `shape` unit cells; ValueError for an unknown lattice."""
    if lattice not in SITES_PER_CELL:
        known = ", ".join(SITES_PER_CELL)
        raise ValueError(f"unknown lattice '{lattice}'; known lattices: {known}")
    return SITES_PER_CELL[lattice] * shape[0] * shape[1]


def dimension(n_sites: int) -> int:
    """States of the basis with zero magnetisation."""
    return comb(n_sites, n_sites // 2)


def coupling_name(j2: float) -> str:
    """A coupling as it stands in file names, e.g. j2_0.55."""
    return f"j2_{j2:g}"
