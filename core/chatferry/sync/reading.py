"""What follows from one reading of a conversation, for the ledger and for each destination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from chatferry import schedule
from chatferry.errors import (
    ConversationNotReady,
    PlatformAuthFailure,
    PlatformAway,
    PlatformError,
    PlatformUnavailable,
    PluginError,
)
from chatferry.iadvize.facts import enrich, facts_of
from chatferry.iadvize.ratings import note_shown
from chatferry.leads.destination import Decider, Veto
from chatferry.leads.partial_readings import Extent, completed, extent_of
from chatferry.leads.routing import live_wanted
from chatferry.ledger.conversations import DueConversation, EarlierLead, SyncResult
from chatferry.ledger.deliveries.states import Decided
from chatferry.ledger.snapshot import load_lead
from chatferry.logs import described, frames, get_logger
from chatferry.model import Conversation
from chatferry.settings.model import Settings
from chatferry.text import storable

_A_MOMENT: Final = 1.0
"""Seconds that two of our own times may be apart and still be one."""

_LONGEST_ID: Final = 128
"""Characters of the ids the ledger holds, and an event may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Decides what follows from readings, by a configuration's rules."""

    settings: Settings
    destinations: Mapping[str, Decider]
    veto: Veto

    def result_of(self, due: DueConversation, read: Conversation | PlatformError, now: float) -> SyncResult:
        """Return what to write about a conversation that was asked for; never raises.

        What makes us fail on one conversation must not hold up those read with it.
        """
        try:
            return self._result(due, read, now)
        except Exception as error:  # noqa: BLE001  (a conversation may hold anything, a plugin do anything)
            get_logger("chatferry.sync").error(
                "conversation failed",
                conversation=due.conversation_id,
                reason=described(error),
                at=frames(error),
            )
            return self.failed(due, error, now)

    def failed(self, due: DueConversation, error: Exception, now: float) -> SyncResult:
        """Return what to write about a conversation that we fail on: try again, up to a point."""
        return self._again(due, f"chatferry failed on it: {described(error)}", now)

    def _result(self, due: DueConversation, read: Conversation | PlatformError, now: float) -> SyncResult:
        if isinstance(read, PlatformError):
            return self._unread(due, read, now)
        event_facts = note_shown(due.event_facts, read.satisfaction, due.synced_at)
        enriched = enrich(read, facts_of(due.events, event_facts, due.listed_operators))
        conversation = _with_visitor(enriched, due.visitor_id)
        return replace(self._of_state(due, conversation, now), event_facts=event_facts)

    def _of_state(self, due: DueConversation, conversation: Conversation, now: float) -> SyncResult:
        if conversation.closed_at is None and due.close_announced_at is not None:
            return self._closing(due, conversation, now)
        if conversation.closed_at is None:
            return self._running(due, conversation, now)
        return self._decided(due, conversation, now, again=None)

    def _unread(self, due: DueConversation, error: PlatformError, now: float) -> SyncResult:
        """Ask again; give up on what iAdvize never shows, but never on a client it refuses."""
        if isinstance(error, PlatformAuthFailure):
            uncounted = replace(due, attempts=due.attempts - 1)
            problem = f"{schedule.REFUSED}{error}"
            return SyncResult(due=uncounted, due_at=now + schedule.PROBE_CREDENTIALS, problem=problem)
        if isinstance(error, PlatformAway):
            uncounted = replace(due, attempts=due.attempts - 1)
            return SyncResult(due=uncounted, due_at=now, problem=str(error))  # its client rests meanwhile
        if isinstance(error, PlatformUnavailable):
            retry = self.settings.retry
            pause = schedule.back_off(due.attempts + 1, retry, at_least=error.retry_after)
            away = replace(due, attempts=schedule.counted(due.attempts, retry) - 1)
            return SyncResult(due=away, due_at=now + pause, problem=str(error))
        wait = schedule.not_ready(due.attempts) if isinstance(error, ConversationNotReady) else None
        return self._again(due, str(error), now, wait)

    def _again(self, due: DueConversation, problem: str, now: float, wait: float | None = None) -> SyncResult:
        """Have it read again, or give it up where it is old and this run of failures long enough."""
        retry = self.settings.retry
        if now - due.first_seen_at > retry.give_up_after and schedule.is_worn_out(due.attempts, retry):
            get_logger("chatferry.sync").error(
                "conversation given up", conversation=due.conversation_id, reason=problem
            )
            return SyncResult(due=due, due_at=None, problem=f"{schedule.GIVEN_UP}{problem}")
        pause = schedule.back_off(due.attempts + 1, retry) if wait is None else wait
        return SyncResult(due=due, due_at=now + pause, problem=problem)

    def _closing(self, due: DueConversation, conversation: Conversation, now: float) -> SyncResult:
        """Wait for iAdvize to show the close it announced, then take its word for it.

        What counts are the readings that showed it running, from the first since the announcement
        on, which ``synced_at`` remembers: while iAdvize was away it could not show anything.
        """
        announced = now if due.close_announced_at is None else min(due.close_announced_at, now)
        first = due.synced_at
        if first is None or (first < announced - _A_MOMENT and announced < now):
            due, first = replace(due, attempts=0), now
        enough = due.attempts >= schedule.GIVE_UP_WAITING_FOR_CLOSE
        if enough and round(now - first) >= schedule.WAITED_FOR_CLOSE:
            closed = replace(conversation, closed_at=datetime.fromtimestamp(announced, UTC))
            return self._decided(due, closed, now, again=None)
        wait = schedule.not_ready(due.attempts)
        return SyncResult(
            due=due, due_at=now + wait, problem="iAdvize still shows it as running", synced_at=first
        )

    def _running(self, due: DueConversation, conversation: Conversation, now: float) -> SyncResult:
        wanted = live_wanted(self.settings, due.platform, due.client_id, conversation.project_id)
        wait = schedule.next_reading(now - due.first_seen_at, self.settings.live, wanted=wanted)
        return self._decided(due, conversation, now, again=None if wait is None else now + wait)

    def _decided(
        self, due: DueConversation, conversation: Conversation, now: float, *, again: float | None
    ) -> SyncResult:
        extent = extent_of(conversation)
        most = Extent(messages=due.most_messages, profile=due.most_profile)
        is_partial = extent.is_less_than(most)
        decisions: list[Decided] = []
        failed: dict[str, SyncResult] = {}
        for name, destination in self.destinations.items():
            try:
                if not is_partial:
                    decisions.append(destination.decide(conversation, self.veto))
                elif name in due.earlier:
                    decisions += self._completed(destination, conversation, due.earlier[name])
            except PluginError as error:
                # A plugin that cannot say has not consented: this destination is asked again, for ever.
                retry = self.settings.retry
                wait = schedule.back_off(due.attempts + 1, retry)
                asked = replace(due, attempts=schedule.counted(due.attempts, retry) - 1)
                failed[name] = SyncResult(due=asked, due_at=now + wait, problem=str(error))
            except Exception as error:  # noqa: BLE001  (what one destination cannot take, others can)
                failed[name] = self.failed(due, error, now)
        if failed:
            problems = {name: one.problem for name, one in failed.items()}
            get_logger("chatferry.sync").error(
                "not decided", conversation=due.conversation_id, destinations=problems
            )
            due = max((one.due for one in failed.values()), key=attrgetter("attempts"))
            # A running conversation is read for the other destinations as often as ever.
            times = (again, *(one.due_at for one in failed.values()))
            again = min((at for at in times if at is not None), default=None)
        if is_partial:
            get_logger("chatferry.sync").info(
                "reading shows less than before",
                conversation=due.conversation_id,
                completed=[one.destination for one in decisions],
            )
        closed, most = conversation.closed_at, most.at_least(extent)
        return SyncResult(
            due=due,
            due_at=again,
            problem=next((one.problem for one in failed.values()), None),
            synced_at=now,
            closed_at=closed.timestamp() if closed else None,
            visitor_id=_fitting(conversation.visitor.id),
            project_id=conversation.project_id,
            most_messages=most.messages,
            most_profile=most.profile,
            decisions=decisions,
        )

    def _completed(
        self, destination: Decider, shown: Conversation, earlier: EarlierLead
    ) -> Sequence[Decided]:
        """Decide by what earlier readings showed, too: the conversation stays with its contact.

        What was delivered stays as it is where the connector cannot update without creating.
        """
        if earlier.was_delivered and not destination.takes_updates:
            return []
        whole = completed(shown, load_lead(earlier.lead).conversation)
        return [destination.decide(whole, self.veto, shown=shown if earlier.was_delivered else None)]


def _with_visitor(conversation: Conversation, visitor_id: str | None) -> Conversation:
    """Return a conversation whose visitor has the id that its events or earlier readings named."""
    if conversation.visitor.id or not visitor_id:
        return conversation
    return replace(conversation, visitor=replace(conversation.visitor, id=visitor_id))


def _fitting(visitor_id: str | None) -> str | None:
    """Return an id if an event can name it; nothing is ever looked up by another."""
    kept = storable(visitor_id)
    return kept if kept and len(kept) <= _LONGEST_ID else None
