"""The URL table: each family of endpoints with its dated and its legacy prefixes.

The position of the version differs from family to family (HubSpot docs, 'API versioning').
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from chatferry_hubspot.emulator.routes import (
    associations,
    batch,
    control,
    oauth,
    page,
    properties,
    records,
    schemas,
    usage,
)

Route = tuple[str, str, Callable[..., ResponseReturnValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Routes that share prefixes; ``{date}`` stands for every dated version served."""

    routes: Sequence[Route]
    prefixes: Sequence[str]


FAMILIES = (
    Family(routes=(*batch.ROUTES, *records.ROUTES), prefixes=("/crm/objects/{date}", "/crm/v3/objects")),
    Family(routes=associations.SINGLES, prefixes=("/crm/objects/{date}", "/crm/v4/objects")),
    Family(routes=associations.BATCHES, prefixes=("/crm/associations/{date}", "/crm/v4/associations")),
    Family(routes=properties.ROUTES, prefixes=("/crm/properties/{date}", "/crm/v3/properties")),
    Family(
        routes=schemas.ROUTES,
        prefixes=("/crm-object-schemas/{date}/schemas", "/crm-object-schemas/v3/schemas", "/crm/v3/schemas"),
    ),
    Family(routes=oauth.ROUTES, prefixes=("/oauth/{date}", "/oauth/v3", "/oauth/v1")),
    Family(routes=oauth.LEGACY, prefixes=("/oauth/v1",)),
    Family(routes=oauth.AUTHORIZE, prefixes=("",)),
    Family(routes=usage.LIMITS, prefixes=("/crm/limits/{date}", "/crm/v3/limits")),
    Family(routes=usage.DETAILS, prefixes=("/account-info/{date}", "/account-info/v3")),
    Family(routes=control.ROUTES, prefixes=(control.PREFIX,)),
    Family(routes=page.ROUTES, prefixes=("",)),
)


def rules(dates: Sequence[str]) -> Iterator[Route]:
    """Yield every method and path that is served, with its view."""
    for family in FAMILIES:
        for prefix in family.prefixes:
            written = [prefix.format(date=date) for date in dates] if "{date}" in prefix else [prefix]
            for start in written:
                for method, rule, view in family.routes:
                    yield method, start + rule, view
