"""Fault injection: which faults are on, at which rate, and for how many more requests."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that is on: it strikes at ``rate`` (0 to 1), ``left`` more times, or without end.

    ``value`` is what the specification says after ``=``, for faults that take one.
    """

    name: str
    rate: float = 1.0
    left: int | None = None
    value: str | None = None


def parse_fault(specification: str) -> Fault:
    """Read ``NAME``, ``NAME:0.05`` (a rate), ``NAME:x3`` (three times) or ``NAME=VALUE:x1``.

    :raises ValueError: if it is none of these.
    """
    head, _, tail = specification.strip().partition(":")
    name, _, value = head.partition("=")
    fault = Fault(name=name, value=value or None)
    try:
        if tail.startswith("x"):
            fault = replace(fault, left=int(tail[1:]))
        elif tail:
            fault = replace(fault, rate=float(tail))
    except ValueError:
        message = f"{specification!r} is not NAME, NAME:RATE or NAME:xTIMES"
        raise ValueError(message) from None
    if not name or not 0 <= fault.rate <= 1 or (fault.left is not None and fault.left < 0):
        message = f"{specification!r} is not NAME, NAME:RATE (0 to 1) or NAME:xTIMES"
        raise ValueError(message)
    return fault


class FaultBoard:
    """The faults of one running emulator; thread-safe, reproducible from its seed.

    Switching a fault on again changes its setting. Two settings given at once are a mistake:

    :raises ValueError: naming the fault that is given twice in ``specifications``.
    """

    def __init__(
        self, known: Mapping[str, str], specifications: Iterable[str] = (), *, seed: int = 0
    ) -> None:
        self.known = dict(known)
        self._on: dict[str, Fault] = {}
        self._struck: dict[str, int] = {}
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311  (reproducible, not secret)
        for specification in specifications:
            name = parse_fault(specification).name
            if name in self._on:
                message = f"the fault {name!r} is given twice: it has one setting"
                raise ValueError(message)
            self.switch_on(specification)

    def switch_on(self, specification: str) -> Fault:
        """Switch a fault on; see :func:`parse_fault`.

        :raises ValueError: if it is malformed or this emulator has no such fault.
        """
        fault = parse_fault(specification)
        if fault.name not in self.known:
            near = get_close_matches(fault.name, self.known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(self.known))}"
            message = f"there is no fault {fault.name!r}{hint}"
            raise ValueError(message)
        with self._lock:
            self._on[fault.name] = fault
        return fault

    def switch_off(self, *names: str) -> None:
        """Switch these faults off, or all of them."""
        with self._lock:
            for name in names or list(self._on):
                self._on.pop(name, None)

    def strikes(self, name: str) -> Fault | None:
        """Return the fault if it strikes this time, and count it."""
        with self._lock:
            fault = self._on.get(name)
            if fault is None or fault.left == 0 or self._random.random() >= fault.rate:
                return None
            if fault.left is not None:
                self._on[name] = replace(fault, left=fault.left - 1)
            self._struck[name] = self._struck.get(name, 0) + 1
            return fault

    def switch(self, *, on: Iterable[str] = (), off: Iterable[str] = ()) -> None:
        """Switch faults off by their names, then others on; see :func:`parse_fault`.

        :raises ValueError: as :meth:`switch_on` does; the faults before it are on then.
        """
        if names := tuple(off):
            self.switch_off(*names)
        for specification in on:
            self.switch_on(specification)

    def to_json(self) -> dict[str, object]:
        """Return which faults there are, which are on, and how often each has struck."""
        return {"known": self.known, "on": [asdict(one) for one in self.on], "struck": self.struck}

    @property
    def on(self) -> tuple[Fault, ...]:
        """The faults that are switched on."""
        with self._lock:
            return tuple(self._on.values())

    @property
    def struck(self) -> dict[str, int]:
        """How often each fault has struck."""
        with self._lock:
            return dict(self._struck)
