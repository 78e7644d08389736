from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from private_values import DATABASE_PASSWORD

from chatferry.errors import SettingsError
from chatferry.model import FieldMode
from chatferry.settings.load import load, load_text
from chatferry.settings.model import (
    ClientSettings,
    DestinationSettings,
    FieldSettings,
    IAdvizeSettings,
    LiveSettings,
    Settings,
    StrategySettings,
    WebSettings,
)
from chatferry.settings.secrets import Secret

SMALL = """
[iadvize]
secrets = ["env:S"]
"""

FULL = """
database = "sqlite:///data/chatferry.db"

[iadvize]
secrets = ["env:S", "file:{secret}"]

[[iadvize.clients]]
platform = "HA"
client_id = 335
username = "env:U"
password = "env:P"

[live]
interval = "1h 30m"

[destinations.sales]
connector = "salesforce"
projects = [1549, "ha-12"]
operators = ["ha-456678"]
strategies = ["markers", {{ name = "contact", region = "FR" }}]
[destinations.sales.settings]
instance_url = "https://example.my.salesforce.com"
[destinations.sales.contact]
Email = "visitor.email"
Phone = {{ value = "visitor.phone", clear = true }}
Vehicle__c = {{ value = "answers.Q1", mode = "create-only" }}
"""

ENVIRON = {"S": "correct-horse", "U": "battery@example.com", "P": "staple-hunter2"}


def problems(text: str, environ: dict[str, str] = ENVIRON) -> str:
    with pytest.raises(SettingsError) as caught:
        load_text(text, environ)
    assert "\n".join(caught.value.problems) == str(caught.value)
    for secret in ("correct-horse", "battery@", DATABASE_PASSWORD):
        assert secret not in str(caught.value)
    return str(caught.value)


def test_a_file_is_read_as_it_stands(tmp_path):
    (tmp_path / "secret").write_text("from-a-file\n")
    path = tmp_path / "chatferry.toml"
    path.write_text(FULL.format(secret=tmp_path / "secret"))
    assert load(path, ENVIRON) == Settings(
        directory=tmp_path,
        database=f"sqlite:///{tmp_path}/data/chatferry.db",
        iadvize=IAdvizeSettings(
            secrets=(Secret("correct-horse"), Secret("from-a-file")),
            clients=(
                ClientSettings(
                    platform="ha",
                    client_id=335,
                    username=Secret("battery@example.com"),
                    password=Secret("staple-hunter2"),
                ),
            ),
        ),
        live=LiveSettings(interval=5400.0),
        destinations={
            "sales": DestinationSettings(
                name="sales",
                connector="salesforce",
                projects=(1549, 12),
                operators=(456678,),
                strategies=(
                    StrategySettings(name="markers"),
                    StrategySettings(name="contact", options={"region": "FR"}),
                ),
                settings={"instance_url": "https://example.my.salesforce.com"},
                mapping={
                    "contact": {
                        "Email": FieldSettings(expression="visitor.email"),
                        "Phone": FieldSettings(expression="visitor.phone", clear=True),
                        "Vehicle__c": FieldSettings(expression="answers.Q1", mode=FieldMode.CREATE_ONLY),
                    }
                },
            )
        },
    )


def test_what_the_file_leaves_out_is_the_dataclasses_default(tmp_path):
    found = load_text(SMALL, ENVIRON, directory=tmp_path)
    assert found == Settings(
        directory=tmp_path,
        database=f"sqlite:///{tmp_path}/chatferry.db",
        iadvize=IAdvizeSettings(secrets=(Secret("correct-horse"),)),
    )


def test_no_secret_shows_in_a_repr():
    found = load_text(FULL.format(secret="/dev/null/no").replace(', "file:/dev/null/no"', ""), ENVIRON)
    assert DATABASE_PASSWORD not in repr(found)
    assert "correct-horse" not in repr(found)


# -------------------------------------------------------------------------------- the file


def test_a_missing_file_is_told_how_to_begin(tmp_path):
    with pytest.raises(SettingsError, match="no such file; write one with: chatferry init"):
        load(tmp_path / "chatferry.toml", {})


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(tmp_path, {})
    (tmp_path / "latin").write_bytes("é = 1".encode("latin-1"))
    with pytest.raises(SettingsError, match="not UTF-8 text"):
        load(tmp_path / "latin", {})


def test_a_byte_order_mark_is_no_problem(tmp_path):
    path = tmp_path / "chatferry.toml"
    path.write_text(SMALL, encoding="utf-8-sig")
    assert load(path, ENVIRON).directory == tmp_path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[web]\nport = = 1", "(at line 2, column 8)"),
        ("x = " + "9" * 5000, "a number is too long"),
        ("x = " + "[" * 5000, "nested too deeply"),
    ],
)
def test_what_is_not_toml_is_refused_with_its_place(text, words):
    assert problems(text).startswith("chatferry.toml: not valid TOML: ")
    assert words in problems(text)


# ---------------------------------------------------------------------------- every problem


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("databse = 'x'", 'databse: unknown key; did you mean "database"?'),
        ("[web]\nprot = 1", 'web.prot: unknown key; did you mean "port"?'),
        ("[web]\nport = 70000", "web.port: not between 0 and 65535"),
        ("[web]\nport = 'eighty'", "web.port: not a whole number"),
        ("[web]\nport = true", "web.port: not a whole number"),
        ("[web]\nbody_timeout = 0", "web.body_timeout: not between 0.1 and 60"),
        ("[web]\nbodies_per_address = 0", "web.bodies_per_address: not between 1 and 1024"),
        ("[web]\ntrusted_proxies = ['proxy']", "web.trusted_proxies.0: not an IP address or a network"),
        ("[web]\ntrusted_proxies = '10.0.0.1'", "web.trusted_proxies: not a list"),
        ("web = 3", "web: not a table; write its keys below a header in brackets"),
        (
            "[live]\ninterval = '5 parsecs'",
            "live.interval: not a duration; write seconds, or a string such as",
        ),
        ("[live]\ninterval = inf", "live.interval: not a duration"),
        ("[live]\ninterval = 0", "live.interval: below 0.05"),
        ("[retry]\nfirst = 9\nlongest = 3", "retry.longest: shorter than the first wait"),
        ("[log]\nlevel = 'infos'", 'log.level: not one of debug, info, warning, error; did you mean "info"?'),
        ("[reconcile]\nat_start = 'perhaps'", "reconcile.at_start: not true or false"),
        (
            "[plugins]\ndisabled = 'csv'",
            'plugins.disabled: not a list; write it in brackets, such as ["a", "b"]',
        ),
        ("[plugins]\ndisabled = ['']", "plugins.disabled.0: not a text, or an empty one"),
        ("destinations = 3", "destinations: not a table; write [destinations.NAME] for each"),
        ("destinations.sales = 3", "destinations.sales: not a table"),
        (
            "[destinations.sales]",
            "destinations.sales.connector: missing; add it, or set CHATFERRY_DESTINATIONS__SALES__",
        ),
        ("destinations.a_-b.connector = 'csv'", "destinations.a_-b: not a name; use letters, digits"),
        ("database = 3", "database: not a text"),
        ("database = 'chatferry.db'", "database: not a database URL"),
        (
            f"database = 'mysql://root:{DATABASE_PASSWORD}@db/x'",
            "database: not a database the ledger works in",
        ),
        ("database = 'sqlite://'", "database: names no file"),
        ("database = 'sqlite://chatferry.db'", "database: names no file"),
        ("database = 'sqlite:///:memory:'", "database: a ledger in memory forgets"),
        ("database = 'env:NOWHERE'", "database: the environment variable NOWHERE is not set"),
    ],
)
def test_a_wrong_key_is_named_with_what_to_do(text, line):
    assert f"chatferry.toml: {line}" in problems(f"{text}\n{SMALL}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("projets = [1]", 'projets: unknown key; did you mean "projects"?'),
        ("projects = 1", "projects: not a list"),
        ("projects = ['one']", "projects.0: not an iAdvize id"),
        ("projects = [-1]", "projects.0: not an iAdvize id"),
        ("platforms = ['iadvize']", 'platforms.0: not a platform; iAdvize has "ha" and "sd"'),
        ("email = 'no'", "email: not one of any, required, absent"),
        ("settings = 3", "settings: not a table"),
        ("strategies = [3]", "strategies.0: not a strategy"),
        ("strategies = [{ region = 'FR' }]", "strategies.0.name: missing"),
        ("contact.Email = 3", "contact.Email: not an expression; write one in quotes"),
        ("contact.Email = { valeu = 'x' }", 'contact.Email.valeu: unknown key; did you mean "value"?'),
        ("contact.Email = { mode = 'overwrite' }", "contact.Email.value: missing"),
        ("contact.Email = { value = 'x', mode = 'owerwrite' }", "contact.Email.mode: not one of overwrite,"),
        ("contact.Email = { value = 'x', clear = 'maybe' }", "contact.Email.clear: not true or false"),
        (
            "contact.Email = { value = 'x', mode = 'create-only', clear = true }",
            "contact.Email.clear: only mode",
        ),
    ],
)
def test_a_wrong_key_of_a_destination_is_named(text, line):
    told = problems(f"{SMALL}\n[destinations.sales]\nconnector = 'csv'\n{text}")
    assert f"chatferry.toml: destinations.sales.{line}" in told
    assert told.startswith("chatferry.toml: destinations.sales.contact") or "\n" not in told


@pytest.mark.parametrize(
    ("client", "line"),
    [
        ({"password": '"staple-hunter2"'}, 'password: a secret is written as a reference, "env:NAME"'),
        ({"password": "3"}, "password: a secret is written as a reference"),
        ({"password": '"env:NOWHERE"'}, "password: the environment variable NOWHERE is not set, or empty"),
        ({"password": '"file:/nowhere"'}, "password: the file /nowhere cannot be read (FileNotFoundError)"),
        ({"platform": '"france"'}, "platform: not a platform"),
        ({"client_id": '"x"'}, "client_id: not an iAdvize id"),
        ({"api_url": '"api.iadvize.com"'}, "api_url: not an address"),
        ({"api_url": f'"https://user:{DATABASE_PASSWORD}@api.iadvize.com"'}, "api_url: not an address"),
    ],
)
def test_a_wrong_key_of_a_client_is_named(client, line):
    keys = {"platform": '"ha"', "client_id": "1", "username": '"env:U"', "password": '"env:P"', **client}
    table = "\n".join(f"{key} = {value}" for key, value in keys.items())
    assert f"chatferry.toml: iadvize.clients.0.{line}" in problems(f"{SMALL}[[iadvize.clients]]\n{table}")


def test_every_problem_is_told_at_once():
    told = problems(
        "databse = 1\n[web]\nprot = 1\nport = -1\n[iadvize]\nsecrets = []\n[destinations.x]\nlive = 3"
    )
    assert len(told.splitlines()) == 6


def test_two_clients_are_not_the_same():
    client = "\n[[iadvize.clients]]\nplatform = 'ha'\nclient_id = 1\nusername = 'env:U'\npassword = 'env:P'"
    told = problems(SMALL + client + client)
    assert told == "chatferry.toml: iadvize.clients.1: the same platform and client_id as client 0; keep one"


def test_two_destinations_differ_by_more_than_case_and_hyphens():
    told = problems(f"{SMALL}[destinations]\nsales-eu.connector = 'csv'\nSales_EU.connector = 'csv'")
    assert told.startswith('chatferry.toml: destinations.Sales_EU: too near to "sales-eu"')


# -------------------------------------------------------------------- units, paths, references


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("3", 3),
        ("2.5", 2.5),
        ("'90'", 90),
        ("'500ms'", 0.5),
        ("'30s'", 30),
        ("'5 m'", 300),
        ("'2h'", 7200),
        ("'3d'", 259_200),
        ("'1w'", 604_800),
        ("'1h30m'", 5400),
    ],
)
def test_a_duration_is_seconds_or_says_its_unit(written, seconds):
    assert load_text(f"{SMALL}[retry]\ngive_up_after = {written}", ENVIRON).retry.give_up_after == seconds


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ("sqlite:///sub/x.db?timeout=5", "sqlite:////etc/ferry/sub/x.db?timeout=5"),
        ("postgresql://u:p%40w@db/x", "postgresql+psycopg://u:p%40w@db/x"),
        ("postgres://db/x", "postgresql+psycopg://db/x"),
        ("env:DATABASE_URL", f"postgresql+psycopg://u:{DATABASE_PASSWORD}@db/x"),
    ],
)
def test_the_database_is_named_by_url_or_reference(written, meant):
    environ = {**ENVIRON, "DATABASE_URL": f"postgresql://u:{DATABASE_PASSWORD}@db/x"}
    found = load_text(f'database = "{written}"\n{SMALL}', environ, directory=Path("/etc/ferry"))
    assert found.database == meant
    assert DATABASE_PASSWORD not in repr(found)


def test_a_secret_file_is_found_beside_the_configuration(tmp_path):
    (tmp_path / "token").write_text("from-a-file")
    found = load_text('[iadvize]\nsecrets = ["file:token"]', {}, directory=tmp_path)
    assert found.iadvize.secrets == (Secret("from-a-file"),)


# ------------------------------------------------------------------------------- mutations

SECRETS = ("kX9-plain-secret", "kX9-from-the-environment")
BASE = (
    FULL.replace(', "file:{secret}"', "")
    .replace("{{", "{")
    .replace("}}", "}")
    .replace('"env:P"', f'"{SECRETS[0]}"')
)


@settings(deadline=None)
@given(
    cut=st.tuples(st.integers(0, len(BASE)), st.integers(0, 40)),
    insert=st.sampled_from(
        ["", "\n", '"', "=", "[", "]", "{", "}", ".", ",", "\\", "\x00", "3", "true", "é", "[[a]]\n"]
    ),
    swap=st.tuples(st.integers(0, 30), st.integers(0, 30)),
)
@example(cut=(0, 0), insert="", swap=(0, 0))
def test_a_mangled_file_is_refused_without_showing_a_secret(cut, insert, swap):
    start, length = cut
    lines = (BASE[:start] + insert + BASE[start + length :]).splitlines()
    first, second = (index % len(lines) for index in swap)
    lines[first], lines[second] = lines[second], lines[first]
    try:
        found = repr(load_text("\n".join(lines), {"S": SECRETS[1], "U": SECRETS[1]}))
    except SettingsError as error:
        found = str(error)
    assert not any(secret in found for secret in SECRETS)


def test_a_trusted_proxy_is_an_address_or_a_network():
    written = (
        "trusted_proxies = ['127.0.0.1', '10.1.2.3/8', '::1']\nbodies_per_address = 7\nbody_timeout = '500ms'"
    )
    web = load_text(f"[web]\n{written}\n{SMALL}", ENVIRON).web
    assert web == WebSettings(
        trusted_proxies=("127.0.0.1/32", "10.0.0.0/8", "::1/128"), bodies_per_address=7, body_timeout=0.5
    )
