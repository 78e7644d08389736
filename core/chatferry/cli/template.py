"""The text of a first configuration: a fixed template, and a table for each destination.

What a destination's table says comes from the connector: its settings from its schema, its fields
from its own mapping. A setting whose marshmallow field carries ``metadata={"example": ...}``, or that
is required, is written out; the others are comments. ``metadata={"description": ...}`` explains one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from marshmallow import fields, missing

from chatferry.connector import Connector
from chatferry.settings.secrets import SecretField

_REFERENCE = re.compile(r'^[^#]*?"env:(\w+)"', re.MULTILINE)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def configuration(connectors: Mapping[str, type[Connector]], platform: str, client_id: int) -> str:
    """Return a configuration with a destination for each connector, under the connector's name."""
    text = files("chatferry.cli").joinpath("template.toml").read_text(encoding="utf-8")
    text = text.replace("@PLATFORM@", platform).replace("@CLIENT_ID@", str(client_id))
    destinations = (_destination(name, connector) for name, connector in connectors.items())
    return "\n\n".join([text.rstrip(), *destinations]) + "\n"


def variables(text: str) -> Sequence[str]:
    """Return the environment variables that a configuration's text refers to, each once."""
    return tuple(dict.fromkeys(_REFERENCE.findall(text)))


def toml_value(value: Any) -> str:
    """Return a string, a number, a boolean or a list of them as TOML, which writes them as JSON does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(name: str) -> str:
    """Return a key as TOML, quoted if it must be."""
    return name if _BARE_KEY.fullmatch(name) else toml_value(name)


def _destination(name: str, connector: type[Connector]) -> str:
    return "\n".join(
        [
            f"[destinations.{toml_key(name)}]",
            f"connector = {toml_value(connector.name)}",
            "# Which conversations go there; a rule that is not set takes all of them.",
            "# projects = [1549]",
            '# channels = ["CHAT"]',
            "# answered = true              # only conversations an agent or a bot answered",
            '# email = "required"           # or "absent"',
            '# without_email = "park"       # instead of delivering a lead that has no e-mail',
            "# live = true                  # running conversations too",
            "",
            f"[destinations.{toml_key(name)}.settings]",
            *_settings(name, connector),
            "",
            "# The fields of the CRM and the expressions that fill them. These are the connector's own;",
            "# a table that is written out replaces them for its object.",
            *(line for kind, mapped in connector.mapping.items() for line in _object(name, kind, mapped)),
        ]
    )


def _settings(name: str, connector: type[Connector]) -> Iterator[str]:
    others = []
    for setting, field in connector.Settings().fields.items():
        shown = field.data_key or setting
        value, mark = _value(f"{name}_{shown}", field)
        if value is missing:
            others.append(shown)
            continue
        line = f"{mark}{toml_key(shown)} = {toml_value(value)}"
        description = field.metadata.get("description")
        yield f"{line}  # {description}" if description else line
    if others:
        yield f"# also: {', '.join(others)}; see the connector's page"


def _value(place: str, field: fields.Field[Any]) -> tuple[Any, str]:
    """Return what to write, and ``# `` if that is only a default; ``missing`` if there is nothing to say."""
    example = field.metadata.get("example", missing)
    if example is not missing:
        return example, ""
    if field.required:
        secret = isinstance(field, SecretField)
        reference = f"env:{place.upper().replace('-', '_')}"
        return (reference if secret else _placeholder(field)), ""
    default = field.load_default() if callable(field.load_default) else field.load_default
    return (default if isinstance(default, str | int | float | list) else missing), "# "


def _placeholder(field: fields.Field[Any]) -> Any:
    if isinstance(field, fields.Boolean):
        return False
    if isinstance(field, fields.Number):
        return 0
    return [] if isinstance(field, fields.List) else ""


def _object(name: str, kind: str, mapped: Mapping[str, str]) -> Iterator[str]:
    yield f"# [destinations.{toml_key(name)}.{toml_key(kind)}]"
    yield from (f"# {toml_key(field)} = {toml_value(expression)}" for field, expression in mapped.items())
