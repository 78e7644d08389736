"""Several calls as one (REST API guide, 'Composite'): the outer answer says nothing of the parts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from chatferry_salesforce.emulator.calls import Answer, Call, Handler
from chatferry_salesforce.emulator.errors import ApiError

MOST: Final = 25
MOST_LARGE: Final = 5
"""Collections and queries among them."""
_LARGE: Final = re.compile(r"/(?:composite/sobjects|query|queryAll)\b")
_REFERENCE: Final = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_STEP: Final = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
_HALTED: Final = "PROCESSING_HALTED"


@dataclass(slots=True, kw_only=True, eq=False)
class _Part:
    """One of the calls, and its answer."""

    method: str
    url: str
    name: str
    headers: Mapping[str, str]
    body: Any = field(repr=False)
    answer: Answer | None = None

    @property
    def references(self) -> frozenset[str]:
        """The parts whose answers it uses."""
        return frozenset(name for name, _ in _REFERENCE.findall(json.dumps([self.url, self.body])))


Find: TypeAlias = Callable[[str, str], tuple[str, Handler, dict[str, str]]]
"""Returns the version, the handler and the parts of a path."""


def composite(call: Call, find: Find) -> Answer:
    """Make the calls one after the other."""
    body = call.json_object()
    parts = [_part(one) for one in body.get("compositeRequest") or ()]
    _check(parts)
    ordered = _in_order(parts, collates=body.get("collateSubrequests") is not False)
    with call.org.all_or_none() as roll_back:
        for part in ordered:
            part.answer = _made(call, part, {one.name: one for one in parts}, find)
        if body.get("allOrNone") is True and any(_failed(part.answer) for part in parts):
            roll_back()
            for part in parts:
                part.answer = (
                    part.answer if _failed(part.answer) else _halted("The transaction was rolled back")
                )
    return Answer(body={"compositeResponse": [_shown(part) for part in parts]})


def _part(given: Any) -> _Part:
    if not isinstance(given, dict) or not all(isinstance(given.get(key), str) for key in _REQUIRED):
        raise ApiError(400, "JSON_PARSER_ERROR", f"compositeRequest: {', '.join(_REQUIRED)} are expected")
    headers = given.get("httpHeaders")
    return _Part(
        method=given["method"].upper(),
        url=given["url"],
        name=given["referenceId"],
        headers=headers if isinstance(headers, dict) else {},
        body=given.get("body"),
    )


_REQUIRED: Final = ("method", "url", "referenceId")


def _check(parts: Sequence[_Part]) -> None:
    if not parts or len(parts) > MOST:
        raise ApiError(400, "LIMIT_EXCEEDED", f"1 to {MOST} subrequests are expected, not {len(parts)}")
    if sum(bool(_LARGE.search(part.url)) for part in parts) > MOST_LARGE:
        message = f"no more than {MOST_LARGE} subrequests may be collections or queries"
        raise ApiError(400, "LIMIT_EXCEEDED", message)
    if len({part.name for part in parts}) < len(parts):
        raise ApiError(400, "INVALID_INPUT", "a referenceId is given twice")


def _in_order(parts: Sequence[_Part], *, collates: bool) -> list[_Part]:
    """Return the parts in the order they are made in.

    Collated, only a reference says that one comes before another: here the last comes first.
    """
    if not collates or any(part.references for part in parts):
        return list(parts)
    return list(reversed(parts))


def _made(call: Call, part: _Part, others: Mapping[str, _Part], find: Find) -> Answer:
    if any(name not in others or _failed(others[name].answer) for name in part.references):
        return _halted("The request referenced a call that failed, or none")
    split = urlsplit(_filled(part.url, others))
    try:
        version, handler, path = find(part.method, split.path)
        inner = replace(
            call,
            version=version,
            path=path,
            query=dict(parse_qsl(split.query)),
            headers=part.headers,
            body=_filled(part.body, others),
        )
        return handler(inner)
    except ApiError as error:
        return Answer(status=error.status, body=error.body)


def _filled(value: Any, others: Mapping[str, _Part]) -> Any:
    """Return a value with what it refers to in its places."""
    if isinstance(value, dict):
        return {key: _filled(each, others) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, others) for each in value]
    if not isinstance(value, str):
        return value
    return _REFERENCE.sub(lambda found: str(_reference(others[found[1]].answer, found[2])), value)


def _reference(answer: Answer | None, path: str) -> Any:
    value: Any = answer.body if answer is not None else None
    try:
        for name, number in _STEP.findall(path):
            value = value[name] if name else value[int(number)]
    except (KeyError, IndexError, TypeError):
        raise ApiError(400, "INVALID_INPUT", f"Invalid reference specified: {path}") from None
    return value


def _failed(answer: Answer | None) -> bool:
    return answer is None or answer.status >= 400  # noqa: PLR2004  (the failures)


def _halted(message: str) -> Answer:
    return Answer(status=400, body=[{"errorCode": _HALTED, "message": message}])


def _shown(part: _Part) -> dict[str, Any]:
    answer = part.answer or _halted("")
    return {
        "body": answer.body,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": part.name,
    }
