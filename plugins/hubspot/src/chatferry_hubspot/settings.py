"""What a HubSpot destination may say in its ``settings`` table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import Schema, ValidationError, fields, validate, validates, validates_schema

from chatferry import Secret, SecretField
from chatferry.http import may_carry_secrets

DEFAULT_VERSION = "2026-09"
"""Generally available since 8 September 2026; each version is supported for 18 months."""
PROPERTY_TYPES = ("string", "text", "number", "bool", "date", "datetime")
_OAUTH = ("client_id", "client_secret", "refresh_token")
_NAME = validate.Regexp(r"^[a-z][a-z0-9_]{0,99}$", error="A HubSpot property's internal name: a-z, 0-9, _.")
_OBJECT = validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9_-]*$", error="An object's name or its type id (2-123).")


class Storage(StrEnum):
    """Where conversations go; AUTO asks the account."""

    AUTO = "auto"
    CUSTOM_OBJECT = "custom-object"
    NOTES = "notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The validated settings, with their defaults."""

    access_token: Secret | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    base_url: str = "https://api.hubapi.com"
    allow_http: bool = False
    version: str = DEFAULT_VERSION
    storage: Storage = Storage.AUTO
    object: str = "chat_conversation"
    conversation_property: str = "conversation_id"
    visitor_property: str = "chat_visitor_id"
    note_property: str = "chat_conversation_id"
    lifecycle_stage: str | None = None
    time_zone: str | None = None
    account_id: str | None = None
    timeout: float = 30.0
    """Seconds one answer of HubSpot may take."""
    strict: bool = False
    """Whether a lead of which HubSpot refuses a field is refused, instead of the field alone."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Per property, the type ``provision`` gives it; ``text`` where nothing is said."""

    @property
    def own_properties(self) -> frozenset[str]:
        """The properties that are chatferry's: records are found by them."""
        return frozenset({self.visitor_property, self.conversation_property, self.note_property})


class HubSpotSettings(Schema):
    """Validates a destination's ``settings`` table."""

    access_token = SecretField(
        in_header=True, metadata={"example": "env:HUBSPOT_TOKEN", "description": "a service key"}
    )
    client_id = fields.String(validate=validate.Length(min=1))
    client_secret = SecretField()
    refresh_token = SecretField()
    base_url = fields.String()
    allow_http = fields.Boolean()
    version = fields.String(
        validate=validate.Regexp(r"^\d{4}-\d{2}$", error='A dated version such as "2026-09".')
    )
    storage = fields.Enum(Storage, by_value=True)
    object = fields.String(validate=_OBJECT)
    conversation_property = fields.String(validate=_NAME)
    visitor_property = fields.String(validate=_NAME)
    note_property = fields.String(validate=_NAME)
    lifecycle_stage = fields.String(validate=validate.Length(min=1))
    time_zone = fields.String()
    account_id = fields.String(validate=validate.Regexp(r"^\d+$", error="The account's number, as a string."))
    timeout = fields.Float(validate=validate.Range(min=1, max=100))
    strict = fields.Boolean()
    types = fields.Dict(keys=fields.String(validate=_NAME), values=fields.String())

    @validates_schema
    def one_way_in(self, data: Mapping[str, Any], **_: Any) -> None:
        """Ask for a token or for everything a refresh needs, and never for both."""
        refresh = [name for name in _OAUTH if name in data]
        if "access_token" in data and refresh:
            raise ValidationError("Give access_token or the OAuth settings, not both.", refresh[0])
        if "access_token" not in data and len(refresh) < len(_OAUTH):
            raise ValidationError(
                "Give access_token (a service key), or client_id, client_secret and refresh_token.",
                "access_token",
            )

    @validates_schema
    def safe_address(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse to send a token in the clear over a network."""
        if "base_url" not in data:
            return
        try:
            address = urlsplit(data["base_url"])
        except ValueError:
            raise ValidationError("An address such as https://api.hubapi.com.", "base_url") from None
        if not address.hostname or address.username or address.query or address.fragment:
            raise ValidationError("An address such as https://api.hubapi.com.", "base_url")
        allowed = address.scheme == "http" and data.get("allow_http", False)
        if not allowed and not may_carry_secrets(data["base_url"]):
            raise ValidationError("https, or http with allow_http = true (for tests).", "base_url")

    @validates("types")
    def known_types(self, value: Mapping[str, str], **_: Any) -> None:
        """Refuse a type HubSpot has no field for."""
        for name, kind in value.items():
            if kind not in PROPERTY_TYPES:
                raise ValidationError(f"{name}: one of {', '.join(PROPERTY_TYPES)}, not {kind!r}.")

    @validates("time_zone")
    def known_zone(self, value: str, **_: Any) -> None:
        """Refuse a time zone this machine does not know."""
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValidationError("A time zone such as Europe/Paris.") from None


def read_options(settings: Mapping[str, Any]) -> Options:
    """Return the options of a table that :class:`HubSpotSettings` has loaded."""
    known = {name: settings[name] for name in Options.__dataclass_fields__ if name in settings}
    if "storage" in known:
        known["storage"] = Storage(known["storage"])
    return Options(**known)


OBJECT_TYPE_ID = re.compile(r"^\d+-\d+$")
"""What HubSpot calls an object in paths, such as ``2-3465404``."""
