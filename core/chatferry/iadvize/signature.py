"""The signature of a webhook: HMAC-SHA256 over the raw bytes (iAdvize docs, "App security")."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from chatferry.errors import WebhookRefused
from chatferry.settings.secrets import Secret

HEADER = "X-iAdvize-Signature"
_ALGORITHM = "sha256"
_DIGITS = 64


def sign(secret: Secret, raw: bytes) -> str:
    """Return the header value iAdvize would send with ``raw``: ``sha256=<hex>``."""
    return f"{_ALGORITHM}={_digest(secret, raw)}"


def verify(secrets: Sequence[Secret], raw: bytes, header: str | None) -> None:
    """Accept ``raw`` if one of ``secrets`` signed it; every secret is tried in constant time.

    :raises WebhookRefused: with status 401, saying what is wrong with the signature.
    """
    given = _given(header)
    # No short cut: the time this takes must not reveal which secret matched.
    matches = [hmac.compare_digest(given, _digest(secret, raw)) for secret in secrets]
    if not any(matches):
        raise _refused("the signature does not belong to this body and this app's secret token")


def _digest(secret: Secret, raw: bytes) -> str:
    return hmac.digest(secret.reveal().encode(), raw, _ALGORITHM).hex()


def _given(header: str | None) -> str:
    """Return the digest of a header that has the right shape, in lower case."""
    if header is None or not header.strip():
        raise _refused(f"the header {HEADER} is missing")
    scheme, _, digest = header.strip().partition("=")
    if scheme.lower() != _ALGORITHM:
        raise _refused(f"only {_ALGORITHM} signatures are accepted")
    digest = digest.lower()
    # compare_digest raises on text that is not ASCII, so nothing else may reach it.
    if len(digest) != _DIGITS or not digest.isascii():
        raise _refused(f"the signature is not {_DIGITS} hexadecimal digits")
    return digest


def _refused(detail: str) -> WebhookRefused:
    return WebhookRefused(401, "Bad signature", detail)
