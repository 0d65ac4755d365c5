"""Rows of Fig. 1: sites and bonds of clusters, as drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nqs.analysis.lattice_geometry import lattice_geometry
from nqs.model.lattices import cluster_of
from nqs.runtime.job import Files


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Line segments and sites that draw the clusters of the settings."""
    return lattice_geometry(cluster_of(cell) for cell in settings["clusters"])
