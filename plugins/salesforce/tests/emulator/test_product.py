"""The emulator as `chatferry emulate` sees it, its page and its control API."""

from __future__ import annotations

import click
import pytest

from chatferry.emulators import Emulator
from chatferry_salesforce.emulator import EMULATOR

VISITOR = "Chat_Visitor_Id__c"


def created(*arguments: str):
    """Make the application from command-line arguments."""
    command = click.Command("salesforce", params=list(EMULATOR.options))
    with command.make_context("salesforce", list(arguments)) as context:
        return EMULATOR.create(faults=EMULATOR.board(), latency=0.0, **context.params)


def test_the_emulator_is_offered_by_name():
    assert isinstance(EMULATOR, Emulator)
    assert EMULATOR.name == "salesforce"


def test_every_option_has_a_default_that_works():
    settings = created().org.settings
    assert (settings.daily, settings.prepared, settings.certificate) == (100_000, False, "")


def test_options_reach_the_org(tmp_path):
    (tmp_path / "key.pem").write_text("PUBLIC")
    arguments = (
        "--prepared --daily 7 --duplicates block --person-accounts --rotate --seed 3 --newline-units 2"
    )
    settings = created(*arguments.split(), "--certificate", str(tmp_path / "key.pem")).org.settings
    assert (settings.daily, settings.duplicates, settings.certificate) == (7, "block", "PUBLIC")
    assert (settings.prepared, settings.person_accounts, settings.rotate) == (True, True, True)
    assert (settings.seed, settings.newline_units) == (3, 2)


def test_a_rule_that_is_not_there_is_refused():
    with pytest.raises(click.BadParameter, match="never"):
        created("--duplicates", "never")


def test_the_page_shows_records_faults_and_calls(org):
    lead = org.lead(LastName="<Petrova>")
    org.fault("503:0.5")
    page = org.session.get(org.url, timeout=10).text
    assert "&lt;Petrova&gt;" in page
    assert "<code>503</code>" in page
    assert "PATCH /composite/sobjects/&lt;kind&gt;/&lt;key&gt;" in page
    assert "Petrova" in org.session.get(f"{org.url}/_emulator/pages/{lead}", timeout=10).text
    assert org.session.get(f"{org.url}/_emulator/pages/nothing", timeout=10).status_code == 404


def test_the_page_loads_nothing_from_elsewhere(org):
    page = org.session.get(org.url, timeout=10).text
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_calls_are_counted_by_route_without_a_value(org):
    org.call("DELETE", "/_emulator/calls")
    org.lead("web:42")
    org.call("PATCH", f"/sobjects/Lead/{VISITOR}/web%3A42", {"Title": "CEO"})
    calls = org.call("GET", "/_emulator/calls").json()
    assert calls["routes"] == {
        "PATCH /composite/sobjects/<kind>/<key>": 1,
        "PATCH /sobjects/<kind>/<key>/<value>": 1,
    }
    assert calls["inputs"] == 1


def test_a_reset_leaves_nothing(org):
    org.lead()
    org.change(daily=3)
    org.fault("503")
    org.call("POST", "/_emulator/reset")
    org.open()
    assert org.records("Lead") == []
    assert org.call("GET", "/limits").json()["DailyApiRequests"]["Max"] == 100_000


def test_a_setting_that_is_not_there_is_refused(org):
    assert org.call("POST", "/_emulator/settings", {"nope": 1}).status_code == 400


def test_the_session_says_who_it_is_of(org):
    user = org.call("GET", "/services/oauth2/userinfo").json()
    assert user["user_id"].startswith("005")
    assert user["organization_id"].startswith("00D")


def test_ids_are_the_same_for_the_same_seed(start):
    assert start(seed=4).lead() == start(seed=4).lead()
    assert start(seed=4).lead() != start(seed=5).lead()
