"""Progress bars, on stderr and only for people."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chatferry.cli.output import console


def progress(output: str) -> Progress:
    """Return a display to be used as a context manager; it shows nothing in a pipe or beside JSON."""
    screen = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=output == "json" or not screen.is_terminal,
    )


def counted(display: Progress, description: str, total: int | None) -> Callable[[], None]:
    """Add a bar; return a function that advances it by one."""
    task = display.add_task(description, total=total)
    return lambda: display.advance(task)
