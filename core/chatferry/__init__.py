"""chatferry carries iAdvize chat conversations into CRMs.

These are the names for authors of plugins; everything else may move.
"""

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
from chatferry.hookspecs import hookimpl
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
]
