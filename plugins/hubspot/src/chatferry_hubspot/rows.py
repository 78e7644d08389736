"""A lead on its way through a delivery, and the records that are written for it.

Each carries its result, so that a step of the delivery takes only those that no earlier step has settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, TypeVar

from chatferry import DeliveryError, Lead, PermanentFailure
from chatferry_hubspot.answers import Result, Written
from chatferry_hubspot.properties import CONTACT, CONVERSATION, Properties, fold


@dataclass(slots=True, kw_only=True, eq=False)
class Draft:
    """One record to write."""

    id_property: str
    """The unique property it is found by."""
    id: str = field(repr=False)
    """That property's value."""
    record_id: str = ""
    """HubSpot's own id, if it is known."""
    properties: Properties = field(default_factory=Properties, repr=False)
    held: Written | None = field(default=None, repr=False)
    """What the account holds, if it was asked."""
    anonymous: str = field(default="", repr=False)
    """What a contact is known by if HubSpot refuses its e-mail."""
    associations: tuple[Mapping[str, Any], ...] | None = None
    result: Result | None = None
    """What became of it; None as long as that is open."""

    @property
    def values(self) -> dict[str, str]:
        """What to write, given what the account holds."""
        return self.properties.against(self.held.properties if self.held else None)

    @property
    def written(self) -> Written:
        """The record; only for drafts that were written."""
        if not isinstance(self.result, Written):
            raise TypeError(f"the record is not written: {self.result!r}")
        return self.result


@dataclass(slots=True, kw_only=True, eq=False)
class LeadRow:
    """One lead of a batch, with its contact and its conversation, which is a record or a note."""

    lead: Lead
    contact: Draft
    conversation: Draft
    object_type: str
    """The object that the conversation is a record of."""

    @property
    def failure(self) -> DeliveryError | None:
        """Why it cannot be delivered now, if something has failed: later steps leave it out."""
        results = (self.contact.result, self.conversation.result)
        return next((result for result in results if isinstance(result, DeliveryError)), None)

    @property
    def associated(self) -> str:
        """The contact that the conversation is known to be associated with already."""
        written = self.conversation.written
        before = self.lead.receipt.ids if self.lead.receipt else {}
        same = before.get(CONVERSATION) == written.id
        return written.contact or (before.get(CONTACT, "") if same else "")


def open_rows(rows: Iterable[LeadRow]) -> list[LeadRow]:
    """Return the rows that nothing has stopped."""
    return [row for row in rows if row.failure is None]


D = TypeVar("D", bound=Draft)


def open_drafts(drafts: Iterable[D]) -> list[D]:
    """Return the drafts that have no result yet."""
    return [draft for draft in drafts if draft.result is None]


def settle(drafts: Iterable[Draft], result: Result) -> None:
    """Give all drafts the same result."""
    for draft in drafts:
        draft.result = result


def write_folded(
    drafts: Sequence[D], write: Callable[[Sequence[D]], None], *, one_by_one: bool = True
) -> None:
    """Write each record once, however many of the drafts are of it, and give them all its result.

    :param write: writes drafts of different records.
    :param one_by_one: whether drafts that are refused together are then written one after the other,
        so that a bad one does not drag the others along.
    """
    groups: dict[tuple[str, str], list[D]] = {}
    for draft in drafts:
        groups.setdefault((draft.id_property, draft.id), []).append(draft)
    folded = [(_folded(group), group) for group in groups.values()]
    write([one for one, _ in folded])
    refused: list[list[D]] = []
    for one, group in folded:
        for draft in group if len(group) > 1 else ():
            draft.properties = replace(draft.properties, notes=one.properties.notes)
        if one_by_one and len(group) > 1 and isinstance(one.result, PermanentFailure):
            refused.append(group)
        elif one.result is not None:
            settle(group, one.result)
    for turn in zip_longest(*refused):
        write([draft for draft in turn if draft is not None])


def _folded(group: Sequence[D]) -> D:
    """Return drafts of one record as one; what is no property is taken from the last."""
    if len(group) == 1:
        return group[0]
    return replace(group[-1], properties=fold([draft.properties for draft in group]))
