"""The GraphQL documents for one platform: written to fit its schema, and cached."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from gql import GraphQLRequest
from graphql import (
    DocumentNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    print_ast,
)

from chatferry.errors import PlatformError
from chatferry.iadvize.fitting import Fitter
from chatferry.iadvize.wanted import GUESSED, REPORTED, WANTED

PAGE = 100
"""Items a page, at most (iAdvize docs, "Pagination")."""
_NO_SYNTAX = DocumentNode(definitions=())
_ID_NAMES = ("id", "conversationId", "uuid")
_FROM_NAMES = ("from", "since", "start", "startDate", "begin")
_TO_NAMES = ("to", "until", "end", "endDate")


class Document(GraphQLRequest):
    """A request kept as text.

    gql keeps syntax trees and prints them at each sending: half a megabyte and some milliseconds
    for each number of conversations.
    """

    def __init__(self, text: str, variables: dict[str, Any] | None = None) -> None:
        super().__init__(_NO_SYNTAX, variable_values=variables)
        self.text = text

    @property
    def payload(self) -> dict[str, Any]:
        """The body of the HTTP request."""
        return {"query": self.text, "variables": self.variable_values}


class Documents:
    """Every document for one schema; ``missing`` are the wanted fields that the schema does not offer.

    :raises PlatformError: if the schema has no conversations to ask for.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._root: Mapping[str, GraphQLField] = schema.query_type.fields if schema.query_type else {}
        if "conversation" not in self._root:
            raise PlatformError("iAdvize's schema has no query named conversation; nothing can be read")
        self._conversation = self._root["conversation"]
        data = self._root.get("visitorConversationCustomData")
        self._fitter = Fitter.of(schema, WANTED, GUESSED if data else frozenset())
        fitting = data is not None and self._fitter.fit("CustomData", get_named_type(data.type)) is not None
        self._custom_data = data if fitting else None
        self._fragments: dict[str, str] = {}
        self._ready: dict[tuple[str, int], Document] = {}
        self._lock = threading.Lock()
        self.conversations(1)
        self.missing = frozenset(name for name in self._fitter.missing if name.partition(".")[0] in REPORTED)

    @property
    def texts(self) -> tuple[str | None, ...]:
        """What tells these documents from those for another schema."""
        makers = (partial(self.conversations, 1), partial(self.pages, 1), self.closed)
        return tuple(_text_of(make) for make in makers)

    def conversations(self, count: int) -> Document:
        """Return ``c0`` to ``cN`` by ``$i0`` to ``$iN``, with their custom data as ``d0`` to ``dN``."""
        return self._kept("conversations", count, self._write_conversations)

    def conversation_variables(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the variables of :meth:`conversations`."""
        variables = {f"i{n}": identity for n, identity in enumerate(ids)}
        if self._custom_data is not None:
            variables |= {f"d{n}": identity for n, identity in enumerate(ids)}
        return variables

    def pages(self, count: int) -> Document:
        """Return further messages of ``c0`` to ``cN``, after the cursors ``$a0`` to ``$aN``."""
        return self._kept("pages", count, self._write_pages)

    def closed(self) -> Document:
        """Return ``closed``: a page of closed conversations; see :meth:`closed_variables`."""
        return self._kept("closed", 1, self._write_closed)

    def _kept(self, kind: str, count: int, write: Callable[[int], str]) -> Document:
        with self._lock:
            found = self._ready.get((kind, count))
            if found is None:
                found = self._ready[kind, count] = Document(write(count))
            return found

    def _write_conversations(self, count: int) -> str:
        fragments = [self._fragment("Conversation", self._conversation)]
        name, argument = _id_argument(self._conversation)
        variables = [f"$i{n}: {argument.type}" for n in range(count)]
        fields = [f"c{n}: conversation({name}: $i{n}) {{ ...Conversation }}" for n in range(count)]
        data = self._custom_data
        if data is not None:
            fragments.append(self._fragment("CustomData", data))
            name, argument = _id_argument(data)
            variables += [f"$d{n}: {argument.type}" for n in range(count)]
            fields += [
                f"d{n}: visitorConversationCustomData({name}: $d{n}) {{ ...CustomData }}"
                for n in range(count)
            ]
        return _document("Conversations", variables, fields, fragments)

    def _write_pages(self, count: int) -> str:
        messages = _fields_of(self._conversation).get("messages")
        if messages is None or "after" not in messages.args:
            raise PlatformError("iAdvize's schema offers no second page of messages")
        after = messages.args["after"].type
        name, argument = _id_argument(self._conversation)
        variables = [f"$i{n}: {argument.type}, $a{n}: {after}" for n in range(count)]
        fields = [
            f"c{n}: conversation({name}: $i{n}) {{ messages(first: {PAGE}, after: $a{n}) {{ ...Messages }} }}"
            for n in range(count)
        ]
        return _document("Messages", variables, fields, [self._fragment("Messages", messages)])

    def _write_closed(self, _count: int) -> str:
        root = self._closed_conversations()
        arguments = [name for name in (*_closed_arguments(root), "first", "after") if name in root.args]
        variables = [f"${name}: {root.args[name].type}" for name in arguments]
        given = ", ".join(f"{name}: ${name}" for name in arguments)
        fields = [f"closed: closedConversations({given}) {{ ...Closed }}"]
        return _document("Closed", variables, fields, [self._fragment("Closed", root)])

    def client(self) -> Document | None:
        """Return ``client`` by ``$id``, with which a check sees whether the user sees the client."""
        root = self._root.get("client")
        if root is None or set(root.args) != {"clientId"}:
            return None
        variable = f"$id: {root.args['clientId'].type}"
        return Document(_document("Client", [variable], ["client(clientId: $id) { __typename }"], []))

    def closed_variables(
        self, since: datetime, until: datetime, projects: Sequence[int], after: str | None
    ) -> dict[str, Any]:
        """Return the variables of :meth:`closed`, in the shape this schema wants.

        :raises PlatformError: if the schema has no ``closedConversations`` over an interval.
        """
        root = self._closed_conversations()
        filters: dict[str, Any] = {}
        holder: Mapping[str, Any] = root.args
        names = _closed_arguments(root)
        if "interval" not in names:
            holder = _input_fields(get_named_type(root.args[names[0]].type))
        filters["interval"] = _interval(get_named_type(holder["interval"].type), since, until)
        if projects and "projectIds" in holder:
            filters["projectIds"] = list(projects)
        found = filters if "interval" in names else {names[0]: filters}
        return {**found, "first": PAGE, "after": after}

    def _closed_conversations(self) -> GraphQLField:
        found = self._root.get("closedConversations")
        if found is None:
            raise PlatformError("iAdvize's schema has no query named closedConversations")
        return found

    def _fragment(self, name: str, asked: GraphQLField) -> str:
        if name not in self._fragments:
            parent = get_named_type(asked.type)
            selections = self._fitter.fit(name, parent)
            if selections is None:
                raise PlatformError(f"iAdvize's schema offers nothing that is wanted of {parent.name}")
            text = " ".join(print_ast(selections).split())
            self._fragments[name] = f"fragment {name} on {parent.name} {text}"
        return self._fragments[name]


def _text_of(make: Callable[[], Document]) -> str | None:
    """Return the text of a document, None if the schema does not allow one."""
    try:
        return make().text
    except PlatformError:
        return None


def _document(name: str, variables: list[str], fields: list[str], fragments: list[str]) -> str:
    return f"query {name}({', '.join(variables)}) {{ {' '.join(fields)} }} {' '.join(fragments)}"


def _fields_of(asked: GraphQLField) -> Mapping[str, GraphQLField]:
    found: Mapping[str, GraphQLField] = getattr(get_named_type(asked.type), "fields", {})
    return found


def _input_fields(named: GraphQLNamedType) -> Mapping[str, Any]:
    return named.fields if isinstance(named, GraphQLInputObjectType) else {}


def _id_argument(asked: GraphQLField) -> tuple[str, GraphQLArgument]:
    for name in (*_ID_NAMES, *asked.args):
        if name in asked.args:
            return name, asked.args[name]
    raise PlatformError("iAdvize's schema does not say how a conversation is asked for by its id")


def _closed_arguments(asked: GraphQLField) -> tuple[str, ...]:
    """Return the arguments that hold the filters: ``interval`` itself, or one input that has it."""
    if "interval" in asked.args:
        return ("interval", "projectIds")
    for name, argument in asked.args.items():
        if "interval" in _input_fields(get_named_type(argument.type)):
            return (name,)
    raise PlatformError("iAdvize's schema does not say how closed conversations are asked for by time")


def _interval(named: GraphQLNamedType, since: datetime, until: datetime) -> dict[str, str]:
    names = _input_fields(named)
    starts = [name for name in _FROM_NAMES if name in names]
    ends = [name for name in _TO_NAMES if name in names]
    if not starts or not ends:
        raise PlatformError(f"iAdvize's schema has an interval of an unknown shape: {', '.join(names)}")
    return {starts[0]: _date(since), ends[0]: _date(until)}


def _date(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
