import re
import tomllib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatferry.errors import MappingError, SettingsError
from chatferry.leads.extraction import extract, lead_of
from chatferry.leads.mapping import compile_mapping
from chatferry.leads.mapping.expressions import NAMES, SHAPES
from chatferry.leads.mapping.filters import FILTERS
from chatferry.leads.strategies import register_strategies
from chatferry.model import Answer, Conversation, FieldMode, Lead, Record, Satisfaction, Visitor
from chatferry.settings.model import FieldSettings
from chatferry.testing.conversations import poorest, rich, samples, talk


def lead_from(conversation):
    strategies = [kind(kind.Settings().load({})) for kind in register_strategies()]
    return lead_of(conversation, extract(conversation, strategies).answers)


def answered(**values):
    answers = {n: Answer(name=n, value=v, message_ids=(), strategy="s") for n, v in values.items()}
    return lead_of(talk().build(), answers)


def mapping(expression, **settings):
    fields = {"contact": {"Field": FieldSettings(expression=expression, **settings)}}
    return compile_mapping(fields, destination="sales")


def value(expression, lead):
    """Return what a CRM field gets; None if it is left out."""
    return mapping(expression).records(lead)["contact"].values.get("Field")


def problems(expression, **settings):
    with pytest.raises(SettingsError) as caught:
        mapping(expression, **settings)
    return caught.value.problems


RICH = lead_from(rich())
POOREST = lead_from(poorest())


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("visitor.email", "Jane.Doe@example.com"),
        ("email", "jane.doe@example.com"),
        ("lead.key", "ha-335-4c8c7408-f73c-42cd-89e9-afbbee7d9024"),
        ("lead.contact_key", "jane.doe@example.com"),
        ("answers.Q2", "Yes"),
        ("answers['Q2']", "Yes"),
        ("answers.Q2 == 'Yes'", True),
        ("answers.Q9 or 'unknown'", "unknown"),
        ("answers.Q3 | number", 25000),
        ("'van' in answers.Q1", True),
        ("'Q1' in answers", True),
        ("answers.Q1 | first", "A van, rather large 🚐"),
        ("visitor.first_name ~ ' ' ~ visitor.last_name", "Jane Dœ"),
        ("conversation.closed_at", datetime(2026, 3, 2, 9, 19, tzinfo=UTC)),
        ("conversation.created_at | date('%d/%m/%Y %H:%M', 'Europe/Paris')", "02/03/2026 10:14"),
        ("conversation.created_at.year", 2026),
        ("conversation.tags", "vehicle; hot lead"),
        ("conversation.tags | join(', ') | upper", "VEHICLE, HOT LEAD"),
        ("conversation.operator_ids", "7; 42"),
        ("conversation.satisfaction.csat", 5),
        ("'promoter' if conversation.satisfaction.nps >= 9", "promoter"),
        ("conversation.custom_data.cart_amount", 99.5),
        ("conversation.custom_data.logged_in", True),
        ("conversation.custom_data['campaign']", "spring"),
        ("conversation.closing_form.reason", "purchase"),
        ("conversation.key", "ha-335-4c8c7408-f73c-42cd-89e9-afbbee7d9024"),
        ("conversation.messages | length", 15),
        ("conversation.transactions[0].amount", 120.0),
        ("conversation.answered", True),
        ("'iAdvize'", "iAdvize"),
        ("0", 0),
        ("false", False),
        ("visitor.city | lower | replace('n', 'm') | title", "Mamtes"),
        ("answers.Q1 | truncate(6)", "A van…"),
        ("answers.Q1 | oneline | truncate(20, '')", "A van, rather large"),
    ],
)
def test_an_expression_gives_its_value(expression, expected):
    found = value(expression, RICH)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "visitor.email",
        "visitor.email | upper",
        "visitor.last_name.strip().upper()",
        "visitor.first_name ~ ' ' ~ visitor.last_name",
        "email",
        "answers.Q7",
        "answers.Q7 | number",
        "answers.Q7 | number * 2 + 1",
        "answers.Q7 | first",
        "transcript",
        "conversation.closed_at | date",
        "conversation.tags",
        "conversation.custom_data.unknown.deeper",
        "conversation.closing_form.reason",
        "conversation.transactions[0].amount",
        "conversation.satisfaction.csat * 20",
        "'promoter' if conversation.satisfaction.nps >= 9",
        "'x' if visitor.email is defined",
        "'x' if visitor.email is not none",
        "'x' if visitor.email != ''",
        "'x' if 'a' in answers.Q7",
        "('x' if visitor.email) | upper",
        "('x' if visitor.email) + 1",
        "('x' if visitor.email) | date",
        "'  \n'",
        "none",
        "[]",
    ],
)
def test_what_iadvize_does_not_know_is_left_out(expression):
    assert mapping(expression).records(POOREST) == {"contact": Record()}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("25000", 25000),
        ("around 25 000 €", 25000),
        ("12 500,50", 12500.5),
        ("1,234.56", 1234.56),
        ("1.234,56", 1234.56),
        ("1.234.567", 1234567),
        ("1,5", 1.5),
        ("-3.", -3),
        ("1'000", 1000),
        ("none", None),
        ("0,750 l", 0.75),
        ("0.125", 0.125),
        ("2, 3 ou 4", 2),
        ("1\u2019500", 1500),
        ("1\u202f500", 1500),
        ("\u22125 \u00b0C", -5),
        ("1.355,90 \u20ac", 1355.9),
        ("1.500", 1500),
        ("\uff11\uff12", 12),
        ("9" * 18, 10**18 - 1),
        ("9" * 20, None),
        ("9" * 4301, None),
        ("1" + ".999" * 2000, None),
    ],
)
def test_numbers_are_read_as_people_write_them(text, number):
    assert value("answers.Q1 | number", answered(Q1=text)) == number


def test_default_keeps_zero():
    lead = lead_of(talk().build(satisfaction=Satisfaction(nps=0)), {})
    assert value("conversation.satisfaction.nps | default('none given')", lead) == 0
    assert value("conversation.satisfaction.csat | default('none given')", lead) == "none given"


def test_values_are_grouped_by_mode():
    fields = {
        "contact": {
            "Email": FieldSettings(expression="email"),
            "City": FieldSettings(expression="visitor.city", mode=FieldMode.FILL_IF_EMPTY),
            "Source": FieldSettings(expression="'chat'", mode=FieldMode.CREATE_ONLY),
            "Q9": FieldSettings(expression="answers.Q9", mode=FieldMode.CREATE_ONLY),
        },
        "conversation": {},
    }
    assert compile_mapping(fields, destination="sales").records(RICH) == {
        "contact": Record(
            values={"Email": "jane.doe@example.com"},
            fill_if_empty={"City": "Nantes"},
            create_only={"Source": "chat"},
        ),
        "conversation": Record(),
    }


def test_only_a_field_that_says_so_is_cleared():
    assert mapping("visitor.city", clear=True).records(POOREST)["contact"].values == {"Field": None}
    assert mapping("visitor.city").records(POOREST)["contact"].values == {}


def test_clearing_contradicts_the_gentle_modes():
    [problem] = problems("visitor.city", clear=True, mode=FieldMode.FILL_IF_EMPTY)
    assert problem.startswith('destination "sales", contact.Field: a field that is cleared is overwritten')


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("vistor.email", 'there is no name called "vistor"; did you mean "visitor"?'),
        ("visitor.emial", 'there is no attribute of visitor called "emial"; did you mean "email"?'),
        ("visitor['emial']", 'there is no attribute of visitor called "emial"; did you mean "email"?'),
        ("conversation.tag", 'there is no attribute of conversation called "tag"; did you mean "tags"?'),
        (
            "conversation.satisfaction.csta",
            'there is no attribute of conversation.satisfaction called "csta"; did you mean "csat"?',
        ),
        (
            "visitor.email.lowr()",
            'there is no attribute of visitor.email called "lowr"; did you mean "lower"?',
        ),
        ("answers.Q1.lowr()", 'there is no attribute of answers.Q1 called "lowr"; did you mean "lower"?'),
        ("email | uper", 'there is no filter called "uper"; did you mean "upper"?'),
        ("email is defind", 'there is no test called "defind"; did you mean "defined"?'),
        ("lead.mail", 'there is no attribute of lead called "mail"; did you mean "email"?'),
    ],
)
def test_a_typo_is_found_at_the_start_with_the_nearest_name(expression, problem):
    assert problems(expression) == (f'destination "sales", contact.Field: {problem} in "{expression}"',)


@pytest.mark.parametrize(
    "expression",
    ["", " ", "visitor.", "visitor.email visitor.city", "{{ email }}", "a = 1", "'open", "email |"],
)
def test_what_is_no_expression_is_refused(expression):
    [problem] = problems(expression)
    assert problem.startswith('destination "sales", contact.Field: ')


@pytest.mark.parametrize(
    "expression",
    ["visitor.__class__", "conversation.raw", "email.__class__.__mro__", "range(9)", "conversation.__dict__"],
)
def test_what_is_none_of_a_mappings_business_is_refused(expression):
    assert problems(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "conversation['r' ~ 'aw']",
        "(email or 1).__class__",
        "(visitor or 1)['__class__']",
        "answers.__class__",
    ],
)
def test_what_cannot_be_seen_at_the_start_is_empty_on_the_run(expression):
    lead = lead_of(replace(rich(), raw={"secret": 1}), {})
    assert value(expression, lead) is None


def test_every_problem_is_told_at_once():
    fields = {
        "contact": {"A": FieldSettings(expression="vistor"), "B": FieldSettings(expression="email")},
        "deal": {"C": FieldSettings(expression="answer.Q1")},
    }
    with pytest.raises(SettingsError) as caught:
        compile_mapping(fields, destination="sales")
    assert [line.split(":")[0] for line in caught.value.problems] == [
        'destination "sales", contact.A',
        'destination "sales", deal.C',
    ]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("visitor.first_name + 1", "TypeError"),
        ("visitor.first_name | date", "ValueError"),
        ("visitor", "a Visitor where one value is needed"),
        ("conversation.custom_data", "a Lookup where one value is needed"),
        ("conversation.transactions", "a tuple where one value is needed"),
        ("{'a': email}", "a dict where one value is needed"),
        ("visitor.first_name.upper", "a builtin_function_or_method where one value is needed"),
    ],
)
def test_a_failure_names_the_field_and_never_the_value(expression, reason):
    fields = {
        "contact": {"Good": FieldSettings(expression="email"), "Bad": FieldSettings(expression=expression)}
    }
    compiled = compile_mapping(fields, destination="sales")
    with pytest.raises(MappingError) as caught:
        compiled.records(RICH)
    assert str(caught.value) == f'destination "sales", contact.Bad: {reason} in "{expression}"'
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_fields_with_one_expression_share_its_value():
    fields = {name: {"Email": FieldSettings(expression="email")} for name in ("contact", "conversation")}
    records = compile_mapping(fields, destination="sales").records(RICH)
    assert records["contact"] == records["conversation"] == Record(values={"Email": "jane.doe@example.com"})


def test_a_mapping_without_fields_makes_no_record():
    assert compile_mapping({}, destination="sales").records(RICH) == {}


@pytest.mark.parametrize("name", samples())
def test_every_field_of_the_model_can_be_mapped(name):
    visitor = (
        "email",
        "phone",
        "first_name",
        "last_name",
        "address",
        "city",
        "zip_code",
        "country",
        "updated_at",
    )
    conversation = (
        "id",
        "channel",
        "language",
        "project_name",
        "duration",
        "created_at",
        "closed_at",
        "tags",
    )
    fields = {
        "contact": {field: FieldSettings(expression=f"visitor.{field}") for field in visitor},
        "conversation": {field: FieldSettings(expression=f"conversation.{field}") for field in conversation},
    }
    records = compile_mapping(fields, destination="sales").records(lead_from(samples()[name]))
    for record in records.values():
        assert all(found not in {None, ""} for found in record.initial.values())


texts = st.none() | st.text(max_size=6)
visitors = st.builds(Visitor, first_name=texts, last_name=texts, email=texts, city=texts)


@given(visitors, st.datetimes(timezones=st.just(UTC)))
def test_no_empty_value_reaches_a_record(visitor, at):
    fields = {
        "contact": {
            "Name": FieldSettings(expression="visitor.first_name ~ ' ' ~ visitor.last_name"),
            "Email": FieldSettings(expression="visitor.email"),
            "City": FieldSettings(expression="visitor.city | upper | default(visitor.last_name)"),
            "At": FieldSettings(expression="conversation.closed_at"),
        }
    }
    lead = lead_of(talk().build(visitor=visitor, closed_at=at), {})
    values = compile_mapping(fields, destination="sales").records(lead)["contact"].values
    assert values["At"] == at
    assert "None" not in values.get("Name", "") or "None" in f"{visitor.first_name}{visitor.last_name}"
    assert all(str(found).strip() for found in values.values())


pieces = st.sampled_from(
    [
        *("visitor", ".", "email", "answers", "Q1", "Q9", "|", "upper", "date", "number", "first", "default"),
        *(
            "join",
            "length",
            "truncate",
            "round",
            "(",
            ")",
            "[",
            "]",
            "'a'",
            "0",
            "1",
            ",",
            "~",
            "+",
            "-",
            "/",
        ),
        *(
            "==",
            "<",
            "in",
            "is",
            "not",
            "none",
            "defined",
            "if",
            "else",
            "or",
            "conversation",
            "tags",
            "{",
            "}",
        ),
    ]
)


@given(st.lists(pieces, max_size=8).map(" ".join))
@example("1 / 0")
@example("0[1]")
@example("- answers.Q9 + 1")
@example("visitor | length")
@example("{[]: 1}")
def test_an_expression_is_refused_at_the_start_or_fails_by_name(expression):
    with suppress(SettingsError):
        compiled = mapping(expression)
        for lead in (RICH, POOREST):
            with suppress(MappingError):
                compiled.records(lead)


def test_a_lead_read_back_from_the_ledger_maps_the_same():
    lead = Lead(
        key=RICH.key,
        contact_key=RICH.contact_key,
        email=RICH.email,
        conversation=replace(RICH.conversation, messages=(), duration=timedelta(minutes=1).total_seconds()),
        answers=dict(RICH.answers),
    )
    assert value("transcript", lead) == value("transcript", RICH)
    assert value("conversation.duration", lead) == 60.0


class TestThePage:
    """``docs/field-mapping.md`` says what is."""

    page = (Path(__file__).parents[2] / "docs" / "field-mapping.md").read_text(encoding="utf-8")

    def test_its_example_compiles(self):
        [toml] = re.findall(r"```toml\n(.*?)```", self.page, re.DOTALL)
        objects = tomllib.loads(toml)["destinations"]["sales"]
        fields = {
            name: {
                field: FieldSettings(expression=one["value"] if isinstance(one, dict) else one)
                for field, one in named.items()
            }
            for name, named in objects.items()
        }
        records = compile_mapping(fields, destination="sales").records(RICH)
        assert records["contact"].values["Budget"] == 25000
        assert records["conversation"].values["Happy"] is True

    @pytest.mark.parametrize(
        "name", [*FILTERS, *NAMES, *SHAPES[Visitor], *SHAPES[Conversation], *SHAPES[Lead]]
    )
    def test_every_name_is_on_it(self, name):
        assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", self.page)


HUGE = [
    "9**99999",
    "10**10000000",
    "(9**99)**99",
    "'a' * 10**9",
    "10**9 * 'a'",
    "['a'] * 10**9",
    "'%1000000000d' % 1",
    "'%*d' % (1000000000, 1)",
    "'a'.center(10**9)",
    "'a'.ljust(1000000000)",
    "'1'.zfill(1000000000)",
    "'\\t'.expandtabs(10**9)",
    "'{:1000000000d}'.format(1)",
    "5 | round(-(10**9))",
    "(('a' * 1000).replace('a', 'b' * 1000)).replace('b', 'c' * 1000)",
    "('a' * 999999) + ('b' * 999999)",
    "(" * 200 + "1" + ")" * 200,
    "[" * 200 + "]" * 200,
    "-" * 5000 + "1",
]


@pytest.mark.parametrize("source", HUGE, ids=lambda source: source[:24])
def test_what_would_burn_time_or_memory_is_an_error_of_the_configuration(source):
    with pytest.raises(SettingsError, match=r"cannot be computed|nested too deeply|is no expression"):
        mapping(source)


@pytest.mark.parametrize(
    "source",
    [
        "answers.Q1 * 10**9",
        "'%1000000000d' % (answers.Q2 | number)",
        "answers.Q1.center(answers.Q2 | number)",
        "answers.Q1 | replace('a', answers.Q1 * 1000)",
        "(answers.Q2 | number) ** 99999",
        "(answers.Q2 | number) * 'a'",
    ],
)
def test_what_a_lead_makes_too_large_is_that_fields_error(source):
    lead = answered(Q1="a" * 1000, Q2="900000000")
    with pytest.raises(MappingError):
        mapping(source).records(lead)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("2 ** 10", 1024),
        ("'ab' * 3", "ababab"),
        ("'%5.2f' % 3.14159", "3.14"),
        ("'7'.zfill(3)", "007"),
        ("3.14159 | round(2)", 3.14),
    ],
)
def test_ordinary_arithmetic_is_left_alone(source, result):
    assert value(source, answered(Q1="x")) == result
