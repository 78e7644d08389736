"""``profile``: the visitor's own fields, as iAdvize knows them now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from marshmallow import Schema, fields, validate

from chatferry.leads.emails import usable_email
from chatferry.leads.strategies.phones import usable_phone
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


_USABLE: Mapping[str, Callable[[str], str | None]] = {"email": usable_email, "phone": usable_phone}


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

    ``fields`` chooses among them. An ``email`` that is no address and a ``phone`` that is no number
    ("n/a") are left to ``contact``.
    """

    name: ClassVar[str] = "profile"
    Settings: ClassVar[type[Schema]] = ProfileSettings

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:  # noqa: ARG002  (a strategy's signature)
        """Return the fields that hold something."""
        for name in self.settings.get("fields", FIELDS):
            written = getattr(conversation.visitor, name)
            value = _USABLE.get(name, str.strip)(written or "")
            if value:
                yield Answer(name=name, value=value, message_ids=(), strategy=self.name)
