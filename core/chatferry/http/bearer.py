"""Bearer tokens: sent in the header only, and only over connections that keep them secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests


class Bearer:
    """The ``auth`` of a request: sets the header, and keeps requests from using a ``.netrc``.

    Without a token it sets no header, and still keeps ``.netrc`` out.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request
