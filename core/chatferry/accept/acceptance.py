"""Accept webhooks: verify, validate, commit, and only then acknowledge.

No plugin, network or CRM is involved: sync reads the conversation later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from chatferry.accept.group_commit import GroupCommit
from chatferry.iadvize.envelope import read_event
from chatferry.iadvize.scalars import is_uuid
from chatferry.iadvize.signature import verify
from chatferry.leads.routing import live_wanted, wanted
from chatferry.ledger.events import Admission, Events
from chatferry.model import Event
from chatferry.settings.model import Settings


class Acceptance:
    """Accept webhooks for a configuration, into a ledger."""

    def __init__(self, settings: Settings, events: Events, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._group: GroupCommit[Admission] = GroupCommit(events.accept)

    def accept(self, raw: bytes, *, signature: str | None, content_type: str | None) -> Event:
        """Verify and commit an event.

        :raises WebhookRefused: if the signature or the content is invalid; nothing was written.
        :raises LedgerUnavailable: if it could not be written; iAdvize must send it again.
        """
        verify(self._settings.iadvize.secrets, raw, signature)
        now = self._clock()
        event = read_event(
            raw,
            content_type=content_type,
            received_at=datetime.fromtimestamp(now, UTC),
            limit=self._settings.web.body_limit,
            depth=self._settings.web.json_depth,
        )
        self._group.submit(self.admit(event, now))
        return event

    def admit(self, event: Event, now: float) -> Admission:
        """Return when the event's conversation is due, or why it is not."""
        refusal = self._refusal(event)
        if refusal is not None:
            return Admission(event=event, refusal=refusal)
        return Admission(event=event, due_at=now + self._delay(event))

    def _refusal(self, event: Event) -> str | None:
        if event.conversation_id is None and not (event.event_type == "visitor.updated" and event.visitor_id):
            return f"nothing follows from {event.event_type} events"
        if self._settings.iadvize.client(event.platform, event.client_id) is None:
            return f"client {event.platform}/{event.client_id} is not configured"
        if not wanted(self._settings, event.platform, event.client_id, event.project_id):
            return f"no destination is interested in project {event.platform}/{event.project_id}"
        if event.conversation_id is not None and not is_uuid(event.conversation_id):
            return f"deprecated {event.event_type} events name a conversation that cannot be read"
        return None

    def _delay(self, event: Event) -> float:
        """Delay only the reading of a conversation that has just begun: it has no messages yet."""
        if not event.event_type.endswith("conversation.pushed"):
            return 0.0
        live = live_wanted(self._settings, event.platform, event.client_id, event.project_id)
        return self._settings.live.interval if live else self._settings.live.idle_interval
