"""Tables of Figs. X1 and X2 beside Ju et al. (2025): which windows tell all states apart, and the energy landscape of
the network.

Each function takes files by kind and the settings of its figure. Energies are totals of sum P.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.model.motifs import distinct_counts, gauge_dimension, motif_classes
from nqs.runtime.job import Files

Settings = Mapping[str, Any]


BOUND = 3  # K >= floor(N / 3) [Ju 2025, sec. II]


LONGEST_GAUGE = 8  # motif length up to which gauge directions are counted


PER_SEGMENT, BEYOND = 32, 4  # steps of the cut from one minimum to the other, and on past each: 41 points


def figX1(files: Files, settings: Settings) -> pd.DataFrame:
    """How many classes of states have motif counts of their own, for each K until all have; settings: sizes.

    Symmetrised: counts by class of motifs, states distinct under translation, reflection and flip; else counts of
    motifs, states distinct under translation. series: "share", one row per ring, K and kind of counts;  "smallest", the
    first K that separates all classes, with floor(N/3);  "gauge", numbers of multipliers and of independent
    combinations that change no ln psi(s), on the largest ring for K < N/2, where they no longer depend on N.
    """
    sizes = sorted(int(size) for size in settings["sizes"])
    parts = [_separation(size, symmetrised) for size in sizes for symmetrised in (True, False)]
    return pd.concat([*parts, _gauge(sizes[-1])], ignore_index=True)


def _separation(n_sites: int, symmetrised: bool) -> pd.DataFrame:
    """Rows "share" and the row "smallest" of one ring."""
    rows: list[dict[str, Any]] = []
    while not rows or rows[-1]["distinct"] < rows[-1]["classes"]:
        length = len(rows) + 1
        counts = distinct_counts(n_sites, length, symmetrised)
        rows.append({"length": length, "classes": len(counts), "distinct": len(np.unique(counts, axis=0))})
    table = pd.DataFrame(rows).assign(series="share")
    table = pd.concat([table, table.tail(1).assign(series="smallest")], ignore_index=True)
    share = table.distinct / table.classes
    return table.assign(n_sites=n_sites, symmetrised=symmetrised, share=share, bound=n_sites // BOUND)


def _gauge(n_sites: int) -> pd.DataFrame:
    rows = []
    for length in range(1, min(LONGEST_GAUGE, (n_sites - 1) // 2) + 1):
        for symmetrised in (True, False):
            multipliers = len(motif_classes(length)) if symmetrised else 1 << length
            directions = gauge_dimension(n_sites, length, symmetrised)
            rows.append({"length": length, "symmetrised": symmetrised, "multipliers": multipliers, "gauge": directions})
    return pd.DataFrame(rows).assign(series="gauge", n_sites=n_sites, rank=lambda t: t.multipliers - t.gauge)
