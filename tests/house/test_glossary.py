"""docs/glossary.md: each word has one meaning, and everything it points at is in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from chatferry.cli.app import command_line
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.destinations import PauseKind
from chatferry.ledger.tables import destinations, metadata
from chatferry.settings.keys import keys

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "chatferry"
PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| word |")
]
WORDS = [row[0].replace("`", "") for row in ROWS]
PLACES = sorted({place for row in ROWS for place in re.findall(r"`([^`]+)`", row[2])})
ROOMS = ("accept", "sync", "deliver", "operations", "ledger/deliveries")
"""The rooms whose modules are each named for a concept; the others also hold what every program has."""


def defined(tree: ast.AST) -> Iterator[str]:
    """Every name that a module defines: classes, functions, parameters, variables and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
            if isinstance(node, ast.ClassDef):
                functions = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
                yield from (f"{node.name}.{name}" for name in functions)
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Everything a place in the table can be: a name, a module, a column, a setting, a command."""
    modules = list(CORE.rglob("*.py"))
    names = {name for module in modules for name in defined(ast.parse(module.read_text(encoding="utf-8")))}
    columns = {str(column) for table in metadata.tables.values() for column in table.columns}
    return names | columns | {str(module.relative_to(CORE)) for module in modules} | {k.place for k in keys()}


def is_command(typed: str) -> bool:
    """Whether this can be typed: a command, or one of a group."""
    found: click.Command | None = command_line()
    for word in typed.split()[1:]:
        found = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
    return found is not None


@pytest.mark.parametrize("place", PLACES)
def test_what_a_word_points_at_exists(place, known):
    assert is_command(place) if place.startswith("chatferry ") else place in known


def test_a_word_has_one_meaning():
    assert len(ROWS) > 60
    assert [row for row in ROWS if len(row) != 3 or not row[1].endswith(".")] == []
    assert [word for word in set(WORDS) if WORDS.count(word) > 1] == []
    assert [module for module in PLACES if module.endswith(".py") and PAGE.count(f"`{module}`") > 1] == []


@pytest.mark.parametrize("value", [*DeliveryState, *PauseKind])
def test_every_state_and_every_kind_of_pause_is_a_word(value):
    kind = "state" if isinstance(value, DeliveryState) else "pause"
    assert f"{value} ({kind})" in WORDS


def test_the_columns_of_a_pause_are_named():
    columns = {str(column) for column in destinations.columns if "pause" in column.name}
    assert len(columns) == 3
    assert columns <= set(PLACES)


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_of_a_room_belongs_to_a_word(room):
    modules = {f"{room}/{path.name}" for path in (CORE / room).glob("*.py") if path.name != "__init__.py"}
    assert modules
    assert modules <= set(PLACES)
