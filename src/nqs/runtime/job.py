"""What a stage, a table or a figure is handed: settings, files by kind, and how to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from nqs.runtime.errors import InputError

Files = Mapping[str, Sequence[Path]]  # kind of file -> one path per cell, or one path in all


@dataclass(frozen=True)
class Job:
    """One call of `python -m nqs`.

    code: hash of the code, so that checkpoints of other code are not resumed; save_every: seconds between checkpoints.
    """

    settings: Mapping[str, Any]
    inputs: Files
    outputs: Mapping[str, Path]
    threads: int = 1
    device: str = "auto"
    code: str = ""
    checkpoints: Path | None = None
    save_every: float = 20.0

    def file(self, kind: str) -> Path:
        """The only input of its kind; InputError if there is none or several."""
        found = self.inputs.get(kind, ())
        if len(found) != 1:
            raise InputError(f"needs one file of kind {kind}, --input {kind}=PATH; has {len(found)}")
        return found[0]

    def out(self, kind: str) -> Path:
        """Where an output goes; InputError if the call does not say."""
        if kind not in self.outputs:
            raise InputError(f"does not say where its {kind} go: --output {kind}=PATH")
        return self.outputs[kind]


def function(entry: str) -> Any:
    """The function, class or constant that a name such as "nqs.exact.blocks:stage" stands for."""
    module, _, name = entry.partition(":")
    return getattr(import_module(module), name)
