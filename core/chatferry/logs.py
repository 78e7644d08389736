"""How chatferry logs: one line an event, as text for people or JSON for machines, on stderr.

What may be logged is decided where it is logged: ids, counts, reasons; no names, addresses, texts.
Other libraries stay below WARNING unless something is wrong: their debug output shows requests.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal, TextIO, cast

from chatferry.settings.model import LogSettings


@contextmanager
def _without(package: str) -> Iterator[None]:
    """Let an optional import of ``package`` find nothing, unless it is loaded already."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # (the documented way to say so)
    try:
        yield
    finally:
        del sys.modules[package]


# It draws tracebacks with rich where there is one. We log none, and every process would hold 4 MB for it.
with _without("rich"):
    import structlog
    from structlog import get_logger

__all__ = ["INTERVAL", "SummedLines", "configure_logging", "described", "frames", "get_logger"]

INTERVAL: Final = 60.0
"""Seconds that one line sums up."""
_KINDS: Final = 20
"""Kinds counted separately in an interval; a sender may choose the words of some."""
_OTHERS: Final = "others"


def configure_logging(settings: LogSettings) -> None:
    """Set up logging for this process."""
    as_json = settings.format == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # Its warnings show addresses, and an address may end in a visitor's.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def frames(error: BaseException) -> str:
    """Return where an error was raised, innermost last, without its message and any values.

    A traceback's texts and values may be personal data.
    """
    summary = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in summary)


def described(error: BaseException) -> str:
    """Say what was raised and where, but never in the error's own words: they may hold personal data.

    Only a failed import is quoted: it names modules, and happens before there is any data.
    """
    quoted = f" ({error})" if isinstance(error, ImportError) else ""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__} at {error.filename}:{error.lineno}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return f"{type(error).__name__}{quoted}"
    module = trace.tb_frame.f_globals.get("__name__", trace.tb_frame.f_code.co_filename)
    return f"{type(error).__name__} at {module}:{trace.tb_lineno}{quoted}"


class SummedLines:
    """Lines of one event of which others decide how many: the first of a kind at once, the rest as counts.

    Requests without a secret, or a plugin that raises at every conversation, would fill the log otherwise.
    Any thread may use it.

    :param more: the event of the line that sums up an interval of so many seconds.
    """

    def __init__(
        self,
        logger: str,
        level: Literal["warning", "error"],
        event: str,
        more: str,
        *,
        interval: float = INTERVAL,
    ) -> None:
        self._log = get_logger(logger)
        self._level, self._event, self._more, self._interval = level, event, more, interval
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._timer: threading.Timer | None = None

    def add(self, kind: str, **details: object) -> None:
        """Log a line with its details if it is the first of its kind in this interval; count it otherwise."""
        with self._lock:
            kind = kind if kind in self._counts or len(self._counts) < _KINDS else _OTHERS
            self._counts[kind] += 1
            is_first = self._counts[kind] == 1
            if self._timer is None:
                self._timer = threading.Timer(self._interval, self.sum_up)
                self._timer.daemon = True
                self._timer.start()
        if is_first:
            self._write(self._event, **({"kind": _OTHERS} if kind == _OTHERS else details))

    def sum_up(self) -> None:
        """Log what was only counted, in one line, and begin a new interval."""
        with self._lock:
            timer, self._timer = self._timer, None
            counts, self._counts = self._counts, Counter()
        if timer is not None:
            timer.cancel()
        more = {kind: count - 1 for kind, count in counts.most_common() if count > 1}
        if more:
            self._write(self._more, count=sum(more.values()), seconds=self._interval, details=more)

    def _write(self, event: str, **details: object) -> None:
        getattr(self._log, self._level)(event, **details)


class _Unfailing:
    """A stream that loses a line it cannot write: a log that is full or closed must not stop the work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()
