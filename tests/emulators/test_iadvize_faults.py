from __future__ import annotations

import pytest
import requests

from chatferry.emulators.iadvize import FAULTS, signature

ONE = "query ($id: UUID!) { conversation(id: $id) { id closedAt visitor { email } } }"
CLOSED_ONLY = {"pushed": False, "late": False}
MESSAGES = """query ($id: UUID!) { conversation(id: $id) { messages { edges { node { __typename
  ... on ParticipantConversationMessage { messageId } } } } } }"""


@pytest.fixture
def fault(served):
    """Switch a fault on and return what GraphQL answers to a plain question."""

    def strike(specification, query=ONE):
        served.world.faults.switch_on(specification)
        return served.post(query, {"id": served.world.ids[0]})

    return strike


def test_unauthorized_refuses_a_valid_token_once(fault, served):
    assert fault("unauthorized:x1").status_code == 401
    assert served.session.get(f"{served.url}/_authenticated").ok
    assert served.post(ONE, {"id": served.world.ids[0]}).ok


def test_a_revoked_token_stays_revoked_until_the_next_login(fault, served):
    assert fault("token-revoked:x1").status_code == 401
    assert served.post(ONE, {"id": served.world.ids[0]}).status_code == 401
    assert served.bear().post(ONE, {"id": served.world.ids[0]}).ok


def test_login_refused_refuses_right_credentials(served):
    served.world.faults.switch_on("login-refused:x1")
    answer = served.login()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert served.login().ok


@pytest.mark.parametrize(("specification", "after"), [("login-limited", None), ("login-limited=3", "3")])
def test_login_limited_answers_429_with_or_without_retry_after(served, specification, after):
    served.world.faults.switch_on(specification)
    answer = served.login()
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, after)


@pytest.mark.parametrize(("specification", "after"), [("rate-limited", None), ("rate-limited=7", "7")])
def test_rate_limited_answers_429_with_or_without_retry_after(fault, specification, after):
    answer = fault(specification)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, after)


@pytest.mark.parametrize(("specification", "status"), [("server-error", 500), ("server-error=503", 503)])
def test_a_server_error_is_json(fault, specification, status):
    answer = fault(specification)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    assert answer.json()["errors"]


def test_a_server_error_can_be_html(fault):
    answer = fault("server-error-html=504")
    assert (answer.status_code, answer.text[:15]) == (504, "<!DOCTYPE html>")


def test_html_comes_with_200(fault):
    answer = fault("html")
    assert (answer.status_code, answer.text[:15]) == (200, "<!DOCTYPE html>")


def test_garbage_is_json_that_ends_too_early(fault):
    answer = fault("garbage")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_slow_takes_its_time_and_answers(fault):
    answer = fault("slow=0.2")
    assert answer.ok
    assert answer.elapsed.total_seconds() >= 0.2


def test_hang_ends_in_a_dropped_connection(fault):
    with pytest.raises(requests.ConnectionError):
        fault("hang=0.1")


def test_hang_outlasts_the_patience_of_a_client(served):
    served.world.faults.switch_on("hang")
    with pytest.raises(requests.Timeout):
        served.session.post(f"{served.url}/graphql", json={"query": ONE}, timeout=0.2)


def test_reset_drops_the_connection_and_the_next_one_works(fault, served):
    with pytest.raises(requests.ConnectionError):
        fault("reset:x1")
    assert served.post(ONE, {"id": served.world.ids[0]}).ok


def test_truncated_sends_less_than_it_announced(fault):
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        fault("truncated")


def test_graphql_errors_spoil_one_alias_and_leave_the_others(served):
    served.world.faults.switch_on("graphql-errors:x1")
    a, b = served.world.ids[:2]
    answer = served.post(f'{{ a: conversation(id: "{a}") {{ id }} b: conversation(id: "{b}") {{ id }} }}')
    assert answer.status_code == 200
    assert answer.json()["data"] == {"a": None, "b": {"id": b}}
    assert answer.json()["errors"][0]["path"] == ["a"]


def test_graphql_refused_spoils_the_whole_document(fault):
    answer = fault("graphql-refused")
    assert answer.status_code == 200
    assert answer.json()["data"] is None
    assert answer.json()["errors"]


def test_a_document_with_too_many_conversations_is_refused(served):
    served.world.faults.switch_on("document-too-large=2")
    aliases = [f'a{number}: conversation(id: "{served.world.ids[number]}") {{ id }}' for number in range(3)]
    refused = served.post(f"{{ {' '.join(aliases)} }}")
    assert refused.status_code == 400
    assert "too complex" in refused.json()["errors"][0]["message"]
    assert len(served.ask(f"{{ {' '.join(aliases[:2])} }}")) == 2


def test_late_data_is_null_for_the_first_reads(served):
    served.world.faults.switch_on("late-data=2")
    (played,) = served.world.play(1)
    read = [served.ask(ONE, {"id": played})["conversation"] for _ in range(3)]
    assert [one is None for one in read] == [True, True, False]


def test_late_data_is_null_for_some_seconds(served):
    served.world.faults.switch_on("late-data=60s")
    (played,) = served.world.play(1)
    assert served.ask(ONE, {"id": played})["conversation"] is None
    assert served.ask(ONE, {"id": served.world.ids[1]})["conversation"]


def test_late_close_has_no_closing_time_on_the_first_read(fault):
    first, second = fault("late-close").json(), fault("late-close").json()
    assert first["data"]["conversation"]["closedAt"] is None
    assert second["data"]["conversation"]["closedAt"]


def test_late_search_lacks_what_closed_just_now(served):
    query = """{ closedConversations(interval: {from: "2026-02-01T00:00:00Z", to: "2099-01-01T00:00:00Z"}) {
      edges { node { id } } } }"""
    served.world.play(1)
    served.world.faults.switch_on("late-search=60:x1")
    late, then = (served.ask(query)["closedConversations"]["edges"] for _ in range(2))
    assert (len(late), len(then)) == (0, 1)


def test_an_erased_visitor_comes_back_with_nulls(fault, served):
    assert served.world.truth(served.world.ids[0]).email
    assert fault("erased:x1").json()["data"]["conversation"]["visitor"] == {"email": None}


def test_no_messages_is_a_null_connection(fault):
    assert fault("no-messages", MESSAGES).json()["data"]["conversation"] == {"messages": None}


def test_newest_first_turns_the_order_round(fault):
    turned = fault("newest-first:x1", MESSAGES).json()["data"]["conversation"]["messages"]["edges"]
    plain = fault("newest-first:x0", MESSAGES).json()["data"]["conversation"]["messages"]["edges"]
    assert turned == plain[::-1]


def test_a_duplicate_is_sent_twice_with_one_event_id(playing, receiver):
    world = playing().world
    world.faults.switch_on("duplicate:x1")
    world.play(1, **CLOSED_ONLY)
    assert world.settle()
    first, second = receiver.events
    assert first["eventId"] == second["eventId"]
    (one, _), (other, _) = receiver.received
    assert one["x-iadvize-delivery"] != other["x-iadvize-delivery"]


def test_a_reordered_webhook_comes_after_later_ones(playing, receiver):
    world = playing().world
    world.faults.switch_on("reordered=30:x1")
    ids = world.play(3, **CLOSED_ONLY)
    assert world.settle()
    assert [event["conversationId"] for event in receiver.events][-1] == ids[0]


def test_a_dropped_webhook_is_never_sent(playing, receiver):
    world = playing().world
    world.faults.switch_on("dropped:x1")
    ids = world.play(2, **CLOSED_ONLY)
    assert world.settle()
    assert [event["conversationId"] for event in receiver.events] == ids[1:]
    assert world.acknowledged() == ids[1:]


def test_a_bad_signature_is_not_the_secrets(playing, receiver):
    world = playing().world
    world.faults.switch_on("bad-signature:x1")
    world.play(2, **CLOSED_ONLY)
    assert world.settle()
    right = [headers["x-iadvize-signature"] == signature("hush", raw) for headers, raw in receiver.received]
    assert sorted(right) == [False, True]


def test_latency_delays_every_answer(serve):
    served = serve(latency=0.1).bear()
    assert served.post("{ __typename }").elapsed.total_seconds() >= 0.1


def test_every_fault_is_described_in_one_sentence():
    for sentence in FAULTS.values():
        assert sentence.endswith(".")
        assert ". " not in sentence


PAGE = (
    "query ($after: String) { closedConversations(interval: { from: %s, to: %s }, first: 2, after: $after) "
)
PAGE = (
    PAGE % ('"2026-01-01T00:00:00Z"', '"2036-01-01T00:00:00Z"')
    + "{ pageInfo { endCursor } edges { node { id } } } }"
)


@pytest.mark.parametrize(("specification", "last"), [("circular-pages", "second"), ("endless-pages", "last")])
def test_pages_can_lead_nowhere(served, specification, last):
    served.world.faults.switch_on(specification)
    pages, after = [], None
    for _ in range(len(served.world.ids) // 2 + 4):
        found = served.post(PAGE, {"after": after}).json()["data"]["closedConversations"]
        pages.append([edge["node"]["id"] for edge in found["edges"]])
        after = found["pageInfo"]["endCursor"]
    count = -(-len(served.world.ids) // 2)
    assert pages[count] == pages[{"second": 1, "last": count - 1}[last]]
    assert pages[count + 1] == pages[{"second": 2 % count, "last": count - 1}[last]]
