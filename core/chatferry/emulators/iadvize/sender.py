"""Sends webhooks as iAdvize does: two more tries, after 10 s and 20 s more, then the event is lost."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import urllib3

from chatferry.emulators.faults import FaultBoard
from chatferry.emulators.iadvize.faults import number
from chatferry.emulators.iadvize.webhooks import Webhook, headers

RETRY_DELAYS = (10.0, 20.0)
"""Seconds after a failed attempt (iAdvize docs, "Webhooks")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where the webhooks go. Without a target nothing is sent."""

    target: str | None = None
    secret: str = field(default="yourSecretToken", repr=False)
    time_scale: float = 1.0
    """How many times as fast the retries come: 100 waits 0.1 s and 0.2 s."""
    workers: int = 16
    """Webhooks on their way at the same time, each on a connection that is kept open."""
    timeout: float = 10.0
    """Seconds; iAdvize's own is not documented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try; ``status`` is None if no answer came."""

    at: float
    delivery_id: str
    status: int | None = None
    error: str | None = None

    @property
    def acknowledged(self) -> bool:
        """Whether the receiver took the event."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  (a 2xx)


@dataclass(slots=True, kw_only=True)
class WebhookDelivery:
    """One event and its state: ``pending``, ``acknowledged``, ``lost`` or ``dropped``."""

    webhook: Webhook
    state: str = "pending"
    attempts: list[Attempt] = field(default_factory=list)
    raw: bytes | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return what ``/_emulator/deliveries`` shows."""
        return {
            "event_id": self.webhook.event_id,
            "event_type": self.webhook.event_type,
            "platform": self.webhook.platform,
            "client_id": self.webhook.client_id,
            "conversation_id": self.webhook.conversation_id,
            "state": self.state,
            "attempts": [
                {
                    "at": attempt.at,
                    "delivery_id": attempt.delivery_id,
                    "status": attempt.status,
                    "error": attempt.error,
                }
                for attempt in self.attempts
            ],
        }


class Sender:
    """Sends webhooks: a scheduler thread and a pool of senders. Close it when done."""

    def __init__(self, settings: WebhookSettings, faults: FaultBoard) -> None:
        self.settings = settings
        self.faults = faults
        self.target = settings.target
        self._deliveries: dict[str, WebhookDelivery] = {}
        self._due: list[tuple[float, int, WebhookDelivery]] = []
        self._order = itertools.count()
        self._open = 0
        self._changed = threading.Condition()
        self._closed = False
        # urllib3 costs half the CPU of requests, which matters: the receiver under test shares the machine.
        self._connections = urllib3.PoolManager(maxsize=settings.workers, block=True, retries=False)
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="webhook")
        self._clock = threading.Thread(target=self._run, name="webhook-clock", daemon=True)
        self._clock.start()

    def send(self, webhook: Webhook, *, delay: float = 0.0) -> WebhookDelivery:
        """Send an event after ``delay`` seconds; with the faults that are on."""
        delivery = WebhookDelivery(webhook=webhook)
        with self._changed:
            self._deliveries[webhook.event_id] = delivery
        if self.target is None or self.faults.strikes("dropped"):
            delivery.state = "dropped"
            return delivery
        if fault := self.faults.strikes("reordered"):
            delay += number(fault, 1.0) / self.settings.time_scale
        copies = 2 if self.faults.strikes("duplicate") else 1
        for _ in range(copies):
            self._schedule(delivery, delay)
        return delivery

    def _schedule(self, delivery: WebhookDelivery, delay: float) -> None:
        with self._changed:
            if self._closed:
                return
            self._open += 1
            if delay <= 0:
                self._pool.submit(self._try, delivery)
                return
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._order), delivery))
            self._changed.notify_all()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._due and self._due[0][0] <= now:
                    self._pool.submit(self._try, heapq.heappop(self._due)[2])
                self._changed.wait(self._due[0][0] - now if self._due else None)

    def _try(self, delivery: WebhookDelivery) -> None:
        try:
            attempt = self._post(delivery)
            self._record(delivery, attempt)
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def _record(self, delivery: WebhookDelivery, attempt: Attempt) -> None:
        with self._changed:
            delivery.attempts.append(attempt)
            failed = sum(not tried.acknowledged for tried in delivery.attempts)
            if attempt.acknowledged:
                delivery.state = "acknowledged"
            elif delivery.state == "pending" and failed > len(RETRY_DELAYS):
                delivery.state = "lost"
            state = delivery.state
        if state == "pending":
            self._schedule(delivery, RETRY_DELAYS[failed - 1] / self.settings.time_scale)

    def _post(self, delivery: WebhookDelivery) -> Attempt:
        now = time.time()
        if delivery.raw is None:
            delivery.raw = delivery.webhook.body(now)
        secret = self.settings.secret
        if self.faults.strikes("bad-signature"):
            secret = f"not-{secret}"
        sent = headers(secret, delivery.webhook, delivery.raw)
        delivery_id = sent["x-iadvize-delivery"]
        try:
            answer = self._connections.request(
                "POST",
                self.target or "",
                body=delivery.raw,
                headers=sent,
                timeout=self.settings.timeout,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            return Attempt(at=now, delivery_id=delivery_id, error=type(error).__name__)
        return Attempt(at=now, delivery_id=delivery_id, status=answer.status)

    @property
    def deliveries(self) -> list[WebhookDelivery]:
        """Every event so far, in the order they were given."""
        with self._changed:
            return list(self._deliveries.values())

    def settle(self, timeout: float = 60.0) -> bool:
        """Wait until no webhook is in flight or due for a retry; return False after the time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)

    def close(self) -> None:
        """Stop: requests in flight finish, scheduled ones are dropped."""
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify_all()
        self._clock.join()
        self._pool.shutdown(cancel_futures=True)
        self._connections.clear()
