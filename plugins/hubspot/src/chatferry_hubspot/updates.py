"""Leads of which iAdvize shows less than before: the records that are there are updated, none is made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from chatferry import DeliveryError, Lead, Outcome, Receipt
from chatferry.records import Written, open_drafts, settle, write_folded
from chatferry_hubspot.answers import is_missing
from chatferry_hubspot.batches import EMAIL, BatchWriter
from chatferry_hubspot.client import Path
from chatferry_hubspot.properties import CONTACT, CONVERSATION, NOTE, properties_of
from chatferry_hubspot.reads import BatchReader
from chatferry_hubspot.rows import HubSpotDraft
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACTS, StorageChooser


class Updates:
    """Updates what the receipts of ``update_only`` leads name."""

    def __init__(
        self, writer: BatchWriter, reader: BatchReader, chooser: StorageChooser, options: Options
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._chooser = chooser
        self._options = options

    def write(self, leads: Sequence[Lead]) -> list[Outcome]:
        """Return an outcome a lead. A note is left as it is: its text cannot be written in part."""
        contacts = [self._draft(lead, CONTACT) for lead in leads]
        conversations = [self._draft(lead, CONVERSATION) for lead in leads]
        self._update(CONTACTS, [draft for draft in contacts if draft])
        self._update_conversations([draft for draft in conversations if draft])
        return [_outcome(*row) for row in zip(leads, contacts, conversations, strict=True)]

    def _draft(self, lead: Lead, name: str) -> HubSpotDraft | None:
        """Return what is to be written into a record of the receipt; None if there is none."""
        ids = lead.receipt.ids if lead.receipt else {}
        if name not in ids or (name == CONVERSATION and NOTE in ids):
            return None
        properties = properties_of(lead, name, types=self._options.types).without({EMAIL})
        return HubSpotDraft(key_field="hs_object_id", key=ids[name], record_id=ids[name], fields=properties)

    def _update_conversations(self, drafts: Sequence[HubSpotDraft]) -> None:
        if not drafts:
            return
        try:
            self._update(self._chooser.custom_object(), drafts)
        except DeliveryError as error:
            settle(drafts, error)

    def _update(self, kind: str, drafts: Sequence[HubSpotDraft]) -> None:
        write_folded(drafts, partial(self._write, kind))

    def _write(self, kind: str, drafts: Sequence[HubSpotDraft]) -> None:
        """Write those that are there and have something to write."""
        names = sorted(frozenset[str]().union(*(draft.fields.conditional for draft in drafts)))
        try:
            found = self._reader.read(kind, [draft.record_id for draft in drafts], names)
        except DeliveryError as error:
            settle(drafts, error)
            return
        for draft in drafts:
            held = found[draft.record_id]
            if isinstance(held, DeliveryError):
                draft.result = held
            elif held is None:
                draft.result = _GONE
            else:
                draft.held = held
                draft.result = None if draft.values else held
        self._writer.write(Path.UPDATE, kind, open_drafts(drafts))
        for draft in drafts:
            if is_missing(draft.result):
                draft.result = _GONE


_GONE = Written(id="")
"""The result of a record that was removed meanwhile."""


def _outcome(lead: Lead, contact: HubSpotDraft | None, conversation: HubSpotDraft | None) -> Outcome:
    drafts = [draft for draft in (contact, conversation) if draft]
    failed = next((draft.result for draft in drafts if isinstance(draft.result, DeliveryError)), None)
    if failed is not None:
        return failed
    before = lead.receipt or Receipt()
    notes = [note for draft in drafts for note in draft.fields.notes]
    if any(not draft.written.id for draft in drafts):
        notes.append("a record that was removed from HubSpot is not made again")
    if NOTE in before.ids:
        notes.append("the note is left as it is")
    return Receipt(ids=before.ids, url=before.url, notes=tuple(notes))
