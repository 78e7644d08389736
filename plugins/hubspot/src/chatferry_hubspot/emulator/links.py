"""Associations: the link types between object types, and the links between records.

HubSpot docs, 'Associations': types are one-way; a link is written both ways at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chatferry_hubspot.emulator.errors import invalid

NOTE_TO_CONTACT = 202
CONTACT_TO_NOTE = 201
HUBSPOT = "HUBSPOT_DEFINED"
USER = "USER_DEFINED"

End = tuple[str, str]
"""A record: the id of its type, and its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkType:
    """A type of association, from one object type to another."""

    from_type: str
    to_type: str
    category: str
    type_id: int
    name: str
    inverse: int

    def spec(self) -> dict[str, object]:
        """Return it as ``associationSpec``."""
        return {"associationCategory": self.category, "associationTypeId": self.type_id}

    def label(self) -> dict[str, object]:
        """Return it as one of a link's ``associationTypes``; default types have no label."""
        return {"category": self.category, "typeId": self.type_id, "label": None}


@dataclass(slots=True)
class Links:
    """All types of association, and all links."""

    types: dict[tuple[str, str], LinkType] = field(default_factory=dict)
    _links: dict[End, dict[str, dict[str, None]]] = field(default_factory=dict)
    _next: int = 145

    def define(self, one: str, other: str, *, name: str, category: str = USER) -> LinkType:
        """Define a link type between two object types; a pair that is defined is not changed."""
        if (one, other) not in self.types:
            there, back = self._next, self._next + 1
            self._next += 2
            self._define(one, other, name, category, there, back)
        return self.types[one, other]

    def define_built_in(self) -> None:
        """Define the pair every account has: notes and contacts."""
        self._define("0-46", "0-1", "note_to_contact", HUBSPOT, NOTE_TO_CONTACT, CONTACT_TO_NOTE)

    def _define(self, one: str, other: str, name: str, category: str, there: int, back: int) -> None:
        self.types[one, other] = LinkType(
            from_type=one, to_type=other, category=category, type_id=there, name=name, inverse=back
        )
        self.types[other, one] = LinkType(
            from_type=other, to_type=one, category=category, type_id=back, name=name, inverse=there
        )

    def default(self, one: str, other: str) -> LinkType:
        """Return the default type of a pair.

        :raises ApiError: if records of these types can not be linked.
        """
        found = self.types.get((one, other))
        if found is None:
            raise invalid(f"No association type is defined from {one} to {other}")
        return found

    def chosen(self, one: str, other: str, specs: object) -> LinkType:
        """Return the type that association specs ask for.

        :raises ApiError: if the pair has no such type.
        """
        if not isinstance(specs, list) or not specs:
            raise invalid("An association needs types")
        link = self.default(one, other)
        for spec in specs:
            asked = spec.get("associationTypeId") if isinstance(spec, Mapping) else None
            if asked != link.type_id or spec.get("associationCategory") != link.category:
                raise invalid(f"{asked} is not a valid association type from {one} to {other}")
        return link

    def add(self, one: End, other: End) -> None:
        """Link two records, both ways; nothing happens if they are."""
        self._links.setdefault(one, {}).setdefault(other[0], {})[other[1]] = None
        self._links.setdefault(other, {}).setdefault(one[0], {})[one[1]] = None

    def drop(self, one: End, other: End) -> None:
        """Unlink two records, both ways; nothing happens if they are not linked."""
        for here, there in ((one, other), (other, one)):
            self._links.get(here, {}).get(there[0], {}).pop(there[1], None)

    def of(self, record: End, to_type: str) -> list[str]:
        """Return the ids of the records of a type that this one is linked to, oldest link first."""
        return list(self._links.get(record, {}).get(to_type, ()))

    def drop_all(self, record: End) -> None:
        """Drop every link of a record."""
        for other in self._all(record):
            self.drop(record, other)
        self._links.pop(record, None)

    def move(self, old: End, new: End) -> None:
        """Move the links of a record to the one it was merged into."""
        for other in self._all(old):
            self.drop(old, other)
            self.add(new, other)

    def _all(self, record: End) -> list[End]:
        return [(kind, one) for kind, ids in self._links.get(record, {}).items() for one in ids]

    def __iter__(self) -> Iterator[tuple[End, End]]:
        """Yield each link once, from the higher object type to the lower."""
        for one, targets in self._links.items():
            for kind, ids in targets.items():
                if one[0] > kind:
                    yield from ((one, (kind, other)) for other in ids)
