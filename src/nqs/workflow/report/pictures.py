"""Figures inside the page: PNG as data URIs, small enough together."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from nqs.runtime.errors import BrokenFileError

BUDGET = 9_000_000  # bytes of all pictures, before base64 makes them a third longer
WIDTHS = (1800, 1400, 1100, 800, 600)  # pixels; the first that fits the budget
COLOURS = 256
WHITE = 250  # a palette rounds; channels from here on are full, so that white paper stays white


@dataclass(frozen=True)
class Picture:
    """A PNG with its size in pixels."""

    png: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The picture as an address that holds it."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


def pictures(paths: Sequence[Path], budget: int = BUDGET) -> dict[Path, Picture]:
    """All figures, at the largest width at which they fit the budget together, or at the smallest there is."""
    for width in WIDTHS:
        made = {path: picture(path, width) for path in paths}
        if sum(len(one.png) for one in made.values()) <= budget:
            break
    return made if paths else {}


def picture(path: Path, width: int, colours: int = COLOURS) -> Picture:
    """A figure on a white ground with a palette, at most so many pixels wide; BrokenFileError if it is no picture."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGBA")
    except OSError as error:
        raise BrokenFileError(f"{path}: not a picture ({error}); delete it and make it again") from None
    white = Image.new("RGBA", image.size, "white")
    image = Image.alpha_composite(white, image).convert("RGB")
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    return Picture(palette_png(image, colours), *image.size)


def palette_png(image: Image.Image, colours: int) -> bytes:
    """A picture with a palette as PNG."""
    out = io.BytesIO()
    reduced = image.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    reduced.putpalette([255 if value >= WHITE else value for value in reduced.getpalette() or []])
    reduced.save(out, "PNG", optimize=True)
    return out.getvalue()
