"""What systemd is told, on a real socket of its kind."""

from __future__ import annotations

import socket
import threading

import pytest

from chatferry.runners.systemd import Notifier


@pytest.fixture
def told(tmp_path):
    """The socket that systemd would read."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(10)
        yield receiver


def environ(told, **more):
    return {"NOTIFY_SOCKET": told.getsockname(), **more}


def test_it_is_said_that_the_service_is_ready_and_that_it_stops(told):
    notifier = Notifier(environ(told)).ready(lambda: True)
    assert told.recv(100) == b"READY=1"
    notifier.stopping()
    assert told.recv(100) == b"STOPPING=1"


def test_it_is_said_to_be_alive_while_it_is(told):
    alive = threading.Event()
    alive.set()
    notifier = Notifier(environ(told, WATCHDOG_USEC="20000")).ready(alive.is_set)
    assert [told.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    alive.clear()
    notifier.stopping()
    rest = list(iter(lambda: told.recv(100), b"STOPPING=1"))
    assert len(rest) < 3  # what was on its way


def test_the_watchdog_of_another_process_is_not_ours(told):
    notifier = Notifier(environ(told, WATCHDOG_USEC="1000", WATCHDOG_PID="1")).ready(lambda: True)
    notifier.stopping()
    assert [told.recv(100), told.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_without_systemd_nothing_is_said():
    Notifier({}).ready(lambda: True).stopping()


def test_a_socket_that_is_gone_stops_no_service(tmp_path):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready(lambda: True).stopping()


def test_an_abstract_socket_is_one_too():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0chatferry-test")
        receiver.settimeout(10)
        Notifier({"NOTIFY_SOCKET": "@chatferry-test"}).ready(lambda: True)
        assert receiver.recv(100) == b"READY=1"
