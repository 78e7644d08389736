"""One call as a handler sees it, whether it came alone or as a part of a composite one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from chatferry_salesforce.emulator.errors import ApiError
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.tables import ObjectType
from chatferry_salesforce.emulator.writes import Strike, Writer, no_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the data API."""

    org: Org
    version: str
    """The API version of the path, such as ``68.0``."""
    path: Mapping[str, str] = field(default_factory=dict)
    """The parts of the path that the handler's rule names."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    """The decoded JSON."""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """The parts of a multipart body."""
    strikes: Strike = no_fault
    """Asks whether a fault strikes."""

    @property
    def kind(self) -> ObjectType:
        """The object that the path names."""
        return self.org.kind(self.path["kind"])

    @property
    def writer(self) -> Writer:
        """What writes the records of this call."""
        return Writer(self.org, headers=self.headers, strikes=self.strikes)

    def header(self, name: str) -> str:
        """Return a header, whatever its case; nothing if it is not there."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def json_object(self) -> Mapping[str, Any]:
        """Return the body.

        :raises ApiError: if it is no JSON object.
        """
        if not isinstance(self.body, dict):
            raise ApiError(
                400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but was not an object"
            )
        return self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler answers; None is no body."""

    status: int = 200
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Call], Answer]
