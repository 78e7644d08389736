"""The context and the memory of a connector under test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from chatferry.connector import Context, Memory


class DictMemory:
    """A :class:`~chatferry.connector.Memory` that lives as long as the object."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """Return what was put under ``key``, or None."""
        return self._values.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep ``value`` under ``key``."""
        self._values[key] = value

    def forget(self, key: str) -> None:
        """Drop what was put under ``key``, if anything."""
        self._values.pop(key, None)


def make_context(
    directory: Path,
    *,
    destination: str = "contract",
    memory: Memory | None = None,
    fields: Mapping[str, tuple[str, ...]] | None = None,
) -> Context:
    """Return a context for a connector under test; pass the same memory to simulate a restart.

    :param fields: per object, the fields the destination maps.
    """
    return Context(
        destination=destination,
        directory=directory,
        memory=DictMemory() if memory is None else memory,
        fields=dict(fields or {}),
    )
