"""Visitors as contacts: found by e-mail where there is one, else by a property of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatferry import Lead, TemporaryFailure
from chatferry_hubspot.answers import Refused, Result, is_account_wide, is_missing
from chatferry_hubspot.batches import EMAIL, BatchWriter
from chatferry_hubspot.client import Path
from chatferry_hubspot.properties import CONTACT, properties_of
from chatferry_hubspot.reads import BatchReader
from chatferry_hubspot.rows import Draft, Row, open_drafts, settle, write_folded
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACTS

LIFECYCLE_STAGE = "lifecyclestage"


class IdentityConflict(TemporaryFailure):
    """Another contact holds the e-mail or the visitor's id: a conflict about who this is."""

    def __init__(self, refused: Refused) -> None:
        self.complaint = refused.complaint
        super().__init__(f"another contact is in the way: {refused}", **refused.complaint.details)


def contact_of(lead: Lead, options: Options) -> Draft:
    """Return a lead's contact.

    With an e-mail the whole set of mapped properties goes with it, for HubSpot knows no partial
    upsert by e-mail; the visitor's id is then a property like another. A visitor without e-mail
    and id is known by the conversation.
    """
    mapped = properties_of(lead, CONTACT, types=options.types)
    everything = mapped.against(None)
    email = (everything.get(EMAIL) or lead.email or "").strip().lower()
    visitor = lead.visitor.id or ("" if email else lead.contact_key or lead.key)
    if visitor:
        mapped = mapped.plus(options.visitor_property, visitor)
    if options.lifecycle_stage and LIFECYCLE_STAGE not in everything:
        stage = {LIFECYCLE_STAGE: options.lifecycle_stage}
        mapped = replace(mapped, create_only={**mapped.create_only, **stage})
    if email:
        return Draft(id_property=EMAIL, id=email, properties=mapped.plus(EMAIL, email))
    return Draft(id_property=options.visitor_property, id=visitor, properties=mapped)


class Contacts:
    """Writes the contacts of a batch of leads."""

    def __init__(self, writer: BatchWriter, reader: BatchReader, options: Options) -> None:
        self._writer = writer
        self._reader = reader
        self._options = options

    def write(self, rows: Sequence[Row]) -> None:
        """Write each contact once; an :class:`IdentityConflict` is left to be settled."""
        write_folded([row.contact for row in rows], self._write)

    def _write(self, drafts: Sequence[Draft]) -> None:
        """Write those with an e-mail first, then the anonymous ones."""
        for id_property in (EMAIL, self._options.visitor_property):
            stop = next((draft.result for draft in drafts if is_account_wide(draft.result)), None)
            chosen = [draft for draft in drafts if draft.id_property == id_property]
            if stop is not None:
                settle(chosen, stop)
            else:
                self.upsert(chosen)

    def upsert(self, drafts: Sequence[Draft]) -> None:
        """Create or update contacts found by the same property, with a look first where fields need it."""
        self._reader.look(CONTACTS, drafts)
        self._update_merged([draft for draft in open_drafts(drafts) if _by_second_address(draft)])
        self._writer.write(Path.UPSERT, CONTACTS, open_drafts(drafts))
        for draft in drafts:
            draft.result = self.understood(draft.result)

    def _update_merged(self, drafts: Sequence[Draft]) -> None:
        """Update merged contacts by their ids: an upsert would make the address its first one.

        Of two addresses of one contact, one waits for the next attempt.
        """
        settle(drafts, TemporaryFailure("the contact is being written under another address"))
        updates = {draft.held.id: (draft, _update_of(draft)) for draft in drafts if draft.held}
        self._writer.write(Path.UPDATE, CONTACTS, [update for _, update in updates.values()])
        for draft, update in updates.values():
            gone = is_missing(update.result)
            draft.result = TemporaryFailure("the contact was removed just now") if gone else update.result

    def understood(self, result: Result | None) -> Result | None:
        """Return a conflict about who this is as such; one about another unique field is about data."""
        if not isinstance(result, Refused) or not result.conflict:
            return result
        named = result.complaint.properties
        about_identity = not named or not named.isdisjoint({EMAIL, self._options.visitor_property})
        return IdentityConflict(result) if about_identity else result


def _by_second_address(draft: Draft) -> bool:
    """Return whether a contact was found by an address that is not its first: it was merged, say."""
    if draft.held is None or draft.id_property != EMAIL:
        return False
    return draft.held.properties.get(EMAIL, "").lower() != draft.id


def _update_of(draft: Draft) -> Draft:
    """Return the update of the contact that was found, which keeps its first address."""
    record_id = draft.held.id if draft.held else ""
    return replace(draft, record_id=record_id, properties=draft.properties.without(EMAIL), result=None)
