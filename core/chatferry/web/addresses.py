"""Which address a request is from: the connection's, or what a trusted reverse proxy says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

from chatferry.web.asgi_messages import Head


class Addresses:
    """Tell senders apart.

    :param trusted: the addresses and networks of the reverse proxies whose ``X-Forwarded-For`` is believed.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = [ip_network(one) for one in trusted]
        self._is_trusted = lru_cache(maxsize=1024)(self._looked_up)

    def sender(self, head: Head) -> str:
        """Return the last address on the way here that is not a trusted proxy's."""
        way = [one.strip() for one in head.headers.get("x-forwarded-for", "").split(",") if one.strip()]
        sender = head.peer
        while way and self._is_trusted(sender):
            sender = way.pop()
        return sender

    def _looked_up(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)
