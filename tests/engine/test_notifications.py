from __future__ import annotations

from types import SimpleNamespace

import pytest

from chatferry import PermanentFailure, Receipt, TemporaryFailure, hookimpl
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.runners.local import LocalRunner

HOOKS = ("conversation_synced", "delivery_succeeded", "delivery_failed", "engine_started", "engine_stopping")


@pytest.fixture
def told(ferry):
    """What a plugin hears, in order: pairs of a hook's name and its arguments."""
    heard = []

    def listener(name):
        if name == "conversation_synced":
            return lambda conversation: heard.append((name, conversation))
        if name == "delivery_succeeded":
            return lambda lead, destination, receipt: heard.append((name, (lead, destination, receipt)))
        if name == "delivery_failed":
            return lambda lead, destination, error, dead: heard.append(
                (name, (lead, destination, error, dead))
            )
        if name == "engine_started":
            return lambda destinations: heard.append((name, destinations))
        return lambda: heard.append((name, None))

    hooks = {name: hookimpl(listener(name)) for name in HOOKS}
    ferry.plugins.append(SimpleNamespace(__name__="listening", **hooks))
    return heard


@pytest.fixture
def lead(told, ferry):  # noqa: ARG001  (the listener must be there before the engine is)
    (one,) = ferry.play()
    ferry.tell_closed(one)
    return one


def test_a_plugin_hears_of_a_conversation_and_of_its_delivery(ferry, told, lead):
    ferry.run()
    (synced, conversation), (succeeded, (delivered, destination, receipt)) = told
    assert (synced, succeeded) == ("conversation_synced", "delivery_succeeded")
    assert conversation.id == lead
    assert (delivered.key, destination) == (ferry.key(lead), "crm")
    assert isinstance(receipt, Receipt)


@pytest.mark.parametrize(
    ("error", "dead"), [(TemporaryFailure("busy"), False), (PermanentFailure("no such field"), True)]
)
def test_a_plugin_hears_of_a_failure_and_whether_it_is_the_end(ferry, told, lead, error, dead):
    ferry.crm.next(lambda leads: [error] * len(leads))
    ferry.run()
    name, (failed, destination, heard, ended) = told[-1]
    assert (name, destination, heard, ended) == ("delivery_failed", "crm", error, dead)
    assert failed.key == ferry.key(lead)


def test_a_listener_that_raises_costs_nothing_but_its_own_hearing(ferry, lead):
    def fall_over(conversation):
        raise RuntimeError(conversation.id)

    ferry.plugins.append(SimpleNamespace(__name__="clumsy", conversation_synced=hookimpl(fall_over)))
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED


def test_a_runner_tells_when_it_starts_and_when_it_ends(ferry, told):
    with LocalRunner(ferry.engine, reconciling=False):
        pass
    assert told == [("engine_started", ["crm"]), ("engine_stopping", None)]
