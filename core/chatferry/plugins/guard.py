"""Call code that is not ours: whatever it raises is caught, and it cannot hold us for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from chatferry.errors import PluginError

T = TypeVar("T")


class FailedError(Exception):
    """The call raised something; the text says what and where, and nothing of it is kept."""


class HungError(Exception):
    """The call did not come back in time; ``thread`` is where it still is."""

    def __init__(self, thread: Thread) -> None:
        self.thread = thread
        super().__init__("did not come back")


def call(function: Callable[[], T], *, timeout: float) -> T:
    """Call ``function`` in a thread of its own and wait ``timeout`` seconds for it.

    :raises HungError: if it is not back by then; the thread is abandoned.
    :raises PluginError: if the function raised one.
    :raises FailedError: if it raised anything else, ``SystemExit`` included.
    """
    future: Future[T] = Future()
    context = copy_context()

    def body() -> None:
        try:
            future.set_result(context.run(function))
        except PluginError as error:
            future.set_exception(error)
        except BaseException as error:  # noqa: BLE001  (a plugin may raise anything, SystemExit too)
            future.set_exception(FailedError(described(error)))

    thread = Thread(target=body, daemon=True, name="chatferry-plugin")
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise HungError(thread)
    return future.result()


def described(error: BaseException) -> str:
    """Say what was raised and where, but never in the error's own words: they may hold personal data.

    Only a failed import is quoted: it names modules, and happens before there is any data.
    """
    words = f" ({error})" if isinstance(error, ImportError) else ""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__} at {error.filename}:{error.lineno}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return f"{type(error).__name__}{words}"
    module = trace.tb_frame.f_globals.get("__name__", trace.tb_frame.f_code.co_filename)
    return f"{type(error).__name__} at {module}:{trace.tb_lineno}{words}"
