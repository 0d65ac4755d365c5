"""A figure on disk, with its provenance beside it and its id inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from nqs.runtime.files import atomic
from nqs.runtime.provenance import write_record

PNG_DPI = 200


def save_figure(fig: Figure, stem: Path, record: Mapping[str, Any]) -> None:
    """Write `stem`.pdf, .png and .json (`record`), each whole or not at all.

    The id is in the PDF's keywords and the PNG's text; no dates, so equal figures are equal bytes.
    """
    mark = f"nqs provenance {record['id']}"
    lay_out(fig)
    # Appended, not `with_suffix`: a stem may hold a dot.
    with (
        atomic(Path(f"{stem}.pdf")) as pdf,
        atomic(Path(f"{stem}.png")) as png,
    ):
        title = str(record["figure"])
        dates = {"CreationDate": None, "ModDate": None}
        fig.savefig(pdf, format="pdf", metadata={"Title": title, "Keywords": mark} | dates)
        fig.savefig(png, format="png", dpi=PNG_DPI, metadata={"Title": title, "Description": mark})
        write_record(Path(f"{stem}.json"), record)


def lay_out(fig: Figure) -> None:
    """Place everything once, for both files: the layout takes as long as the drawing.

    Measured in the pixels of the PNG, whose type is a little wider than that of the PDF.
    """
    fig.set_dpi(PNG_DPI)
    if engine := fig.get_layout_engine():
        engine.execute(fig)
        fig.set_layout_engine("none")
