"""Follow the pages of a list as long as they lead on: a platform's cursors may go round, or never end."""

from __future__ import annotations

from collections.abc import Iterable


class PageWalk:
    """One list that is read page by page.

    It remembers hashes, not ids: a list of the past years may have millions of entries.

    :param cursor: the one the first page is asked for with; None at the beginning.
    """

    def __init__(self, cursor: str | None = None) -> None:
        self._cursor = cursor
        self._cursors = {hash(cursor)}
        self._entries: set[int] = set()

    def has_new(self, entries: Iterable[str | None]) -> bool:
        """Whether the page just read shows something that no page before it did.

        :param entries: the ids on it; None for an entry that cannot be told from others.
        """
        known = len(self._entries)
        self._entries |= {
            hash((self._cursor, place) if entry is None else entry) for place, entry in enumerate(entries)
        }
        return len(self._entries) > known

    def leads_on(self, cursor: str) -> bool:
        """Whether to ask for the page after ``cursor``: not if it was asked for before."""
        if hash(cursor) in self._cursors:
            return False
        self._cursor = cursor
        self._cursors.add(hash(cursor))
        return True
