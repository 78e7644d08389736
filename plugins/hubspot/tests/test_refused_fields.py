"""A field that HubSpot refuses by name costs the field, not the lead; ``strict`` asks for the other way."""

from __future__ import annotations

import pytest

from chatferry import PermanentFailure, Receipt

ADDRESSES = [
    "anne..d@example.com",
    "paul@example.c0m",
    "info@bücher.example",
    "ren\u00e9@example.fr",
    "a@b.nosuch",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("storage", ["custom-object", "notes"])
def test_a_refused_address_makes_a_contact_by_the_visitors_id(account, lead, receipts, address, storage):
    connector = account.connect(storage=storage)
    bad, good = receipts(connector, lead(1, email=address, firstname="Anne"), lead(2))
    contact = next(one for one in account.records("contacts") if one["id"] == bad.ids["contact"])
    assert contact["chat_visitor_id"] == "web-1"
    assert contact["firstname"] == "Anne"
    assert not contact.get("email")
    assert bad.notes == ("the e-mail was left out: HubSpot refuses it (VALIDATION_ERROR INVALID_EMAIL)",)
    assert good.notes == ()


def test_delivered_again_it_is_the_same_contact(account, lead, receipts):
    connector = account.connect()
    (first,) = receipts(connector, lead(1, email="anne..d@example.com"))
    (second,) = receipts(connector, lead(1, email="anne..d@example.com"))
    assert first.ids == second.ids
    assert len(account.records("contacts")) == 1


def test_every_refused_field_is_left_out_and_said(account, lead, receipts):
    fields = {"lifecyclestage": "hibernating", "no_such_property": "x", "firstname": "Anne"}
    conversation = {"no_such_field": "x", "subject": "Chat"}
    bad, good = receipts(account.connect(), lead(1, conversation=conversation, **fields), lead(2))
    (contact,) = [one for one in account.records("contacts") if one["id"] == bad.ids["contact"]]
    assert (contact["firstname"], contact["email"]) == ("Anne", "visitor1@example.com")
    said = " ".join(bad.notes)
    assert all(f"{name}" in said for name in ("lifecyclestage", "no_such_field", "no_such_property"))
    assert not any("hibernating" in note for note in bad.notes)
    assert good.notes == ()


def test_where_nothing_can_be_left_out_the_lead_is_refused(account, lead, deliver):
    account.board.switch_on("400=contacts/batch/upsert")
    (outcome,) = deliver(account.connect(), lead(1))
    assert isinstance(outcome, PermanentFailure)


def test_strict_refuses_the_lead_as_before(account, lead, deliver):
    address, option, good = deliver(
        account.connect(strict=True),
        lead(1, email="anne..d@example.com"),
        lead(2, lifecyclestage="hibernating"),
        lead(3),
    )
    assert isinstance(address, PermanentFailure)
    assert isinstance(option, PermanentFailure)
    assert isinstance(good, Receipt)


def test_two_leads_of_one_visitor_both_say_what_was_left_out(account, lead, receipts):
    both = receipts(account.connect(), lead(1, lifecyclestage="x"), lead(1, lifecyclestage="x"))
    assert all("lifecyclestage was left out" in receipt.notes[0] for receipt in both)


@pytest.fixture
def tagged(account):
    """An account with a property of contacts that takes several options."""
    options = [
        {"label": label, "value": value, "displayOrder": n, "hidden": False}
        for n, (label, value) in enumerate([("VIP", "vip"), ("Garage Nord", "garage_nord")])
    ]
    body = {"name": "chat_tags", "label": "Tags", "type": "enumeration", "fieldType": "checkbox"}
    account.call(
        "POST",
        "/crm/properties/2026-09/contacts",
        {**body, "groupName": "contactinformation", "options": options},
    )
    return account


@pytest.mark.parametrize("written", ["vip; garage_nord", "VIP; Garage nord", "vip;garage_nord"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_list_becomes_the_options_of_a_checkbox(tagged, lead, receipts, written, strict):
    connector = tagged.connect(strict=strict)
    (first,) = receipts(connector, lead(1, chat_tags=written))
    receipts(connector, lead(2, chat_tags=written))
    assert first.notes == ()
    assert [one["chat_tags"] for one in tagged.records("contacts")] == ["vip;garage_nord"] * 2


def test_options_are_asked_for_once(tagged, lead, receipts):
    connector = tagged.connect()
    receipts(connector, lead(1, chat_tags="vip; garage_nord"))
    calls = tagged.calls(lambda: receipts(connector, lead(2, chat_tags="vip; garage_nord")))
    assert not any("properties" in route for route in calls)
    assert sum("contacts/batch/upsert" in route for route in calls) == 1


def test_an_option_that_hubspot_does_not_have_is_left_out_alone(tagged, lead, receipts):
    (receipt,) = receipts(tagged.connect(), lead(1, chat_tags="vip; gold"))
    assert tagged.records("contacts")[0]["chat_tags"] == "vip"
    assert receipt.notes == ("chat_tags: options left out that HubSpot does not have: 1",)


def test_leads_refused_for_different_reasons_are_all_mended(tagged, lead, receipts):
    some = (lead(1, chat_tags="vip; garage_nord"), lead(2, no_such_property="x"), lead(3, lifecyclestage="x"))
    tags, unknown, stage = receipts(tagged.connect(), *some)
    assert tags.notes == ()
    assert "no_such_property" in unknown.notes[0]
    assert "lifecyclestage" in stage.notes[0]
