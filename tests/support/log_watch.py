"""Every line that is logged in any test is searched for secrets and personal data."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from private_values import private_in
from structlog._base import BoundLoggerBase
from structlog.contextvars import get_contextvars

from chatferry.settings.secrets import Secret

QUIET = {"urllib3": logging.ERROR}
"""Libraries of which less is shown than warnings (``chatferry.logs``)."""
STANDARD = frozenset(vars(logging.makeLogRecord({})))
"""What every record has; anything else of one is a field that was given."""


class LogWatch:
    """What was logged and which secrets were made since it was last asked.

    It looks where all of structlog's loggers pass, so it sees a line even where a test captures it or
    configures logging anew, and at every record of the standard library when it is made.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[str | logging.LogRecord] = []
        self._secrets: set[str] = set()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(BoundLoggerBase, "_process_event", self._watching(BoundLoggerBase._process_event))
        patch.setattr(Secret, "__init__", self._noting(Secret.__init__))

    def leaks(self) -> list[str]:
        """Return the lines that show something private, each with what that is, and begin anew."""
        with self._lock:
            lines, secrets = self._lines, self._secrets
            self._lines, self._secrets = [], set()
        texts = (line if isinstance(line, str) else _text_of(line) for line in lines)
        return [f"{sorted(shown)} in: {text}" for text in texts if (shown := private_in(text, secrets))]

    def record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make a record of the standard library."""
        made = logging.LogRecord(*args, **kwargs)
        package = made.name.partition(".")[0]
        if package.startswith("chatferry") or made.levelno >= QUIET.get(package, logging.WARNING):
            self._add(made)
        return made

    def _watching(self, process: Callable[..., Any]) -> Callable[..., Any]:
        def process_event(logger: Any, level: str, event: Any, fields: dict[str, Any]) -> Any:
            shown = {"event": event, **get_contextvars(), **logger._context, **fields}
            self._add(f"{_fields(shown)} {_traceback(fields.get('exc_info'))}")
            return process(logger, level, event, fields)

        return process_event

    def _noting(self, initialise: Callable[..., None]) -> Callable[..., None]:
        @wraps(initialise)
        def noting(secret: Secret, value: str, reference: str = "") -> None:
            initialise(secret, value, reference)
            with self._lock:
                self._secrets.add(value)

        return noting

    def _add(self, line: str | logging.LogRecord) -> None:
        with self._lock:
            self._lines.append(line)


def _text_of(record: logging.LogRecord) -> str:
    given = {name: value for name, value in vars(record).items() if name not in STANDARD}
    return f"{record.getMessage()} {_fields(given)} {_traceback(record.exc_info)}"


def _fields(shown: dict[str, Any]) -> str:
    return " ".join(
        f"{name}={value if isinstance(value, str) else repr(value)}" for name, value in shown.items()
    )


def _traceback(given: Any) -> str:
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    return "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else ""


@pytest.fixture(scope="session")
def log_watch() -> Iterator[LogWatch]:
    watch = LogWatch()
    usual = logging.getLogRecordFactory()
    with pytest.MonkeyPatch.context() as patch:
        watch.install(patch)
        logging.setLogRecordFactory(watch.record)
        yield watch
        logging.setLogRecordFactory(usual)
    _refuse(watch.leaks())


@pytest.fixture(autouse=True)
def _nothing_private_is_logged(log_watch: LogWatch) -> Iterator[None]:
    """Fail a test, once everything of it has ended, whose log shows a secret or personal data."""
    yield
    _refuse(log_watch.leaks())


def _refuse(leaks: list[str]) -> None:
    if leaks:
        pytest.fail("the log shows what is private\n" + "\n".join(leaks), pytrace=False)
