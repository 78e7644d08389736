"""A value that must be unique is another contact's: finding that contact, and writing into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatferry import DeliveryError, TemporaryFailure
from chatferry_hubspot.answers import Refused, Written, is_missing
from chatferry_hubspot.batches import EMAIL, BatchWriter
from chatferry_hubspot.client import Path
from chatferry_hubspot.contacts import Contacts, IdentityConflict
from chatferry_hubspot.properties import Properties
from chatferry_hubspot.reads import BatchReader, Found
from chatferry_hubspot.rows import Draft, Row, open_drafts, settle, write_folded
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACTS


@dataclass(slots=True, kw_only=True, eq=False)
class _Conflict:
    """A contact that could not be written, and the contact that is in the way."""

    draft: Draft
    existing_id: str | None
    owner: Written | None = None


class Conflicts:
    """Settles the conflicts of a batch of contacts.

    At most four calls for all of them: reads of those who hold the values, an update of those
    records, and an upsert of those contacts that turned out to be other people.
    """

    def __init__(
        self, contacts: Contacts, writer: BatchWriter, reader: BatchReader, options: Options
    ) -> None:
        self._contacts = contacts
        self._writer = writer
        self._reader = reader
        self._visitor_property = options.visitor_property

    def settle(self, rows: Sequence[Row]) -> None:
        """Write the contacts whose unique values another record holds into the right record."""
        drafts = [row.contact for row in rows if isinstance(row.contact.result, IdentityConflict)]
        write_folded(drafts, self._settle)

    def _settle(self, drafts: Sequence[Draft]) -> None:
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
        conditional = frozenset().union(*(conflict.draft.properties.conditional for conflict in conflicts))
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
            found: Found = by_visitor.get(self._visitor(each.draft))
            if each.existing_id:
                found = by_id[each.existing_id]
            if isinstance(found, DeliveryError):
                each.draft.result = found
            else:
                each.owner = found

    def _visitor(self, draft: Draft) -> str:
        return draft.properties.values.get(self._visitor_property, "")

    def _update_owners(self, conflicts: Sequence[_Conflict]) -> None:
        """Update the conflicting records; contacts of other people stay open.

        Of two people at one computer the first one takes the anonymous contact over.
        """
        updates: dict[str, tuple[Draft, Draft]] = {}
        for conflict in conflicts:
            update = self._update(conflict)
            if update is not None and update.record_id not in updates:
                updates[update.record_id] = (conflict.draft, update)
            elif conflict.draft.id_property != EMAIL:
                conflict.draft.result = TemporaryFailure(
                    "the contact that holds the visitor's id is being changed", code="CONFLICT"
                )
        self._writer.write(Path.UPDATE, CONTACTS, [update for _, update in updates.values()])
        for draft, update in updates.values():
            result = update.result
            lost = is_missing(result) or (isinstance(result, Refused) and result.conflict)
            if not lost or draft.id_property != EMAIL:
                draft.result = self._contacts.understood(result)

    def _update(self, conflict: _Conflict) -> Draft | None:
        """Return the update of the conflicting record, None if the contact is another person.

        An anonymous record becomes its visitor's when the e-mail is known. A record that knows
        the address as a second one keeps its first. A record with the visitor's id but another
        address is another person's at the same computer.
        """
        draft, owner = conflict.draft, conflict.owner
        if owner is None:
            return None
        held = {name: value for name, value in owner.properties.items() if value}
        values = draft.properties.against(held)
        address = held.get(EMAIL, "").lower()
        if draft.id_property == EMAIL and address and address != draft.id:
            visitor = held.get(self._visitor_property)
            if visitor and visitor == values.get(self._visitor_property):
                return None
            values.pop(EMAIL, None)
        return replace(draft, record_id=owner.id, properties=Properties(values=values), held=None)

    def _write_as_others(self, drafts: Sequence[Draft]) -> None:
        """Write contacts by their e-mail, leaving the visitor's id to the one who has it."""
        copies = [
            replace(draft, properties=draft.properties.without(self._visitor_property), held=None)
            for draft in drafts
        ]
        self._contacts.upsert(copies)
        for draft, copy in zip(drafts, copies, strict=True):
            draft.result = copy.result
