"""The list of closed conversations, which reconciliation compares with the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from chatferry.errors import PlatformError
from chatferry.iadvize.endpoint import Endpoint
from chatferry.iadvize.parse import listed_operators
from chatferry.iadvize.scalars import legacy_id, moment
from chatferry.text import storable

_LONGEST: Final = 128
"""Characters of an id and a channel the ledger holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedConversation:
    """A closed conversation, without its content."""

    id: str
    project_id: int | None = None
    closed_at: datetime | None = None
    channel: str | None = None
    operator_ids: tuple[int, ...] | None = None
    """All who took part; None if iAdvize does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPage:
    """Some closed conversations, and the cursor after which there are more; None at the end.

    ``unreadable`` counts entries without a conversation the ledger can hold. ``has_more`` is what iAdvize
    says, be there a cursor or not.
    """

    conversations: tuple[ClosedConversation, ...]
    unreadable: int = 0
    after: str | None = None
    has_more: bool = False


def read_closed(
    endpoint: Endpoint, since: datetime, until: datetime, project_ids: Sequence[int], after: str | None
) -> ClosedPage:
    """Return one page of the conversations closed between two moments.

    :raises PlatformError: if iAdvize does not return it, or something else.
    """
    result = endpoint.ask(
        lambda documents: (
            documents.closed(),
            documents.closed_variables(since, until, project_ids, after),
        )
    )
    if (result.data or {}).get("closed") is None:
        raise PlatformError("iAdvize gives no closed conversations; check the rights of the configured user")
    try:
        page: ClosedPage = _Page(unknown=EXCLUDE).load(result.data["closed"])  # type: ignore[index]  # checked above
    except ValidationError as error:
        raise PlatformError(
            f"iAdvize's closed conversations have an unknown shape: {_places(error)}"
        ) from None
    return page


def _nested(members: Mapping[str, fields.Field[Any]], **options: Any) -> fields.Nested:
    return fields.Nested(dict(members), unknown=EXCLUDE, **options)


class _Node(Schema):
    id = fields.String(required=True)
    closedAt = fields.Function(deserialize=moment, allow_none=True)  # noqa: N815  (iAdvize's name)
    channel = fields.Function(deserialize=storable, allow_none=True)
    project = _nested({"id": fields.Raw(allow_none=True)}, allow_none=True)
    users = fields.Function(deserialize=listed_operators, allow_none=True)

    @post_load
    def make(self, node: dict[str, Any], **_: Any) -> ClosedConversation | None:
        """Make the conversation, None if its id is not valid in the ledger."""
        if len(node["id"]) > _LONGEST or storable(node["id"]) != node["id"]:
            return None
        return ClosedConversation(
            id=node["id"],
            project_id=legacy_id((node.get("project") or {}).get("id")),
            closed_at=node.get("closedAt"),
            channel=(node.get("channel") or "")[:_LONGEST] or None,
            operator_ids=node.get("users"),
        )


class _Page(Schema):
    edges = fields.List(
        _nested({"node": fields.Nested(_Node, unknown=EXCLUDE, allow_none=True)}, allow_none=True),
        required=True,
        allow_none=True,
    )
    pageInfo = _nested(  # noqa: N815  (iAdvize's name)
        {"endCursor": fields.String(allow_none=True), "hasNextPage": fields.Boolean(load_default=False)},
        required=True,
    )

    @post_load
    def make(self, page: dict[str, Any], **_: Any) -> ClosedPage:
        """Make the page, edges without a conversation left out."""
        edges, info = page["edges"] or (), page["pageInfo"]
        found = tuple(node for edge in edges if edge and (node := edge.get("node")))
        return ClosedPage(
            conversations=found,
            unreadable=len(edges) - len(found),
            after=(info.get("endCursor") or None) if info["hasNextPage"] else None,
            has_more=info["hasNextPage"],
        )


def _places(error: ValidationError) -> str:
    """Return the top-level names at which an answer is invalid; values are not shown."""
    messages = error.messages
    return (
        ", ".join(f"/closed/{name}" for name in sorted(messages)) if isinstance(messages, dict) else "/closed"
    )
