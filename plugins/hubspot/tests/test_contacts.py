"""Who becomes which contact."""

from __future__ import annotations

import pytest

from chatferry import PermanentFailure


def test_a_visitor_with_an_address_is_found_by_it_and_carries_the_visitor_id(account, lead, receipts):
    known = account.create("contacts", email="ana@example.com", firstname="Ana", city="Sofia")
    (receipt,) = receipts(
        account.connect(), lead(email=" Ana@Example.com ", visitor="web-42", firstname="Anna")
    )
    (contact,) = account.records("contacts")
    assert receipt.ids["contact"] == known == contact["id"]
    assert (contact["firstname"], contact["city"]) == ("Anna", "Sofia")
    assert contact["chat_visitor_id"] == "web-42"


def test_an_anonymous_visitor_is_found_by_the_visitor_id(account, lead, receipts):
    connector = account.connect()
    receipts(connector, lead(1, email=None, visitor="web-7"), lead(2, email=None, visitor="web-8"))
    receipts(connector, lead(3, email=None, visitor="web-7"))
    assert sorted(one["chat_visitor_id"] for one in account.records("contacts")) == ["web-7", "web-8"]


def test_an_anonymous_visitor_who_gives_an_address_stays_one_contact(account, lead, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead(email=None, visitor="web-7"))
    (after,) = receipts(connector, lead(email="ana@example.com", visitor="web-7"))
    (contact,) = account.records("contacts")
    assert contact["email"] == "ana@example.com"
    assert before.ids["contact"] == after.ids["contact"] == contact["id"]


def test_a_known_address_wins_over_an_anonymous_contact(account, lead, receipts):
    connector = account.connect()
    known = account.create("contacts", email="ana@example.com")
    receipts(connector, lead(email=None, visitor="web-7"))
    (after,) = receipts(connector, lead(email="ana@example.com", visitor="web-7"))
    assert after.ids["contact"] == known


def test_two_people_at_one_computer_are_two_contacts(account, lead, receipts):
    connector = account.connect()
    receipts(connector, lead(1, email="ana@example.com", visitor="web-7"))
    receipts(connector, lead(2, email="lee@example.com", visitor="web-7"))
    assert {one["email"] for one in account.records("contacts")} == {"ana@example.com", "lee@example.com"}


def test_two_people_who_were_anonymous_together_do_not_share_an_address(account, lead, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead(1, email=None, visitor="web-7"))
    ana, lee = (lead(n, email=f"{name}@example.com", visitor="web-7") for n, name in ((1, "ana"), (2, "lee")))
    first, second = receipts(connector, ana, lee)
    held = {one["email"]: one["id"] for one in account.records("contacts")}
    assert held == {"ana@example.com": first.ids["contact"], "lee@example.com": second.ids["contact"]}
    assert first.ids["contact"] == before.ids["contact"]


def test_a_merged_contact_is_written_where_it_went(account, lead, receipts):
    connector = account.connect()
    (lost,) = receipts(connector, lead(email="old@example.com", visitor="web-1"))
    winner = account.create("contacts", email="new@example.com")
    merge = {"primaryObjectId": winner, "objectIdToMerge": lost.ids["contact"]}
    account.call("POST", "/crm/objects/2026-09/contacts/merge", merge)
    (again,) = receipts(connector, lead(email="old@example.com", visitor="web-1", firstname="Ana"))
    (contact,) = account.records("contacts")
    assert again.ids["contact"] == contact["id"]
    assert contact["firstname"] == "Ana"


def test_leads_of_one_visitor_are_written_once_and_the_last_value_wins(account, lead, receipts):
    twice = [
        lead(1, email="a@example.com", firstname="A", city="Oslo"),
        lead(2, email="A@example.com", firstname="B"),
    ]
    connector = account.connect()
    calls = account.calls(lambda: receipts(connector, *twice))
    (contact,) = account.records("contacts")
    assert (contact["firstname"], contact["city"]) == ("B", "Oslo")
    assert sum(count for route, count in calls.items() if "contacts/batch" in route) == 1


def test_a_bad_lead_does_not_drag_its_visitors_other_lead_along(account, lead, deliver):
    bad = lead(1, email="a@example.com", lifecyclestage="hibernating")
    good = lead(2, email="a@example.com", firstname="Ana")
    first, second = deliver(account.connect(strict=True), bad, good)
    assert isinstance(first, PermanentFailure)
    assert second.ids["contact"] == account.records("contacts")[0]["id"]


def test_an_invalid_address_is_refused_with_hubspots_own_message_and_logged_without_it(
    account, lead, deliver
):
    bad, good = lead(1, email="not-an-email"), lead(2)
    first, second = deliver(account.connect(strict=True), bad, good)
    assert isinstance(first, PermanentFailure)
    assert first.code == "INVALID_EMAIL"
    assert "not-an-email is invalid" in first.crm_message
    assert "not-an-email" not in f"{first} {first!r}"
    assert second.ids["contact"]


def test_an_empty_value_is_sent_only_where_the_mapping_clears(account, lead, receipts):
    connector = account.connect()
    receipts(connector, lead(firstname="Ana", city="Sofia"))
    receipts(connector, lead(firstname="", city=None))
    (contact,) = account.records("contacts")
    assert contact["firstname"] == "Ana"
    assert not contact.get("city")


def test_a_lifecycle_stage_is_given_to_new_contacts_alone(account, lead, receipts):
    account.create("contacts", email="customer@example.com", lifecyclestage="customer")
    connector = account.connect(lifecycle_stage="lead")
    receipts(connector, lead(1, email="customer@example.com"), lead(2, email="new@example.com"))
    stages = {one["email"]: one.get("lifecyclestage") for one in account.records("contacts")}
    assert stages == {"customer@example.com": "customer", "new@example.com": "lead"}


def test_fields_that_depend_on_the_account_cost_one_call_a_hundred(account, lead, receipts):
    account.create("contacts", email="visitor1@example.com", city="Sofia")
    leads = [lead(n, fill_if_empty={"city": "Oslo"}, create_only={"company": "ACME"}) for n in range(1, 101)]
    connector = account.connect()
    calls = account.calls(lambda: receipts(connector, *leads))
    held = {one["email"]: (one.get("city"), one.get("company")) for one in account.records("contacts")}
    assert held["visitor1@example.com"] == ("Sofia", None)
    assert held["visitor2@example.com"] == ("Oslo", "ACME")
    assert [n for route, n in calls.items() if "contacts/batch/read" in route] == [1]


def test_a_visitor_without_address_and_id_is_known_by_the_conversation(account, lead, receipts):
    from dataclasses import replace  # noqa: PLC0415  (this test alone)

    anonymous = lead(email=None)
    erased = replace(
        anonymous,
        contact_key="",
        conversation=replace(anonymous.conversation, visitor=type(anonymous.visitor)()),
    )
    receipts(account.connect(), erased)
    assert account.records("contacts")[0]["chat_visitor_id"] == erased.key


def test_visitor_ids_that_differ_in_case_alone_are_two_visitors(account, lead, receipts):
    """HubSpot leaves the trace ids out and answers in any order."""
    account.board.switch_on("no-trace-ids")
    leads = [lead(n, email=None, visitor=f"web-{n // 2}{'aA'[n % 2]}") for n in range(20)]
    found = receipts(account.connect(), *leads)
    held = {one["id"]: one["chat_visitor_id"] for one in account.records("contacts")}
    assert [held[receipt.ids["contact"]] for receipt in found] == [
        one.conversation.visitor.id for one in leads
    ]


ZERO = {"nps": ("number", 0, "0"), "share": ("number", 0.0, "0"), "member": ("bool", False, "false")}


def zero_account(account):
    types = {name: kind for name, (kind, _, _) in ZERO.items()}
    fields = {"contact": ("email", *ZERO), "conversation": ("subject", *ZERO)}
    account.provision(fields=fields, types=types)
    return account.connect(fields=fields, types=types)


@pytest.mark.parametrize("mode", ["values", "fill_if_empty", "create_only"])
def test_zero_and_false_are_values_in_contacts_and_conversations(account, lead, receipts, mode):
    connector = zero_account(account)
    falsy = {name: value for name, (_, value, _) in ZERO.items()}
    given = falsy if mode == "values" else {mode: falsy}
    receipts(connector, lead(conversation=falsy, **given))
    written = {name: text for name, (_, _, text) in ZERO.items()}
    (contact,) = account.records("contacts")
    (chat,) = account.records("chat_conversation")
    assert {name: contact[name] for name in ZERO} == written
    assert {name: chat[name] for name in ZERO} == written
    receipts(connector, lead(fill_if_empty={"nps": 7, "share": 7, "member": True}))
    (contact,) = account.records("contacts")
    assert {name: contact[name] for name in ZERO} == written


def test_a_value_that_becomes_zero_replaces_the_other_in_hubspot(account, lead, receipts):
    connector = zero_account(account)
    receipts(connector, lead(nps=7, share=7, member=True))
    receipts(connector, lead(nps=0, share=0.0, member=False))
    (contact,) = account.records("contacts")
    assert {name: contact[name] for name in ZERO} == {name: text for name, (_, _, text) in ZERO.items()}
