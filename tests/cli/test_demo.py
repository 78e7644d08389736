"""``chatferry demo``: one whole run, and the differences that the comparison finds."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import tomllib
from contextlib import contextmanager
from dataclasses import replace

import pytest
from private_values import refuse_private

from chatferry.cli.demo.run import DemoPlan, demonstrate
from chatferry.cli.demo.truth import compare, key_of
from chatferry.emulators.stage import Arrived, Stage

CsvConnector = pytest.importorskip(
    "chatferry_csv.connector", reason="the demonstration's leads go into CSV files"
).CsvConnector

COMMAND = (sys.executable, "-m", "chatferry", "demo")
MAPPING = {
    "contact": {"mail": "email", "phone": "visitor.phone or answers.phone"},
    "conversation": {"budget": "answers.Q1", "closed": "conversation.closed_at", "odd": "conversation.tags"},
}


def test_every_lead_arrives_as_the_emulator_knows_it(tmp_path):
    folder = tmp_path / "demo"
    ran = subprocess.run(
        [*COMMAND, "--conversations", "30", "--directory", folder, "--output", "json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        # A setting of ours must not reach the demonstration's server.
        env={"CHATFERRY_WEB__PORT": "1"},
    )
    refuse_private(ran.stderr + (folder / "serve.log").read_text())
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["differences"]) == (0, [])
    assert found["arrived"] == found["conversations"] == 30
    assert found["fields"]["conversation.Q1"]["right"] > 20
    columns = {*CsvConnector.mapping["contact"], *CsvConnector.mapping["conversation"]}
    assert {name.partition(".")[2] for name in found["fields"]} == columns  # none goes by unseen
    assert found["misbehaved"]["duplicate"] > 0
    assert [line.rsplit("/", 1)[-1] for line in found["places"]] == ["contacts.csv", "conversations.csv"]
    assert len((folder / "conversations.csv").read_bytes()) > 10_000
    assert port_is_free(folder)


@pytest.mark.slow
def test_the_time_is_that_of_the_last_lead_though_one_is_wrong(tmp_path):
    began, arrivals = time.monotonic(), {}

    class Garbling(CsvConnector):
        """Shows a wrong e-mail in one lead, for ever."""

        @classmethod
        @contextmanager
        def stage(cls, directory):
            with CsvConnector.stage(directory) as real:

                def held():
                    for one in real.held():
                        arrivals.setdefault(one.key, time.monotonic() - began)
                        yield changed(one, "conversation", channel="PIGEON")

                yield replace(real, held=held)

    plan = DemoPlan(connector=Garbling, directory=tmp_path, conversations=5, seed=7, patience=10.0)
    result = demonstrate(plan, lambda *_: None, time.sleep)
    assert result.comparison.arrived == 5
    assert len(result.comparison.differences) == 5
    assert result.seconds <= max(arrivals.values()) < time.monotonic() - began


@pytest.mark.slow
def test_an_interrupt_leaves_no_process_behind(tmp_path):
    folder = tmp_path / "demo"
    command = [*COMMAND, "--conversations", "3000", "--directory", folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for((folder / "contacts.csv").exists)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert port_is_free(folder)


def test_a_folder_of_another_program_is_left_alone(run, tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter-1.txt").write_text("It was a dark night.")
    ran = run("demo", "--directory", str(folder))
    assert ran.code == 2
    assert "name another --directory" in ran.err
    assert [file.name for file in folder.iterdir()] == ["chapter-1.txt"]


@pytest.mark.usefixtures("paper")
def test_a_connector_without_a_demonstration_is_refused(run):
    ran = run("demo", "--destination", "paper")
    assert ran.code == 2
    assert 'there is no demonstration for "paper"; there are: csv' in ran.err


@pytest.fixture
def truth(world):
    """A conversation with an answer and an e-mail."""
    truths = (world.truth(one) for one in world.ids)
    return next(truth for truth in truths if "Q1" in truth.answers and truth.email and truth.phone)


@pytest.fixture
def right(truth):
    """What a CRM holds of it when all is right."""
    contact = {"mail": truth.email.lower(), "phone": truth.phone.replace(" ", "")}
    conversation = {"budget": truth.answers["Q1"].value, "closed": truth.closed_at.isoformat()}
    return Arrived(
        key=key_of(truth), contact="c1", records={"contact": contact, "conversation": conversation}
    )


def changed(held, kind, **fields):
    return replace(held, records={**held.records, kind: {**held.records[kind], **fields}})


def compared(truths, held, mapping=MAPPING, **stage):
    return compare(truths, Stage(held=lambda: held, **stage), mapping)


def wrong(truths, held, mapping=MAPPING, **stage):
    found = compared(truths, held, mapping, **stage)
    return [(one.field, one.expected, one.found) for one in found.differences]


def test_a_lead_that_is_right_is_right(truth, right):
    result = compared([truth], [right])
    assert (result.arrived, result.differences) == (1, [])
    assert result.right["conversation.budget"] == 1


def test_an_expression_without_ground_truth_is_not_compared(truth, right):
    assert "conversation.odd" not in compared([truth], [right]).expected


def test_a_lead_that_is_missing_is_noticed(truth):
    assert wrong([truth], []) == [("", "a lead", "nothing")]


def test_a_lead_that_is_there_twice_is_noticed(truth, right):
    assert ("", "once", "twice") in wrong([truth], [right, right])


def test_an_unexpected_lead_is_a_difference(right):
    assert wrong([], [right]) == [("", "nothing", "a lead")]


@pytest.mark.parametrize("found", ["", "Something else"])
def test_a_wrong_answer_is_noticed(truth, right, found):
    held = changed(right, "conversation", budget=found)
    expected = " or ".join(truth.answers["Q1"].values)
    assert wrong([truth], [held]) == [("conversation.budget", expected, found or "nothing")]


def test_an_answer_to_a_question_that_was_not_answered_is_noticed(truth, right):
    silent = replace(truth, answers={})
    assert wrong([silent], [right])[0][:2] == ("conversation.budget", "nothing")


def test_a_contact_may_hold_a_value_of_another_conversation_of_the_visitor(truth, right):
    later = replace(truth, conversation_id="later", phone=None, answers={})
    held = replace(changed(right, "conversation", budget=""), key=key_of(later))
    assert wrong([truth, later], [right, held]) == []


def test_a_contact_that_is_two_peoples_is_noticed(truth, right):
    other = replace(truth, conversation_id="other", visitor_id="another visitor", email="else@example.com")
    held = replace(right, key=key_of(other))
    assert ("contact", "one person", "2 people") in wrong([truth, other], [right, held])


def test_a_connector_names_its_contacts(truth, right):
    """A contact that a CRM calls a party is one all the same: it holds what any conversation of it says."""
    later = replace(truth, conversation_id="later", phone=None, answers={})
    party = {"party": right.records["contact"]}
    held = [replace(right, records=party), replace(right, key=key_of(later), records=party)]
    mapping = {"party": MAPPING["contact"]}
    assert wrong([truth, later], held, mapping, contacts=("party",)) == []
    assert wrong([truth, later], held, mapping)[0][0] == "party.phone"
    other = replace(truth, conversation_id="later", visitor_id="another visitor", email="else@example.com")
    assert ("party", "one person", "2 people") in wrong([truth, other], held, mapping, contacts=("party",))


def test_a_crm_may_keep_a_text_in_its_own_way(truth, right):
    shouted = changed(right, "conversation", budget=right.records["conversation"]["budget"].upper())
    assert wrong([truth], [shouted])
    assert wrong([truth], [shouted], held_as=lambda _name, _field, value: value.upper()) == [
        ("contact.mail", truth.email.upper(), truth.email.lower())
    ]


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def port_is_free(folder):
    port = tomllib.loads((folder / "chatferry.toml").read_text())["web"]["port"]
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0
