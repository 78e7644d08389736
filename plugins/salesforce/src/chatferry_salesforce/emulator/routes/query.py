"""Queries, in pages of 2,000 rows (REST API guide, 'Query')."""

from __future__ import annotations

from typing import Any, Final

from chatferry_salesforce.emulator.calls import Answer, Call
from chatferry_salesforce.emulator.errors import ApiError
from chatferry_salesforce.emulator.queries import select, show
from chatferry_salesforce.emulator.soql import malformed, parse

PAGE: Final = 2_000


def query(call: Call) -> Answer:
    """Answer a query about the records that are not in the recycle bin."""
    return _first_page(call, deleted=False)


def query_all(call: Call) -> Answer:
    """Answer a query about the recycle bin too."""
    return _first_page(call, deleted=True)


def more(call: Call) -> Answer:
    """Return a further page; its locator ends with where it starts."""
    locator, _, start = call.path["locator"].rpartition("-")
    rows = call.org.cursors.get(locator)
    if rows is None or not start.isdigit():
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, locator, rows, int(start))


def _first_page(call: Call, *, deleted: bool) -> Answer:
    if "q" not in call.query:
        raise malformed("The query parameter q is required")
    asked = parse(call.query["q"])
    found = select(call.org, asked, deleted=deleted)
    if asked.counts:
        return Answer(body={"totalSize": len(found), "done": True, "records": []})
    rows = [show(call.org, one, asked.columns, call.version) for one in found]
    locator = ""
    if len(rows) > PAGE:
        locator = call.org.next_id("01g")
        call.org.cursors[locator] = rows
    return _page(call, locator, rows, 0)


def _page(call: Call, locator: str, rows: list[dict[str, Any]], start: int) -> Answer:
    end = start + PAGE
    body = {"totalSize": len(rows), "done": end >= len(rows), "records": rows[start:end]}
    if end < len(rows):
        body["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{locator}-{end}"
    return Answer(body=body)
