"""Secrets are referred to, never written down: ``env:NAME`` or ``file:/path``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

from marshmallow import ValidationError, fields


class Secret:
    """A value that is shown by ``reveal()`` only, never by ``repr`` or ``str``."""

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str = "") -> None:
        self._value = value
        self.reference = reference

    def reveal(self) -> str:
        """Return the secret itself; pass it to the call that needs it and keep it nowhere."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def resolve(reference: str, environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> Secret:
    """Resolve a reference; a relative path starts at ``directory``.

    :raises ValueError: if it is no reference, or what it points at is missing or empty; the
        message never holds what was found.
    """
    scheme, _, target = reference.partition(":")
    if scheme == "env" and target:
        value = environ.get(target, "").strip()
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


_UNRESOLVED: ContextVar[bool] = ContextVar(
    "whether secrets that are not there are done without", default=False
)


def _resolve_or_refer(reference: str, environ: Mapping[str, str], directory: Path) -> Secret:
    try:
        return resolve(reference, environ, directory)
    except ValueError:
        if not _UNRESOLVED.get() or reference.partition(":")[0] not in {"env", "file"}:
            raise
        return Secret("", reference)


@contextmanager
def done_without() -> Iterator[None]:
    """Load settings in the block although their secrets are not there: for what needs none of them."""
    token = _UNRESOLVED.set(True)
    try:
        yield
    finally:
        _UNRESOLVED.reset(token)


_RESOLVE: ContextVar[Callable[[str], Secret]] = ContextVar(
    "how secret references are resolved", default=resolve
)


def resolve_here(reference: str) -> Secret:
    """Resolve a reference as :func:`secrets_from` says; raises what :func:`resolve` raises."""
    return _RESOLVE.get()(reference)


@contextmanager
def secrets_from(environ: Mapping[str, str], directory: Path) -> Iterator[None]:
    """Resolve every :class:`SecretField` that is loaded in the block against these."""
    token = _RESOLVE.set(partial(_resolve_or_refer, environ=environ, directory=directory))
    try:
        yield
    finally:
        _RESOLVE.reset(token)


class SecretField(fields.Field[Secret]):
    """A marshmallow field for a secret reference; it loads to a :class:`Secret`.

    :param in_header: whether the secret is sent in a header of HTTP, which not every character can be.
    """

    def __init__(self, *, in_header: bool = False, **options: Any) -> None:
        self._in_header = in_header
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Secret:  # noqa: ARG002  (marshmallow's signature)
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise ValidationError('a secret is written as a reference, "env:NAME" or "file:/path"')
        try:
            secret = resolve_here(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if self._in_header and not re.fullmatch(r"[\x21-\x7e]*", secret.reveal()):
            raise ValidationError(
                f"what {value} holds cannot be sent in a header: it has a blank, a line break or a letter"
                " beyond ASCII; copy it again"
            )
        return secret
