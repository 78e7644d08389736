from __future__ import annotations

from types import SimpleNamespace

import pytest

from chatferry import PermanentFailure, Receipt, TemporaryFailure, hookimpl
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.runners.local import LocalRunner

HOOKS = ("conversation_synced", "delivery_succeeded", "delivery_failed", "engine_started", "engine_stopping")


@pytest.fixture
def notified(ferry):
    """The calls a plugin gets, in order: pairs of a hook's name and its arguments."""
    calls = []

    def listener(name):
        if name == "conversation_synced":
            return lambda conversation: calls.append((name, conversation))
        if name == "delivery_succeeded":
            return lambda lead, destination, receipt: calls.append((name, (lead, destination, receipt)))
        if name == "delivery_failed":
            return lambda lead, destination, error, dead: calls.append(
                (name, (lead, destination, error, dead))
            )
        if name == "engine_started":
            return lambda destinations: calls.append((name, destinations))
        return lambda: calls.append((name, None))

    hooks = {name: hookimpl(listener(name)) for name in HOOKS}
    ferry.plugins.append(SimpleNamespace(__name__="listening", **hooks))
    return calls


@pytest.fixture
def lead(notified, ferry):  # noqa: ARG001  (the plugin must be there before the engine is)
    (one,) = ferry.play()
    ferry.tell_closed(one)
    return one


def test_a_plugin_is_notified_of_a_conversation_and_of_its_delivery(ferry, notified, lead):
    ferry.run()
    (synced, conversation), (succeeded, (delivered, destination, receipt)) = notified
    assert (synced, succeeded) == ("conversation_synced", "delivery_succeeded")
    assert conversation.id == lead
    assert (delivered.key, destination) == (ferry.key(lead), "crm")
    assert isinstance(receipt, Receipt)


@pytest.mark.parametrize(
    ("error", "dead"), [(TemporaryFailure("busy"), False), (PermanentFailure("no such field"), True)]
)
def test_a_plugin_is_notified_of_a_failure_and_whether_it_is_the_end(ferry, notified, lead, error, dead):
    ferry.crm.next(lambda leads: [error] * len(leads))
    ferry.run()
    name, (failed, destination, reported, ended) = notified[-1]
    assert (name, destination, reported, ended) == ("delivery_failed", "crm", error, dead)
    assert failed.key == ferry.key(lead)


def test_a_hook_that_raises_costs_nothing_but_its_own_notification(ferry, lead):
    def fall_over(conversation):
        raise RuntimeError(conversation.id)

    ferry.plugins.append(SimpleNamespace(__name__="clumsy", conversation_synced=hookimpl(fall_over)))
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED


def test_a_runner_notifies_plugins_when_it_starts_and_when_it_ends(ferry, notified):
    with LocalRunner(ferry.engine, reconciling=False):
        pass
    assert notified == [("engine_started", ["crm"]), ("engine_stopping", None)]
