"""Write the pages that quote results, or say which are not current: `./nqs pages`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nqs.runtime.files import atomic
from nqs.workflow.pages import gallery, quoted


def made(project: Path) -> Iterator[tuple[Path, str]]:
    """Every page with the text that it should have."""
    for page in quoted.PAGES:
        yield project / page, quoted.filled((project / page).read_text(encoding="utf-8"), project)
    listed, readme = gallery.pages(project)
    yield project / gallery.PAGE, listed
    yield project / "README.md", readme


def main(project: Path, check: bool) -> int:
    """Write all pages and thumbnails; with check only say what is not current. Returns an exit code."""
    if not check:
        for missing in gallery.draw(project):
            print(missing)
    stale = [(page, text) for page, text in made(project) if not page.exists() or page.read_text("utf-8") != text]
    for page, text in stale:
        if check:
            print(f"{page.relative_to(project)}: not current; run ./nqs pages")
        else:
            with atomic(page) as temporary:
                temporary.write_text(text, encoding="utf-8")
            print(f"{page.relative_to(project)}: written")
    return int(check and bool(stale))
