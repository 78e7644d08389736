"""One plugin with a pluggy manager of its own, so that its failures cannot reach another plugin."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pluggy

from chatferry import hookspecs
from chatferry.errors import PluginError
from chatferry.logs import described
from chatferry.plugins.calls import CallAborted, CallHung, Calls
from chatferry.plugins.report import PluginReport, PluginState
from chatferry.settings.fields import nearest

HOOKS = tuple(
    name
    for name, member in vars(hookspecs).items()
    if inspect.isfunction(member) and hasattr(member, f"{hookspecs.PROJECT}_spec")
)
"""The names of the hooks, in the order of a run."""


class Plugin:
    """A plugin that was found. Its ``state`` is ``ok`` until something fails for good."""

    def __init__(self, found: PluginReport, get: Callable[[], object], *, timeout: float) -> None:
        self._report = found
        self._get = get
        self._timeout = timeout
        self._calls = Calls("plugin")
        self._hung: dict[str, CallHung] = {}
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    @property
    def name(self) -> str:
        """The name of its entry point."""
        return self._report.name

    @property
    def is_usable(self) -> bool:
        """Whether its hooks are called."""
        return self._report.state is PluginState.OK

    @property
    def report(self) -> PluginReport:
        """How the plugin is now."""
        hung = [hook for hook in self._hung if self.hung(hook)]
        if self.is_usable and hung:
            reason = f"{', '.join(hung)} did not return; restart, and report it"
            return replace(self._report, state=PluginState.HUNG, reason=reason)
        return self._report

    def fail(self, state: PluginState, reason: str) -> None:
        """Disable the plugin: none of its hooks is called again."""
        self._report = replace(self._report, state=state, reason=reason)

    def note(self, reason: str) -> None:
        """Keep the latest failure of a hook for the report."""
        self._report = replace(self._report, reason=reason)

    def install(self, *, timeout: float) -> None:
        """Import the plugin and register its hooks, unless it is refused; a failure becomes its state."""
        if not self.is_usable:
            return
        try:
            self._calls.run(lambda: self._register(self._get()), timeout=timeout)
        except CallHung as hung:
            self.fail(PluginState.HUNG, f"its import {hung}")
        except PluginError as error:
            self.fail(PluginState.BROKEN, error.reason)
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything)
            self.fail(PluginState.BROKEN, f"its import failed: {described(_raised(error))}")

    def implements(self, hook: str) -> bool:
        """Whether the hook can be called: the plugin is in use and has it."""
        return self.is_usable and hook in self._report.hooks

    def hung(self, hook: str) -> bool:
        """Whether an earlier call of the hook has not returned yet."""
        return hook in self._hung and self._hung[hook].is_running

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call a hook and return this plugin's result.

        :raises PluginError: if it raises, hangs or returns the wrong type; what it raised is not quoted.
        """
        if self.hung(hook):
            raise PluginError(self.name, f"{hook} has not returned from an earlier call")
        caller: Callable[..., Any] = getattr(self._manager.hook, hook)
        try:
            found = self._calls.run(lambda: caller(**arguments), timeout=self._timeout)
        except CallHung as hung:
            self._hung[hook] = hung
            raise PluginError(self.name, f"{hook} {hung}") from None
        except PluginError:
            raise
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything)
            reason = f"{hook} raised {described(_raised(error))}"
            self.note(reason)
            raise PluginError(self.name, reason) from None
        if not getattr(hookspecs, hook).chatferry_spec["firstresult"]:
            found = found[0] if found else None
        if problem := _result_problem(hook, found):
            raise PluginError(self.name, f"{hook} returned {problem}")
        return found

    def _register(self, plugin: object) -> None:
        if inspect.isclass(plugin):
            raise PluginError(
                self.name,
                f"its entry point names the class {plugin.__name__}; name the module that holds the hooks",
            )
        try:
            self._manager.register(plugin, name=self.name)
        except pluggy.PluginValidationError as error:
            raise PluginError(self.name, _misfit(error)) from None
        implemented = [caller.name for caller in self._manager.get_hookcallers(plugin) or ()]
        unknown = sorted(name for name in implemented if name not in HOOKS)
        if unknown:
            raise PluginError(
                self.name, "; ".join(f"{name} is no hook{nearest(name, HOOKS)}" for name in unknown)
            )
        self._report = replace(self._report, hooks=tuple(name for name in HOOKS if name in implemented))


def _raised(error: Exception) -> BaseException:
    return error.end if isinstance(error, CallAborted) else error


def _result_problem(hook: str, found: Any) -> str | None:
    """Say what is wrong with the type of a hook's result."""
    kind = "nothing" if found is None else f"a {type(found).__name__}"
    if hook in {"register_connectors", "register_strategies", "register_emulators"}:
        return None if isinstance(found, list | tuple) else f"{kind}; return a list"
    if hook == "veto_delivery":
        return None if isinstance(found, str | None) else f"{kind}, not a reason"
    return None


def _misfit(error: pluggy.PluginValidationError) -> str:
    """Return the last line of pluggy's message; the lines before are a repr of the plugin."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"a hook does not fit its specification: {lines[-1]}" if lines else "a hook does not fit"
