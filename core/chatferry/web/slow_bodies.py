"""Limits of incomplete bodies: per address, and in all.

Over a limit the body that has been incomplete for longest is cut off, for an honest one takes
milliseconds. A body younger than a second is never cut off: in a burst the delay may be ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeAlias

IN_ALL: Final = 1024
"""Incomplete bodies at a time, from all addresses together."""
YOUNG: Final = 1.0
"""Seconds in which a body is not cut off."""

_Taken: TypeAlias = dict[asyncio.Timeout, float]
"""The deadlines of incomplete bodies, and when each began; the oldest comes first."""


class SlowBodyLimit:
    """The incomplete bodies, by address and age."""

    def __init__(self, per_address: int) -> None:
        self._per_address = per_address
        self._taken: _Taken = {}
        self._by_address: dict[str, _Taken] = {}

    @contextmanager
    def incomplete(self, deadline: asyncio.Timeout, address: str) -> Iterator[None]:
        """Count a body as incomplete during the block.

        :param deadline: the body's; it is brought forward when the body is cut off.
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
        """Cut the oldest body off, unless it is young."""
        now = asyncio.get_running_loop().time()
        oldest = next(iter(among))
        if now - among[oldest] >= YOUNG:
            self._taken.pop(oldest, None)
            same.pop(oldest, None)
            with suppress(RuntimeError):  # its last part has come already
                oldest.reschedule(now)
