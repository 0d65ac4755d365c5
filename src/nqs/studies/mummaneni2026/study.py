"""Mummaneni and Sajjan 2026: what do hidden units of a restricted Boltzmann machine encode?"""

from __future__ import annotations

from functools import partial
from typing import Any

from nqs.studies.mummaneni2026 import cells, memory
from nqs.studies.mummaneni2026.config import Mummaneni2026
from nqs.studies.mummaneni2026.kinds import TABLE, needs
from nqs.studies.protocol import Study, StudyConfig, Target

HERE = "nqs.studies.mummaneni2026"


def tau(config: StudyConfig[Mummaneni2026]) -> dict[str, float]:
    """The relative change of energy or correlation that makes a hidden unit important."""
    return {"tau": config.block.importance.tau}


def small(config: StudyConfig[Mummaneni2026]) -> dict[str, Any]:
    """The rings of Figs. 2 to 8."""
    return {"small": {name: config.plain["small"][name] for name in ("sizes", "alpha")}}


def taus(config: StudyConfig[Mummaneni2026]) -> dict[str, list[float]]:
    """All thresholds that are compared."""
    return {"taus": list(config.block.importance.taus)}


def target(name: str, rows: str, draw: str) -> Target:
    """A figure: modules that make its rows and draw it."""
    return Target(
        rows=f"{HERE}.tables.{rows}:{name}",
        inputs=partial(cells.inputs_of, table=name),
        settings=tau,
        used=partial(cells.figure_config, figure=name),
        draw=f"{HERE}.figures.{draw}:{name}",
        needs=needs(name),
    )


TARGETS: dict[str, Target] = {
    "fig1": target("fig1", "small_rings", "training"),
    "fig2": target("fig2", "small_rings", "training"),
    "fig3": target("fig3", "small_rings", "training"),
    "fig4": target("fig4", "small_rings", "units"),
    "fig5": target("fig5", "small_rings", "units"),
    "fig6": target("fig6", "small_rings", "units"),
    "fig7": target("fig7", "small_rings", "units"),
    "fig8": target("fig8", "small_rings", "units"),
    "fig9": target("fig9", "sweep", "sweep"),
    "fig10": target("fig10", "sweep", "sweep"),
    "fig11": target("fig11", "sweep", "thresholds"),
    "fig12": target("fig12", "sweep", "training"),
    "figX1": target("figX1", "sweep", "sweep"),
    "figX2": target("figX2", "small_rings", "training"),
    "figX3": target("figX3", "sampled", "sampled"),
    "importance": Target(
        rows=f"{HERE}.tables.importance:rows",
        inputs=cells.swept,
        settings=taus,
        names=("importance", "fractions", "power_laws"),
    ),
    "sampled": Target(
        rows=f"{HERE}.tables.sampled:rows",
        inputs=cells.swept_by_chains,
        settings=taus,
        names=("sampled_importance", "sampled_fractions", "sampled_power_laws", "sampled_recovery"),
    ),
    "trained": Target(
        rows=f"{HERE}.tables.trained:rows",
        inputs=partial(cells.inputs_of, table="trained"),
        settings=small,
        names=("courses", "small_units"),
        needs=needs("trained"),
    ),
    "ablated": Target(
        rows=f"{HERE}.tables.ablated:rows",
        inputs=partial(cells.inputs_of, table="ablated"),
        settings=tau,
        names=("ablation", "impact_modes"),
        needs=needs("ablated"),
    ),
}


def tables(config: StudyConfig[Mummaneni2026]) -> dict[str, list[str]]:
    """All tables of rows of the targets above."""
    names = (table for name, one in TARGETS.items() for table in one.tables(name).values())
    return {"table": [f"analysis/{STUDY.name}/{name}.csv" for name in names]}


LEDGER = Target(
    rows=f"{HERE}.claims.ledger:rows",
    inputs=tables,
    settings=lambda config: {"scale": config.common.scale},
    used=partial(cells.figure_config, figure=TABLE),
    layout="nqs.analysis.ledger.printed:markdown",
    reads_published=True,
    is_view=True,
    needs=("table", "published", "claims"),
)

STUDY = Study(
    name="mummaneni2026",
    citation="Mummaneni and Sajjan 2026",
    block=Mummaneni2026,
    published="mummaneni2026/published.yaml",
    read="nqs.analysis.facts:read_facts",
    cells=cells.cells,
    check=memory.check,
    targets={**TARGETS, TABLE: LEDGER},
    claims=f"{HERE}.claims.ledger:CHECKS",
)
