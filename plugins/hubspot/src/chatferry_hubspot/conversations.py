"""Conversations as records of a custom object, found by the conversation's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatferry import DeliveryError, Lead
from chatferry_hubspot.batches import Batches, Input
from chatferry_hubspot.client import Client
from chatferry_hubspot.fields import CONTACT, CONVERSATION
from chatferry_hubspot.paths import Path
from chatferry_hubspot.reads import Found, Reads
from chatferry_hubspot.records import Properties, fold, properties_of
from chatferry_hubspot.replies import Result, Written
from chatferry_hubspot.ties import Tie, Ties


class Conversations:
    """Writes the conversations of a batch and ties each to its contact."""

    def __init__(self, client: Client, batches: Batches, reads: Reads) -> None:
        self._client = client
        self._batches = batches
        self._reads = reads
        self._ties = Ties(client)

    def write(self, leads: Sequence[Lead], contacts: Sequence[str], object_type: str) -> list[Result]:
        """Write each lead's conversation and associate it; a result per lead, in their order."""
        members: dict[str, list[int]] = {}
        for index, lead in enumerate(leads):
            members.setdefault(lead.key, []).append(index)
        cards = {
            key: self._card(leads[group[-1]], fold([self._properties(leads[i]) for i in group]))
            for key, group in members.items()
        }
        written = self._upsert(cards, object_type)
        results: list[Result] = [written[lead.key] for lead in leads]
        ties: dict[int, Tie] = {}
        for index, (lead, contact) in enumerate(zip(leads, contacts, strict=True)):
            result = results[index]
            if isinstance(result, Written) and not _tied(lead, result, contact):
                ties[index] = Tie(record=result.id, contact=contact, before=_before(lead, result))
        failed = self._ties.make(object_type, list(ties.values()))
        for index, tie in ties.items():
            results[index] = failed.get(tie, results[index])
        return results

    def _properties(self, lead: Lead) -> Properties:
        return properties_of(lead, CONVERSATION, types=self._client.options.types)

    def _card(self, lead: Lead, properties: Properties) -> Properties:
        name = self._client.options.conversation_property
        return replace(properties, values={**properties.values, name: lead.key})

    def _upsert(self, cards: Mapping[str, Properties], object_type: str) -> dict[str, Result]:
        name = self._client.options.conversation_property
        try:
            found = self._look(cards, object_type)
        except DeliveryError as error:
            return dict.fromkeys(cards, error)
        results: dict[str, Result] = {}
        inputs: dict[str, Input] = {}
        for key, card in cards.items():
            held = found.get(key)
            if isinstance(held, DeliveryError):
                results[key] = held
            else:
                inputs[key] = Input(id=key, properties=card.against(held.properties if held else None))
        written = self._batches.write(Path.UPSERT, object_type, list(inputs.values()), name)
        return {**results, **dict(zip(inputs, written, strict=True))}

    def _look(self, cards: Mapping[str, Properties], object_type: str) -> Mapping[str, Found]:
        """Read what the account holds of the conversations whose fields depend on it."""
        asked = [key for key, card in cards.items() if card.conditional]
        names = sorted(frozenset().union(*(cards[key].conditional for key in asked)))
        return self._reads.read(object_type, asked, names, self._client.options.conversation_property)


def _tied(lead: Lead, written: Written, contact: str) -> bool:
    """Return whether an earlier delivery has associated just these two."""
    return not written.created and _before(lead, written) == contact


def _before(lead: Lead, written: Written) -> str:
    """Return the contact an earlier delivery has associated with the record, if it did."""
    ids = lead.receipt.ids if lead.receipt else {}
    return ids.get(CONTACT, "") if ids.get(CONVERSATION) == written.id else ""
