"""From mapped fields to HubSpot's properties, which are all strings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from chatferry import Cut, Lead, Record, cut

TEXT_LIMIT = 65_536
"""Characters a text property holds."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(text: str) -> str:
    """Drop what no CRM shows: null bytes, control characters, halves of characters."""
    return _UNPRINTABLE.sub("", text)


def measure(text: str) -> int:
    """Return the length in UTF-16 units, the stricter way to count: an emoji is two."""
    return len(text.encode("utf-16-le", "replace")) // 2


def as_text(value: object) -> str:
    """Return a value as HubSpot reads it; None becomes the empty text, which clears a property."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        precision = "milliseconds" if aware.microsecond else "seconds"
        text = aware.astimezone(UTC).isoformat(timespec=precision)
        return text.replace("+00:00", "Z")
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return format(Decimal(repr(value)).normalize(), "f")
    return clean(str(value))


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
    def conditional(self) -> frozenset[str]:
        """The properties that are written or not after a look at what the account holds."""
        return frozenset({*self.fill_if_empty, *self.create_only} - set(self.values))

    def against(self, held: Mapping[str, str] | None) -> dict[str, str]:
        """Return what to write where the account holds ``held``, or nothing at all (None)."""
        if held is None:
            return {**self.create_only, **self.fill_if_empty, **self.values}
        return {**{k: v for k, v in self.fill_if_empty.items() if not held.get(k)}, **self.values}


def properties_of(
    lead: Lead, name: str, limit: int | None = TEXT_LIMIT, types: Mapping[str, str] | None = None
) -> Properties:
    """Return the lead's record of one object with every value as HubSpot reads it.

    :param limit: the longest text a property takes; None cuts nothing.
    :param types: the types of properties the settings say.
    """
    kinds = types or {}
    record = lead.records.get(name, Record())
    notes: list[str] = []

    def turn(values: Mapping[str, object], *, clear: bool) -> dict[str, str]:
        turned: dict[str, str] = {}
        for key, value in values.items():
            text = as_property(value, kinds.get(key))
            if not text and not (clear and value is None):
                continue
            shorter = cut(text, limit, measure) if limit else None
            if shorter is not None:
                notes.append(cut_note(key, shorter))
            turned[key] = shorter.text if shorter else text
        return turned

    return Properties(
        values=turn(record.values, clear=True),
        fill_if_empty=turn(record.fill_if_empty, clear=False),
        create_only=turn(record.create_only, clear=False),
        notes=tuple(notes),
    )


def cut_note(key: str, shorter: Cut) -> str:
    """Return what the operator is told of a text that was cut."""
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
