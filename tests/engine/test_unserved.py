"""A plugin that does not work, and a destination that needs it: its leads wait, the others' do not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from chatferry import Connector, hookimpl
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.stories import Name
from chatferry.runners.local import LocalRunner
from chatferry.settings.model import LiveSettings, RetrySettings, StrategySettings

pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


def plugin(**hooks):
    """A plugin called ``gone``, which is also the name of its connector."""
    marked = {name: hookimpl(function) for name, function in hooks.items()}
    return SimpleNamespace(__name__="gone", **marked)


def fail():
    raise RuntimeError("no")


@pytest.fixture
def gone(ferry):
    """A destination whose connector a plugin should register that fails; mend it by calling this."""
    crm = ferry.destination("other", connector="gone")
    ferry.plugins.append(plugin(register_connectors=fail))

    class Gone(Connector):
        name = "gone"

        def deliver(self, leads):
            return crm.deliver(leads)

        def check(self):
            return []

    def mend():
        ferry.plugins[:] = [plugin(register_connectors=lambda: [Gone])]
        return ferry.another(ferry.ledger)

    return mend


def waiting(ferry):
    return ferry.ledger.status(ferry.clock.now + 3600).reading.waiting


def test_the_others_are_delivered_meanwhile_and_once(ferry, gone):  # noqa: ARG001  (must be there)
    ids = ferry.play(3)
    ferry.tell_closed(*ids)
    for _ in range(5):
        ferry.run()
        ferry.clock.forward(3600)
    assert [ferry.state(one) for one in ids] == [DeliveryState.DELIVERED] * 3
    assert len(ferry.crm.delivered) == 3
    assert list(ferry.engine.destinations) == ["crm"]
    where = f"{__name__}:{fail.__code__.co_firstlineno + 1}"
    reason = f"plugin gone is broken: register_connectors raised RuntimeError at {where}"
    assert ferry.engine.unserved["other"].reason == reason


def test_its_leads_wait_for_as_long_as_it_takes_and_come_once_the_plugin_works(ferry, gone):
    ids = ferry.play(3)
    ferry.tell_closed(*ids)
    for _ in range(20):
        ferry.run()
        ferry.clock.forward(6 * 3600)
    assert waiting(ferry) == 3
    (problem, _) = ferry.ledger.status(ferry.clock.now).problems[0]
    assert problem.startswith("other: is not served: plugin gone is broken")
    # One reading without an answer of iAdvize must not look like the last of twenty failures.
    assert {ferry.ledger.stories.conversation_rows(Name.read(one))[0].attempts for one in ids} == {11}
    mended = gone()
    ferry.run(mended)
    assert [ferry.state(one, "other") for one in ids] == [DeliveryState.DELIVERED] * 3
    assert len(ferry.crms["other"].delivered) == len(ferry.crm.delivered) == 3
    assert waiting(ferry) == 0


def test_what_was_queued_for_it_stays_queued(ferry, gone):
    mended = gone()
    (lead,) = ferry.play()
    ferry.tell_to(mended, ferry.webhook(lead))
    mended.sync()
    ferry.plugins[:] = [plugin(register_connectors=fail)]
    broken = ferry.another(ferry.ledger)
    ferry.run(broken)
    assert ferry.state(lead) is DeliveryState.DELIVERED
    assert ferry.state(lead, "other") is DeliveryState.DUE
    ferry.run(mended)
    assert ferry.state(lead, "other") is DeliveryState.DELIVERED


def test_what_its_rules_do_not_want_does_not_wait_for_it(ferry, gone):  # noqa: ARG001  (must be there)
    ferry.destination("other", connector="gone", projects=(1,))
    (lead,) = ferry.play()
    ferry.tell_closed(lead)
    ferry.run()
    assert ferry.state(lead, "other") is DeliveryState.SKIPPED
    assert waiting(ferry) == 0


def test_a_running_conversation_is_read_for_the_others_as_often_as_ever(ferry, gone):  # noqa: ARG001  (must be there)
    ferry.destination("crm", live=True)
    ferry.destination("other", connector="gone", live=True)
    ferry.options["live"] = LiveSettings(interval=30)
    ferry.options["retry"] = RetrySettings(first=3600)
    (running,) = ferry.play(live=True, pace=0.001)
    ferry.tell(ferry.webhook(running, "v2.conversation.pushed"))
    ferry.clock.forward(30)
    ferry.run()
    assert ferry.state(running) is DeliveryState.DELIVERED
    assert ferry.ledger.stories.conversation_rows(Name.read(running))[0].due_at == ferry.clock.now + 30


def test_a_strategy_of_the_plugin_is_missed_like_its_connector(ferry):
    ferry.destination("other", strategies=(StrategySettings(name="guesses"),))
    ferry.plugins.append(plugin(register_strategies=fail))
    (lead,) = ferry.play()
    ferry.tell_closed(lead)
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED
    assert 'there is no strategy "guesses"' in ferry.engine.unserved["other"].reason


def test_a_connector_of_a_plugin_that_is_refused_is_missed_whatever_the_plugin_is_called(ferry):
    class Both(Connector):
        name = "both"

        def deliver(self, leads):
            raise AssertionError(leads)

        def check(self):
            return []

    ferry.destination("other", connector="both")
    for name in ("one", "two"):
        offer = hookimpl(lambda: [Both])
        ferry.plugins.append(SimpleNamespace(__name__=name, register_connectors=offer))
    assert "is refused" in ferry.engine.unserved["other"].reason


def test_a_runner_serves_the_others(ferry, gone):  # noqa: ARG001  (must be there)
    calls = []

    def started(destinations):
        calls.append(destinations)

    ferry.plugins.append(SimpleNamespace(__name__="listener", engine_started=hookimpl(started)))
    with LocalRunner(ferry.engine, reconciling=False) as runner:
        assert calls == [["crm"]]
    assert not runner.failed
    assert ferry.ledger.selections.count(Selection()) == 0
