"""Webhooks that were lost, and a server that was away: a comparison finds what no webhook named."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("chatferry_csv", reason="the journey ends in CSV files")


def test_one_reconciliation_finds_every_conversation_whose_webhook_was_lost(install):
    here = install()
    here.configure()
    server = here.serve()
    here.world.faults.switch_on("dropped:0.3")
    here.world.play(150, late=False, pushed=False)
    assert here.world.settle(60)
    here.until_delivered()
    here.kill(server)
    here.world.faults.switch_on("dropped")
    here.world.play(50, late=False, pushed=False)
    everything = {here.key(one) for one in here.world.ids}
    before = {row["key"] for row in here.rows()}
    assert len(before) < 0.8 * len(everything)

    here.configure(reconcile=True)
    here.serve()
    here.until_rows(len(everything))
    here.until_delivered()
    rows = Counter(row["key"] for row in here.rows())
    assert rows == dict.fromkeys(everything, 1)
