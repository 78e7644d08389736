"""The list of closed conversations, which reconciliation compares with the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from chatferry.errors import PlatformError
from chatferry.iadvize.endpoint import Endpoint
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPage:
    """Some closed conversations, and the cursor after which there are more; None at the end."""

    conversations: tuple[ClosedConversation, ...]
    after: str | None = None


def read_closed(
    endpoint: Endpoint, since: datetime, until: datetime, project_ids: Sequence[int], after: str | None
) -> ClosedPage:
    """Return one page of the conversations closed between two moments.

    :raises PlatformError: if iAdvize does not return it, or something else.
    """
    documents = endpoint.documents()
    variables = documents.closed_variables(since, until, project_ids, after)
    result = endpoint.execute(documents.closed(), variables)
    if (result.data or {}).get("closed") is None:
        raise PlatformError("iAdvize gives no closed conversations; check the rights of the configured user")
    try:
        page: ClosedPage = _Page(unknown=EXCLUDE).load(result.data["closed"])  # type: ignore[index]  # checked above
    except ValidationError as error:
        raise PlatformError(
            f"iAdvize's closed conversations have an unknown shape: {_places(error)}"
        ) from None
    if page.after is not None and page.after == after:
        raise PlatformError("/closed/pageInfo/endCursor does not lead to the next page")
    return page


def _nested(members: Mapping[str, fields.Field[Any]], **options: Any) -> fields.Nested:
    return fields.Nested(dict(members), unknown=EXCLUDE, **options)


class _Node(Schema):
    id = fields.String(required=True)
    closedAt = fields.Function(deserialize=moment, allow_none=True)  # noqa: N815  (iAdvize's name)
    channel = fields.Function(deserialize=storable, allow_none=True)
    project = _nested({"id": fields.Raw(allow_none=True)}, allow_none=True)

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
        nodes = (edge.get("node") for edge in page["edges"] or () if edge)
        info = page["pageInfo"]
        if info["hasNextPage"] and not info.get("endCursor"):
            raise ValidationError({"pageInfo": {"endCursor": ["is missing"]}})
        return ClosedPage(
            conversations=tuple(node for node in nodes if node),
            after=info.get("endCursor") if info["hasNextPage"] else None,
        )


def _places(error: ValidationError) -> str:
    """Return the top-level names at which an answer is invalid; values are not shown."""
    messages = error.messages
    return (
        ", ".join(f"/closed/{name}" for name in sorted(messages)) if isinstance(messages, dict) else "/closed"
    )
