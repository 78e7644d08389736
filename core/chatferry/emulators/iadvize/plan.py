"""A query compiled to closures over dictionaries: the answers of graphql-core, ten times as fast.

The data are dictionaries of the right shape already, so most of what an executor does for a field can
be done once a document. A plan covers plain queries; whatever it does not cover, and every error, is
left to graphql-core by raising :class:`Unplanned`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLField,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Undefined,
    VariableNode,
    coerce_input_value,
    is_abstract_type,
    is_input_type,
    is_leaf_type,
    type_from_ast,
    value_from_ast,
)

Completer: TypeAlias = Callable[[Any, "PlannedRun"], Any]
Getter: TypeAlias = Callable[[Mapping[str, Any], "PlannedRun"], Any]
Fields: TypeAlias = list[tuple[str, Getter]]


class Unplanned(Exception):
    """The plan does not cover this; ask graphql-core."""


class PlannedRun:
    """One execution: the variables, and what resolvers take for ``info``."""

    __slots__ = ("info", "variables")

    def __init__(self, context: Any, variables: dict[str, Any]) -> None:
        self.info = SimpleNamespace(context=context)
        self.variables = variables


class Plan:
    """The compiled form of a document with one query."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
            raise Unplanned
        operation = operations[0]
        fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.name = operation.name.value if operation.name else None
        query = schema.query_type
        if query is None or operation.directives:
            raise Unplanned
        self._variables = _variables(schema, operation)
        self._fields = _Compiler(schema, fragments).fields(query, [operation.selection_set])

    def run(self, context: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data.

        :raises Unplanned: if graphql-core must say what is wrong, or can do it.
        """
        run = PlannedRun(context, _coerce(self._variables, variables))
        try:
            return {key: get({}, run) for key, get in self._fields}
        except Exception as error:
            raise Unplanned from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variable:
    """A variable of the query; ``default`` is Undefined if it has none."""

    name: str
    kind: GraphQLInputType
    default: Any


def _variables(schema: GraphQLSchema, operation: OperationDefinitionNode) -> list[_Variable]:
    found = []
    for definition in operation.variable_definitions or ():
        kind = type_from_ast(schema, definition.type)
        if kind is None or not is_input_type(kind):
            raise Unplanned
        default = value_from_ast(definition.default_value, kind)
        found.append(_Variable(name=definition.variable.name.value, kind=kind, default=default))
    return found


def _coerce(variables: Iterable[_Variable], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that have a value; graphql-core says what is wrong with the others."""
    values = {}
    for variable in variables:
        value = variable.default
        if variable.name in given:
            try:
                value = coerce_input_value(given[variable.name], variable.kind)
            except GraphQLError:
                raise Unplanned from None
        if value is not Undefined:
            values[variable.name] = value
        elif variable.name in given or isinstance(variable.kind, GraphQLNonNull):
            raise Unplanned
    return values


class _Compiler:
    """Turns selection sets into closures, one for each object type and place."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._known: dict[tuple[Any, ...], Completer] = {}

    def fields(self, owner: GraphQLObjectType, selections: Iterable[SelectionSetNode]) -> Fields:
        """Compile what is selected of an object type."""
        collected: dict[str, list[FieldNode]] = {}
        for selection_set in selections:
            self._collect(owner, selection_set, collected)
        return [(key, self._field(owner, nodes)) for key, nodes in collected.items()]

    def _collect(
        self, owner: GraphQLObjectType, selection_set: SelectionSetNode, found: dict[str, list[FieldNode]]
    ) -> None:
        for node in selection_set.selections:
            if node.directives:
                raise Unplanned
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
                continue
            inner = self._fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            if not isinstance(inner, FragmentDefinitionNode | InlineFragmentNode):
                raise Unplanned
            condition = inner.type_condition
            if condition is None or self._applies(owner, condition.name.value):
                self._collect(owner, inner.selection_set, found)

    def _applies(self, owner: GraphQLObjectType, condition: str) -> bool:
        if owner.name == condition:
            return True
        kind = self._schema.type_map[condition]
        return is_abstract_type(kind) and self._schema.is_sub_type(kind, owner)

    def _field(self, owner: GraphQLObjectType, nodes: list[FieldNode]) -> Getter:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda _source, _run: owner.name
        if name.startswith("__"):
            raise Unplanned
        field = owner.fields[name]
        selections = [node.selection_set for node in nodes if node.selection_set]
        complete = self._completer(field.type, selections)
        if field.resolve is not None:
            return _resolved(field, nodes[0], complete)
        if complete is _leaf:
            return lambda source, _run: source.get(name)
        return lambda source, run: complete(source.get(name), run)

    def _completer(self, kind: GraphQLOutputType, selections: list[SelectionSetNode]) -> Completer:
        if isinstance(kind, GraphQLNonNull):
            return _required(self._completer(kind.of_type, selections))
        if isinstance(kind, GraphQLList):
            return _listed(self._completer(kind.of_type, selections))
        if is_leaf_type(kind):
            return _leaf
        # The 50 aliases of a document spread one fragment: it is compiled once.
        key = (kind, *(self._identity(selection) for selection in selections))
        if key not in self._known:
            self._known[key] = self._composite(kind, selections)
        return self._known[key]

    def _identity(self, selection: SelectionSetNode) -> object:
        nodes = selection.selections
        if len(nodes) == 1 and isinstance(nodes[0], FragmentSpreadNode) and not nodes[0].directives:
            return nodes[0].name.value
        return id(selection)

    def _composite(self, kind: Any, selections: list[SelectionSetNode]) -> Completer:
        if isinstance(kind, GraphQLObjectType):
            return _object(self.fields(kind, selections))
        return self._abstract(kind, selections)

    def _abstract(self, kind: GraphQLAbstractType, selections: list[SelectionSetNode]) -> Completer:
        members = {
            member.name: _object(self.fields(member, selections))
            for member in self._schema.get_possible_types(kind)
        }

        def complete(value: Any, run: PlannedRun) -> Any:
            return None if value is None else members[value["__typename"]](value, run)

        return complete


def _leaf(value: Any, _run: PlannedRun) -> Any:
    return value


def _required(inner: Completer) -> Completer:
    def complete(value: Any, run: PlannedRun) -> Any:
        if value is None:
            raise Unplanned
        return inner(value, run)

    return complete


def _listed(inner: Completer) -> Completer:
    if inner is _leaf:
        return _leaf

    def complete(value: Any, run: PlannedRun) -> Any:
        return None if value is None else [inner(item, run) for item in value]

    return complete


def _object(fields: Fields) -> Completer:
    def complete(value: Any, run: PlannedRun) -> Any:
        return None if value is None else {key: get(value, run) for key, get in fields}

    return complete


def _resolved(field: GraphQLField, node: FieldNode, complete: Completer) -> Getter:
    resolve = field.resolve
    if resolve is None:
        raise Unplanned
    given = {argument.name.value: argument.value for argument in node.arguments or ()}

    def get(source: Mapping[str, Any], run: PlannedRun) -> Any:
        arguments = {}
        for name, argument in field.args.items():
            literal = given.get(name)
            absent = literal is None or (
                isinstance(literal, VariableNode) and literal.name.value not in run.variables
            )
            value = Undefined if absent else value_from_ast(literal, argument.type, run.variables)
            if value is not Undefined:
                arguments[name] = value
            elif not absent or isinstance(argument.type, GraphQLNonNull):
                raise Unplanned
        return complete(resolve(source, run.info, **arguments), run)

    return get
