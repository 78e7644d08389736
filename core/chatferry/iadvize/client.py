"""The API of one iAdvize client: conversations by id, closed ones by time, a check of the settings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from chatferry.connector import Finding, Level
from chatferry.errors import PlatformError, PlatformRefused, PlatformUnavailable
from chatferry.http.token_store import TokenStore
from chatferry.iadvize.batch import ConversationBatch
from chatferry.iadvize.closed import ClosedPage, read_closed
from chatferry.iadvize.documents import Document
from chatferry.iadvize.endpoint import Endpoint
from chatferry.iadvize.outage import Outage
from chatferry.iadvize.parse import parse_conversation
from chatferry.iadvize.scalars import is_uuid
from chatferry.iadvize.wanted import ESSENTIAL
from chatferry.logs import get_logger
from chatferry.model import Conversation
from chatferry.settings.model import ClientSettings

_TIMEOUTS_A_READING = 4
"""How many time-outs a reading may take to isolate the conversation that causes them."""


class IAdvize:
    """One client of iAdvize; thread-safe.

    :param tokens: shared by every process of the installation.
    :param page_pause: seconds between two pages of closed conversations.
    :raises SettingsError: if the settings would send a password over plain HTTP.
    """

    def __init__(
        self,
        settings: ClientSettings,
        tokens: TokenStore,
        *,
        page_pause: float = 0.2,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._endpoint = Endpoint(settings, tokens, clock)
        self._outage = Outage(f"{settings.platform}/{settings.client_id}")
        self._page_pause = page_pause
        self._page_lock = threading.Lock()
        self._next_page_at = 0.0

    @property
    def batch_size(self) -> int:
        """How many conversations are asked for in one document at present."""
        return self._endpoint.throttle.size

    @property
    def is_resting(self) -> bool:
        """Whether nothing is to be read now: iAdvize asked for a slower pace, or is away."""
        return self._endpoint.throttle.is_resting

    def begin_probe(self) -> None:
        """If iAdvize was away, let other threads rest until the next reading knows whether it still is."""
        self._endpoint.throttle.begin_probe(self._settings.timeout * _TIMEOUTS_A_READING)

    def fetch(self, ids: Sequence[str]) -> dict[str, Conversation | PlatformError]:
        """Return one outcome an id: the whole conversation, or why there is none. It never raises."""
        outcomes = {identity: outcome for some in self.read(ids) for identity, outcome in some.items()}
        return {identity: outcomes[identity] for identity in ids}

    def read(self, ids: Sequence[str]) -> Iterator[Mapping[str, Conversation | PlatformError]]:
        """Yield the outcomes of :meth:`fetch` as they arrive, those of long conversations last."""
        wanted = {identity: is_uuid(identity) for identity in ids}
        if not all(wanted.values()):
            # Deprecated events carry integers; one of them would make the whole document invalid.
            refusal = PlatformRefused("the id of a deprecated event cannot be looked up")
            yield {identity: refusal for identity, usable in wanted.items() if not usable}
        batch = ConversationBatch(self._endpoint, self._settings.timeout * _TIMEOUTS_A_READING)
        for some in batch.read([identity for identity, usable in wanted.items() if usable]):
            self._outage.note(some.values())
            yield {
                identity: raw if isinstance(raw, PlatformError) else self._parse(raw)
                for identity, raw in some.items()
            }
        if batch.cut_short:
            get_logger("chatferry.iadvize").warning(
                "messages may be missing: iAdvize's pages of them lead nowhere",
                client=f"{self._settings.platform}/{self._settings.client_id}",
                conversations=len(batch.cut_short),
                one_of_them=batch.cut_short[0],
            )

    def closed(
        self,
        since: datetime,
        until: datetime,
        project_ids: Sequence[int] = (),
        after: str | None = None,
    ) -> ClosedPage:
        """Return a page of the conversations closed between two moments; pages are paced.

        :raises PlatformError: if iAdvize does not give it.
        """
        with self._page_lock:
            time.sleep(max(0.0, self._next_page_at - time.monotonic()))
            try:
                return read_closed(self._endpoint, since, until, project_ids, after)
            finally:
                self._next_page_at = time.monotonic() + self._page_pause

    def check(self) -> Sequence[Finding]:
        """Log in, read the schema and say what is missing; nothing is written."""
        finding = partial(Finding, subject=f"iadvize {self._settings.platform}-{self._settings.client_id}")
        try:
            documents = self._endpoint.documents()
            visible = self._sees_client(documents.client())
        except PlatformError as error:
            unreachable = isinstance(error, PlatformUnavailable) and error.retry_after is None
            message = f"{error}; check api_url" if unreachable else str(error)
            return [finding(level=Level.ERROR, message=message)]
        findings = [finding(level=Level.OK, message="the login works")]
        if not visible:
            message = f"the configured user does not see client {self._settings.client_id}; check client_id"
            findings.append(finding(level=Level.ERROR, message=message))
        missing = documents.missing
        for level, names in ((Level.ERROR, missing & ESSENTIAL), (Level.WARNING, missing - ESSENTIAL)):
            if names:
                message = f"the schema does not offer {', '.join(sorted(names))}; leads go without"
                findings.append(finding(level=level, message=message))
        return findings

    def close(self) -> None:
        """Close every connection; the client is not used again."""
        self._endpoint.close()

    def _sees_client(self, document: Document | None) -> bool:
        if document is None:
            return True
        result = self._endpoint.execute(document, {"id": self._settings.client_id})
        return (result.data or {}).get("client") is not None

    def _parse(self, raw: Mapping[str, Any]) -> Conversation | PlatformError:
        try:
            return parse_conversation(
                raw, platform=self._settings.platform, client_id=self._settings.client_id
            )
        except PlatformError as error:
            return error
        except Exception as error:  # noqa: BLE001  (one conversation must not fail the batch)
            return PlatformError(f"it cannot be read ({type(error).__name__})")
