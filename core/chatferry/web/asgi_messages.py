"""A request's head and its answer, between an ASGI server and the rest of the endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from werkzeug import Response

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a request says before its body. Headers are in lower case; equal ones are joined by a comma."""

    method: str
    path: str
    """Without slashes at its end."""
    query: str
    headers: Mapping[str, str]
    peer: str
    """The address the connection comes from."""

    @classmethod
    def of(cls, scope: Message) -> Self:
        """Read it from an ASGI scope."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        return cls(
            method=scope["method"],
            path=scope["path"].rstrip("/") or "/",
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            peer=(scope.get("client") or ("",))[0],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AsgiResponse:
    """A whole answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def of(cls, response: Response) -> Self:
        """Take over what Flask or werkzeug made."""
        body = response.get_data()
        return cls(
            status=response.status_code,
            headers=[(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers],
            body=body,
        )

    async def send(self, send: Send) -> None:
        """Give it to the server."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
