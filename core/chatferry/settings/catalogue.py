"""Every key of the configuration, where it stands, and its environment variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, is_dataclass
from dataclasses import fields as attributes
from typing import Any, get_args, get_origin, get_type_hints

from chatferry.settings.model import DestinationSettings, Settings, StrategySettings
from chatferry.settings.rules import HIDDEN

PREFIX = "CHATFERRY_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: its dotted place, its default (None if it must be given) and its environment twin.

    ``N`` stands for a number counted from 0, ``NAME`` for a destination's name.
    """

    place: str
    required: bool
    default: Any
    twin: str


def keys(cls: type = Settings, place: tuple[str, ...] = ()) -> Iterator[Key]:
    """Return every key below ``place``, in the order of the dataclasses."""
    hints = get_type_hints(cls)
    for attribute in attributes(cls):
        if attribute.name in HIDDEN.get(cls, ()):
            continue
        here = (*place, attribute.name)
        nested, step = _below(hints[attribute.name])
        if nested is not None:
            yield from keys(nested, (*here, *step))
            continue
        default = attribute.default
        if attribute.default_factory is not MISSING:
            default = attribute.default_factory()
        yield Key(
            place=".".join(here),
            required=default is MISSING,
            default=None if default is MISSING else default,
            twin=twin(here),
        )


def twin(place: tuple[str, ...]) -> str:
    """Return the environment variable of a place."""
    return PREFIX + "__".join(place).upper().replace("-", "_")


def _below(hint: Any) -> tuple[type | None, tuple[str, ...]]:
    """Return the dataclass inside a type, and what stands between: an index, a name or nothing."""
    arguments = get_args(hint)
    if get_origin(hint) is tuple and is_dataclass(arguments[0]) and arguments[0] is not StrategySettings:
        inside: Any = arguments[0]
        return inside, ("N",)
    if get_origin(hint) is Mapping and arguments[1] is DestinationSettings:
        return DestinationSettings, ("NAME",)
    return (hint if isinstance(hint, type) and is_dataclass(hint) else None), ()
