"""Which addresses keep what is sent there from eavesdroppers."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


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
