from __future__ import annotations

import threading
import time

import pytest
import structlog
from structlog.testing import capture_logs

from chatferry.errors import WebhookRefused
from chatferry.web.refusals import Refusals


@pytest.fixture
def log():
    structlog.reset_defaults()  # whatever another test configured
    with capture_logs() as said:
        yield said


def refusal(detail: str) -> WebhookRefused:
    return WebhookRefused(401, "Bad signature", detail)


def until(happens) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_first_of_a_kind_is_logged_and_the_rest_counted(log):
    refusals = Refusals()
    for detail in ("a", "b", "a", "a"):
        refusals.note(refusal(detail))
    refusals.sum_up()
    refusals.sum_up()
    assert [line.get("detail") or line["details"] for line in log] == ["a", "b", {"a": 2}]
    assert log[-1]["count"] == 2


def test_an_interval_sums_itself_up_and_the_next_begins_anew(log):
    refusals = Refusals(interval=0.05)

    def lines(kind: str) -> int:
        return sum(line["event"] == kind for line in log)

    def summed_up() -> bool:
        refusals.note(refusal("a"))  # until an interval holds two of them
        return lines("more webhooks refused") > 0

    until(summed_up)
    refusals.sum_up()
    before = lines("webhook refused")
    refusals.note(refusal("a"))
    assert lines("webhook refused") == before + 1
    refusals.sum_up()


def test_a_sender_who_chooses_the_words_does_not_get_a_line_for_each(log):
    refusals = Refusals()
    for number in range(1000):
        refusals.note(refusal(f"encoded with {number}"))
    refusals.sum_up()
    assert len(log) == 22
    assert log[-1]["details"] == {"others": 979}


def test_refusals_of_many_threads_are_all_counted(log):
    refusals = Refusals()

    def note() -> None:
        for _ in range(200):
            refusals.note(refusal("a"))

    threads = [threading.Thread(target=note) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refusals.sum_up()
    assert [line.get("count", 1) for line in log] == [1, 1599]
