"""Small pictures of the figures for docs/gallery.md."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image, PngImagePlugin

from nqs.runtime.errors import BrokenFileError
from nqs.runtime.files import atomic
from nqs.workflow.report.pictures import picture

WIDTH = 360  # pixels
LARGEST = 40_000  # bytes
COLOURS = (128, 64, 32, 16, 8)
TABLE = "nqs table"  # key in the PNG: SHA-256 of the table that the figure was drawn from


def write(figure: Path, table: str, out: Path) -> None:
    """Write a figure small enough, with the hash of its table; BrokenFileError if it cannot be made small enough."""
    for colours in COLOURS:
        small = picture(figure, WIDTH, colours)
        if len(small.png) < LARGEST - 500:  # room for the hash
            break
    else:
        raise BrokenFileError(f"{figure}: more than {LARGEST} bytes at {WIDTH} pixels; draw it with fewer marks")
    with atomic(out) as temporary:
        temporary.write_bytes(small.png)
        text = PngImagePlugin.PngInfo()
        text.add_text(TABLE, table)
        with Image.open(temporary) as image:
            image.load()
            image.save(temporary, "PNG", optimize=True, pnginfo=text)


def table_of(thumbnail: Path) -> str:
    """The hash that a thumbnail holds; empty if it holds none."""
    with Image.open(thumbnail) as image:
        return str(image.info.get(TABLE, ""))


def table_in(record: Path) -> str:
    """Hash of the table of rows that a figure was drawn from, as its record says; empty if it says none."""
    try:
        inputs = json.loads(record.read_text(encoding="utf-8"))["inputs"]
    except (OSError, ValueError, KeyError):
        return ""
    return next((digest for name, digest in inputs.items() if name.endswith(".csv")), "")
