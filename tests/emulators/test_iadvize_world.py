from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
import phonenumbers
import pytest
from email_validator import validate_email

from chatferry.emulators.iadvize import EMULATOR, FAULTS, IAdvizeWorld
from chatferry.emulators.iadvize.render import conversation_node

MARKER = "](Q"


def scripts(world, count):
    return [world.generator.script(number) for number in range(count)]


@pytest.fixture(scope="module")
def world():
    with IAdvizeWorld(seed=1, conversations=200) as made:
        yield made


@pytest.fixture(scope="module")
def truths(world):
    return [world.truth(conversation_id) for conversation_id in world.ids]


def test_a_conversation_depends_on_the_seed_and_its_number_alone(world):
    with IAdvizeWorld(seed=1, conversations=0) as again:
        assert again.generator.script(137) == world.generator.script(137)
        assert again.generator.script(3) == world.generator.script(3)


def test_another_seed_gives_other_conversations(world):
    with IAdvizeWorld(seed=2, conversations=200) as other:
        assert not set(other.ids) & set(world.ids)


def test_ids_are_unique(world):
    lines = [line.id for script in scripts(world, 200) for line in script.lines]
    assert len(set(lines)) == len(lines)
    assert len(set(world.ids)) == 200


def test_every_kind_of_conversation_is_there(truths):
    assert {truth.language for truth in truths} == {"fr", "en", "de", "es", "it", "nl", "pt", "ar", "ja"}
    assert {truth.email_from for truth in truths} == {"profile", "message", None}
    assert {truth.phone_from for truth in truths} == {"profile", "message", None}
    assert {"CHAT", "CALL", "WHATSAPP", "SMS"} <= {truth.channel for truth in truths}
    assert any(truth.messages > 100 for truth in truths)
    assert any(truth.erased for truth in truths)
    assert any(truth.anonymised and not truth.messages for truth in truths)
    assert any(truth.unanswered for truth in truths)
    assert any(set(truth.files_only) & set(truth.unanswered) for truth in truths)
    assert any(not truth.answers and truth.messages for truth in truths)
    assert any(len(truth.operator_ids) > 2 for truth in truths)
    assert any(len(answer.message_ids) > 1 for truth in truths for answer in truth.answers.values())
    assert any(answer.earlier for truth in truths for answer in truth.answers.values())
    assert any(len(answer.value) > 1000 for truth in truths for answer in truth.answers.values())


def test_every_form_of_the_marker_is_there(world):
    said = "\n".join(
        text
        for script in scripts(world, 200)
        for line in script.lines
        for text in (line.text, *(a.get("text") or a.get("message") for a in line.attachments))
        if text
    )
    for form in ("[](Q1)", "[ ](Q1)", "[](q1)", "[](Q01)", "[]( Q1 )", "\\[\\](Q2)", "[](Q10)"):
        assert form in said


def test_questions_hide_in_menus_and_automatic_messages(world):
    places = Counter(
        attachment["__typename"]
        for script in scripts(world, 60)
        for line in script.lines
        for attachment in line.attachments
        if MARKER in str(attachment.get("message") or attachment.get("text"))
    )
    assert {"QuickReplyMenuAttachment", "AutomaticMessageSentSystemAttachment"} <= set(places)


def test_a_visitor_comes_back_in_another_conversation(truths):
    visitors = Counter(truth.visitor_id for truth in truths)
    assert {1, 2} <= set(visitors.values())


def test_an_answer_is_what_the_visitor_said_in_the_messages_it_names(world, truths):
    for truth, script in zip(truths, scripts(world, 200), strict=True):
        said = {line.id: line.text for line in script.lines if line.speaker == "visitor"}
        for answer in truth.answers.values():
            assert answer.value == "\n".join(said[message_id] for message_id in answer.message_ids)


def test_an_address_written_in_a_message_is_in_it(world, truths):
    for truth, script in zip(truths, scripts(world, 200), strict=True):
        if truth.email_from == "message":
            (line,) = [line for line in script.lines if line.id == truth.email_message_id]
            assert truth.email in line.text
            assert truth.visitor["email"] is None


def test_addresses_are_valid(truths):
    for truth in truths:
        if truth.email:
            validate_email(truth.email, check_deliverability=False)
        if truth.phone:
            assert phonenumbers.is_valid_number(phonenumbers.parse(truth.phone))


def test_an_erased_visitor_has_no_personal_field_left(world):
    conversation_id = next(i for i in world.ids if world.truth(i).visitor["email"])
    with IAdvizeWorld(seed=1, conversations=200) as own:
        own.erase_visitor(conversation_id)
        truth, node = own.truth(conversation_id), own.node(conversation_id)
    assert set(truth.visitor.values()) == {None}
    assert {node["visitor"][name] for name in truth.visitor} == {None}
    assert node["lines"]


def test_an_anonymised_conversation_has_no_messages_left():
    with IAdvizeWorld(seed=1, conversations=1) as own:
        own.anonymise(own.ids[0])
        assert own.truth(own.ids[0]).answers == {}
        assert not own.truth(own.ids[0]).answered
        assert own.node(own.ids[0])["lines"] == []
        assert own.node(own.ids[0])["customData"] == []


def test_personal_data_is_in_no_repr(world, truths):
    truth = next(truth for truth in truths if truth.email and truth.answers)
    script = next(script for script in scripts(world, 200) if script.id == truth.conversation_id)
    shown = repr(truth) + repr(script) + repr(world.performance(truth.conversation_id))
    assert truth.email not in shown
    assert next(iter(truth.answers.values())).value not in shown


def test_dates_come_in_the_three_forms_that_are_seen(world):
    endings = set()
    for conversation_id in world.ids[:60]:
        performance = world.performance(conversation_id)
        for line in conversation_node(performance, performance.ended)["lines"][:1]:
            endings.add(line["createdAt"][-4:])
    assert "UTC]" in endings
    assert "2:00" in endings
    assert any(ending.endswith("Z") for ending in endings)


def test_the_control_api_returns_the_truth(served):
    (truth, *_) = served.session.get(f"{served.url}/_emulator/truth").json()
    known = served.world.truth(served.world.ids[0])
    assert {name: answer["value"] for name, answer in truth["answers"].items()} == {
        name: answer.value for name, answer in known.answers.items()
    }
    assert truth["email"] == known.email
    assert served.session.get(f"{served.url}/_emulator/truth/unknown").status_code == 404


def test_the_control_api_plays_and_lists_deliveries(playing):
    served = playing()
    played = served.session.post(f"{served.url}/_emulator/play", json={"count": 2, "late": False}).json()
    assert served.session.post(f"{served.url}/_emulator/settle").json() == {"settled": True}
    query = {"state": "acknowledged", "event_type": "v2.conversation.closed"}
    deliveries = served.session.get(f"{served.url}/_emulator/deliveries", params=query).json()
    assert sorted(one["conversation_id"] for one in deliveries) == sorted(played["played"])
    assert served.session.get(f"{served.url}/_emulator/truth?played=1").json()[1]["conversation_id"]
    assert served.session.post(f"{served.url}/_emulator/play", json={"cuont": 2}).status_code == 400
    assert served.session.post(f"{served.url}/_emulator/play", json={"pace": 0}).status_code == 400


def test_the_control_api_switches_faults(served):
    url = f"{served.url}/_emulator/faults"
    assert served.session.post(url, json={"fault": "slow=0.1:0.5"}).json()["rate"] == 0.5
    assert served.session.post(url, json={"fault": "solw"}).status_code == 400
    assert [fault["name"] for fault in served.session.get(url).json()["on"]] == ["slow"]
    assert served.session.delete(f"{url}/slow").json()["on"] == []


def test_the_state_counts_logins_requests_and_conversations(served):
    served.ask(f'{{ a: conversation(id: "{served.world.ids[0]}") {{ id }} }}')
    state = served.session.get(f"{served.url}/_emulator/state").json()
    assert state["counters"] == {"logins": 1, "graphql requests": 1, "conversations asked for": 1}
    assert state["tokens"] == {"given": 1, "refused": 0}


def test_the_pages_show_conversations_and_escape_what_people_wrote(served):
    index = served.session.get(served.url).text
    for conversation_id in served.world.ids:
        assert conversation_id[:8] in index
    page = served.session.get(f"{served.url}/conversations/{served.world.ids[12]}").text
    assert "Delivery &amp; Pickup" in page
    assert served.session.get(f"{served.url}/conversations/unknown").status_code == 404


def test_the_pages_play_and_switch_faults(playing):
    served = playing()
    assert served.session.post(f"{served.url}/faults", data={"fault": "duplicate:x1"}).ok
    assert "duplicate" in served.session.get(f"{served.url}/faults").text
    assert served.session.post(f"{served.url}/faults", data={"fault": "nonsense"}).status_code == 400
    assert served.session.post(f"{served.url}/play", data={"count": "1"}).ok
    assert served.session.post(f"{served.url}/faults", data={"fault": "duplicate", "off": "1"}).ok
    assert served.session.get(f"{served.url}/deliveries").ok


def test_chatferry_can_emulate_it_with_every_option_left_alone():
    made = []
    command = click.Command(
        "iadvize",
        params=list(EMULATOR.options),
        callback=lambda **options: made.append(EMULATOR.create(EMULATOR.board("slow:0.5"), **options)),
    )
    command.main([], standalone_mode=False)
    world = made[0].extensions["iadvize"]
    try:
        assert len(world.ids) == 100
        assert [fault.name for fault in world.faults.on] == ["slow"]
    finally:
        world.close()


def test_chatferry_can_emulate_it_with_options(receiver):
    app = EMULATOR.create(conversations=3, clients=2, target=receiver.url, play=2, pace=2.0)
    world = app.extensions["iadvize"]
    try:
        # The last one counts as played a moment before its webhooks are on their way.
        while len(closed := [e for e in receiver.events if e["eventType"] == "v2.conversation.closed"]) < 2:
            world.closing.wait(0.01)
        assert world.settle()
        assert {e["conversationId"] for e in closed} <= set(world.ids)
        assert world.played == 2
    finally:
        world.close()


def test_the_documentation_names_every_option_and_fault():
    page = (Path(__file__).parents[2] / "docs" / "emulator-iadvize.md").read_text()
    for name, sentence in FAULTS.items():
        assert f"| `{name}` | {sentence} |" in page
    for option in EMULATOR.options:
        assert option.opts[0] in page
