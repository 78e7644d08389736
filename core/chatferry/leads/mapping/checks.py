"""Static checks of expressions, made at the start instead of on the first lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from chatferry.leads.mapping.empty import Lookup
from chatferry.leads.mapping.expressions import NAMES, SHAPES, Expressions
from chatferry.settings.fields import nearest

_SHOWN = 80
"""Characters of an expression that are repeated in a message about it as a whole."""


def problems_of(source: str, language: Expressions) -> Iterator[str]:
    """Return what is wrong with an expression: its syntax, or names that do not exist."""
    if not source.strip():
        yield "the expression is empty; to leave a field out, leave its line out"
        return
    try:
        expression = language.read(source)
    except TemplateSyntaxError as error:
        yield f'"{source}" is no expression: {error.message}'
        return
    except RecursionError:
        yield f'"{source[:60]}…" is nested too deeply'
        return
    found: dict[str, None] = {}
    tree = nodes.List([expression])
    for problem in (*_names(tree), *_attributes(tree), *_tools(tree, language)):
        found[f'{problem} in "{source}"'] = None
    yield from found or _not_computable(source, expression, language)


def _not_computable(source: str, expression: nodes.Expr, language: Expressions) -> Iterator[str]:
    """Say what cannot be compiled, and which part without a name cannot be computed, whatever the lead."""
    parts = [one for one in _operations(nodes.List([expression])) if one.find(nodes.Name) is None]
    shown = source if len(source) <= _SHOWN else f"{source[:_SHOWN]}…"
    try:
        language.bind([expression])
        for part in parts:
            language.bind([part])({})
    except (RecursionError, MemoryError, SyntaxError):
        yield f'"{shown}" is nested too deeply'
    except Exception as error:  # noqa: BLE001  (a constant may fail in any way)
        yield f'"{shown}" cannot be computed: {error}'


def _operations(tree: nodes.Node) -> Iterator[nodes.Expr]:
    yield from tree.find_all((nodes.BinExpr, nodes.Filter, nodes.Call))


def _names(tree: nodes.Node) -> Iterator[str]:
    for name in tree.find_all(nodes.Name):
        if name.name not in NAMES:
            yield _unknown("name", name.name, NAMES)


def _attributes(tree: nodes.Node) -> Iterator[str]:
    reads: list[nodes.Getattr | nodes.Getitem] = [
        *tree.find_all(nodes.Getattr),
        *tree.find_all(nodes.Getitem),
    ]
    for node in reads:
        attribute = _attribute(node)
        owner = _kind(node.node)
        if attribute is None or owner is None or owner is Lookup:
            continue
        shape = SHAPES.get(owner)
        known = shape if shape is not None else [name for name in dir(owner) if not name.startswith("_")]
        if attribute not in known:
            yield _unknown(f"attribute of {_written(node.node)}", attribute, known)


def _tools(tree: nodes.Node, language: Expressions) -> Iterator[str]:
    for node in tree.find_all(nodes.Filter):
        if node.name not in language.filters:
            yield _unknown("filter", node.name, language.filters)
    for test in tree.find_all(nodes.Test):
        if test.name not in language.tests:
            yield _unknown("test", test.name, language.tests)


def _attribute(node: nodes.Expr) -> str | None:
    """Return the name an attribute or a constant item is read by."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return node.arg.value if isinstance(node.arg.value, str) else None
    return None


def _kind(node: nodes.Expr) -> type | None:
    """Return the type of an expression, if it can be known without a lead."""
    if isinstance(node, nodes.Name):
        return NAMES.get(node.name)
    attribute = _attribute(node)
    if attribute is None or not isinstance(node, (nodes.Getattr, nodes.Getitem)):
        return None
    owner = _kind(node.node)
    if owner is Lookup:
        return str if isinstance(node.node, nodes.Name) else None
    return SHAPES.get(owner, {}).get(attribute) if owner else None


def _written(node: nodes.Expr) -> str:
    attribute = _attribute(node)
    if attribute is not None and isinstance(node, (nodes.Getattr, nodes.Getitem)):
        return f"{_written(node.node)}.{attribute}"
    return node.name if isinstance(node, nodes.Name) else "it"


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    hint = nearest(name, known) or f"; there are {', '.join(sorted(known))}"
    return f'there is no {what} called "{name}"{hint}'
