"""E-mail addresses in profiles and in what visitors write: the right one or none, never another person's."""

# ruff: noqa: RUF001  (texts as people type them)

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatferry.leads.emails import usable_email, valid_email, written_in
from chatferry.leads.strategies.contact import Contact
from chatferry.testing.conversations import talk


def said(text, *, asked="", **options):
    answers = Contact(Contact.Settings().load(options)).extract(talk().agent(asked).visitor(text).build(), {})
    return {answer.name: answer.value for answer in answers}.get("email")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("jeanne\\_dupont@example.fr", "jeanne_dupont@example.fr"),
        ("marie\u200b.curie@example.fr", "marie.curie@example.fr"),
        ("email=luc@example.fr", "luc@example.fr"),
        ("zoe@example.fr.merci", "zoe@example.fr"),
        ("我的邮箱是mei.lin@example.com谢谢", "mei.lin@example.com"),
        ("メールはtaro@example.jpです", "taro@example.jp"),
        ("邮箱：mei.lin@example.com", "mei.lin@example.com"),
        ("taro＠example.jp", "taro@example.jp"),
        ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "taro@example.jp"),
        ("제 이메일은minsu@example.kr입니다", "minsu@example.kr"),
        ("อีเมลsomchai@example.co.thครับ", "somchai@example.co.th"),
        ("המייל שליdana@example.co.il", "dana@example.co.il"),
        ("📧luc@example.fr", "luc@example.fr"),
        ("c'est «luc@example.fr»", "luc@example.fr"),
        ("info@firma.uk.com", "info@firma.uk.com"),
        ("info@my.shop.boutique", "info@my.shop.boutique"),
        ("luc@sous.domaine.example.co.uk", "luc@sous.domaine.example.co.uk"),
    ],
)
def test_an_address_is_found_whatever_it_is_written_against(text, right):
    assert said(text) == right


@pytest.mark.parametrize(
    "text",
    [
        "jean…dupont@example.fr",
        "jean–dupont@example.fr",
        "jean/dupont@example.fr",
        "jean\\dupont@example.fr",
        "a@x.fr\u200bb@y.fr",
        "\u0430nna@example.fr",
        "почтаivan@example.ru",
        "山田@example.jp",
        "luc@example.fré",
        "paul@example.c0m",
        "jean@dupont@example.fr",
        "x" * 70 + ".dupont@example.fr",
    ],
)
def test_what_may_be_a_part_of_an_address_is_none(text):
    assert said(text) is None


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("jeanne@example.fr\u200b", "jeanne@example.fr"),
        ("\ufeffjeanne@example.fr", "jeanne@example.fr"),
        ("\u200fjeanne@example.fr", "jeanne@example.fr"),
        ("jeanne@exam\u00adple.fr", "jeanne@example.fr"),
        ("jeanne@example.fr.", "jeanne@example.fr"),
        ("<jeanne@example.fr>", "jeanne@example.fr"),
        ("Jeanne Dupont <jeanne@example.fr>", "jeanne@example.fr"),
        ("mailto:luc@example.fr", "luc@example.fr"),
        ("E-mail: luc@example.fr", "luc@example.fr"),
        ("rose@example.fr,", "rose@example.fr"),
        (" “Rose@Example.FR” ", "rose@example.fr"),
        ("info@bücher.example", "info@bücher.example"),
        ("info@xn--bcher-kva.example", "info@bücher.example"),
        ("paul@example.c0m", None),
        ("jean dupont@example.fr", None),
        ("a@example.fr, b@example.fr", None),
        ("zoe@example.fr.merci", None),
        ("jean/dupont@example.fr", None),
        ("anne..d@example.fr", None),
        ("n/a", None),
        ("@", None),
        ("", None),
        (None, None),
    ],
)
def test_a_profile_holds_one_address_or_none(text, right):
    assert usable_email(text) == right


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_spelling_of_an_address_is_one_address(form):
    assert usable_email(unicodedata.normalize(form, "Ren\u00e9.M\u00fcller@b\u00fccher.example")) == (
        "ren\u00e9.m\u00fcller@b\u00fccher.example"
    )


@pytest.mark.parametrize("asked", ["Write to Info@Example.ORG", "<info@example.org>", "info＠example.org"])
def test_the_brands_address_is_not_the_visitors_however_it_is_written(asked):
    assert said("did you mean INFO@example.org?", asked=asked) is None


NAMES = st.from_regex(r"[a-h0-9][a-h0-9_.-]{0,12}", fullmatch=True).filter(
    lambda name: valid_email(f"{name}@example.org")
)


@given(NAMES, st.characters(exclude_categories=["Cs"]), NAMES)
@example("jean", "\u2011", "dupont")
@example("a", "@", "b")
def test_an_address_is_never_what_is_left_of_a_longer_word(before, sign, name):
    """Whatever stands between: the whole, or only what follows a sign that no address holds."""
    for found in written_in(f"{before}{sign}{name}@example.org"):
        local = found.rpartition("@")[0]
        if not local.startswith(before):
            assert not (sign.isalnum() and sign < "\u0590")
            assert unicodedata.category(sign) not in {"Pd", "Mn", "Mc", "Me", "Cf"} or sign == "-"


@given(st.text(max_size=60))
def test_any_text_is_read(text):
    for address in written_in(f"{text}@{text}.fr {text}"):
        assert "@" in address
    assert usable_email(text) is None or "@" in usable_email(text)


def test_an_address_that_is_quoted_is_not_the_visitors():
    assert said("> write to a@example.org\nno, to b@example.org") == "b@example.org"
