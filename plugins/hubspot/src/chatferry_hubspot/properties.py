"""The properties a destination writes: which ones, of which types, and every value as HubSpot reads it.

HubSpot's values are all strings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from chatferry import Cut, Lead, Record, cut
from chatferry.records import Fields
from chatferry.text import printable, storable

TEXT_LIMIT = 65_536
"""Characters a text property holds."""
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
    :return: None as the type where none is given: any will do.
    """
    names = fields.get(name, tuple(DEFAULT_MAPPING[name]))
    known = DEFAULT_TYPES if name == CONVERSATION else {}
    return {each: types.get(each, known.get(each)) for each in names}


def measure(text: str) -> int:
    """Return the length in UTF-16 units, the stricter way to count: an emoji is two."""
    return len(text.encode("utf-16-le", "replace")) // 2


def as_text(value: object) -> str:
    """Return a value as HubSpot reads it; None becomes the empty text, which clears a property."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return _moment(value)
        case float():
            return format(Decimal(repr(value)).normalize(), "f") if math.isfinite(value) else ""
    lines = (storable(str(value)) or "").split("\r")
    return "\r".join(map(printable, lines))  # HubSpot keeps a text's line ends: printable alone would not


def _moment(value: datetime) -> str:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    precision = "milliseconds" if aware.microsecond else "seconds"
    return aware.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def as_property(value: object, kind: str | None) -> str:
    """Return a value for a property of a type: a ``date`` is a day, which is midnight in UTC."""
    text = as_text(value)
    return text.partition("T")[0] if kind == "date" and isinstance(value, datetime) else text


def properties_of(
    lead: Lead, name: str, limit: int | None = TEXT_LIMIT, types: Mapping[str, str] | None = None
) -> Fields:
    """Return the lead's record of one object with every value as HubSpot reads it.

    :param limit: the longest text a property takes; None cuts nothing.
    :param types: the types of properties the settings say.
    """
    record, types = lead.records.get(name, Record()), types or {}
    whole = Fields(
        values=_texts(record.values, types, clear=True),
        fill_if_empty=_texts(record.fill_if_empty, types, clear=False),
        create_only=_texts(record.create_only, types, clear=False),
    )
    if limit is None:
        return whole
    return whole.cut(lambda _, text: cut(text, limit, measure), cut_note)


def _texts(values: Mapping[str, object], types: Mapping[str, str], *, clear: bool) -> dict[str, str]:
    """Return values as texts, without the empty ones; None is kept as an empty one where it clears."""
    texts = {key: as_property(value, types.get(key)) for key, value in values.items()}
    return {key: text for key, text in texts.items() if text or (clear and values[key] is None)}


def cut_note(key: str, shorter: Cut) -> str:
    """Return the receipt's remark on a text that was cut."""
    shown = f"; {shorter.kept} of {shorter.total} messages kept" if shorter.total else ""
    return f"{key} was cut at HubSpot's {TEXT_LIMIT:,} characters{shown}"
