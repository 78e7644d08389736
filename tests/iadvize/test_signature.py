from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatferry.errors import WebhookRefused
from chatferry.iadvize.signature import sign, verify
from chatferry.settings.secrets import Secret

VECTORS = json.loads((Path(__file__).parent / "samples/signature.test-vectors.computed.json").read_text())[
    "vectors"
]
OLD, NEW = Secret("old-token"), Secret("new-token")
BODY = b'{"eventId":"1"}'


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_documented_rule_gives_the_known_signatures(vector):
    secret, raw = Secret(vector["secretToken"]), vector["signedBytesUtf8"].encode()
    assert sign(secret, raw) == vector["value"]
    verify([secret], raw, vector["value"])


def test_every_secret_of_a_rotation_is_accepted():
    for secret in (OLD, NEW):
        verify([OLD, NEW], BODY, sign(secret, BODY))


def test_case_and_blanks_around_the_header_do_not_matter():
    verify([OLD], BODY, f"  {sign(OLD, BODY).upper()} ")


@pytest.mark.parametrize("folded", ["{0}, {0}", "{0},{0}", "{0},", " {0} , {0}"])
def test_a_signature_that_is_said_twice_counts_once(folded):
    verify([OLD], BODY, folded.format(sign(OLD, BODY)))


def test_a_forged_signature_is_refused():
    with pytest.raises(WebhookRefused) as refusal:
        verify([OLD, NEW], BODY, sign(Secret("guess"), BODY))
    assert refusal.value.status == 401


def test_a_tampered_body_is_refused():
    with pytest.raises(WebhookRefused, match="does not belong to this body"):
        verify([OLD], BODY + b" ", sign(OLD, BODY))


def test_nothing_is_accepted_without_a_secret():
    with pytest.raises(WebhookRefused):
        verify([], BODY, sign(OLD, BODY))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "is missing"),
        ("", "is missing"),
        ("   ", "is missing"),
        ("sha1=" + "0" * 64, "only sha256"),
        ("md5=d41d8cd98f00b204e9800998ecf8427e", "only sha256"),
        ("0" * 64, "only sha256"),
        ("sha256=", "not 64"),
        ("sha256", "not 64"),
        ("sha256=abc", "not 64"),
        ("sha256=" + "0" * 65, "not 64"),
        ("sha256=" + "é" * 64, "not 64"),
        ("sha256=" + "\udcff" * 64, "not 64"),
        ("sha256=" + "g" * 64, "not 64"),
        (f"sha256={'0' * 64}, sha256={'1' * 64}", "more than once"),
        (f"sha256={'0' * 64}, sha1=1", "only sha256"),
        (", ,", "is missing"),
    ],
)
def test_a_strange_header_is_refused_with_the_reason(header, reason):
    with pytest.raises(WebhookRefused, match=reason) as refusal:
        verify([OLD], BODY, header)
    assert refusal.value.status == 401


@given(st.text(), st.binary())
def test_whatever_the_header_it_is_refused_and_never_crashes(header, raw):
    with pytest.raises(WebhookRefused):
        verify([OLD], raw, header)


def test_a_refusal_does_not_show_the_secret():
    with pytest.raises(WebhookRefused) as refusal:
        verify([OLD], BODY, "sha256=" + "0" * 64)
    assert "old-token" not in repr(refusal.value)
