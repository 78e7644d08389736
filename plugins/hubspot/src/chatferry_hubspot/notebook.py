"""What a destination's memory holds of its notes, for HubSpot offers no key to find one by."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chatferry import Lead, Memory
from chatferry_hubspot.fields import CONTACT, NOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the memory holds of a note: the contact it was made for, and its id once it is known."""

    contact: str
    note: str | None = None


class Notebook:
    """What the memory holds of the notes of a destination."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def get(self, lead: Lead) -> Trace | None:
        """Return what is known of the lead's note, from its receipt or from the memory."""
        if lead.receipt is not None and NOTE in lead.receipt.ids:
            return Trace(contact=lead.receipt.ids.get(CONTACT, ""), note=lead.receipt.ids[NOTE])
        kept = self._memory.get(f"note:{lead.key}")
        try:
            entry = json.loads(kept) if kept else None
            return Trace(contact=entry["contact"], note=entry["note"]) if entry else None
        except (ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, trace: Trace) -> None:
        """Keep what is known; durable when this returns."""
        self._memory.put(f"note:{key}", json.dumps({"contact": trace.contact, "note": trace.note}))

    def forget(self, key: str) -> None:
        """Drop an intention that certainly came to nothing."""
        self._memory.forget(f"note:{key}")
