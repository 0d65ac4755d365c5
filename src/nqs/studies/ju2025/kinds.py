"""Kinds of files behind the figures and tables of the study `ju2025`."""

from __future__ import annotations

# Kinds of files, of which there may be none: of cells of energy descent runs (_runs.csv), traces (_trace.parquet) and
# weights (.safetensors), of exact optima optima (.csv) and optima_arrays (.safetensors), and exact ground states; of
# the targets of the study their tables of rows.
NEEDS: dict[str, tuple[str, ...]] = {
    "fig1": ("runs", "weights", "ground_states"),
    "fig2": ("runs", "traces", "weights"),
    "fig3": ("runs", "optima"),
    "figS1": ("ground_states", "optima", "optima_arrays", "runs", "weights"),
    "figS2": ("ground_states",),
    "figX1": (),
    "figX2": ("optima", "optima_arrays", "runs"),
    "figX3": ("runs",),
    "table1": ("ground_states",),
    "table2": ("ground_states", "optima", "optima_arrays", "runs", "weights"),
    "tableS1": ("optima", "optima_arrays"),
    "tableX1": ("table",),
}
