"""Visitors as contacts: found by e-mail where there is one, else by a property of our own.

A value that must be unique may be another contact's: then that contact is found, and written into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatferry import DeliveryError, Lead, TemporaryFailure
from chatferry.records import Fields, Result, Written, open_drafts, settle, stopped_by, write_folded
from chatferry_hubspot.answers import Refused, is_missing
from chatferry_hubspot.batches import EMAIL, BatchWriter
from chatferry_hubspot.client import Path
from chatferry_hubspot.properties import CONTACT, properties_of
from chatferry_hubspot.reads import BatchReader
from chatferry_hubspot.rows import HubSpotDraft, LeadRow
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACTS

LIFECYCLE_STAGE = "lifecyclestage"


class IdentityConflict(TemporaryFailure):
    """Another contact holds the e-mail or the visitor's id: a conflict about who this is."""

    def __init__(self, refused: Refused) -> None:
        self.complaint = refused.complaint
        super().__init__(f"another contact is in the way: {refused}", **refused.complaint.details)


def contact_draft(lead: Lead, options: Options) -> HubSpotDraft:
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
        known_by = lead.visitor.id or lead.key
        return HubSpotDraft(key_field=EMAIL, key=email, fields=mapped.plus(EMAIL, email), anonymous=known_by)
    return HubSpotDraft(key_field=options.visitor_property, key=visitor, fields=mapped)


class Contacts:
    """Writes the contacts of a batch of leads."""

    def __init__(self, writer: BatchWriter, reader: BatchReader, options: Options) -> None:
        self._writer = writer
        self._reader = reader
        self._options = options

    def write(self, rows: Sequence[LeadRow]) -> None:
        """Write each contact once; an :class:`IdentityConflict` is left to be settled."""
        write_folded([row.contact for row in rows], self._write)

    def _write(self, drafts: Sequence[HubSpotDraft]) -> None:
        """Write those with an e-mail first, then the anonymous ones."""
        for key_field in (EMAIL, self._options.visitor_property):
            stop = stopped_by(drafts)
            chosen = [draft for draft in drafts if draft.key_field == key_field]
            if stop is not None:
                settle(chosen, stop)
            else:
                self.upsert(chosen)

    def upsert(self, drafts: Sequence[HubSpotDraft]) -> None:
        """Create or update contacts found by the same property, with a look first where fields need it."""
        self._reader.look(CONTACTS, drafts)
        self._update_merged([draft for draft in open_drafts(drafts) if _by_second_address(draft)])
        self._writer.write(Path.UPSERT, CONTACTS, open_drafts(drafts))
        self._write_without_email([draft for draft in drafts if self._has_no_address(draft)])
        for draft in drafts:
            draft.result = self.understood(draft.result)

    def _has_no_address(self, draft: HubSpotDraft) -> bool:
        """Return whether HubSpot refuses the e-mail that a contact would be found by."""
        refused = isinstance(draft.result, Refused) and not draft.result.conflict
        by_email = draft.key_field == EMAIL and bool(draft.anonymous) and not self._options.strict
        return (
            refused
            and by_email
            and isinstance(draft.result, Refused)
            and EMAIL in draft.result.complaint.fields
        )

    def _write_without_email(self, drafts: Sequence[HubSpotDraft]) -> None:
        """Write contacts by the visitor's id whose e-mail HubSpot refuses: a lead is worth more than it."""
        name = self._options.visitor_property
        for draft in drafts:
            complaint = draft.result.complaint.name if isinstance(draft.result, Refused) else ""
            note = f"the e-mail was left out: HubSpot refuses it ({complaint})"
            draft.fields = draft.fields.without({EMAIL}, note).plus(name, draft.anonymous)
            draft.key_field, draft.key, draft.held, draft.result = name, draft.anonymous, None, None
        self._reader.look(CONTACTS, drafts)
        self._writer.write(Path.UPSERT, CONTACTS, open_drafts(drafts))

    def _update_merged(self, drafts: Sequence[HubSpotDraft]) -> None:
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
        named = result.complaint.fields
        about_identity = not named or not named.isdisjoint({EMAIL, self._options.visitor_property})
        return IdentityConflict(result) if about_identity else result


def _by_second_address(draft: HubSpotDraft) -> bool:
    """Return whether a contact was found by an address that is not its first: it was merged, say."""
    if draft.held is None or draft.key_field != EMAIL:
        return False
    return str(draft.held.values.get(EMAIL, "")).lower() != draft.key


def _update_of(draft: HubSpotDraft) -> HubSpotDraft:
    """Return the update of the contact that was found, which keeps its first address."""
    record_id = draft.held.id if draft.held else ""
    return replace(draft, record_id=record_id, fields=draft.fields.without({EMAIL}), result=None)


@dataclass(slots=True, kw_only=True, eq=False)
class _Conflict:
    """A contact that could not be written, and the contact that is in the way."""

    draft: HubSpotDraft
    existing_id: str | None
    owner: Written | None = None


class Conflicts:
    """Settles the conflicts of a batch of contacts.

    At most four calls for all of them: reads of the records that hold the values, an update of
    those records, and an upsert of those contacts that turn out to be other people.
    """

    def __init__(
        self, contacts: Contacts, writer: BatchWriter, reader: BatchReader, options: Options
    ) -> None:
        self._contacts = contacts
        self._writer = writer
        self._reader = reader
        self._visitor_property = options.visitor_property

    def settle(self, rows: Sequence[LeadRow]) -> None:
        """Write the contacts whose unique values another record holds into the right record."""
        drafts = [row.contact for row in rows if isinstance(row.contact.result, IdentityConflict)]
        write_folded(drafts, self._settle)

    def _settle(self, drafts: Sequence[HubSpotDraft]) -> None:
        conflicts = [
            _Conflict(draft=draft, existing_id=draft.result.complaint.existing_id)
            for draft in drafts
            if isinstance(draft.result, IdentityConflict)
        ]
        for conflict in conflicts:
            conflict.draft.result = None
        self._find_owners(conflicts)
        self._update_owners([conflict for conflict in conflicts if conflict.draft.result is None])
        self._write_as_others(open_drafts(conflict.draft for conflict in conflicts))

    def _find_owners(self, conflicts: Sequence[_Conflict]) -> None:
        """Read the record each conflict is with: by the id HubSpot names, else by the visitor's id."""
        conditional = frozenset().union(*(conflict.draft.fields.conditional for conflict in conflicts))
        wanted = sorted({EMAIL, self._visitor_property, *conditional})
        named = {conflict.existing_id for conflict in conflicts if conflict.existing_id}
        visitors = {self._visitor(each.draft) for each in conflicts if not each.existing_id} - {""}
        try:
            by_id = self._reader.read(CONTACTS, sorted(named), wanted)
            by_visitor = self._reader.read(CONTACTS, sorted(visitors), wanted, self._visitor_property)
        except DeliveryError as error:
            settle((conflict.draft for conflict in conflicts), error)
            return
        for each in conflicts:
            found = by_id[each.existing_id] if each.existing_id else by_visitor.get(self._visitor(each.draft))
            if isinstance(found, DeliveryError):
                each.draft.result = found
            else:
                each.owner = found

    def _visitor(self, draft: HubSpotDraft) -> str:
        return str(draft.fields.values.get(self._visitor_property, ""))

    def _update_owners(self, conflicts: Sequence[_Conflict]) -> None:
        """Update the conflicting records; contacts of other people stay open.

        Of two people at one computer the first one takes the anonymous contact over.
        """
        updates: dict[str, tuple[HubSpotDraft, HubSpotDraft]] = {}
        for conflict in conflicts:
            update = self._update(conflict)
            if update is not None:
                updates.setdefault(update.record_id, (conflict.draft, update))
        self._writer.write(Path.UPDATE, CONTACTS, [update for _, update in updates.values()])
        for draft, update in updates.values():
            if not _is_lost(draft, update.result):
                draft.result = self._contacts.understood(update.result)
        waiting = open_drafts(conflict.draft for conflict in conflicts if conflict.draft.key_field != EMAIL)
        being_changed = "the contact that holds the visitor's id is being changed"
        settle(waiting, TemporaryFailure(being_changed, code="CONFLICT"))

    def _update(self, conflict: _Conflict) -> HubSpotDraft | None:
        """Return the update of the conflicting record, None if the contact is another person.

        An anonymous record becomes its visitor's when the e-mail is known. A record that knows
        the address as a second one keeps its first. A record with the visitor's id but another
        address is another person's at the same computer.
        """
        draft, owner = conflict.draft, conflict.owner
        if owner is None:
            return None
        held = {name: value for name, value in owner.values.items() if value}
        values = draft.fields.against(held)
        address = held.get(EMAIL, "").lower()
        if draft.key_field == EMAIL and address and address != draft.key:
            visitor = held.get(self._visitor_property)
            if visitor and visitor == values.get(self._visitor_property):
                return None
            values.pop(EMAIL, None)
        return replace(draft, record_id=owner.id, fields=Fields(values=values), held=None)

    def _write_as_others(self, drafts: Sequence[HubSpotDraft]) -> None:
        """Write contacts by their e-mail, leaving the visitor's id to the contact that has it."""
        copies = [
            replace(draft, fields=draft.fields.without({self._visitor_property}), held=None)
            for draft in drafts
        ]
        self._contacts.upsert(copies)
        for draft, copy in zip(drafts, copies, strict=True):
            draft.result = copy.result


def _is_lost(draft: HubSpotDraft, result: Result | None) -> bool:
    """Return whether the record in the way cannot be written into: it is gone, or a third is in the way."""
    conflict = isinstance(result, Refused) and result.conflict
    return is_missing(result) or (conflict and draft.key_field == EMAIL)
