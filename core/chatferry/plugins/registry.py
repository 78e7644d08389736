"""What plugins register: whether it is what the hook asks for, and whether names are unique."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from marshmallow import Schema

from chatferry.connector import Connector
from chatferry.errors import PluginError
from chatferry.hookspecs import PROJECT
from chatferry.model import FieldMode
from chatferry.plugins.plugin import Plugin
from chatferry.plugins.report import PluginState
from chatferry.strategy import Strategy

T = TypeVar("T", Connector, Strategy)


class Registrations(Generic[T]):
    """The classes the plugins register through one hook. A plugin that registers a wrong one is disabled.

    Of two plugins that register one name the one stays whose entry point has it, or what is built in;
    where neither has, both are disabled, for either may be the right one.
    """

    def __init__(self, plugins: Iterable[Plugin], hook: str, base: type[T]) -> None:
        self._registered: list[tuple[Plugin, type[T]]] = []
        for plugin in plugins:
            if plugin.implements(hook):
                try:
                    found = _classes(plugin.name, hook, plugin.call(hook), base)
                    _require_own_name(plugin, hook, found)
                    self._registered += [(plugin, cls) for cls in found]
                except PluginError as error:
                    plugin.fail(PluginState.BROKEN, error.reason)
        _refuse_clashes(self._registered)

    def by_name(self) -> dict[str, type[T]]:
        """Return the classes of the plugins that are still in use."""
        return {cls.name: cls for plugin, cls in self._registered if plugin.is_usable}

    def unregistered(self) -> dict[str, Plugin]:
        """Return the names that are missing because their plugin was disabled, and that plugin."""
        kept = self.by_name()
        return {
            cls.name: plugin
            for plugin, cls in self._registered
            if not plugin.is_usable and cls.name not in kept
        }


def _classes(plugin: str, hook: str, found: Sequence[Any], base: type[T]) -> Sequence[type[T]]:
    for cls in found:
        if problem := _problem(cls, base):
            raise PluginError(plugin, f"{hook}: {problem}")
    names = [cls.name for cls in found]
    if len(set(names)) < len(names):
        raise PluginError(plugin, f"{hook}: two classes have one name")
    return found


def _require_own_name(plugin: Plugin, hook: str, found: Sequence[type[Any]]) -> None:
    """Check that an installed connector is found under the name that an administrator sees in ``plugins``."""
    for cls in found:
        if issubclass(cls, Connector) and plugin.report.distribution and cls.name != plugin.name:
            both = f'named "{cls.name}" and its entry point "{plugin.name}"'
            raise PluginError(plugin.name, f"{hook}: {cls.__name__} is {both}; give both one name")


def _problem(cls: Any, base: type) -> str | None:
    """Say what is wrong with a registered class."""
    kind = base.__name__
    if not inspect.isclass(cls):
        return f"a {type(cls).__name__} is no class; register the {kind} class, not an instance"
    if not issubclass(cls, base):
        return f"{cls.__name__} is no subclass of chatferry.{kind}"
    if missing := ", ".join(sorted(getattr(cls, "__abstractmethods__", ()))):
        return f"{cls.__name__} does not implement {missing}"
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not name.strip():
        return f'{cls.__name__} has no name; write name = "…" in the class'
    if not (inspect.isclass(cls.Settings) and issubclass(cls.Settings, Schema)):  # type: ignore[attr-defined]  # both bases have it
        return f"{cls.__name__}.Settings is no marshmallow Schema"
    return _connector_problem(cls) if issubclass(cls, Connector) else None


def _connector_problem(cls: type[Connector]) -> str | None:
    if not isinstance(cls.batch_size, int) or cls.batch_size < 1:
        return f"{cls.__name__}.batch_size is not a number from 1"
    if not isinstance(cls.timeout, int | float) or not cls.timeout > 0:
        return f"{cls.__name__}.timeout is not a number of seconds"
    if not isinstance(cls.mapping, Mapping):
        return f"{cls.__name__}.mapping is no mapping"
    if not all(isinstance(mode, FieldMode) for mode in cls.modes):
        return f"{cls.__name__}.modes holds something else than FieldMode"
    return None


def _refuse_clashes(registered: Iterable[tuple[Plugin, type[Any]]]) -> None:
    by_name: dict[str, list[Plugin]] = {}
    for plugin, cls in registered:
        by_name.setdefault(cls.name, []).append(plugin)
    for name, plugins in by_name.items():
        names = " and ".join(plugin.name for plugin in plugins)
        owners = {PROJECT, name}
        for plugin in plugins if len(plugins) > 1 else ():
            if plugin.name not in owners:
                plugin.fail(PluginState.REFUSED, f'"{name}" is registered by {names}; disable or remove one')
