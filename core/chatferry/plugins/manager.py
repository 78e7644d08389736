"""The plugins as the engine sees them: what they register, and their hooks, each call guarded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final, Self

import click

from chatferry._version import __version__
from chatferry.connector import Connector
from chatferry.emulators import Emulator
from chatferry.errors import PluginError
from chatferry.hookspecs import PROJECT
from chatferry.logs import SummedLines, get_logger
from chatferry.model import Lead
from chatferry.plugins.discover import Found, installed
from chatferry.plugins.failures import HookFailureCounter
from chatferry.plugins.plugin import HOOKS, Plugin
from chatferry.plugins.registry import Registrations
from chatferry.plugins.report import PluginReport, PluginState
from chatferry.settings.fields import nearest
from chatferry.strategy import Strategy

NOTIFIED = tuple(hook for hook in HOOKS if not hook.startswith(("register_", "veto_")))
"""The hooks :meth:`Plugins.notify` calls."""

BATCH_TIME_LIMIT: Final = 30.0
"""Seconds for the notifications of one batch to one plugin: the destination, or the sync, waits for them."""


class Plugins:
    """Every plugin that was found: hooks of the usable ones are called, the others are only reported.

    ``connectors`` and ``strategies`` are the registered classes by name; ``failures`` counts the calls
    of hooks that failed.
    """

    def __init__(self, plugins: Sequence[Plugin], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._plugins = plugins
        self._clock = clock
        self.failures = HookFailureCounter()
        self._log = get_logger("chatferry.plugins")
        self._lines = SummedLines("chatferry.plugins", "error", "plugin failed", "plugins failed again")
        connectors = Registrations(plugins, "register_connectors", Connector)  # type: ignore[type-abstract]  # no instance is made
        strategies = Registrations(plugins, "register_strategies", Strategy)  # type: ignore[type-abstract]  # no instance is made
        self.connectors: Mapping[str, type[Connector]] = connectors.by_name()
        self.strategies: Mapping[str, type[Strategy]] = strategies.by_name()
        self._unregistered = {**connectors.unregistered(), **strategies.unregistered()}
        for report in self.broken:
            self._log.error("plugin not usable", plugin=report.name, state=report.state, reason=report.reason)

    @classmethod
    def load(
        cls,
        disabled: Iterable[str] = (),
        extra: Iterable[object] = (),
        *,
        hook_timeout: float = 10.0,
        import_timeout: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Load what is built in, what is installed, and ``extra`` modules or objects, one by one.

        A plugin that fails at import does not stop the others; see ``reports``. Time-outs are in
        seconds. Do not call this while a module that a plugin needs is itself being imported: plugins
        are imported in another thread, which would wait for the import lock.
        """
        unwanted = set(disabled)
        plugins = []
        for found, get in [_builtin(), *installed(), *map(_extra, extra)]:
            plugin = Plugin(found, get, timeout=hook_timeout)
            if plugin.name in unwanted:
                plugin.fail(PluginState.DISABLED, "disabled in the configuration")
            else:
                plugin.install(timeout=import_timeout)
            plugins.append(plugin)
        known = {plugin.name for plugin in plugins}
        for name in sorted(unwanted - known):
            reason = f"disabled, but not installed{nearest(name, known)}"
            absent = PluginReport(name=name, state=PluginState.DISABLED, reason=reason)
            plugins.append(Plugin(absent, object, timeout=hook_timeout))
        return cls(plugins, clock=clock)

    @property
    def reports(self) -> Sequence[PluginReport]:
        """Every plugin and how it is now."""
        return tuple(plugin.report for plugin in self._plugins)

    @property
    def broken(self) -> Sequence[PluginReport]:
        """The plugins that cannot be used although they are wanted."""
        return tuple(
            report for report in self.reports if report.state not in {PluginState.OK, PluginState.DISABLED}
        )

    @property
    def unusable(self) -> Mapping[str, str]:
        """Why names cannot be used: those of the plugins that do not work, and of what they register."""
        by_plugin = {report.name: str(report) for report in self.broken}
        return {name: str(plugin.report) for name, plugin in self._unregistered.items()} | by_plugin

    def emulators(self) -> Mapping[str, Emulator]:
        """Return the emulators the plugins register, by name; the first of one name counts."""
        hook = "register_emulators"
        found: dict[str, Emulator] = {}
        for plugin in self._implementing(hook):
            try:
                for emulator in plugin.call(hook):
                    _add_emulator(emulator, found, plugin.name)
            except PluginError as error:
                self._failed(plugin, error, hook)
        return found

    def register_commands(self, cli: click.Group) -> None:
        """Let the plugins add commands; one that fails, or takes an existing name, is reported."""
        hook = "register_commands"
        for plugin in self._implementing(hook):
            before = dict(cli.commands)
            try:
                plugin.call(hook, cli=cli)
                _check_none_replaced(plugin.name, before, cli.commands)
            except PluginError as error:
                cli.commands.clear()
                cli.commands.update(before)
                self._failed(plugin, error, hook)

    def notify(self, hook: str, **arguments: Any) -> None:
        """Call a hook of every plugin, one at a time; an exception is logged under the plugin's name.

        A plugin whose earlier call of the hook has not returned is skipped.
        """
        self.notify_each([(hook, arguments)])

    def notify_each(self, notifications: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Call several hooks, given with their arguments, as :meth:`notify` does.

        A plugin has :data:`BATCH_TIME_LIMIT` seconds for all of them; the rest is dropped and reported.
        """
        if wrong := {hook for hook, _ in notifications} - set(NOTIFIED):
            raise ValueError(f"{', '.join(sorted(wrong))} is not one of {', '.join(NOTIFIED)}")
        for plugin in self._plugins:
            self._notify(plugin, [one for one in notifications if plugin.implements(one[0])])

    def _notify(self, plugin: Plugin, notifications: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        deadline = self._clock() + BATCH_TIME_LIMIT
        for number, (hook, arguments) in enumerate(notifications):
            if number and self._clock() >= deadline:
                reason = f"{hook} took {BATCH_TIME_LIMIT:g} s for a batch and was not notified of the rest"
                self._failed(plugin, PluginError(plugin.name, reason), hook)
                return
            if not plugin.hung(hook):
                try:
                    plugin.call(hook, **arguments)
                except PluginError as error:
                    self._failed(plugin, error, hook)

    def veto(self, lead: Lead, destination: str) -> str | None:
        """Return the first plugin's reason to refuse a lead, under the plugin's name, or None.

        :raises PluginError: if a plugin raises, hangs or returns no reason: that is no consent.
        """
        hook = "veto_delivery"
        for plugin in self._implementing(hook):
            try:
                reason = plugin.call(hook, lead=lead, destination=destination)
            except PluginError as error:
                self._count(plugin, error, hook)
                raise
            if reason is not None:
                return f"{plugin.name}: {reason.strip() or 'no reason given'}"
        return None

    def sum_up(self) -> None:
        """Log the failures of hooks that were only counted so far."""
        self._lines.sum_up()

    def _implementing(self, hook: str) -> Iterable[Plugin]:
        return [plugin for plugin in self._plugins if plugin.implements(hook)]

    def _failed(self, plugin: Plugin, error: PluginError, hook: str) -> None:
        self._count(plugin, error, hook)
        self._lines.add(
            f"{error.plugin}, {hook}: {error.reason}", plugin=error.plugin, hook=hook, reason=error.reason
        )

    def _count(self, plugin: Plugin, error: PluginError, hook: str) -> None:
        plugin.note(error.reason)
        self.failures.add(plugin.name, plugin.report.version, hook, error.reason)


def _add_emulator(emulator: Any, found: dict[str, Emulator], plugin: str) -> None:
    if not isinstance(emulator, Emulator):
        raise PluginError(plugin, f"register_emulators: a {type(emulator).__name__} is no Emulator")
    if emulator.name in found:
        raise PluginError(plugin, f'register_emulators: there is an emulator "{emulator.name}" already')
    found[emulator.name] = emulator


def _check_none_replaced(
    plugin: str, before: Mapping[str, click.Command], after: Mapping[str, click.Command]
) -> None:
    replaced = [name for name, command in before.items() if after.get(name) is not command]
    if replaced:
        reason = f"register_commands replaces {', '.join(replaced)}; use names of its own"
        raise PluginError(plugin, reason)


def _builtin() -> Found:
    get = partial(import_module, "chatferry.plugins.builtin")
    return PluginReport(name=PROJECT, distribution=PROJECT, version=__version__), get


def _extra(plugin: object) -> Found:
    name = getattr(plugin, "__name__", None) or type(plugin).__name__
    return PluginReport(name=str(name)), lambda: plugin
