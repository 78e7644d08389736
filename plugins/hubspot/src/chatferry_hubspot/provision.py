"""Making in HubSpot what a destination writes to: planned first, shown, then applied; twice is fine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from chatferry_hubspot.answers import Forbidden, Refused
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.properties import CONTACT, CONVERSATION, PROPERTY_KINDS, expected, label
from chatferry_hubspot.settings import Options, Storage
from chatferry_hubspot.storage import CONTACT_TYPE, CONTACTS, NOTES, Definitions, definitions, find_schema

Fields = Mapping[str, tuple[str, ...]]


class Action(StrEnum):
    """What a step is about to do, or has done."""

    KEEP = "keep"
    CREATE = "create"
    CREATED = "created"
    MANUAL = "do it yourself"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing the account needs. ``fallback`` is done if the plan of the account forbids it."""

    action: Action
    subject: str
    why: str
    path: Path | None = None
    kind: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fallback: Step | None = None


def plan(client: HubSpotClient, fields: Fields) -> Sequence[Step]:
    """Return what the account needs for a destination, in order; only reads.

    :param fields: per object, the fields the destination maps.
    :raises DeliveryError: if HubSpot does not let us look.
    """
    options = client.options
    held = definitions(client, CONTACTS)
    steps = [_unique(held, CONTACTS, options.visitor_property, "finds visitors without e-mail")]
    wanted = expected(fields, CONTACT, options.types)
    steps += _missing(held, CONTACTS, wanted, _group(held, CONTACTS))
    if options.storage is Storage.NOTES:
        return [*steps, _note_property(client)]
    try:
        schema = find_schema(client.ask(Path.SCHEMAS), options.object)
    except (Forbidden, Refused):
        if options.storage is Storage.CUSTOM_OBJECT:
            raise
        return [*steps, _note_property(client)]
    if schema is not None:
        return [*steps, *_existing_object(client, schema, fields)]
    fallback = _note_property(client) if options.storage is Storage.AUTO else None
    return [*steps, _new_object(options, fields, fallback)]


def apply(client: HubSpotClient, steps: Sequence[Step]) -> Iterator[Step]:
    """Do what the plan says, yielding each step as it came out.

    :raises DeliveryError: if HubSpot cannot be reached or refuses the token.
    """
    for step in steps:
        yield _do(client, step)


def _do(client: HubSpotClient, step: Step) -> Step:
    if step.action is not Action.CREATE or step.path is None:
        return step
    parts = {"object": step.kind} if step.kind else {}
    try:
        client.call(step.path, step.payload, **parts)
    except Forbidden as error:
        if step.fallback is not None:
            return _do(client, step.fallback)
        return replace(step, action=Action.REFUSED, why=str(error))
    except Refused as error:
        if error.conflict:
            return replace(step, action=Action.KEEP, why="was made in the meantime")
        return replace(step, action=Action.REFUSED, why=f"{error}: {error.crm_message}")
    return replace(step, action=Action.CREATED)


def _unique(held: Definitions, kind: str, name: str, why: str) -> Step:
    subject = f"{kind}.{name}"
    definition = held.get(name)
    if definition is None:
        payload = {**_property(name, "string"), "groupName": _group(held, kind), "hasUniqueValue": True}
        return Step(
            action=Action.CREATE,
            subject=subject,
            why=why,
            path=Path.CREATE_PROPERTY,
            kind=kind,
            payload=payload,
        )
    if definition.get("hasUniqueValue") is True:
        return Step(action=Action.KEEP, subject=subject, why="is there and unique")
    return Step(
        action=Action.MANUAL,
        subject=subject,
        why="exists but is not unique, which cannot be changed: choose another name in the settings",
    )


def _missing(held: Definitions, kind: str, wanted: Mapping[str, str | None], group: str) -> Iterator[Step]:
    for name, type_ in wanted.items():
        if name in held:
            yield Step(action=Action.KEEP, subject=f"{kind}.{name}", why="is there")
            continue
        payload = {**_property(name, type_ or "text"), "groupName": group}
        yield Step(
            action=Action.CREATE,
            subject=f"{kind}.{name}",
            why="is mapped",
            path=Path.CREATE_PROPERTY,
            kind=kind,
            payload=payload,
        )


def _property(name: str, kind: str) -> dict[str, Any]:
    type_, field_type = PROPERTY_KINDS[kind]
    made: dict[str, Any] = {"name": name, "label": label(name), "type": type_, "fieldType": field_type}
    if kind == "bool":
        made["options"] = [
            {"label": text, "value": value, "displayOrder": order, "hidden": False}
            for order, (text, value) in enumerate((("Yes", "true"), ("No", "false")))
        ]
    return made


def _group(held: Definitions, kind: str) -> str:
    """Return the property group the object's own properties are in."""
    if kind == CONTACTS:
        return "contactinformation"
    groups = [item["groupName"] for item in held.values() if isinstance(item.get("groupName"), str)]
    return max(set(groups), key=groups.count) if groups else f"{kind}_information"


def _note_property(client: HubSpotClient) -> Step:
    held = definitions(client, NOTES)
    return _unique(held, NOTES, client.options.note_property, "finds the note of a conversation")


def _existing_object(client: HubSpotClient, schema: Mapping[str, Any], fields: Fields) -> Iterator[Step]:
    options = client.options
    kind = str(schema.get("objectTypeId") or options.object)
    yield Step(action=Action.KEEP, subject=f"object {options.object}", why=f"is there ({kind})")
    held = definitions(client, kind)
    yield _unique(held, kind, options.conversation_property, "finds a conversation again")
    wanted = expected(fields, CONVERSATION, options.types)
    yield from _missing(held, kind, wanted, _group(held, kind))
    yield _association(schema, kind, options.object)


def _association(schema: Mapping[str, Any], kind: str, name: str) -> Step:
    """Return the step that lets conversations be associated with contacts."""
    subject = f"association of {name} with contacts"
    if _is_associated_with_contacts(schema):
        return Step(action=Action.KEEP, subject=subject, why="is there")
    payload = {"fromObjectTypeId": kind, "toObjectTypeId": CONTACT_TYPE, "name": f"{name}_to_contact"}
    return Step(
        action=Action.CREATE,
        subject=subject,
        why="associates a conversation with its visitor",
        path=Path.ALLOW_ASSOCIATION,
        kind=kind,
        payload=payload,
    )


def _is_associated_with_contacts(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema's associations name contacts, or it does not list them at all."""
    associations = schema.get("associations")
    if not isinstance(associations, list):
        return True
    return any(
        CONTACT_TYPE in {item.get("toObjectTypeId"), item.get("fromObjectTypeId")}
        for item in associations
        if isinstance(item, Mapping)
    )


def _new_object(options: Options, fields: Fields, fallback: Step | None) -> Step:
    """Return the step that makes the object, its properties and its association in one call."""
    wanted = expected(fields, CONVERSATION, options.types)
    wanted.pop(options.conversation_property, None)
    key = {**_property(options.conversation_property, "string"), "hasUniqueValue": True}
    shown = "subject" if "subject" in wanted else options.conversation_property
    payload = {
        "name": options.object,
        "labels": {"singular": "Conversation", "plural": "Conversations"},
        "description": "A live-chat conversation of iAdvize.",
        "primaryDisplayProperty": shown,
        "secondaryDisplayProperties": ["channel"] if "channel" in wanted else [],
        "searchableProperties": [shown],
        "requiredProperties": [options.conversation_property],
        "allowsSensitiveProperties": False,
        "associatedObjects": [CONTACT_TYPE],
        "properties": [key, *(_property(name, type_ or "text") for name, type_ in wanted.items())],
    }
    why = "holds the conversations" + ("; notes if the plan has no custom objects" if fallback else "")
    return Step(
        action=Action.CREATE,
        subject=f"object {options.object} with {len(wanted) + 1} properties, associated with contacts",
        why=why,
        path=Path.CREATE_SCHEMA,
        payload=payload,
        fallback=fallback,
    )
