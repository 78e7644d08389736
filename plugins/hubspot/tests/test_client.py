"""One call: tried again only where nothing can have been written, and never after the time for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from dripping import DRIPPING, serving

from chatferry import Context, PermanentFailure, Secret, TemporaryFailure
from chatferry.testing import DictMemory
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.connector import HubSpot


def test_a_read_whose_connection_breaks_is_tried_again_at_once(account, lead, receipts):
    account.board.switch_on("reset-before-commit=schemas:x1")
    calls = account.calls(lambda: receipts(account.connect(), lead()))
    assert calls["GET /crm-object-schemas/2026-09/schemas"] == 2


def test_a_write_whose_connection_breaks_is_left_to_the_engine(account, lead, deliver):
    account.board.switch_on("reset-after-commit=contacts:x1")
    calls = account.calls(lambda: deliver(account.connect(), lead()))
    assert calls["POST /crm/objects/2026-09/contacts/batch/upsert"] == 1


def test_after_the_time_for_a_batch_no_call_is_begun(account):
    now = SimpleNamespace(seconds=0.0)
    client = HubSpotClient(account.connect().options, DictMemory(), clock=lambda: now.seconds)
    client.begin(10)
    client.ask(Path.SCHEMAS)
    now.seconds = 10
    with pytest.raises(TemporaryFailure, match="too slow"):
        client.ask(Path.SCHEMAS)
    client.begin(10)
    client.ask(Path.SCHEMAS)
    assert client.calls == 2
    client.close()


def test_a_delivery_ends_in_its_time_even_if_the_last_call_takes_all_it_may(
    account, lead, deliver, monkeypatch
):
    from chatferry_hubspot import connector as module  # noqa: PLC0415  (to change what the class reads)

    longest = account.connect(timeout=100).options.timeout
    assert module.WORK_TIME + longest < HubSpot.timeout
    monkeypatch.setattr(module, "WORK_TIME", 0.0)
    outcomes: list[object] = []
    calls = account.calls(lambda: outcomes.extend(deliver(account.connect(), lead(1), lead(2))))
    assert all(isinstance(outcome, TemporaryFailure) for outcome in outcomes)
    assert calls == {}


def references(account, deliver):
    """Return the correlation ids of the calls that ``deliver`` makes, by their status."""
    account.calls(deliver)
    return {one["status"]: one["correlation_id"] for one in account.call("GET", "/_emulator/calls")["last"]}


def test_what_support_asks_for_is_kept_of_a_record_among_others(account, lead, deliver):
    connector, outcomes = account.connect(strict=True), []
    sent = references(account, lambda: outcomes.extend(deliver(connector, lead(1, email="bad"), lead(2))))
    assert isinstance(outcomes[0], PermanentFailure)
    assert outcomes[0].reference == sent[207]


@pytest.mark.parametrize(("fault", "status"), [("502", 502), ("html-ok", 200)])
def test_what_support_asks_for_is_kept_of_a_page_too(account, lead, deliver, fault, status):
    connector, outcomes = account.connect(storage="notes"), []
    connector.check()
    account.board.switch_on(f"{fault}=contacts:x1")
    sent = references(account, lambda: outcomes.extend(deliver(connector, lead())))
    assert isinstance(outcomes[0], TemporaryFailure)
    assert outcomes[0].reference == sent[status]


@pytest.fixture
def serve():
    with serving() as serve:
        yield serve


@pytest.mark.parametrize("answer", DRIPPING)
def test_a_hubspot_that_answers_drop_by_drop_is_left_at_the_deadline(serve, answer, tmp_path):
    context = Context(destination="crm", directory=tmp_path, memory=DictMemory())
    settings = {"access_token": Secret("pat"), "base_url": serve(answer).url, "timeout": 1}
    connector = HubSpot(HubSpot.Settings().load(settings), context)
    with pytest.raises(TemporaryFailure, match=r"in time|cannot be reached"):
        connector.client.ask(Path.SCHEMAS)
    connector.close()
