"""The emulated account: object types, records, links, keys and limits, all in memory."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from chatferry.emulators.clock import Clock
from chatferry.emulators.journal import Journal
from chatferry_hubspot.emulator.catalogue import ObjectType, contacts, notes
from chatferry_hubspot.emulator.errors import invalid
from chatferry_hubspot.emulator.keys import Keys
from chatferry_hubspot.emulator.limits import Limiter
from chatferry_hubspot.emulator.links import Links
from chatferry_hubspot.emulator.settings import AccountSettings


class Account:
    """One HubSpot account. Hold ``lock`` to read or write its records."""

    def __init__(self, settings: AccountSettings) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.journal = Journal()
        self._initial = settings
        self.reset()

    def reset(self) -> None:
        """Return to the initial state: no records, custom definitions or counted calls; the clock runs."""
        self.settings = self._initial
        self.random = random.Random(self.settings.seed)  # noqa: S311  (reproducible, not secret)
        self._correlation = random.Random(f"correlation {self.settings.seed}")  # noqa: S311  (the same)
        self._last_id = 33_450
        self._last_type = 3_465_403
        self.clock.freeze(frozen=False)
        self.links = Links()
        self.links.define_built_in()
        self.types: dict[str, ObjectType] = {}
        for kind in (contacts(), notes()):
            self.add_type(kind)
        self.keys = Keys(self.settings, self.clock)
        self.limiter = Limiter(self.settings, self.clock, ZoneInfo(self.settings.time_zone))
        self.journal.clear()

    def change(self, **settings: object) -> None:
        """Change the plan or a limit of a running account, until the next reset."""
        self.settings = replace(self.settings, **settings)  # type: ignore[arg-type]  # names are checked by replace
        self.keys.settings = self.settings
        self.limiter.settings = self.settings

    def add_type(self, kind: ObjectType) -> None:
        """Add an object type."""
        kind.table.lag = self.settings.search_lag
        self.types[kind.type_id] = kind

    def kind(self, name: str) -> ObjectType:
        """Return the object type a path names: by id, by name, by fully qualified name.

        :raises ApiError: if there is none.
        """
        for kind in list(self.types.values()):
            if kind.answers_to(name):
                return kind
        raise invalid(f"Unable to infer object type from: {name}")

    def knows(self, name: str) -> bool:
        """Whether ``name`` in a path is an object type."""
        return any(kind.answers_to(name) for kind in list(self.types.values()))

    @property
    def custom_types(self) -> Sequence[ObjectType]:
        """The custom object types."""
        return [kind for kind in self.types.values() if kind.custom]

    def next_id(self) -> str:
        """Return a new record id; ids have gaps, as HubSpot's have."""
        self._last_id += self.random.randint(1, 9)
        return str(self._last_id)

    def next_type(self) -> str:
        """Return a new object type id."""
        self._last_type += 1
        return f"2-{self._last_type}"

    def correlation_id(self) -> str:
        """Return a new correlation id for an answer."""
        with self.lock:
            return str(uuid.UUID(int=self._correlation.getrandbits(128), version=4))

    def sizes(self) -> Mapping[str, int]:
        """Return how many live records each type has."""
        return {
            kind.name: sum(not record.archived for record in kind.table.records.values())
            for kind in self.types.values()
        }
