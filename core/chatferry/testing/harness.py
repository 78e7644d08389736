"""The adapter a plugin author writes: how a test accesses the CRM behind a connector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

from chatferry.connector import Connector
from chatferry.model import Value
from chatferry.testing.capability import Capability
from chatferry.testing.leads import LeadFactory
from chatferry.testing.memory import DictMemory, make_context
from chatferry.testing.shape import Held, Shape
from chatferry.testing.trouble import Trouble


class Harness(ABC):
    """One fresh, empty account of a CRM, as tests see it. One instance serves one case.

    Subclass it, say what the connector can do, and implement ``settings`` and ``held``; the
    other methods are needed only for the capabilities that are declared.

    :cvar connector: the connector's class.
    :cvar capabilities: what is tested; what is not in it is not.
    :cvar contact: the object for the visitor, with :attr:`Capability.CONTACTS`.
    :cvar conversation: the object for the chat, with :attr:`Capability.CONVERSATIONS`.
    :cvar troubles: the kinds of misbehaviour ``misbehave`` can switch on.
    :cvar built_in: those that a base class implements, so that ``troubles`` need not name them.
    :cvar secrets: the secret values, which must not appear in logs and errors.
    :cvar retry_after: seconds the CRM asks for in :attr:`Trouble.TOO_FAST`.
    """

    connector: ClassVar[type[Connector]]
    capabilities: ClassVar[frozenset[Capability]]
    contact: ClassVar[Shape | None] = None
    conversation: ClassVar[Shape | None] = None
    troubles: ClassVar[Collection[Trouble]] = ()
    built_in: ClassVar[Collection[Trouble]] = ()
    secrets: ClassVar[tuple[str, ...]] = ()
    retry_after: ClassVar[float] = 30.0

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.memory = DictMemory()
        self.leads = LeadFactory(contact=self.contact, conversation=self.conversation)
        """Makes leads whose records fit this CRM."""

    # ------------------------------------------------------------------ what must be written

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return the destination's settings as an administrator writes them.

        A secret may be a :class:`~chatferry.Secret` instead of a reference. Set short time-outs
        and waits here: a case should not take seconds.
        """

    @abstractmethod
    def held(self, name: str) -> Sequence[Held]:
        """Return every live record of an object, read without the connector.

        Those without a key too, with the key ``""``: they are an error. Where the account is
        shared, leave out what was there when the harness was made, by id, never by key.
        """

    # --------------------------------------------------- what declared capabilities ask for

    def misbehave(self, trouble: Trouble, *, times: int | None = None, key: str | None = None) -> None:
        """Make the CRM misbehave from now on, for so many requests, or until ``behave``.

        A time-out lasts until ``behave``, however few requests it affects: the connector has to give up.

        :param key: the ``contact_key`` or ``key`` of the record concerned, for troubles of one record.
        """
        raise NotImplementedError

    def behave(self) -> None:
        """Make the CRM work again, and release the requests that wait without an answer."""
        raise NotImplementedError

    def delete(self, name: str, key: str) -> None:
        """Delete a record without the connector."""
        raise NotImplementedError

    def archive(self, name: str, key: str) -> None:
        """Put a record out of sight, as the CRM's users can; ``held`` returns it no more."""
        raise NotImplementedError

    def merge(self, name: str, key: str, into: str) -> None:
        """Merge the record of ``key`` into another, as the CRM's users can."""
        raise NotImplementedError

    def convert(self, name: str, key: str) -> None:
        """Make a record read-only, as the CRM's users can, like a converted Salesforce Lead."""
        raise NotImplementedError

    # ---------------------------------------------------------------- what may be changed

    def held_as(self, name: str, field: str, value: Value) -> Value:  # noqa: ARG002  (for those who override it)
        """Return what reading ``field`` back gives after ``value`` was written: by default, itself."""
        return value

    def close(self) -> None:  # noqa: B027  (many harnesses have nothing to close)
        """Close servers and files."""

    # -------------------------------------------------------------------- what is given

    def connect(self, also: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Connector:
        """Return a new connector for the account, as the engine would make it after a restart.

        :param also: fields by object that the mapping has beside those of the shapes.
        """
        settings = self.connector.Settings().load(dict(self.settings()))
        fields = {shape.name: (*shape.fields, *also.get(shape.name, ())) for shape in self.shapes}
        return self.connector(settings, make_context(self.directory, memory=self.memory, fields=fields))

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The objects there are, the contact first."""
        return self.leads.shapes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
