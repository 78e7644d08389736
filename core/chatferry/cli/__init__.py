"""The command line, ``chatferry``: one module a command group."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    # The web process imports the script that started it: it must not load every command with it.
    from chatferry.cli.app import run  # noqa: PLC0415

    run()
