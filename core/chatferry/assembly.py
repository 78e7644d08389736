"""Put an engine together from a configuration and the plugins that are installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

from chatferry.accept.acceptance import Acceptance
from chatferry.connector import Connector, Context, Memory
from chatferry.deliver.dispatcher import Dispatcher
from chatferry.deliver.guarded_connector import GuardedConnector
from chatferry.engine import Engine
from chatferry.errors import SettingsError
from chatferry.iadvize.client import IAdvize
from chatferry.leads.destination import Destination, Unserved
from chatferry.leads.mapping import CompiledMapping, compile_mapping
from chatferry.leads.strategies import register_strategies
from chatferry.ledger import Ledger
from chatferry.logs import get_logger
from chatferry.plugins import Plugins
from chatferry.plugins.guarded_strategy import GuardedStrategy
from chatferry.settings.destinations import ReadyDestination, validate_destinations
from chatferry.settings.model import FieldSettings, Settings
from chatferry.sync.fairness import Fairness
from chatferry.sync.reading import Reader

_BUILT_IN = frozenset(register_strategies())
"""Strategies that are known to return: they need no time-out."""


def assemble(
    settings: Settings,
    ledger: Ledger,
    plugins: Plugins,
    *,
    clock: Callable[[], float] = time.time,
) -> Engine:
    """Return an engine that is ready to run; what needs a plugin that does not work is left unserved.

    :raises SettingsError: with every problem of every destination.
    """
    prepared = validate_destinations(
        settings, plugins.connectors, plugins.strategies, unusable=plugins.unusable
    )
    destinations = _destinations(prepared.ready)
    unserved = _unserved(prepared.unserved, settings)
    ledger.destinations.introduce([*destinations, *unserved])
    return Engine(
        settings=settings,
        ledger=ledger,
        plugins=plugins,
        destinations=destinations,
        dispatchers={
            name: dispatcher_of(ready, settings, ledger.memory(name))
            for name, ready in prepared.ready.items()
        },
        clients={
            (client.platform, client.client_id): IAdvize(client, ledger.tokens, clock=clock)
            for client in settings.iadvize.clients
        },
        acceptance=Acceptance(settings, ledger.events, clock),
        reader=Reader(settings=settings, destinations={**destinations, **unserved}, veto=plugins.veto),
        fairness=_fairness(settings),
        clock=clock,
        unserved=unserved,
    )


def _fairness(settings: Settings) -> Fairness:
    """Leave a thread to the other clients, where there are others."""
    threads = settings.runner.sync_threads
    return Fairness(max(1, threads - 1) if len(settings.iadvize.clients) > 1 else threads)


def mapping_of(ready: ReadyDestination) -> CompiledMapping:
    """Compile what a destination maps: the administrator's objects, the connector's for the rest.

    :raises SettingsError: with every expression that cannot work.
    """
    defaults = {
        name: {field: FieldSettings(expression=expression) for field, expression in fields.items()}
        for name, fields in ready.connector.mapping.items()
    }
    return compile_mapping({**defaults, **ready.settings.mapping}, destination=ready.settings.name)


def _destinations(ready: Mapping[str, ReadyDestination]) -> dict[str, Destination]:
    made: dict[str, Destination] = {}
    problems: list[str] = []
    for name, one in ready.items():
        try:
            made[name] = destination_of(one)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(*problems)
    return made


def _unserved(reasons: Mapping[str, str], settings: Settings) -> dict[str, Unserved]:
    for name, reason in reasons.items():
        get_logger("chatferry").error("destination not served", destination=name, reason=reason)
    return {
        name: Unserved(settings=settings.destinations[name], reason=reason)
        for name, reason in reasons.items()
    }


def destination_of(one: ReadyDestination) -> Destination:
    """Return a destination that is ready to decide.

    :raises SettingsError: with every expression of its mapping that cannot work.
    """
    return Destination(
        settings=one.settings,
        strategies=[s if type(s) in _BUILT_IN else GuardedStrategy(s) for s in one.strategies],
        mapping=mapping_of(one),
        takes_updates=one.connector.update_only,
    )


def dispatcher_of(one: ReadyDestination, settings: Settings, memory: Memory) -> Dispatcher:
    """Return the way to call a destination's connector, which is made at the first call."""
    connect = partial(connector_of, one, settings, memory)
    connector = GuardedConnector(one.settings.name, connect)
    return Dispatcher(one.settings.name, connector, batch_size=one.connector.batch_size)


def connector_of(one: ReadyDestination, settings: Settings, memory: Memory) -> Connector:
    """Make a destination's connector."""
    context = Context(
        destination=one.settings.name,
        directory=settings.directory,
        memory=memory,
        fields={name: tuple(mapped) for name, mapped in one.settings.mapping.items()},
    )
    return one.connector(one.options, context)
