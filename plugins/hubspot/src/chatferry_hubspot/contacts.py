"""Visitors as contacts: by e-mail where there is one, else by a property of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatferry import DeliveryError, Lead, PermanentFailure
from chatferry_hubspot.answers import Refused
from chatferry_hubspot.batches import Batches
from chatferry_hubspot.cards import Card, card_of
from chatferry_hubspot.conflicts import Conflicts
from chatferry_hubspot.reads import EMAIL, Reads
from chatferry_hubspot.records import fold
from chatferry_hubspot.replies import Result, of_account
from chatferry_hubspot.settings import Options
from chatferry_hubspot.upserts import Upserts


class Contacts:
    """Writes the contacts of a batch of leads."""

    def __init__(self, batches: Batches, reads: Reads, options: Options) -> None:
        self._options = options
        self._upserts = Upserts(batches, reads)
        self._conflicts = Conflicts(batches, reads, self._upserts, options)

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
                written = self._upserts.write([cards[i] for i in indices], id_property)
                results.update(zip(indices, written, strict=True))
        conflicts = [i for i, result in results.items() if self._conflicts.is_of_identity(result)]
        if conflicts:
            cases = [(cards[i], r) for i in conflicts if isinstance(r := results[i], Refused)]
            results.update(zip(conflicts, self._conflicts.settle(cases), strict=True))
        return [results[index] for index in range(len(cards))]
