"""The timeline of one conversation: its events, readings, deliveries, and a suggestion for each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from chatferry.ledger import Ledger
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import ERASED, Delivery, DeliveryState
from chatferry.ledger.destinations import DestinationState, PauseKind
from chatferry.ledger.snapshot import SnapshotUnreadable, load_lead, load_receipt
from chatferry.ledger.stories import ConversationRow, EventRow, Name
from chatferry.model import Lead, Receipt

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """The delivery of a conversation to one destination. ``lead`` is None where it is not kept."""

    delivery: Delivery
    destination: DestinationState
    lead: Lead | None = None
    receipt: Receipt | None = None
    suggestion: str | None = None

    @property
    def is_current(self) -> bool:
        """Whether the content that was queued last is delivered."""
        known = self.delivery.delivered_fingerprint
        return known is not None and known == self.delivery.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the ledger knows; ``conversation`` is None where events alone are known."""

    conversation: ConversationRow | None
    events: Sequence[EventRow] = ()
    journeys: Sequence[Journey] = field(default=())
    suggestion: str | None = None


def stories(ledger: Ledger, text: str, served: Collection[str]) -> Sequence[Story]:
    """Return the stories of the conversations that a text may mean; none if the ledger knows none.

    :param text: iAdvize's id or the key of a delivery.
    :param served: the destinations that are configured and enabled, and whose plugins work.
    """
    name = Name.read(text.strip())
    events = ledger.stories.event_rows(name)
    known = ledger.stories.conversation_rows(name)
    if not known and events:
        return [Story(conversation=None, events=events, suggestion=_about_events(events))]
    states = ledger.destinations.states()
    journeys = [
        _journey(one, states, served)
        for one in reversed(ledger.selections.list(Selection(conversation=name.conversation_id)))
    ]
    return [_story(one, events, journeys) for one in known]


def _story(known: ConversationRow, events: Sequence[EventRow], journeys: Sequence[Journey]) -> Story:
    client = (known.platform, known.client_id)
    return Story(
        conversation=known,
        events=[one for one in events if (one.platform, one.client_id) == client],
        journeys=[one for one in journeys if (one.delivery.platform, one.delivery.client_id) == client],
        suggestion=_about_reading(known),
    )


def _journey(delivery: Delivery, states: Mapping[str, DestinationState], served: Collection[str]) -> Journey:
    state = states.get(delivery.destination, DestinationState(name=delivery.destination))
    receipt = _readable(partial(load_receipt, delivery.receipt))
    if delivery.state is DeliveryState.DUE and delivery.destination not in served:
        suggestion: str | None = f"{unserved(delivery.destination)} chatferry discard {delivery.id}"
    else:
        suggestion = _about_delivery(delivery, state, receipt)
    return Journey(
        delivery=delivery,
        destination=state,
        lead=None if delivery.lead is None else _readable(partial(load_lead, delivery.lead)),
        receipt=receipt,
        suggestion=suggestion,
    )


def _readable(load: Callable[[], T]) -> T | None:
    """Return a snapshot, None if it is damaged: the rest of the story is shown all the same."""
    try:
        return load()
    except SnapshotUnreadable:
        return None


def unserved(name: str) -> str:
    """Return the advice for a destination without a connector, up to the command that discards."""
    return f"{name} is disabled, not configured any more or without its plugin: mend that and restart, or"


def _about_events(events: Sequence[EventRow]) -> str | None:
    refusal = next((event.refusal for event in reversed(events) if event.refusal), None)
    if refusal is None:
        return None
    return f"nothing followed from its events: {refusal}. Change the configuration, then reconcile"


def _about_reading(known: ConversationRow) -> str | None:
    client = f"{known.platform}/{known.client_id}"
    if known.problem is None:
        return None
    if known.due_at is None:
        again = "chatferry reconcile, or chatferry retry --resync with a delivery's number"
        return (
            f"it was given up and needs you; once the cause is mended: {again}; its next event does as well"
        )
    return f"it is read again by itself; if others of client {client} fail too: chatferry check"


def _about_delivery(delivery: Delivery, state: DestinationState, receipt: Receipt | None) -> str | None:
    if delivery.reason == ERASED:
        left = "its record is still in the CRM: chatferry erase"
        return f"{left} {delivery.key}" if receipt else None
    number = delivery.id
    if delivery.state is DeliveryState.DUE:
        return _about_waiting(state, delivery)
    return {
        DeliveryState.DEAD: f"mend the cause, then: chatferry retry {number}",
        DeliveryState.PARKED: (
            f"chatferry retry {number} sends it as it is, chatferry discard {number} gives it up"
        ),
        DeliveryState.DISCARDED: f"if that was a mistake: chatferry retry {number}",
        DeliveryState.SKIPPED: f"if the configuration has changed: chatferry retry --resync {number}",
    }.get(delivery.state)


def _about_waiting(state: DestinationState, delivery: Delivery) -> str | None:
    match state.pause_kind:
        case PauseKind.OPERATOR:
            return f"an operator paused the destination: chatferry destinations resume {state.name}"
        case PauseKind.CREDENTIALS:
            return f"the credentials of {state.name} are refused: mend them; chatferry check says more"
        case PauseKind.HUNG:
            return (
                f"its connector does not answer; if that lasts, restart chatferry, and look at {state.name}"
            )
        case PauseKind.QUOTA | PauseKind.BACKING_OFF:
            return "nothing: the destination is paused and resumes by itself"
    return "nothing: it is tried again by itself" if delivery.attempts else None
