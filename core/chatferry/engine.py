"""chatferry in three verbs: accept a webhook, sync conversations, deliver leads.

Each verb takes what the ledger says is due, does it, and records what became of it. None keeps any
state: any of them can be killed at any point and run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from chatferry.accept.acceptance import Acceptance
from chatferry.connector import Outcome
from chatferry.deliver.dispatcher import BatchResult, Dispatcher
from chatferry.deliver.outcomes import attempt_results, open_snapshots, pause_for, refused_credentials
from chatferry.errors import LedgerError, PlatformError, PlatformUnavailable
from chatferry.iadvize.client import IAdvize
from chatferry.leads.destination import Destination, Unserved
from chatferry.ledger import Ledger
from chatferry.ledger.conversations import ClientKey, DueConversation
from chatferry.ledger.deliveries.leasing import Batch
from chatferry.ledger.deliveries.states import AttemptResult, DeliveryState
from chatferry.ledger.destinations import BatchEnd, PauseKind
from chatferry.logs import get_logger
from chatferry.model import Conversation, Event, Lead, Receipt
from chatferry.plugins import Plugins
from chatferry.settings.model import Settings
from chatferry.sync.fairness import Fairness
from chatferry.sync.reading import Reader
from chatferry.sync.reconcile import Reconciler

Readings: TypeAlias = Mapping[str, Conversation | PlatformError]
"""What iAdvize showed of some conversations, by their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The engine of one configuration. Its verbs may be called from any thread."""

    settings: Settings
    ledger: Ledger
    plugins: Plugins
    destinations: Mapping[str, Destination]
    dispatchers: Mapping[str, Dispatcher]
    clients: Mapping[tuple[str, int], IAdvize]
    acceptance: Acceptance
    reader: Reader
    fairness: Fairness
    clock: Callable[[], float] = time.time
    unserved: Mapping[str, Unserved] = field(default_factory=dict)
    """Destinations that wait for a plugin: nothing is delivered to them."""

    # ------------------------------------------------------------------------------- accept

    def accept(self, raw: bytes, *, signature: str | None, content_type: str | None) -> Event:
        """Own an event: it is in the ledger when this returns.

        The web process, which loads no plugin, has no engine and calls ``acceptance`` itself.

        :raises WebhookRefused: if it is not iAdvize's, or not an event.
        :raises LedgerError: if it could not be written.
        """
        return self.acceptance.accept(raw, signature=signature, content_type=content_type)

    # --------------------------------------------------------------------------------- sync

    def sync(self) -> int:
        """Read due conversations of one client together and queue what follows; return how many.

        Each is recorded as soon as it is whole. However long the others take, their leases are kept
        while they are read: see :meth:`keep_leases`.
        """
        with self.fairness.reading(self._lease) as due:
            left = {one.conversation_id: one for one in due}
            try:
                for read in filter(None, self._read(due)):
                    self._record_readings([left[name] for name in read], read)
                    for name in read:
                        del left[name]
                    self._notify_synced(read.values())
            except BaseException:
                with suppress(LedgerError):  # the leases run out, then
                    self.ledger.conversations.give_back(self.ledger.owner, [one.id for one in left.values()])
                raise
        return len(due)

    def keep_leases(self) -> None:
        """Keep what this process works on; to be called several times a lease."""
        self.ledger.extend(self.clock() + self.settings.runner.lease, self.fairness.in_progress)

    @property
    def reconciler(self) -> Reconciler:
        """What finds the conversations whose webhooks were lost, for :meth:`sync` to read."""
        return Reconciler(settings=self.settings, ledger=self.ledger, clients=self.clients, clock=self.clock)

    def _lease(self, busy: Collection[ClientKey]) -> Sequence[DueConversation]:
        """Take no more than one document asks for at present, of clients that are not resting."""
        now = self.clock()
        fewer = {key: client.batch_size for key, client in self.clients.items()}
        resting = {key for key, client in self.clients.items() if client.is_resting}
        due = self.ledger.conversations.lease(
            self.ledger.owner,
            now,
            now + self.settings.runner.lease,
            max(fewer.values(), default=1),
            fewer=fewer,
            but={*busy, *resting},
        )
        if due and (client := self.clients.get((due[0].platform, due[0].client_id))):
            client.begin_probe()
        return due

    def _read(self, due: Sequence[DueConversation]) -> Iterator[Readings]:
        """Ask the one client all of ``due`` belong to; an answer for each, whatever happens."""
        if not due:
            return
        ids = [one.conversation_id for one in due]
        client = self.clients.get((due[0].platform, due[0].client_id))
        if client is None:
            yield dict.fromkeys(ids, PlatformUnavailable("its client is not configured any more"))
        else:
            yield from client.read(ids)

    def _record_readings(self, due: Sequence[DueConversation], read: Readings) -> None:
        now, owner = self.clock(), self.ledger.owner
        results = [self.reader.result_of(one, read[one.conversation_id], now) for one in due]
        for refused, error in self.ledger.conversations.record_sync(owner, results, now):
            conversation = refused.due.conversation_id
            log = get_logger("chatferry.sync")
            log.error("reading not written", conversation=conversation, error=type(error).__name__)
            self.ledger.conversations.record_sync(owner, [self.reader.failed(refused.due, error, now)], now)

    def _notify_synced(self, read: Iterable[Conversation | PlatformError]) -> None:
        self.plugins.notify_each(
            [("conversation_synced", {"conversation": one}) for one in read if isinstance(one, Conversation)]
        )

    # ------------------------------------------------------------------------------ deliver

    def deliver(self, name: str) -> int:
        """Hand one batch of due leads to a destination; return how many there were."""
        dispatcher = self.dispatchers[name]
        now = self.clock()
        for lead in dispatcher.late_completions():
            self.ledger.deliveries.rewrite_stale(name, lead, now)
        batch = self._lease_batch(name, now)
        if not batch.deliveries or not self._is_served(batch):
            return 0
        readable, unreadable = open_snapshots(batch.deliveries)
        leads = list(readable.values())
        result = dispatcher.deliver(leads) if leads else BatchResult(outcomes=[])
        now = self.clock()
        pause = pause_for(result.failure, batch.destination, self.settings.retry, now)
        attempts = attempt_results(list(readable), result, pause, self.settings.retry, now)
        succeeded = any(one.state is DeliveryState.DELIVERED for one in attempts)
        end = BatchEnd(
            destination=name,
            owner=self.ledger.owner,
            pause=pause,
            succeeded_at=now if succeeded else None,
        )
        self._record_attempts([*attempts, *unreadable], end, now)
        self._notify_delivered(name, leads, result.outcomes, attempts)
        return len(batch.deliveries)

    def _lease_batch(self, name: str, now: float) -> Batch:
        return self.ledger.deliveries.lease(
            name,
            self.ledger.owner,
            now,
            now + self.settings.runner.lease,
            limit=self.dispatchers[name].batch_size,
            linger=self.destinations[name].settings.linger,
        )

    def _is_served(self, batch: Batch) -> bool:
        """Probe a destination whose credentials were refused before it is given anything."""
        state = batch.destination
        if state.pause_kind is not PauseKind.CREDENTIALS:
            return True
        problem = self.dispatchers[state.name].probe()
        if problem is None:
            return True
        self.ledger.destinations.pause(state.name, refused_credentials(problem, state, self.clock()))
        return False

    def _record_attempts(self, attempts: Sequence[AttemptResult], end: BatchEnd, now: float) -> None:
        log = get_logger("chatferry.deliver").bind(destination=end.destination)
        for refused, error in self.ledger.deliveries.record_attempts(attempts, now, end):
            log.error("outcome not written", delivery=refused.delivery.id, error=type(error).__name__)
        if end.pause is not None:
            seconds = round(end.pause.until - now)
            log.warning("destination paused", kind=end.pause.kind, reason=end.pause.reason, seconds=seconds)

    def _notify_delivered(
        self, name: str, leads: Sequence[Lead], outcomes: Sequence[Outcome], attempts: Sequence[AttemptResult]
    ) -> None:
        notified: list[tuple[str, dict[str, Any]]] = []
        for lead, outcome, attempt in zip(leads, outcomes, attempts, strict=True):
            about = {"lead": lead, "destination": name}
            if isinstance(outcome, Receipt):
                notified.append(("delivery_succeeded", {**about, "receipt": outcome}))
            else:
                dead = attempt.due_at is None
                notified.append(("delivery_failed", {**about, "error": outcome, "dead": dead}))
        self.plugins.notify_each(notified)

    # ---------------------------------------------------------------------------------- end

    def close(self) -> None:
        """Close connectors, iAdvize's clients and the ledger."""
        for dispatcher in self.dispatchers.values():
            dispatcher.close()
        for client in self.clients.values():
            client.close()
        self.ledger.close()
