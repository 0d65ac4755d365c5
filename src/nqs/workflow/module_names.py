"""What a module of a package binds, imports and runs at its top level; see `nqs.workflow.code_hash`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

Name = tuple[str, str]  # module and definition
REGISTRY = "Registry"


@dataclass(frozen=True)
class Package:
    """The name of a package, and whether it has a module of a dotted name."""

    name: str
    has: Callable[[str], bool]


@dataclass
class Module:
    """What the top level of a module binds and imports."""

    statements: dict[str, list[ast.stmt]] = field(default_factory=dict)
    loose: list[ast.stmt] = field(default_factory=list)
    registries: set[str] = field(default_factory=set)
    own: dict[str, Name] = field(default_factory=dict)  # local name -> definition, or ("nqs.x", "") for a module
    foreign: dict[str, str] = field(default_factory=dict)  # local name -> dotted name outside the package


def read_module(package: Package, body: Iterable[ast.stmt], name: str) -> Module:
    """Sort the statements of a module into definitions, imports and what runs besides."""
    module = Module()
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            note_import(package, module, statement, name)
        elif bound := set(bound_names(statement)):
            for one in bound:
                module.statements.setdefault(one, []).append(statement)
            if isinstance(statement, ast.AnnAssign) and REGISTRY in names_in(statement.annotation):
                module.registries |= bound
            for inner in ast.walk(statement):
                if isinstance(inner, ast.Import | ast.ImportFrom) and not is_scope(statement):
                    note_import(package, module, inner, name)
        elif not is_idle(statement):
            module.loose.append(statement)
            for inner in ast.walk(statement):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    note_import(package, module, inner, name)
    return module


def is_scope(statement: ast.stmt) -> bool:
    """Whether names bound inside stay inside."""
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def is_idle(statement: ast.stmt) -> bool:
    """Docstrings, and blocks that only a type checker reads."""
    if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
        return True
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def bound_names(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement of the top level defines, inside branches and loops too; not those it imports."""
    if is_scope(statement):
        yield statement.name  # type: ignore[attr-defined]
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
    elif isinstance(statement, ast.If | ast.Try | ast.For | ast.With | ast.While) and not is_idle(statement):
        for node in ast.iter_child_nodes(statement):
            inner = node.body if isinstance(node, ast.ExceptHandler) else [node]
            for child in inner:
                if isinstance(child, ast.stmt):
                    yield from bound_names(child)


def note_import(package: Package, module: Module, statement: ast.Import | ast.ImportFrom, name: str) -> None:
    """Note what an import binds; ValueError for `from nqs.x import *`."""
    for local, dotted in imported(statement, name):
        if dotted.split(".")[0] != package.name:
            module.foreign[local] = dotted
        elif local == "*":
            raise ValueError(f"{name}: import * hides what it takes; name it")
        else:
            module.own[local] = own_name(package, dotted, isinstance(statement, ast.Import) and local == dotted)


def own_name(package: Package, dotted: str, whole: bool) -> Name:
    """A dotted name of the package as module and definition; the definition of a module is ""."""
    if whole or package.has(dotted):
        return dotted, ""
    module, _, name = dotted.rpartition(".")
    return module, name


def imported(statement: ast.Import | ast.ImportFrom, name: str) -> Iterator[tuple[str, str]]:
    """Local and dotted name of everything that an import binds."""
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            yield (alias.asname or alias.name.split(".")[0], alias.name if alias.asname else alias.name.split(".")[0])
        else:
            home = statement.module or ""
            if statement.level:
                home = ".".join([*name.split(".")[: -statement.level], *([home] if home else [])])
            yield alias.asname or alias.name, f"{home}.{alias.name}"


def names_in(annotation: ast.expr) -> set[str]:
    """All names in an annotation, quoted or not."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
