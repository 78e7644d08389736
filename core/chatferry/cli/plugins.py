"""``chatferry plugins``: what is installed and whether it works."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.text import Text

from chatferry.cli.output import console, output_option, plain, print_json, table
from chatferry.cli.workspace import Workspace, not_served
from chatferry.plugins import PluginState


@click.command()
@click.option("--strict", is_flag=True, help="Exit with 1 if a plugin does not work.")
@output_option
@click.pass_obj
def plugins(workspace: Workspace, *, strict: bool, output: str) -> None:
    """Show the installed plugins and their state.

    Each with its distribution, its version, the versions of chatferry it supports, its hooks, its state
    and the reason for it, the destinations that are not served because of it, and the failures of its
    hooks within a day, in any server or worker. No configuration is needed; an existing one may disable
    plugins and says where the ledger is.
    """
    from chatferry.cli.hook_failures import hook_failures, sentence  # noqa: PLC0415  (SQLAlchemy)

    found = workspace.installed
    failures = hook_failures(workspace)
    if output == "json":
        by_plugin = {
            report.name: [asdict(one) for one in failures if one.plugin == report.name]
            for report in found.reports
        }
        print_json([{**asdict(report), "failures": by_plugin[report.name]} for report in found.reports])
    else:
        rows = [
            (
                report.name,
                f"{report.distribution} {report.version}".strip(),
                report.window or "any",
                "\n".join(report.hooks),
                Text(report.state, "green" if report.state is PluginState.OK else "red"),
                report.reason,
            )
            for report in found.reports
        ]
        headings = ("Plugin", "Distribution", "For chatferry", "Hooks", "State", "Reason")
        screen = console()
        screen.print(table("", headings, rows))
        for name, reason in workspace.unserved.items():
            screen.print(plain(not_served(name, reason), "red"), soft_wrap=True)
        for failure in failures:
            screen.print(plain(sentence(failure), "yellow"), soft_wrap=True)
    if strict and found.broken:
        raise click.exceptions.Exit(1)
