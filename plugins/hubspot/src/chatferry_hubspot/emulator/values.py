"""Validate and normalise property values. Every value is sent as a string."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time

from chatferry.emulators.clock import iso_utc
from chatferry_hubspot.emulator.errors import Problem
from chatferry_hubspot.emulator.properties import Property

TEXT_LIMIT = 65_536
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?P<top>[a-z]{{2,}})")
_LONGEST_LOCAL = 64
_TOP_LEVELS = frozenset(
    """
    academy aero agency alsace amsterdam app arpa art asia bank barcelona bayern beauty berlin bike bio
    biz blog boutique brussels build business buzz bzh cafe care cat center chat church city clinic
    cloud club coach codes coffee cologne com community company computer consulting cool coop corsica
    dance dental design dev digital direct eco edu education email energy engineering estate eus events
    expert express family farm fashion finance fit fitness florist fm foundation frl fun fund gal
    gallery games garden gent gift global gmbh gov graphics group guide guru hamburg health help hiphop
    holiday homes host hosting hotel house info ink institute insure int international jobs kitchen
    koeln land law legal life live llc loan london love ltd luxury madrid management market marketing
    mba media memorial mil mobi moda money museum name net network news ngo ninja nyc one ong online org
    organic paris partners parts party pet photo photography photos pics pictures pizza plus post press
    pro productions properties pub quebec realty recipes rent repair report rest restaurant review
    reviews ruhr run saarland sale salon sarl school science scot services shoes shop shopping show site
    ski soccer social software solar solutions space sport store stream studio style support surf swiss
    systems tax taxi team tech technology tel tickets tips tirol today tokyo tools top tours town toys
    trade training travel university vet viajes video villas vin vip vision vlaanderen vote voyage wales
    watch website wedding wien wiki win wine work works world wtf xxx xyz yoga zone
    """.split()  # noqa: SIM905  (as a list it would be a page)
)
"""Those beside the countries' two letters that the emulator knows; HubSpot refuses what is none."""
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?")
_MILLISECONDS = re.compile(r"-?\d{1,15}")


def normalise(definition: Property, value: str) -> str | Problem:
    """Return the value as it is stored, or what is wrong with it; ``""`` clears any property."""
    if not value:
        return ""
    check = _email if definition.name == "email" else _CHECKS.get(definition.type, _text)
    return check(definition, value)


def _email(definition: Property, value: str) -> str | Problem:
    email = value.strip().lower()
    found = _EMAIL.fullmatch(email)
    if found and email.index("@") <= _LONGEST_LOCAL and _is_top_level(found["top"]):
        return email
    message = f"Email address {value} is invalid"
    return Problem(name=definition.name, code="INVALID_EMAIL", message=message)


def _is_top_level(name: str) -> bool:
    return len(name) == 2 or name in _TOP_LEVELS  # noqa: PLR2004  (a country's)


def _enumeration(definition: Property, value: str) -> str | Problem:
    options = [option["value"] for option in definition.options]
    chosen = value.strip(";").split(";") if definition.field_type == "checkbox" else [value]
    for one in chosen:
        if one not in options:
            message = f"{one} was not one of the allowed options: [{', '.join(options)}]"
            return Problem(name=definition.name, code="INVALID_OPTION", message=message)
    return value


def _number(definition: Property, value: str) -> str | Problem:
    return value if _NUMBER.fullmatch(value) else _refuse(definition, "INVALID_INTEGER", "number")


def _boolean(definition: Property, value: str) -> str | Problem:
    if value.lower() in {"true", "false"}:
        return value.lower()
    message = f"{value} was not one of the allowed options: [true, false]"
    return Problem(name=definition.name, code="INVALID_OPTION", message=message)


def _moment(definition: Property, value: str) -> str | Problem:
    """Accept ISO 8601 or milliseconds; a moment without an offset is UTC, a date is midnight in UTC."""
    try:
        if _MILLISECONDS.fullmatch(value):
            moment = datetime.fromtimestamp(int(value) / 1000, UTC)
        else:
            moment = datetime.fromisoformat(value)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return _refuse(definition, "INVALID_DATE", definition.type)
    if definition.type == "date":
        midnight = moment.time() == time()
        return moment.date().isoformat() if midnight else _refuse(definition, "INVALID_DATE", "date")
    return iso_utc(moment).replace(".000Z", "Z")


def _text(definition: Property, value: str) -> str | Problem:
    if len(value) <= TEXT_LIMIT:
        return value
    message = f"{definition.name} has {len(value)} characters; at most {TEXT_LIMIT} are allowed"
    return Problem(name=definition.name, code="PROPERTY_VALUE_TOO_LONG", message=message)


def _refuse(definition: Property, code: str, kind: str) -> Problem:
    return Problem(name=definition.name, code=code, message=f"{definition.name} was not a valid {kind}")


_CHECKS: Mapping[str, Callable[[Property, str], str | Problem]] = {
    "enumeration": _enumeration,
    "bool": _boolean,
    "number": _number,
    "date": _moment,
    "datetime": _moment,
}
