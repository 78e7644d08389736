import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from chatferry.leads.extraction import lead_of
from chatferry.leads.strategies.contact import Contact
from chatferry.model import Answer, Visitor
from chatferry.testing.conversations import anonymous, rich, talk
from chatferry.testing.strategies import StrategyContract


class TestContact(StrategyContract):
    @pytest.fixture
    def strategy(self):
        return Contact(Contact.Settings().load({}))


def contact(conversation, found=None, **options):
    answers = Contact(Contact.Settings().load(options)).extract(conversation, found or {})
    return {answer.name: answer.value for answer in answers}


def said(text, *, asked="", language="fr", **options):
    return contact(talk().agent(asked).visitor(text).build(language=language), **options)


@pytest.mark.parametrize(
    "text",
    [
        "jane@example.org",
        "<jane@example.org>",
        "mailto:jane@example.org",
        "[me](mailto:jane@example.org)",
        "**jane@example.org**",
        "_jane@example.org_",
        "'jane@example.org'",
        "It is jane@example.org.",
        "jane@example.org.Thanks",
        "(jane@example.org), please",
        "jane@Example.ORG!",
        "jane@ or rather jane@example.org",
        "jane@example.org;john@example.org",
    ],
)
def test_an_address_is_found_in_whatever_surrounds_it(text):
    assert said(text) == {"email": "jane@example.org"}


@pytest.mark.parametrize(
    "text",
    [
        "@jane",
        "jane@",
        "jane@localhost",
        "a@b",
        "jane@@x.com",
        "ftp://jane:x@host.com/",
        "jane@x.test",
        "@" * 500,
    ],
)
def test_what_is_no_address_is_left(text):
    assert said(text) == {}


def test_the_address_names_the_message_it_came_from():
    [email, phone] = Contact({}).extract(anonymous(), {})
    assert (email.value, email.message_ids) == ("jane.doe@example.org", ("m4",))
    assert (phone.value, phone.message_ids) == ("+442079460958", ("m4",))


def test_the_brands_own_address_is_not_the_visitors():
    chat = talk().agent("Write to help@brand.com").visitor("help@brand.com is silent, mine is a@b.org")
    assert contact(chat.build()) == {"email": "a@b.org"}


def test_an_agent_may_repeat_the_visitors_address():
    assert contact(talk().visitor("a@b.org").agent("So it is a@b.org?").visitor("yes").build()) == {
        "email": "a@b.org"
    }


def test_addresses_and_domains_can_be_ignored():
    text = "I wrote to help@brand.com and boss@shop.com, I am jane@shop.com"
    assert said(text, ignore=["Brand.com", "boss@shop.com"]) == {"email": "jane@shop.com"}


def test_the_first_address_counts_unless_the_last_is_asked_for():
    chat = talk().visitor("jnae@x.org").visitor("sorry, jane@x.org").build()
    assert contact(chat) == {"email": "jnae@x.org"}
    assert contact(chat, take="last") == {"email": "jane@x.org"}


@pytest.mark.parametrize(
    "text",
    [
        "06 12 34 56 78",
        "0612345678",
        "06.12.34.56.78.",
        "06-12-34-56-78, merci",
        "+33612345678",
        "+33 (0)6 12 34 56 78",
        "(+33) 6 12 34 56 78",
        "0033 6 12 34 56 78",
        "Tel.0612345678",
        "appelez 612345678",
        "commande 12 ; mon téléphone : 0612345678",
        "le 12/05/2026, au 0612345678",
        "06 12 34 56 78 ou 07 12 34 56 78",
    ],
)
def test_a_number_comes_in_the_international_form(text):
    assert said(text) == {"phone": "+33612345678"}


@pytest.mark.parametrize(
    "text",
    [
        "commande 0612345678",
        "order no. 0612345678",
        "facture n° 06 12 34 56 78",
        "12345678",
        "612345678",
        "le 12/05/2026 à 14h30",
        "2026-05-12 14:30:00",
        "FR76 3000 6000 0112 3456 7890 189",
        "4970 1012 3456 7890",
        "06 12 34 56 78 €",
        "12 345 678 euros",
        "https://shop.com/0612345678",
        "A0612345678B",
        "1" * 3000,
    ],
)
def test_what_is_no_number_is_left(text):
    assert said(text) == {}


def test_digits_of_an_address_are_no_number():
    assert said("0612345678@example.org") == {"email": "0612345678@example.org"}


def test_the_agents_question_decides_where_the_visitors_words_do_not():
    assert said("0612345678", asked="Quel est votre numéro de commande ?") == {}
    assert said("612345678", asked="Votre numéro de téléphone ?") == {"phone": "+33612345678"}


@pytest.mark.parametrize(
    ("language", "visitor", "regions", "number"),
    [
        ("en_US", Visitor(), [], "+12025550143"),
        ("en", Visitor(country="us"), [], "+12025550143"),
        ("fr", Visitor(country="United States"), ["US"], "+12025550143"),
    ],
)
def test_national_numbers_follow_country_language_and_options(language, visitor, regions, number):
    chat = talk().visitor("call (202) 555-0143").build(language=language, visitor=visitor)
    assert contact(chat, regions=regions) == {"phone": number}


def test_without_a_region_only_international_numbers_count():
    assert said("call 020 7946 0958 or +33 6 12 34 56 78", language=None) == {"phone": "+33612345678"}


def test_nothing_is_sought_that_is_known():
    text = "jane@example.org 06 12 34 56 78"
    assert contact(talk().visitor(text).build(language="fr", visitor=rich().visitor)) == {}
    found = {name: Answer(name=name, value="x", message_ids=(), strategy="s") for name in ("email", "phone")}
    assert contact(talk().visitor(text).build(language="fr"), found) == {}


def test_a_filler_in_the_profile_is_not_an_address():
    chat = talk().visitor("jane@example.org").build(visitor=Visitor(email="n/a"))
    assert contact(chat) == {"email": "jane@example.org"}


@pytest.mark.parametrize(
    "options", [{"regions": ["FRA"]}, {"take": "best"}, {"ignore": [""]}, {"region": "FR"}]
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        Contact.Settings().load(options)


def test_a_conversation_without_either_loads_neither_library():
    code = (
        "import sys; from chatferry.leads.strategies.contact import Contact;"
        "from chatferry.testing.conversations import talk;"
        "list(Contact({}).extract(talk().visitor('Hello, 25 000 please').build(), {}));"
        "sys.exit(bool({'phonenumbers', 'email_validator'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(
    st.lists(
        st.sampled_from(["a@b.org", "@", "06 12", " 34 56 78", "+", "0", ".", " ", "//", "é"])
        | st.text(max_size=3)
    )
)
def test_no_text_breaks_it(pieces):
    for value in said("".join(pieces)).values():
        assert "@" in value or value.startswith("+")


@pytest.mark.parametrize(
    ("text", "language", "right"),
    [
        ("06 12 34 56 78", "fr", "+33612345678"),
        ("06 12 34 56 7", "fr", None),
        ("01 23 45 67 8", "fr", None),
        (
            "\uff10\uff19\uff10\uff0d\uff11\uff12\uff13\uff14\uff0d\uff15\uff16\uff17\uff18",
            "ja",
            "+819012345678",
        ),
        ("06\u201112\u201134\u201156\u201178", "fr", "+33612345678"),
        ("06\u201312\u201334\u201356\u201378", "fr", "+33612345678"),
        ("06\u200912\u200934\u200956\u200978", "fr", "+33612345678"),
        ("+32 470 12 34 56", "fr", "+32470123456"),
        ("06 12 34 56 78", "xx", None),
    ],
)
def test_a_number_is_of_the_chats_country_or_international_or_none(text, language, right):
    assert said(text, language=language).get("phone") == right


@given(st.integers(0, 99_999_999), st.integers(2, 9))
def test_a_number_with_a_digit_forgotten_is_nobodys_in_the_country_next_door(digits, place):
    number = f"06{digits:08d}"
    assert (
        said(f"{number[:place]}{number[place + 1 :]}", asked="Your phone?")
        .get("phone", "+33")
        .startswith("+33")
    )


@pytest.mark.parametrize("filler", ["n/a", "-", "0", "00 00 00 00 00", "inconnu", "\u200b", " "])
def test_a_filler_in_the_profile_is_no_telephone_number(filler):
    chat = talk().visitor("06 12 34 56 78").build(language="fr", visitor=Visitor(id="v", phone=filler))
    assert contact(chat)["phone"] == "+33612345678"
    assert lead_of(chat, {}).visitor.phone is None
