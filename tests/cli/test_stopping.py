"""Being told to stop is news, not an exception between any two lines."""

from __future__ import annotations

import os
import signal
import threading

import click
import pytest

from chatferry.cli.stopping import stopping


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_heard_at_the_next_pause(number):
    with stopping() as told:
        signal.raise_signal(number)  # nothing is raised here
        with pytest.raises(click.exceptions.Exit) as ended:
            told.pause()
    assert ended.value.exit_code == 128 + number


def test_a_pause_ends_when_the_signal_comes():
    with stopping() as told:
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGTERM]).start()
        with pytest.raises(click.exceptions.Exit):
            told.pause(60)


def test_any_thread_may_ask_for_the_end():
    with stopping() as told:
        threading.Timer(0.05, told.tell).start()
        told.wait()


def test_nothing_happens_when_nobody_asks():
    with stopping() as told:
        assert told.pause(0.01) is None


def test_a_second_signal_acts_as_it_always_did():
    # What a shell starts in the background ignores interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with stopping():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_signal_after_the_block_acts_as_it_always_did():
    before = signal.getsignal(signal.SIGTERM)
    with stopping():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
