"""Every exception chatferry raises on purpose. The class of an exception decides what happens.

::

    ChatferryError
    ├── SettingsError           the configuration is wrong; nothing starts
    ├── PluginError             one plugin is unusable; the others go on
    ├── MappingError            a field's expression fails on one lead; the lead waits for an operator
    ├── WebhookRefused          the request is answered with ``status`` and forgotten
    ├── LedgerError             nothing could be stored: 503, iAdvize tries again
    │   ├── LedgerUnavailable       the ledger is out of reach
    │   └── LedgerRefused           the ledger does not take these very data
    ├── PlatformError           iAdvize did not give a conversation
    │   ├── PlatformUnavailable     try again, not before ``retry_after``
    │   ├── PlatformRefused         the document was refused: ask for less at a time
    │   ├── PlatformAuthFailure     the credentials of a client are refused
    │   └── ConversationNotReady    not there yet, or not closed yet
    └── DeliveryError           a CRM did not take a lead
        ├── TemporaryFailure        try again, not before ``retry_after``
        │   └── RateLimited             the same, because we were too fast
        ├── QuotaExhausted          pause the destination, count nothing
        ├── AuthFailure             pause the destination until a probe finds it well
        └── PermanentFailure        this lead is dead until an operator revives it

``str(error)`` is safe to log: it holds no personal data and no secret. What a CRM said in its own
words may echo an address, so it travels in ``crm_message``, which operators see and logs do not.
"""

from __future__ import annotations

from datetime import datetime


class ChatferryError(Exception):
    """The base of every error below."""


class SettingsError(ChatferryError):
    """The configuration is wrong; ``problems`` says what, where and what to do, one line each."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class PluginError(ChatferryError):
    """A plugin cannot be used; the others go on without it."""

    def __init__(self, plugin: str, reason: str) -> None:
        self.plugin = plugin
        self.reason = reason
        super().__init__(f"{plugin}: {reason}")


class MappingError(ChatferryError):
    """A field's expression fails on a lead: the mapping has to be corrected."""

    def __init__(self, destination: str, field: str, expression: str, reason: str) -> None:
        self.destination = destination
        self.field = field
        super().__init__(f'destination "{destination}", {field}: {reason} in "{expression}"')


class WebhookRefused(ChatferryError):
    """A webhook that is not ours to keep, with the HTTP ``status`` it is answered with."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        super().__init__(f"{title}: {detail}")


class LedgerError(ChatferryError):
    """The ledger could not be read or written; whatever was asked for did not happen."""


class LedgerMissing(LedgerError):
    """There is no ledger where the configuration says, and only a server makes one."""


class LedgerUnavailable(LedgerError):
    """The ledger is out of reach."""


class LedgerRefused(LedgerError):
    """The ledger does not take these very data; others may pass."""


class PlatformError(ChatferryError):
    """iAdvize did not give what was asked for."""


class PlatformUnavailable(PlatformError):
    """iAdvize is away, slow or rate limiting; ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class PlatformAway(PlatformUnavailable):
    """iAdvize answers nothing of a client at present; the client looks by itself when it does again."""


class PlatformRefused(PlatformError):
    """iAdvize refused a document as a whole: a smaller one may pass."""


class PlatformAuthFailure(PlatformError):
    """iAdvize refuses the credentials of a client."""


class ConversationNotReady(PlatformError):
    """iAdvize does not show the conversation yet."""


class DeliveryError(ChatferryError):
    """A lead was not taken.

    :param message: what happened, without personal data: it is logged.
    :param crm_message: the CRM's own words, shown to operators, never logged.
    :param code: the CRM's error code.
    :param reference: what the CRM's support asks for, such as a correlation id.
    """

    def __init__(
        self, message: str, *, crm_message: str = "", code: str | None = None, reference: str | None = None
    ) -> None:
        self.message = message
        self.crm_message = crm_message
        self.code = code
        self.reference = reference
        super().__init__(message)


class TemporaryFailure(DeliveryError):
    """Try again later, and not before ``retry_after`` seconds from now."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        crm_message: str = "",
        code: str | None = None,
        reference: str | None = None,
    ) -> None:
        self.retry_after = retry_after
        super().__init__(message, crm_message=crm_message, code=code, reference=reference)


class RateLimited(TemporaryFailure):
    """The CRM asks for a slower pace."""


class QuotaExhausted(DeliveryError):
    """The CRM takes nothing more from this account before ``until``; None when it does not say."""

    def __init__(
        self,
        message: str,
        *,
        until: datetime | None = None,
        crm_message: str = "",
        code: str | None = None,
        reference: str | None = None,
    ) -> None:
        self.until = until
        super().__init__(message, crm_message=crm_message, code=code, reference=reference)


class AuthFailure(DeliveryError):
    """The CRM refuses the account's credentials, or a permission the whole account lacks."""


class PermanentFailure(DeliveryError):
    """The CRM will never take this lead as it is."""
