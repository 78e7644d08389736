from __future__ import annotations

import threading

from chatferry.ledger.destinations import Pause, PauseKind
from chatferry.ledger.leases import new_owner

NOW = 1_700_000_000.0


def test_a_lease_is_one_owners_until_it_runs_out(ledger):
    leases = ledger.leases
    assert leases.take("work", "a", NOW, NOW + 60)
    assert leases.take("work", "a", NOW, NOW + 60)
    assert not leases.take("work", "b", NOW + 59, NOW + 99)
    assert leases.take("work", "b", NOW + 61, NOW + 99)


def test_only_its_owner_gives_a_lease_back(ledger):
    ledger.leases.take("work", "a", NOW, NOW + 60)
    ledger.leases.give_back("work", "b")
    assert not ledger.leases.take("work", "b", NOW, NOW + 60)
    ledger.leases.give_back("work", "a")
    assert ledger.leases.take("work", "b", NOW, NOW + 60)


def test_of_many_who_ask_at_once_one_gets_the_lease(ledger):
    taken = []

    def ask(name):
        if ledger.leases.take("work", name, NOW, NOW + 60):
            taken.append(name)

    threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1


def test_every_process_has_a_name_of_its_own():
    assert new_owner() != new_owner()


def test_a_destination_is_taken_paused_or_not(fill):
    destinations = fill.ledger.destinations
    destinations.pause_by_operator("sales", "a migration")
    assert destinations.take("sales", "a", NOW, NOW + 60)
    assert not destinations.take("sales", "b", NOW, NOW + 60)
    destinations.give_back("sales", "b")
    assert not destinations.take("sales", "b", NOW, NOW + 60)
    destinations.give_back("sales", "a")
    assert destinations.take("sales", "b", NOW, NOW + 60)


def test_what_was_put_off_while_the_clock_was_ahead_is_due_once_it_is_right(fill):
    ledger, ahead = fill.ledger, NOW + 365 * 86400
    fill.put(at=ahead)
    fill.mark("c2", ahead)
    ledger.destinations.take("sales", ledger.owner, ahead, ahead + 60)
    ledger.destinations.pause("sales", Pause(kind=PauseKind.BACKING_OFF, reason="away", until=ahead + 60))
    ledger.destinations.take("sales", "dead", ahead, ahead + 60)
    ledger.leases.take("work", "dead", ahead, ahead + 60)
    ledger.repair_clock(NOW)
    assert len(ledger.conversations.lease("me", NOW, NOW + 60, 50)) == 1
    assert len(ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries) == 1
    assert ledger.leases.take("work", "me", NOW, NOW + 60)


def test_what_waits_on_purpose_goes_on_waiting(fill):
    ledger = fill.ledger
    fill.mark("c1", NOW + 7 * 86400)
    ledger.destinations.pause_by_operator("sales", "a migration")
    ledger.repair_clock(NOW)
    assert ledger.conversations.lease("me", NOW, NOW + 60, 50) == []
    assert ledger.destinations.state("sales").pause_kind is PauseKind.OPERATOR


def test_a_heartbeat_extends_what_its_process_has_leased_by_name_and_nothing_else(ledger):
    ledger.leases.take("work", ledger.owner, NOW, NOW + 60)
    ledger.leases.take("other work", "another", NOW, NOW + 60)
    ledger.extend(NOW + 600, [])
    assert not ledger.leases.take("work", "b", NOW + 300, NOW + 900)
    assert ledger.leases.take("other work", "b", NOW + 61, NOW + 900)


def test_extending_keeps_the_destinations_one_serves(fill):
    ledger = fill.ledger
    fill.put()
    ledger.deliveries.lease("sales", ledger.owner, NOW, NOW + 60, limit=9, linger=0)
    ledger.extend(NOW + 600, [])
    assert not ledger.destinations.take("sales", "b", NOW + 300, NOW + 900)
    assert ledger.destinations.take("sales", "b", NOW + 601, NOW + 900)


def test_extending_keeps_the_conversations_one_reads_and_no_others(fill):
    ledger = fill.ledger
    for name in ("c1", "c2", "c3"):
        fill.mark(name)
    read, left = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 2)
    (theirs,) = ledger.conversations.lease("another", NOW, NOW + 60, 2)
    ledger.extend(NOW + 600, [read.id, theirs.id])
    free = ledger.conversations.lease("me", NOW + 61, NOW + 120, 9)
    assert [one.id for one in free] == [left.id, theirs.id]


def test_logins_of_the_future_are_forgotten_and_the_others_count(ledger):
    ahead = NOW + 365 * 86400
    for at in [ahead] * 9 + [NOW]:
        assert ledger.tokens.login_allowed("user", at) == 0
    ledger.repair_clock(NOW)
    allowed = [ledger.tokens.login_allowed("user", NOW + 1) for _ in range(10)]
    assert allowed[:9] == [0] * 9
    assert allowed[9] > 0
