"""Write ``docs/api.md`` from the docstrings and signatures of what plugins may import.

``python docs/api_page.py`` writes the page; a test compares it with what would be written.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

PAGE = Path(__file__).with_name("api.md")
MODULES = {
    "chatferry": "For connectors, strategies and hooks.",
    "chatferry.model": "What the fields of a lead and its conversation hold.",
    "chatferry.text": "Cleaning texts.",
    "chatferry.records": "What connectors write, and steps that share a batch.",
    "chatferry.http": "For connectors that talk to a CRM over HTTP.",
    "chatferry.http.client": "The calls of a destination: session, token, pace, time for the work.",
    "chatferry.http.answer": "One HTTP answer.",
    "chatferry.http.outcomes": "From an answer to the outcome of a lead, by a table.",
    "chatferry.http.tokens": "Where a bearer token comes from.",
    "chatferry.http.pace": "Keeping clear of a CRM's limits.",
    "chatferry.http.exchange": "A session of requests with one deadline an exchange.",
    "chatferry.emulators": "For plugins that ship a stand-in for their CRM.",
    "chatferry.emulators.misbehaviour": "Faults that any HTTP API may have.",
    "chatferry.emulators.clock": "An emulator's time.",
    "chatferry.emulators.journal": "The calls of an emulator.",
    "chatferry.emulators.stage": "For `chatferry demo`.",
    "chatferry.testing": "For tests only: it needs pytest.",
    "chatferry.testing.conversations": "Conversations for tests.",
}
"""The public modules, in the order of the page, and what each is for."""
_HEAD = """# Reference

Every name that a plugin may import, from the docstrings of the code. `python docs/api_page.py` writes it.
[Write a connector](write-a-connector.md), [write a strategy](write-a-strategy.md), [hooks](hooks.md) and
[test a plugin](test-a-plugin.md) show how they are used.
"""


def page() -> str:
    """Return the page."""
    parts = [_HEAD]
    seen: set[int] = set()
    for name, purpose in MODULES.items():
        module = importlib.import_module(name)
        found = [(one, thing) for one, thing in public(module) if id(thing) not in seen]
        seen |= {id(thing) for _, thing in found}
        parts.append(f"## `{name}`\n\n{purpose}\n")
        parts += ["\n".join(_entry(module, one, thing)) for one, thing in found]
    return "\n".join(parts).rstrip() + "\n"


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the public names of a module: those it lists, or else those it defines."""
    listed = getattr(module, "__all__", None)
    for name in listed or vars(module):
        thing = getattr(module, name)
        own = getattr(thing, "__module__", None) == module.__name__
        if not name.startswith("_") and (listed or (own and callable(thing))):
            yield name, thing


def _entry(module: ModuleType, name: str, thing: Any) -> Iterator[str]:
    if inspect.isclass(thing):
        yield f"### {_kind(thing)} `{name}`\n"
        yield from _class(thing)
    elif callable(thing) and inspect.getdoc(thing) and hasattr(thing, "__name__"):
        yield f"### function `{name}`\n\n    {name}{_signature(thing)}\n\n{markdown(inspect.getdoc(thing))}\n"
    else:
        yield f"### `{name}`\n\n{markdown(_said_of(module, name))}\n"


def _kind(thing: type) -> str:
    return (
        "exception" if issubclass(thing, Exception) else "enum" if issubclass(thing, enum.Enum) else "class"
    )


def _class(thing: type) -> Iterator[str]:
    yield f"{markdown(inspect.getdoc(thing))}\n"
    said = _attributes(thing)
    if "__init__" in vars(thing) and not dataclasses.is_dataclass(thing):
        yield f"    {thing.__name__}{_signature(thing.__init__)}\n"  # type: ignore[misc]  # (of this very class)
    if issubclass(thing, enum.Enum):
        yield "| member | value |\n|---|---|"
        yield "\n".join(f"| `{one.name}` | {one.value} |" for one in thing) + "\n"
    elif dataclasses.is_dataclass(thing):
        yield "| field | type | default | |\n|---|---|---|---|"
        yield "\n".join(_field(one, said) for one in dataclasses.fields(thing) if one.init) + "\n"
    for name, method in _methods(thing):
        doc = inspect.getdoc(method if not isinstance(method, property) else method.fget)
        shown = f"{name}{_signature(method)}" if not isinstance(method, property) else name
        yield f"- `{shown}`: {_one_line(doc)}"
    yield ""


def _field(one: dataclasses.Field[Any], said: dict[str, str]) -> str:
    default = "required"
    if one.default is not dataclasses.MISSING:
        shown = one.default.__name__ if inspect.isfunction(one.default) else repr(one.default)
        default = f"`{shown}`"
    elif one.default_factory is not dataclasses.MISSING:
        default = "empty"
    kind = str(one.type).replace("|", "\\|")
    return f"| `{one.name}` | `{kind}` | {default} | {_one_line(said.get(one.name, ''))} |"


def _methods(thing: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that a class defines and describes itself."""
    for name, member in vars(thing).items():
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        described = isinstance(function, property) or (inspect.isfunction(function) and function.__doc__)
        if described and not name.startswith(("_", "test_")) and not issubclass(thing, enum.Enum):
            yield name, function


def _signature(thing: Any) -> str:
    """Return parameters and result as they are written in the source."""
    (function,) = ast.parse(dedent(inspect.getsource(thing))).body
    assert isinstance(function, ast.FunctionDef)  # noqa: S101  (for mypy: other things have no signature)
    parameters = re.sub(r"^(self|cls)(, )?", "", ast.unparse(function.args))
    result = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"({parameters}){result}"


def _attributes(thing: type) -> dict[str, str]:
    """Return what stands below each field of a class."""
    tree = ast.parse(inspect.getsource(thing).strip())
    return _below(tree.body[0].body) if isinstance(tree.body[0], ast.ClassDef) else {}


def _said_of(module: ModuleType, name: str) -> str:
    """Return what stands below a constant, in whichever module of ours it is."""
    for candidate in [module, *(importlib.import_module(one) for one in _origins(module, name))]:
        if text := _below(ast.parse(inspect.getsource(candidate)).body).get(name):
            return text
    return ""


def _origins(module: ModuleType, name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.module and name in {one.name for one in node.names}:
            yield node.module


def _below(body: list[ast.stmt]) -> dict[str, str]:
    """Return the texts that stand right below assignments, by the assigned name."""
    found = {}
    for statement, after in pairwise(body):
        names = [one.id for one in _targets(statement) if isinstance(one, ast.Name)]
        if names and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[names[0]] = inspect.cleandoc(str(after.value.value))
    return found


def _targets(statement: ast.stmt) -> list[ast.expr]:
    if isinstance(statement, ast.AnnAssign):
        return [statement.target]
    return statement.targets if isinstance(statement, ast.Assign) else []


def markdown(doc: str | None) -> str:
    """Return a docstring as Markdown."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", doc or "").replace("``", "`")
    text = re.sub(r"^:(?:param|cvar|ivar) (\w+): ", r"- `\1`: ", text, flags=re.MULTILINE)
    text = re.sub(r"^:raises (\w+): ", r"- raises `\1` ", text, flags=re.MULTILINE)
    return re.sub(r"^::$", "", text, flags=re.MULTILINE)


def _one_line(doc: str | None) -> str:
    return " ".join(markdown((doc or "").partition("\n\n")[0]).split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
