"""Answers about the sources, kept between runs: reading all sources takes longer than a run with nothing to do.

They hold for one content of all sources and one Python; a file that is damaged, or from other sources, counts as none.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path


class KeptAnswers:
    """Texts by question, read from a file and written back at the end of the process; in memory only without one."""

    def __init__(self) -> None:
        self.file: Path | None = None
        self.state = ""
        self.answers: dict[str, str] = {}
        self.new = False

    def keep_in(self, file: Path, sources: Iterable[Path]) -> None:
        """Use a file from now on, as far as it tells of these sources."""
        if self.file is None:
            atexit.register(self.save)
        self.file, self.state, self.new = file, state_of(sources), False
        self.answers = read(file, self.state)

    def answer(self, question: str, find: Callable[[], str]) -> str:
        """The known answer to a question, or the one found now."""
        if question not in self.answers:
            self.answers[question] = find()
            self.new = True
        return self.answers[question]

    def save(self) -> None:
        """Write the file if there is something new; a disk that takes none only costs time in the next run."""
        if self.file is None or not self.new:
            return
        part = self.file.with_name(f"{self.file.name}.{os.getpid()}.part")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({"state": self.state, "answers": self.answers}), encoding="utf-8")
            part.replace(self.file)
        except OSError:
            with suppress(OSError):
                part.unlink()


def state_of(sources: Iterable[Path]) -> str:
    """Digest of files, their paths and the Python that reads them."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(sources):
        content = path.read_bytes()
        digest.update(f"\n{path} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def read(file: Path, state: str) -> dict[str, str]:
    """Answers in a file that were found in this state; none if there is no such file or it is damaged."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        answers = kept["answers"] if kept["state"] == state else {}
        return {str(question): str(answer) for question, answer in answers.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
