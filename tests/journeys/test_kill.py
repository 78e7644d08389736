"""The server is killed, ended and started again, under load."""

from __future__ import annotations

import signal
import socket
from collections import Counter

import pytest

pytest.importorskip("chatferry_csv", reason="the journey ends in CSV files")
CONVERSATIONS = 1000


def test_every_conversation_acknowledged_before_a_kill_arrives_once_and_right(install):
    here = install()
    here.configure('[runner]\nlease = 5\n[destinations.files]\nconnector = "csv"\n')
    server = here.serve()
    playing = here.world.play_in_background(CONVERSATIONS, late=False, pushed=False)
    here.until_acknowledged(CONVERSATIONS // 3)
    here.kill(server)
    before = len(here.acknowledged())
    here.serve()
    playing.join()
    assert here.world.settle(120)
    here.until_delivered()
    here.until_rows(len(here.acknowledged()))
    rows = here.rows()
    assert before < CONVERSATIONS
    assert len(here.acknowledged()) > CONVERSATIONS // 2
    assert here.acknowledged() <= {row["key"] for row in rows}
    assert max(Counter(row["key"] for row in rows).values()) == 1
    assert {row["key"]: wrong for row in rows if (wrong := here.mistakes(row["key"], row))} == {}


@pytest.fixture
def serving(install):
    here = install()
    here.configure()
    return here, here.serve()


def test_sigterm_finishes_what_runs_and_ends_well(serving):
    here, server = serving
    here.world.play(50, late=False, pushed=False)
    here.until_acknowledged(50)
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0, here.log
    delivered = len(here.rows())
    here.serve()
    here.until_delivered()
    here.until_rows(50)
    assert delivered <= len(here.rows()) == 50


def test_the_port_is_free_after_the_main_process_alone_was_killed(serving):
    here, server = serving
    server.kill()
    server.wait(60)

    def is_free() -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return probe.connect_ex(("127.0.0.1", here.port)) != 0

    here.wait(is_free, "the web process follows")
    here.serve()
    assert here.is_ready
