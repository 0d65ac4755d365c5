"""Captions (reStructuredText) and notes (Markdown) as HTML that asks for no other file."""

from __future__ import annotations

import re
from functools import cache

from docutils.core import publish_parts
from markdown_it import MarkdownIt
from markupsafe import Markup

COMMENT = re.compile(r"<!--.*?-->", re.S)
PANEL = re.compile(r"^\((\w)\)", re.M)  # (a) at the start of a line names a panel, and begins no list
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\([^)]+\)")
SAFE = {  # nothing of a caption may read a file, pass HTML through or end the program
    "file_insertion_enabled": False, "raw_enabled": False, "report_level": 5, "halt_level": 6,
    "doctitle_xform": False, "input_encoding": "unicode", "math_output": "MathML",
}  # fmt: skip


def caption(text: str) -> Markup:
    """A caption in reStructuredText as HTML."""
    text = PANEL.sub(r"\\(\1)", text)
    return Markup(publish_parts(text, writer="html5", settings_overrides=SAFE)["body"])


def first_sentence(text: str) -> str:
    """The first sentence of a caption, for readers who do not see the picture."""
    plain = " ".join(text.split())
    return re.split(r"(?<=[a-z\d)])\. (?=[A-Z(])", plain, maxsplit=1)[0].rstrip(".")


@cache
def parser() -> MarkdownIt:
    """Markdown with tables; HTML in it is shown as text, pictures are not fetched."""
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def without_links(text: str) -> str:
    """Markdown without comments, pictures and the addresses of its links."""
    lines = [line for line in COMMENT.sub("", text).splitlines() if not line.startswith("![")]
    return LINK.sub(r"\1", "\n".join(lines))


def markdown(text: str) -> Markup:
    """Markdown as HTML."""
    return Markup(parser().render(without_links(text)))
