# ruff: noqa: ARG002  (a strategy's signature)
from __future__ import annotations

import threading
import time

import pytest

from chatferry import Answer, Strategy
from chatferry.leads.extraction import extract
from chatferry.plugins.calls import CallHung
from chatferry.plugins.guarded_strategy import GuardedStrategy
from chatferry.testing.conversations import rich


class Does(Strategy):
    """Does as it was told."""

    name = "does"
    timeout = 60.0

    def extract(self, conversation, found):
        return self.settings["do"]()


class Hangs(Does):
    """Waits for a gate, and nobody waits for it."""

    name = "hangs"
    timeout = 0.01


def answer(name="a", value="1"):
    return Answer(name=name, value=value, message_ids=(), strategy="does")


def guarded(do, kind=Does):
    return GuardedStrategy(kind({"do": do}))


def eventually(strategy):
    """Return what a strategy finds once it is called again."""
    for _ in range(6000):
        try:
            return strategy.extract(rich(), {})
        except CallHung:
            time.sleep(0.01)
    raise AssertionError("it is called no more")


@pytest.fixture
def gate():
    """Something a strategy can wait for; open at the end, so that no thread waits for ever."""
    event = threading.Event()
    yield event
    event.set()


def test_it_finds_what_the_strategy_finds_under_its_name():
    strategy = guarded(lambda: iter([answer()]))
    assert strategy.name == "does"
    assert list(strategy.extract(rich(), {})) == [answer()]


def test_one_thread_serves_one_call_after_the_other():
    used = []
    strategy = guarded(lambda: used.append(threading.current_thread()) or [])
    for _ in range(3):
        strategy.extract(rich(), {})
    assert len(set(used)) == 1
    assert used[0] is not threading.current_thread()


def test_calls_at_the_same_time_do_not_wait_for_each_other():
    together = threading.Barrier(2)

    def meet():
        together.wait(60)
        return []

    strategy = guarded(meet)
    other = threading.Thread(target=strategy.extract, args=(rich(), {}))
    other.start()
    strategy.extract(rich(), {})
    other.join()


def test_its_thread_ends_with_it():
    used = []
    strategy = guarded(lambda: used.append(threading.current_thread()) or [])
    strategy.extract(rich(), {})
    del strategy
    used[0].join(60)
    assert not used[0].is_alive()


def test_one_that_does_not_come_back_loses_its_own_answers_and_nobody_elses(gate):
    extracted = extract(rich(), [guarded(gate.wait, Hangs), guarded(lambda: [answer()])])
    assert list(extracted.answers) == ["a"]
    [failure] = extracted.failures
    assert failure.reason == "the strategy hangs did not return within 0.01 s"


def test_one_that_hangs_again_and_again_is_called_no_more_until_it_is_back(gate):
    called = []
    strategy = guarded(lambda: called.append(1) or (gate.wait() and []), Hangs)
    for _ in range(7):
        with pytest.raises(CallHung) as lost:
            strategy.extract(rich(), {})
    assert "restart" in str(lost.value)
    assert len(called) <= 5
    gate.set()
    assert eventually(strategy) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, TimeoutError])
def test_what_the_strategy_raises_is_raised(error):
    def fail():
        raise error

    with pytest.raises(error):
        guarded(fail).extract(rich(), {})


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_a_strategy_ends_nothing_but_itself(end):
    def quit_it():
        raise end

    extracted = extract(rich(), [guarded(quit_it)])
    assert extracted.failures[0].reason == f"the strategy does raised {end.__name__}"
