"""What a destination's table writes in a short form: strategies and field mappings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from marshmallow import ValidationError, fields

from chatferry.model import FieldMode
from chatferry.settings.fields import choice, nearest, truth
from chatferry.settings.model import FieldSettings, StrategySettings

T = TypeVar("T")


class StrategyField(fields.Field[StrategySettings]):
    """A strategy's name, or a table with its ``name`` and options."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> StrategySettings:  # noqa: ARG002  (marshmallow's signature)
        table = {"name": value} if isinstance(value, str) else value
        if not isinstance(table, Mapping):
            raise ValidationError('not a strategy; write its name, or a table such as { name = "markers" }')
        name = table.get("name")
        if not isinstance(name, str) or not name.strip():
            raise ValidationError({"name": ['missing; write the strategy\'s name, such as "markers"']})
        options = {key: option for key, option in table.items() if key != "name"}
        return StrategySettings(name=name.strip(), options=options)


def mapped_field(name: str, value: Any) -> FieldSettings:  # noqa: ARG001  (as load_each calls it)
    """Load an expression, or a table with its ``value``, ``mode`` and ``clear``.

    :raises ValidationError: with the messages of its keys.
    """
    table = {"value": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise ValidationError('not an expression; write one in quotes, such as "visitor.email"')
    found = load_each({"value": None} | dict(table), _part)
    made = FieldSettings(expression=found.pop("value"), **found)
    if made.clear and made.mode is not FieldMode.OVERWRITE:
        raise ValidationError(
            {"clear": [f'only mode "overwrite" can empty a field, and this is "{made.mode}"']}
        )
    return made


def _part(key: str, value: Any) -> Any:
    """Load one key of a mapped field's table."""
    try:
        if key == "mode":
            return FieldMode(choice(*FieldMode)(value))
        if key == "clear":
            return truth(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    if key != "value":
        raise ValidationError(f"unknown key{nearest(key, ('value', 'mode', 'clear'))}")
    if not isinstance(value, str) or not value.strip():
        raise ValidationError('missing; write an expression in quotes, such as "visitor.email"')
    return value


def load_each(items: Mapping[str, Any], load: Callable[[str, Any], T]) -> dict[str, T]:
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
