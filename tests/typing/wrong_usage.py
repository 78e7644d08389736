"""Wrong uses of the public names, each of which mypy must refuse; nothing runs this file.

An ignore that hides no error is an error itself (``warn_unused_ignores``), so a mistake that is no
longer noticed fails the build.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chatferry import (
    Answer,
    Connector,
    Context,
    Conversation,
    Finding,
    Lead,
    Outcome,
    Receipt,
    Record,
    Secret,
    Strategy,
    TemporaryFailure,
    cut,
)


class Halfway(Connector):
    """A connector without ``check``."""

    name = "halfway"

    def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Return ids instead of receipts."""
        return [lead.key for lead in leads]  # type: ignore[misc]


class Careless(Connector):
    """A connector with attributes and methods of the wrong kind."""

    name = 7  # type: ignore[assignment]
    modes = frozenset({"overwrite"})  # type: ignore[arg-type]

    def deliver(self, leads: Lead) -> Sequence[Outcome]:  # type: ignore[override]
        """Take one lead instead of a batch."""
        return [Receipt(ids={"contact": leads.key})]

    def check(self) -> bool:  # type: ignore[override]
        """Answer yes or no instead of with findings."""
        return True


class Listless(Strategy):
    """A strategy that returns values instead of answers."""

    name = "listless"

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[str]:  # type: ignore[override]
        """Return the texts."""
        return [text for message in conversation.messages for text in message.texts if text not in found]


def misuse(context: Context, lead: Lead, secret: Secret) -> None:
    """Use each thing as it is not meant."""
    Halfway({}, context)  # type: ignore[abstract]
    lead.key = "other"  # type: ignore[misc]
    lead.email.lower()  # type: ignore[union-attr]
    Receipt({"contact": "1"})  # type: ignore[call-arg]
    Record(values={"tags": ["a", "b"]})  # type: ignore[dict-item]
    Finding(level="fine", subject="account", message="is there")  # type: ignore[arg-type]
    TemporaryFailure("away", until=1)  # type: ignore[call-arg]
    context.memory.put("count", 1)  # type: ignore[arg-type]
    "Bearer " + secret  # type: ignore[operator]
    cut(lead.transcript, 10).text.strip()  # type: ignore[union-attr]
