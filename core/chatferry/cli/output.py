"""Output of commands: tables for people, JSON for programs; both on stdout, all else on stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

F = TypeVar("F", bound=Callable[..., Any])

LEVELS = {"ok": "green", "warning": "yellow", "error": "red"}
"""The colour of each level of a finding."""

_PIPED_WIDTH = 160


def output_option(command: F) -> F:
    """Add ``--output``: a table for people, or JSON."""
    return click.option(
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="What to print: tables for people or JSON for programs.",
    )(command)


def console(*, stderr: bool = False) -> Console:
    """Return a console; in a pipe it is wide enough that tables are not folded. NO_COLOR is honoured."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _PIPED_WIDTH
    return made


def print_json(value: Any) -> None:
    """Print a value as JSON; what JSON has no type for becomes text."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_result(output: str, text: str, result: Mapping[str, Any]) -> None:
    """Print the result of a command, as text or as JSON."""
    if output == "json":
        print_json(result)
    else:
        click.echo(text)


def plain(value: object, style: str = "") -> Text:
    """Return untrusted text literally: no markup, and no control characters (terminal escapes)."""
    text = "" if value is None else str(value)
    return Text("".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text), style)


def table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table of plain cells; a cell that is a Text already keeps its style."""
    made = Table(title=title or None, title_justify="left", title_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else plain(cell) for cell in row))
    return made


def count_of(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 conversation``, ``2 conversations``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
