"""Failures of hooks in a server are shown by commands, which are other processes."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from chatferry.hookspecs import hookimpl
from chatferry.ledger.hook_failures import KEPT
from chatferry.plugins.failures import HookFailure
from chatferry.runners.local import LocalRunner

SAID = "plugin clumsy: delivery_succeeded raised KeyError at "


def clumsy():
    """A plugin that fails at each delivery, as one process loads it."""

    def fail(lead):
        raise KeyError(lead.email)

    return SimpleNamespace(__name__="clumsy", delivery_succeeded=hookimpl(fail))


@pytest.fixture
def failed(shop):
    """A shop that has delivered six conversations, and whose commands load the plugin again."""
    shop.install(clumsy())
    shop.find_history()
    shop.work()
    with LocalRunner(shop.engine, reconciling=False):
        pass
    shop.install(clumsy())
    return shop


def test_plugins_shows_it_beside_the_plugin(failed):
    result = failed.run("plugins", "--strict")
    assert result.exit_code == 0
    assert SAID in result.stdout
    assert "(6 times, last " in result.stdout
    failures = {one["name"]: one["failures"] for one in failed.json("plugins")}
    assert [(one["hook"], one["count"]) for one in failures["clumsy"]] == [("delivery_succeeded", 6)]
    assert failures["chatferry"] == []


def test_check_warns_of_it(failed):
    (warning,) = [
        one
        for one in failed.json("check", "--offline")
        if one["subject"] == "clumsy"
        if one["level"] == "warning"
    ]
    assert warning["message"].startswith(SAID)


def test_the_status_counts_it_among_what_needs_an_operator(failed):
    result = failed.run("status")
    assert result.exit_code == 1
    (need,) = failed.json("status")["needs"]
    assert need.startswith(SAID)
    assert "@" not in need


@pytest.mark.parametrize(
    ("version", "age"), [("0.9", 0.0), ("", KEPT + 60)], ids=["another version", "a day ago"]
)
def test_it_goes_away_with_another_version_of_the_plugin_or_after_a_day(shop, version, age):
    shop.install(clumsy())
    once = HookFailure(plugin="clumsy", version=version, hook="veto_delivery", reason="it raised")
    shop.ledger.hook_failures.add({once: 1}, time.time() - age)
    assert shop.json("status")["needs"] == []


def test_a_ledger_that_is_not_there_yet_is_not_made_for_it(shop):
    assert shop.run("plugins").exit_code == 0
    assert not (shop.config.parent / "ledger.db").exists()
