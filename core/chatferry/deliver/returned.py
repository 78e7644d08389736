"""What connectors return, checked and made storable before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatferry.connector import Outcome
from chatferry.errors import DeliveryError, PluginError
from chatferry.model import Lead, Receipt
from chatferry.text import storable


def sound_outcomes(destination: str, outcomes: object, leads: Sequence[Lead]) -> Sequence[Outcome]:
    """Return a connector's outcomes, receipts as they can be written and read again, with the leads' notes.

    :raises PluginError: if they are not one outcome a lead.
    """
    if not isinstance(outcomes, Sequence) or len(outcomes) != len(leads):
        raise PluginError(destination, "the connector did not return one outcome a lead")
    sound = [_sound(destination, outcome) for outcome in outcomes]
    return [_noted(outcome, lead.notes) for outcome, lead in zip(sound, leads, strict=True)]


def _noted(outcome: Outcome, notes: tuple[str, ...]) -> Outcome:
    """Return a receipt with what the engine had left out of its lead before the connector's own notes."""
    if not notes or not isinstance(outcome, Receipt):
        return outcome
    return replace(outcome, notes=(*notes, *outcome.notes))


def _sound(destination: str, outcome: object) -> Outcome:
    if isinstance(outcome, DeliveryError):
        return outcome
    if not isinstance(outcome, Receipt):
        raise PluginError(destination, "the connector returned something that is no outcome")
    receipt = _storable(outcome)
    if receipt is None:
        raise PluginError(destination, "the connector returned a receipt of things that are no text")
    return receipt


def _storable(receipt: Receipt) -> Receipt | None:
    """Return a receipt that can be written and read again, None if it is beyond repair.

    Ids that are numbers become texts; what no database can hold is replaced.
    """
    if not isinstance(receipt.ids, Mapping) or not isinstance(receipt.notes, list | tuple):
        return None
    ids = {storable(name): _id(one) for name, one in receipt.ids.items()}
    url, notes = storable(receipt.url), [storable(note) for note in receipt.notes]
    if None in (*ids, *ids.values(), *notes) or (url is None and receipt.url is not None):
        return None
    return Receipt(
        ids={name: one for name, one in ids.items() if name is not None and one is not None},
        url=url,
        created=bool(receipt.created),
        notes=tuple(note for note in notes if note is not None),
    )


def _id(value: object) -> str | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else storable(value)
