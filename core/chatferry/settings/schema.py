"""The marshmallow schemas, made from the dataclasses of :mod:`chatferry.settings.model`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from functools import cache, partial
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin

from marshmallow import Schema, ValidationError, fields, post_load, pre_load

from chatferry.model import FieldMode
from chatferry.settings import fields as ours
from chatferry.settings.database import database_url
from chatferry.settings.keys import keys_of, split
from chatferry.settings.model import DestinationSettings, FieldSettings, Settings, StrategySettings
from chatferry.settings.secrets import Secret, SecretField, resolve_here

T = TypeVar("T")

_MESSAGES = {"required": "missing", "null": "empty; write a value, or leave the key out"}
_NO_EXPRESSION = 'missing; write an expression in quotes, such as "visitor.email"'


class TableSchema(Schema):
    """A table of the file that loads to its dataclass; an unknown key gets a suggestion."""

    error_messages = {  # noqa: RUF012  (marshmallow's way)
        "unknown": "unknown key",
        "type": "not a table; write its keys below a header in brackets",
    }
    makes: ClassVar[Callable[..., Any]] = dict

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:  # noqa: ARG002  (marshmallow's signature)
        """Name the nearest known key beside each unknown one."""
        error.messages = with_nearest(error.messages, self)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Any:  # noqa: ARG002  (marshmallow's signature)
        """Make the dataclass, which adds the defaults and checks the keys against each other."""
        made = self.makes(**data)
        if isinstance(made, ours.Checked):
            made.check()
        return made


def with_nearest(messages: Any, schema: Schema) -> Any:
    """Return a schema's messages with the nearest known key beside each unknown one, in nested tables too."""
    if not isinstance(messages, dict):
        return messages
    keys = {item.data_key or name: item for name, item in schema.fields.items()}
    found = {}
    for key, message in messages.items():
        if message == [schema.error_messages["unknown"]] and key not in keys:
            found[key] = [f"unknown key{ours.nearest(str(key), keys)}"]
        elif isinstance(item := keys.get(key), fields.Nested) and isinstance(item.schema, Schema):
            found[key] = with_nearest(message, item.schema)
        else:
            found[key] = message
    return found


@cache
def table(cls: type) -> type[TableSchema]:
    """Return the schema of a settings dataclass. What needs more than its keys loads to a dict."""
    made: dict[str, Any] = {
        name: _field(one.hint, required=one.required) for name, one in keys_of(cls).items()
    }
    if cls is Settings:
        made["database"] = ours.Parsed(_database, error_messages=_MESSAGES)
    if cls not in {Settings, DestinationSettings}:
        made["makes"] = cls
    return type(cls.__name__, (TableSchema,), made)


def _field(hint: Any, *, required: bool = False) -> fields.Field[Any]:
    bare, rules = split(hint)
    reader = next((rule.read for rule in rules if isinstance(rule, ours.Read)), None) or _READERS.get(bare)
    options: dict[str, Any] = {
        "required": required,
        "error_messages": _MESSAGES | {"invalid": "not a table"},
        "validate": [rule for rule in rules if not isinstance(rule, ours.Read)],
    }
    if reader is not None:
        return ours.Parsed(reader, **options)
    if bare is Secret:
        return SecretField(**options)
    if is_dataclass(bare) and isinstance(bare, type):
        return fields.Nested(table(bare), **options)
    if get_origin(bare) is tuple:
        return ours.Several(_field(get_args(bare)[0]), **options | {"error_messages": _MESSAGES})
    if get_origin(bare) is Literal:
        return ours.Parsed(ours.choice(*get_args(bare)), **options)
    return fields.Dict(keys=fields.String(), **options)


def _database(value: Any) -> str:
    """Load the database's URL; it may be a reference, like a secret."""
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        value = resolve_here(value).reveal()
    return database_url(ours.text(value))


def _destinations(value: Any) -> dict[str, DestinationSettings]:
    """Load the destinations by name."""
    if not isinstance(value, Mapping):
        raise ValidationError("not a table; write [destinations.NAME] for each")
    seen: list[str] = []

    def load(name: str, item: Any) -> DestinationSettings:
        seen.append(name)
        _check_name(name, seen[:-1])
        return _destination(name, item)

    return _load_each(value, load)


def _check_name(name: str, others: Iterable[str]) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*", name):
        raise ValidationError("not a name; use letters, digits, and single - or _ between them")
    for other in others:
        if other.casefold().replace("-", "_") == name.casefold().replace("-", "_"):
            raise ValidationError(f'too near to "{other}"; names must differ by more than case, - and _')


def _destination(name: str, value: Any) -> DestinationSettings:
    """Load one destination; a table that is no known key maps an object of the CRM."""
    schema = table(DestinationSettings)()
    if not isinstance(value, Mapping):
        raise ValidationError(schema.error_messages["type"])
    objects = {
        key: item for key, item in value.items() if key not in schema.fields and isinstance(item, dict)
    }
    keys = {key: item for key, item in value.items() if key not in objects}
    loaders: Mapping[str, Callable[[Any], Any]] = {
        "mapping": partial(_load_each, load=_mapped_object),
        "keys": schema.load,
    }
    try:
        found = _load_each({"mapping": objects, "keys": keys}, lambda part, items: loaders[part](items))
    except ValidationError as error:
        parts = error.messages_dict.values()
        raise ValidationError({key: one for part in parts for key, one in part.items()}) from None
    return DestinationSettings(name=name, mapping=found["mapping"], **found["keys"])


def _mapped_object(_name: str, mapped: Mapping[str, Any]) -> dict[str, FieldSettings]:
    schema = MappedFieldSchema()
    return _load_each(mapped, lambda _, value: schema.load(value))


def _expression(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(_NO_EXPRESSION)
    return value


class MappedFieldSchema(TableSchema):
    """An expression, or a table with its ``value``, ``mode`` and ``clear``."""

    error_messages = {"type": 'not an expression; write one in quotes, such as "visitor.email"'}  # noqa: RUF012  (marshmallow's way)
    makes = FieldSettings
    value = ours.Parsed(
        _expression,
        attribute="expression",
        required=True,
        error_messages={"required": _NO_EXPRESSION, "null": _NO_EXPRESSION},
    )
    mode = ours.Parsed(lambda value: FieldMode(ours.choice(*FieldMode)(value)), error_messages=_MESSAGES)
    clear = ours.Parsed(ours.boolean, error_messages=_MESSAGES)

    @pre_load
    def expand(self, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002  (marshmallow's signature)
        """Read a bare expression as the table that holds nothing else."""
        return {"value": data} if isinstance(data, str) else data


def _strategy(value: Any) -> StrategySettings:
    """Load a strategy's name, or a table with its ``name`` and options."""
    item = {"name": value} if isinstance(value, str) else value
    if not isinstance(item, Mapping):
        raise ValidationError('not a strategy; write its name, or a table such as { name = "markers" }')
    name = item.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValidationError({"name": ['missing; write the strategy\'s name, such as "markers"']})
    options = {key: option for key, option in item.items() if key != "name"}
    return StrategySettings(name=name.strip(), options=options)


def _load_each(items: Mapping[str, Any], load: Callable[[str, Any], T]) -> dict[str, T]:
    """Load every item, and only then complain of those that failed.

    :raises ValidationError: with the messages of each item under its key.
    """
    found: dict[str, T] = {}
    problems: dict[str, Any] = {}
    for key, item in items.items():
        try:
            found[key] = load(key, item)
        except ValidationError as error:
            problems[key] = error.messages
    if problems:
        raise ValidationError(problems)
    return found


_READERS: Mapping[Any, Callable[[Any], Any]] = {
    bool: ours.boolean,
    bool | None: ours.boolean,
    int: ours.integer,
    float: ours.duration,
    str: ours.text,
    StrategySettings: _strategy,
    Mapping[str, DestinationSettings]: _destinations,
}
"""How a value is read where only its type says it."""
