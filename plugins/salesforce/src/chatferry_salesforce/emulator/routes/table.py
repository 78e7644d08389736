"""Every path of the data API and its handler; the parts of a composite call are found in the same table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule

from chatferry_salesforce.emulator.calls import Answer, Call, Handler
from chatferry_salesforce.emulator.errors import ApiError, not_found
from chatferry_salesforce.emulator.routes import collections, deploy, metadata, query, records
from chatferry_salesforce.emulator.routes.composite import composite
from chatferry_salesforce.emulator.settings import NEWEST, OLDEST


def _composite(call: Call) -> Answer:
    """Make several calls, which are found in this table as well."""
    return composite(call, find)


HANDLERS: Final[Mapping[str, Handler]] = {
    "GET /": metadata.resources,
    "GET /limits": metadata.limits,
    "GET /sobjects": metadata.objects,
    "GET /sobjects/<kind>": metadata.basic,
    "POST /sobjects/<kind>": records.create,
    "GET /sobjects/<kind>/describe": metadata.describe,
    "GET /sobjects/<kind>/<record>": records.read,
    "PATCH /sobjects/<kind>/<record>": records.update,
    "DELETE /sobjects/<kind>/<record>": records.delete,
    "GET /sobjects/<kind>/<key>/<path:value>": records.read_by_key,
    "PATCH /sobjects/<kind>/<key>/<path:value>": records.upsert,
    "DELETE /sobjects/<kind>/<key>/<path:value>": records.delete_by_key,
    "GET /query": query.query,
    "GET /queryAll": query.query_all,
    "GET /query/<locator>": query.more,
    "POST /composite/sobjects": collections.create,
    "PATCH /composite/sobjects": collections.update,
    "DELETE /composite/sobjects": collections.delete,
    "GET /composite/sobjects/<kind>": collections.retrieve,
    "POST /composite/sobjects/<kind>": collections.retrieve,
    "PATCH /composite/sobjects/<kind>/<key>": collections.upsert,
    "POST /composite": _composite,
    "POST /metadata/deployRequest": deploy.begin,
    "GET /metadata/deployRequest/<deployment>": deploy.look,
}
BASE: Final = "/services/data/v<version>"
_RULES: Final = Map(
    [
        Rule(
            (BASE + name.partition(" ")[2]).rstrip("/"),
            methods=[name.partition(" ")[0]],
            endpoint=name,
        )
        for name in HANDLERS
    ],
    strict_slashes=False,
    redirect_defaults=False,
)


def find(method: str, path: str) -> tuple[str, Handler, dict[str, str]]:
    """Return the version of a path, what handles it, and the parts that its rule names.

    :raises ApiError: 404 or 405 if there is nothing, 410 if the version is retired.
    """
    version, name, parts = _matched(method, path)
    return version, HANDLERS[name], parts


def route_of(method: str, path: str) -> str:
    """Return the rule of a path, for the journal: it holds no value of a record."""
    try:
        return _matched(method, path)[1]
    except ApiError:
        return f"{method} (unknown path)"


def _matched(method: str, path: str) -> tuple[str, str, dict[str, str]]:
    try:
        name, matched = _RULES.bind("org").match(path, method)
        found = {key: str(value) for key, value in matched.items()}
    except MethodNotAllowed:
        message = f"HTTP Method '{method}' not allowed"
        raise ApiError(405, "METHOD_NOT_ALLOWED", message) from None
    except HTTPException:
        raise not_found() from None
    version = found.pop("version")
    number = version.removesuffix(".0")
    if not number.isdigit() or int(number) > NEWEST:
        raise not_found()
    if int(number) < OLDEST:
        message = "The requested resource has been retired or removed."
        raise ApiError(410, "UNSUPPORTED_API_VERSION", message)
    return version, str(name), found
