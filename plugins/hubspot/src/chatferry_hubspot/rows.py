"""A lead on its way through a delivery, and the records that are written for it.

Each carries its result, so that a step of the delivery takes only those that no earlier step has settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chatferry import DeliveryError, Lead
from chatferry.records import Draft, Written
from chatferry_hubspot.properties import CONTACT, CONVERSATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Associated(Written):
    """A record that HubSpot has written, and the contact it is known to be associated with."""

    contact: str


@dataclass(slots=True, kw_only=True, eq=False)
class HubSpotDraft(Draft):
    """One record to write."""

    anonymous: str = field(default="", repr=False)
    """What a contact is known by if HubSpot refuses its e-mail."""
    associations: tuple[Mapping[str, Any], ...] | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class LeadRow:
    """One lead of a batch, with its contact and its conversation, which is a record or a note."""

    lead: Lead
    contact: HubSpotDraft
    conversation: HubSpotDraft
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
        if isinstance(written, Associated) and written.contact:
            return written.contact
        before = self.lead.receipt.ids if self.lead.receipt else {}
        return before.get(CONTACT, "") if before.get(CONVERSATION) == written.id else ""


def open_rows(rows: Iterable[LeadRow]) -> list[LeadRow]:
    """Return the rows that nothing has stopped."""
    return [row for row in rows if row.failure is None]
