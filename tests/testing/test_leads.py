from __future__ import annotations

import pytest

from chatferry.leads.extraction import lead_of
from chatferry.testing import HOSTILE, LeadFactory, Picklist, Shape, make_context, make_lead

CONTACT = Shape(
    name="contact",
    text="Name",
    other="Notes",
    email="Email",
    samples={"Score": 7},
    required="Company",
    picklist=Picklist(field="Stage", good="known", bad="nonsense"),
)
CHAT = Shape(name="chat", text="Title", other="Channel", long="Text")
LEADS = LeadFactory(contact=CONTACT, conversation=CHAT)


def test_the_same_number_makes_the_same_lead():
    assert make_lead(3) == make_lead(3)
    assert make_lead(3).key != make_lead(4).key


def test_a_lead_is_known_by_its_email_in_lower_case():
    lead = make_lead()
    assert lead.contact_key == lead.email == lead.visitor.email.lower()


@pytest.mark.parametrize(
    ("lead", "length"),
    [
        (make_lead(), 26),
        (make_lead(with_email=False), 51),
        (LEADS.poorest(), 56),
    ],
    ids=["e-mail", "visitor", "conversation"],
)
def test_leads_have_the_keys_that_the_engine_gives_them(lead, length):
    made = lead_of(lead.conversation, {})
    assert (lead.key, lead.contact_key, lead.email) == (made.key, made.contact_key, made.email)
    assert len(lead.contact_key) == length


def test_two_conversations_can_be_of_one_visitor():
    first, second = make_lead(1), make_lead(2, visitor=1)
    assert first.contact_key == second.contact_key
    assert first.key != second.key


def test_an_ordinary_lead_has_the_transcript_in_the_long_field():
    assert LEADS.ordinary().records["chat"].values["Text"] == LEADS.ordinary().transcript


def test_a_rich_lead_fills_every_field():
    assert set(LEADS.rich().records["contact"].values) == set(CONTACT.fields)


def test_the_poorest_lead_has_what_the_crm_requires_and_nothing_else():
    lead = LEADS.poorest()
    assert set(lead.records["contact"].values) == {"Company"}
    assert lead.records["chat"].values == {}
    assert lead.conversation.messages == ()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_lead_holds_its_text_in_every_object(kind):
    records = LEADS.hostile(HOSTILE[kind]).records
    assert records["contact"].values["Name"] == records["chat"].values["Title"] == HOSTILE[kind]


def test_a_memory_keeps_what_is_put_and_forgets(tmp_path):
    memory = make_context(tmp_path).memory
    memory.put("token", "a")
    assert memory.get("token") == "a"
    memory.forget("token")
    memory.forget("token")
    assert memory.get("token") is None


def test_a_restarted_connector_can_have_the_same_memory(tmp_path):
    before = make_context(tmp_path)
    before.memory.put("token", "a")
    assert make_context(tmp_path, memory=before.memory).memory.get("token") == "a"
