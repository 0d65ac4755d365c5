"""Definitions as text that does not depend on layout, or on where the definitions are and how they are imported."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from nqs.workflow.code_names import Definition, Module, Scope, bound, imported, is_bare, parameters

UNHASHED = {"ctx", "kind", "type_comment", "returns", "annotation"}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Link(NamedTuple):
    """What a dotted name stands for: a text without module names, and the definitions behind it."""

    text: str
    uses: tuple[Definition, ...] = ()


@cache
def hashed(fields: tuple[str, ...]) -> list[str]:
    """Those fields of a node that enter its text."""
    return [name for name in fields if name not in UNHASHED]


class Text:
    """Text of statements in which names are canonical, and the definitions that they use."""

    def __init__(self, link: Callable[[str], Link], module: Module, statements: list[ast.stmt]) -> None:
        self.link, self.module = link, module
        self.parts: list[str] = []
        self.uses: dict[Definition, int] = {}
        self.scope: Scope = {}
        self.silent = False  # imports are left to the places where their names are used
        self.add(statements)

    def add(self, value: Any) -> None:
        """Add what a field holds."""
        WRITERS.get(type(value), Text.add_fields if isinstance(value, ast.AST) else Text.add_plain)(self, value)

    def add_plain(self, value: Any) -> None:
        """Add what is neither a node nor a list."""
        self.parts.append(f" {value!r}")

    def add_list(self, values: list[Any]) -> None:
        """Add the items of a list."""
        self.parts.append("[")
        for value in values:
            if not is_bare(value):
                self.add(value)
        self.parts.append("]")

    def add_fields(self, node: ast.AST) -> None:
        """Add a node field by field."""
        self.parts.append(f"({type(node).__name__}")
        for name in hashed(node._fields):
            value = getattr(node, name, None)
            if value is not None and value != []:
                self.parts.append(f" {name}=")
                self.add(value)
        self.parts.append(")")

    def add_constant(self, node: ast.Constant) -> None:
        """Add a constant, which may be None."""
        self.parts.append(f"#{node.value!r}")

    def add_link(self, dotted: str) -> None:
        """Add what a dotted name stands for; numbers tell definitions of one name apart."""
        link = self.link(dotted)
        numbers = [str(self.uses.setdefault(use, len(self.uses))) for use in link.uses]
        self.parts.append(f"{link.text}{numbers if numbers else ''}")

    def add_chain(self, node: ast.Name | ast.Attribute) -> None:
        """Add a name and its attributes, through imports to what they stand for."""
        attributes: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            attributes.insert(0, root.attr)
            root = root.value
        if isinstance(root, ast.Name):
            self._add_named(root, "".join(f".{name}" for name in attributes))
        else:
            self.add(root)
            self.parts += [f".{name}" for name in attributes]

    def _add_named(self, node: ast.Name, attributes: str) -> None:
        """Add a name with its attributes."""
        sources = self._sources_of(node)
        for source in sources:
            self.add_link(source + attributes)
        if not sources:
            self.parts.append(f" {node.id}{attributes}")

    def _sources_of(self, node: ast.Name) -> tuple[str, ...]:
        """Dotted names that a name stands for; none for what is local or built in."""
        if not isinstance(node.ctx, ast.Load):
            return ()
        local = self.scope.get(node.id)
        return self._global_sources(node.id) if local is None else local

    def _global_sources(self, name: str) -> tuple[str, ...]:
        """Dotted names that a top-level name of the module stands for."""
        own = (f"{self.module.name}.{name}",) if name in self.module.statements else ()
        return own + self.module.imports.get(name, ())

    def add_global(self, node: ast.Global) -> None:
        """Add names that a function assigns outside itself."""
        for name in node.names:
            self.parts.append(f" global {name}")
            for source in self._global_sources(name):
                self.add_link(source)

    def add_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Add an import whose failure or choice matters."""
        for _, source in imported(node, self.module.package):
            if not self.silent:
                self.parts.append(" import ")
                self.add_link(source)

    def add_try(self, node: ast.Try | ast.TryStar) -> None:
        """Add a statement in which also imports matter."""
        outer, self.silent = self.silent, False
        self.add_fields(node)
        self.silent = outer

    def add_within(self, names: Scope, *values: Any) -> None:
        """Add what stands in an inner scope."""
        outer, self.scope = self.scope, self.scope | names
        for value in values:
            self.add(value)
        self.scope = outer

    def add_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Add a function: decorators and defaults belong to the scope around it."""
        self.parts.append(f"({type(node).__name__} {getattr(node, 'name', '')}")
        self.add(getattr(node, "decorator_list", []))
        self.add(node.args)
        body = node.body if isinstance(node.body, list) else [node.body]
        outer, self.silent = self.silent, True
        self.add_within(parameters(node.args) | bound(body, self.module.package), body)
        self.silent = outer
        self.parts.append(")")

    def add_comprehension(self, node: Any) -> None:
        """Add a comprehension, whose first iterable belongs to the scope around it."""
        targets = bound([part.target for part in node.generators], self.module.package)
        self.parts.append("(")
        self.add(node.generators[0].iter)
        self.add_within(targets, *(getattr(node, name) for name in node._fields))
        self.parts.append(f" {type(node).__name__})")

    def add_class(self, node: ast.ClassDef) -> None:
        """Add a class; annotations make the fields of dataclasses and models."""
        self.parts.append(f"(ClassDef {node.name}")
        for value in (node.decorator_list, node.bases, node.keywords):
            self.add(value)
        self.add(node.body)
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign):
                self.parts.append(" field ")
                self.add(statement.target)
                self.add(statement.annotation)
        self.parts.append(")")

    def add_annotated(self, node: ast.AnnAssign) -> None:
        """Add an assignment without its annotation."""
        if node.value is not None:
            self.add_fields(ast.Assign(targets=[node.target], value=node.value))


WRITERS: dict[type, Callable[[Text, Any], None]] = {
    str: Text.add_plain,
    list: Text.add_list,
    ast.Constant: Text.add_constant,
    **dict.fromkeys((ast.Name, ast.Attribute), Text.add_chain),
    **dict.fromkeys((ast.Import, ast.ImportFrom), Text.add_import),
    **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda), Text.add_function),
    **dict.fromkeys(COMPREHENSIONS, Text.add_comprehension),
    ast.ClassDef: Text.add_class,
    ast.AnnAssign: Text.add_annotated,
    ast.Global: Text.add_global,
    **dict.fromkeys((ast.Try, ast.TryStar), Text.add_try),
}
