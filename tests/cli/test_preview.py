"""``chatferry preview``: what a conversation would become, nothing written."""

from __future__ import annotations

import json
import socket

import pytest
import requests
from private_values import IADVIZE_PASSWORD, IADVIZE_USER

from chatferry.http.token_store import LOGINS_A_MINUTE
from chatferry.ledger import Ledger

QUERY = """query($id: UUID!) { conversation(id: $id) {
    id createdAt closedAt channel project { id }
    messages(first: 100) { edges { node { __typename
        ... on ParticipantConversationMessage { messageId text createdAt author { __typename } } } } }
} }"""
UNKNOWN = "00000000-0000-4000-8000-000000000000"
VETO = """
    from chatferry import hookimpl

    @hookimpl
    def veto_delivery(lead, destination):
        return "not on a Sunday"
"""


@pytest.fixture
def answered(world):
    """A conversation whose first question was answered."""
    truths = (world.truth(one) for one in world.ids)
    return next(truth for truth in truths if "Q1" in truth.answers and not truth.answers["Q1"].earlier)


def only(ran):
    (destination,) = ran.json["destinations"]
    return destination


def values(ran, kind):
    return {one["field"]: one["value"] for one in only(ran)["records"][kind]}


def test_the_answers_are_shown_with_the_messages_they_came_from(run, configure, answered):
    configure()
    ran = run("preview", answered.conversation_id, "--output", "json")
    assert ran.code == 0
    (first,) = [one for one in only(ran)["answers"] if one["name"] == "Q1"]
    assert first["value"] == answered.answers["Q1"].value
    assert first["messages"] == list(answered.answers["Q1"].message_ids)


def test_the_records_are_those_the_crm_would_get(run, configure, answered):
    configure()
    ran = run("preview", answered.conversation_id, "--output", "json")
    assert only(ran)["verdict"] == "deliver"
    assert values(ran, "conversation")["Budget"] == answered.answers["Q1"].value


def test_people_get_tables(run, configure, answered):
    configure()
    ran = run("preview", answered.conversation_id)
    assert "Destination sheet: deliver" in ran.out
    assert answered.conversation_id in ran.words


def test_nothing_is_written(run, configure, answered, folder):
    configure()
    before = sorted(folder.iterdir())
    run("preview", answered.conversation_id)
    assert sorted(folder.iterdir()) == before


def test_it_uses_the_key_the_server_has(run, configure, answered, folder, world):
    configure()
    Ledger.open(f"sqlite:///{folder}/chatferry.db").close()
    before = world.tokens.given
    for _ in range(LOGINS_A_MINUTE + 2):
        assert run("preview", answered.conversation_id).code == 0
    assert world.tokens.given == before + 1


@pytest.mark.parametrize("whole", [True, False], ids=["the whole answer", "the conversation"])
def test_a_file_with_iadvizes_answer_does_as_well(run, configure, answered, folder, iadvize, whole):
    configure()
    form = {"grant_type": "password", "username": IADVIZE_USER, "password": IADVIZE_PASSWORD}
    token = requests.post(f"{iadvize}/oauth2/token", data=form).json()["access_token"]
    body = requests.post(
        f"{iadvize}/graphql",
        json={"query": QUERY, "variables": {"id": answered.conversation_id}},
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    file = folder / "conversation.json"
    file.write_text(json.dumps(body if whole else body["data"]["conversation"]))
    ran = run("preview", str(file), "--output", "json")
    assert ran.code == 0
    assert ran.json["conversation"]["id"] == answered.conversation_id


def test_the_reason_of_a_decision_is_shown(run, configure, answered):
    configure(rules="projects = [1]")
    ran = run("preview", answered.conversation_id, "--output", "json")
    assert only(ran)["verdict"] == "skip"
    assert only(ran)["reason"] == f"project {answered.project_id} is not among 1"
    assert only(ran)["records"] == {}


def test_a_veto_of_a_plugin_is_shown(run, configure, answered, install):
    configure()
    install("calendar", VETO)
    assert "not on a Sunday" in only(run("preview", answered.conversation_id, "--output", "json"))["reason"]


def test_an_expression_that_fails_on_this_lead_is_shown(run, configure, answered):
    configure(fields='[destinations.sheet.contact]\nMail = "1 / (email | length * 0)"')
    ran = run("preview", answered.conversation_id, "--output", "json")
    assert only(ran)["verdict"] == "fail"
    assert "contact.Mail" in only(ran)["reason"]


def test_a_disabled_destination_can_be_asked_for_by_name(run, configure, answered):
    configure(rules="enabled = false")
    assert run("preview", answered.conversation_id, "--output", "json").json["destinations"] == []
    named = run("preview", answered.conversation_id, "--destination", "sheet", "--output", "json")
    assert only(named)["reason"] == "the destination is disabled"


def test_an_unknown_destination_names_the_nearest(run, configure):
    configure()
    ran = run("preview", UNKNOWN, "--destination", "sheat")
    assert ran.code == 2
    assert 'did you mean "sheet"?' in ran.err


def test_a_conversation_iadvize_does_not_know_is_said(run, configure):
    configure()
    ran = run("preview", UNKNOWN)
    assert ran.code == 1
    assert "iAdvize does not show it yet" in ran.err


def test_a_client_that_is_not_configured_is_refused(run, configure):
    configure()
    ran = run("preview", UNKNOWN, "--client", "sd/1")
    assert ran.code == 2
    assert "there are: ha/335" in ran.err


def test_with_several_clients_one_must_be_named(run, configure, answered):
    path = configure()
    second = path.read_text().split("[[iadvize.clients]]")[1].split("[destinations")[0].replace("335", "336")
    path.write_text(
        path.read_text().replace(
            "[destinations.sheet]", f"[[iadvize.clients]]{second}[destinations.sheet]", 1
        )
    )
    assert "there are: ha/335, ha/336" in run("preview", answered.conversation_id).err
    assert run("preview", answered.conversation_id, "--client", "ha/335").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not JSON", "is not JSON"),
        ("[1]", "holds no conversation"),
        ('{"data": {"conversation": null}}', "holds no conversation"),
        ('{"id": null, "messages": null}', "has no id"),
    ],
)
def test_a_file_without_a_conversation_is_refused_in_a_sentence(run, configure, folder, text, said):
    configure()
    file = folder / "odd.json"
    file.write_text(text)
    ran = run("preview", str(file))
    assert ran.code == 2
    assert said in ran.err


def test_words_that_steer_a_terminal_are_shown_as_harmless(run, configure, folder):
    configure()
    said = {
        "__typename": "ParticipantConversationMessage",
        "messageId": "m",
        "createdAt": "2026-01-05T08:00:00Z",
        "text": "\x1b[2J[red]boo[/red]",
        "author": {"__typename": "Visitor"},
    }
    node = {"id": "c", "closedAt": "2026-01-05T08:01:00Z", "messages": {"edges": [{"node": said}]}}
    file = folder / "rude.json"
    file.write_text(json.dumps(node))
    ran = run("preview", str(file))
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "[red]boo[/red]" in ran.out


def test_an_iadvize_out_of_reach_ends_with_3(run, configure, monkeypatch):
    configure()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv(
            "CHATFERRY_IADVIZE__CLIENTS__0__API_URL", f"http://127.0.0.1:{listener.getsockname()[1]}"
        )
    assert run("preview", UNKNOWN).code == 3


def test_refused_credentials_end_with_2(run, configure, monkeypatch):
    configure()
    monkeypatch.setenv("IADVIZE_PASSWORD", "guessed")
    ran = run("preview", UNKNOWN)
    assert ran.code == 2
    assert "guessed" not in ran.err
