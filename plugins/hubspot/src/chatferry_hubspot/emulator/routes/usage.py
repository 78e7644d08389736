"""Account details and usage limits."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import jsonify
from flask.typing import ResponseReturnValue

from chatferry_hubspot.emulator.definitions import TYPES_LIMIT
from chatferry_hubspot.emulator.serving import account, require

RECORDS = 15_000_000


def records() -> ResponseReturnValue:
    """Count records, by object type."""
    require("crm.objects.contacts.read", "crm.objects.custom.read")
    sizes = account().sizes()
    built_in, custom = [], []
    for kind in account().types.values():
        usage = {
            "objectTypeId": kind.type_id,
            "singularLabel": kind.singular,
            "pluralLabel": kind.plural,
            "usage": sizes[kind.name],
        }
        if kind.custom:
            custom.append(usage)
        else:
            built_in.append({**usage, "limit": RECORDS, "percentage": 100 * sizes[kind.name] / RECORDS})
    total = sum(sizes[kind.name] for kind in account().custom_types)
    limit = RECORDS if account().settings.custom_objects else 0
    overall = {
        "byObjectType": custom,
        "overallLimit": limit,
        "overallUsage": total,
        "overallPercentage": 100 * total / limit if limit else 0,
    }
    return jsonify(hubspotDefinedObjectTypes=built_in, customObjectTypes=overall)


def custom_object_types() -> ResponseReturnValue:
    """Return the number of custom object types and its limit."""
    require("crm.objects.contacts.read", "crm.objects.custom.read")
    limit = TYPES_LIMIT if account().settings.custom_objects else 0
    usage = len(account().custom_types)
    return jsonify(limit=limit, usage=usage, percentage=100 * usage / limit if limit else 0)


def details() -> ResponseReturnValue:
    """Describe the account."""
    now = datetime.fromtimestamp(account().clock.now(), UTC).astimezone(
        ZoneInfo(account().settings.time_zone)
    )
    offset = now.strftime("%z")
    shift = now.utcoffset()
    return jsonify(
        portalId=account().settings.portal_id,
        accountType="STANDARD",
        timeZone=account().settings.time_zone,
        companyCurrency="EUR",
        additionalCurrencies=[],
        utcOffset=f"{offset[:3]}:{offset[3:]}",
        utcOffsetMilliseconds=int(shift.total_seconds() * 1000) if shift is not None else 0,
        uiDomain="app.hubspot.com",
        dataHostingLocation="eu1",
    )


LIMITS = (
    ("GET", "/records", records),
    ("GET", "/custom-object-types", custom_object_types),
)
DETAILS = (("GET", "/details", details),)
