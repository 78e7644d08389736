"""A plugin's strategy called with a time-out: one that hangs loses its own answers only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chatferry.model import Answer, Conversation
from chatferry.plugins.calls import Calls
from chatferry.strategy import Strategy


class GuardedStrategy(Strategy):
    """Wraps a strategy; may be called from several threads at once."""

    def __init__(self, strategy: Strategy) -> None:
        super().__init__({})
        self.name = strategy.name  # type: ignore[misc]  # each stands for another one
        self._strategy = strategy
        self._calls = Calls("strategy")

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:
        """Return what the strategy finds.

        :raises CallHung: if it does not return within its time-out, or too many earlier calls have not.
        :raises CallAborted: if it raises something like SystemExit.
        """
        # list(): a generator would run in the thread that iterates over it.
        return self._calls.run(
            lambda: list(self._strategy.extract(conversation, found)), timeout=self._strategy.timeout
        )
