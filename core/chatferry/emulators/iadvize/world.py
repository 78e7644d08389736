"""The emulated platform and its conversations: closed ones, running ones, and those still to be played."""

from __future__ import annotations

import bisect
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from chatferry.emulators.faults import FaultBoard
from chatferry.emulators.iadvize import webhooks
from chatferry.emulators.iadvize.faults import FAULTS
from chatferry.emulators.iadvize.generator import Generator
from chatferry.emulators.iadvize.people import Client, make_clients
from chatferry.emulators.iadvize.phrases import load_phrases
from chatferry.emulators.iadvize.render import Performance, conversation_node
from chatferry.emulators.iadvize.sender import Sender, WebhookSettings
from chatferry.emulators.iadvize.tokens import Logins, TokenIssuer
from chatferry.emulators.iadvize.truth import Truth, truth_of

HISTORY_START = 1_767_600_000.0
"""2026-01-05 08:00 UTC: when the first conversation closed that was never played."""
HISTORY_STEP = 97.0
_NODES_KEPT = 4096
_LATE_FACTS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """How conversations happen.

    Without ``live`` each has just closed when its webhooks go out. With it, each begins now and
    its messages appear over time, ``pace`` times as fast as people write. ``rate`` is in
    conversations a second; without it all begin at once.
    """

    count: int = 1
    rate: float | None = None
    live: bool = False
    pace: float = 1.0
    pushed: bool = True
    """Whether ``v2.conversation.pushed`` is sent."""
    late: bool = True
    """Whether survey answers and purchases follow the close."""
    late_after: float = _LATE_FACTS
    """Seconds from the close to survey answers and purchases; 0 keeps the generated delays."""

    def __post_init__(self) -> None:
        if self.count < 0 or self.pace <= 0 or self.late_after < 0 or (self.rate or 1) <= 0:
            raise ValueError("count and late_after must not be negative, rate and pace be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """When a conversation that was played began, and how; see :class:`Performance`."""

    begun: float
    pace: float = 1.0
    late: float = 0.0


class IAdvizeWorld:
    """Everything the emulator knows, to be served by ``create_app``. Close it, or use ``with``."""

    def __init__(
        self,
        *,
        seed: int = 1,
        conversations: int = 100,
        clients: int | Sequence[Client] = 1,
        username: str = "connector@example.com",
        password: str = "emulated",  # noqa: S107  (no secret: the emulator's default)
        webhooks: WebhookSettings | None = None,
        logins: Logins | None = None,
        faults: FaultBoard | None = None,
    ) -> None:
        phrases = load_phrases()
        if isinstance(clients, int):
            clients = make_clients(clients, username=username, password=password, phrases=phrases)
        self.clients: tuple[Client, ...] = tuple(clients)
        self.faults = faults or FaultBoard(FAULTS, seed=seed)
        self.generator = Generator(seed, self.clients, phrases)
        self.tokens = TokenIssuer(self.clients, logins or Logins())
        self.sender = Sender(webhooks or WebhookSettings(), self.faults)
        self.counters: Counter[str] = Counter()
        self.closing = threading.Event()
        self._ids: list[str] = []
        self._numbers: dict[str, int] = {}
        self._runs: dict[int, Run] = {}
        self._closed: list[tuple[float, int]] = []
        self._erased: set[int] = set()
        self._anonymised: set[int] = set()
        self._nodes: OrderedDict[int, tuple[Performance, dict[str, Any]]] = OrderedDict()
        self._played = 0
        self._lock = threading.RLock()
        self._extend(conversations)

    def use(self, faults: FaultBoard) -> None:
        """Use another fault board."""
        self.faults = self.sender.faults = faults

    # ------------------------------------------------------------------------ what there is

    @property
    def ids(self) -> list[str]:
        """Every conversation, by number."""
        with self._lock:
            return list(self._ids)

    @property
    def played(self) -> int:
        """How many conversations were played."""
        return self._played

    def count(self, what: str, amount: int = 1) -> None:
        """Count something for the state summary."""
        with self._lock:
            self.counters[what] += amount

    def performance(self, conversation_id: str) -> Performance | None:
        """Return a conversation with its dates, or None if there is none."""
        number = self._numbers.get(conversation_id)
        return None if number is None else self._performance(number)

    def _performance(self, number: int) -> Performance:
        script = self.generator.script(number)
        with self._lock:
            run = self._runs.get(number)
            if run is None:
                run = Run(begun=HISTORY_START + number * HISTORY_STEP - script.duration)
            return Performance(
                script=script,
                client=self.generator.client_of(number),
                project=self.generator.project_of(number),
                begun=run.begun,
                pace=run.pace,
                late=run.late,
                erased=script.erased or script.person.number in self._erased,
                anonymised=script.anonymised or number in self._anonymised,
            )

    def node(self, conversation_id: str) -> dict[str, Any] | None:
        """Return the GraphQL conversation as it is now, without a check of access rights."""
        number = self._numbers.get(conversation_id)
        if number is None:
            return None
        with self._lock:
            if number in self._nodes:
                self._nodes.move_to_end(number)
                return self._nodes[number][1]
        performance, now = self._performance(number), time.time()
        if performance.begun > now:
            return None
        node = conversation_node(performance, now)
        node["performance"] = performance
        if now >= performance.ended:
            with self._lock:
                self._nodes[number] = (performance, node)
                if len(self._nodes) > _NODES_KEPT:
                    self._nodes.popitem(last=False)
        return node

    def place_of(self, conversation_id: str) -> tuple[Client, int]:
        """Return the client and the project of a conversation, without generating it.

        :raises KeyError: if there is no such conversation.
        """
        number = self._numbers[conversation_id]
        return self.generator.client_of(number), self.generator.project_of(number).id

    def closed_between(self, start: float, end: float) -> list[tuple[float, str]]:
        """Return the conversations that closed in a period, oldest first: when, and the id."""
        with self._lock:
            low = bisect.bisect_left(self._closed, (start, -1))
            high = bisect.bisect_right(self._closed, (min(end, time.time()), 1 << 60))
            return [(closed, self._ids[number]) for closed, number in self._closed[low:high]]

    def truth(self, conversation_id: str) -> Truth:
        """Return the ground truth of a conversation.

        :raises KeyError: if there is no such conversation.
        """
        return truth_of(self._performance(self._numbers[conversation_id]))

    # ------------------------------------------------------------------------ what happens

    def play(self, count: int = 1, **how: Any) -> list[str]:
        """Let the next conversations happen, see :class:`Play`; return their ids.

        It returns when the last one has begun. :meth:`settle` waits for the webhooks.
        """
        play = Play(count=count, **how)
        started = time.monotonic()
        ids = []
        for place in range(play.count):
            if play.rate:
                self.closing.wait(max(0.0, started + place / play.rate - time.monotonic()))
            if self.closing.is_set():
                break
            ids.append(self._play_next(play))
        return ids

    def play_in_background(self, count: int = 1, *, delay: float = 0.0, **how: Any) -> threading.Thread:
        """Start :meth:`play` in a thread of its own, after ``delay`` seconds."""
        Play(count=count, **how)

        def run() -> None:
            self.closing.wait(delay)
            self.play(count, **how)

        thread = threading.Thread(target=run, name="play", daemon=True)
        thread.start()
        return thread

    def _play_next(self, play: Play) -> str:
        with self._lock:
            number = self._played
            self._played += 1
            self._extend(self._played)
        duration = self.generator.script(number).duration
        now = time.time()
        late = play.late_after if play.late else 0.0
        begun, pace = (now, play.pace) if play.live else (now - duration, 1.0)
        run = Run(begun=begun, pace=pace, late=late)
        with self._lock:
            old = (HISTORY_START + number * HISTORY_STEP, number)
            del self._closed[bisect.bisect_left(self._closed, old)]
            bisect.insort(self._closed, (run.begun + duration / run.pace, number))
            self._runs[number] = run
            self._nodes.pop(number, None)
        performance = self._performance(number)
        self._announce(performance, play, now)
        return performance.script.id

    def _announce(self, performance: Performance, play: Play, now: float) -> None:
        events = webhooks.pushed(performance) if play.pushed else []
        events.append(webhooks.closed(performance))
        if play.late:
            events += webhooks.satisfaction_answered(performance)
            events += webhooks.transaction_attributed(performance)
        for event in events:
            self.sender.send(event, delay=max(0.0, event.at - now))

    def _extend(self, count: int) -> None:
        for number in range(len(self._numbers), count):
            conversation_id = self.generator.conversation_id(number)
            self._ids.append(conversation_id)
            self._numbers[conversation_id] = number
            bisect.insort(self._closed, (HISTORY_START + number * HISTORY_STEP, number))

    def erase_visitor(self, conversation_id: str) -> None:
        """Delete the visitor's personal data from all their conversations (VisitorAnonymize)."""
        number = self._numbers[conversation_id]
        with self._lock:
            self._erased.add(self.generator.visitor_number(number))
            self._nodes.clear()

    def anonymise(self, conversation_id: str) -> None:
        """Delete the messages and the custom data (ClosedConversationAnonymize)."""
        with self._lock:
            self._anonymised.add(self._numbers[conversation_id])
            self._nodes.clear()

    def update_visitor(self, conversation_id: str) -> None:
        """Send ``visitor.updated`` about the visitor of a conversation."""
        performance = self._performance(self._numbers[conversation_id])
        self.sender.send(webhooks.visitor_updated(performance, time.time()))

    def send_user_event(self, event_type: str) -> None:
        """Send ``user.connected`` or another ``user.*`` event about the first agent."""
        client = self.clients[0]
        agent = client.operators_of("Professional")[0]
        facts: dict[str, Any] = {"userId": agent.id}
        if event_type == "user.availability.updated":
            facts = webhooks.availability(agent.id)
        self.sender.send(webhooks.client_event(client, event_type, time.time(), facts))

    def settle(self, timeout: float = 60.0) -> bool:
        """Wait until every webhook is acknowledged or lost; return False after the time-out."""
        return self.sender.settle(timeout)

    def acknowledged(self, event_type: str = "v2.conversation.closed") -> list[str]:
        """Return the conversations whose event of this type the receiver acknowledged."""
        return [
            delivery.webhook.conversation_id
            for delivery in self.sender.deliveries
            if delivery.state == "acknowledged"
            and delivery.webhook.event_type == event_type
            and delivery.webhook.conversation_id
        ]

    def close(self) -> None:
        """Stop everything that runs."""
        self.closing.set()
        self.sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
