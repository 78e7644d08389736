"""Connections and transactions, on SQLite and PostgreSQL alike.

A transaction is *durable* when its commit must survive a loss of power: an accepted event, a login
token, a connector's memory. The rest need only survive ``kill -9``: when it is lost with the power,
the ledger still says what is due, and the work is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chatferry.errors import LedgerRefused, LedgerUnavailable, SettingsError
from chatferry.isolation import isolate
from chatferry.ledger.writer_queue import QUEUE_TIMEOUT, WriterQueue

T = TypeVar("T")

_DURABLE = "chatferry_durable"
_WRITE = "chatferry_write"
_CONNECT_SECONDS: Final = 10

REFUSALS: Final = (LedgerRefused, ValueError, TypeError, ArithmeticError)
"""What is raised because of the values that were to be written: by the database, or by its driver."""


class Database:
    """One SQLAlchemy engine and the two ways to use it, ``read`` and ``write``.

    :raises SettingsError: if the URL is not one of a database chatferry supports.
    """

    def __init__(self, url: str) -> None:
        self.url = _supported(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)
        self._queue = WriterQueue(self.path)

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None elsewhere."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextmanager
    def read(self, *, one_state: bool = False) -> Iterator[Connection]:
        """Read what is committed.

        :param one_state: whether every statement of the block sees the same, whatever is written meanwhile.
            Only PostgreSQL has to be asked for it, and takes a while longer.
        :raises LedgerUnavailable: if the database is out of reach.
        """
        engine = self.engine
        if one_state and not self.is_sqlite:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with self._translated(), engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """Change the ledger: all of the block, or nothing.

        :raises LedgerUnavailable: if it could not be committed; nothing was changed.
        :raises LedgerRefused: if that is because of the data.
        """
        with self._translated(), self._queued(), self.engine.connect() as connection:
            marked = connection.execution_options(**{_WRITE: True, _DURABLE: durable})
            with marked.begin():
                yield marked

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self._queue.close()

    def _queued(self) -> AbstractContextManager[None]:
        return self._queue.enter() if self.is_sqlite else nullcontext()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeoutError) as error:
            # SQLAlchemy's own text shows the parameters of the statement: names, addresses, texts.
            cause = error.orig if isinstance(error, DBAPIError) else error
            message = f"the ledger {_shown(self.url)} failed: {type(cause).__name__}{_hint(cause)}"
            kind = LedgerRefused if isinstance(error, DataError | IntegrityError) else LedgerUnavailable
            raise kind(message) from None


def refused_rows(rows: Sequence[T], write: Callable[[Sequence[T]], object]) -> Sequence[tuple[T, Exception]]:
    """Write rows together, or in parts where some are refused; return those, each with the cause.

    :raises LedgerUnavailable: if it is not a row's fault.
    """

    def send(part: Sequence[T]) -> Sequence[None]:
        write(part)
        return [None] * len(part)

    written = isolate(rows, send, refusal=REFUSALS, stop=())
    return [(row, _cause(error)) for row, error in zip(rows, written, strict=True) if error is not None]


def _cause(error: Exception) -> Exception:
    """Return what the driver raised: :class:`LedgerRefused` shows none of its words, which quote values."""
    cause = error.__context__ if isinstance(error, LedgerRefused) else None
    return cause if isinstance(cause, Exception) else error


def _supported(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        backend = ""
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return parsed
    message = "database: not a URL such as sqlite:///chatferry.db or postgresql://user@host/name"
    raise SettingsError(message)


def _shown(url: URL) -> str:
    """Return a URL to be read: a password may stand in its query as well."""
    plain = URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return plain.render_as_string()


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_size=8,
        max_overflow=24,
        hide_parameters=True,
        connect_args={"timeout": QUEUE_TIMEOUT, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "cache_size=-8000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        level = "FULL" if options.get(_DURABLE) else "NORMAL"
        connection.exec_driver_sql(f"PRAGMA synchronous={level}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITE) else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    try:
        import psycopg  # noqa: F401, PLC0415  (an extra: SQLite needs none)
    except ImportError as error:
        raise SettingsError(
            f'database: PostgreSQL needs its driver ({error}); install "chatferry[postgresql]"'
        ) from None
    engine = create_engine(
        url,
        pool_size=8,
        max_overflow=24,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS},
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(_WRITE) and not options.get(_DURABLE):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    return engine


_HINTS = {
    "database or disk is full": "the disk is full",
    "attempt to write a readonly database": "the file or its folder is read-only",
    "unable to open database file": "the file cannot be opened; does its folder exist, may we write there?",
    "database is locked": "another process holds it",
    "file is not a database": "the file is not an SQLite database",
    "database disk image is malformed": "the file is damaged; restore a backup, see docs/operations.md",
    "disk I/O error": "the disk reports an input/output error",
    "no such table": "it was never prepared; run chatferry check",
}


def _hint(cause: BaseException | None) -> str:
    """Say what the driver said, if it is one of the texts known to hold nothing personal."""
    text = str(cause)
    return next((f" ({hint})" for said, hint in _HINTS.items() if said in text), "")
