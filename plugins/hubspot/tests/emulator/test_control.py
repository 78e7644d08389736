"""The control API and the page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest


def test_calls_are_counted_by_route_without_any_values(hubspot):
    hubspot.create("contacts", email="ana@example.com")
    for _ in range(2):
        hubspot.objects("contacts/ana@example.com?idProperty=email", method="GET")
    hubspot.upsert("contacts", {"id": "x", "idProperty": "email", "properties": {"email": "x@example.com"}})
    hubspot.objects("ana@example.com", method="GET")

    calls = hubspot.calls()

    assert calls["routes"] == {
        "GET /crm/objects/2026-09/contacts/{record_id}": 2,
        "GET /crm/objects/2026-09/{kind}": 1,
        "POST /crm/objects/2026-09/contacts": 1,
        "POST /crm/objects/2026-09/contacts/batch/upsert": 1,
    }
    assert (calls["total"], calls["inputs"]) == (5, 1)
    assert calls["statuses"] == {"200": 3, "201": 1, "400": 1}
    assert "example.com" not in str(calls)


def test_the_control_api_counts_no_calls(hubspot):
    hubspot.state()
    hubspot.get("/")

    assert hubspot.calls()["total"] == 0


def test_counters_can_start_again(hubspot):
    hubspot.get("/crm/objects/2026-09/contacts")

    hubspot.call("DELETE", "/_emulator/calls")

    assert hubspot.calls()["total"] == 0


def test_every_answer_has_a_correlation_id_of_its_own(hubspot):
    answers = [hubspot.objects("contacts/1", method="GET") for _ in range(20)]

    ids = [one.json()["correlationId"] for one in answers]
    assert len(set(ids)) == 20
    assert [one.headers["X-HubSpot-Correlation-Id"] for one in answers] == ids
    assert {one["correlation_id"] for one in hubspot.calls()["last"]} == set(ids)


def test_people_make_change_and_archive_records_by_the_back_door(hubspot):
    made = hubspot.post("/_emulator/records/contacts", {"properties": {"email": "ana@example.com"}}).json()
    assert hubspot.properties("contacts", made["id"], "email") == {"email": "ana@example.com"}

    changed = hubspot.call(
        "PATCH", f"/_emulator/records/contacts/{made['id']}", json={"properties": {"firstname": "Ana"}}
    )
    assert changed.json()["properties"]["firstname"] == "Ana"

    hubspot.call("DELETE", f"/_emulator/records/contacts/{made['id']}")

    assert hubspot.objects(f"contacts/{made['id']}", method="GET").status_code == 404
    assert hubspot.calls()["total"] == 2


def test_the_state_shows_records_links_and_definitions(visitors):
    contact = visitors.create("contacts", chat_visitor_id="v1")
    note = visitors.create("notes", hs_timestamp="2026-11-22T09:31:40Z")
    visitors.objects(f"notes/{note}/associations/default/contacts/{contact}", method="PUT")

    state = visitors.state()

    assert [one["id"] for one in state["records"]["contacts"]] == [contact]
    assert state["associations"] == [
        {"from": {"type": "notes", "id": note}, "to": {"type": "contacts", "id": contact}}
    ]
    assert [one["name"] for one in state["properties"]["contacts"]] == ["chat_visitor_id"]


def test_a_reset_forgets_everything(visitors):
    visitors.create("contacts", chat_visitor_id="v1")
    visitors.fault("503")

    visitors.post("/_emulator/reset")

    state = visitors.state()
    assert state["records"]["contacts"] == state["properties"]["contacts"] == []
    assert visitors.get("/crm/objects/2026-09/contacts").status_code == 200


def test_the_clock_stands_still_and_runs_on_from_there(hubspot):
    hubspot.post("/_emulator/clock", {"freeze": True})
    first, second = (hubspot.get("/_emulator/clock").json()["now"] for _ in range(2))
    assert first == second

    moved = hubspot.post("/_emulator/clock", {"advance": 3600}).json()
    assert moved["frozen"] is True
    assert moved["now"] > first

    assert hubspot.post("/_emulator/clock", {"freeze": False}).json()["now"] >= moved["now"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("clock", {"advance": -1}), ("settings", {"plan": "gold"}), ("settings", {"colour": "red"})],
)
def test_bad_requests_to_the_control_api_are_refused(hubspot, path, body):
    assert hubspot.post(f"/_emulator/{path}", body).status_code == 400


def test_the_page_shows_records_links_calls_and_faults_escaped(visitors):
    contact = visitors.create("contacts", firstname="<script>alert(1)</script>")
    note = visitors.create("notes", hs_timestamp="2026-11-22T09:31:40Z")
    visitors.objects(f"notes/{note}/associations/default/contacts/{contact}", method="PUT")
    visitors.fault("503=nowhere:0.5")

    page = visitors.get("/").text

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert f">Note {note}</a>" in page
    assert f">Contact {contact}</a>" in page
    assert "PUT /crm/objects/2026-09/notes/{record_id}/associations/default/contacts/{other_id}" in page
    assert "<code>503</code>" in page


def test_a_record_has_a_page_of_its_own(hubspot):
    made = hubspot.create("contacts", firstname="Ana")

    assert "Ana" in hubspot.get(f"/_emulator/pages/contacts/{made}").text
    assert hubspot.get("/_emulator/pages/contacts/1").status_code == 404


def test_an_unknown_path_is_404_in_hubspots_shape(hubspot):
    answer = hubspot.get("/crm/objects/2026-09/contacts/1/2/3/4")

    assert (answer.status_code, answer.json()["status"]) == (404, "error")
    assert hubspot.calls()["last"][0]["route"] == "(unknown path)"


def test_parallel_upserts_of_one_visitor_leave_one_record(visitors):
    entry = {"id": "v1", "idProperty": "chat_visitor_id", "properties": {"chat_visitor_id": "v1"}}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: visitors.upsert("contacts", entry), range(24)))

    made = [answer.json()["results"][0]["new"] for answer in answers]
    assert sum(made) == 1
    assert len(visitors.state()["records"]["contacts"]) == 1


def test_an_unknown_plan_is_refused_at_the_start(start):
    with pytest.raises(ValueError, match="there is no plan 'gold'; there are free, starter"):
        start(plan="gold")
