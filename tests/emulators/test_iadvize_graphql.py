from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport
from graphql import build_schema, execute_sync, parse, validate, validate_schema

from chatferry.emulators import FaultBoard
from chatferry.emulators.iadvize import FAULTS, IAdvizeWorld
from chatferry.emulators.iadvize.reading import Reading, Reads
from chatferry.emulators.iadvize.schema import load_schema
from chatferry.emulators.iadvize.service import GraphQLService

QUERIES = sorted((Path(__file__).parent / "iadvize_queries").glob("*.graphql"))
IN_2026 = '{from: "2026-01-01T00:00:00+01:00", to: "2026-12-31T00:00:00Z"}'

FRAGMENT = """
fragment Whole on Conversation {
  id legacyId createdAt closedAt channel duration language users { id }
  project { id name } tags { id name } closingFormValues { id label value }
  visitor { visitorId source email ...Name legacyVisitorId }
  satisfactionSurvey { customerSatisfaction netPromoterScore satisfactionComment }
  conversions { transactions { id amount currency platformId } }
  customData { __typename
    ... on VisitorConversationCustomDataEntryString { key stringValue }
    ... on VisitorConversationCustomDataEntryInt { key intValue }
    ... on VisitorConversationCustomDataEntryFloat { key floatValue }
    ... on VisitorConversationCustomDataEntryBoolean { key booleanValue } }
  messages(first: 100) { pageInfo { endCursor hasNextPage } edges { cursor node { __typename
    ... on ParticipantConversationMessage { messageId text at: createdAt
      author { __typename ... on User { id firstName lastName } ... on Visitor { visitorId } }
      attachments { __typename
        ... on QuickReplyMenuAttachment { message choices }
        ... on FileAttachment { url fileName mimeType }
        ... on CardAttachment { title text image { url } actions { url title } }
        ... on CardBundleAttachment { cards { title } } } }
    ... on SystemMessage { systemMessageId at: createdAt attachments { __typename
      ... on AutomaticMessageSentSystemAttachment { text participant { __typename } }
      ... on ConversationPushedSystemAttachment { toUser { id lastName } } } } } } }
}
fragment Name on Visitor { firstName lastName }
"""


@pytest.fixture(scope="module")
def schema():
    return load_schema()


def messages_of(served, conversation_id, first, after=None):
    query = """query ($id: UUID!, $first: Int, $after: String) { conversation(id: $id) {
      messages(first: $first, after: $after) { pageInfo { endCursor hasNextPage }
        edges { node { __typename ... on ParticipantConversationMessage { messageId } } } } } }"""
    variables = {"id": conversation_id, "first": first, "after": after}
    return served.ask(query, variables)["conversation"]["messages"]


def test_the_schema_is_valid(schema):
    source = resources.files("chatferry.emulators.iadvize").joinpath("schema.graphql").read_text()
    assert validate_schema(build_schema(source)) == []
    assert validate_schema(schema) == []


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_the_queries_of_iadvizes_own_pages_are_valid(schema, path):
    # As published one has an unquoted id, one a placeholder, one a field that was renamed since.
    text = path.read_text().replace("agents", "users")
    for unquoted in ("41c64064-4729-4d83-a939-8d46ac06d207", '"MY_ROUTING_RULE_UUID"'):
        text = text.replace(unquoted, '"41c64064-4729-4d83-a939-8d46ac06d207"')
    assert validate(schema, parse(text)) == []


def test_a_conversation_and_its_first_message(served):
    query = "query ($id: UUID!) { conversation(id: $id) { ...Whole } }" + FRAGMENT
    conversation = served.ask(query, {"id": served.world.ids[0]})["conversation"]
    assert conversation["closedAt"] == "2026-01-05T08:00:00.000Z"
    assert conversation["project"]["id"] == 3350
    assert conversation["messages"]["edges"][0]["node"]["author"]["__typename"] == "Visitor"


def test_users_are_filled_through_closed_conversations_only(served):
    served.ask("{ __typename }")
    by_id = served.ask(f'{{ conversation(id: "{served.world.ids[0]}") {{ users {{ id }} }} }}')
    assert by_id["conversation"]["users"] is None
    query = "{ closedConversations(interval: %s, first: 1) { edges { node { users { id } } } } }"
    listed = served.ask(query % IN_2026)
    users = listed["closedConversations"]["edges"][0]["node"]["users"]
    assert tuple(user["id"] for user in users) == served.world.truth(served.world.ids[0]).operator_ids


def test_a_stranger_is_null_and_no_error(served):
    query = '{ conversation(id: "00000000-0000-4000-8000-000000000000") { id } }'
    assert served.ask(query) == {"conversation": None}


def test_a_long_conversation_comes_in_pages_of_at_most_100(served):
    (long,) = [i for i in served.world.ids if served.world.truth(i).messages > 100]
    found, after, pages = [], "", 0
    while True:
        page = messages_of(served, long, 100, after)
        found += [edge["node"].get("messageId") for edge in page["edges"]]
        pages, after = pages + 1, page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    truth = served.world.truth(long)
    assert pages > 1
    assert sum(one is not None for one in found) == truth.messages
    assert len(found) == truth.messages + truth.system_messages


def test_messages_can_be_paged_backwards(served):
    query = """{ conversation(id: "%s") { messages(last: 2) { pageInfo { startCursor hasPreviousPage }
      edges { cursor } } } }""".replace("%s", served.world.ids[0])
    page = served.ask(query)["conversation"]["messages"]
    before = query.replace("last: 2", f'last: 2, before: "{page["pageInfo"]["startCursor"]}"')
    earlier = served.ask(before)["conversation"]["messages"]
    assert page["pageInfo"]["hasPreviousPage"]
    assert [edge["cursor"] for edge in earlier["edges"]] != [edge["cursor"] for edge in page["edges"]]


def test_one_alias_that_fails_leaves_the_others_their_data(served):
    query = """query ($a: UUID!, $b: UUID!) {
      a: conversation(id: $a) { id messages(first: 101) { edges { cursor } } }
      b: conversation(id: $b) { id } }"""
    a, b = served.world.ids[:2]
    body = served.post(query, {"a": a, "b": b}).json()
    assert body["data"] == {"a": {"id": a, "messages": None}, "b": {"id": b}}
    assert [error["path"] for error in body["errors"]] == [["a", "messages"]]


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ conversation(id: 1) { nope } }"},
        {"query": "{"},
        {"query": "query ($id: UUID!) { conversation(id: $id) { id } }", "variables": {"id": "no uuid"}},
        {"query": "query ($id: UUID!) { conversation(id: $id) { id } }"},
        {"query": "{ __typename }", "variables": "no object"},
        {"query": None},
        ["no", "object"],
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_errors(served, body):
    answer = served.session.post(f"{served.url}/graphql", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]


def test_introspection_shows_the_types(served):
    fields = served.ask('{ __type(name: "Conversation") { fields { name } } }')["__type"]["fields"]
    assert {"messages", "visitor", "closedAt"} <= {field["name"] for field in fields}


def test_a_field_that_was_taken_out_is_gone_from_introspection_and_queries(serve):
    served = serve(without=["Conversation.language", "User.pseudo"]).bear()
    shown = served.ask('{ __type(name: "Conversation") { fields { name } } }')["__type"]["fields"]
    assert "language" not in {field["name"] for field in shown}
    answer = served.post(f'{{ conversation(id: "{served.world.ids[0]}") {{ language }} }}')
    assert answer.status_code == 400
    assert "language" in answer.json()["errors"][0]["message"]
    assert "pseudo" not in load_schema(["User.pseudo"]).type_map["Bot"].fields


def test_gql_reads_the_schema_and_asks(served):
    transport = RequestsHTTPTransport(
        url=f"{served.url}/graphql", headers={"Authorization": served.session.headers["Authorization"]}
    )
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        assert session.execute(gql("{ client(clientId: 335) { id name } }"))["client"]["id"] == 335


def test_clients_projects_and_users_of_the_bearer(serve):
    served = serve(clients=2).bear()
    data = served.ask("{ clients { edges { node { id } } } projects { edges { node { id } } } }")
    assert [edge["node"]["id"] for edge in data["clients"]["edges"]] == [335]
    assert [edge["node"]["id"] for edge in data["projects"]["edges"]] == [3350, 3351]
    users = (
        '{ users(after: "", projectIds: 3350, first: 100) { edges { node { ... on Bot { lastName } } } } }'
    )
    assert {"lastName": "Wall-e"} in [edge["node"] for edge in served.ask(users)["users"]["edges"]]


def test_a_user_sees_only_the_conversations_of_its_client_and_platform(serve):
    served = serve(clients=2, conversations=4)
    ours, theirs = served.world.ids[0], served.world.ids[1]
    query = "query ($id: UUID!) { conversation(id: $id) { id } }"
    served.bear()
    assert served.ask(query, {"id": ours})["conversation"]
    assert served.ask(query, {"id": theirs})["conversation"] is None
    assert served.ask(query, {"id": ours}, platform="sd")["conversation"] is None
    served.bear(username="connector+336@example.com")
    assert served.ask(query, {"id": theirs}, platform="sd")["conversation"]
    assert served.ask(query, {"id": theirs}, platform="ha")["conversation"] is None


def test_closed_conversations_of_a_period_come_in_pages(serve):
    served = serve(conversations=230).bear()
    query = """query ($after: String) { closedConversations(interval: WHEN, after: $after, first: 100) {
      pageInfo { endCursor hasNextPage } edges { node { id } } } }""".replace("WHEN", IN_2026)
    found, after = [], None
    while True:
        page = served.ask(query, {"after": after})["closedConversations"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == served.world.ids


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ("projectIds: [3351]", lambda truth: truth.project_id == 3351),
        ("answered: false", lambda truth: not truth.operator_ids),
        ("answeredByHuman: false", lambda truth: not any(i % 100 >= 10 for i in truth.operator_ids)),
        ("channels: [CALL, VIDEO]", lambda truth: truth.channel in {"CALL", "VIDEO"}),
        ("hasConversion: true", lambda truth: bool(truth.transactions)),
        ("customerSatisfaction: [5]", lambda truth: truth.satisfaction.get("customerSatisfaction") == 5),
        (
            "automationLevels: [FULLY_AUTOMATED]",
            lambda truth: {i % 100 // 10 for i in truth.operator_ids} == {0},
        ),
        ('conversationId: "00000000-0000-4000-8000-000000000000"', lambda _: False),
    ],
)
def test_closed_conversations_can_be_filtered(serve, filters, wanted):
    served = serve(conversations=60).bear()
    query = "{ closedConversations(interval: %s, %s, first: 100) { edges { node { id } } } }"
    found = served.ask(query % (IN_2026, filters))["closedConversations"]["edges"]
    right = [i for i in served.world.ids if wanted(served.world.truth(i))]
    assert [edge["node"]["id"] for edge in found] == right


def test_surveys_and_transactions_of_a_period(serve):
    served = serve(conversations=60).bear()
    query = """{ satisfactionSurveyResponses(interval: %s, first: 100) { edges { node {
        customerSatisfaction conversation { id } } } }
      conversions(interval: %s) { edges { node { id conversationId } } } }"""
    data = served.ask(query % (IN_2026, IN_2026))
    surveyed = {edge["node"]["conversation"]["id"] for edge in data["satisfactionSurveyResponses"]["edges"]}
    bought = {edge["node"]["conversationId"] for edge in data["conversions"]["edges"]}
    truths = [served.world.truth(conversation_id) for conversation_id in served.world.ids]
    assert surveyed == {truth.conversation_id for truth in truths if truth.satisfaction}
    assert bought == {truth.conversation_id for truth in truths if truth.transactions}


def test_custom_data_of_a_conversation(served):
    truth = next(truth for i in served.world.ids if (truth := served.world.truth(i)).custom_data)
    query = """query ($id: UUID!) { visitorConversationCustomData(conversationId: $id) { customData {
      ... on VisitorConversationCustomDataEntryInt { key intValue } } } }"""
    entries = served.ask(query, {"id": truth.conversation_id})["visitorConversationCustomData"]
    assert {"key": "visits", "intValue": truth.custom_data["visits"]} in entries["customData"]


def test_bot_messages_need_the_preview_header_and_are_not_sent(served):
    mutation = next(path for path in QUERIES if "chatbot" in path.name).read_text()
    assert "Accept" in served.post(mutation).json()["errors"][0]["message"]
    accept = "application/vnd.iadvize.automation-chatbot-conversation-preview+json"
    answer = served.post(mutation, headers={"Accept": accept}).json()
    assert "sends no bot messages" in answer["errors"][0]["message"]


def both_ways(text, variables_of):
    """Answer a document by the fast path and by graphql-core."""
    service = GraphQLService()
    query = service.read(text)
    with IAdvizeWorld(conversations=20) as world:
        given = variables_of(world.ids)
        reading = Reading(world, world.clients, platform="ha", faults=FaultBoard(FAULTS), reads=Reads())
        slow = execute_sync(service.schema, query.document, context_value=reading, variable_values=given)
        assert slow.errors is None
        return query.plan.run(reading, given), slow.data


def test_the_fast_path_answers_what_graphql_core_answers():
    aliases = " ".join(f"a{number}: conversation(id: $i{number}) {{ ...Whole }}" for number in range(20))
    variables = ", ".join(f"$i{number}: UUID!" for number in range(20))
    fast, slow = both_ways(
        f"query ({variables}) {{ {aliases} }}{FRAGMENT}",
        lambda ids: {f"i{number}": conversation_id for number, conversation_id in enumerate(ids)},
    )
    assert fast == slow
    assert list(fast["a0"]) == list(slow["a0"])


DOCUMENTS = {
    "the same field twice": """query ($id: UUID!) {
      conversation(id: $id) { visitor { email } ... { visitor { firstName } } } }""",
    "variables that are left out or null": """query ($id: UUID!, $first: Int, $after: String = null) {
      conversation(id: $id) { messages(first: $first, after: $after) { edges { cursor } } } }""",
    "a variable with a default": """query ($id: UUID!, $last: Int = 2) {
      conversation(id: $id) { messages(last: $last) { pageInfo { startCursor } } } }""",
    "conditions on interfaces": """query ($id: UUID!) { conversation(id: $id) { messages { edges { node {
      ... on ParticipantConversationMessage {
        author { ... on User { lastName } ... on Expert { id } } } } } } } }""",
    "other roots beside it": """query Named($id: UUID!) {
      me: clients(first: 1) { edges { node { id } } }
      conversation(id: $id) { __typename }
      routingRules { id }
      closedConversations(interval: WHEN, projectIds: [3350], first: 2) { edges { cursor } } }""",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_fast_path_covers_what_clients_write(name):
    text = DOCUMENTS[name].replace("WHEN", IN_2026)
    fast, slow = both_ways(text, lambda ids: {"id": ids[0].upper()})
    assert fast == slow


def test_an_operation_that_is_not_there_is_an_error(served):
    body = {"query": "query A { __typename }", "operationName": "B"}
    answer = served.session.post(f"{served.url}/graphql", json=body)
    assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)


@pytest.mark.parametrize(
    "text",
    [
        "query A { __typename } query B { __typename }",
        "query ($no: Boolean!) { clients { edges @skip(if: $no) { node { id } } } }",
        "{ __schema { queryType { name } } }",
    ],
)
def test_what_the_fast_path_does_not_cover_is_left_to_graphql_core(text):
    found = GraphQLService().read(text)
    assert isinstance(found, list) or found.plan is None
