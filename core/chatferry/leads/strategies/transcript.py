"""``transcript``: the whole conversation as readable text, markers removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields, validate

from chatferry.leads.transcripts import render, spoken
from chatferry.model import Answer, AuthorKind, Conversation
from chatferry.strategy import Strategy


def _zone(name: str) -> tzinfo:
    """Return a time zone; UTC needs no database, which small systems lack."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _known_zone(name: str) -> None:
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):
        raise ValidationError(f'there is no time zone "{name}"; write one like Europe/Paris') from None


class TranscriptSettings(Schema):
    """The options of ``transcript``."""

    timezone = fields.String(load_default="UTC", validate=_known_zone)
    authors = fields.String(load_default="roles", validate=validate.OneOf(["roles", "names"]))
    system = fields.Boolean(load_default=True)
    labels = fields.Dict(
        fields.String(validate=validate.OneOf([kind.value for kind in AuthorKind])),
        fields.String(validate=validate.Length(min=1)),
        load_default=dict,
    )


class Transcript(Strategy):
    """One answer, ``transcript``.

    ``timezone`` is that of the times, ``authors`` shows agents and bots by ``roles`` or ``names``,
    ``system`` keeps automatic texts, ``labels`` renames the roles (``{ visitor = "Client" }``).
    """

    name: ClassVar[str] = "transcript"
    Settings: ClassVar[type[Schema]] = TranscriptSettings

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._zone = _zone(settings.get("timezone", "UTC"))
        self._labels = {AuthorKind(kind): label for kind, label in settings.get("labels", {}).items()}

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:  # noqa: ARG002  (a strategy's signature)
        """Return the transcript, unless there is no readable message."""
        said = spoken(conversation, system=self.settings.get("system", True))
        if said:
            names = self.settings.get("authors") == "names"
            text = render(said, zone=self._zone, labels=self._labels, names=names)
            shown = tuple(message.id for message, _ in said)
            yield Answer(name=self.name, value=text, message_ids=shown, strategy=self.name)
