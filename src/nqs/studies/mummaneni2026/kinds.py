"""Kinds of files behind the figures and the table of the study `mummaneni2026`."""

from __future__ import annotations

TABLE = "tableX1"  # a view of the ledger of claims
# Files of each cell behind a table; traces come in the order of the models.
PER_CELL: dict[str, tuple[str, ...]] = {
    "fig1": (),
    "fig2": ("models", "traces"),
    "fig3": ("models", "snapshots"),
    "fig4": ("models", "units", "weights"),
    "fig5": ("models", "states", "units"),
    "fig6": ("models", "states", "units"),
    "fig7": ("models", "states", "units"),
    "fig8": ("models", "states", "units"),
    "fig9": ("models", "states"),
    "fig10": ("models", "states"),
    "fig11": ("models", "states"),
    "fig12": ("models", "traces", "states"),
    "figX1": ("models", "states"),
    "figX2": ("models", "traces", "snapshots"),
    "figX3": ("models", "states"),
    "trained": ("models", "traces", "states", "units", "weights"),
    "ablated": ("states", "units"),
}
# Tables over all cells of the sweep that a table is made from.
ANALYSED: dict[str, tuple[str, ...]] = {
    "fig10": ("fractions", "power_laws"),
    "fig11": ("fractions", "power_laws"),
    "fig12": ("fractions",),
    "figX3": ("fractions", "power_laws", "sampled_fractions", "sampled_power_laws", "sampled_recovery"),
}


def needs(table: str) -> tuple[str, ...]:
    """All kinds of files behind a table, those of its cells first."""
    return (*PER_CELL[table], *ANALYSED.get(table, ()))
