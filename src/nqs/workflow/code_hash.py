"""A hash of the code that a result depends on: editing what it reaches reruns it, and nothing else does.

An entry is "nqs.module:name", a function, class or constant of this package, or "nqs.module", all of them. The hash
covers the definitions that an entry reaches through the names they use, across modules. Comments, docstrings,
annotations and layout do not enter, nor do names of modules and imports from this package: a definition that moves, or
a module that is renamed, changes no hash.

What runs when a module is imported without binding a name (a registration, a loop) belongs to each of its definitions.
Constants annotated as `Registry` are not followed: whoever takes an entry of one names that entry as well, so that a
new entry changes nothing else. Neither are names in strings.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path

from nqs.workflow.module_names import Module, Name, Package, is_idle, note_import, read_module


@dataclass(frozen=True)
class Definition:
    """What binds one name: its text in canonical names, and the names of the package that it uses."""

    text: str
    uses: frozenset[Name]


class Sources:
    """The modules of a package below a folder, each parsed once."""

    def __init__(self, folder: Path, package: str) -> None:
        self.folder, self.package = folder, package
        self.names = Package(package, lambda module: self.path(module) is not None)
        self.modules: dict[str, Module | None] = {}
        self.definitions: dict[Name, Definition] = {}
        self.statements: dict[ast.stmt, Definition] = {}

    def path(self, module: str) -> Path | None:
        """File of a module of the package, or None if it is not one."""
        first, *rest = module.split(".")
        stem = self.folder.joinpath(*rest)
        files = (stem.with_suffix(".py"), stem / "__init__.py") if rest else (stem / "__init__.py",)
        return next((file for file in files if first == self.package and file.is_file()), None)

    def module(self, name: str) -> Module | None:
        """A module of the package, or None if it is not one."""
        if name not in self.modules:
            path = self.path(name)
            self.modules[name] = (
                None if path is None else read_module(self.names, ast.parse(path.read_text()).body, name)
            )
        return self.modules[name]

    def resolve(self, entry: str) -> list[Name]:
        """The definitions that an entry names; ValueError with the nearest name if there are none."""
        module, _, name = entry.partition(":")
        found = self.module(module)
        if found is None:
            raise ValueError(f"{module} is no module of {self.package}{nearest(module, self.all_modules)}")
        if not name:
            return [(module, one) for one in found.statements]
        origin = self.origin((module, name))
        if origin is None:
            raise ValueError(f"{module} has no {name}{nearest(name, found.statements)}")
        return [origin]

    @cached_property
    def all_modules(self) -> list[str]:
        """Names of all modules of the package."""
        files = (path.relative_to(self.folder).with_suffix("") for path in self.folder.rglob("*.py"))
        return sorted(".".join([self.package, *path.parts]).removesuffix(".__init__") for path in files)

    def origin(self, name: Name) -> Name | None:
        """Where a name is defined, through re-exports; None if it is no definition."""
        module = self.module(name[0])
        if module is None or name[1] in module.statements:
            return name if module else None
        if name[1] in module.own and module.own[name[1]][1]:
            return self.origin(module.own[name[1]])
        return None

    def definition(self, name: Name) -> Definition:
        """One definition in canonical form."""
        if name not in self.definitions:
            module = self.module(name[0])
            assert module is not None
            parts = [self.canonical(one, name[0], module) for one in (*module.statements[name[1]], *module.loose)]
            uses = frozenset().union(*(part.uses for part in parts)) - {name}
            self.definitions[name] = Definition("\n".join(part.text for part in parts), uses)
        return self.definitions[name]

    def canonical(self, statement: ast.stmt, name: str, module: Module) -> Definition:
        """One statement in canonical form, made once: it is changed on the way, and several names may share it."""
        if statement not in self.statements:
            form = Canonical(self, name, module)
            text = ast.dump(form.visit(statement))
            self.statements[statement] = Definition(text, frozenset(form.uses))
        return self.statements[statement]

    def reached(self, entries: Iterable[str]) -> set[Name]:
        """All definitions that entries reach, themselves among them."""
        todo = [name for entry in entries for name in self.resolve(entry)]
        seen: set[Name] = set()
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.definition(name).uses - seen
        return seen

    def hash(self, entries: Iterable[str]) -> str:
        """Sixteen hexadecimal digits of all that entries reach, whatever their order and homes."""
        texts = sorted(self.definition(name).text for name in self.reached(entries))
        return hashlib.sha256("\n\n".join(texts).encode()).hexdigest()[:16]


def nearest(name: str, known: Iterable[str]) -> str:
    """An offer of the most similar name."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"; did you mean {near[0]}?" if near else ""


class Canonical(ast.NodeTransformer):
    """Replaces names of the package by the names of their definitions, and notes them; drops what does not compute."""

    def __init__(self, sources: Sources, name: str, module: Module) -> None:
        self.sources, self.name, self.module = sources, name, module
        self.uses: set[Name] = set()
        self.own, self.foreign = dict(module.own), dict(module.foreign)

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        return self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return self._import(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> ast.AST | None:
        """Imports inside functions bind like those above; only foreign ones stay."""
        here = Module()
        note_import(self.sources.names, here, node, self.name)
        self.own |= here.own
        self.foreign |= here.foreign
        return ast.Pass()

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._known((node.id,)) or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._known(chain(node)) or self.generic_visit(node)

    def _known(self, parts: tuple[str, ...]) -> ast.AST | None:
        """The canonical form of a name or chain of attributes that leads out of the definition; None of any other."""
        if not parts:
            return None
        first, *rest = parts
        if first in self.own:
            return self._own(self.own[first], rest)
        if first in self.module.statements:
            return self._use((self.name, first), rest)
        if first in self.foreign:
            return attributes(ast.Name(self.foreign[first]), rest)
        return None

    def _own(self, name: Name, rest: list[str]) -> ast.AST | None:
        """Follow a module to the definition that the attributes name."""
        module, definition = name
        while not definition and rest:
            if self.sources.path(f"{module}.{rest[0]}") is not None:
                module, rest = f"{module}.{rest[0]}", rest[1:]
            else:
                definition, rest = rest[0], rest[1:]
        return self._use((module, definition), rest) if definition else None

    def _use(self, name: Name, rest: list[str]) -> ast.AST:
        """Note a definition and write its own name; registries are not followed."""
        origin = self.sources.origin(name)
        if origin is None:
            return attributes(ast.Name(name[1]), rest)
        if not self._is_registry(origin):
            self.uses.add(origin)
        return attributes(ast.Name(origin[1]), rest)

    def _is_registry(self, name: Name) -> bool:
        module = self.sources.module(name[0])
        return module is not None and name[1] in module.registries

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self.generic_visit(bare(node))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.generic_visit(bare(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = without_docstring(node.body)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node


def bare(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """A function without docstring and annotations."""
    node.body, node.returns = [unannotated(one) for one in without_docstring(node.body)], None
    return node


def unannotated(statement: ast.stmt) -> ast.stmt:
    """x: T = 1 as x = 1."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return ast.Assign([statement.target], statement.value, lineno=1)
    return statement


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a function or class that do something."""
    return [one for one in body if not is_idle(one)] or [ast.Pass()]


def chain(node: ast.expr) -> tuple[str, ...]:
    """("a", "b", "c") of a.b.c; () of anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts, node = [node.attr, *parts], node.value
    return (node.id, *parts) if isinstance(node, ast.Name) else ()


def attributes(base: ast.expr, names: Iterable[str]) -> ast.expr:
    """base.a.b of the names a, b."""
    for name in names:
        base = ast.Attribute(base, name)
    return base


@cache
def package_sources() -> Sources:
    """The sources of this package."""
    package = __name__.split(".")[0]
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Sources(Path(spec.submodule_search_locations[0]), package)


@cache
def code_hash(*entries: str) -> str:
    """Sixteen hexadecimal digits that change when the code behind these entries does."""
    return package_sources().hash(entries)


def resolve(entry: str) -> None:
    """ValueError if an entry names nothing."""
    package_sources().resolve(entry)


def reached(*entries: str) -> Mapping[str, list[str]]:
    """The definitions that entries reach, by module."""
    found: dict[str, list[str]] = {}
    for module, name in sorted(package_sources().reached(entries)):
        found.setdefault(module, []).append(name)
    return found
