"""The house: imports point one way, by what is written and by what is loaded; nothing grows too large."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "chatferry"
PLUGINS = sorted((ROOT / "plugins").glob("*/src/chatferry_*"))

LAYERS = (
    {"_version", "errors", "model", "text"},
    {"connector", "strategy", "hookspecs", "isolation"},
    {"emulators"},
    {"settings"},
    {"logs", "schedule"},
    {"http", "iadvize", "leads", "ledger", "plugins", "records"},
    {"accept", "deliver", "sync"},
    {"engine"},
    {"assembly"},
    {"operations", "runners", "web"},
    {"cli"},
    {"__main__"},
)
"""From the bottom to the top. A room imports its own layer and those below, never one above."""

PUBLIC = {
    "chatferry",
    "chatferry.emulators",
    "chatferry.emulators.clock",
    "chatferry.emulators.journal",
    "chatferry.emulators.misbehaviour",
    "chatferry.emulators.stage",
    "chatferry.http",
    "chatferry.http.answer",
    "chatferry.http.client",
    "chatferry.http.exchange",
    "chatferry.http.outcomes",
    "chatferry.http.pace",
    "chatferry.http.tokens",
    "chatferry.isolation",
    "chatferry.records",
    "chatferry.text",
}
"""What a plugin may import at run time; its tests may also import ``chatferry.testing``."""

NOT_LOADED = {
    "chatferry": {"chatferry.plugins", "chatferry.ledger", "pluggy", "sqlalchemy", "flask", "requests"},
    "chatferry.web.asgi": {
        "chatferry.deliver",
        "chatferry.emulators",
        "chatferry.engine",
        "chatferry.iadvize.client",
        "chatferry.plugins",
        "chatferry.sync",
        "pluggy",
        "requests",
    },
    "chatferry.ledger.ledger": {
        "chatferry.engine",
        "chatferry.iadvize",
        "chatferry.plugins",
        "chatferry.sync",
        "flask",
        "pluggy",
        "requests",
    },
    "chatferry.iadvize.client": {"chatferry.ledger", "chatferry.plugins", "sqlalchemy"},
    "chatferry.leads.routing": {"chatferry.ledger", "chatferry.iadvize", "sqlalchemy"},
    "chatferry.engine": {"alembic", "chatferry.cli", "chatferry.runners", "chatferry.web", "flask"},
    "chatferry_csv": {"chatferry.engine", "chatferry.iadvize", "chatferry.ledger", "sqlalchemy"},
    "chatferry_hubspot": {"chatferry.engine", "chatferry.iadvize", "chatferry.ledger", "sqlalchemy"},
    "chatferry_salesforce": {"chatferry.engine", "chatferry.iadvize", "chatferry.ledger", "sqlalchemy"},
}
"""What importing a module must not bring into the process, by whatever way."""

VAGUE = {"utils", "helpers", "common", "base", "core", "misc"}
LONGEST_MODULE = 450
LONGEST_FUNCTION = 60


def modules(folder: Path, package: str) -> dict[str, Path]:
    """Return every module of a package by its dotted name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join((package, *(part for part in parts if part != "__init__")))
        found[name] = path
    return found


OURS = modules(CORE, "chatferry")
THEIRS = {name: path for one in PLUGINS for name, path in modules(one, one.name).items()}
ALL = {**OURS, **THEIRS}
SHIPPED = {name: path for name, path in OURS.items() if not name.startswith("chatferry.testing")}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, *, always: bool) -> Iterator[str]:
    """Yield the modules of ours a file imports; ``always`` leaves out late and typing imports."""
    for node in statements(tree(path), always=always):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("chatferry"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chatferry"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in ALL else str(node.module)


def statements(whole: ast.AST, *, always: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(whole):
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if always and (later or typing_only):
            continue
        yield node
        yield from statements(node, always=always)


def part(name: str) -> str:
    """Return which part of the core a module belongs to."""
    return name.split(".")[1] if "." in name else "chatferry"


def level(name: str) -> int:
    """Return the number of a module's layer; a part that has none yet needs one above."""
    found = [number for number, layer in enumerate(LAYERS) if part(name) in layer]
    assert len(found) == 1, f"{name} has no layer"
    return found[0]


def test_every_module_has_its_layer_and_imports_no_higher_one():
    above = {
        f"{name} imports {found}"
        for name, path in SHIPPED.items()
        for found in imports(path, always=True)
        if "chatferry" not in {name, found} and level(found) > level(name)
    }
    assert above == set()


def test_no_import_goes_round_in_circles():
    graph = {name: set(imports(path, always=True)) & ALL.keys() - {name} for name, path in ALL.items()}
    finished: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name not in finished:
            for further in graph[name]:
                visit(further, (*way, name))
            finished.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("module", sorted(NOT_LOADED))
def test_importing_a_module_loads_nothing_it_must_not_know(module):
    if module.startswith("chatferry_"):
        pytest.importorskip(module)
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {part for name in done.stdout.split() for part in (name, *_above(name))}
    assert loaded & NOT_LOADED[module] == set()


def _above(name: str) -> Iterator[str]:
    """Yield the packages a module lies in."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


KNOW_IADVIZE = {"accept", "assembly", "cli", "emulators", "engine", "iadvize", "runners", "sync", "web"}
"""The rooms that use the package ``iadvize``."""


def test_few_rooms_know_iadvize():
    found = {
        part(name)
        for name, path in SHIPPED.items()
        if any(one.startswith("chatferry.iadvize") for one in imports(path, always=False))
    }
    assert found <= KNOW_IADVIZE


def test_the_house_has_at_most_sixteen_rooms_and_twelve_files_at_the_top():
    rooms = [path.parent for path in CORE.glob("*/__init__.py")]
    files = [
        path.stem for path in CORE.glob("*.py") if not path.stem.startswith("_") or path.stem == "__init__"
    ]
    assert len(rooms) <= 16
    assert len(files) <= 12, files


def test_a_deliverys_state_is_written_in_one_room():
    writers = {
        name
        for name, path in SHIPPED.items()
        if re.search(r"\b(update|insert)\(deliveries\)", path.read_text(encoding="utf-8"))
    }
    assert writers
    assert {name for name in writers if not name.startswith("chatferry.ledger.deliveries.")} == set()


def test_only_the_ledger_speaks_sql():
    speakers = {
        name
        for name, path in SHIPPED.items()
        if any(line.split()[:1] in (["from"], ["import"]) and "sqlalchemy" in line for line in lines(path))
    }
    # A URL is read, and a file looked at.
    allowed = {"chatferry.settings.database", "chatferry.cli.ledger_check"}
    assert {name for name in speakers if part(name) != "ledger"} <= allowed


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_plugins_import_public_names_only():
    foreign = {
        f"{name} imports {found}"
        for name, path in THEIRS.items()
        for found in imports(path, always=True)
        if found.split(".")[0] != name.split(".")[0] and found not in PUBLIC
    }
    assert foreign == set()


def test_modules_are_named_for_what_they_are():
    assert [name for name in ALL if name.rpartition(".")[2] in VAGUE] == []


def test_every_module_can_be_read_in_one_go():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in ALL.items()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_every_function_can_be_read_in_one_go():
    long = {
        f"{name}.{node.name}"
        for name, path in ALL.items()
        if ".migrations." not in name  # a migration is a list of tables
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }
    assert long == set()
