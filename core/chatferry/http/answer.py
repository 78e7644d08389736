"""One answer of an HTTP API: its status, its headers, and a body that is JSON or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chatferry.http.retry_header import retry_after

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """One HTTP answer; ``body`` is the decoded JSON, None where there is none or it cannot be read."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    legible: bool = True
    """Whether the body was JSON, or nothing at all: a gateway's page is neither."""

    @property
    def is_success(self) -> bool:
        """Whether the status is one of the 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004  (the successes)

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, from ``Retry-After``; that may be a number or a date."""
        return retry_after(self.header("Retry-After"))

    def header(self, name: str) -> str | None:
        """Return a header, whatever the case of its letters."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)


def read_answer(response: requests.Response) -> HttpAnswer:
    """Return what a response says; a body that is no JSON is marked, not raised."""
    body, legible = None, True
    if response.content.strip():
        try:
            body = json.loads(response.content)
        except (ValueError, RecursionError):
            legible = False
    return HttpAnswer(status=response.status_code, headers=dict(response.headers), body=body, legible=legible)
