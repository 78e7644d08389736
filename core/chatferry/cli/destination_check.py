"""What ``chatferry check`` says of the destinations: settings, expressions, and the connector's own check."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from chatferry.assembly import dispatcher_of, mapping_of
from chatferry.cli.workspace import Workspace
from chatferry.connector import Finding, Level, Memory
from chatferry.errors import SettingsError
from chatferry.ledger.database import Database
from chatferry.ledger.memory import LedgerMemory
from chatferry.settings.destinations import Prepared, ReadyDestination, validate_destinations
from chatferry.settings.model import DestinationSettings


class LazyMemory:
    """The memory of a destination whose ledger does not exist yet: created at the first write."""

    def __init__(self, workspace: Workspace, destination: str) -> None:
        self._workspace = workspace
        self._destination = destination
        self._created = False

    def get(self, key: str) -> str | None:
        """Return what this run has put under ``key``, None if it has not."""
        return self._real.get(key) if self._created else None

    def put(self, key: str, value: str) -> None:
        """Create the ledger if it does not exist, and keep ``value``."""
        self._created = True
        self._real.put(key, value)

    def forget(self, key: str) -> None:
        """Drop what this run has put under ``key``."""
        if self._created:
            self._real.forget(key)

    @property
    def _real(self) -> Memory:
        self._workspace.makes_ledger = True  # a rotated token that is not kept is lost
        return self._workspace.ledger.memory(self._destination)


def check_destinations(
    workspace: Workspace, *, prepared: bool, offline: bool
) -> Iterator[tuple[str, Finding]]:
    """Check each destination by itself; return its name with each finding.

    :param prepared: whether the ledger exists and its tables are up to date.
    """
    database = Database(workspace.settings.database) if prepared and not offline else None
    try:
        for name, destination in workspace.settings.destinations.items():
            if not destination.enabled:
                yield name, _ok("disabled")
                continue
            try:
                found = _prepared(workspace, destination)
                if name in found.unserved:
                    message = f"not served: {found.unserved[name]}"
                    yield name, Finding(level=Level.ERROR, subject="plugin", message=message)
                    continue
                ready = found.ready[name]
                fields = sum(map(len, {**ready.connector.mapping, **ready.settings.mapping}.values()))
                mapping_of(ready)
            except SettingsError as error:
                for problem in error.problems:
                    yield name, Finding(level=Level.ERROR, subject="configuration", message=problem)
                continue
            yield name, Finding(level=Level.OK, subject="mapping", message=f"{fields} fields can be filled")
            if not offline:
                memory = LedgerMemory(database, name) if database else LazyMemory(workspace, name)
                for finding in _connector_findings(ready, workspace, memory):
                    yield name, finding
    finally:
        if database is not None:
            database.close()


def _prepared(workspace: Workspace, destination: DestinationSettings) -> Prepared:
    plugins = workspace.installed
    return validate_destinations(
        replace(workspace.settings, destinations={destination.name: destination}),
        plugins.connectors,
        plugins.strategies,
        unusable=plugins.unusable,
        environ=os.environ,
        name=str(workspace.config),
    )


def _connector_findings(ready: ReadyDestination, workspace: Workspace, memory: Memory) -> Iterator[Finding]:
    dispatcher = dispatcher_of(ready, workspace.settings, memory)
    try:
        yield from dispatcher.check()
    finally:
        dispatcher.close()


def _ok(message: str) -> Finding:
    return Finding(level=Level.OK, subject="", message=message)
