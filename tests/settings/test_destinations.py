# ruff: noqa: ARG002  (the sample plugins implement what they do not need)
from __future__ import annotations

import pytest
from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from chatferry import Connector, FieldMode, Secret, SecretField, Strategy
from chatferry.errors import SettingsError
from chatferry.settings.destinations import Prepared, validate_destinations
from chatferry.settings.load import load_text


class Account(Schema):
    region = fields.String(load_default="eu")


class CrmSettings(Schema):
    token = SecretField(required=True)
    folder = fields.String(load_default="out")
    account = fields.Nested(Account)


class Crm(Connector):
    name = "crm"
    Settings = CrmSettings
    mapping = {"contact": {}, "conversation": {}}  # noqa: RUF012  (as a plugin's author writes it)
    modes = frozenset({FieldMode.OVERWRITE, FieldMode.CREATE_ONLY})

    def deliver(self, leads):
        return []

    def check(self):
        return []


class ContactSettings(Schema):
    region = fields.String(load_default="FR")


class Contact(Strategy):
    name = "contact"
    Settings = ContactSettings

    def extract(self, conversation, found):
        return []


class Markers(Contact):
    name = "markers"


class Picky(Contact):
    name = "picky"

    def __init__(self, settings):
        raise KeyError("kX9-secret")


class BadSchema(Schema):
    @post_load
    def fail(self, data, **_):
        raise RuntimeError("kX9-secret")


class Bad(Crm):
    name = "bad"
    Settings = BadSchema


class WorseSchema(Schema):
    def __init__(self, **_):
        raise KeyError("kX9-secret")


class Worse(Crm):
    name = "worse"
    Settings = WorseSchema


class WholeSchema(CrmSettings):
    @validates_schema
    def whole(self, data, **_):
        raise ValidationError("folder and account do not go together")


class Whole(Crm):
    name = "whole"
    Settings = WholeSchema


ENVIRON = {"S": "shared", "TOKEN": "kX9-secret"}


def look(
    table: str,
    environ: dict[str, str] = ENVIRON,
    connector: str = "crm",
    unusable: dict[str, str] | None = None,
) -> Prepared:
    text = f'[iadvize]\nsecrets = ["env:S"]\n[destinations.sales]\nconnector = "{connector}"\n{table}'
    settings = load_text(text, environ)
    strategies = {cls.name: cls for cls in (Contact, Markers, Picky)}
    connectors = {cls.name: cls for cls in (Crm, Bad, Worse, Whole)}
    return validate_destinations(settings, connectors, strategies, unusable=unusable, environ=environ)


def problems(table: str, **more) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        look(table, **more)
    assert "kX9-secret" not in str(caught.value)
    return caught.value.problems


TOKEN = 'settings.token = "env:TOKEN"\n'
NAMED = 'strategies = ["markers"]\n'


def test_a_destination_is_made_ready():
    made = look(f'{TOKEN}strategies = ["markers", {{ name = "contact", region = "BE" }}]').ready["sales"]
    assert made.connector is Crm
    assert made.options == {"token": Secret("kX9-secret"), "folder": "out"}
    assert [(type(found), found.settings) for found in made.strategies] == [
        (Markers, {"region": "FR"}),
        (Contact, {"region": "BE"}),
    ]
    assert "kX9-secret" not in repr(made)


def test_a_disabled_destination_needs_no_plugin():
    assert look("enabled = false", connector="not-installed") == Prepared(ready={}, unserved={})


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (NAMED, "settings.token: Missing data for required field."),
        (
            f'{NAMED}settings.token = "kX9-secret"',
            'settings.token: a secret is written as a reference, "env:NAME" or "file:/path", never as itself',
        ),
        (f'{NAMED}{TOKEN}settings.foldr = "x"', 'settings.foldr: unknown key; did you mean "folder"?'),
        (
            f'{NAMED}{TOKEN}settings.account.regon = "x"',
            'settings.account.regon: unknown key; did you mean "region"?',
        ),
        (f"{NAMED}{TOKEN}settings.folder = 3", "settings.folder: Not a valid string."),
        (
            f'{TOKEN}strategies = ["marker"]',
            'strategies.0: there is no strategy "marker"; did you mean "markers"?',
        ),
        (
            f'{TOKEN}strategies = ["zzz"]',
            'strategies.0: there is no strategy "zzz"; is its plugin installed? look with: chatferry plugins',
        ),
        (f'{TOKEN}strategies = ["markers", "markers"]', 'strategies.1: "markers" is there already; keep one'),
        (
            f'{TOKEN}strategies = [{{ name = "contact", regoin = "FR" }}]',
            'strategies.0.regoin: unknown key; did you mean "region"?',
        ),
        (f'{NAMED}{TOKEN}contct.A = "x"', 'contct: no object of the crm connector; did you mean "contact"?'),
        (
            f'{NAMED}{TOKEN}deal.A = "x"',
            "deal: no object of the crm connector; there are: contact, conversation",
        ),
        (
            f'{NAMED}setings.token = "x"\n{TOKEN}',
            'setings: no object of the crm connector; did you mean "settings"?',
        ),
        (
            f'{NAMED}{TOKEN}contact.A = {{ value = "x", mode = "fill-if-empty" }}',
            'contact.A: the crm connector has no mode "fill-if-empty"; it has: create-only, overwrite',
        ),
    ],
)
def test_what_does_not_fit_the_plugin_is_named(table, problem):
    assert problems(table) == (f"chatferry.toml: destinations.sales.{problem}",)


@pytest.mark.parametrize(
    ("connector", "hint"),
    [("crmm", 'did you mean "crm"?'), ("zzzzzz", "is its plugin installed? look with: chatferry plugins")],
)
def test_an_unknown_connector_is_named_with_what_to_do(connector, hint):
    told = problems(NAMED, connector=connector)
    assert told == (
        f'chatferry.toml: destinations.sales.connector: there is no connector "{connector}"; {hint}',
    )


@pytest.mark.parametrize(
    ("table", "connector", "place"),
    [
        (NAMED, "bad", "settings: the plugin's own code failed with RuntimeError"),
        (NAMED, "worse", "settings: the plugin's own code failed with KeyError"),
        (
            f'{TOKEN}strategies = ["picky"]\n',
            "crm",
            "strategies.0: the plugin's own code failed with KeyError",
        ),
    ],
)
def test_a_plugin_whose_own_code_fails_leaves_its_destination_unserved(table, connector, place):
    made = look(f"{table}[destinations.other]\nconnector = 'crm'\n{TOKEN}{NAMED}", connector=connector)
    assert made.unserved == {"sales": f"{place}; report it"}
    assert list(made.ready) == ["other"]


GONE = {"gone": "plugin gone is broken: its import failed"}


@pytest.mark.parametrize(("table", "connector"), [(NAMED, "gone"), (f'{TOKEN}strategies = ["gone"]', "crm")])
def test_what_a_plugin_that_does_not_work_would_offer_leaves_its_destination_unserved(table, connector):
    made = look(table, connector=connector, unusable=GONE)
    assert made == Prepared(ready={}, unserved={"sales": GONE["gone"]})


def test_a_strategy_nobody_has_may_be_one_of_a_plugin_that_does_not_work():
    made = look(f'{TOKEN}strategies = ["marker"]', unusable=GONE)
    hint = 'strategies.0: there is no strategy "marker"; did you mean "markers"?'
    told = f"{hint}, unless a plugin has it that does not work: {GONE['gone']}"
    assert made.unserved == {"sales": told}


def test_a_connector_nobody_has_is_a_mistake_even_while_a_plugin_does_not_work():
    (told,) = problems(NAMED, connector="crmm", unusable=GONE)
    assert told.endswith('connector: there is no connector "crmm"; did you mean "crm"?')


def test_a_schema_may_refuse_the_settings_as_a_whole():
    told = problems(f"{NAMED}{TOKEN}", connector="whole")
    assert told == ("chatferry.toml: destinations.sales.settings: folder and account do not go together",)


def test_every_problem_of_every_destination_is_told_at_once():
    told = problems('strategies = ["zzz"]\n[destinations.other]\nconnector = "zzz"\nstrategies = ["zzz"]')
    assert len(told) == 4
