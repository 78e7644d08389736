from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatferry.errors import SettingsError
from chatferry.model import FieldMode
from chatferry.settings.keys import keys
from chatferry.settings.load import load_text
from chatferry.settings.model import FieldSettings, Settings

FILE = """
[iadvize]
secrets = ["env:S"]
[web]
port = 1
[destinations.sales-eu]
connector = "csv"
[destinations.sales-eu.settings]
Folder = "out"
[destinations.sales-eu.contact]
Email = "visitor.email"
Vehicle__c = "answers.Q1"
"""
SECRETS = {"S": "s-one", "T": "t-two", "U": "me"}


def read(text: str = FILE, **variables: str) -> Settings:
    return load_text(text, SECRETS | {f"CHATFERRY_{name}": value for name, value in variables.items()})


def problems(text: str = FILE, **variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(text, **variables)
    return caught.value.problems


def test_the_environment_wins_over_the_file():
    assert read(WEB__PORT="8080").web.port == 8080


def test_every_single_value_has_a_twin():
    found = read(
        DATABASE="sqlite:////x.db",
        LIVE__INTERVAL="2m",
        RECONCILE__AT_START="no",
        LOG__FORMAT="json",
        DESTINATIONS__SALES_EU__ANSWERED="true",
        DESTINATIONS__SALES_EU__LIVE="yes",
    )
    assert found.database == "sqlite:////x.db"
    assert found.live.interval == 120
    assert found.reconcile.at_start is False
    assert found.log.format == "json"
    assert found.destinations["sales-eu"].answered is True
    assert found.destinations["sales-eu"].live is True


@pytest.mark.parametrize("value", ["env:S, env:T", '["env:S", "env:T"]', "[ 'env:S', 'env:T', ]"])
def test_a_list_is_separated_by_commas_or_written_as_toml_or_json(value):
    assert [secret.reveal() for secret in read(IADVIZE__SECRETS=value).iadvize.secrets] == ["s-one", "t-two"]


def test_a_list_in_the_environment_replaces_the_files():
    assert read(DESTINATIONS__SALES_EU__PROJECTS="5,ha-6").destinations["sales-eu"].projects == (5, 6)
    assert read(DESTINATIONS__SALES_EU__STRATEGIES="").destinations["sales-eu"].strategies == ()


def test_strategies_with_options_are_a_list_of_tables():
    value = '["markers", { name = "contact", region = "FR" }]'
    found = read(DESTINATIONS__SALES_EU__STRATEGIES=value).destinations["sales-eu"].strategies
    assert found[1].options == {"region": "FR"}


def test_clients_are_numbered_from_0():
    found = read(
        IADVIZE__CLIENTS='[{"platform": "ha", "client_id": 1, "username": "env:U", "password": "env:S"}]',
        IADVIZE__CLIENTS__0__TIMEOUT="5",
        IADVIZE__CLIENTS__1__PLATFORM="sd",
        IADVIZE__CLIENTS__1__CLIENT_ID="sd-2",
        IADVIZE__CLIENTS__1__USERNAME="env:U",
        IADVIZE__CLIENTS__1__PASSWORD="env:T",
    ).iadvize.clients
    assert [(client.platform, client.client_id, client.timeout) for client in found] == [
        ("ha", 1, 5),
        ("sd", 2, 30),
    ]


def test_a_gap_between_clients_is_refused():
    told = problems(IADVIZE__CLIENTS__3__PLATFORM="ha")
    assert told == (
        "CHATFERRY_IADVIZE__CLIENTS__3__PLATFORM: items are numbered from 0 without gaps, and the next is 0",
    )


def test_names_of_the_file_are_found_whatever_their_case():
    found = read(
        DESTINATIONS__SALES_EU__SETTINGS__FOLDER="elsewhere",
        DESTINATIONS__SALES_EU__SETTINGS__FILES="[1, 2]",
        DESTINATIONS__SALES_EU__SETTINGS__PATTERN="[a-z",
        DESTINATIONS__SALES_EU__SETTINGS__OAUTH__Token_URL="https://x",
        DESTINATIONS__SALES_EU__CONTACT__VEHICLE__C="answers.Q2",
        DESTINATIONS__SALES_EU__CONTACT__NewOne__c='{ value = "answers.Q3", mode = "create-only" }',
    ).destinations["sales-eu"]
    assert found.settings == {
        "Folder": "elsewhere",
        "files": [1, 2],
        "pattern": "[a-z",
        "oauth": {"token_url": "https://x"},
    }
    assert found.mapping["contact"] == {
        "Email": FieldSettings(expression="visitor.email"),
        "Vehicle__c": FieldSettings(expression="answers.Q2"),
        "NewOne__c": FieldSettings(expression="answers.Q3", mode=FieldMode.CREATE_ONLY),
    }


def test_a_destination_can_come_from_the_environment_alone():
    found = read(
        DESTINATIONS__OTHER__CONNECTOR="csv",
        DESTINATIONS__OTHER__CONTACT='{ Email = "visitor.email" }',
        DESTINATIONS__MORE='{ connector = "csv", live = true }',
    ).destinations
    assert found["other"].mapping["contact"]["Email"].expression == "visitor.email"
    assert found["more"].live


def test_the_whole_configuration_can_come_from_the_environment():
    assert read("", IADVIZE__SECRETS="env:S", WEB='{"port": 9}').web.port == 9


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("WEB__PORTS", '; did you mean "CHATFERRY_WEB__PORT"?'),
        ("WEB_PORT", '; did you mean "CHATFERRY_WEB__PORT"?'),
        ("DESTINATIONS__SALES_EU__LIVE__X", '; did you mean "CHATFERRY_DESTINATIONS__SALES_EU__LIVE"?'),
        ("QQQ", "; unset it, CHATFERRY_ is for settings"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest(name, near):
    assert problems(**{name: "hidden-value"}) == (f"CHATFERRY_{name}: no such setting{near}",)


def test_an_unknown_key_of_a_destination_is_refused_under_its_variable():
    (told,) = problems(DESTINATIONS__SALES_EU__CONECTOR="csv")
    assert told == (
        "CHATFERRY_DESTINATIONS__SALES_EU__CONECTOR (destinations.sales-eu.conector): "
        'unknown key; did you mean "connector"?'
    )


def test_a_wrong_value_is_reported_under_its_variable():
    port, secret, live = problems(WEB__PORT="eighty", IADVIZE__SECRETS="s-one", LIVE="3")
    assert port == "CHATFERRY_WEB__PORT (web.port): not a whole number"
    assert secret.startswith(
        "CHATFERRY_IADVIZE__SECRETS (iadvize.secrets.0): a secret is written as a reference"
    )
    assert live.startswith('CHATFERRY_LIVE: is a table; write it as { key = "value" } or as JSON')


def test_what_the_command_line_and_kubernetes_set_is_left_alone():
    found = read(
        CONFIG="/etc/chatferry.toml",
        SERVICE_HOST="10.0.0.1",
        SERVICE_PORT="80",
        SERVICE_PORT_HTTP="80",
        PORT="tcp://10.0.0.1:80",
        PORT_80_TCP="tcp://10.0.0.1:80",
        PORT_80_TCP_ADDR="10.0.0.1",
        DB_SERVICE_HOST="10.0.0.2",
    )
    assert found.web.port == 1


def test_a_port_that_kubernetes_did_not_set_is_not_left_alone():
    assert problems(PORT="8080")[0].startswith("CHATFERRY_PORT: no such setting")


def test_a_file_that_holds_something_else_in_that_place_is_told_so():
    assert problems("web = 3\n" + FILE.replace("[web]\nport = 1", ""), WEB__PORT="1") == (
        "chatferry.toml: web: not a table; write its keys below a header in brackets",
    )


@settings(deadline=None)
@given(
    name=st.sampled_from(
        [key.twin.replace("__N__", "__0__").replace("__NAME__", "__SALES_EU__") for key in keys()]
    ),
    value=st.one_of(
        st.text(max_size=20), st.sampled_from(["[", "{", "[[]]", "{a=1}", '{"a": 1}', "[1]\nb=2", "1e999"])
    ),
)
def test_no_value_of_the_environment_crashes_or_shows(name, value):
    told = ""
    try:
        load_text(FILE, SECRETS | {name: f"{value} kX9-secret"})
    except SettingsError as error:
        told = str(error)
    assert "kX9-secret" not in told or value.startswith(("env:", "file:"))
