"""What no ledger can hold, said by a CRM or a plugin, costs no other lead its delivery."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatferry import PermanentFailure, QuotaExhausted, Receipt
from chatferry.errors import LedgerUnavailable
from chatferry.iadvize import batch
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.destinations import PauseKind
from chatferry.settings.model import RetrySettings

UNSTORABLE = {
    "crm_message": "half \ud83d of an emoji, and a NUL \0",
    "code": "c" * 200,
    "reference": "r" * 200,
}


def test_a_number_as_an_id_is_kept_as_text_and_given_to_the_connector_the_next_time(ferry):
    (one,) = ferry.play()
    ferry.tell_closed(one)
    receipts = []

    def look(leads):
        receipts.extend(lead.receipt for lead in leads)
        return [Receipt(ids={"contact": 123})] * len(leads)

    ferry.crm.next(look, look)
    ferry.run()
    ferry.tell(ferry.later(one, "satisfaction.answered", "e-csat", customerSatisfaction=5))
    ferry.run()
    assert ferry.state(one) is DeliveryState.DELIVERED
    assert receipts == [None, Receipt(ids={"contact": "123"})]


def test_what_a_crm_says_is_cut_and_cleaned_to_what_the_ledger_holds(ferry):
    ids = ferry.play(3)
    ferry.tell_closed(*ids)
    poison = ferry.key(ids[1])

    def refuse_one(leads):
        taken = ferry.crm.take(leads)
        failure = PermanentFailure("no\0 \ud83d", **UNSTORABLE)
        return [failure if lead.key == poison else one for lead, one in zip(leads, taken, strict=True)]

    ferry.crm.next(refuse_one)
    ferry.run()
    assert [ferry.state(one) for one in ids] == [
        DeliveryState.DELIVERED,
        DeliveryState.DEAD,
        DeliveryState.DELIVERED,
    ]
    dead = ferry.delivery(ids[1])
    assert (dead.code, dead.reference) == ("c" * 128, "r" * 128)
    assert dead.crm_message == "half \ufffd of an emoji, and a NUL "


def test_an_error_with_odd_attributes_about_everything_still_pauses_the_destination(ferry):
    (one,) = ferry.play()
    ferry.tell_closed(one)
    ferry.crm.next(QuotaExhausted("spent\0 \ud83d", **UNSTORABLE))
    ferry.run()
    assert ferry.ledger.destinations.state("crm").pause_kind is PauseKind.QUOTA


def test_an_error_that_holds_nothing_of_ours_is_dead_with_its_name(ferry):
    class Strange(PermanentFailure):
        def __init__(self):
            self.details = object()

        def __str__(self):
            raise ZeroDivisionError

    (one,) = ferry.play()
    ferry.tell_closed(one)
    ferry.crm.next(lambda leads: [Strange()] * len(leads))
    ferry.run()
    assert (ferry.state(one), ferry.delivery(one).reason) == (DeliveryState.DEAD, "Strange")


def test_a_lead_whose_receipt_cannot_be_read_any_more_is_dead_and_delays_no_other_delivery(ferry):
    ids = ferry.play(2)
    ferry.tell_closed(*ids)
    ferry.engine.sync()
    with ferry.ledger.database.write() as connection:
        connection.exec_driver_sql("""UPDATE deliveries SET receipt = '{"ids": {"a": 1}}' WHERE id = 1""")
    ferry.run()
    found = {ferry.delivery(one).id: ferry.delivery(one) for one in ids}
    assert [found[number].state for number in (1, 2)] == [DeliveryState.DEAD, DeliveryState.DELIVERED]
    assert "damaged" in found[1].reason


def test_an_outcome_the_ledger_refuses_all_the_same_is_dead_and_its_companions_are_recorded(ferry):
    """A rule of the database's own stands for a refusal that was not foreseen."""
    ids = ferry.play(3)
    ferry.tell_closed(*ids)
    ferry.engine.sync()
    with ferry.ledger.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE UPDATE ON deliveries WHEN new.state = 'delivered' AND new.id = 2 "
            "BEGIN SELECT raise(ABORT, 'refused'); END"
            if ferry.ledger.database.is_sqlite
            else "ALTER TABLE deliveries ADD CHECK (id <> 2 OR state <> 'delivered')"
        )
    ferry.run()
    found = {ferry.delivery(one).id: ferry.delivery(one) for one in ids}
    assert [found[number].state for number in (1, 2, 3)] == [
        DeliveryState.DELIVERED,
        DeliveryState.DEAD,
        DeliveryState.DELIVERED,
    ]
    assert found[2].reason == "what became of it cannot be written (IntegrityError)"


# ------------------------------------------------------------------------------------ what is read


class Corrupting:
    """Stands between the engine and iAdvize and changes what is read of one conversation."""

    batch_size = 50
    is_resting = False

    def __init__(self, client, conversation_id, change):
        self.client = client
        self.conversation_id = conversation_id
        self.change = change

    def begin_probe(self):
        pass

    def read(self, ids):
        found = dict(self.client.fetch(ids))
        if self.conversation_id in found:
            found[self.conversation_id] = self.change(found[self.conversation_id])
        yield found

    def close(self):
        self.client.close()


def corrupt(ferry, conversation_id, change):
    ((key, client),) = ferry.engine.clients.items()
    ferry.engine.clients[key] = Corrupting(client, conversation_id, change)


def problems(ferry) -> list[str]:
    return [problem for problem, _ in ferry.ledger.status(ferry.clock.now).problems]


def unstorable(conversation):
    return replace(conversation, tags=(object(),))


def long_visitor_id(conversation):
    return replace(conversation, visitor=replace(conversation.visitor, id="v" * 200))


def test_a_conversation_that_cannot_be_stored_blocks_none_of_its_companions(ferry):
    first, poison, last = ferry.play(3)
    ferry.tell_closed(first, poison, last)
    corrupt(ferry, poison, unstorable)
    ferry.run()
    assert [ferry.state(one) for one in (first, last)] == [DeliveryState.DELIVERED] * 2
    (problem,) = problems(ferry)
    assert problem.startswith("chatferry failed on it: TypeError at ")
    assert ferry.ledger.status(ferry.clock.now).reading.due == 0


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("_conversation", "it cannot be read (ZeroDivisionError)"),
        ("_conversations", "chatferry fails to ask for it (ZeroDivisionError)"),
    ],
)
def test_a_conversation_the_client_fails_on_blocks_none_of_its_companions(ferry, monkeypatch, step, problem):
    first, poison, last = ferry.play(3)
    ferry.tell_closed(first, poison, last)
    works = getattr(batch, step)

    def fail_on_poison(*arguments):
        if poison in arguments or poison in arguments[-1]:
            raise ZeroDivisionError
        return works(*arguments)

    monkeypatch.setattr(batch, step, fail_on_poison)
    ferry.run()
    assert [ferry.state(one) for one in (first, last)] == [DeliveryState.DELIVERED] * 2
    assert problems(ferry) == [problem]


def test_it_is_read_again_and_given_up_with_its_problem_in_the_end(ferry):
    ferry.options["retry"] = RetrySettings(first=900, longest=900, give_up_after=7200)
    (poison,) = ferry.play()
    ferry.tell_closed(poison)
    corrupt(ferry, poison, unstorable)
    for _ in range(30):
        ferry.run()
        ferry.clock.forward(900)
    (problem,) = problems(ferry)
    assert problem.startswith("given up: chatferry failed on it: TypeError at ")
    assert ferry.ledger.status(ferry.clock.now).reading.due == 0


def test_what_makes_us_fail_before_a_decision_is_kept_to_its_conversation(ferry):
    ids = ferry.play(2)
    ferry.tell_closed(*ids)
    corrupt(ferry, ids[0], lambda conversation: replace(conversation, operator_ids=None))
    ferry.run()
    assert ferry.state(ids[1]) is DeliveryState.DELIVERED
    assert problems(ferry)


def test_a_visitor_id_longer_than_any_event_could_name_is_done_without(ferry):
    ids = ferry.play(2)
    ferry.tell_closed(*ids)
    corrupt(ferry, ids[0], long_visitor_id)
    ferry.run()
    assert [ferry.state(one) for one in ids] == [DeliveryState.DELIVERED] * 2


def test_a_reading_the_ledger_refuses_all_the_same_blocks_none_of_its_companions(ferry):
    first, poison, last = ferry.play(3)
    ferry.tell_closed(first, poison, last)
    with ferry.ledger.database.write() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN new.key LIKE '%{poison}' "
            "BEGIN SELECT raise(ABORT, 'refused'); END"
            if ferry.ledger.database.is_sqlite
            else f"ALTER TABLE deliveries ADD CHECK (strpos(key, '{poison}') = 0)"
        )
    ferry.run()
    assert [ferry.state(one) for one in (first, last)] == [DeliveryState.DELIVERED] * 2
    (problem,) = problems(ferry)
    assert problem.startswith("chatferry failed on it: IntegrityError at ")


def test_conversations_a_sync_could_not_read_are_free_for_the_next(ferry):
    (one,) = ferry.play()
    ferry.tell_closed(one)

    def fail(_):
        raise LedgerUnavailable("the disk is full, for once")

    corrupt(ferry, one, fail)
    with pytest.raises(LedgerUnavailable):
        ferry.engine.sync()
    ((key, client),) = ferry.engine.clients.items()
    ferry.engine.clients[key] = client.client
    ferry.run()
    assert ferry.state(one) is DeliveryState.DELIVERED
