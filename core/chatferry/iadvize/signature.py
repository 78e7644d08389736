"""The signature of a webhook: HMAC-SHA256 over the raw bytes (iAdvize docs, "App security")."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence

from chatferry.errors import WebhookRefused
from chatferry.settings.secrets import Secret

HEADER = "X-iAdvize-Signature"
_ALGORITHM = "sha256"
_DIGITS = 64
_DIGEST = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")


def sign(secret: Secret, raw: bytes) -> str:
    """Return the header value iAdvize would send with ``raw``: ``sha256=<hex>``."""
    return f"{_ALGORITHM}={_digest(secret, raw)}"


def verify(secrets: Sequence[Secret], raw: bytes, header: str | None) -> None:
    """Accept ``raw`` if one of ``secrets`` signed it; every secret is tried in constant time.

    :raises WebhookRefused: with status 401, saying what is wrong with the signature.
    """
    given = digest_in(header)
    # No short cut: the time this takes must not reveal which secret matched.
    matches = [hmac.compare_digest(given, _digest(secret, raw)) for secret in secrets]
    if not any(matches):
        raise _refused("the signature does not belong to this body and this app's secret token")


def _digest(secret: Secret, raw: bytes) -> str:
    return hmac.digest(secret.reveal().encode(), raw, _ALGORITHM).hex()


def digest_in(header: str | None) -> str:
    """Return the digest of a header that has the right shape, in lower case.

    A header that was sent twice, or folded into one with a comma, counts once if both say the same.

    :raises WebhookRefused: with status 401, if it has not.
    """
    given = {_digest_of(value) for value in (header or "").split(",") if value.strip()}
    if not given:
        raise _refused(f"the header {HEADER} is missing")
    if len(given) > 1:
        raise _refused(f"the header {HEADER} is there more than once, with different signatures")
    return given.pop()


def _digest_of(value: str) -> str:
    scheme, _, digest = value.strip().partition("=")
    if scheme.lower() != _ALGORITHM:
        raise _refused(f"only {_ALGORITHM} signatures are accepted")
    digest = digest.strip().lower()
    if _DIGEST.fullmatch(digest) is None:
        raise _refused(f"the signature is not {_DIGITS} hexadecimal digits")
    return digest


def _refused(detail: str) -> WebhookRefused:
    return WebhookRefused(401, "Bad signature", detail)
