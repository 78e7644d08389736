"""Every misbehaviour that ``--fault`` switches on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN, HUBSPOT_TOKEN

from chatferry.emulators.misbehaviour import CONNECTIONS
from chatferry_hubspot.emulator import EMULATOR
from chatferry_hubspot.emulator.faults import REFUSALS

PAGE = Path(__file__).parents[4] / "docs" / "emulator-hubspot.md"
STATUSES = [name for name in REFUSALS if name[:3].isdigit()]


def inputs(*traces):
    return [
        {
            "id": f"{trace}@example.com",
            "idProperty": "email",
            "objectWriteTraceId": trace,
            "properties": {"email": f"{trace}@example.com"},
        }
        for trace in traces
    ]


def written(hubspot):
    return sorted(one["properties"]["email"][0] for one in hubspot.state()["records"]["contacts"])


def traces(answer):
    return [one.get("objectWriteTraceId") for one in answer.json()["results"]]


@pytest.mark.parametrize("name", STATUSES)
def test_a_refusal_writes_nothing_and_the_next_call_is_good(hubspot, name):
    hubspot.fault(f"{name}:x1")

    answer = hubspot.upsert("contacts", *inputs("a"))

    assert answer.status_code == int(name[:3])
    assert written(hubspot) == []
    assert hubspot.upsert("contacts", *inputs("a")).status_code == 200


@pytest.mark.parametrize("name", ["502", "503", "521", "522", "523", "524"])
def test_gateways_answer_in_html(hubspot, name):
    hubspot.fault(name)

    answer = hubspot.upsert("contacts", *inputs("a"))

    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("name", "policy"),
    [("429-burst", "TEN_SECONDLY_ROLLING"), ("429-secondly", "SECONDLY"), ("429-daily", "DAILY")],
)
def test_a_rate_limit_says_its_policy_and_when_to_come_back_if_asked(hubspot, name, policy):
    hubspot.fault(f"{name}:x1")
    silent = hubspot.upsert("contacts", *inputs("a"))
    hubspot.fault(f"{name}=7")
    spoken = hubspot.upsert("contacts", *inputs("a"))

    assert silent.json()["policyName"] == spoken.json()["policyName"] == policy
    assert (silent.headers.get("Retry-After"), spoken.headers.get("Retry-After")) == (None, "7")


def test_a_moving_account_says_for_how_long(hubspot):
    hubspot.fault("477")

    assert hubspot.upsert("contacts", *inputs("a")).headers["Retry-After"] == "3600"


def test_the_403_names_the_scope_of_the_path(hubspot, conversations):
    hubspot.fault("403")

    [error] = hubspot.upsert(conversations, *inputs("a")).json()["errors"]

    assert error["context"]["requiredGranularScopes"] == ["crm.objects.custom.write"]


def test_an_error_may_have_no_fields(hubspot):
    hubspot.fault("bare-error")

    answer = hubspot.upsert("contacts", *inputs("a"))

    assert (answer.status_code, answer.json()) == (500, {})


@pytest.mark.parametrize(
    ("name", "kept"),
    [("timeout-before-commit", []), ("timeout-after-commit", ["a"])],
)
def test_a_timeout_happens_before_or_after_the_write(hubspot, name, kept):
    hubspot.fault(f"{name}=0.3:x1")

    with pytest.raises(requests.ReadTimeout):
        hubspot.session.post(
            f"{hubspot.url}/crm/objects/2026-09/contacts/batch/upsert",
            json={"inputs": inputs("a")},
            headers={"Authorization": f"Bearer {HUBSPOT_TOKEN}"},
            timeout=0.15,
        )

    assert written(hubspot) == kept
    assert hubspot.calls()["statuses"] == {"0": 1}


@pytest.mark.parametrize(("name", "kept"), [("reset-before-commit", []), ("reset-after-commit", ["a"])])
def test_a_connection_closes_before_or_after_the_write(hubspot, name, kept):
    hubspot.fault(f"{name}:x1")

    with pytest.raises(requests.ConnectionError):
        hubspot.upsert("contacts", *inputs("a"))

    assert written(hubspot) == kept
    assert hubspot.calls()["last"][0]["status"] == 0


def test_an_answer_breaks_off_in_the_middle(hubspot):
    hubspot.fault("truncated:x1")

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        hubspot.upsert("contacts", *inputs("a"))

    assert written(hubspot) == ["a"]


@pytest.mark.parametrize("name", ["empty-body", "cut-json", "html-ok"])
def test_an_answer_is_2xx_but_can_not_be_read(hubspot, name):
    hubspot.fault(f"{name}:x1")

    answer = hubspot.upsert("contacts", *inputs("a"))

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert written(hubspot) == ["a"]


@pytest.mark.parametrize(("name", "status"), [("partial-207", 207), ("errors-in-200", 200)])
def test_one_input_fails_for_no_fault_of_its_own(hubspot, name, status):
    hubspot.fault(f"{name}:x1")

    answer = hubspot.upsert("contacts", *inputs("a", "b", "c"))

    assert answer.status_code == status
    [error] = answer.json()["errors"]
    assert error["category"] == "INTERNAL_ERROR"
    [lost] = error["context"]["objectWriteTraceId"]
    assert written(hubspot) == sorted({"a", "b", "c"} - {lost}) == sorted(traces(answer))


def test_errors_can_hide_in_a_200(hubspot):
    hubspot.fault("errors-in-200:x1")
    bad = {**inputs("b")[0], "properties": {"email": "not-an-email"}}

    answer = hubspot.upsert("contacts", *inputs("a"), bad)

    assert answer.status_code == 200
    assert "b" in {trace for one in answer.json()["errors"] for trace in one["context"]["objectWriteTraceId"]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reversed", lambda found: found == ["c", "b", "a"]),
        ("results-missing", lambda found: len(found) == 2),
        ("results-extra", lambda found: len(found) == 4 and None in found),
        ("no-trace-ids", lambda found: found == [None] * 3),
    ],
)
def test_results_do_not_match_their_inputs(hubspot, name, expected: Callable[[list[str]], bool]):
    hubspot.fault(f"{name}:x1")

    answer = hubspot.upsert("contacts", *inputs("a", "b", "c"))

    assert answer.status_code == 200
    assert expected(traces(answer))
    assert written(hubspot) == ["a", "b", "c"]


def test_a_slow_answer_is_a_good_one(hubspot):
    hubspot.fault("slow=0.05:x1")

    assert hubspot.upsert("contacts", *inputs("a")).status_code == 200
    assert hubspot.calls()["last"][0]["milliseconds"] >= 50


@pytest.mark.parametrize(("name", "status"), [("oauth-400", 400), ("oauth-500", 500)])
def test_the_token_endpoint_fails_alone(hubspot, name, status):
    hubspot.fault(name)
    form = {
        "grant_type": "refresh_token",
        "client_id": "client-emulator",
        "client_secret": HUBSPOT_CLIENT_SECRET,
        "refresh_token": HUBSPOT_REFRESH_TOKEN,
    }

    assert hubspot.call("POST", "/oauth/2026-09/token", data=form).status_code == status
    assert hubspot.upsert("contacts", *inputs("a")).status_code == 200


def test_a_fault_can_be_aimed_at_a_path(hubspot):
    hubspot.fault("503=batch/upsert:x1")

    assert hubspot.create("contacts", firstname="Ana")
    assert hubspot.upsert("contacts", *inputs("a")).status_code == 503


def test_a_fault_can_be_aimed_and_timed(hubspot):
    hubspot.fault("429-burst=7,contacts")

    assert hubspot.get("/crm/objects/2026-09/notes").status_code == 200
    assert hubspot.upsert("contacts", *inputs("a")).headers["Retry-After"] == "7"


def test_faults_are_switched_on_at_the_start_and_off_again(start):
    hubspot = start("503")
    assert hubspot.upsert("contacts", *inputs("a")).status_code == 503

    hubspot.call("POST", "/_emulator/faults", json={"off": ["503"]})
    assert hubspot.upsert("contacts", *inputs("a")).status_code == 200

    hubspot.fault("500", "504")
    assert hubspot.call("DELETE", "/_emulator/faults").json()["on"] == []
    assert hubspot.upsert("contacts", *inputs("a")).status_code == 200


def test_a_misspelt_fault_is_refused_with_the_nearest(hubspot):
    answer = hubspot.post("/_emulator/faults", {"on": ["time-out-after-commit"]})

    assert answer.status_code == 400
    assert "did you mean timeout-after-commit?" in answer.json()["message"]


def test_every_fault_is_in_the_documentation_word_for_word():
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    documented = {row[0].strip("`"): row[1] for row in rows if row[0].strip("`") in EMULATOR.faults}

    assert documented == dict(EMULATOR.faults)
    assert set(CONNECTIONS) <= set(documented)
