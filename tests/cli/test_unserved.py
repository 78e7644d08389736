"""A destination whose plugin does not work: every command names it and works for the others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from chatferry.hookspecs import hookimpl
from chatferry.strategy import Strategy

REASON = "plugin ledge is broken: register_connectors raised RuntimeError"


def fail():
    raise RuntimeError("kX9-secret")


def lose(shop):
    """Make the plugin with the connector of archive fail."""
    shop.install(SimpleNamespace(__name__="ledge", register_connectors=hookimpl(fail)), without="ledge")


@pytest.fixture
def broken(open_archive):
    """A shop whose six conversations are in both CRMs, and whose archive has lost its plugin since."""
    open_archive.find_history()
    open_archive.work()
    lose(open_archive)
    return open_archive


def test_the_status_names_it_and_exits_with_1(broken):
    result = broken.run("status")
    assert result.exit_code == 1
    assert f"destination archive is not served: {REASON}" in result.stdout
    assert any("archive is not served" in need for need in broken.json("status")["needs"])


def test_plugins_names_it_beside_the_plugin(broken):
    result = broken.run("plugins")
    assert result.exit_code == 0
    assert f"destination archive is not served: {REASON}" in result.stdout


def test_check_names_it_and_looks_at_the_others(broken):
    result = broken.run("check", "--offline", "--output", "json")
    assert result.exit_code == 1
    found = {one["part"]: one for one in broken.json("check", "--offline")}
    assert found["destination archive"]["message"].startswith(f"not served: {REASON}")
    assert found["destination sales"]["level"] == "ok"


def test_it_can_be_paused_and_resumed_and_is_named(broken):
    parked = broken.run("destinations", "pause", "archive", "--reason", "its plugin is being mended")
    assert parked.exit_code == 0
    assert "destination not served" in parked.stderr
    assert REASON in parked.stderr
    assert broken.run("destinations", "resume", "archive").exit_code == 0


def test_retry_says_why_it_cannot_and_works_for_the_others(broken):
    with broken.ledger.database.write() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'dead'")
    result = broken.run("retry", "--all-dead", "--yes")
    assert result.exit_code == 1
    assert "6 queued again" in result.stdout
    assert f"archive is not served: {REASON}" in result.stdout


def test_an_erasure_says_what_is_still_there_and_can_be_repeated(broken, history):
    result = broken.run("erase", history.ids[1], "--yes")
    assert result.exit_code == 1
    assert "sales: the records of 1 erased" in result.stdout
    assert (
        f"archive: the records of 1 are still there: the destination is not served: {REASON}" in result.stdout
    )
    again = broken.run("erase", history.ids[1], "--destination", "archive", "--yes")
    assert "are still there" in again.stdout
    assert len(broken.conversations("ledge")) == 6


def test_a_person_erased_meanwhile_does_not_come_back_with_the_plugin(open_archive, history):
    lose(open_archive)
    open_archive.find_history()
    open_archive.engine.sync()  # once: what waits for a destination is soon due again, and so on for ever
    open_archive.engine.deliver("sales")
    assert open_archive.run("erase", history.ids[1], "--yes").exit_code == 0
    open_archive.install()
    with open_archive.workspace() as workspace:
        engine = workspace.engine
        engine.ledger.resume_destination("archive", 0)
        with engine.ledger.database.write() as connection:
            connection.exec_driver_sql("UPDATE conversations SET due_at = 0 WHERE erased_at IS NULL")
        while engine.sync() or sum(engine.deliver(name) for name in engine.destinations):
            pass
    assert len(open_archive.conversations("ledge")) == 5


def test_why_and_preview_show_that_its_leads_wait(broken, history):
    with broken.ledger.database.write() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'due', due_at = 1")
    (story,) = broken.json("why", history.ids[1])
    advice = {one["destination"]: one["suggestion"] for one in story["destinations"]}
    assert "without its plugin" in advice["archive"]
    assert advice["sales"] is None
    foreseen = {one["name"]: one for one in broken.json("preview", history.ids[1])["destinations"]}
    assert foreseen["archive"]["verdict"] == "wait"
    assert REASON in foreseen["archive"]["reason"]


@pytest.mark.parametrize("command", [("serve", "--web-only", "--strict"), ("worker", "--strict")])
def test_the_strict_do_not_start(broken, command):
    result = broken.run(*command)
    assert result.exit_code != 0
    assert REASON in str(result.exception)


def test_a_plugins_own_code_that_fails_does_not_start_either_if_that_is_asked_for(open_shop):
    shop = open_shop('strategies = ["picky"]\n')

    class Picky(Strategy):
        name = "picky"

        def __init__(self, settings):
            raise KeyError(settings)

        def extract(self, conversation, found):
            raise AssertionError(conversation, found)

    shop.install(SimpleNamespace(__name__="choosy", register_strategies=hookimpl(lambda: [Picky])))
    assert "sales is not served: strategies.0: the plugin's own code failed with KeyError" in str(
        shop.run("worker", "--strict").exception
    )
