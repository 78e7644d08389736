"""Verify that a harness implements what its declared capabilities require."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from types import MappingProxyType

from chatferry.testing.capability import Capability
from chatferry.testing.harness import Harness
from chatferry.testing.shape import Shape
from chatferry.testing.trouble import TROUBLES

_METHODS: Mapping[Capability, str] = MappingProxyType(
    {
        Capability.DELETED: "delete",
        Capability.ARCHIVED: "archive",
        Capability.MERGED: "merge",
        Capability.CONVERTED: "convert",
    }
)

_SHAPES: Mapping[Capability, str] = MappingProxyType(
    {
        Capability.REQUIRED_FIELDS: "required",
        Capability.PICKLISTS: "picklist",
        Capability.FIELD_LIMITS: "limits",
        Capability.KEY_FIELD: "key",
    }
)

_PREMISES: Mapping[Capability, Capability] = MappingProxyType(
    {Capability.PARTIAL_SUCCESS: Capability.BATCH, Capability.POISON: Capability.BATCH}
)
"""Capabilities that require another one: without batches, a request has no companions that could fail."""


def verify(harness: type[Harness]) -> None:
    """Check that a harness can do what its capabilities need.

    :raises TypeError: naming the first thing that is missing.
    """
    for attribute in ("connector", "capabilities"):
        if not hasattr(harness, attribute):
            message = f"{harness.__name__} has no {attribute}: set it in the class body"
            raise TypeError(message)
    if harness.contact is None and harness.conversation is None:
        message = f"{harness.__name__} has neither a contact nor a conversation shape: give one at least"
        raise TypeError(message)
    for capability in Capability:
        if capability not in harness.capabilities:
            continue
        for missing in chain(_missing_premise(harness, capability), _missing(harness, capability)):
            message = (
                f"{harness.__name__} declares Capability.{capability.name} but has no {missing}: "
                "write it, or do not declare the capability"
            )
            raise TypeError(message)


def _missing_premise(harness: type[Harness], capability: Capability) -> Iterator[str]:
    premise = _PREMISES.get(capability)
    if premise and premise not in harness.capabilities:
        yield f"Capability.{premise.name} beside it"
    if capability is Capability.BATCH and harness.connector.batch_size == 1:
        yield "connector with a batch_size above 1"
    if capability is Capability.UPDATE_ONLY and not harness.connector.update_only:
        yield "connector that says update_only = True"


def _missing(harness: type[Harness], capability: Capability) -> Iterator[str]:
    if capability is Capability.CONTACTS and harness.contact is None:
        yield "contact shape"
    if capability is Capability.CONVERSATIONS and harness.conversation is None:
        yield "conversation shape"
    if capability is Capability.AUTHENTICATION and not harness.secrets:
        yield "secrets"
    shapes: list[Shape] = [shape for shape in (harness.contact, harness.conversation) if shape]
    attribute = _SHAPES.get(capability)
    if attribute and not any(getattr(shape, attribute) for shape in shapes):
        yield f"shape with {attribute}"
    method = _METHODS.get(capability)
    if method and not _is_overridden(harness, method):
        yield f"{method}()"
    for trouble in TROUBLES.get(capability, ()):
        if trouble not in {*harness.troubles, *harness.built_in}:
            yield f"Trouble.{trouble.name} among its troubles"
        for needed in ("misbehave", "behave"):
            if not _is_overridden(harness, needed):
                yield f"{needed}()"


def _is_overridden(harness: type[Harness], method: str) -> bool:
    return getattr(harness, method) is not getattr(Harness, method)
