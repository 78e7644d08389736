"""For clients of an HTTP API, iAdvize's and connectors' alike: tokens in headers, and how long to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatferry.http.waiting import retry_after

if TYPE_CHECKING:
    from chatferry.http.bearer import Bearer, may_carry_secrets

__all__ = ["Bearer", "may_carry_secrets", "retry_after"]


def __getattr__(name: str) -> Any:
    """Import what needs requests only for those who use it: the web process talks to no platform."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from chatferry.http import bearer  # noqa: PLC0415  (see above)

    return getattr(bearer, name)
