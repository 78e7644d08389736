"""A value that must be unique is another record's: finding out whose, and writing into that record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from chatferry import DeliveryError, TemporaryFailure
from chatferry_hubspot.answers import Refused
from chatferry_hubspot.batches import Batches, Input
from chatferry_hubspot.cards import Card
from chatferry_hubspot.paths import Path
from chatferry_hubspot.reads import EMAIL, Found, Reads
from chatferry_hubspot.replies import Result, Written, is_missing
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACTS
from chatferry_hubspot.upserts import Upserts


class Conflicts:
    """Settles the conflicts of a batch of contacts."""

    def __init__(self, batches: Batches, reads: Reads, upserts: Upserts, options: Options) -> None:
        self._batches = batches
        self._reads = reads
        self._upserts = upserts
        self._options = options

    def is_of_identity(self, result: Result) -> bool:
        """Return whether a conflict is about who this is; another unique field's is about data."""
        if not isinstance(result, Refused) or not result.conflict:
            return False
        named = result.complaint.properties
        return not named or not named.isdisjoint({EMAIL, self._options.visitor_property})

    def settle(self, cases: Sequence[tuple[Card, Refused]]) -> list[Result]:
        """Write the contacts whose unique values another record holds into the right record.

        At most four calls for all of them: who holds the values, an update of those records,
        and an upsert of those who turned out to be somebody else.
        """
        try:
            owners = self._owners(cases)
        except DeliveryError as error:
            return [error] * len(cases)
        results: list[Result] = [error for _, error in cases]
        updates: dict[int, Input] = {}
        others: list[int] = []
        for index, ((card, _), owner) in enumerate(zip(cases, owners, strict=True)):
            change = None if isinstance(owner, DeliveryError) else self._change(card, owner)
            if isinstance(owner, DeliveryError):
                results[index] = owner
            # Of two people at one computer the first one takes the anonymous contact over.
            elif change is not None and change.id not in {update.id for update in updates.values()}:
                updates[index] = change
            elif card.id_property == EMAIL:
                others.append(index)
            else:
                results[index] = TemporaryFailure(
                    "the contact that holds the visitor's id is being changed", code="CONFLICT"
                )
        written = self._batches.write(Path.UPDATE, CONTACTS, list(updates.values()))
        for index, result in zip(updates, written, strict=True):
            results[index] = replace(result, created=False) if isinstance(result, Written) else result
            lost = is_missing(result) or (isinstance(result, Refused) and result.conflict)
            if lost and cases[index][0].id_property == EMAIL:
                others.append(index)
        cards = [cases[index][0].without(self._options.visitor_property) for index in others]
        results = _replaced(results, others, self._upserts.write(cards, EMAIL))
        return [self._unsettled(result) for result in results]

    def _unsettled(self, result: Result) -> Result:
        """Return a conflict that is left as something to try again: the records are being changed."""
        if not isinstance(result, Refused) or not self.is_of_identity(result):
            return result
        return TemporaryFailure(f"another contact is in the way: {result}", **result.complaint.told)

    def _owners(self, cases: Sequence[tuple[Card, Refused]]) -> list[Found]:
        """Return the record each conflict is with: by the id HubSpot names, else by the visitor's id."""
        name = self._options.visitor_property
        conditional = frozenset().union(*(card.properties.conditional for card, _ in cases))
        wanted = sorted({EMAIL, name, *conditional})
        named = [error.complaint.existing_id for _, error in cases]
        visitors = [card.properties.values.get(name) for card, _ in cases]
        unnamed = {visitor for visitor, existing in zip(visitors, named, strict=True) if existing is None}
        by_id = self._reads.read(CONTACTS, sorted(filter(None, set(named))), wanted)
        by_visitor = self._reads.read(CONTACTS, sorted(filter(None, unnamed)), wanted, name)
        return [
            by_id[existing] if existing else by_visitor.get(visitor or "")
            for existing, visitor in zip(named, visitors, strict=True)
        ]

    def _change(self, card: Card, owner: Written | None) -> Input | None:
        """Return the update of the conflicting record, None if the contact is another person.

        An anonymous record becomes its visitor's when the e-mail is known. A record that knows
        the address as a second one keeps its first. A record with the visitor's id but another
        address is somebody else at the same computer.
        """
        if owner is None:
            return None
        held = {name: value for name, value in owner.properties.items() if value}
        properties = card.properties.against(held)
        if card.id_property == EMAIL:
            address = held.get(EMAIL, "").lower()
            visitor = held.get(self._options.visitor_property)
            if address and address != card.id:
                if visitor and visitor == properties.get(self._options.visitor_property):
                    return None
                properties.pop(EMAIL, None)
        return Input(id=owner.id, properties=properties)


def _replaced(results: Iterable[Result], indices: Sequence[int], new: Sequence[Result]) -> list[Result]:
    changed = dict(zip(indices, new, strict=True))
    return [changed.get(index, result) for index, result in enumerate(results)]
