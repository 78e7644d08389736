"""The webhooks' bodies and headers (iAdvize docs, "Webhooks" and "App security")."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatferry.emulators.iadvize import dates
from chatferry.emulators.iadvize.people import Client
from chatferry.emulators.iadvize.render import Performance
from chatferry.emulators.iadvize.script import Click


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One event to send. ``at`` is when it happened; the body is made when it is first sent."""

    event_id: str
    event_type: str
    platform: str
    client_id: int
    at: float
    conversation_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def body(self, sent_at: float) -> bytes:
        """Return the JSON that is signed and sent, as documented."""
        happened, sent = dates.write(self.at), dates.write(sent_at)
        envelope = {"eventId": self.event_id, "eventType": self.event_type, "platform": self.platform}
        times = {"createdAt": happened, "sentAt": sent}
        whole = {**envelope, **self.facts, **times}
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, raw: bytes) -> str:
    """Return the value of ``x-iadvize-signature`` for a raw body, or a raw query string."""
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def headers(secret: str, webhook: Webhook, raw: bytes) -> dict[str, str]:
    """Return the headers of one attempt; the delivery id is new each time."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "iAdvize-emulator",
        "x-iadvize-delivery": str(uuid.uuid4()),
        "x-iadvize-correlationid": str(uuid.uuid5(uuid.NAMESPACE_OID, webhook.event_id)),
        "x-iadvize-signature": signature(secret, raw),
    }


def pushed(performance: Performance) -> list[Webhook]:
    """Return ``v2.conversation.pushed`` for the beginning and for each transfer."""
    return [
        _event(
            performance, "v2.conversation.pushed", at=performance.at(at), operator={"operatorId": operator}
        )
        for at, operator in performance.script.pushes
    ]


def closed(performance: Performance) -> Webhook:
    """Return ``v2.conversation.closed``."""
    operators: Sequence[int] = performance.script.operator_ids
    return _event(
        performance,
        "v2.conversation.closed",
        at=performance.closed,
        operator={"operatorIds": list(operators)},
    )


def _event(performance: Performance, kind: str, *, at: float, operator: Mapping[str, Any]) -> Webhook:
    person = performance.script.person
    return Webhook(
        event_id=str(uuid.uuid4()),
        event_type=kind,
        platform=performance.client.platform,
        client_id=performance.client.client_id,
        at=at,
        conversation_id=performance.script.id,
        facts={
            "projectId": performance.project.id,
            "clientId": performance.client.client_id,
            "conversationId": performance.script.id,
            **operator,
            "visitorExternalId": str(person.legacy_id) if person.onsite else None,
            "channel": person.channel,
            "visitorId": person.id,
        },
    )


def _late(performance: Performance, kind: str, click: Click, facts: Mapping[str, Any]) -> Webhook:
    ids = {"projectId": performance.project.id, "clientId": performance.client.client_id}
    return Webhook(
        event_id=str(uuid.uuid4()),
        event_type=kind,
        platform=performance.client.platform,
        client_id=performance.client.client_id,
        at=performance.late_at(click),
        conversation_id=performance.script.id,
        facts={**ids, "conversationId": performance.script.id, **facts},
    )


def satisfaction_answered(performance: Performance) -> list[Webhook]:
    """Return ``satisfaction.answered`` once a click."""
    survey = performance.script.survey
    return [_late(performance, "satisfaction.answered", click, click.facts) for click in survey]


def transaction_attributed(performance: Performance) -> list[Webhook]:
    """Return ``transaction.attributed`` once a purchase."""
    operators = performance.script.operator_ids
    source = "Onsite" if performance.script.person.onsite else "Offsite"
    return [
        _late(
            performance,
            "transaction.attributed",
            click,
            {
                "transactionId": click.facts["id"],
                "receivedAt": dates.write(performance.late_at(click)),
                "externalId": click.facts["externalId"],
                "amount": click.facts["amount"],
                "source": source,
                "operatorId": operators[-1] if operators else None,
            },
        )
        for click in performance.script.purchases
    ]


def visitor_updated(performance: Performance, at: float) -> Webhook:
    """Return ``visitor.updated``: it carries the VUID, no project and no conversation."""
    operators = performance.script.operator_ids or (performance.client.operators[0].id,)
    facts = {"operatorId": operators[-1], "visitorId": performance.script.person.vuid}
    return client_event(performance.client, "visitor.updated", at, facts)


def client_event(client: Client, kind: str, at: float, facts: Mapping[str, Any]) -> Webhook:
    """Return an event about a client: ``user.connected``, ``user.availability.updated``..."""
    return Webhook(
        event_id=str(uuid.uuid4()),
        event_type=kind,
        platform=client.platform,
        client_id=client.client_id,
        at=at,
        facts={"clientId": client.client_id, **facts},
    )


def availability(user_id: int) -> dict[str, Any]:
    """Return what ``user.availability.updated`` says beside the client."""
    channels = ("CHAT", "CALL", "VIDEO", "THIRD_PARTY")
    states = [{"channel": channel, "status": "AVAILABLE"} for channel in channels]
    return {"userId": user_id, "origin": "desk", "availabilities": states}
