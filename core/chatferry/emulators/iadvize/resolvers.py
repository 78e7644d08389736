"""The fields that need more than a dictionary look-up: the roots, and the pages of messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from graphql import GraphQLError, GraphQLSchema

from chatferry.emulators.iadvize.paging import page
from chatferry.emulators.iadvize.people import user_node
from chatferry.emulators.iadvize.reading import Reading

Resolver = Callable[..., Any]


class Info(Protocol):
    """What a resolver needs of graphql-core's ``GraphQLResolveInfo``."""

    @property
    def context(self) -> Reading:
        """The request."""


_PREVIEW = "application/vnd.iadvize.automation-chatbot-conversation-preview+json"


def _messages(node: Mapping[str, Any], info: Info, **window: Any) -> dict[str, Any] | None:
    lines = node["lines"]
    if lines is None:
        return None
    keys = [f"cursor{place}" for place in range(1, len(lines) + 1)]
    return info.context.page(keys, lines.__getitem__, **window)


def _conversation(_root: Any, info: Info, *, id: str) -> dict[str, Any] | None:  # noqa: A002  (iAdvize's name)
    return info.context.conversation(id)


def _custom_data(_root: Any, info: Info, *, conversationId: str) -> dict[str, Any] | None:  # noqa: N803  (iAdvize's name)
    node = info.context.conversation(conversationId)
    return None if node is None else {"customData": node["customData"]}


def _closed_conversations(_root: Any, info: Info, **arguments: Any) -> dict[str, Any]:
    window, filters = _split(arguments)
    reading = info.context
    found = reading.closed_between(filters.pop("interval"), filters.pop("projectIds", None))
    filters = {name: wanted for name, wanted in filters.items() if wanted is not None}
    if filters:
        found = [
            (closed, conversation_id)
            for closed, conversation_id in found
            if _passes(reading.listed(conversation_id), filters)
        ]
    return reading.page(_keys(found), lambda place: reading.listed(found[place][1]), **window)


def _keys(found: Sequence[tuple[float, str]]) -> list[str]:
    return [f"{closed * 1000:.0f}&&{conversation_id}" for closed, conversation_id in found]


def _passes(node: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    return all(_FILTERS[name](node, wanted) for name, wanted in filters.items())


def _split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    window = {name: arguments.get(name) for name in ("first", "last", "before", "after")}
    return window, {name: value for name, value in arguments.items() if name not in window}


def _kinds(node: Mapping[str, Any]) -> set[str]:
    return {user["__typename"] for user in node["participants"]}


def _automation(node: Mapping[str, Any]) -> str:
    kinds = _kinds(node)
    if "Bot" not in kinds:
        return "NOT_AUTOMATED"
    return "FULLY_AUTOMATED" if kinds == {"Bot"} else "PARTIALLY_AUTOMATED"


_FILTERS: Mapping[str, Callable[[Mapping[str, Any], Any], bool]] = {
    "answered": lambda node, wanted: bool(node["participants"]) == wanted,
    "answeredByHuman": lambda node, wanted: bool(_kinds(node) - {"Bot"}) == wanted,
    "automationLevels": lambda node, wanted: _automation(node) in wanted,
    "channels": lambda node, wanted: node["channel"] in wanted,
    "closeReason": lambda node, wanted: (
        _automation(node) == "FULLY_AUTOMATED"
        and (node["performance"].script.kind == "unanswered") == (wanted == "VISITOR_DROPPED_OFF_SCENARIO")
        and wanted != "BOT_TRANSFER_FAILED"
    ),
    "conversationId": lambda node, wanted: node["id"] == wanted.lower(),
    "conversationVisitorIds": lambda node, wanted: node["visitor"]["visitorId"] in wanted,
    "customerSatisfaction": lambda node, wanted: (
        (node["satisfactionSurvey"] or {}).get("customerSatisfaction") in wanted
    ),
    "hasConversion": lambda node, wanted: bool(node["conversions"]["transactions"]) == wanted,
}


def _survey_responses(_root: Any, info: Info, **arguments: Any) -> dict[str, Any]:
    window, filters = _split(arguments)
    reading = info.context
    found = [
        (closed, conversation_id)
        for closed, conversation_id in reading.closed_between(filters["interval"], filters.get("projectIds"))
        if reading.listed(conversation_id)["satisfactionSurvey"]
    ]

    def response(place: int) -> dict[str, Any]:
        node = reading.listed(found[place][1])
        return {**node["satisfactionSurvey"], "conversation": node}

    return page(_keys(found), response, **window)


def _conversions(_root: Any, info: Info, **arguments: Any) -> dict[str, Any]:
    window, filters = _split(arguments)
    found = [
        transaction
        for _, conversation_id in info.context.closed_between(filters["interval"], filters.get("projectIds"))
        for transaction in info.context.listed(conversation_id)["conversions"]["transactions"]
    ]
    return page([transaction["id"] for transaction in found], found.__getitem__, **window)


def _nodes(items: Sequence[Mapping[str, Any]], window: Mapping[str, Any]) -> dict[str, Any]:
    keys = [f"cursor{place}" for place in range(1, len(items) + 1)]
    return page(keys, items.__getitem__, **window)


def _client_nodes(info: Info) -> list[dict[str, Any]]:
    return [{"id": client.client_id, "name": client.name} for client in info.context.clients]


def _project_nodes(info: Info) -> list[dict[str, Any]]:
    return [
        {"id": project.id, "name": project.name}
        for client in info.context.clients
        for project in client.projects
    ]


def _by_id(nodes: Sequence[dict[str, Any]], wanted: int) -> dict[str, Any] | None:
    return next((node for node in nodes if node["id"] == wanted), None)


def _client(_root: Any, info: Info, *, clientId: int) -> dict[str, Any] | None:  # noqa: N803  (iAdvize's name)
    return _by_id(_client_nodes(info), clientId)


def _project(_root: Any, info: Info, *, projectId: int) -> dict[str, Any] | None:  # noqa: N803  (iAdvize's name)
    return _by_id(_project_nodes(info), projectId)


def _users(_root: Any, info: Info, **arguments: Any) -> dict[str, Any]:
    window, filters = _split(arguments)
    wanted = filters.get("projectIds")
    users = [
        user_node(operator)
        for client in info.context.clients
        if wanted is None or any(project.id in wanted for project in client.projects)
        for operator in client.operators
    ]
    return _nodes(users, window)


def _routing_rule(_root: Any, _info: Info, *, id: str) -> dict[str, Any]:  # noqa: A002  (iAdvize's name)
    return {"id": id, "availability": {"chat": {"isAvailable": False}}}


def _connector(_root: Any, _info: Info, *, id: str) -> dict[str, Any]:  # noqa: A002, ARG001  (iAdvize's name; there is one)
    return {"name": "My connector", "isPrivate": False, "createdAt": "2019-07-03T11:25:38Z"}


def _send_message(_root: Any, info: Info, *, input: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002, ARG001  (iAdvize's name)
    if _PREVIEW not in info.context.accept:
        message = f"chatbotMessageSend needs the header Accept: {_PREVIEW}"
        raise GraphQLError(message)
    raise GraphQLError("The emulator sends no bot messages")


RESOLVERS: Mapping[tuple[str, str], Resolver] = {
    ("Query", "conversation"): _conversation,
    ("Query", "closedConversations"): _closed_conversations,
    ("Query", "satisfactionSurveyResponses"): _survey_responses,
    ("Query", "conversions"): _conversions,
    ("Query", "clients"): lambda _, info, **window: _nodes(_client_nodes(info), window),
    ("Query", "client"): _client,
    ("Query", "projects"): lambda _, info, **window: _nodes(_project_nodes(info), window),
    ("Query", "project"): _project,
    ("Query", "connector"): _connector,
    ("Query", "users"): _users,
    ("Query", "routingRule"): _routing_rule,
    ("Query", "routingRules"): lambda *_, **_filters: [],
    ("Query", "visitorConversationCustomData"): _custom_data,
    ("Conversation", "messages"): _messages,
    ("Mutation", "chatbotMessageSend"): _send_message,
}


def attach(schema: GraphQLSchema) -> None:
    """Give the fields of a schema their resolvers; a field that was taken out needs none."""
    for (owner, name), resolver in RESOLVERS.items():
        fields = getattr(schema.type_map.get(owner), "fields", {})
        if name in fields:
            fields[name].resolve = resolver
