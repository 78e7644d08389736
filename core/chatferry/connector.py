"""What a CRM plugin subclasses: one class knows one CRM, one instance serves one destination."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from marshmallow import Schema

from chatferry.errors import DeliveryError
from chatferry.model import FieldMode, Lead, Receipt

if TYPE_CHECKING:
    from chatferry.emulators.stage import Stage

Outcome: TypeAlias = Receipt | DeliveryError
"""What became of one lead."""


class Level(StrEnum):
    """How bad a finding of ``check`` is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a ``check``: what was looked at, how it is, and what to do about it."""

    level: Level
    subject: str
    message: str


class Memory(Protocol):
    """A destination's durable notes to itself: a rotated refresh token, the id of a note.

    Values survive restarts and are shared by every process that serves the destination.
    """

    def get(self, key: str) -> str | None:
        """Return what was put under ``key``, or None."""

    def put(self, key: str, value: str) -> None:
        """Keep ``value`` under ``key``; durable when this returns."""

    def forget(self, key: str) -> None:
        """Drop what was put under ``key``, if anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the engine lends a connector: its destination's name, a place for files, a memory.

    ``directory`` is the folder of the configuration file: relative paths start there. ``fields``
    names, per object, the fields the destination maps; an object that is missing uses the
    connector's own mapping.
    """

    destination: str
    directory: Path
    memory: Memory
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Connector(ABC):
    """One CRM. Subclass it, name it, implement ``deliver`` and ``check``.

    :cvar name: the connector's name in ``chatferry.toml``, and its entry point's.
    :cvar batch_size: how many leads one call of ``deliver`` may hold, at most.
    :cvar timeout: seconds after which a call is taken for hung.
    :cvar Settings: validates the destination's ``settings`` table.
    :cvar mapping: per object the connector writes, the field expressions used where the
        administrator gives none. Its keys are the objects a destination may map.
    :cvar modes: the sync modes the connector honours.
    :cvar update_only: whether it honours :attr:`Lead.update_only`. Without it a lead is not delivered
        again once iAdvize shows less of it than before, for instance since the visitor was erased.
    """

    name: ClassVar[str]
    batch_size: ClassVar[int] = 1
    timeout: ClassVar[float] = 120.0
    Settings: ClassVar[type[Schema]] = Schema
    mapping: ClassVar[Mapping[str, Mapping[str, str]]] = {"contact": {}, "conversation": {}}
    modes: ClassVar[frozenset[FieldMode]] = frozenset({FieldMode.OVERWRITE})
    update_only: ClassVar[bool] = False

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        self.settings = settings
        self.context = context

    @abstractmethod
    def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Write the leads and return one outcome a lead, in their order.

        Called again with the same key it must leave one record. Raising a
        :class:`~chatferry.errors.DeliveryError` speaks for the whole batch, returning one for
        its lead. Never create anything without its external key.
        """

    @abstractmethod
    def check(self) -> Sequence[Finding]:
        """Look at credentials, objects, fields and permissions; write nothing."""

    def erase(self, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
        """Remove the records of earlier deliveries by their ids; a record already gone is a success.

        A connector that cannot raises :class:`NotImplementedError`, which this does.
        """
        message = f"the {self.name} connector cannot erase records"
        raise NotImplementedError(message)

    @classmethod
    def stage(cls, directory: Path) -> AbstractContextManager[Stage]:
        """Set up what ``chatferry demo`` delivers to: files in ``directory``, or an emulator.

        A connector without a demonstration raises :class:`NotImplementedError`, which this does.
        """
        message = f"the {cls.name} connector has no demonstration"
        raise NotImplementedError(message)

    def close(self) -> None:  # noqa: B027  (closing nothing is right for most connectors)
        """Let go of connections and files; the instance is not used again."""
