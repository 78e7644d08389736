"""Visitors as contacts: by e-mail where there is one, else by a property of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from chatferry import DeliveryError, Lead, PermanentFailure, TemporaryFailure
from chatferry_hubspot.answers import Refused
from chatferry_hubspot.batches import Batches, Input, Result, Written, is_missing, of_account
from chatferry_hubspot.fields import CONTACT
from chatferry_hubspot.paths import Path
from chatferry_hubspot.records import Properties, fold, properties_of
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACTS

EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is to be known of one contact, and the unique property it is found by."""

    id_property: str
    id: str = field(repr=False)
    properties: Properties = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """What two cards of one contact share."""
        return self.id_property, self.id

    def without(self, name: str) -> Card:
        """Return the card without one of its properties."""
        kept = {key: value for key, value in self.properties.values.items() if key != name}
        return replace(self, properties=replace(self.properties, values=kept))


Plan: TypeAlias = Callable[[Card], dict[str, str]]


def card_of(lead: Lead, options: Options) -> Card:
    """Return a lead's contact.

    With an e-mail the whole set of mapped properties goes with it, for HubSpot knows no partial
    upsert by e-mail; the visitor's id is then a property like another. A visitor without e-mail
    and id is known by the conversation.
    """
    mapped = properties_of(lead, CONTACT)
    everything = mapped.against(None)
    email = (everything.get(EMAIL) or lead.email or "").strip().lower()
    visitor = lead.visitor.id or ("" if email else lead.contact_key or lead.key)
    values = dict(mapped.values)
    if visitor:
        values[options.visitor_property] = visitor
    if email:
        values[EMAIL] = email
    create_only = dict(mapped.create_only)
    if options.lifecycle_stage and "lifecyclestage" not in everything:
        create_only["lifecyclestage"] = options.lifecycle_stage
    properties = replace(mapped, values=values, create_only=create_only)
    if email:
        return Card(id_property=EMAIL, id=email, properties=properties)
    return Card(id_property=options.visitor_property, id=visitor, properties=properties)


class Contacts:
    """Writes the contacts of a batch of leads."""

    def __init__(self, batches: Batches, options: Options) -> None:
        self._batches = batches
        self._options = options

    def write(self, leads: Sequence[Lead]) -> list[Result]:
        """Write each lead's contact once; a result per lead, in their order.

        Leads of one contact are written as one. If that is refused they are written one after
        the other, so that a bad one does not drag the others along.
        """
        cards = [card_of(lead, self._options) for lead in leads]
        members: dict[tuple[str, str], list[int]] = {}
        for index, card in enumerate(cards):
            members.setdefault(card.key, []).append(index)
        folded = [
            replace(cards[group[-1]], properties=fold([cards[i].properties for i in group]))
            for group in members.values()
        ]
        results: dict[int, Result] = {}
        disputed: list[list[int]] = []
        for group, result in zip(members.values(), self._write_cards(folded), strict=True):
            if len(group) > 1 and isinstance(result, PermanentFailure):
                disputed.append(group)
            else:
                results.update(dict.fromkeys(group, result))
        while disputed:
            turn = [group[0] for group in disputed]
            results.update(zip(turn, self._write_cards([cards[i] for i in turn]), strict=True))
            disputed = [group[1:] for group in disputed if group[1:]]
        return [results[index] for index in range(len(leads))]

    def _write_cards(self, cards: Sequence[Card]) -> list[Result]:
        """Write different contacts: those with an e-mail first, then the anonymous ones."""
        results: dict[int, Result] = {}
        for id_property in (EMAIL, self._options.visitor_property):
            indices = [i for i, card in enumerate(cards) if card.id_property == id_property]
            stop = next((r for r in results.values() if isinstance(r, DeliveryError) and of_account(r)), None)
            if stop is not None:
                results.update(dict.fromkeys(indices, stop))
            elif indices:
                written = self._upsert([cards[i] for i in indices], id_property)
                results.update(zip(indices, written, strict=True))
        conflicts = [i for i, result in results.items() if self._is_of_identity(result)]
        if conflicts:
            cases = [(cards[i], r) for i in conflicts if isinstance(r := results[i], Refused)]
            results.update(zip(conflicts, self._settle(cases), strict=True))
        return [results[index] for index in range(len(cards))]

    def _is_of_identity(self, result: Result) -> bool:
        """Return whether a conflict is about who this is; another unique field's is about data."""
        if not isinstance(result, Refused) or not result.conflict:
            return False
        named = result.complaint.properties
        return not named or not named.isdisjoint({EMAIL, self._options.visitor_property})

    def _upsert(self, cards: Sequence[Card], id_property: str) -> list[Result]:
        try:
            held = self._held(cards, id_property)
        except DeliveryError as error:
            return [error] * len(cards)
        inputs = [Input(id=card.id, properties=card.properties.against(held(card))) for card in cards]
        return self._batches.write(Path.UPSERT, CONTACTS, inputs, id_property)

    def _held(self, cards: Sequence[Card], id_property: str) -> Callable[[Card], Mapping[str, str] | None]:
        """Read what the account holds of the contacts whose fields depend on it: one call a hundred."""
        asked = [card for card in cards if card.properties.conditional]
        names = sorted(frozenset().union(*(card.properties.conditional for card in asked)))
        found = self._batches.read(CONTACTS, [card.id for card in asked], names, id_property) if asked else {}
        return lambda card: found[card.id].properties if card.id in found else None

    def _settle(self, cases: Sequence[tuple[Card, Refused]]) -> list[Result]:
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
            change = self._change(card, owner)
            # Of two people at one computer the first one takes the anonymous contact over.
            if change is not None and change.id not in {update.id for update in updates.values()}:
                updates[index] = change
            elif card.id_property == EMAIL:
                others.append(index)
            else:
                results[index] = TemporaryFailure(
                    "the contact that holds the visitor's id is being changed", code="CONFLICT"
                )
        written = self._batches.write(Path.UPDATE, CONTACTS, list(updates.values())) if updates else []
        for index, result in zip(updates, written, strict=True):
            results[index] = replace(result, created=False) if isinstance(result, Written) else result
            lost = is_missing(result) or (isinstance(result, Refused) and result.conflict)
            if lost and cases[index][0].id_property == EMAIL:
                others.append(index)
        if others:
            cards = [cases[index][0].without(self._options.visitor_property) for index in others]
            results = _replaced(results, others, self._upsert(cards, EMAIL))
        return [self._unsettled(result) for result in results]

    def _unsettled(self, result: Result) -> Result:
        """Return a conflict that is left as something to try again: the records are being changed."""
        if not isinstance(result, Refused) or not self._is_of_identity(result):
            return result
        return TemporaryFailure(f"another contact is in the way: {result}", **result.complaint.told)

    def _owners(self, cases: Sequence[tuple[Card, Refused]]) -> list[Written | None]:
        """Return the record each conflict is with: by the id HubSpot names, else by the visitor's id."""
        named = {error.complaint.existing_id for _, error in cases} - {None}
        conditional = frozenset().union(*(card.properties.conditional for card, _ in cases))
        wanted = sorted({EMAIL, self._options.visitor_property, *conditional})
        by_id = self._batches.read(CONTACTS, sorted(filter(None, named)), wanted) if named else {}
        visitors = {
            card.properties.values.get(self._options.visitor_property)
            for card, error in cases
            if error.complaint.existing_id is None
        }
        by_visitor: dict[str, Written] = {}
        if visitors - {None}:
            by_visitor = self._batches.read(
                CONTACTS, sorted(filter(None, visitors)), wanted, self._options.visitor_property
            )
        owners: list[Written | None] = []
        for card, error in cases:
            visitor = card.properties.values.get(self._options.visitor_property, "")
            existing = error.complaint.existing_id
            owners.append(by_id.get(existing) if existing else by_visitor.get(visitor))
        return owners

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
