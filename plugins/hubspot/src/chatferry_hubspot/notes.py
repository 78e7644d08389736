"""Conversations as notes of their contacts, for accounts without custom objects.

Notes come in two ways. Where the account has the unique property that ``provision`` makes, they are
upserted by the conversation's key like any record. Elsewhere HubSpot offers no key, so:

* a note's id is kept, in the receipt and in the destination's memory, and the note is updated by it;
* before a note is first created, the intention is put into the memory, with the contact's id. If the
  answer to that call never came, the next attempt looks for the note among those of the contact, by
  the line every note of ours ends with, and creates it only if it is not there.

What is left is one gap: a call that HubSpot carries out after it was looked for. See the docs page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatferry import (
    AuthFailure,
    DeliveryError,
    Lead,
    Memory,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    TemporaryFailure,
)
from chatferry.records import Written, open_drafts, settle, write_folded
from chatferry_hubspot.answers import Refused, is_missing
from chatferry_hubspot.batches import BatchWriter
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.note_bodies import NoteFinder, note_of
from chatferry_hubspot.properties import CONTACT, NOTE
from chatferry_hubspot.reads import BatchReader
from chatferry_hubspot.rows import Associated, HubSpotDraft, LeadRow
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACTS, NOTES

TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNote:
    """What is kept of a note: the contact it was made for, and its id once it is known."""

    contact: str
    note: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class NoteDraft(HubSpotDraft):
    """A conversation to write as a note of its contact."""

    keyed: bool
    """Whether the account finds notes by a unique property."""
    contact: str = ""
    known: KnownNote | None = None


def note_draft(lead: Lead, options: Options, *, keyed: bool) -> NoteDraft:
    """Return a lead's conversation as a note."""
    name, properties = options.note_property, note_of(lead)
    if keyed:
        properties = properties.plus(name, lead.key)
    return NoteDraft(key_field=name, key=lead.key, fields=properties, keyed=keyed)


class Notes:
    """Writes the conversations of a batch that are notes; each exists once."""

    def __init__(
        self, client: HubSpotClient, writer: BatchWriter, reader: BatchReader, memory: Memory
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._finder = NoteFinder(client, reader)
        self._memory = NoteMemory(memory)

    def write(self, rows: Sequence[LeadRow]) -> None:
        """Write each conversation's note once."""
        drafts: list[NoteDraft] = []
        for row in rows:
            if isinstance(row.conversation, NoteDraft):
                row.conversation.contact = row.contact.written.id
                row.conversation.known = self._memory.get(row.lead)
                drafts.append(row.conversation)
        write_folded(drafts, self._write, one_by_one=False)  # a second create would make a second note

    def _write(self, drafts: Sequence[NoteDraft]) -> None:
        """Update the notes whose ids are known, create the others."""
        self._find_lost([draft for draft in drafts if draft.known and draft.known.note is None])
        self._update(open_drafts(drafts))
        absent = open_drafts(drafts)
        self._writer.write(Path.UPSERT, NOTES, [draft for draft in absent if draft.keyed])
        self._create([draft for draft in absent if not draft.keyed])

    def _find_lost(self, drafts: Sequence[NoteDraft]) -> None:
        """Find the notes of earlier attempts whose answer was lost, and keep what was found."""
        if not drafts:
            return
        contacts = {each.key: {each.contact, each.known.contact} - {""} for each in drafts if each.known}
        try:
            found = self._finder.find(contacts)
        except DeliveryError as error:
            settle(drafts, error)
            return
        for draft in drafts:
            note = found[draft.key]
            if isinstance(note, DeliveryError):
                draft.result = note
            elif draft.known is not None and note is not None:
                draft.known = replace(draft.known, note=note)
                self._memory.put(draft.key, draft.known)

    def _update(self, drafts: Sequence[NoteDraft]) -> None:
        """Update notes by their ids; one that is gone is left to be created again."""
        known = {draft: draft.known for draft in drafts if draft.known and draft.known.note}
        for draft, one in known.items():
            draft.record_id = one.note or ""
        self._writer.write(Path.UPDATE, NOTES, list(known))
        for draft, one in known.items():
            if is_missing(draft.result):
                draft.result = None
            elif isinstance(draft.result, Written):
                draft.result = associated(draft.result, one.contact)

    def _create(self, drafts: Sequence[NoteDraft]) -> None:
        """Create notes together with their association; what is about to happen is kept before."""
        for draft in drafts:
            self._memory.put(draft.key, KnownNote(contact=draft.contact))
            draft.associations = ({"to": {"id": draft.contact}, "types": [TO_CONTACT]},)
        self._writer.write(Path.CREATE, NOTES, drafts)
        for draft in drafts:
            if isinstance(draft.result, Written):
                self._memory.put(draft.key, KnownNote(contact=draft.contact, note=draft.result.id))
                draft.result = associated(draft.result, draft.contact)
            elif nothing_written(draft.result):
                self._memory.forget(draft.key)
        self._excuse([draft for draft in drafts if isinstance(draft.result, Refused)])

    def _excuse(self, refused: Sequence[NoteDraft]) -> None:
        """Let those wait whose contact was merged or removed since it was written: a note needs it."""
        try:
            held = self._reader.read(CONTACTS, sorted({draft.contact for draft in refused}), ())
        except DeliveryError as error:
            settle(refused, error)
            return
        gone = [draft for draft in refused if not isinstance(held[draft.contact], Written)]
        settle(gone, TemporaryFailure("the contact of the note was removed just now"))


def associated(written: Written, contact: str) -> Associated:
    """Return a note that is known to be associated with a contact."""
    return Associated(id=written.id, created=written.created, values=written.values, contact=contact)


def nothing_written(error: object) -> bool:
    """Return whether an error proves that HubSpot has written nothing."""
    return isinstance(error, PermanentFailure | AuthFailure | QuotaExhausted | RateLimited)


class NoteMemory:
    """What a destination's memory holds of its notes, for HubSpot offers no key to find one by."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def get(self, lead: Lead) -> KnownNote | None:
        """Return what is known of the lead's note, from its receipt or from the memory."""
        if lead.receipt is not None and NOTE in lead.receipt.ids:
            return KnownNote(contact=lead.receipt.ids.get(CONTACT, ""), note=lead.receipt.ids[NOTE])
        kept = self._memory.get(f"note:{lead.key}")
        try:
            entry = json.loads(kept) if kept else None
            return KnownNote(contact=entry["contact"], note=entry["note"]) if entry else None
        except (ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, known: KnownNote) -> None:
        """Keep what is known; durable when this returns."""
        self._memory.put(f"note:{key}", json.dumps({"contact": known.contact, "note": known.note}))

    def forget(self, key: str) -> None:
        """Drop an intention that certainly came to nothing."""
        self._memory.forget(f"note:{key}")
