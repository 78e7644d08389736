"""The view of one GraphQL request: the conversations its user may read, with the faults that strike."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from chatferry.emulators.faults import Fault, FaultBoard
from chatferry.emulators.iadvize.faults import number
from chatferry.emulators.iadvize.paging import circular_page, endless_page, page
from chatferry.emulators.iadvize.people import Client
from chatferry.emulators.iadvize.render import PROFILE
from chatferry.emulators.iadvize.world import IAdvizeWorld


class Reads:
    """How often each conversation was read since it closed: late data depends on it."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def count(self, fault: str, conversation_id: str) -> int:
        """Count a read, and return how many there were before."""
        with self._lock:
            before = self._counts[fault, conversation_id]
            self._counts[fault, conversation_id] += 1
            return before


class Reading:
    """The context of one GraphQL request. A conversation looks the same throughout it."""

    def __init__(
        self,
        world: IAdvizeWorld,
        clients: Sequence[Client],
        *,
        platform: str,
        faults: FaultBoard,
        reads: Reads,
        accept: str = "",
    ) -> None:
        self.world = world
        self.clients = [client for client in clients if client.platform == platform]
        self.accept = accept
        self._faults = faults
        self._reads = reads
        self._seen: dict[str, dict[str, Any] | None] = {}

    def conversation(self, conversation_id: str) -> dict[str, Any] | None:
        """Return a conversation by id, or None if there is none for this user on this platform."""
        conversation_id = conversation_id.lower()
        if conversation_id not in self._seen:
            self._seen[conversation_id] = self._look(conversation_id)
        return self._seen[conversation_id]

    def _look(self, conversation_id: str) -> dict[str, Any] | None:
        node = self.world.node(conversation_id)
        if node is None or node["performance"].client not in self.clients:
            return None
        if not self._faults.on:
            return node
        closed = node["performance"].closed
        if self._late("late-data", conversation_id, closed):
            return None
        return self._spoil(node, conversation_id)

    def _spoil(self, node: dict[str, Any], conversation_id: str) -> dict[str, Any]:
        if self._late("late-close", conversation_id, node["performance"].closed):
            node = node | {"closedAt": None, "duration": None, "lines": node["lines"][:-1]}
        if self._faults.strikes("erased"):
            node = node | {"visitor": node["visitor"] | dict.fromkeys(PROFILE)}
        if self._faults.strikes("no-visitor"):
            node = node | {"visitor": None}
        if self._faults.strikes("no-messages"):
            node = node | {"lines": None}
        elif self._faults.strikes("newest-first"):
            node = node | {"lines": node["lines"][::-1]}
        return node

    def _late(self, name: str, conversation_id: str, closed: float) -> bool:
        fault = next((fault for fault in self._faults.on if fault.name == name), None)
        if fault is None or closed > time.time():
            return False
        if not self._too_early(fault, conversation_id, closed):
            return False
        return self._faults.strikes(name) is not None

    def _too_early(self, fault: Fault, conversation_id: str, closed: float) -> bool:
        value = fault.value or "1"
        if value.endswith("s"):
            return time.time() - closed < float(value[:-1])
        return self._reads.count(fault.name, conversation_id) < int(value)

    def closed_between(
        self, interval: Mapping[str, float], projects: Container[int] | None = None
    ) -> list[tuple[float, str]]:
        """Return the conversations of this user that closed in an interval: when, and the id."""
        end = interval["to"]
        if fault := self._faults.strikes("late-search"):
            end = min(end, time.time() - number(fault, 5.0))
        found = []
        for closed, conversation_id in self.world.closed_between(interval["from"], end):
            client, project = self.world.place_of(conversation_id)
            if client in self.clients and (projects is None or project in projects):
                found.append((closed, conversation_id))
        return found

    def page(self, keys: Sequence[str], node: Callable[[int], Any], **window: Any) -> dict[str, Any]:
        """Return a page of a list of messages or closed conversations, whose cursors may mislead."""
        if self._faults.strikes("circular-pages"):
            return circular_page(keys, node, **window)
        if self._faults.strikes("endless-pages"):
            return endless_page(keys, node, **window)
        return page(keys, node, **window)

    def listed(self, conversation_id: str) -> dict[str, Any]:
        """Return a conversation as a list shows it: with its users."""
        node = self.world.node(conversation_id)
        if node is None:
            raise KeyError(conversation_id)
        return node | {"users": node["participants"]}
