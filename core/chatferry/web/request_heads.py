"""What a webhook's head alone gives away: it is refused before a byte of its body is read."""

from __future__ import annotations

import re

from chatferry.errors import WebhookRefused
from chatferry.iadvize.envelope import check_content_type
from chatferry.iadvize.signature import HEADER, digest_in
from chatferry.web.asgi_messages import Head

SIGNATURE = HEADER.lower()
_PLAIN = re.compile(r"[a-z0-9*.-]{1,20}")


def check_head(head: Head, body_limit: int) -> None:
    """Refuse a webhook that cannot be accepted whatever its body is.

    :raises WebhookRefused: 401, 413 or 415.
    """
    digest_in(head.headers.get(SIGNATURE))
    check_content_type(head.headers.get("content-type"))
    _check_encoding(head.headers.get("content-encoding", ""))
    length = head.headers.get("content-length", "")
    if length.isdecimal() and int(length[:19]) > body_limit:
        raise too_large(body_limit)


def too_large(limit: int) -> WebhookRefused:
    """Return the refusal of a body that is too long."""
    return WebhookRefused(413, "Body too large", f"a body has {limit} bytes at most (web.body_limit)")


def _check_encoding(value: str) -> None:
    codings = [coding.strip().lower() for coding in value.split(",")]
    for coding in codings:
        if coding not in {"", "identity"}:
            named = coding if _PLAIN.fullmatch(coding) else "an unknown encoding"
            detail = f"the body is encoded with {named}; send it without a Content-Encoding"
            raise WebhookRefused(415, "Unsupported content encoding", detail)
