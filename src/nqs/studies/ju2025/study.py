"""What the figures and tables of the study `ju2025` are made from, and by which module.

The workflow and the stages read it here.
"""

from __future__ import annotations

FIGURES = ("fig1", "fig2", "fig3", "figS1", "figS2", "figX1", "figX2")
TABLES = ("table1", "table2", "tableS1", "tableX1")
# Kinds of files, of which there may be none: of cells of energy descent runs (_runs.csv), traces (_trace.parquet) and
# weights (.safetensors), of exact optima optima (.csv) and optima_arrays (.safetensors), and exact ground states.
NEEDS: dict[str, tuple[str, ...]] = {
    "fig1": ("runs", "weights", "ground_states"),
    "fig2": ("runs", "traces", "weights"),
    "fig3": ("runs", "optima"),
    "figS1": ("ground_states", "optima", "optima_arrays", "runs", "weights"),
    "figS2": ("ground_states",),
    "figX1": (),
    "figX2": ("optima", "optima_arrays", "runs"),
    "table1": ("ground_states",),
    "table2": ("ground_states", "optima", "optima_arrays", "runs", "weights"),
    "tableS1": ("optima", "optima_arrays"),
    "tableX1": ("ground_states", "optima", "optima_arrays", "runs", "traces", "weights"),
}
# Module of the study with the function of each target's name.
MODULES = {
    "fig1": "tables.training", "fig2": "tables.training", "fig3": "tables.training",
    "figS1": "tables.entanglement", "figS2": "tables.entanglement",
    "figX1": "tables.uniqueness", "figX2": "tables.landscape",
    "table1": "tables.identities", "table2": "tables.regressions", "tableS1": "tables.regressions",
    "tableX1": "claims.published",
}  # fmt: skip
