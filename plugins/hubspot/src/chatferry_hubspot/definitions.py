"""Whether an object's properties are as a destination needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatferry import Finding
from chatferry_hubspot.client import Client
from chatferry_hubspot.fields import PROPERTY_KINDS
from chatferry_hubspot.findings import ok, warning, wrong
from chatferry_hubspot.paths import Path

Definitions = Mapping[str, Mapping[str, Any]]
MOST_OPTIONS = 12


def definitions(client: Client, kind: str) -> Definitions:
    """Return an object's properties by name.

    :raises DeliveryError: if HubSpot does not list them.
    """
    listing = client.ask(Path.PROPERTIES, object=kind)
    return {str(item["name"]): item for item in listing if isinstance(item.get("name"), str)}


def check_unique(held: Definitions, subject: str, name: str) -> Finding:
    """Return what is to be said of the property that records are found by."""
    definition = held.get(name)
    if definition is None:
        return wrong(f"{subject}.{name}", "does not exist: run provision")
    if definition.get("hasUniqueValue") is not True:
        return wrong(
            f"{subject}.{name}", "is not unique, which cannot be changed: choose another name in the settings"
        )
    return ok(f"{subject}.{name}", "exists and is unique")


def check_properties(held: Definitions, subject: str, wanted: Mapping[str, str | None]) -> Iterator[Finding]:
    """Return what is to be said of the mapped properties; those that simply fit share a finding."""
    fine: list[str] = []
    for name, kind in wanted.items():
        finding = _check_property(held.get(name), f"{subject}.{name}", kind)
        if finding is None:
            fine.append(name)
        else:
            yield finding
    if fine:
        yield ok(f"{subject} properties", f"exist: {', '.join(fine)}")


def _check_property(definition: Mapping[str, Any] | None, subject: str, kind: str | None) -> Finding | None:
    """Return what is to be said of a mapped property, None if it simply fits."""
    if definition is None:
        return wrong(subject, "does not exist: run provision, or correct the mapping")
    meta = definition.get("modificationMetadata")
    if definition.get("calculated") is True or (
        isinstance(meta, Mapping) and meta.get("readOnlyValue") is True
    ):
        return wrong(subject, "is read-only in HubSpot: take it out of the mapping")
    actual = definition.get("type")
    if actual == "enumeration":
        choices = choices_of(definition)
        shown = ", ".join(choices[:MOST_OPTIONS]) + (", …" if len(choices) > MOST_OPTIONS else "")
        return warning(subject, f"takes only these values: {shown}") if choices else None
    return _check_kind(actual, subject, kind)


def _check_kind(actual: object, subject: str, kind: str | None) -> Finding | None:
    """Return what is to be said of a property's type, given the one the settings name, if they do."""
    if kind is None and actual == "date":
        name = subject.rpartition(".")[2]
        return warning(subject, f'takes days: if a moment is mapped to it, set types.{name} = "date"')
    if kind is None or actual == PROPERTY_KINDS[kind][0]:
        return None
    if actual == "string":
        return warning(subject, f"is a text where a {kind} was expected: it will be written as text")
    return wrong(subject, f"has the type {actual}, not {PROPERTY_KINDS[kind][0]}")


def choices_of(definition: Mapping[str, Any]) -> list[str]:
    """Return the internal values of an enumeration."""
    options = definition.get("options")
    return [
        str(option["value"])
        for option in (options if isinstance(options, list) else ())
        if isinstance(option, Mapping) and "value" in option
    ]
