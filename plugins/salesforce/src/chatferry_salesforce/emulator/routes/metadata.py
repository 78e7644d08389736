"""What there is: versions, limits, objects and their fields (REST API guide, 'Describe', 'Limits')."""

from __future__ import annotations

from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from chatferry_salesforce.emulator.calls import Answer, Call
from chatferry_salesforce.emulator.settings import NEWEST, OLDEST
from chatferry_salesforce.emulator.tables import ObjectType


def versions() -> list[dict[str, str]]:
    """Return the versions of the API; they may be read without a session."""
    return [
        {"label": f"Release {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST, NEWEST + 1)
    ]


def resources(call: Call) -> Answer:
    """List what a version offers."""
    names = ("sobjects", "query", "queryAll", "composite", "limits")
    return Answer(body={name: f"/services/data/v{call.version}/{name}" for name in names})


def limits(call: Call) -> Answer:
    """Say how many calls are left."""
    allowance = call.org.allowance
    return Answer(
        body={
            "DailyApiRequests": {"Max": allowance.most, "Remaining": allowance.most - allowance.used},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DataStorageMB": {"Max": 1024, "Remaining": 1019},
        }
    )


def objects(call: Call) -> Answer:
    """List the objects."""
    org = call.org
    seen = [one for one in org.objects.values() if not one.custom or (one.name, "") in org.granted]
    return Answer(
        body={"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_summary(one) for one in seen]}
    )


def describe(call: Call) -> Answer:
    """Describe an object; 304 if it is as it was at the time that ``If-Modified-Since`` says."""
    kind = call.kind
    changed = formatdate(kind.changed_at, usegmt=True)
    since = call.header("If-Modified-Since")
    if since and _is_later(since, kind.changed_at):
        return Answer(status=304, headers={"Last-Modified": changed})
    fields = [one.describe() for one in call.org.columns(kind)]
    body = {**_summary(kind), "fields": fields, "childRelationships": [], "recordTypeInfos": []}
    return Answer(body=body, headers={"Last-Modified": changed})


def basic(call: Call) -> Answer:
    """Describe an object briefly."""
    return Answer(body={"objectDescribe": _summary(call.kind), "recentItems": []})


def _summary(kind: ObjectType) -> dict[str, Any]:
    return {
        "name": kind.name,
        "label": kind.name.removesuffix("__c"),
        "keyPrefix": kind.prefix,
        "createable": True,
        "updateable": True,
        "deletable": True,
        "queryable": True,
        "custom": kind.custom,
    }


def _is_later(header: str, changed_at: float) -> bool:
    try:
        return parsedate_to_datetime(header).timestamp() >= int(changed_at)
    except (TypeError, ValueError):
        return False
