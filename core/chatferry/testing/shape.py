"""The CRM's objects as the contract sees them: which fields it may write, and what it reads back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chatferry.model import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Picklist:
    """A field that takes values of a list only: one of them, and one that is not."""

    field: str
    good: Value
    bad: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One object of the CRM and the fields the contract writes to.

    :param name: the object as a destination's mapping names it, and a receipt's ``ids``.
    :param text: an ordinary text field that takes 60 characters; ``other`` is a second one.
    :param long: the field a transcript goes into.
    :param email: the field of the e-mail address.
    :param samples: further fields, each with a value the CRM keeps: numbers, dates, yes and no.
    :param required: a text field without which the CRM refuses a record; every lead has it.
    :param limits: characters a field takes, for fields that have a limit.
    :param key: the field that holds the lead's key, if a mapping could write it.
    """

    name: str
    text: str
    other: str
    long: str | None = None
    email: str | None = None
    samples: Mapping[str, Value] = field(default_factory=dict)
    required: str | None = None
    picklist: Picklist | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    key: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field the contract writes, each once."""
        named = (self.text, self.other, self.long, self.email, self.required)
        picked = (self.picklist.field,) if self.picklist else ()
        return tuple(dict.fromkeys(f for f in (*named, *self.samples, *picked, *self.limits) if f))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One live record as the CRM holds it.

    :param key: the lead's ``contact_key`` or ``key`` the record was written under.
    :param id: the CRM's own id, as a receipt names it.
    :param fields: the record's fields; an empty one is None, "" or left out.
    :param contact: for a conversation, the id of the contact it names.
    """

    key: str
    id: str
    fields: Mapping[str, Value] = field(repr=False)
    contact: str | None = None
