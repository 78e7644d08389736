"""Conversations as records of a custom object, found by the conversation's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from chatferry import DeliveryError, Lead, PermanentFailure, TemporaryFailure
from chatferry_hubspot.answers import Refused, complain
from chatferry_hubspot.batches import Batches, Input, Result, Written
from chatferry_hubspot.client import Client
from chatferry_hubspot.fields import CONTACT, CONVERSATION
from chatferry_hubspot.paths import Path
from chatferry_hubspot.records import Properties, fold, properties_of
from chatferry_hubspot.storage import CONTACT_TYPE

MOST_PAIRS = 2_000
"""Associations HubSpot takes in one call."""
MOST_CALLS = 32
"""Calls spent on finding the association that gets a whole call refused."""


class Conversations:
    """Writes the conversations of a batch and ties each to its contact."""

    def __init__(self, client: Client, batches: Batches) -> None:
        self._client = client
        self._batches = batches

    def write(self, leads: Sequence[Lead], contacts: Sequence[str], object_type: str) -> list[Result]:
        """Write each lead's conversation and associate it; a result per lead, in their order."""
        members: dict[str, list[int]] = {}
        for index, lead in enumerate(leads):
            members.setdefault(lead.key, []).append(index)
        cards = {
            key: self._card(leads[group[-1]], fold([properties_of(leads[i], CONVERSATION) for i in group]))
            for key, group in members.items()
        }
        written = self._upsert(cards, object_type)
        results: list[Result] = [written[lead.key] for lead in leads]
        pairs: dict[int, tuple[str, str]] = {}
        for index, (lead, contact) in enumerate(zip(leads, contacts, strict=True)):
            result = results[index]
            if isinstance(result, Written) and not _tied(lead, result, contact):
                pairs[index] = (result.id, contact)
        failed = associate(self._client, object_type, list(pairs.values()))
        for index, pair in pairs.items():
            results[index] = failed.get(pair, results[index])
        return results

    def _card(self, lead: Lead, properties: Properties) -> Properties:
        name = self._client.options.conversation_property
        return replace(properties, values={**properties.values, name: lead.key})

    def _upsert(self, cards: Mapping[str, Properties], object_type: str) -> dict[str, Result]:
        name = self._client.options.conversation_property
        asked = [key for key, card in cards.items() if card.conditional]
        try:
            wanted = sorted(frozenset().union(*(cards[key].conditional for key in asked)))
            held = self._batches.read(object_type, asked, wanted, name) if asked else {}
        except DeliveryError as error:
            return dict.fromkeys(cards, error)
        inputs = [
            Input(id=key, properties=card.against(held[key].properties if key in held else None))
            for key, card in cards.items()
        ]
        return dict(zip(cards, self._batches.write(Path.UPSERT, object_type, inputs, name), strict=True))


def _tied(lead: Lead, written: Written, contact: str) -> bool:
    """Return whether an earlier delivery has associated just these two."""
    before = lead.receipt.ids if lead.receipt else {}
    return not written.created and (before.get(CONVERSATION), before.get(CONTACT)) == (written.id, contact)


Pair: TypeAlias = tuple[str, str]
"""The ids of a record and of its contact."""


def associate(client: Client, object_type: str, pairs: Sequence[Pair]) -> dict[Pair, DeliveryError]:
    """Associate records with contacts, which may be done twice; return the pairs that failed.

    A contact that was merged or archived since it was written is not there any more: the next
    attempt writes the contact again, so this is never permanent.
    """
    failed: dict[Pair, DeliveryError] = {}
    waiting = list(dict.fromkeys(pairs))
    parts = [waiting[start : start + MOST_PAIRS] for start in range(0, len(waiting), MOST_PAIRS)]
    calls = 0
    while parts:
        part = parts.pop()
        calls += 1
        error = _associate(client, object_type, part, failed)
        if isinstance(error, PermanentFailure) and len(part) > 1 and calls < MOST_CALLS:
            parts += [part[: len(part) // 2], part[len(part) // 2 :]]
        elif isinstance(error, PermanentFailure):
            failed.update(dict.fromkeys(part, _not_yet(error)))
        elif error is not None:
            failed.update(dict.fromkeys(part, error))
    return failed


def _associate(
    client: Client, object_type: str, pairs: Sequence[Pair], failed: dict[Pair, DeliveryError]
) -> DeliveryError | None:
    payload = {"inputs": [{"from": {"id": a}, "to": {"id": b}} for a, b in pairs]}
    try:
        body = client.call(Path.ASSOCIATE, payload, object=object_type, to=CONTACT_TYPE)
    except DeliveryError as error:
        return error
    failed.update(_failed_pairs(pairs, body))
    return None


def _not_yet(error: PermanentFailure) -> TemporaryFailure:
    return TemporaryFailure(
        f"the conversation cannot be tied to its contact yet: {error}",
        words=error.words,
        code=error.code,
        reference=error.reference,
    )


def _failed_pairs(pairs: Sequence[Pair], body: Mapping[str, Any]) -> dict[Pair, DeliveryError]:
    """Return the pairs an answer does not vouch for.

    With errors, those that are not among the results; without, none, if there is any answer.
    """
    done: set[frozenset[str]] = set()
    results = body.get("results")
    for item in results if isinstance(results, list) else ():
        ends = (_end(item, "from"), _end(item, "to")) if isinstance(item, Mapping) else ("", "")
        done.add(frozenset(ends))
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], Mapping) else {}
        error = _not_yet(Refused(207, complain(first), subject="the association"))
        return {pair: error for pair in pairs if frozenset(pair) not in done}
    if not isinstance(results, list):
        unsaid = TemporaryFailure("HubSpot's answer does not mention the associations")
        return dict.fromkeys(pairs, unsaid)
    return {}


def _end(item: Mapping[str, Any], name: str) -> str:
    end = item.get(name)
    found = end.get("id") if isinstance(end, Mapping) else None
    return str(found) if isinstance(found, str | int) else ""
