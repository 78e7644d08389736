"""Read many conversations with one GraphQL document; each has an outcome of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from chatferry.errors import (
    ConversationNotReady,
    LedgerError,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
)
from chatferry.iadvize.documents import Document, Documents
from chatferry.iadvize.endpoint import Endpoint
from chatferry.iadvize.http import Overwhelmed, Unreached
from chatferry.iadvize.throttle import Throttle
from chatferry.iadvize.transport import code
from chatferry.isolation import isolate_parts

Raw: TypeAlias = dict[str, Any] | PlatformError
"""A conversation as iAdvize returns it, or why there is none."""
Answer: TypeAlias = tuple[Mapping[str, Any], Sequence[Any]]
"""The data and the errors of one document."""
Ask: TypeAlias = Callable[[Documents, Sequence[str]], tuple[Document, Mapping[str, Any]]]
"""Makes the document and the variables for some conversations."""

_MOST_FAILURES = 10
"""In a row: enough to bisect 50 conversations for two that fail, few during an outage."""
_MOST_PAGES = 1_000
_NEEDED = frozenset({"messages", "visitor", "id", "closedAt"})
"""An error below these fields fails the conversation; below others a value is missing."""


class ConversationBatch:
    """One reading of several conversations: raw answers, or what went wrong, by id."""

    def __init__(self, endpoint: Endpoint, time_limit: float) -> None:
        """Split documents that fail for ``time_limit`` seconds at most."""
        self._endpoint = endpoint
        self._deadline = time.monotonic() + time_limit
        self._failures = 0
        self._suspicious = False
        self._found: dict[str, Raw] = {}

    def read(self, ids: Sequence[str]) -> Iterator[Mapping[str, Raw]]:
        """Yield every one of ``ids`` once it is complete, with all pages of its messages.

        Conversations with several pages need further documents; the others are yielded before.
        """
        cursors: dict[str, str] = {}
        for chunk, answer in self._ask_all(ids, _conversations):
            for n, identity in enumerate(chunk):
                self._found[identity] = _readable(answer, n, identity)
            following = {identity: cursor for identity in chunk if (cursor := self._next(identity, None))}
            cursors |= following
            yield self._complete(chunk, following)
        for _ in range(_MOST_PAGES):
            if not cursors:
                return
            following = self._read_pages(cursors)
            yield self._complete(cursors, following)
            cursors = following
        yield {
            identity: PlatformError(f"it has more than {_MOST_PAGES} pages of messages")
            for identity in cursors
        }

    def _complete(self, ids: Iterable[str], following: Collection[str]) -> Mapping[str, Raw]:
        """Return those of ``ids`` that have no further page."""
        return {identity: self._found.pop(identity) for identity in ids if identity not in following}

    def _read_pages(self, cursors: Mapping[str, str]) -> dict[str, str]:
        """Read one more page of each of these conversations; return the cursors of the next."""
        following: dict[str, str] = {}

        def pages(documents: Documents, ids: Sequence[str]) -> tuple[Document, Mapping[str, Any]]:
            variables = {f"i{n}": identity for n, identity in enumerate(ids)}
            after = {f"a{n}": cursors[identity] for n, identity in enumerate(ids)}
            return documents.pages(len(ids)), variables | after

        for chunk, answer in self._ask_all(list(cursors), pages):
            for n, identity in enumerate(chunk):
                self._append(identity, _readable(answer, n, identity))
                if cursor := self._next(identity, cursors[identity]):
                    following[identity] = cursor
        return following

    def _append(self, identity: str, page: Raw) -> None:
        read = self._found[identity]
        if isinstance(page, PlatformError) or isinstance(read, PlatformError):
            self._found[identity] = page
            return
        messages = page.get("messages")
        if not isinstance(messages, dict) or not isinstance(messages.get("edges"), list):
            self._found[identity] = PlatformError("a page of messages is missing")
            return
        read["messages"]["edges"] += messages["edges"]
        read["messages"]["pageInfo"] = messages.get("pageInfo")

    def _next(self, identity: str, last: str | None) -> str | None:
        """Return the cursor of the next page of messages, if there is one."""
        raw = self._found[identity]
        found = None if isinstance(raw, PlatformError) else raw.get("messages")
        messages: dict[str, Any] = found if isinstance(found, dict) else {}
        info = messages.get("pageInfo")
        if not isinstance(info, dict) or info.get("hasNextPage") is not True:
            return None
        cursor = info.get("endCursor")
        if isinstance(cursor, str) and cursor != last and isinstance(messages.get("edges"), list):
            return cursor
        self._found[identity] = PlatformError("/messages/pageInfo/endCursor does not lead to the next page")
        return None

    def _ask_all(
        self, ids: Sequence[str], ask: Ask
    ) -> Iterator[tuple[Sequence[str], Answer | PlatformError]]:
        """Ask for all of ``ids``, halving documents that are refused; yield each part with its answer."""
        sizes = _SizeLearner(self._endpoint.throttle)

        def send(part: Sequence[str]) -> Answer:
            try:
                answer = self._ask(part, ask)
            except PlatformError as error:
                if self._is_unrecoverable(error):
                    raise _Unrecoverable(error) from error
                sizes.refused(part)
                raise
            except LedgerError:
                raise
            except Exception as error:
                sizes.refused(part)
                raise PlatformError(f"chatferry fails to ask for it ({type(error).__name__})") from error
            sizes.passed(part)
            return answer

        size = self._endpoint.throttle.size
        for part, answer in isolate_parts(ids, send, refusal=PlatformError, stop=_Unrecoverable, size=size):
            yield part, answer.error if isinstance(answer, _Unrecoverable) else answer
        sizes.conclude()

    def _ask(self, ids: Sequence[str], ask: Ask) -> Answer:
        documents = self._endpoint.documents()
        try:
            result = self._endpoint.execute(*ask(documents, ids))
        except PlatformRefused:
            if not self._endpoint.schema_changed(documents):
                raise
            result = self._endpoint.execute(*ask(self._endpoint.documents(), ids))
        self._failures = 0
        self._endpoint.throttle.answered()
        return result.data or {}, result.errors or ()

    def _is_unrecoverable(self, error: PlatformError) -> bool:
        """Whether a smaller document would fail as well, or the budget to find out is spent."""
        if isinstance(error, PlatformRefused):
            return False
        self._failures += 1
        if self._failures > _MOST_FAILURES or time.monotonic() > self._deadline:
            return True
        return not (isinstance(error, Overwhelmed) or self._may_be_the_document(error))

    def _may_be_the_document(self, error: PlatformError) -> bool:
        """Whether the document may be the cause: iAdvize failed several in a row without Retry-After."""
        if not isinstance(error, PlatformUnavailable) or isinstance(error, Unreached) or error.retry_after:
            return False
        self._suspicious = self._suspicious or self._endpoint.throttle.unavailable()
        return self._suspicious


class _Unrecoverable(Exception):
    """A failure that concerns every document: nothing more is asked for."""

    def __init__(self, error: PlatformError) -> None:
        self.error = error
        super().__init__(str(error))


class _SizeLearner:
    """Learns the batch size from the documents of one reading that passed and that were refused."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._best = 0
        self._split: list[Sequence[str]] = []
        self._alone: set[str] = set()

    def passed(self, part: Sequence[str]) -> None:
        self._best = max(self._best, len(part))
        if not self._split:
            self._throttle.passed(len(part))

    def refused(self, part: Sequence[str]) -> None:
        if len(part) > 1:
            self._split.append(part)
        else:
            self._alone.update(part)

    def conclude(self) -> None:
        """Ask for less at a time if documents were refused for their size.

        A document that held a conversation which fails by itself says nothing about sizes, nor does a
        platform that answers nothing at all.
        """
        for_size = any(self._alone.isdisjoint(part) for part in self._split)
        if for_size and (self._best or not self._alone):
            self._throttle.refused(self._best)


def _conversations(documents: Documents, ids: Sequence[str]) -> tuple[Document, Mapping[str, Any]]:
    return documents.conversations(len(ids)), documents.conversation_variables(ids)


def _readable(answer: Answer | PlatformError, n: int, identity: str) -> Raw:
    """Return the n-th conversation of an answer; one of an unknown shape fails alone."""
    try:
        return _conversation(answer, n, identity)
    except Exception as error:  # noqa: BLE001  (one conversation must not fail the batch)
        return PlatformError(f"it cannot be read ({type(error).__name__})")


def _conversation(answer: Answer | PlatformError, n: int, identity: str) -> Raw:
    """Return the n-th conversation of an answer."""
    if isinstance(answer, PlatformError):
        return answer
    data, errors = answer
    raw = data.get(f"c{n}")
    wrong = [error for error in errors if _concerns(error, f"c{n}", whole=raw is None)]
    if wrong:
        said = ", ".join(sorted({_where(error) for error in wrong}))
        return PlatformError(f"iAdvize reports an error at {said}")
    if raw is None:
        return ConversationNotReady("iAdvize does not show it yet")
    if not isinstance(raw, dict) or str(raw.setdefault("id", identity)).lower() != identity.lower():
        return PlatformError("iAdvize answered with something else")
    raw["id"] = identity
    raw["visitorConversationCustomData"] = data.get(f"d{n}")
    return raw


def _concerns(error: Mapping[str, Any], alias: str, *, whole: bool) -> bool:
    """Whether an error fails the conversation ``alias``."""
    path = error.get("path")
    if not isinstance(path, list) or not path:
        return whole
    if path[0] != alias:
        return False
    return whole or len(path) < 2 or path[1] in _NEEDED  # noqa: PLR2004  (an alias and a field)


def _where(error: Mapping[str, Any]) -> str:
    """Return the path of an error and its code; its message may hold personal data."""
    path = error.get("path")
    steps = [str(step) for step in path[1:] if isinstance(step, (str, int))] if isinstance(path, list) else []
    return f"/{'/'.join(steps)} ({code(error) or 'no code given'})"
