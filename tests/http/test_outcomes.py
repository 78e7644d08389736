"""From an answer to the outcome of a lead: one table, by code first and then by status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatferry import (
    AuthFailure,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    TemporaryFailure,
)
from chatferry.http.outcomes import (
    USUAL,
    Complaint,
    ErrorTable,
    away,
    forbidden,
    quota,
    refused,
    slower,
    temporary,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLAIN = ErrorTable(USUAL, otherwise=away)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, PermanentFailure),
        (401, AuthFailure),
        (403, AuthFailure),
        (404, PermanentFailure),
        (408, TemporaryFailure),
        (422, PermanentFailure),
        (423, TemporaryFailure),
        (425, TemporaryFailure),
        (429, RateLimited),
        (500, TemporaryFailure),
        (503, TemporaryFailure),
        (599, TemporaryFailure),
        (302, TemporaryFailure),
        (0, TemporaryFailure),
    ],
)
def test_statuses_mean_what_they_usually_mean(status, kind):
    assert type(PLAIN.error(Complaint(status=status), status)) is kind


def test_the_row_of_status_and_code_comes_first_then_the_code_then_the_status():
    table = ErrorTable(
        USUAL,
        {
            (403, "LIMIT"): quota("used up", wait=60, now=lambda: NOW),
            "LIMIT": slower("too fast", wait=3),
            403: forbidden("not allowed"),
        },
        otherwise=away,
    )

    def kind(status, *codes):
        return type(table.error(Complaint(status=status), status, codes))

    assert kind(403, "LIMIT") is QuotaExhausted
    assert kind(403, "", "OTHER", "LIMIT") is QuotaExhausted
    assert kind(400, "LIMIT") is RateLimited
    assert kind(403, "OTHER") is AuthFailure


def test_a_wait_that_the_answer_asks_for_comes_before_the_one_of_the_row():
    row = slower("too fast", wait=3)
    assert row(Complaint(status=429)).retry_after == 3
    assert row(Complaint(status=429, retry_after=0.0)).retry_after == 0.0
    assert temporary("away")(Complaint()).retry_after is None


def test_a_used_up_allowance_rests_as_long_as_the_row_says():
    error = quota("used up", wait=900, now=lambda: NOW)(Complaint(code="LIMIT"))
    assert error.until == NOW + timedelta(minutes=15)


def test_an_error_names_status_code_and_fields_and_nothing_that_was_sent():
    said = Complaint(
        status=400,
        code="INVALID_EMAIL",
        crm_message="ana@example.com is no address",
        fields=frozenset({"Email", "Alias"}),
        reference="r-7",
    )
    error = refused("the CRM refuses the contact")(said)
    assert str(error) == "the CRM refuses the contact: 400 INVALID_EMAIL (Alias, Email)"
    assert (error.code, error.reference, error.crm_message) == ("INVALID_EMAIL", "r-7", said.crm_message)
    assert "ana@" not in repr(said)


def test_an_error_without_a_code_is_known_by_its_status():
    assert refused("no")(Complaint(status=422)).code == "422"
    assert refused("no")(Complaint()).code is None
