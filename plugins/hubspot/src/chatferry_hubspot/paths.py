"""Every path of HubSpot's API this plugin calls, in one table.

The place of the version differs from family to family, so there is a table and no prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

DEFAULT_VERSION = "2026-09"
"""Generally available since 8 September 2026; each version is supported for 18 months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A method and a path."""

    method: str
    path: str


class Path(Enum):
    """What can be called. Names in braces are filled by :meth:`url`."""

    UPSERT = Endpoint(method="POST", path="/crm/objects/{version}/{object}/batch/upsert")
    CREATE = Endpoint(method="POST", path="/crm/objects/{version}/{object}/batch/create")
    UPDATE = Endpoint(method="POST", path="/crm/objects/{version}/{object}/batch/update")
    READ = Endpoint(method="POST", path="/crm/objects/{version}/{object}/batch/read")
    ARCHIVE = Endpoint(method="POST", path="/crm/objects/{version}/{object}/batch/archive")
    ASSOCIATE = Endpoint(
        method="POST", path="/crm/associations/{version}/{object}/{to}/batch/associate/default"
    )
    DISSOCIATE = Endpoint(method="POST", path="/crm/associations/{version}/{object}/{to}/batch/archive")
    ASSOCIATED = Endpoint(method="POST", path="/crm/associations/{version}/{object}/{to}/batch/read")
    LABELS = Endpoint(method="GET", path="/crm/associations/{version}/{object}/{to}/labels")
    SCHEMAS = Endpoint(method="GET", path="/crm-object-schemas/{version}/schemas")
    CREATE_SCHEMA = Endpoint(method="POST", path="/crm-object-schemas/{version}/schemas")
    ALLOW_ASSOCIATION = Endpoint(
        method="POST", path="/crm-object-schemas/{version}/schemas/{object}/associations"
    )
    PROPERTIES = Endpoint(method="GET", path="/crm/properties/{version}/{object}")
    CREATE_PROPERTY = Endpoint(method="POST", path="/crm/properties/{version}/{object}")
    TOKEN = Endpoint(method="POST", path="/oauth/{version}/token")

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.value.method

    def url(self, base: str, version: str, **parts: str) -> str:
        """Return the full address, every part percent-encoded."""
        filled = {name: quote(value, safe="") for name, value in parts.items()}
        return base.rstrip("/") + self.value.path.format(version=version, **filled)
