"""Ways to fill a ledger without iAdvize and without a CRM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chatferry.ledger import Ledger
from chatferry.ledger.conversations import SyncResult
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import Decided, Delivery, DeliveryState
from chatferry.ledger.sync_requests import SyncRequest

NOW = 1_700_000_000.0


@dataclass(frozen=True)
class Filler:
    """Puts deliveries into a ledger as a sync does."""

    ledger: Ledger

    def mark(self, conversation: str, at: float = NOW, **known: object) -> None:
        values: dict[str, object] = {"platform": "ha", "client_id": 335, "project_id": 1549} | known
        self.ledger.conversations.request_sync(
            [SyncRequest(conversation_id=conversation, seen_at=at, due_at=at, **values)]  # type: ignore[arg-type]
        )

    def sync(self, *decisions: Decided, at: float = NOW) -> None:
        """Read what is due, and decide the same about each."""
        owner = self.ledger.owner
        leased = self.ledger.conversations.lease(owner, at, at + 60, 50)
        results = [SyncResult(due=one, synced_at=at, closed_at=at, decisions=decisions) for one in leased]
        self.ledger.conversations.record_sync(owner, results, at)

    def put(
        self, conversation: str = "c1", *, at: float = NOW, project_id: int = 1549, **decided: object
    ) -> Delivery:
        """Queue a delivery and return it."""
        self.mark(conversation, at, project_id=project_id)
        self.sync(decision(conversation, **decided), at=at)
        return self.only(conversation)

    def only(self, conversation: str = "c1", destination: str | None = None) -> Delivery:
        (listed,) = self.ledger.selections.list(Selection(conversation=conversation, destination=destination))
        return listed


def decision(conversation: str = "c1", **changes: object) -> Decided:
    values: dict[str, object] = {
        "destination": "sales",
        "state": DeliveryState.DUE,
        "key": f"ha-335-{conversation}",
        "email": f"{conversation}@example.org",
        "fingerprint": "first",
        "lead": b"lead",
    }
    return Decided(**values | changes)  # type: ignore[arg-type]


@pytest.fixture
def fill(ledger: Ledger) -> Filler:
    """A ledger with the destinations sales and care, to be filled."""
    ledger.destinations.introduce(["sales", "care"])
    return Filler(ledger)


@pytest.fixture
def decided() -> Callable[..., Decided]:
    """Make a decision, due at sales unless other values are given."""
    return decision
