"""``profile``: the visitor's own fields, as iAdvize knows them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from marshmallow import Schema, fields, validate

from chatferry.leads.emails import usable_email
from chatferry.model import Answer, Conversation
from chatferry.strategy import Strategy

FIELDS = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "address",
    "city",
    "zip_code",
    "country",
    "username",
    "external_id",
)


class ProfileSettings(Schema):
    """The options of ``profile``."""

    fields_ = fields.List(
        fields.String(validate=validate.OneOf(FIELDS)),
        data_key="fields",
        attribute="fields",
        load_default=FIELDS,
    )


class Profile(Strategy):
    """One answer a field that is filled in; it comes from no message, so it names none.

    ``fields`` chooses among them. An ``email`` that is no address ("n/a") is left to ``contact``.
    """

    name: ClassVar[str] = "profile"
    Settings: ClassVar[type[Schema]] = ProfileSettings

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:  # noqa: ARG002  (a strategy's signature)
        """Return the fields that hold something."""
        for name in self.settings.get("fields", FIELDS):
            value = (getattr(conversation.visitor, name) or "").strip()
            if value and (name != "email" or usable_email(value)):
                yield Answer(name=name, value=value, message_ids=(), strategy=self.name)
