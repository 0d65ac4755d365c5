"""A hash of the code behind a result, so that an edit reruns what depends on it and nothing else.

An entry is "nqs.module:definition" or "nqs.module", which stands for all definitions of the module. Its hash covers the
top-level functions, classes and constants that it reaches by name, across modules, and what these modules run on
import. Comments, docstrings, layout and annotations (but for those of class fields) do not enter, nor do the names of
modules and aliases: a definition can move. Registries (nqs.runtime.registry) are not followed, and neither are names in
strings, importlib, or own modules that are imported for their side effects alone.
"""

from __future__ import annotations

import difflib
import gc
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import NamedTuple

import nqs
from nqs.runtime.numba_cache import writable
from nqs.workflow.code_names import ON_IMPORT, Definition, Module
from nqs.workflow.code_text import Link, Text
from nqs.workflow.kept_answers import KeptAnswers


class Content(NamedTuple):
    """Digest of a definition's own text, and the definitions that it uses, in the order of the text."""

    digest: bytes
    uses: tuple[Definition, ...]


def sha(*parts: bytes) -> bytes:
    """Digest of byte strings of equal length, or of one."""
    return hashlib.sha256(b"".join(parts)).digest()


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Pause a collector that would go through all syntax trees again and again: half of the time to parse them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like a name, as a question."""
    return "".join(f"; did you mean {near}?" for near in difflib.get_close_matches(name, known, n=1, cutoff=0.0))


class Sources:
    """Definitions of a package, read from its files as far as they are needed."""

    def __init__(self, root: Path, package: str) -> None:
        self.package = package
        self.paths = {self._module_name(path.relative_to(root)): path for path in sorted(root.rglob("*.py"))}
        self.module = cache(lambda name: Module(name, self.paths[name]))
        self.link = cache(self._link)
        self.content = cache(self._content)

    def _module_name(self, path: Path) -> str:
        """Dotted name of a file in the package's folder."""
        parts = path.with_suffix("").parts
        return ".".join([self.package, *(parts[:-1] if parts[-1] == "__init__" else parts)])

    def _owner(self, dotted: str) -> tuple[Module | None, list[str]]:
        """The module that a dotted name begins with, and the names after it."""
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            if (name := ".".join(parts[:cut])) in self.paths:
                return self.module(name), parts[cut:]
        return None, parts

    def _link(self, dotted: str) -> Link:
        """What a dotted name stands for, through modules and re-exports."""
        module, names = self._owner(dotted)
        if module is None:
            return Link(f":{dotted}")
        if not names:
            return Link("@module", module.definitions)
        name, attributes = names[0], "".join(f".{part}" for part in names[1:])
        links = [self.link(f"{source}{attributes}") for source in module.imports.get(name, ())]
        if name in module.statements:
            uses = () if name in module.registries else (Definition(module.name, name),)
            links.append(Link(f"@{name}{attributes}", uses))
        if not links:
            links.append(Link(f"@module.{name}{attributes}", () if name.startswith("__") else module.definitions))
        return Link("|".join(link.text for link in links), tuple(use for link in links for use in link.uses))

    def _content(self, definition: Definition) -> Content:
        """Text and uses of a definition, with what its module and the packages around it run on import."""
        module = self.module(definition.module)
        text = Text(self.link, module, module.statements[definition.name])
        parts = module.name.split(".")
        around = [".".join(parts[:cut]) for cut in range(1, len(parts) + 1)]
        on_import = [
            Definition(name, ON_IMPORT)
            for name in around
            if name in self.paths and ON_IMPORT in self.module(name).statements
        ]
        return Content(sha("".join(text.parts).encode()), (*text.uses, *on_import))

    def _known(self, name: str) -> Module:
        """The module of this name; ValueError if there is none."""
        if name not in self.paths:
            raise ValueError(f"code_hash: {name} is not a module of this package{nearest(name, self.paths)}")
        return self.module(name)

    def definitions(self, entry: str) -> tuple[Definition, ...]:
        """Definitions that an entry names."""
        name, colon, definition = entry.partition(":")
        module = self._known(name)
        if definition in module.registries:
            return (Definition(name, definition),)
        uses = self.link(f"{name}.{definition}").uses if definition in module.statements | module.imports else ()
        if colon and not uses:
            raise ValueError(f"code_hash: {name} does not define {definition}{nearest(definition, module.statements)}")
        if not uses and not module.definitions:
            raise ValueError(f"code_hash: {name} defines nothing")
        return uses or module.definitions

    def reach(self, *entries: str) -> list[Definition]:
        """All definitions that entries use, directly or not, sorted."""
        with without_garbage_collection():
            todo = [definition for entry in entries for definition in self.definitions(entry)]
            seen: set[Definition] = set()
            while todo:
                if (definition := todo.pop()) not in seen:
                    seen.add(definition)
                    todo += self.content(definition).uses
        return sorted(seen)

    def code_hash(self, *entries: str) -> str:
        """Sixteen hexadecimal digits of all that is reached.

        A definition's digest takes in the digests of what it uses, until that tells no more definitions apart.
        """
        contents = {definition: self.content(definition) for definition in self.reach(*entries)}
        digests = {definition: content.digest for definition, content in contents.items()}
        kinds = 0
        while kinds < len(set(digests.values())):
            kinds = len(set(digests.values()))
            digests = {
                definition: sha(digests[definition], *(digests[use] for use in content.uses))
                for definition, content in contents.items()
            }
        return sha(*sorted(set(digests.values()))).hex()[:16]

    def files_of(self, *entries: str) -> list[Path]:
        """Files that hold what is reached, sorted."""
        return sorted({self.paths[definition.module] for definition in self.reach(*entries)})


@cache
def sources() -> Sources:
    """The sources of this package."""
    return Sources(Path(nqs.__path__[0]), nqs.__name__)


KEPT = KeptAnswers()


def keep_answers(beside_results: Path) -> None:
    """Remember hashes and names from run to run, for as long as no source changes.

    The file lies where Python keeps bytecode, so that runs in other folders find it, or else beside the results.
    """
    folder = Path(cache_from_source(nqs.__file__)).parent
    KEPT.keep_in(folder / "code_answers.json" if writable(folder) else beside_results, sources().paths.values())


@cache
def code_hash(*entries: str) -> str:
    """Sixteen hexadecimal digits that change when the code behind these entries does, in whatever order they come."""
    entries = tuple(sorted({*entries}))
    return KEPT.answer(f"hash {' '.join(entries)}", lambda: sources().code_hash(*entries))


def reached(*entries: str) -> list[str]:
    """Everything that the hash of these entries covers, as module:name."""
    return [str(definition) for definition in sources().reach(*entries)]


def files_of(*entries: str) -> list[Path]:
    """Files that hold what the hash of these entries covers."""
    return sources().files_of(*entries)


def resolve(entry: str) -> None:
    """ValueError if an entry names nothing."""
    KEPT.answer(f"definitions {entry}", lambda: str(len(sources().definitions(entry))))
