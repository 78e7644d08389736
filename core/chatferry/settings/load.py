"""Load the configuration: the file and the environment, validated into :class:`Settings`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from chatferry.errors import SettingsError
from chatferry.settings.database import absolute
from chatferry.settings.environment import overlay
from chatferry.settings.keys import twin
from chatferry.settings.model import Settings
from chatferry.settings.schema import table
from chatferry.settings.secrets import secrets_from


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read and validate a configuration file and the environment; the environment wins.

    :raises SettingsError: with every problem, one line each.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such file; write one with: chatferry init") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SettingsError(f"{path}: cannot be read: {reason}") from None
    return load_text(text, environ, name=str(path), directory=path.parent)


def load_text(
    text: str, environ: Mapping[str, str], *, name: str = "chatferry.toml", directory: Path | None = None
) -> Settings:
    """Validate a configuration's text; ``name`` is what its problems are reported under.

    :raises SettingsError: with every problem, one line each.
    """
    here = (directory or Path()).absolute()
    raw = _parse(text, name)
    origins, problems = overlay(raw, environ)
    try:
        with secrets_from(environ, here):
            data = table(Settings)().load(raw)
    except ValidationError as error:
        lines = [_line(place, message, name, origins) for place, message in flatten(error.messages)]
        raise SettingsError(*lines, *problems) from None
    if problems:
        raise SettingsError(*problems)
    settings = Settings(directory=here, **data)
    return replace(settings, database=absolute(settings.database, here))


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name}: not valid TOML: {error}") from None
    except (ValueError, RecursionError) as error:
        what = "a number is too long" if isinstance(error, ValueError) else "it is nested too deeply"
        raise SettingsError(f"{name}: not valid TOML: {what}") from None


def flatten(messages: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Return every message of a ValidationError with the place it is about."""
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from flatten(below, place if key == "_schema" else (*place, key))
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from flatten(message, place)
    else:
        yield place, str(messages)


def _line(place: tuple[str | int, ...], message: str, name: str, origins: Mapping[Any, str]) -> str:
    dotted = ".".join(str(part) for part in place)
    if message == "missing":
        message += f"; add it, or set {twin(tuple(str(part) for part in place))}"
    for length in range(len(place), 0, -1):
        if variable := origins.get(place[:length]):
            return f"{variable} ({dotted}): {message}"
    return f"{name}: {dotted}: {message}"
