"""Which of two numbers is the visitor's telephone: the words in front of it say so, not the question."""

from __future__ import annotations

import pytest

from chatferry.leads.strategies.contact import Contact
from chatferry.testing.conversations import talk

PHONE, ORDER = "06 12 34 56 78", "06 98 76 54 32"
ASKED_FOR_ORDER = ["Quel est votre numéro de commande ?", "What is your order number?"]
ASKED_FOR_PHONE = ["Quel est votre numéro de téléphone ?", "What is your phone number?"]


def phone_of(asked: str, *texts: str) -> str | None:
    chat = talk().agent(asked)
    for text in texts:
        chat = chat.visitor(text)
    found = Contact(Contact.Settings().load({})).extract(chat.build(language="fr"), {})
    return next((answer.value for answer in found if answer.name == "phone"), None)


@pytest.mark.parametrize("asked", [*ASKED_FOR_ORDER, *ASKED_FOR_PHONE])
@pytest.mark.parametrize(
    "texts",
    [
        (f"mon téléphone est {PHONE}",),
        (f"Je ne l'ai pas, mon portable est le {PHONE}",),
        (f"my phone is {PHONE}",),
        (f"mon téléphone est {PHONE}, ma commande {ORDER}",),
        (f"ma commande est {ORDER}, mon téléphone {PHONE}",),
        (f"commande {ORDER}", f"mon téléphone est {PHONE}"),
    ],
)
def test_a_number_that_is_said_to_be_a_telephone_is_one_whatever_was_asked(asked, texts):
    assert phone_of(asked, *texts) == "+33612345678"


@pytest.mark.parametrize("asked", ASKED_FOR_ORDER)
def test_a_number_without_words_is_what_was_asked_for(asked):
    assert phone_of(asked, ORDER) is None
    assert phone_of(asked, "0698765432") is None


@pytest.mark.parametrize("asked", ASKED_FOR_PHONE)
def test_a_number_that_is_said_to_be_an_order_is_none_whatever_was_asked(asked):
    assert phone_of(asked, f"ma commande est {ORDER}") is None
    assert phone_of(asked, f"my order number is {ORDER}") is None
    assert phone_of(asked, PHONE) == "+33612345678"
