"""Read and validate the JSON body of a request, before any record is read or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest

from chatferry_hubspot.emulator.errors import ApiError, invalid


def json_object() -> dict[str, Any]:
    """Return the body.

    :raises ApiError: if it is no JSON object.
    """
    if request.mimetype != "application/json":
        raise ApiError(415, None, "Unsupported Media Type: the body must be application/json")
    try:
        body = request.get_json()
    except BadRequest:
        raise invalid("Invalid input JSON on line 1, column 1: the body can not be read") from None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON on line 1, column 1: an object is expected")
    return body


def inputs(limit: int) -> list[dict[str, Any]]:
    """Return the inputs of a batch.

    :raises ApiError: if there are none or too many.
    """
    given = json_object().get("inputs")
    if not isinstance(given, list) or not given:
        raise invalid("Some required fields were not set: [inputs]")
    if len(given) > limit:
        raise invalid(f"A batch has at most {limit} inputs; {len(given)} were sent")
    for place, entry in enumerate(given):
        if not isinstance(entry, dict):
            raise invalid(f"Invalid input JSON: inputs[{place}] is not an object")
    return given


def properties_of(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the property values of an input: strings, every one.

    :raises ApiError: if one is a number, null or anything else.
    """
    given = entry.get("properties")
    if not isinstance(given, dict):
        raise invalid("Some required fields were not set: [properties]")
    for name, value in given.items():
        if not isinstance(value, str):
            raise invalid(
                f"Invalid input JSON: the value of property {name} is not a string",
                context={"propertyName": [name]},
            )
    return given


def text(entry: Mapping[str, Any], name: str) -> str:
    """Return a field that must be there; ids may be numbers.

    :raises ApiError: if it is not.
    """
    value = entry.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise invalid(f"Some required fields were not set: [{name}]")
    return value


def number(given: str | int | None, name: str, *, default: int, most: int) -> int:
    """Return a positive whole number such as ``limit``.

    :raises ApiError: if it is none, or above ``most``.
    """
    if given is None or given == "":
        return default
    try:
        value = int(given)
    except ValueError:
        raise invalid(f"{name} must be a whole number") from None
    if not 0 < value <= most:
        raise invalid(f"{name} must be between 1 and {most}")
    return value


def names(given: Sequence[Any] | None) -> list[str]:
    """Return the property names a read asks for."""
    return [name for name in given or () if isinstance(name, str) and name]


def arguments(argument: str) -> list[str]:
    """Return the values of an argument that is repeated or has commas; both are accepted."""
    return names([value for given in request.args.getlist(argument) for value in given.split(",")])
