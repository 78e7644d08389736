"""Read many conversations with one GraphQL document; each has an outcome of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from chatferry.errors import (
    ConversationNotReady,
    LedgerError,
    PlatformAway,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
)
from chatferry.iadvize.documents import Document, Documents
from chatferry.iadvize.endpoint import Endpoint
from chatferry.iadvize.page_walk import PageWalk
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
_PROBE = Document("{ __typename }")
"""The smallest document: whether iAdvize answers at all."""
_NEEDED, _IDENTITY = frozenset({"id", "closedAt"}), frozenset({"visitorId", "email"})
"""An error at these fields of a conversation, and of its visitor, fails it; at others a value is missing."""


class ConversationBatch:
    """One reading of several conversations: raw answers, or what went wrong, by id."""

    def __init__(self, endpoint: Endpoint, time_limit: float) -> None:
        """Split documents that fail for ``time_limit`` seconds at most."""
        self._endpoint = endpoint
        self._deadline = time.monotonic() + time_limit
        self._failures = 0
        self._answers = False
        self._passed = False
        self._found: dict[str, Raw] = {}
        self._walks: dict[str, PageWalk] = {}
        self.cut_short: list[str] = []
        """The conversations whose pages of messages do not lead to the end."""

    def read(self, ids: Sequence[str]) -> Iterator[Mapping[str, Raw]]:
        """Yield every one of ``ids`` once it is complete, with all pages of its messages.

        Conversations with several pages need further documents; the others are yielded before. Of one
        whose pages go round, or never end, what they hold is yielded; see :attr:`cut_short`.
        """
        cursors: dict[str, str] = {}
        if ids and self._endpoint.throttle.is_away and (away := self._away(ids)):
            yield dict.fromkeys(ids, away)
            return
        for chunk, answer in self._ask_all(ids, _conversations):
            following: dict[str, str] = {}
            for n, identity in enumerate(chunk):
                self._found[identity] = read = _readable(answer, n, identity)
                if cursor := self._next(identity, read):
                    following[identity] = cursor
            cursors |= following
            yield self._complete(chunk, following)
        for _ in range(_MOST_PAGES):
            if not cursors:
                return
            following = self._read_pages(cursors)
            yield self._complete(cursors, following)
            cursors = following
        self.cut_short += cursors
        yield self._complete(cursors, ())

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
                page = _readable(answer, n, identity)
                self._append(identity, page)
                if cursor := self._next(identity, page):
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

    def _next(self, identity: str, page: Raw) -> str | None:
        """Return the cursor of the page of messages after ``page``, if there is one that leads on."""
        if isinstance(page, PlatformError) or isinstance(self._found[identity], PlatformError):
            return None
        found = page.get("messages")
        messages: dict[str, Any] = found if isinstance(found, dict) else {}
        info, edges = messages.get("pageInfo"), messages.get("edges")
        if not isinstance(info, dict) or info.get("hasNextPage") is not True:
            return None
        if not isinstance(edges, list):
            self._found[identity] = PlatformError("a page of messages is missing")
            return None
        cursor = info.get("endCursor")
        walk = self._walks.setdefault(identity, PageWalk())
        if walk.has_new(map(_message_id, edges)) and isinstance(cursor, str) and walk.leads_on(cursor):
            return cursor
        self.cut_short.append(identity)
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
                if final := self._final(error):
                    raise _Unrecoverable(final) from error
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

    def _away(self, ids: Sequence[str] = ()) -> PlatformAway | None:
        """Look whether the platform answers anything at all; if not, return why, and rest.

        :param ids: if there are several, one of them is asked for: the platform may answer all but
            conversations, and a single one may be what it fails on.
        """
        try:
            if len(ids) > 1:
                self._endpoint.execute(*_conversations(self._endpoint.documents(), [random.choice(ids)]))  # noqa: S311  (chance, not secrecy)
            else:
                self._endpoint.execute(_PROBE, {})
        except PlatformUnavailable as error:
            self._endpoint.throttle.away()
            return PlatformAway(str(error), retry_after=error.retry_after)
        except PlatformError:
            pass  # it answers, if only with a refusal
        self._answers = True
        self._endpoint.throttle.answered()
        return None

    def _ask(self, ids: Sequence[str], ask: Ask) -> Answer:
        result = self._endpoint.ask(lambda documents: ask(documents, ids))
        self._failures = 0
        self._passed = self._answers = True
        self._endpoint.throttle.answered()
        return result.data or {}, result.errors or ()

    def _final(self, error: PlatformError) -> PlatformError | None:
        """Return the error that a smaller document would meet as well; None to try one.

        Where iAdvize answers nothing, it is not the document: it is away. Where it answers a probe, it is,
        until the budget to find out is spent; if nothing at all has passed by then, it is away, too.
        """
        if isinstance(error, PlatformRefused):
            self._failures += 1
            return None if self._failures <= _MOST_FAILURES else error
        if isinstance(error, PlatformAway):
            self._endpoint.throttle.away()
        if isinstance(error, PlatformAway) or not isinstance(error, PlatformUnavailable) or error.retry_after:
            return error
        if not self._answers and (away := self._away()):
            return away
        self._failures += 1
        if self._failures <= _MOST_FAILURES and time.monotonic() <= self._deadline:
            return None
        if self._passed:
            return error
        self._endpoint.throttle.away()
        return PlatformAway(str(error))


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


def _message_id(edge: object) -> str | None:
    node = edge.get("node") if isinstance(edge, dict) else None
    if not isinstance(node, dict):
        return None
    return str(node.get("messageId") or node.get("systemMessageId") or node)


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
    wrong = [error for error in errors if _concerns(error, f"c{n}", raw)]
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


def _concerns(error: Mapping[str, Any], alias: str, raw: Any) -> bool:
    """Whether an error fails the conversation ``alias``, of which ``raw`` is there in spite of it."""
    path = error.get("path")
    if not isinstance(path, list) or not path:
        return raw is None
    if path[0] != alias:
        return False
    return not isinstance(raw, dict) or _is_needed(path[1:], raw)


def _is_needed(path: Sequence[Any], raw: Mapping[str, Any]) -> bool:
    """Whether a conversation waits for what is missing at a path, or goes without it.

    It waits for what says whose it is and whether it is over, and for the list of its messages. A
    strange part of one message costs that part, or that message, not the lead.
    """
    match path:
        case ["messages", *rest]:
            messages = raw.get("messages")
            listed = isinstance(messages, dict) and isinstance(messages.get("edges"), list)
            return not listed or rest[:1] == ["pageInfo"]
        case ["visitor", *rest]:
            return not isinstance(raw.get("visitor"), dict) or not rest or rest[0] in _IDENTITY
        case [name, *_]:
            return name in _NEEDED
    return True


def _where(error: Mapping[str, Any]) -> str:
    """Return the path of an error and its code; its message may hold personal data."""
    path = error.get("path")
    steps = [str(step) for step in path[1:] if isinstance(step, (str, int))] if isinstance(path, list) else []
    return f"/{'/'.join(steps)} ({code(error) or 'no code given'})"
