"""Counts of failed hooks, kept in memory until they are recorded: a hook may fail at each conversation."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

from chatferry.model import HookFailure

_LONGEST: Final = 128
"""Characters kept of a name."""

_LONGEST_REASON: Final = 255


class HookFailureCounter:
    """Counts failed calls of hooks; thread-safe."""

    def __init__(self) -> None:
        self._counted: Counter[HookFailure] = Counter()
        self._lock = threading.Lock()

    def add(self, plugin: str, version: str, hook: str, reason: str) -> None:
        """Count a failure."""
        failure = HookFailure(
            plugin=plugin[:_LONGEST], version=version[:_LONGEST], hook=hook, reason=reason[:_LONGEST_REASON]
        )
        with self._lock:
            self._counted[failure] += 1

    def take(self) -> Counter[HookFailure]:
        """Return the counts and reset them."""
        with self._lock:
            taken, self._counted = self._counted, Counter()
        return taken

    def put_back(self, taken: Counter[HookFailure]) -> None:
        """Add counts that were taken and could not be written."""
        with self._lock:
            self._counted += taken
