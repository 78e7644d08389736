"""The marshmallow schemas, made from the dataclasses of :mod:`chatferry.settings.model`.

Keys, types and defaults are written once, there; what a type cannot say is in
:mod:`chatferry.settings.rules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as attributes
from functools import cache
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from marshmallow import Schema, ValidationError, fields, post_load, validate

from chatferry.settings import fields as ours
from chatferry.settings.database import database_url
from chatferry.settings.destination_fields import StrategyField, load_each, mapped_field
from chatferry.settings.model import DestinationSettings, Settings, StrategySettings
from chatferry.settings.rules import CHECKS, HIDDEN, LIMITS, READERS, TABLE_CHECKS
from chatferry.settings.secrets import Secret, SecretField

_PLAIN: Mapping[Any, Callable[[Any], Any]] = {
    bool: ours.truth,
    int: ours.whole,
    float: ours.duration,
    str: ours.text,
    bool | None: ours.truth,
}


class TableSchema(Schema):
    """A table of the file that loads to its dataclass; an unknown key is told its neighbour."""

    error_messages = {  # noqa: RUF012  (marshmallow's way)
        "unknown": "unknown key",
        "type": "not a table; write its keys below a header in brackets",
    }
    makes: ClassVar[type | None] = None

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:  # noqa: ARG002  (marshmallow's signature)
        """Name the nearest known key beside each unknown one."""
        if isinstance(error.messages, dict):
            for key, message in error.messages.items():
                if message == [self.error_messages["unknown"]]:
                    error.messages[key] = [message[0] + ours.nearest(str(key), self.fields)]

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Any:  # noqa: ARG002  (marshmallow's signature)
        """Make the dataclass, which adds the defaults."""
        if self.makes is None:
            return data
        made = self.makes(**data)
        if check := TABLE_CHECKS.get(self.makes):
            check(made)
        return made


class DestinationsField(fields.Field[Mapping[str, DestinationSettings]]):
    """The destinations by name. In each, a table that is no known key maps an object of the CRM."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002  (marshmallow's signature)
        if not isinstance(value, Mapping):
            raise ValidationError("not a table; write [destinations.NAME] for each")
        seen: list[str] = []

        def read(name: str, item: Any) -> DestinationSettings:
            seen.append(name)
            _check_name(name, seen[:-1])
            return destination(name, item)

        return load_each(value, read)


def _check_name(name: str, others: Iterable[str]) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*", name):
        raise ValidationError("not a name; use letters, digits, and single - or _ between them")
    for other in others:
        if other.casefold().replace("-", "_") == name.casefold().replace("-", "_"):
            raise ValidationError(f'too near to "{other}"; names must differ by more than case, - and _')


def destination(name: str, value: Any) -> DestinationSettings:
    """Load one destination's table.

    :raises ValidationError: with the messages of its keys.
    """
    schema = table(DestinationSettings)()
    if not isinstance(value, Mapping):
        raise ValidationError(schema.error_messages["type"])
    objects = {
        key: item for key, item in value.items() if key not in schema.fields and isinstance(item, dict)
    }
    parts: dict[str, Callable[[], Any]] = {
        "mapping": lambda: load_each(objects, lambda _, fields: load_each(fields, mapped_field)),
        "data": lambda: schema.load({key: item for key, item in value.items() if key not in objects}),
    }
    problems: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for part, load in parts.items():
        try:
            found[part] = load()
        except ValidationError as error:
            problems |= error.messages_dict
    if problems:
        raise ValidationError(problems)
    return DestinationSettings(name=name, mapping=found["mapping"], **found["data"])


@cache
def table(cls: type) -> type[TableSchema]:
    """Return the schema of a settings dataclass."""
    hints = get_type_hints(cls)
    made: dict[str, Any] = {}
    for attribute in attributes(cls):
        if attribute.name in HIDDEN.get(cls, ()):
            continue
        required = attribute.default is MISSING and attribute.default_factory is MISSING
        made[attribute.name] = _field(cls, attribute.name, hints[attribute.name], required=required)
    made["makes"] = None if cls in HIDDEN else cls
    return type(cls.__name__, (TableSchema,), made)


def _field(cls: type, name: str, hint: Any, *, required: bool) -> fields.Field[Any]:
    options = _options(required=required)
    if (cls, name) == (Settings, "database"):
        return ours.ReferenceOrText(database_url, **options)
    if (cls, name) == (Settings, "destinations"):
        return DestinationsField(**options)
    if (cls, name) in LIMITS:
        low, high = LIMITS[cls, name]
        limit = f"below {low:g}" if high is None else f"not between {low:g} and {high:g}"
        options["validate"] = validate.Range(min=low, max=high, error=limit)
    if get_origin(hint) is tuple:
        checks = [CHECKS[cls, name]] if (cls, name) in CHECKS else []
        return ours.Several(_single(cls, name, get_args(hint)[0], _options()), validate=checks, **options)
    return _single(cls, name, hint, options)


def _options(*, required: bool = False) -> dict[str, Any]:
    messages = {"required": "missing", "null": "empty; write a value, or leave the key out"}
    return {"required": required, "error_messages": messages}


def _single(cls: type, name: str, hint: Any, options: dict[str, Any]) -> fields.Field[Any]:
    if parse := READERS.get((cls, name)) or _PLAIN.get(hint):
        return ours.Parsed(parse, **options)
    if hint is Secret:
        return SecretField(**options)
    if hint is StrategySettings:
        return StrategyField(**options)
    if is_dataclass(hint) and isinstance(hint, type):
        return fields.Nested(table(hint), **options)
    if get_origin(hint) is Literal:
        return ours.Parsed(ours.choice(*get_args(hint)), **options)
    options["error_messages"]["invalid"] = "not a table"
    return fields.Dict(keys=fields.String(), **options)
