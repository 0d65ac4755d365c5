"""Figures of Ju et al. (2025), arXiv:2210.00692: convolutional networks on spin rings.

Each function takes the figure's table, the published numbers (the mapping of reference/ju2025/published.yaml) and a
note that opens the small print, such as "laptop scale".
"""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from nqs.studies.ju2025.figures.entanglement import figS1, figS2
from nqs.studies.ju2025.figures.motifs import fig1
from nqs.studies.ju2025.figures.symmetry import fig2
from nqs.studies.ju2025.figures.training import fig3
from nqs.studies.ju2025.figures.uniqueness import figX1, figX2

FIGURES: dict[str, Callable[..., Figure]] = {
    "fig1": fig1,
    "fig2": fig2,
    "fig3": fig3,
    "figS1": figS1,
    "figS2": figS2,
    "figX1": figX1,
    "figX2": figX2,
}
