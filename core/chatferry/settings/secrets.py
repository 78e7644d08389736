"""Secrets are referred to, never written down: ``env:NAME`` or ``file:/path``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marshmallow import ValidationError, fields


class Secret:
    """A value that shows itself only when asked: ``reveal()``."""

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str = "") -> None:
        self._value = value
        self.reference = reference

    def reveal(self) -> str:
        """Return the secret itself; give it to the one call that needs it, keep it nowhere."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where references lead: which environment, and where relative paths start."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    directory: Path = field(default_factory=Path)


_HERE: ContextVar[_Place] = ContextVar("where secret references lead")


@contextmanager
def secrets_from(environ: Mapping[str, str], directory: Path) -> Iterator[None]:
    """Let every :class:`SecretField` loaded in the block follow its reference from here."""
    token = _HERE.set(_Place(environ=environ, directory=directory))
    try:
        yield
    finally:
        _HERE.reset(token)


def resolve(reference: str, environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> Secret:
    """Follow a reference to its secret; a relative path starts at ``directory``.

    :raises ValueError: if it is no reference, or what it points at is missing or empty; the
        message never holds what was found.
    """
    scheme, _, target = reference.partition(":")
    if scheme == "env" and target:
        value = environ.get(target, "")
        if not value:
            raise ValueError(f"the environment variable {target} is not set, or empty")
        return Secret(value, reference)
    if scheme == "file" and target:
        try:
            value = ((directory or Path()) / target).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise ValueError(f"the file {target} cannot be read ({type(error).__name__})") from None
        if not value:
            raise ValueError(f"the file {target} is empty")
        return Secret(value, reference)
    raise ValueError('a secret is written as a reference, "env:NAME" or "file:/path", never as itself')


class SecretField(fields.Field[Secret]):
    """A marshmallow field for a secret reference; it loads to a :class:`Secret`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Secret:  # noqa: ARG002  (marshmallow's signature)
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise ValidationError('a secret is written as a reference, "env:NAME" or "file:/path"')
        here = _HERE.get(None) or _Place()
        try:
            return resolve(value, here.environ, here.directory)
        except ValueError as error:
            raise ValidationError(str(error)) from None
