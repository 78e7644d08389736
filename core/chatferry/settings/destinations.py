"""Validate destinations against the plugins: their connectors, strategies and mapped objects."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from marshmallow import Schema, ValidationError

from chatferry.connector import Connector
from chatferry.errors import SettingsError
from chatferry.settings.fields import nearest
from chatferry.settings.load import flatten
from chatferry.settings.model import DestinationSettings, Settings
from chatferry.settings.schema import with_nearest
from chatferry.settings.secrets import secrets_from
from chatferry.strategy import Strategy

_HINT = "is its plugin installed? look with: chatferry plugins"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyDestination:
    """A destination whose connector and strategies exist and accept what is written for them."""

    settings: DestinationSettings
    connector: type[Connector]
    options: Mapping[str, Any] = field(repr=False)
    """The ``settings`` table as the connector's own schema loaded it."""
    strategies: tuple[Strategy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The enabled destinations: those that are ready, and why the others cannot be served."""

    ready: Mapping[str, ReadyDestination]
    unserved: Mapping[str, str]


def validate_destinations(
    settings: Settings,
    connectors: Mapping[str, type[Connector]],
    strategies: Mapping[str, type[Strategy]],
    *,
    unusable: Mapping[str, str] | None = None,
    environ: Mapping[str, str] = os.environ,
    name: str = "chatferry.toml",
) -> Prepared:
    """Validate every enabled destination against the plugins, and make its strategies.

    A destination that needs a plugin which does not work is no problem: it is left unserved.

    :param unusable: why names of plugins that do not work, or of what they register, cannot be used.
    :param name: what problems are reported under, as with :func:`~chatferry.settings.load.load_text`.
    :raises SettingsError: with every problem of every destination, one line each.
    """
    ready: dict[str, ReadyDestination] = {}
    unserved: dict[str, str] = {}
    problems: list[str] = []
    with secrets_from(environ, settings.directory):
        for destination in settings.destinations.values():
            if destination.enabled:
                validation = _Validation(destination, unusable or {})
                made = validation.run(connectors, strategies)
                problems += [
                    f"{name}: destinations.{destination.name}.{line}" for line in validation.problems
                ]
                if validation.failures:
                    unserved[destination.name] = "; ".join(dict.fromkeys(validation.failures))
                elif made is not None:
                    ready[destination.name] = made
    if problems:
        raise SettingsError(*problems)
    return Prepared(ready=ready, unserved=unserved)


class _Validation:
    """The validation of one destination.

    ``problems`` are the configuration's and start with the key below the destination; ``failures``
    are those of plugins.
    """

    def __init__(self, destination: DestinationSettings, unusable: Mapping[str, str]) -> None:
        self.destination = destination
        self.problems: list[str] = []
        self.failures: list[str] = []
        self._unusable = unusable

    def run(
        self, connectors: Mapping[str, type[Connector]], strategies: Mapping[str, type[Strategy]]
    ) -> ReadyDestination | None:
        """Return the destination made ready, or None and what is wrong."""
        found = tuple(self._strategies(strategies))
        name = self.destination.connector
        connector = connectors.get(name)
        if connector is None:
            # A connector is called like its plugin: one that works has no other name.
            if name in self._unusable:
                self.failures.append(self._unusable[name])
            else:
                hint = nearest(name, connectors) or f"; {_HINT}"
                self.problems.append(f'connector: there is no connector "{name}"{hint}')
            return None
        options = self._load("settings", connector.Settings, self.destination.settings)
        self._objects(connector)
        return ReadyDestination(
            settings=self.destination, connector=connector, options=options, strategies=found
        )

    def _strategies(self, known: Mapping[str, type[Strategy]]) -> Iterator[Strategy]:
        seen: set[str] = set()
        for index, wanted in enumerate(self.destination.strategies):
            place, name = f"strategies.{index}", wanted.name
            strategy = known.get(name)
            if name in seen:
                self.problems.append(f'{place}: "{name}" is there already; keep one')
            elif strategy is None:
                self._no_strategy(place, name, known)
            else:
                options = self._load(place, strategy.Settings, wanted.options)
                made = self._guarded(place, partial(strategy, options))
                if made is not None:
                    yield made
            seen.add(name)

    def _no_strategy(self, place: str, name: str, known: Iterable[str]) -> None:
        """Report an unknown strategy: a plugin that does not work might have registered it."""
        hint = nearest(name, known)
        missing = f'{place}: there is no strategy "{name}"'
        if name in self._unusable:
            self.failures.append(self._unusable[name])
        elif self._unusable:
            reasons = "; ".join(dict.fromkeys(self._unusable.values()))
            self.failures.append(f"{missing}{hint}, unless a plugin has it that does not work: {reasons}")
        else:
            self.problems.append(missing + (hint or f"; {_HINT}"))

    def _load(self, place: str, schema: type[Schema], raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """Load a plugin's own settings through its schema."""
        loader = self._guarded(place, schema)
        if loader is None:
            return {}
        try:
            return self._guarded(place, lambda: loader.load(dict(raw), unknown="raise")) or {}
        except ValidationError as error:
            for below, message in flatten(with_nearest(error.messages, loader)):
                dotted = ".".join(str(part) for part in (place, *below))
                self.problems.append(f"{dotted}: {message}")
            return {}

    def _guarded(self, place: str, call: Callable[[], Any]) -> Any:
        """Call a plugin's code; what it raises, other than a ValidationError, is its failure."""
        try:
            return call()
        except ValidationError:
            raise
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything)
            self.failures.append(
                f"{place}: the plugin's own code failed with {type(error).__name__}; report it"
            )
            return None

    def _objects(self, connector: type[Connector]) -> None:
        """Check the mapped objects and the modes of their fields."""
        known = ", ".join(sorted(connector.mapping))
        for name, mapped in self.destination.mapping.items():
            if name not in connector.mapping:
                hint = nearest(name, [*connector.mapping, "settings"]) or f"; there are: {known}"
                self.problems.append(f"{name}: no object of the {connector.name} connector{hint}")
                continue
            modes = ", ".join(sorted(connector.modes))
            self.problems += [
                f'{name}.{key}: the {connector.name} connector has no mode "{spec.mode}"; it has: {modes}'
                for key, spec in mapped.items()
                if spec.mode not in connector.modes
            ]
