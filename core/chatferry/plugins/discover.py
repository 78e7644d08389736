"""Find the installed plugins by their entry points, and whether they fit this version of chatferry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import TypeAlias

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from chatferry._version import __version__
from chatferry.hookspecs import PROJECT
from chatferry.plugins.report import PluginReport, PluginState

Found: TypeAlias = tuple[PluginReport, Callable[[], object]]
"""What is known of a plugin that was found, and the function that imports it."""


def installed() -> Sequence[Found]:
    """Return the plugins of the installed distributions, by name; nothing is imported.

    Where several distributions have one entry point's name, each is refused: which one is loaded would
    depend on the order of directories. A distribution that is listed twice counts once.
    """
    by_name: dict[str, dict[str, EntryPoint]] = {}
    for entry in entry_points(group=PROJECT):
        by_name.setdefault(entry.name, {}).setdefault(entry.value, entry)
    return [
        found
        for name in sorted(by_name)
        for found in _found(name, [by_name[name][value] for value in sorted(by_name[name])])
    ]


def _found(name: str, entries: Sequence[EntryPoint]) -> Iterable[Found]:
    clash = ""
    if len(entries) > 1:
        places = " and ".join(f"{_distribution(entry)} ({entry.value})" for entry in entries)
        clash = f'the entry point "{name}" is offered by {places}; uninstall all but one'
    elif name == PROJECT:
        clash = f'the name "{name}" is reserved for what is built in; rename the entry point'
    for entry in entries:
        window = _window(entry.dist)
        refusal = clash or _outside(window)
        report = PluginReport(
            name=name,
            distribution=_distribution(entry),
            version=entry.dist.version if entry.dist else "",
            window=window,
            state=PluginState.REFUSED if refusal else PluginState.OK,
            reason=refusal,
        )
        yield report, entry.load


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unknown distribution"


def _window(distribution: Distribution | None) -> str:
    """Return the versions of chatferry a distribution requires, such as ``<0.2,>=0.1``."""
    asked = SpecifierSet()
    for text in (distribution.requires if distribution else None) or ():
        try:
            requirement = Requirement(text)
            counts = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
            continue
        if canonicalize_name(requirement.name) == PROJECT and counts:
            asked &= requirement.specifier
    return str(asked)


def _outside(window: str) -> str:
    """Return why this version does not fit the window, or an empty text."""
    present = Version(__version__).base_version
    if SpecifierSet(window).contains(present, prereleases=True):
        return ""
    return f"made for chatferry {window}, and this is {present}; install a version of the plugin made for it"
