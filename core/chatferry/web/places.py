"""Places for bodies that come slowly: so many for an address, so many in all.

When they are all taken, the body that has been coming for longest gives way, for an honest one takes
milliseconds. One that has only just begun never does: in a burst it may be our own turn that is slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeAlias

IN_ALL: Final = 1024
"""Bodies that may come slowly at the same time, from all addresses together."""
YOUNG: Final = 1.0
"""Seconds in which a body need not give way."""

_Taken: TypeAlias = dict[asyncio.Timeout, float]
"""The deadlines of bodies, and when each took its place; the oldest comes first."""


class Places:
    """Who comes slowly, from where and since when."""

    def __init__(self, per_address: int) -> None:
        self._per_address = per_address
        self._taken: _Taken = {}
        self._by_address: dict[str, _Taken] = {}

    @contextmanager
    def hold(self, deadline: asyncio.Timeout, address: str) -> Iterator[None]:
        """Hold a place while a body comes.

        :param deadline: the body's; it is brought forward when the body has to give way.
        """
        same = self._by_address.setdefault(address, {})
        same[deadline] = self._taken[deadline] = asyncio.get_running_loop().time()
        if len(same) > self._per_address:
            self._free(same, same)
        elif len(self._taken) > IN_ALL:
            self._free(self._taken, same)
        try:
            yield
        finally:
            self._taken.pop(deadline, None)
            same.pop(deadline, None)
            if not same and self._by_address.get(address) is same:
                del self._by_address[address]

    def _free(self, among: _Taken, same: _Taken) -> None:
        """Take the oldest one's place away and end its time, unless it is young."""
        now = asyncio.get_running_loop().time()
        oldest = next(iter(among))
        if now - among[oldest] >= YOUNG:
            self._taken.pop(oldest, None)
            same.pop(oldest, None)
            with suppress(RuntimeError):  # its last part has come, and only waits for its turn
                oldest.reschedule(now)
