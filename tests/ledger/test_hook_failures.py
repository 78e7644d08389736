"""Failures of plugins' hooks: one row a kind, counted."""

from __future__ import annotations

import pytest

from chatferry.model import HookFailure

NOW = 1_700_000_000.0


@pytest.fixture
def failure():
    return HookFailure(plugin="notify", version="1.0", hook="delivery_failed", reason="KeyError")


def test_the_same_failure_again_is_added_to_the_count(ledger, failure):
    other = HookFailure(plugin="notify", version="1.0", hook="delivery_failed", reason="ValueError")
    ledger.hook_failures.add({failure: 3}, NOW)
    ledger.hook_failures.add({failure: 2, other: 1}, NOW + 5)
    found = ledger.hook_failures.since(NOW)
    assert [(one.reason, one.count, one.last_at) for one in found] == [
        ("KeyError", 5, NOW + 5),
        ("ValueError", 1, NOW + 5),
    ]


def test_what_did_not_happen_again_is_forgotten(ledger, failure):
    ledger.hook_failures.add({failure: 1}, NOW)
    ledger.hook_failures.prune(NOW)
    assert len(ledger.hook_failures.since(0)) == 1
    ledger.hook_failures.prune(NOW + 1)
    assert ledger.hook_failures.since(0) == []
