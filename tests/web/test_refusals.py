from __future__ import annotations

import threading
import time

from structlog.testing import capture_logs

from chatferry.errors import WebhookRefused
from chatferry.web.refusals import Refusals


def refusal(detail: str) -> WebhookRefused:
    return WebhookRefused(401, "Bad signature", detail)


def until(happens) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_first_of_a_kind_is_logged_and_the_rest_counted():
    with capture_logs() as log:
        refusals = Refusals()
        for detail in ("a", "b", "a", "a"):
            refusals.note(refusal(detail))
        refusals.sum_up()
        refusals.sum_up()
    assert [line.get("detail") or line["details"] for line in log] == ["a", "b", {"a": 2}]
    assert log[-1]["count"] == 2


def test_an_interval_sums_itself_up_and_the_next_begins_anew():
    with capture_logs() as log:
        refusals = Refusals(interval=0.05)
        refusals.note(refusal("a"))
        refusals.note(refusal("a"))
        until(lambda: any(line["event"] == "more webhooks refused" for line in log))
        refusals.note(refusal("a"))
        refusals.sum_up()
    assert [line["event"] for line in log if line["event"] == "webhook refused"] == ["webhook refused"] * 2


def test_a_sender_who_chooses_the_words_does_not_get_a_line_for_each():
    with capture_logs() as log:
        refusals = Refusals()
        for number in range(1000):
            refusals.note(refusal(f"encoded with {number}"))
        refusals.sum_up()
    assert len(log) == 22
    assert log[-1]["details"] == {"others": 979}


def test_refusals_of_many_threads_are_all_counted():
    with capture_logs() as log:
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
