"""What every client of an HTTP API has to decide, for iAdvize's and for connectors'."""

from __future__ import annotations

import ipaddress
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

_LONGEST_WAIT = 86_400.0


class Bearer(AuthBase):
    """Puts a token into the header, never into the URL, and keeps a ``.netrc`` from putting something else.

    Without a token it signs nothing, and still keeps ``.netrc`` out.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def may_carry_secrets(url: str) -> bool:
    """Whether nobody on the way can read a secret: ``https://`` anywhere, ``http://`` on the loopback."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "http":
            return parts.scheme == "https" and bool(host)
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Return the seconds of a ``Retry-After`` header, a number or a date; a day at most, None if unreadable.

    :param now: seconds since the epoch, for a date; the present by default.
    """
    if not value:
        return None
    try:
        wait = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - (now or time.time())
    return min(max(wait, 0.0), _LONGEST_WAIT) if wait == wait else None  # noqa: PLR0124  (NaN is not itself)
