"""What a connector offers so that ``chatferry demo`` can deliver to it and read back what arrived.

A connector has a demonstration if it overrides :meth:`chatferry.connector.Connector.stage`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One lead as the CRM holds it now.

    ``key`` is :attr:`chatferry.model.Lead.key`. ``contact`` identifies the visitor in the CRM:
    leads of one visitor share it. ``records`` are the fields of each object as text, empty ones left
    out or empty.
    """

    key: str
    contact: str = field(repr=False)
    records: Mapping[str, Mapping[str, str]] = field(repr=False)


def _as_written(_name: str, _field: str, value: str) -> str:
    """Return the value: most CRMs keep what they are given."""
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A place to deliver to, for as long as its context manager is open."""

    held: Callable[[], Iterable[Arrived]]
    """Reads what arrived; called again and again."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The destination's ``settings`` table: strings, numbers, booleans and lists of them."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The environment variables that secret references in ``settings`` name."""
    mapping: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Field expressions by object; without it the connector's own mapping."""
    contacts: Collection[str] = ("contact",)
    """The objects of which the leads of one visitor share a record; its fields may come from any of them."""
    held_as: Callable[[str, str, str], str] = _as_written
    """Returns what reading a field of an object back gives after a text was written into it."""
    places: Sequence[str] = ()
    """Paths or addresses where people can look at what arrived."""
