"""chatferry carries iAdvize chat conversations into CRMs.

These are the names for authors of plugins; everything else may move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatferry._version import __version__
from chatferry.connector import Connector, Context, Finding, Level, Memory, Outcome
from chatferry.errors import (
    AuthFailure,
    DeliveryError,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    TemporaryFailure,
)
from chatferry.isolation import isolate
from chatferry.leads.transcripts import Cut, cut
from chatferry.model import (
    Answer,
    AuthorKind,
    Conversation,
    FieldMode,
    Lead,
    Message,
    Receipt,
    Record,
    Visitor,
)
from chatferry.settings.secrets import Secret, SecretField
from chatferry.strategy import Strategy

if TYPE_CHECKING:
    from chatferry.hookspecs import hookimpl

__all__ = [
    "Answer",
    "AuthFailure",
    "AuthorKind",
    "Connector",
    "Context",
    "Conversation",
    "Cut",
    "DeliveryError",
    "FieldMode",
    "Finding",
    "Lead",
    "Level",
    "Memory",
    "Message",
    "Outcome",
    "PermanentFailure",
    "QuotaExhausted",
    "RateLimited",
    "Receipt",
    "Record",
    "Secret",
    "SecretField",
    "Strategy",
    "TemporaryFailure",
    "Visitor",
    "__version__",
    "cut",
    "hookimpl",
    "isolate",
]


def __getattr__(name: str) -> Any:
    """Import what needs pluggy only for those who use it: the web process loads no plugin."""
    if name != "hookimpl":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from chatferry.hookspecs import hookimpl  # noqa: PLC0415  (see above)

    return hookimpl
