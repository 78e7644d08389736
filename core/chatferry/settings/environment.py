"""Environment variables for every setting: ``CHATFERRY_WEB__PORT`` is ``port`` of ``[web]``."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, TypeAlias, get_args, get_origin

from chatferry.settings.fields import nearest
from chatferry.settings.keys import PREFIX, keys, keys_of, split
from chatferry.settings.model import DestinationSettings, FieldSettings, Settings

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes from the top of the file."""

ALLOWED = frozenset({"CHATFERRY_CONFIG"})
"""Variables that are no settings; the command line reads them."""

_KUBERNETES = re.compile(r"CHATFERRY(_\w+)?_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")


def overlay(raw: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[Path, str], list[str]]:
    """Override the file's values in ``raw`` with those of the environment.

    Return the variable of each place that was set, and a line for each variable that is no setting.
    """
    origins: dict[Path, str] = {}
    problems = []
    for name in sorted(environ.keys() - ALLOWED, key=_order):
        if not name.startswith(PREFIX):
            continue
        try:
            place, hint = _resolve(raw, name.removeprefix(PREFIX).split("__"))
            value = _read(hint, environ[name])
        except LookupError:
            if not _from_kubernetes(name, environ[name]):
                problems.append(_unknown(name, raw))
            continue
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        _put(raw, place, value)
        origins[place] = name
    return origins, problems


def _from_kubernetes(name: str, value: str) -> bool:
    """Whether Kubernetes set this for a service called chatferry, or chatferry-something."""
    return bool(_KUBERNETES.fullmatch(name)) and (
        not name.endswith("_PORT") or "_SERVICE_" in name or "://" in value
    )


def _order(name: str) -> tuple[int, list[str]]:
    """Tables before what is in them, list items by their number."""
    parts = name.split("__")
    return len(parts), [part.zfill(6) if part.isdecimal() else part for part in parts]


def _unknown(name: str, raw: Mapping[str, Any]) -> str:
    destinations = raw.get("destinations")
    names = [str(n).upper().replace("-", "_") for n in destinations] if isinstance(destinations, dict) else []
    twins = [key.twin.removeprefix(PREFIX).replace("__N__", "__0__") for key in keys()]
    known = [twin.replace("__NAME__", f"__{each}__") for twin in twins for each in names or [""]]
    near = nearest(name.removeprefix(PREFIX), known).replace('"', f'"{PREFIX}', 1)
    return f"{name}: no such setting{near or '; unset it, CHATFERRY_ is for settings'}"


def _resolve(raw: Any, parts: Sequence[str]) -> tuple[Path, Any]:
    """Return the place that the parts of a variable's name mean, and its type.

    :raises LookupError: if there is no such place.
    """
    place: Path = ()
    hint: Any = Settings
    node = raw
    while parts:
        key, hint, parts = _step(hint, node, parts)
        place = (*place, key)
        if isinstance(key, int):
            node = node[key] if isinstance(node, list) and key < len(node) else None
        else:
            node = node.get(key) if isinstance(node, dict) else None
    return place, split(hint)[0]


def _step(hint: Any, node: Any, parts: Sequence[str]) -> tuple[str | int, Any, Sequence[str]]:
    """Return the key or index that the first part means below ``node``, its type, and the other parts."""
    hint, _ = split(hint)
    first, others = parts[0], parts[1:]
    arguments = get_args(hint)
    if hint is FieldSettings:  # a field of a mapped object; CRM fields may have __ in their names
        return _match("__".join(parts), node, new=str), hint, ()
    if is_dataclass(hint) and isinstance(hint, type):
        if found := keys_of(hint).get(first.lower()):
            return first.lower(), found.hint, others
        if hint is DestinationSettings:
            return _match(first, node), FieldSettings, others
    elif get_origin(hint) is tuple and is_dataclass(arguments[0]) and first.isdecimal():
        index, count = int(first[:6]), len(node) if isinstance(node, list) else 0
        if index > count:
            raise ValueError(f"items are numbered from 0 without gaps, and the next is {count}")
        return index, arguments[0], others
    elif get_origin(hint) is Mapping:
        return _match(first, node), arguments[1], others
    elif hint is Any:
        return _match(first, node), Any, others
    raise LookupError


def _match(part: str, node: Any, new: Any = str.lower) -> str:
    """Return the key of the file that differs in case and hyphens only, or a new one."""
    for key in node if isinstance(node, dict) else ():
        if str(key).upper().replace("-", "_") == part.upper():
            return str(key)
    return str(new(part))


def _read(hint: Any, text: str) -> Any:
    """Parse a variable's value if it is a list or a table; the schema reads other values."""
    start = text.strip()[:1]
    if hint is FieldSettings or hint is Any:
        try:
            return _parse(text) if start in {"{", "["} else text
        except ValueError:
            return text
    if get_origin(hint) is tuple:
        if start == "[":
            return _parse(text)
        return [item.strip() for item in text.split(",") if item.strip()]
    if get_origin(hint) is Mapping or is_dataclass(hint):
        if start != "{":
            raise ValueError(
                'is a table; write it as { key = "value" } or as JSON, or set its keys one by one'
            )
        return _parse(text)
    return text


def _parse(text: str) -> Any:
    """Read a TOML or JSON value."""
    try:
        found = tomllib.loads(f"value = {text}")
        if set(found) == {"value"}:
            return found["value"]
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("neither a TOML nor a JSON value") from None


def _put(raw: dict[str, Any], place: Path, value: Any) -> None:
    """Set a value; where the file has a value of another type the schema will refuse that."""
    node: Any = raw
    for key, after in zip(place, (*place[1:], None), strict=True):
        if isinstance(node, list) and isinstance(key, int):
            node.extend([{}] * (key == len(node)))
        elif not isinstance(node, dict):
            return
        if after is None:
            node[key] = value
        elif isinstance(node, dict):
            node = node.setdefault(key, [] if isinstance(after, int) else {})
        else:
            node = node[key]
