"""Where an account keeps conversations: the custom object if it has one, else notes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatferry import Memory, TemporaryFailure
from chatferry_hubspot.answers import Forbidden, Refused
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.settings import OBJECT_TYPE_ID, Storage

CONTACTS, NOTES = "contacts", "notes"
"""What HubSpot calls its own objects in paths."""
CONTACT_TYPE = "0-1"
ASK_AGAIN = 3600.0
"""Seconds after which an account that had no custom object is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationStorage:
    """Where conversations go, and why."""

    storage: Storage
    object_type: str
    reason: str
    keyed: bool = True
    """Whether the account finds the conversation by a unique property of its own."""


def find_schema(schemas: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """Return the object's schema, named by its name, its full name or its type id."""
    for schema in schemas:
        if name in {
            schema.get("name"),
            schema.get("fullyQualifiedName"),
            schema.get("objectTypeId"),
        }:
            return schema
    return None


Definitions = Mapping[str, Mapping[str, Any]]


def definitions(client: HubSpotClient, kind: str) -> Definitions:
    """Return the definitions of an object's properties by their names.

    :raises DeliveryError: if HubSpot does not list them.
    """
    listing = client.ask(Path.PROPERTIES, object=kind)
    return {str(item["name"]): item for item in listing if isinstance(item.get("name"), str)}


class StorageChooser:
    """Asks the account where conversations go, and remembers the answer.

    That the account has had the custom object is remembered for good: a permission that is missing
    for a while, or an object that was deleted, must not turn conversations into notes.
    """

    def __init__(
        self, client: HubSpotClient, memory: Memory, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._memory = memory
        self._clock = clock
        self._custom: ConversationStorage | None = None
        self._notes: ConversationStorage | None = None
        self._again = 0.0

    def storage(self, *, fresh: bool = False) -> ConversationStorage:
        """Return where new conversations go; ``fresh`` asks again.

        :raises DeliveryError: if HubSpot does not say, or a custom object is asked for and there is none.
        """
        options = self._client.options
        if options.storage is Storage.NOTES:
            return self.notes(reason="the setting storage says so", fresh=fresh)
        if OBJECT_TYPE_ID.match(options.object):
            return ConversationStorage(
                storage=Storage.CUSTOM_OBJECT,
                object_type=options.object,
                reason="the setting object gives its type id",
            )
        known = self._custom or (self._notes if self._clock() < self._again else None)
        if known is not None and not fresh:
            return known
        self._custom, why = self._ask()
        if self._custom is not None:
            return self._custom
        if options.storage is Storage.CUSTOM_OBJECT:
            raise TemporaryFailure(f"HubSpot has no place for conversations: {why}; run provision")
        self._again = self._clock() + ASK_AGAIN
        return self.notes(reason=why, fresh=True)

    def forget(self) -> None:
        """Ask again before the next delivery: the object is not where it was."""
        self._custom = None

    def notes(self, *, reason: str = "they are there already", fresh: bool = False) -> ConversationStorage:
        """Return how conversations are kept as notes: found by a unique property, or by their ids."""
        if self._notes is None or fresh:
            self._notes = ConversationStorage(
                storage=Storage.NOTES, object_type=NOTES, reason=reason, keyed=self._has_unique_property()
            )
        return self._notes

    def custom_object(self) -> str:
        """Return the type id of the custom object conversations were written to.

        :raises DeliveryError: if the account has none any more.
        """
        options = self._client.options
        if OBJECT_TYPE_ID.match(options.object):
            return options.object
        if self._custom is None:
            self._custom, why = self._ask()
            if self._custom is None:
                raise TemporaryFailure(f"HubSpot does not show the conversations: {why}")
        return self._custom.object_type

    def _ask(self) -> tuple[ConversationStorage | None, str]:
        options = self._client.options
        try:
            schemas = self._client.ask(Path.SCHEMAS)
        except Forbidden:
            if self._memory.get(self._known) is not None:
                raise
            return None, "the token or the plan has no custom objects"
        except Refused as error:
            raise TemporaryFailure(f"HubSpot does not say which objects it has: {error}") from None
        schema = find_schema(schemas, options.object)
        if schema is None and self._memory.get(self._known) is not None:
            raise TemporaryFailure(
                f"the custom object {options.object} is gone: run provision, or set storage to notes"
            )
        if schema is None:
            return None, f"there is no custom object {options.object}"
        object_type = schema.get("objectTypeId")
        if not isinstance(object_type, str) or not OBJECT_TYPE_ID.match(object_type):
            raise TemporaryFailure(f"HubSpot does not say the type id of {options.object}")
        if self._memory.get(self._known) != object_type:
            self._memory.put(self._known, object_type)
        reason = f"the account has the custom object {options.object} ({object_type})"
        return ConversationStorage(
            storage=Storage.CUSTOM_OBJECT, object_type=object_type, reason=reason
        ), reason

    @property
    def _known(self) -> str:
        """Where the memory holds the type id of the custom object the account was seen to have."""
        return f"object:{self._client.options.object}"

    def _has_unique_property(self) -> bool:
        name = self._client.options.note_property
        known = f"unique:{NOTES}.{name}"
        try:
            definition = definitions(self._client, NOTES).get(name, {})
        except Forbidden:
            # Notes that were made by their key must not be made again without it.
            if self._memory.get(known) is not None:
                raise
            return False
        except Refused as error:
            raise TemporaryFailure(f"HubSpot does not list the properties of notes: {error}") from None
        unique = definition.get("hasUniqueValue") is True
        before = self._memory.get(known) is not None
        if before and not unique:
            raise TemporaryFailure(f"the unique property {name} of notes is gone: run provision")
        if unique and not before:
            self._memory.put(known, "yes")
        return unique
