"""Ju et al. 2025: what do convolutional networks learn on spin chains?"""

from __future__ import annotations

from functools import partial

from nqs.studies.ju2025 import cells, memory
from nqs.studies.ju2025.config import Ju2025
from nqs.studies.protocol import Study, Target

HERE = "nqs.studies.ju2025"
MARKDOWN = f"{HERE}.markdown"


def target(name: str, rows: str, draw: str = "", layout: str = "") -> Target:
    """A figure or a table: modules that make its rows and draw it, and the function that lays it out."""
    return Target(
        rows=f"{HERE}.{rows}:{name}",
        inputs=partial(cells.inputs_of, target=name),
        settings=partial(cells.table_settings, target=name),
        used=partial(cells.figure_config, figure=name),
        draw=draw and f"{HERE}.figures.{draw}:{name}",
        layout=layout,
        reads_published=name in ("table2", "tableS1", "tableX1"),
        is_view=name == "tableX1",
    )


STUDY = Study(
    name="ju2025",
    citation="Ju et al. 2025",
    block=Ju2025,
    published="ju2025/published.yaml",
    read="nqs.analysis.facts:read_facts",
    cells=cells.cells,
    check=memory.check,
    targets={
        "fig1": target("fig1", "tables.training", "motifs"),
        "fig2": target("fig2", "tables.training", "symmetry"),
        "fig3": target("fig3", "tables.training", "training"),
        "figS1": target("figS1", "tables.entanglement", "entanglement"),
        "figS2": target("figS2", "tables.entanglement", "entanglement"),
        "figX1": target("figX1", "tables.uniqueness", "uniqueness"),
        "figX2": target("figX2", "tables.landscape", "uniqueness"),
        "figX3": target("figX3", "tables.equal_settings", "equal_settings"),
        "table1": target("table1", "tables.identities", layout=f"{MARKDOWN}:table1"),
        "table2": target("table2", "tables.regressions", layout=f"{MARKDOWN}:table2"),
        "tableS1": target("tableS1", "tables.regressions", layout=f"{MARKDOWN}:tableS1"),
        "tableX1": target("tableX1", "claims.printed", layout="nqs.analysis.ledger.printed:markdown"),
    },
    claims=f"{HERE}.claims.ledger:CHECKS",
)
