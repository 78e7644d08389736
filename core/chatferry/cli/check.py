"""``chatferry check``: validate the whole installation without changing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

import click

from chatferry.cli.output import LEVELS, console, output_option, plain, print_json, table
from chatferry.cli.workspace import Workspace
from chatferry.connector import Finding, Level
from chatferry.errors import SettingsError
from chatferry.plugins import PluginReport, PluginState
from chatferry.settings.model import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A finding and the part of the installation it is about."""

    part: str
    finding: Finding


@click.command()
@click.option("--offline", is_flag=True, help="Ask neither iAdvize nor any CRM.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@output_option
@click.pass_obj
def check(workspace: Workspace, *, offline: bool, strict: bool, output: str) -> None:
    """Check the whole installation; change nothing.

    The configuration, the plugins, the ledger, iAdvize for every client (one login each, and whether
    its API still has the fields that are read), every destination and its field expressions. Exits
    with 1 if anything is an error.

    Nothing is written, with two exceptions: a login at iAdvize counts towards its rate limit of ten a
    minute, which the ledger keeps; and a refresh token that a CRM renews at the login is kept in the
    ledger, because the old one is no longer valid.
    """
    with console(stderr=True).status("checking…"):
        found = list(_checks(workspace, offline=offline))
    if output == "json":
        print_json([{"part": one.part, **asdict(one.finding)} for one in found])
    else:
        _show(found)
    bad = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
    if any(one.finding.level in bad for one in found):
        raise click.exceptions.Exit(1)


def _checks(workspace: Workspace, *, offline: bool) -> Iterator[CheckResult]:
    yield from _part("plugins", map(_plugin, workspace.installed.reports))
    try:
        settings = workspace.settings
    except SettingsError as error:
        yield from _part("configuration", (_error("", problem) for problem in error.problems))
        return
    yield from _part("plugins", _hooks(workspace))
    yield from _part("configuration", _configuration(workspace, settings))
    from chatferry.cli.ledger_check import check_ledger  # noqa: PLC0415  (SQLAlchemy)

    state = check_ledger(settings.database)
    yield from _part("ledger", state.findings)
    if offline:
        message = "not asked, because of --offline"
        yield CheckResult(part="iadvize", finding=Finding(level=Level.OK, subject="", message=message))
    else:
        yield from _part("iadvize", _iadvize(settings))
    from chatferry.cli.destination_check import check_destinations  # noqa: PLC0415  (SQLAlchemy)

    yield from (
        CheckResult(part=f"destination {name}", finding=finding)
        for name, finding in check_destinations(workspace, prepared=state.prepared, offline=offline)
    )


def _part(part: str, findings: Iterable[Finding]) -> Iterator[CheckResult]:
    return (CheckResult(part=part, finding=finding) for finding in findings)


def _plugin(report: PluginReport) -> Finding:
    level = Level.OK if report.state in {PluginState.OK, PluginState.DISABLED} else Level.ERROR
    state = f"{report.version} {report.state}".strip()
    return Finding(level=level, subject=report.name, message=": ".join(filter(None, [state, report.reason])))


def _hooks(workspace: Workspace) -> Iterator[Finding]:
    from chatferry.cli.hook_failures import hook_failures, sentence  # noqa: PLC0415  (SQLAlchemy)

    yield from (_warning(failure.plugin, sentence(failure)) for failure in hook_failures(workspace))


def _configuration(workspace: Workspace, settings: Settings) -> Iterator[Finding]:
    yield Finding(level=Level.OK, subject="", message=f"{workspace.config} can be used")
    if not settings.iadvize.clients:
        yield _warning("iadvize.clients", "there is no client, so no conversation can be read; add one")
    if not any(destination.enabled for destination in settings.destinations.values()):
        yield _warning("destinations", "none is enabled, so nothing is delivered; add one")


def _iadvize(settings: Settings) -> Iterator[Finding]:
    from chatferry.cli.login_tokens import FreshTokens, shared_tokens  # noqa: PLC0415  (SQLAlchemy)
    from chatferry.iadvize.client import IAdvize  # noqa: PLC0415  (GraphQL)

    with shared_tokens(settings.database) as counted:
        tokens = FreshTokens(counted)
        for settings_of_one in settings.iadvize.clients:
            try:
                client = IAdvize(settings_of_one, tokens)
            except SettingsError as error:
                yield from (_error("", problem) for problem in error.problems)
                continue
            with closing(client):
                yield from client.check()


def _show(found: Sequence[CheckResult]) -> None:
    rows = [
        (
            plain(one.finding.level, LEVELS[one.finding.level]),
            one.part,
            one.finding.subject,
            one.finding.message,
        )
        for one in found
    ]
    counted = Counter(one.finding.level for one in found)
    out = console()
    out.print(table("", ("", "Part", "Subject", "Finding"), rows))
    out.print(", ".join(f"{counted[level]} {level}" for level in Level if counted[level]))


def _warning(subject: str, message: str) -> Finding:
    return Finding(level=Level.WARNING, subject=subject, message=message)


def _error(subject: str, message: str) -> Finding:
    return Finding(level=Level.ERROR, subject=subject, message=message)
