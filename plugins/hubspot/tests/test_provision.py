"""What ``check`` finds, and what ``provision`` makes of an account."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import closing

import pytest
from private_values import HUBSPOT_TOKEN

from chatferry import AuthFailure, Level, Secret
from chatferry.ledger import Ledger
from chatferry_hubspot.provision import Action, apply, plan

FIELDS = {"contact": ("email", "budget"), "conversation": ("subject", "score")}


def said(findings, level):
    return [f"{one.subject}: {one.message}" for one in findings if one.level is level]


def test_an_empty_account_is_made_ready_and_a_second_time_nothing_is_to_do(start, lead, receipts):
    account = start(provisioned=False)
    connector = account.connect(types={"budget": "number"})
    assert any("run provision" in line for line in said(connector.check(), Level.ERROR))
    done = list(apply(connector.client, plan(connector.client, {})))
    assert {step.action for step in done} <= {Action.CREATED, Action.KEEP}
    assert {step.action for step in plan(connector.client, {})} == {Action.KEEP}
    assert said(connector.check(), Level.ERROR) == []
    receipts(connector, lead())


def test_mapped_properties_get_the_types_they_are_given(start):
    account = start(provisioned=False)
    types = {"budget": "number", "score": "number"}
    connector = account.connect(FIELDS, types=types)
    list(apply(connector.client, plan(connector.client, FIELDS)))
    state = account.call("GET", "/_emulator/state")["properties"]
    assert {one["name"]: one["type"] for one in state["contacts"]}["budget"] == "number"
    assert {one["name"]: one["type"] for one in state["chat_conversation"]}["score"] == "number"
    assert said(connector.check(), Level.ERROR) == []


def test_a_property_mapped_later_is_added_to_the_object(account):
    connector = account.connect()
    todo = [step for step in plan(connector.client, FIELDS) if step.action is Action.CREATE]
    assert [step.subject.rpartition(".")[2] for step in todo] == ["budget", "score"]
    assert {step.action for step in apply(connector.client, todo)} == {Action.CREATED}


def test_without_custom_objects_notes_get_a_unique_property(start):
    account = start(plan="starter", provisioned=False)
    connector = account.connect()
    assert any("notes are found by the ids" in line for line in said(connector.check(), Level.WARNING))
    list(apply(connector.client, plan(connector.client, {})))
    findings = connector.check()
    assert any("written as notes" in line for line in said(findings, Level.OK))
    assert any("notes.chat_conversation_id: is unique" in line for line in said(findings, Level.OK))


def test_planning_writes_nothing(start):
    account = start(provisioned=False)
    connector = account.connect()
    before = account.call("GET", "/_emulator/state")
    plan(connector.client, FIELDS)
    connector.check()
    assert account.call("GET", "/_emulator/state") == before


SCOPES = {
    "all": (["oauth"], ["contacts.read", "contacts.write", "custom.read", "custom.write"]),
    "to read contacts": (["contacts.write", "custom.read", "custom.write"], ["contacts.read"]),
    "every write": (["contacts.read", "custom.read"], ["contacts.write", "custom.write"]),
    "to read conversations": (["contacts.read", "contacts.write", "custom.write"], ["custom.read"]),
}


@pytest.mark.parametrize("case", SCOPES)
def test_all_missing_scopes_are_named_in_one_finding(account, case):
    held, missing = ([f"crm.objects.{scope}" for scope in scopes] for scopes in SCOPES[case])
    findings = narrow(account, held).check()
    (line,) = [line for line in said(findings, Level.ERROR) if line.startswith("scopes")]
    assert set(missing) == set(re.findall(r"crm[.a-z]+", line))


def narrow(account, scopes):
    """Return a connector that may do little; it knows the object by its type id, and so looks at it."""
    kind = account.call("GET", "/_emulator/state")["schemas"][0]["objectTypeId"]
    account.call("POST", "/_emulator/tokens", {"token": "narrow", "scopes": scopes})
    return account.connect(access_token=Secret("narrow"), object=kind)


def test_what_was_not_looked_at_is_not_said_to_be_well(account):
    findings = narrow(account, ["crm.objects.contacts.write", "crm.objects.custom.write"]).check()
    assert [line.partition(":")[0] for line in said(findings, Level.OK)] == ["token", "conversations"]


def test_a_limit_while_checking_is_no_error_of_the_account(account):
    account.board.switch_on("429-burst=contacts/batch/read")
    findings = account.connect().check()
    assert said(findings, Level.ERROR) == []
    (line,) = said(findings, Level.WARNING)
    assert "the rest was not looked at" in line


def test_an_object_without_association_with_contacts_gets_it(start, lead, receipts):
    account = start(provisioned=False)
    key = {"name": "conversation_id", "label": "ID", "type": "string", "fieldType": "text"}
    schema = {
        "name": "chat_conversation",
        "labels": {"singular": "C", "plural": "Cs"},
        "secondaryDisplayProperties": [],
        "searchableProperties": [],
        "requiredProperties": ["conversation_id"],
        "allowsSensitiveProperties": False,
        "associatedObjects": [],
        "properties": [{**key, "hasUniqueValue": True}],
    }
    account.call("POST", "/crm-object-schemas/2026-09/schemas", schema)
    connector = account.connect()
    assert any("no association with contacts" in line for line in said(connector.check(), Level.ERROR))
    steps = list(apply(connector.client, plan(connector.client, {})))
    assert {step.action for step in steps} <= {Action.KEEP, Action.CREATED}
    assert said(connector.check(), Level.ERROR) == []
    assert {step.action for step in plan(connector.client, {})} == {Action.KEEP}
    receipts(connector, lead())
    assert account.links()


def test_a_refused_token_is_the_first_and_only_finding(account):
    account.board.switch_on("401")
    (finding,) = account.connect().check()
    assert (finding.level, finding.subject) == (Level.ERROR, "token")


def test_a_property_of_the_wrong_kind_is_named(account):
    fields = {"contact": ("lifecyclestage", "nowhere"), "conversation": ("started_at", "transcript")}
    connector = account.connect(fields, types={"transcript": "number"}, lifecycle_stage="hibernating")
    findings = connector.check()
    errors, warnings = said(findings, Level.ERROR), said(findings, Level.WARNING)
    assert any(line.startswith("contact.nowhere: does not exist") for line in errors)
    assert any(line.startswith("lifecycle_stage: is none of subscriber") for line in errors)
    assert any("lifecyclestage: takes only these values: subscriber, lead" in line for line in warnings)
    assert any("conversation.transcript: is a text where a number" in line for line in warnings)


def test_a_property_that_takes_days_is_named_unless_the_settings_say_that_it_does(account):
    fields = {"contact": ("email", "since")}
    account.provision(fields, types={"since": "date"})
    (line,) = said(account.connect(fields).check(), Level.WARNING)
    assert 'contact.since: takes days: if a moment is mapped to it, set types.since = "date"' in line
    assert said(account.connect(fields, types={"since": "date"}).check(), Level.WARNING) == []


def test_a_key_that_is_not_unique_cannot_be_repaired_and_is_said(start):
    account = start(provisioned=False)
    body = {"name": "chat_visitor_id", "label": "V", "type": "string", "fieldType": "text"}
    account.call("POST", "/crm/properties/2026-09/contacts", {**body, "groupName": "contactinformation"})
    connector = account.connect()
    assert Action.MANUAL in {step.action for step in plan(connector.client, {})}
    assert any("is not unique" in line for line in said(connector.check(), Level.ERROR))


@pytest.fixture
def bare(start):
    return start(provisioned=False)


@pytest.fixture
def config(bare, tmp_path):
    path = tmp_path / "chatferry.toml"
    path.write_text(
        f"""
database = "sqlite:///{tmp_path}/chatferry.db"
[iadvize]
secrets = ["env:IADVIZE_SECRET"]
[destinations.crm]
connector = "hubspot"
[destinations.crm.settings]
access_token = "env:HUBSPOT_TOKEN"
base_url = "{bare.server.url}"
[destinations.crm.contact]
budget = "answers.Q1"
""",
        encoding="utf-8",
    )
    return path


def run(config, *arguments):
    secrets = {"HUBSPOT_TOKEN": HUBSPOT_TOKEN, "IADVIZE_SECRET": "x", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "chatferry", "--config", str(config), "hubspot", "provision", *arguments]
    return subprocess.run(
        command, check=False, env=secrets, capture_output=True, text=True, timeout=60, input="n\n"
    )


def has_budget(account):
    state = account.call("GET", "/_emulator/state")["properties"]
    return "budget" in {one["name"] for one in state["contacts"]}


def test_the_command_shows_its_plan_and_a_dry_run_changes_nothing(config, bare):
    result = run(config, "crm", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert "contacts.budget" in result.stdout
    assert "Nothing was changed" in result.stdout
    assert not has_budget(bare)


def test_the_command_asks_first_and_then_does_it(config, bare):
    assert run(config, "crm").returncode == 130
    assert not has_budget(bare)
    done = json.loads(run(config, "crm", "--yes", "--output", "json").stdout)
    assert {"action": "created", "subject": "contacts.budget", "why": "is mapped"} in done
    assert has_budget(bare)


def test_the_command_names_the_destinations_there_are(config):
    result = run(config, "sales")
    assert result.returncode == 2
    assert "there is no destination 'sales'; there are: crm" in result.stderr


def test_what_provision_made_is_remembered_when_the_first_delivery_may_not_see_it(
    config, bare, lead, deliver, receipts, tmp_path
):
    assert run(config, "crm", "--yes").returncode == 0
    with closing(Ledger(f"sqlite:///{tmp_path}/chatferry.db")) as ledger:
        bare.memory = ledger.memory("crm")
        connector = bare.connect()
        bare.board.switch_on("403=schemas:x1")
        (outcome,) = deliver(connector, lead())
        assert isinstance(outcome, AuthFailure)
        receipts(connector, lead())
    assert bare.records("notes") == []
