"""Contacts written by the property they are found by, and with a look first where fields ask for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatferry import DeliveryError, TemporaryFailure
from chatferry_hubspot.batches import Batches, Input
from chatferry_hubspot.cards import Card
from chatferry_hubspot.paths import Path
from chatferry_hubspot.reads import EMAIL, Found, Reads
from chatferry_hubspot.replies import Result, Written, is_missing
from chatferry_hubspot.storage import CONTACTS


class Upserts:
    """Writes different contacts that are found by the same property."""

    def __init__(self, batches: Batches, reads: Reads) -> None:
        self._batches = batches
        self._reads = reads

    def write(self, cards: Sequence[Card], id_property: str) -> list[Result]:
        """Create or update each contact; a result each, in their order."""
        try:
            found = self._look(cards, id_property)
        except DeliveryError as error:
            return [error] * len(cards)
        results: dict[int, Result] = {}
        upserts: dict[int, Input] = {}
        updates: dict[int, Input] = {}
        for index, card in enumerate(cards):
            held = found.get(card.id)
            if isinstance(held, DeliveryError):
                results[index] = held
            elif held is not None and is_second_address(card, held):
                updates[index] = known_elsewhere(card, held)
            else:
                properties = card.properties.against(held.properties if held else None)
                upserts[index] = Input(id=card.id, properties=properties)
        results.update(self._update(updates))
        written = self._batches.write(Path.UPSERT, CONTACTS, list(upserts.values()), id_property)
        results.update(zip(upserts, written, strict=True))
        return [results[index] for index in range(len(cards))]

    def _look(self, cards: Sequence[Card], id_property: str) -> Mapping[str, Found]:
        """Read what the account holds of the contacts whose fields depend on it: one call a hundred."""
        asked = [card for card in cards if card.properties.conditional]
        names = sorted(frozenset().union(*(card.properties.conditional for card in asked)))
        return self._reads.read(CONTACTS, [card.id for card in asked], names, id_property)

    def _update(self, updates: Mapping[int, Input]) -> dict[int, Result]:
        """Write contacts by their ids; of two addresses of one contact, one waits for the next attempt."""
        chosen = {change.id: index for index, change in updates.items()}
        written = self._batches.write(Path.UPDATE, CONTACTS, [updates[index] for index in chosen.values()])
        wait = TemporaryFailure("the contact is being written under another address")
        results: dict[int, Result] = dict.fromkeys(updates, wait)
        for index, result in zip(chosen.values(), written, strict=True):
            results[index] = replace(result, created=False) if isinstance(result, Written) else result
            if is_missing(result):
                results[index] = TemporaryFailure("the contact was removed just now")
        return results


def is_second_address(card: Card, held: Written) -> bool:
    """Return whether a contact was found by an address that is not its first: it was merged, say."""
    return card.id_property == EMAIL and held.properties.get(EMAIL, "").lower() != card.id


def known_elsewhere(card: Card, held: Written) -> Input:
    """Return the update of such a contact by its id: an upsert would make that address its first."""
    return Input(id=held.id, properties=card.without(EMAIL).properties.against(held.properties))
