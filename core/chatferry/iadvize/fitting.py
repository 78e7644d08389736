"""Reduce GraphQL fragments to the fields that a schema has, with aliases where types conflict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
    parse,
)

ALIAS = "__"
"""Joins a field and its type in a name such as ``title__LinkAttachment``.

GraphQL refuses ``title`` on two types of a union when one is ``String`` and the other ``String!``.
"""
_TYPENAME = "__typename"


@dataclass(slots=True)
class Fitter:
    """Fits the fragments of one document to one schema and collects what is missing."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    skip: frozenset[str] = frozenset()
    """``Type.field`` of each field that is not asked for although it is offered."""
    missing: set[str] = field(default_factory=set)
    """``Type.field`` of each wanted field that the schema does not offer."""

    @classmethod
    def of(cls, schema: GraphQLSchema, text: str, skip: frozenset[str] = frozenset()) -> Fitter:
        """Make a fitter of the fragments in ``text``."""
        definitions = parse(text, no_location=True).definitions
        fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
        return cls(schema, fragments, skip)

    def fit(self, name: str, parent: GraphQLNamedType | None) -> SelectionSetNode | None:
        """Return what is left of the fragment ``name`` on the type ``parent``; None if nothing is."""
        if not is_composite_type(parent):
            return None
        return self._select(self.fragments[name].selection_set, parent)

    def _select(self, wanted: SelectionSetNode, parent: GraphQLNamedType) -> SelectionSetNode | None:
        if is_abstract_type(parent):
            selections = self._abstract(wanted, parent)
        else:
            selections = self._fields(wanted, parent)
        if not selections or all(_is_typename(each) for each in selections):
            return None
        return SelectionSetNode(selections=tuple(selections))

    def _fields(self, wanted: SelectionSetNode, parent: GraphQLNamedType) -> list[SelectionNode]:
        """Return the fields of ``wanted`` that the type ``parent`` has, each once."""
        found: dict[str, SelectionNode] = {}
        for condition, node in self._flat(wanted):
            name = node.name.value
            if name in found or not self._holds(condition, parent):
                continue
            if name == _TYPENAME:
                found[name] = node
            elif (fitted := self._field(node, parent)) is not None:
                found[name] = fitted
        return list(found.values())

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> FieldNode | None:
        name = node.name.value
        if f"{parent.name}.{name}" in self.skip:
            return None
        definition: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        if definition is None or not _can_be_asked(node, definition):
            self.missing.add(f"{parent.name}.{name}")
            return None
        selection_set = None
        named = get_named_type(definition.type)
        if is_composite_type(named):
            selection_set = node.selection_set and self._select(node.selection_set, named)
            if selection_set is None:
                self.missing.add(f"{parent.name}.{name}")
                return None
        arguments = tuple(a for a in node.arguments or () if a.name.value in definition.args)
        return FieldNode(name=NameNode(value=name), arguments=arguments, selection_set=selection_set)

    def _abstract(self, wanted: SelectionSetNode, parent: GraphQLNamedType) -> list[SelectionNode]:
        """Select per concrete type, with an alias where two types of one name differ."""
        assert isinstance(parent, (GraphQLInterfaceType, GraphQLUnionType))  # noqa: S101  (for the type checker)
        per_type = {
            each.name: [
                f for f in self._fields(wanted, each) if isinstance(f, FieldNode) and not _is_typename(f)
            ]
            for each in sorted(self.schema.get_possible_types(parent), key=lambda each: each.name)
        }
        shapes: defaultdict[str, set[str]] = defaultdict(set)
        for type_name, nodes in per_type.items():
            for node in nodes:
                shapes[node.name.value].add(self._shape(type_name, node))
        selections: list[SelectionNode] = [FieldNode(name=NameNode(value=_TYPENAME), arguments=())]
        for type_name, nodes in per_type.items():
            if nodes:
                aliased = [_alias(n, type_name) if len(shapes[n.name.value]) > 1 else n for n in nodes]
                selections.append(_inline(type_name, aliased))
        return selections

    def _shape(self, type_name: str, node: FieldNode) -> str:
        owner = self.schema.type_map[type_name]
        assert isinstance(owner, GraphQLObjectType)  # noqa: S101  (for the type checker)
        return str(owner.fields[node.name.value].type)

    def _flat(
        self, wanted: SelectionSetNode, condition: str | None = None
    ) -> Iterator[tuple[str | None, FieldNode]]:
        """Yield each wanted field with the type it is wanted on, fragments written out."""
        for node in wanted.selections:
            if isinstance(node, FieldNode):
                yield condition, node
            elif isinstance(node, FragmentSpreadNode):
                yield from self._flat(self.fragments[node.name.value].selection_set, condition)
            elif isinstance(node, InlineFragmentNode):
                on = node.type_condition.name.value if node.type_condition else condition
                yield from self._flat(node.selection_set, on)

    def _holds(self, condition: str | None, parent: GraphQLNamedType) -> bool:
        if condition is None or condition == parent.name:
            return True
        on = self.schema.get_type(condition)
        return (
            isinstance(on, (GraphQLInterfaceType, GraphQLUnionType))
            and isinstance(parent, GraphQLObjectType)
            and self.schema.is_sub_type(on, parent)
        )


def _can_be_asked(node: FieldNode, definition: GraphQLField) -> bool:
    given = {argument.name.value for argument in node.arguments or ()}
    return all(name in given or not is_required_argument(a) for name, a in definition.args.items())


def _is_typename(node: SelectionNode) -> bool:
    return isinstance(node, FieldNode) and node.name.value == _TYPENAME


def _alias(node: FieldNode, type_name: str) -> FieldNode:
    name = node.name.value
    return FieldNode(
        alias=NameNode(value=f"{name}{ALIAS}{type_name}"),
        name=node.name,
        arguments=node.arguments,
        selection_set=node.selection_set,
    )


def _inline(type_name: str, nodes: Sequence[SelectionNode]) -> InlineFragmentNode:
    return InlineFragmentNode(
        type_condition=NamedTypeNode(name=NameNode(value=type_name)),
        selection_set=SelectionSetNode(selections=tuple(nodes)),
    )
