"""The connector: contacts first, then conversations associated with them, and a receipt for each lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from chatferry import Connector, Context, FieldMode, Finding, Lead, Outcome, Receipt
from chatferry_hubspot.answers import NoSuchObject
from chatferry_hubspot.batches import BatchWriter
from chatferry_hubspot.check import check_account
from chatferry_hubspot.client import HubSpotClient
from chatferry_hubspot.contacts import Conflicts, Contacts, contact_draft
from chatferry_hubspot.conversations import Associations, ConversationRecords, conversation_draft
from chatferry_hubspot.erasure import erase_records
from chatferry_hubspot.notes import Notes, note_draft
from chatferry_hubspot.properties import CONTACT, CONVERSATION, DEFAULT_MAPPING, FORMER, NOTE
from chatferry_hubspot.reads import BatchReader
from chatferry_hubspot.rows import HubSpotDraft, LeadRow, open_rows
from chatferry_hubspot.settings import HubSpotSettings, Storage, read_options
from chatferry_hubspot.storage import NOTES, ConversationStorage, StorageChooser
from chatferry_hubspot.updates import Updates

if TYPE_CHECKING:
    from chatferry.emulators.stage import Stage

WORK_TIME = 150.0
"""Seconds after which no call of a batch is begun any more."""


class HubSpot(Connector):
    """Writes visitors as contacts and conversations as a custom object or as notes.

    ``batch_size`` is three of HubSpot's hundreds. Leads with and without e-mail go in different
    calls, so a mixed hundred would cost four calls; three hundred mixed anyhow cost at most eight.
    """

    name: ClassVar[str] = "hubspot"
    batch_size: ClassVar[int] = 300
    timeout: ClassVar[float] = 280.0
    Settings = HubSpotSettings
    mapping: ClassVar[Mapping[str, Mapping[str, str]]] = DEFAULT_MAPPING
    modes: ClassVar[frozenset[FieldMode]] = frozenset(FieldMode)
    update_only: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        super().__init__(settings, context)
        self.options = read_options(settings)
        self.client = HubSpotClient(self.options, context.memory)
        writer, reader = BatchWriter(self.client), BatchReader(self.client)
        self._chooser = StorageChooser(self.client, context.memory)
        self._contacts = Contacts(writer, reader, self.options)
        self._conflicts = Conflicts(self._contacts, writer, reader, self.options)
        self._conversations = ConversationRecords(writer, reader)
        self._notes = Notes(self.client, writer, reader, context.memory)
        self._associations = Associations(self.client)
        self._updates = Updates(writer, reader, self._chooser, self.options)

    def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Write the leads; those of which iAdvize shows less than before only update what is there."""
        self.client.begin(WORK_TIME)
        updates = [lead for lead in leads if lead.update_only]
        updated = iter(self._updates.write(updates))
        written = iter(self._write([lead for lead in leads if not lead.update_only]))
        return [next(updated if lead.update_only else written) for lead in leads]

    def _write(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Write step by step; each step leaves out those that an earlier one has failed."""
        if not leads:
            return []
        rows = self._rows(leads)
        self._contacts.write(rows)
        self._conflicts.settle(rows)
        self._conversations.write([row for row in open_rows(rows) if row.object_type != NOTES])
        self._notes.write([row for row in open_rows(rows) if row.object_type == NOTES])
        self._associations.make(open_rows(rows))
        if any(isinstance(row.failure, NoSuchObject) for row in rows):
            self._chooser.forget()
        return [row.failure or self._receipt(row) for row in rows]

    def _rows(self, leads: Sequence[Lead]) -> list[LeadRow]:
        """Return what is to be written; a conversation that was delivered as a note stays one."""
        storage = self._chooser.storage()
        notes = self._chooser.notes() if any(map(_was_note, leads)) else storage
        return [self._row(lead, notes if _was_note(lead) else storage) for lead in leads]

    def _row(self, lead: Lead, storage: ConversationStorage) -> LeadRow:
        return LeadRow(
            lead=lead,
            contact=contact_draft(lead, self.options),
            conversation=self._conversation(lead, storage),
            object_type=storage.object_type,
        )

    def _conversation(self, lead: Lead, storage: ConversationStorage) -> HubSpotDraft:
        if storage.storage is Storage.NOTES:
            return note_draft(lead, self.options, keyed=storage.keyed)
        return conversation_draft(lead, self.options)

    def _receipt(self, row: LeadRow) -> Receipt:
        contact, conversation = row.contact.written.id, row.conversation.written
        kind = NOTE if row.object_type == NOTES else CONVERSATION
        return Receipt(
            ids={CONTACT: contact, CONVERSATION: conversation.id, kind: conversation.id, **_former(row)},
            url=self._url(contact),
            created=conversation.created,
            notes=(*row.contact.fields.notes, *row.conversation.fields.notes),
        )

    def _url(self, contact: str) -> str | None:
        account = self.options.account_id
        return f"https://app.hubspot.com/contacts/{account}/record/0-1/{contact}" if account else None

    def check(self) -> Sequence[Finding]:
        """Look at token, scopes, properties and plan; write nothing."""
        self.client.begin(None)
        self.client.pace.forget()
        return check_account(self.client, self._chooser, self.context.fields)

    def erase(self, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
        """Archive the records of the receipts by their ids: notes and conversations first, then contacts."""
        self.client.begin(WORK_TIME)
        return erase_records(self.client, self._chooser, receipts)

    @classmethod
    def stage(cls, directory: Path) -> AbstractContextManager[Stage]:
        """Offer ``chatferry demo`` an emulated account."""
        from chatferry_hubspot.demo import stage  # noqa: PLC0415  (not needed on a normal run)

        return stage(directory)

    def remember_storage(self) -> None:
        """Look where conversations go: an account seen to have the custom object never gets notes instead."""
        self._chooser.storage(fresh=True)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def _was_note(lead: Lead) -> bool:
    """Return whether the conversation was delivered as a note before: it stays one."""
    return lead.receipt is not None and NOTE in lead.receipt.ids


def _former(row: LeadRow) -> dict[str, str]:
    """Return the contacts the visitor was taken for before: an erasure concerns them too."""
    contact = row.contact.written.id
    before = row.lead.receipt.ids if row.lead.receipt is not None else {}
    ids = dict.fromkeys([*before.get(FORMER, "").split(), before.get(CONTACT, contact)])
    ids.pop(contact, None)
    return {FORMER: " ".join(ids)} if ids else {}
