"""The names that a module binds at its top level, and those of the scopes within."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ON_IMPORT = "<import>"  # stands for the statements of a module that bind no name
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TARGETS = (ast.Name, ast.Tuple, ast.List, ast.Starred, ast.pattern)
BINDING = (ast.stmt, ast.ExceptHandler, ast.withitem, ast.match_case, *TARGETS)  # may hold nodes that bind a name

Scope = dict[str, tuple[str, ...]]  # name -> dotted names that it is imported from; none for other bindings


class Definition(NamedTuple):
    """A top-level name of a module."""

    module: str
    name: str

    def __str__(self) -> str:
        """As in an entry."""
        return f"{self.module}:{self.name}"


def is_bare(node: ast.AST) -> bool:
    """Whether a statement does nothing, as docstrings do."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def imported(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, str]]:
    """Names that an import binds, each with the dotted name of what it binds; relative to a package."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            first = alias.name.split(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (first, first)
        else:
            above = package.rsplit(".", node.level - 1)[0] if node.level else None
            source = ".".join(part for part in (above, node.module) if part)
            if alias.name == "*":
                raise ValueError(f"code_hash: a star import from {source} hides what is used; import names")
            yield alias.asname or alias.name, f"{source}.{alias.name}"


def binds(node: ast.AST) -> str | None:
    """The name that a node binds by itself."""
    if isinstance(node, ast.Name):
        return None if isinstance(node.ctx, ast.Load) else node.id
    if isinstance(node, ast.MatchMapping):
        return node.rest
    named = isinstance(node, (*DEFINITIONS, ast.ExceptHandler, ast.MatchAs, ast.MatchStar))
    return getattr(node, "name", None) if named else None


def bound(nodes: Iterable[ast.AST], package: str) -> Scope:
    """Names that statements bind in their scope, but for those that := binds."""
    names: Scope = {}
    todo = list(nodes)[::-1]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, source in imported(node, package):
                names[name] = (*names.get(name, ()), source)
            continue
        if (own := binds(node)) is not None:
            names.setdefault(own, ())
        if not isinstance(node, DEFINITIONS):
            todo += [part for part in ast.iter_child_nodes(node) if isinstance(part, BINDING)][::-1]
    return names


def parameters(arguments: ast.arguments) -> Scope:
    """Parameters of a function as names of its scope."""
    several = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return {part.arg: () for part in (*several, arguments.vararg, arguments.kwarg) if part}


def only_binds(node: ast.AST) -> bool:
    """Whether a top-level statement does nothing but give names a value."""
    if isinstance(node, ast.If | ast.Try | ast.TryStar):
        return all(only_binds(part) for part in ast.iter_child_nodes(node) if not isinstance(part, ast.expr))
    if isinstance(node, ast.ExceptHandler):
        return all(map(only_binds, node.body))
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Name | ast.Tuple | ast.List) for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name)
    return is_bare(node) or isinstance(node, (*DEFINITIONS, ast.Import, ast.ImportFrom))


def last_name(node: ast.expr) -> str:
    """The name of a type without its module and its arguments."""
    node = node.value if isinstance(node, ast.Subscript) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def top_level_names(node: ast.stmt, package: str) -> list[str]:
    """Names whose definition a top-level statement is."""
    if isinstance(node, DEFINITIONS):
        return [node.name]
    inner = {part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr)}
    return sorted(inner | bound([node], package).keys()) + [ON_IMPORT] * (not only_binds(node))


class Module:
    """Top-level names of a file: what they are imported from, or the statements that bind them."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        self.tree = ast.parse(path.read_text())
        self.imports: Scope = {}
        self.statements: dict[str, list[ast.stmt]] = {}
        self.registries: set[str] = set()
        for statement in self.tree.body:
            self._add(statement)

    def _add(self, node: ast.stmt) -> None:
        """Sort in a top-level statement."""
        if isinstance(node, ast.If) and last_name(node.test) == "TYPE_CHECKING":
            for part in node.body + node.orelse:
                self._add(part)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name, sources in bound([node], self.package).items():
                self.imports[name] = self.imports.get(name, ()) + sources
        elif not is_bare(node):
            names = top_level_names(node, self.package)
            for name in names:
                self.statements.setdefault(name, []).append(node)
            if isinstance(node, ast.AnnAssign) and last_name(node.annotation) == "Registry":
                self.registries.update(names)

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """All that is followed where the module itself is used."""
        return tuple(Definition(self.name, name) for name in sorted(self.statements.keys() - self.registries))
