"""The keys of the configuration: where each stands, its type, its default, its environment variable.

The dataclasses of :mod:`chatferry.settings.model` are the only list of keys. Schemas, environment
variables and the documentation's test all read it through this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from chatferry.settings.model import DestinationSettings, Settings, StrategySettings

PREFIX = "CHATFERRY_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A key within its table; ``hint`` is its type, with its rules where it is ``Annotated``."""

    hint: Any
    required: bool
    default: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Attribute):
    """A key: its dotted place, its default (None if it must be given) and its environment variable.

    ``N`` stands for a number counted from 0, ``NAME`` for a destination's name.
    """

    place: str
    twin: str


@cache
def attributes(cls: type) -> Mapping[str, Attribute]:
    """Return the keys of one table, in the order of the dataclass."""
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for one in fields(cls):
        if one.metadata.get("key", True):
            made = one.default if one.default_factory is MISSING else one.default_factory()
            required = made is MISSING
            found[one.name] = Attribute(
                hint=hints[one.name], required=required, default=None if required else made
            )
    return found


def keys(cls: type = Settings, place: tuple[str, ...] = ()) -> Iterator[Key]:
    """Return every key below ``place``, in the order of the dataclasses."""
    for name, one in attributes(cls).items():
        here = (*place, name)
        table, step = _table_in(one.hint)
        if table is not None:
            yield from keys(table, (*here, *step))
        else:
            yield Key(
                place=".".join(here),
                twin=twin(here),
                hint=one.hint,
                required=one.required,
                default=one.default,
            )


def twin(place: tuple[str, ...]) -> str:
    """Return the environment variable of a place."""
    return PREFIX + "__".join(place).upper().replace("-", "_")


def split(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type, and the rules it is annotated with."""
    if get_origin(hint) is Annotated:
        bare, *rules = get_args(hint)
        return bare, tuple(rules)
    return hint, ()


def _table_in(hint: Any) -> tuple[type | None, tuple[str, ...]]:
    """Return the dataclass inside a type, and what stands between: an index, a name or nothing."""
    bare, _ = split(hint)
    arguments = get_args(bare)
    if get_origin(bare) is tuple and is_dataclass(arguments[0]) and arguments[0] is not StrategySettings:
        inside: Any = arguments[0]
        return inside, ("N",)
    if get_origin(bare) is Mapping and arguments[1] is DestinationSettings:
        return DestinationSettings, ("NAME",)
    return (bare if isinstance(bare, type) and is_dataclass(bare) else None), ()
