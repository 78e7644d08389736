"""The failures of plugins' hooks in the server and the workers, for the commands that show them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from chatferry.cli.times import age
from chatferry.cli.workspace import Workspace
from chatferry.errors import LedgerError, SettingsError
from chatferry.ledger.database import Database
from chatferry.ledger.hook_failures import KEPT, HookFailures, RecordedFailure


def hook_failures(workspace: Workspace) -> Sequence[RecordedFailure]:
    """Return the failures of the last day, of the plugin versions that are installed now.

    None where there is no configuration or no ledger yet; the ledger is not created for this.
    """
    installed = {(report.name, report.version) for report in workspace.installed.reports}
    with suppress(SettingsError, LedgerError):
        database = Database(workspace.settings.database)
        try:
            if database.path is None or database.path.is_file():
                recorded = HookFailures(database).since(time.time() - KEPT)
                return [one for one in recorded if (one.plugin, one.version) in installed]
        finally:
            database.close()
    return []


def sentence(failure: RecordedFailure) -> str:
    """Say what failed, how often and when."""
    times = "once" if failure.count == 1 else f"{failure.count} times, last"
    return f"plugin {failure.plugin}: {failure.reason} ({times} {age(failure.last_at, time.time())})"
