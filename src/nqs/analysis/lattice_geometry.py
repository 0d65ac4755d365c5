"""What a drawing of a cluster shows: its sites, its bonds, and stubs of bonds that wrap around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from nqs.model.lattices import Cluster

COLUMNS = ("cluster", "lattice", "kind", "x0", "y0", "x1", "y1")
STUB = 0.35  # length of a stub as a fraction of its bond


def lattice_geometry(clusters: Iterable[Cluster]) -> pd.DataFrame:
    """Line segments and sites that draw the clusters; columns `COLUMNS`, lengths in bond lengths.

    kind: site (both ends equal), j1, j2, and j1_stub, j2_stub, of which a bond across the boundary
    has one at each end.
    """
    rows = [row for cluster in clusters for row in _cluster_rows(cluster)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _cluster_rows(cluster: Cluster) -> Iterator[tuple[Any, ...]]:
    names = (cluster.name, cluster.lattice)
    for position in cluster.positions:
        yield (*names, "site", *position, *position)
    images = _periodic_images(cluster)
    for kind, bonds in (("j1", cluster.j1), ("j2", cluster.j2)):
        for i, j in bonds:
            start, end = cluster.positions[i], cluster.positions[j]
            direct = end - start
            nearest = _nearest(direct, images)
            if np.allclose(direct, nearest):
                yield (*names, kind, *start, *end)
            else:
                yield (*names, f"{kind}_stub", *start, *(start + STUB * nearest))
                yield (*names, f"{kind}_stub", *end, *(end - STUB * nearest))


def _nearest(direct: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Shortest of the displacements (2,) that are equal on the torus; the direct one if it ties."""
    displacements = direct + images  # (image, 2)
    lengths = np.round(np.linalg.norm(displacements, axis=1), 9)
    return displacements[np.argmin(lengths)]


def _periodic_images(cluster: Cluster) -> np.ndarray:
    """Vectors (9, 2) from a site to its copies in this cell (first) and the eight around it.

    A cluster whose translations are not known has none but itself.
    """
    if not {"tx", "ty"} <= set(cluster.translations):
        return np.zeros((1, 2))
    sides = [
        length * _most_common(cluster.positions[cluster.translations[name]] - cluster.positions)
        for name, length in zip(("tx", "ty"), cluster.shape, strict=True)
    ]
    shifts = sorted(product((-1, 0, 1), repeat=2), key=lambda shift: (shift != (0, 0), shift))
    return np.array(shifts) @ np.array(sides)


def _most_common(vectors: np.ndarray) -> np.ndarray:
    """The row that occurs most often: the step of a translation, wherever it does not wrap."""
    rows, counts = np.unique(np.round(vectors, 9), axis=0, return_counts=True)
    return rows[np.argmax(counts)]
