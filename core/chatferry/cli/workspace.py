"""What commands share: the configuration, the plugins and the engine, each made at first use."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from chatferry.errors import SettingsError
from chatferry.logs import configure_logging
from chatferry.plugins import Plugins
from chatferry.settings.environment import overlay
from chatferry.settings.fields import nearest
from chatferry.settings.model import LogSettings, Settings
from chatferry.settings.secrets import done_without

if TYPE_CHECKING:
    from chatferry.connector import Connector
    from chatferry.engine import Engine
    from chatferry.ledger import Ledger


class Workspace:
    """One run of the command line, ``ctx.obj`` of every command. Closes at its end what was opened."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.strict = False
        self.makes_ledger = False
        self._opened: list[Engine | Ledger | Connector] = []
        self._exits = ExitStack()
        # Until the configuration says how to log: on stderr, and only what is wrong.
        configure_logging(LogSettings(level="error"))

    @cached_property
    def settings(self) -> Settings:
        """The validated configuration.

        :raises SettingsError: if it is wrong.
        """
        from chatferry.settings.load import load  # noqa: PLC0415  (SQLAlchemy, to read the ledger's address)

        settings = load(self.config, os.environ)
        configure_logging(settings.log)
        return settings

    @cached_property
    def installed(self) -> Plugins:
        """The installed plugins, even if the configuration is invalid; a broken one is only reported."""
        return Plugins.load(disabled=_disabled(self.config, os.environ))

    @cached_property
    def plugins(self) -> Plugins:
        """The installed plugins; a broken one is reported, and refused if the settings are strict.

        :raises SettingsError: if the configuration is wrong, or a plugin is refused.
        """
        strict = self.strict or self.settings.plugins.strict
        plugins = self.installed
        if strict and plugins.broken:
            raise SettingsError(*(str(report) for report in plugins.broken))
        return plugins

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, its tables up to date; only what serves makes one where there is none.

        :raises LedgerMissing: if there is none.
        :raises LedgerUnavailable: if it cannot be opened.
        """
        from chatferry.ledger import Ledger  # noqa: PLC0415  (SQLAlchemy, which half of the commands do not need)

        ledger = Ledger.open(self.settings.database, create=self.makes_ledger)
        self._opened.append(ledger)
        return ledger

    @cached_property
    def engine(self) -> Engine:
        """The engine of the configuration.

        :raises SettingsError: if a destination is wrong, or not served and the settings are strict.
        """
        from chatferry.assembly import assemble  # noqa: PLC0415  (SQLAlchemy and GraphQL)

        engine = assemble(self.settings, self.ledger, self.plugins)
        self._opened.append(engine)
        if engine.unserved and (self.strict or self.settings.plugins.strict):
            raise SettingsError(*(not_served(name, one.reason) for name, one in engine.unserved.items()))
        return engine

    @cached_property
    def unserved(self) -> Mapping[str, str]:
        """Why destinations are not served though they are enabled: they need a plugin that does not work.

        Nothing where the configuration is wrong: nothing is served then, and every command says so.
        """
        from chatferry.settings.destinations import validate_destinations  # noqa: PLC0415  (SQLAlchemy)

        plugins = self.installed
        with suppress(SettingsError):
            return validate_destinations(
                self.settings, plugins.connectors, plugins.strategies, unusable=plugins.unusable
            ).unserved
        return {}

    def do_without_secrets(self) -> None:
        """Load the configuration even where its secrets are not there: the command needs none of them."""
        self._exits.enter_context(done_without())

    def connector(self, destination: str) -> Connector:
        """Return a new connector for a destination, for the commands of plugins; it needs a ledger.

        :raises SettingsError: if there is no such destination, or it is wrong.
        """
        self.makes_ledger = True
        found = self.engine.dispatchers.get(destination)
        if destination in self.engine.unserved:
            raise SettingsError(not_served(destination, self.engine.unserved[destination].reason))
        if found is None:
            known = self.engine.dispatchers
            near = nearest(destination, known) or f"; there are: {', '.join(known) or 'none'}"
            raise SettingsError(f"there is no destination {destination!r}{near}")
        connector = found.connect()
        self._opened.append(connector)
        return connector

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()
        while self._opened:
            self._opened.pop().close()


def not_served(destination: str, reason: str) -> str:
    """Return the sentence for a destination whose plugin does not work."""
    return f"destination {destination} is not served: {reason}"


def _disabled(config: Path, environ: Mapping[str, str]) -> Sequence[str]:
    """Return the plugins a configuration disables, even if the rest of it cannot be used yet."""
    raw: dict[str, Any] = {}
    with suppress(OSError, ValueError, RecursionError):  # a command that needs the configuration reports it
        raw = tomllib.loads(config.read_bytes().decode("utf-8-sig"))
    overlay(raw, {name: text for name, text in environ.items() if name.startswith("CHATFERRY_PLUGINS")})
    table = raw.get("plugins")
    found = table.get("disabled") if isinstance(table, dict) else None
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
