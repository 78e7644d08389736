"""chatferry in three verbs: accept a webhook, sync conversations, deliver leads.

Each verb takes what the ledger says is due, does it, and tells the ledger. None remembers
anything: any of them can be killed at any point and run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

from chatferry.accept.acceptance import Acceptance
from chatferry.deliver.dispatcher import BatchResult
from chatferry.deliver.outcomes import Settlement, open_snapshots, settle, unwritable
from chatferry.errors import DeliveryError, LedgerUnavailable, PlatformError, PlatformUnavailable
from chatferry.iadvize.client import IAdvize
from chatferry.leads.destination import Destination, Unserved
from chatferry.ledger import Ledger
from chatferry.ledger.conversations import ClientKey, DueConversation
from chatferry.ledger.deliveries import AttemptResult
from chatferry.ledger.destinations import PauseKind
from chatferry.logs import get_logger
from chatferry.model import Conversation, Event, Lead, Receipt
from chatferry.plugins import Plugins
from chatferry.schedule import PROBE_CREDENTIALS
from chatferry.settings.model import Settings
from chatferry.sync.fairness import Fairness
from chatferry.sync.reading import Reader

T = TypeVar("T")
Readings: TypeAlias = Mapping[str, Conversation | PlatformError]
"""What iAdvize showed of some conversations, by their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The engine of one configuration. Its verbs may be called from any thread."""

    settings: Settings
    ledger: Ledger
    plugins: Plugins
    destinations: Mapping[str, Destination]
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

        :raises WebhookRefused: if it is not iAdvize's, or not an event.
        :raises LedgerUnavailable: if it could not be written.
        """
        return self.acceptance.accept(raw, signature=signature, content_type=content_type)

    # --------------------------------------------------------------------------------- sync

    def sync(self) -> int:
        """Read due conversations of one client together and queue what follows; return how many.

        Each is settled as soon as it is whole. However long the others take, their leases are kept
        while they are read: see :meth:`keep_leases`.
        """
        with self.fairness.reading(self._lease) as due:
            left = {one.conversation_id: one for one in due}
            try:
                for read in filter(None, self._read(due)):
                    self._write_readings([left[name] for name in read], read)
                    for name in read:
                        del left[name]
                    self._tell_synced(read.values())
            except BaseException:
                with suppress(LedgerUnavailable):  # the leases run out, then
                    self.ledger.conversations.give_back(self.ledger.owner, [one.id for one in left.values()])
                raise
        return len(due)

    def keep_leases(self) -> None:
        """Keep what this process is at work on; to be called several times a lease."""
        self.ledger.extend(self.clock() + self.settings.runner.lease, self.fairness.under_way)

    def _lease(self, busy: Collection[ClientKey]) -> Sequence[DueConversation]:
        """Take no more than one document asks for at present: the rest is better read by others."""
        now = self.clock()
        fewer = {key: client.batch_size for key, client in self.clients.items()}
        return self.ledger.conversations.lease(
            self.ledger.owner,
            now,
            now + self.settings.runner.lease,
            max(fewer.values(), default=1),
            fewer=fewer,
            but=busy,
        )

    def _read(self, due: Sequence[DueConversation]) -> Iterator[Readings]:
        """Ask the one client all of ``due`` belong to; an answer for each, whatever happens."""
        if not due:
            return
        ids = [one.conversation_id for one in due]
        client = self.clients.get((due[0].platform, due[0].client_id))
        if client is None:
            yield dict.fromkeys(ids, PlatformUnavailable("its client is not configured any more"))
        else:
            yield from _readings(client, ids)

    def _write_readings(self, due: Sequence[DueConversation], read: Readings) -> None:
        now = self.clock()
        settled = [self.reader.settle(one, read[one.conversation_id], now) for one in due]
        conversations, owner = self.ledger.conversations, self.ledger.owner
        for one, error in _unwritten(lambda rows: conversations.record_sync(owner, rows, now), settled):
            log = get_logger("chatferry.sync")
            log.error("reading not written", conversation=one.due.conversation_id, error=type(error).__name__)
            conversations.record_sync(owner, [self.reader.failed(one.due, error, now)], now)

    def _tell_synced(self, read: Iterable[Conversation | PlatformError]) -> None:
        self.plugins.notify_each(
            [("conversation_synced", {"conversation": one}) for one in read if isinstance(one, Conversation)]
        )

    # ------------------------------------------------------------------------------ deliver

    def deliver(self, name: str) -> int:
        """Hand one batch of due leads to a destination; return how many there were."""
        destination = self.destinations[name]
        now = self.clock()
        for lead in destination.dispatcher.late_completions():
            self.ledger.deliveries.overwritten(name, lead, now)
        batch = self.ledger.deliveries.lease(
            name,
            self.ledger.owner,
            now,
            now + self.settings.runner.lease,
            limit=destination.batch_size,
            linger=destination.settings.linger,
        )
        if not batch or not self._is_served(destination):
            return 0
        readable, unreadable = open_snapshots(batch)
        leads = list(readable.values())
        handed = destination.dispatcher.deliver(leads) if leads else BatchResult(outcomes=[])
        now = self.clock()
        state = self.ledger.destinations.state(name)
        settlement = settle(list(readable), handed, state, self.settings.retry, now)
        self._write_outcomes(name, [*settlement.deliveries, *unreadable], now)
        self._conclude(name, settlement, now)
        self._tell(name, leads, handed.outcomes, settlement)
        return len(batch)

    def _write_outcomes(self, name: str, settled: Sequence[AttemptResult], now: float) -> None:
        log = get_logger("chatferry.deliver").bind(destination=name)
        for one, error in _unwritten(lambda rows: self.ledger.deliveries.record_attempts(rows, now), settled):
            log.error("outcome not written", delivery=one.delivery.id, error=type(error).__name__)
            self.ledger.deliveries.record_attempts([unwritable(one, error)], now)

    def _is_served(self, destination: Destination) -> bool:
        """Probe a destination whose credentials were refused before it is given anything."""
        state = self.ledger.destinations.state(destination.name)
        if state.pause_kind is not PauseKind.CREDENTIALS:
            return True
        problem = destination.dispatcher.probe()
        if problem is None:
            return True
        until = self.clock() + PROBE_CREDENTIALS
        self.ledger.destinations.pause(
            destination.name, PauseKind.CREDENTIALS, problem, until, failures=state.failures + 1
        )
        return False

    def _conclude(self, name: str, settlement: Settlement, now: float) -> None:
        """End the destination's turn: awake, or at rest."""
        log = get_logger("chatferry.deliver").bind(destination=name)
        if settlement.rest is None:
            self.ledger.destinations.resume(name, now if settlement.succeeded else None)
            return
        rest = settlement.rest
        self.ledger.destinations.pause(name, rest.why, rest.reason, rest.until, failures=rest.failures)
        log.warning(
            "destination rests", why=rest.why.value, reason=rest.reason, seconds=round(rest.until - now)
        )

    def _tell(
        self,
        name: str,
        leads: Sequence[Lead],
        outcomes: Sequence[Receipt | DeliveryError],
        settlement: Settlement,
    ) -> None:
        told: list[tuple[str, dict[str, Any]]] = []
        for lead, outcome, settled in zip(leads, outcomes, settlement.deliveries, strict=True):
            about = {"lead": lead, "destination": name}
            if isinstance(outcome, Receipt):
                told.append(("delivery_succeeded", {**about, "receipt": outcome}))
            else:
                dead = settled.due_at is None
                told.append(("delivery_failed", {**about, "error": outcome, "dead": dead}))
        self.plugins.notify_each(told)

    # ---------------------------------------------------------------------------------- end

    def close(self) -> None:
        """Let connectors, iAdvize and the ledger go."""
        for destination in self.destinations.values():
            destination.dispatcher.close()
        for client in self.clients.values():
            client.close()
        self.ledger.close()


def _readings(client: IAdvize, ids: Sequence[str]) -> Iterator[Readings]:
    """Ask for conversations together, or for each by itself if that fails for no reason of iAdvize's."""
    left = dict.fromkeys(ids)
    try:
        for read in client.read(ids):
            for name in read:
                del left[name]
            yield read
    except LedgerUnavailable:
        raise
    except Exception as error:  # noqa: BLE001  (what an answer may do to its readers, nobody can list)
        if len(ids) == 1:
            yield {
                name: PlatformError(f"chatferry fails to ask for it ({type(error).__name__})")
                for name in left
            }
            return
        for name in left:
            yield from _readings(client, [name])


def _unwritten(write: Callable[[Sequence[T]], object], rows: Sequence[T]) -> list[tuple[T, Exception]]:
    """Write rows together, or each by itself if that fails; return those that cannot be written, and why.

    :raises LedgerUnavailable: if it is not a row's fault.
    """
    try:
        write(rows)
    except Exception as error:  # what a value may do to a driver, nobody can list
        # The ledger shows no database's errors, for they quote values: the class says enough.
        cause = error.__context__ if isinstance(error, LedgerUnavailable) else error
        if not isinstance(cause, Exception) or (cause is not error and not isinstance(cause, _REFUSALS)):
            raise
        if len(rows) == 1:
            return [(rows[0], cause)]
        return [bad for row in rows for bad in _unwritten(write, [row])]
    return []


_REFUSALS: Final = (DataError, IntegrityError)
"""What a database says of values it does not take."""
