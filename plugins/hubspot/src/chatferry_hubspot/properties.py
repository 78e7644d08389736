"""The properties a destination writes: which ones, of which types, and every value as HubSpot reads it.

HubSpot's values are all strings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from chatferry import Cut, Lead, Record, cut
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """A record as HubSpot takes it, by sync mode, and what was changed on the way."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    fill_if_empty: Mapping[str, str] = field(default_factory=dict, repr=False)
    create_only: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The properties that may be written."""
        return frozenset({*self.values, *self.fill_if_empty, *self.create_only})

    @property
    def conditional(self) -> frozenset[str]:
        """The properties that are written or not after a look at what the account holds."""
        return frozenset({*self.fill_if_empty, *self.create_only} - set(self.values))

    def against(self, held: Mapping[str, str] | None) -> dict[str, str]:
        """Return what to write where the account holds ``held``, or nothing at all (None)."""
        if held is None:
            return {**self.create_only, **self.fill_if_empty, **self.values}
        return {**{k: v for k, v in self.fill_if_empty.items() if not held.get(k)}, **self.values}

    def cut_at(self, limit: int) -> Properties:
        """Return the record with texts that are cut where they are too long, and a note on each."""
        notes: list[str] = []

        def fitting(values: Mapping[str, str]) -> dict[str, str]:
            cuts = {key: shorter for key, text in values.items() if (shorter := cut(text, limit, measure))}
            notes.extend(cut_note(key, shorter) for key, shorter in cuts.items())
            return {**values, **{key: shorter.text for key, shorter in cuts.items()}}

        return Properties(
            values=fitting(self.values),
            fill_if_empty=fitting(self.fill_if_empty),
            create_only=fitting(self.create_only),
            notes=tuple(notes),
        )

    def plus(self, name: str, value: str) -> Properties:
        """Return the record with one more value."""
        return replace(self, values={**self.values, name: value})

    def without(self, *names: str, note: str | None = None) -> Properties:
        """Return the record without some of its values, with a note on it."""
        return Properties(
            values={key: value for key, value in self.values.items() if key not in names},
            fill_if_empty={key: value for key, value in self.fill_if_empty.items() if key not in names},
            create_only={key: value for key, value in self.create_only.items() if key not in names},
            notes=self.notes if note is None else (*self.notes, note),
        )


def properties_of(
    lead: Lead, name: str, limit: int | None = TEXT_LIMIT, types: Mapping[str, str] | None = None
) -> Properties:
    """Return the lead's record of one object with every value as HubSpot reads it.

    :param limit: the longest text a property takes; None cuts nothing.
    :param types: the types of properties the settings say.
    """
    record, types = lead.records.get(name, Record()), types or {}
    whole = Properties(
        values=_texts(record.values, types, clear=True),
        fill_if_empty=_texts(record.fill_if_empty, types, clear=False),
        create_only=_texts(record.create_only, types, clear=False),
    )
    return whole if limit is None else whole.cut_at(limit)


def _texts(values: Mapping[str, object], types: Mapping[str, str], *, clear: bool) -> dict[str, str]:
    """Return values as texts, without the empty ones; None is kept as an empty one where it clears."""
    texts = {key: as_property(value, types.get(key)) for key, value in values.items()}
    return {key: text for key, text in texts.items() if text or (clear and values[key] is None)}


def cut_note(key: str, shorter: Cut) -> str:
    """Return the receipt's remark on a text that was cut."""
    shown = f"; {shorter.kept} of {shorter.total} messages kept" if shorter.total else ""
    return f"{key} was cut at HubSpot's {TEXT_LIMIT:,} characters{shown}"


def fold(many: Sequence[Properties]) -> Properties:
    """Return several records of one object as one, as if they were sent one by one.

    Of overwriting values the last wins, of conditional ones the first.
    """
    folded = many[0]
    for later in many[1:]:
        folded = Properties(
            values={**folded.values, **later.values},
            fill_if_empty={**later.fill_if_empty, **folded.fill_if_empty},
            create_only={**later.create_only, **folded.create_only},
            notes=(*folded.notes, *later.notes),
        )
    return folded
