"""The fields the connector writes where the administrator maps none, and what they are in HubSpot."""

from __future__ import annotations

from collections.abc import Mapping

CONTACT, CONVERSATION, NOTE = "contact", "conversation", "note"
"""What mappings and receipts call the records."""
FORMER = "former_contacts"
"""What receipts call the contacts a visitor was taken for before, their ids in a row."""

DEFAULT_MAPPING: Mapping[str, Mapping[str, str]] = {
    CONTACT: {
        "email": "email",
        "firstname": "visitor.first_name",
        "lastname": "visitor.last_name",
        "phone": "visitor.phone or answers.phone",
        "address": "visitor.address",
        "city": "visitor.city",
        "zip": "visitor.zip_code",
        "country": "visitor.country",
    },
    CONVERSATION: {
        "subject": "'Conversation ' ~ conversation.id",
        "channel": "conversation.channel",
        "language": "conversation.language",
        "started_at": "conversation.created_at",
        "closed_at": "conversation.closed_at",
        "satisfaction": "conversation.satisfaction.csat",
        "transcript": "transcript",
    },
}

DEFAULT_TYPES: Mapping[str, str] = {
    "subject": "string",
    "channel": "string",
    "language": "string",
    "started_at": "datetime",
    "closed_at": "datetime",
    "satisfaction": "number",
    "transcript": "text",
}
"""What ``provision`` makes of the default fields; ``text`` of any other, unless ``types`` says more."""

PROPERTY_KINDS: Mapping[str, tuple[str, str]] = {
    "string": ("string", "text"),
    "text": ("string", "textarea"),
    "number": ("number", "number"),
    "bool": ("bool", "booleancheckbox"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
}
"""Per type of ours, HubSpot's ``type`` and ``fieldType``."""


def label(name: str) -> str:
    """Return a property's label: its name as people write."""
    return name.replace("_", " ").capitalize()


def expected(
    fields: Mapping[str, tuple[str, ...]], name: str, types: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the properties a destination writes on one object, with the type each should have.

    :param fields: per object, the fields that are mapped; the default mapping's where one is missing.
    :param types: types the administrator gives.
    :return: None as the type where nobody says: any will do.
    """
    names = fields.get(name, tuple(DEFAULT_MAPPING[name]))
    known = DEFAULT_TYPES if name == CONVERSATION else {}
    return {each: types.get(each, known.get(each)) for each in names}
