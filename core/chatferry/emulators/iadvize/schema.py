"""The schema that is served: ``schema.graphql``, less the fields that were taken out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import resources
from typing import Any, TypeGuard

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)

from chatferry.emulators.iadvize import dates
from chatferry.emulators.iadvize.resolvers import attach


def load_schema(without: Iterable[str] = ()) -> GraphQLSchema:
    """Build the schema without some fields, each written ``Type.field``.

    :raises ValueError: if there is no such field.
    """
    source = resources.files(__package__).joinpath("schema.graphql").read_text(encoding="utf-8")
    # A test validates the file; validating it at each start would be the slowest part of the start.
    schema = build_schema(source, no_location=True, assume_valid_sdl=True)
    for name in without:
        _remove_field(schema, name)
    attach(schema)
    _set_scalar_parsers(schema)
    return schema


def _remove_field(schema: GraphQLSchema, unwanted: str) -> None:
    owner, _, field = unwanted.partition(".")
    named = {name: kind for name, kind in schema.type_map.items() if _has_fields(kind)}
    if field not in getattr(named.get(owner), "fields", {}):
        names = [f"{name}.{field}" for name, kind in named.items() for field in kind.fields]
        near = get_close_matches(unwanted, names, n=1)
        message = f"the schema has no field {unwanted!r}" + (f"; did you mean {near[0]}?" if near else "")
        raise ValueError(message)
    for name, kind in named.items():
        interfaces = {interface.name for interface in kind.interfaces}
        if name == owner or owner in interfaces:
            kind.fields.pop(field, None)


def _has_fields(kind: object) -> TypeGuard[GraphQLObjectType | GraphQLInterfaceType]:
    return isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)


def _set_scalar_parsers(schema: GraphQLSchema) -> None:
    for name, parse_value in (("UUID", _uuid), ("DateTime", _instant), ("LegacyId", _legacy_id)):
        scalar = schema.type_map.get(name)
        if isinstance(scalar, GraphQLScalarType):
            # graphql-core 3.3 calls the newer name, 3.2 the older one.
            for attribute in ("parse_value", "coerce_input_value"):
                setattr(scalar, attribute, parse_value)


def _uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise GraphQLError(f"{value!r} is not a UUID") from None


def _instant(value: Any) -> float:
    try:
        return dates.read(value)
    except (ValueError, AttributeError, TypeError):
        raise GraphQLError(f"{value!r} is not a DateTime") from None


def _legacy_id(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,18}", str(value)):
        raise GraphQLError(f"{value!r} is not a LegacyId")
    return int(value)
