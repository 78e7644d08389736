"""A signal is a request to stop, not an exception between any two lines."""

from __future__ import annotations

import os
import signal
import threading

import click
import pytest

from chatferry.cli.stopping import stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_next_pause(number):
    with stop_on_signals() as stop:
        signal.raise_signal(number)  # nothing is raised here
        with pytest.raises(click.exceptions.Exit) as ended:
            stop.pause()
    assert ended.value.exit_code == 128 + number


def test_a_pause_ends_when_the_signal_comes():
    with stop_on_signals() as stop:
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGTERM]).start()
        with pytest.raises(click.exceptions.Exit):
            stop.pause(60)


def test_any_thread_may_request_the_stop():
    with stop_on_signals() as stop:
        threading.Timer(0.05, stop.request).start()
        stop.wait()


def test_nothing_happens_without_a_request():
    with stop_on_signals() as stop:
        assert stop.pause(0.01) is None


def test_a_second_signal_acts_by_default():
    # What a shell starts in the background ignores interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with stop_on_signals():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_signal_after_the_block_acts_by_default():
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
