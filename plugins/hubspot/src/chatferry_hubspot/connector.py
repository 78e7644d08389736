"""The connector: contacts first, then conversations tied to them, and a receipt for each lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from chatferry import Connector, Context, DeliveryError, FieldMode, Finding, Lead, Outcome, Receipt
from chatferry_hubspot.answers import NoSuchObject
from chatferry_hubspot.batches import Batches
from chatferry_hubspot.check import check_account
from chatferry_hubspot.client import Client
from chatferry_hubspot.contacts import Contacts
from chatferry_hubspot.conversations import Conversations
from chatferry_hubspot.erasure import erase_records
from chatferry_hubspot.fields import CONTACT, CONVERSATION, DEFAULT_MAPPING, FORMER, NOTE
from chatferry_hubspot.notes import Notes
from chatferry_hubspot.reads import Reads
from chatferry_hubspot.records import properties_of
from chatferry_hubspot.replies import Result, Written
from chatferry_hubspot.settings import HubSpotSettings, Storage, read_options
from chatferry_hubspot.storage import Chooser, Home

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

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        super().__init__(settings, context)
        self.options = read_options(settings)
        self.client = Client(self.options, context.memory)
        batches, reads = Batches(self.client), Reads(self.client)
        self._chooser = Chooser(self.client, context.memory)
        self._contacts = Contacts(batches, reads, self.options)
        self._conversations = Conversations(self.client, batches, reads)
        self._notes = Notes(self.client, batches, reads, context.memory)

    def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Write the leads; a reason that is not about a lead's data speaks for all it concerns."""
        if not leads:
            return []
        self.client.begin(WORK_TIME)
        home = self._chooser.home()
        contacts = self._contacts.write(leads)
        outcomes: dict[int, Outcome] = {
            index: result for index, result in enumerate(contacts) if isinstance(result, DeliveryError)
        }
        ids = {index: result.id for index, result in enumerate(contacts) if isinstance(result, Written)}
        as_notes = [i for i in ids if home.storage is Storage.NOTES or _was_note(leads[i])]
        as_records = [i for i in ids if i not in set(as_notes)]
        if as_records:
            outcomes.update(self._as_records(leads, ids, as_records, home))
        if as_notes:
            outcomes.update(self._as_notes(leads, ids, as_notes, home))
        return [outcomes[index] for index in range(len(leads))]

    def _as_records(
        self, leads: Sequence[Lead], contacts: Mapping[int, str], chosen: Sequence[int], home: Home
    ) -> dict[int, Outcome]:
        written = self._conversations.write(
            [leads[i] for i in chosen], [contacts[i] for i in chosen], home.object_type
        )
        if any(isinstance(result, NoSuchObject) for result in written):
            self._chooser.forget()
        return {
            i: self._outcome(
                leads[i], contacts[i], result, CONVERSATION, properties_of(leads[i], CONVERSATION).notes
            )
            for i, result in zip(chosen, written, strict=True)
        }

    def _as_notes(
        self, leads: Sequence[Lead], contacts: Mapping[int, str], chosen: Sequence[int], home: Home
    ) -> dict[int, Outcome]:
        if home.storage is not Storage.NOTES:
            home = self._chooser.notes()
        written, remarks = self._notes.write(
            [leads[i] for i in chosen], [contacts[i] for i in chosen], keyed=home.keyed
        )
        return {
            i: self._outcome(leads[i], contacts[i], result, NOTE, remarks[leads[i].key])
            for i, result in zip(chosen, written, strict=True)
        }

    def _outcome(
        self, lead: Lead, contact: str, result: Result, kind: str, remarks: tuple[str, ...]
    ) -> Outcome:
        if isinstance(result, DeliveryError):
            return result
        return Receipt(
            ids={CONTACT: contact, CONVERSATION: result.id, kind: result.id, **_former(lead, contact)},
            url=self._url(contact),
            created=result.created,
            notes=(*properties_of(lead, CONTACT).notes, *remarks),
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

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def _was_note(lead: Lead) -> bool:
    """Return whether the conversation was delivered as a note before: it stays one."""
    return lead.receipt is not None and NOTE in lead.receipt.ids


def _former(lead: Lead, contact: str) -> dict[str, str]:
    """Return the contacts the visitor was taken for before: an erasure concerns them too."""
    before = lead.receipt.ids if lead.receipt is not None else {}
    ids = dict.fromkeys([*before.get(FORMER, "").split(), before.get(CONTACT, contact)])
    ids.pop(contact, None)
    return {FORMER: " ".join(ids)} if ids else {}
