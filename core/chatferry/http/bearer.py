"""A bearer token on its way: in the header only, and only where the connection keeps it secret."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase


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
    """Whether a URL keeps a secret from eavesdroppers: ``https://`` anywhere, ``http://`` on the loopback."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "http":
            return parts.scheme == "https" and bool(host)
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
