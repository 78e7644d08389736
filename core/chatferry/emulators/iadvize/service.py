"""Execute GraphQL: parse and validate a document, cache it, answer it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
    parse,
    validate,
)

from chatferry.emulators.iadvize.plan import Plan, Unplanned
from chatferry.emulators.iadvize.schema import load_schema

_DOCUMENTS_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A document that was parsed and validated."""

    document: DocumentNode
    plan: Plan | None = field(repr=False)
    root_keys: tuple[str, ...]
    """The response keys of the root fields."""
    conversations: int
    """How many of them are ``conversation``."""


class GraphQLService:
    """The schema and a cache of the documents read last (LRU)."""

    def __init__(self, without: Iterable[str] = ()) -> None:
        self.schema = load_schema(without)
        self._queries: OrderedDict[str, Query | list[GraphQLError]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, text: str) -> Query | list[GraphQLError]:
        """Return the query, or what is wrong with it."""
        with self._lock:
            if text in self._queries:
                self._queries.move_to_end(text)
                return self._queries[text]
        query = self._read(text)
        with self._lock:
            self._queries[text] = query
            if len(self._queries) > _DOCUMENTS_KEPT:
                self._queries.popitem(last=False)
        return query

    def _read(self, text: str) -> Query | list[GraphQLError]:
        try:
            document = parse(text)
        except GraphQLError as error:
            return [error]
        if errors := validate(self.schema, document):
            return errors
        try:
            plan = Plan(self.schema, document)
        except Unplanned:
            plan = None
        roots = list(_root_fields(document))
        return Query(
            document=document,
            plan=plan,
            root_keys=tuple((node.alias or node.name).value for node in roots),
            conversations=sum(node.name.value == "conversation" for node in roots),
        )

    def answer(
        self,
        query: Query,
        context: Any,
        variables: Mapping[str, Any],
        *,
        operation: str | None = None,
        failing: str | None = None,
    ) -> dict[str, Any]:
        """Return the body of the answer; the root field ``failing`` ends in an error."""
        if query.plan is not None and operation in {None, query.plan.name}:
            try:
                return _fail({"data": query.plan.run(context, variables)}, failing)
            except Unplanned:
                pass
        result = execute_sync(
            self.schema,
            query.document,
            context_value=context,
            variable_values=dict(variables),
            operation_name=operation,
        )
        return _fail(_formatted(result), failing)


def _formatted(result: ExecutionResult) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [dict(error.formatted) for error in result.errors]
    body["data"] = result.data
    return body


def _fail(body: dict[str, Any], key: str | None) -> dict[str, Any]:
    if key is None or not body.get("data"):
        return body
    error = {"message": "Internal server error", "path": [key], "locations": [{"line": 1, "column": 1}]}
    return {"errors": [*body.get("errors", ()), error], "data": body["data"] | {key: None}}


def _root_fields(document: DocumentNode) -> Iterable[FieldNode]:
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            yield from _fields(node.selection_set, fragments)


def _fields(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterable[FieldNode]:
    for node in selection_set.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments)
