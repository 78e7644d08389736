"""What ``check`` looks at: the token, its scopes, the plan, and every property that is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatferry import AuthFailure, DeliveryError, Finding, Level
from chatferry_hubspot.answers import Forbidden, Refused
from chatferry_hubspot.client import Client
from chatferry_hubspot.fields import CONTACT, CONVERSATION, PROPERTY_KINDS, expected
from chatferry_hubspot.paths import Path
from chatferry_hubspot.settings import Storage
from chatferry_hubspot.storage import CONTACT_TYPE, CONTACTS, NOTES, Chooser, Home

Definitions = Mapping[str, Mapping[str, Any]]
MOST_OPTIONS = 12


def ok(subject: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(level=Level.OK, subject=subject, message=message)


def warning(subject: str, message: str) -> Finding:
    """Return a finding somebody should know of."""
    return Finding(level=Level.WARNING, subject=subject, message=message)


def wrong(subject: str, message: str) -> Finding:
    """Return a finding that keeps leads from being delivered."""
    return Finding(level=Level.ERROR, subject=subject, message=message)


def check_account(
    client: Client, chooser: Chooser, fields: Mapping[str, tuple[str, ...]]
) -> Sequence[Finding]:
    """Look at everything a delivery needs, and write nothing."""
    try:
        contacts = definitions(client, CONTACTS)
    except Forbidden as error:
        return [ok("token", "HubSpot accepts it"), wrong("scopes", str(error))]
    except AuthFailure as error:
        return [wrong("token", str(error))]
    except DeliveryError as error:
        return [wrong("HubSpot", f"{error}; the rest was not looked at")]
    findings = [ok("token", "HubSpot accepts it"), _may_write(client, CONTACTS)]
    findings += _check_contacts(client, contacts, fields)
    try:
        home = chooser.home(fresh=True)
        findings += _check_home(client, home, fields)
    except DeliveryError as error:
        findings.append(wrong("conversations", str(error)))
    return findings


def definitions(client: Client, kind: str) -> Definitions:
    """Return an object's properties by name.

    :raises DeliveryError: if HubSpot does not list them.
    """
    listing = client.ask(Path.PROPERTIES, object=kind)
    return {str(item["name"]): item for item in listing if isinstance(item.get("name"), str)}


def _may_write(client: Client, kind: str) -> Finding:
    """Ask for an upsert of nothing: HubSpot looks at the scopes before it looks at the inputs."""
    try:
        client.call(Path.UPSERT, {"inputs": []}, object=kind)
    except Refused:
        pass
    except DeliveryError as error:
        return wrong("scopes", f"{kind} cannot be written: {error}")
    return ok("scopes", f"{kind} can be read and written")


def _check_contacts(
    client: Client, held: Definitions, fields: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    options = client.options
    yield _check_unique(held, CONTACT, options.visitor_property)
    wanted = expected(fields, CONTACT, options.types)
    yield from _check_properties(held, CONTACT, wanted)
    if options.lifecycle_stage:
        stages = _choices(held.get("lifecyclestage", {}))
        if options.lifecycle_stage not in stages:
            yield wrong("lifecycle_stage", f"is none of {', '.join(stages) or 'the stages of the account'}")


def _check_home(client: Client, home: Home, fields: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    options = client.options
    yield ok("conversations", f"are written as {_NAMES[home.storage]}: {home.reason}")
    yield _may_write(client, home.object_type)
    if home.storage is Storage.NOTES:
        yield _check_notes(home, options.note_property)
        return
    held = definitions(client, home.object_type)
    yield _check_unique(held, CONVERSATION, options.conversation_property)
    yield from _check_properties(held, CONVERSATION, expected(fields, CONVERSATION, options.types))
    if home.schema and not _tied_to_contacts(home.schema):
        yield wrong(CONVERSATION, "has no association with contacts: add one in the object's settings")


_NAMES = {Storage.CUSTOM_OBJECT: "custom objects", Storage.NOTES: "notes"}


def _check_notes(home: Home, name: str) -> Finding:
    if home.keyed:
        return ok(f"{NOTES}.{name}", "is unique: a note is found by it")
    return warning(
        f"{NOTES}.{name}", "is no unique property here: notes are found by the ids that are kept of them"
    )


def _tied_to_contacts(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema's associations name contacts, or it does not list them at all."""
    associations = schema.get("associations")
    ends = [
        {item.get("toObjectTypeId"), item.get("fromObjectTypeId")}
        for item in (associations if isinstance(associations, list) else ())
        if isinstance(item, Mapping)
    ]
    return not ends or any(CONTACT_TYPE in end for end in ends)


def _check_unique(held: Definitions, subject: str, name: str) -> Finding:
    definition = held.get(name)
    if definition is None:
        return wrong(f"{subject}.{name}", "does not exist: run provision")
    if definition.get("hasUniqueValue") is not True:
        return wrong(
            f"{subject}.{name}", "is not unique, which cannot be changed: choose another name in the settings"
        )
    return ok(f"{subject}.{name}", "exists and is unique")


def _check_properties(held: Definitions, subject: str, wanted: Mapping[str, str | None]) -> Iterator[Finding]:
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
        choices = _choices(definition)
        shown = ", ".join(choices[:MOST_OPTIONS]) + (", …" if len(choices) > MOST_OPTIONS else "")
        return warning(subject, f"takes only these values: {shown}") if choices else None
    if kind is None or actual == PROPERTY_KINDS[kind][0]:
        return None
    if actual == "string":
        return warning(subject, f"is a text where a {kind} was expected: it will be written as text")
    return wrong(subject, f"has the type {actual}, not {PROPERTY_KINDS[kind][0]}")


def _choices(definition: Mapping[str, Any]) -> list[str]:
    options = definition.get("options")
    return [
        str(option["value"])
        for option in (options if isinstance(options, list) else ())
        if isinstance(option, Mapping) and "value" in option
    ]
