"""Westerhout et al. 2020: can networks generalise the sign structure of frustrated magnets from a small sample?"""

from __future__ import annotations

from functools import partial

from nqs.studies.protocol import Study, Target
from nqs.studies.westerhout2020 import cells, crosschecks, crossings
from nqs.studies.westerhout2020.config import VARIANT_TABLES, Westerhout2020

HERE = "nqs.studies.westerhout2020"
VARIANTS = {"rows": f"{HERE}.tables.sensitivity:rows", "layout": "nqs.runtime.markdown:markdown"}
SUMMARY = {"rows": f"{HERE}.tables.summary:rows", "cost": f"{HERE}.tables.summary:cost"}


def target(name: str, draw: str = "", **parts: str) -> Target:
    """A figure, drawn by its function in a module of figures/, or one of the tables."""
    return Target(
        inputs=partial(cells.inputs_of, figure=name),
        settings=partial(cells.figure_summary, figure=name),
        used=partial(cells.figure_config, figure=name),
        draw=draw and f"{HERE}.figures.{draw}:{name}",
        **(SUMMARY | parts),  # type: ignore[arg-type]
    )


STUDY = Study(
    name="westerhout2020",
    citation="Westerhout et al. 2020",
    block=Westerhout2020,
    published="westerhout2020/curves.json",
    read=f"{HERE}.curves:read_curves",
    cells=cells.cells,
    check=crosschecks.check,
    claims=f"{HERE}.claims.ledger:CHECKS",
    targets={
        "fig1": Target(
            rows=f"{HERE}.tables.geometry:rows",
            settings=cells.drawn_clusters,
            used=partial(cells.figure_config, figure="fig1"),
            draw=f"{HERE}.figures.geometry:fig1",
        ),
        "fig2": target("fig2", "couplings"),
        "fig3": target("fig3", "sizes"),
        "fig4": target("fig4", "critical", rows=f"{HERE}.tables.critical_sizes:rows"),
        "fig5": target("fig5", "couplings"),
        "figS1": target("figS1", "sizes"),
        "figS2": target("figS2", "couplings"),
        "figS3": target("figS3", "sizes"),
        "figS4": target("figS4", "couplings"),
        "figS5": target("figS5", "sizes"),
        "figS6": target("figS6", "couplings"),
        "figS7": target("figS7", "sizes"),
        "figX1": target("figX1", "batches", rows=f"{HERE}.tables.batches:rows"),
        "figX2": Target(
            rows=f"{HERE}.tables.crossings:rows",
            inputs=crossings.inputs,
            settings=crossings.settings,
            used=crossings.used,
            draw=f"{HERE}.figures.crossings:figX2",
        ),
        **{name: target(name, **VARIANTS) for name in VARIANT_TABLES},
    },
)
