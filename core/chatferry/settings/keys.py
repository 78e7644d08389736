"""The keys of the configuration: where each stands, its type, its default, its environment variable.

The dataclasses of :mod:`chatferry.settings.model` are the only list of keys. Schemas, environment
variables and the documentation's test all read it through this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from chatferry.settings.model import DestinationSettings, Settings, StrategySettings

PREFIX = "CHATFERRY_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key: its dotted place, its type with its rules, and its default (None if it must be given).

    In a place ``N`` stands for a number counted from 0, ``NAME`` for a destination's name.
    """

    place: str
    hint: Any
    required: bool
    default: Any

    @property
    def twin(self) -> str:
        """Its environment variable."""
        return twin(self.place.split("."))


@cache
def keys_of(cls: type, above: str = "") -> Mapping[str, Key]:
    """Return the keys of one table by name, in the order of the dataclass.

    :param above: the table's place, with a dot at its end.
    """
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for one in fields(cls):
        if one.metadata.get("key", True):
            made = one.default if one.default_factory is MISSING else one.default_factory()
            required = made is MISSING
            found[one.name] = Key(
                place=f"{above}{one.name}",
                hint=hints[one.name],
                required=required,
                default=None if required else made,
            )
    return found


def keys(cls: type = Settings, above: str = "") -> Iterator[Key]:
    """Return every key of a table and of the tables in it, in the order of the dataclasses."""
    for key in keys_of(cls, above).values():
        table, step = _table_in(key.hint)
        if table is None:
            yield key
        else:
            yield from keys(table, f"{key.place}.{step}")


def twin(place: Sequence[str]) -> str:
    """Return the environment variable of a place."""
    return PREFIX + "__".join(place).upper().replace("-", "_")


def split(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type, and the rules it is annotated with."""
    if get_origin(hint) is Annotated:
        bare, *rules = get_args(hint)
        return bare, tuple(rules)
    return hint, ()


def _table_in(hint: Any) -> tuple[type | None, str]:
    """Return the dataclass inside a type, and the part of the place between: an index, a name or nothing."""
    bare, _ = split(hint)
    arguments = get_args(bare)
    if get_origin(bare) is tuple and is_dataclass(arguments[0]) and arguments[0] is not StrategySettings:
        inside: Any = arguments[0]
        return inside, "N."
    if get_origin(bare) is Mapping and arguments[1] is DestinationSettings:
        return DestinationSettings, "NAME."
    return (bare if isinstance(bare, type) and is_dataclass(bare) else None), ""
