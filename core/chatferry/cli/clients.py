"""iAdvize clients on the command line: ``ha/335``."""

from __future__ import annotations

import re
from typing import Any

import click

from chatferry.settings.model import ClientSettings, Settings

_NAME = re.compile(r"([A-Za-z]{2})[/-](\d{1,18})")


class ClientName(click.ParamType[Any]):
    """``PLATFORM/ID``, such as ``ha/335``."""

    name = "platform/id"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Read the platform and the number."""
        if isinstance(value, tuple):
            return value
        found = _NAME.fullmatch(str(value).strip())
        if found is None:
            self.fail(f'"{value}" is not a client; write one such as ha/335', param, ctx)
        return found[1].lower(), int(found[2])


def chosen_client(settings: Settings, name: tuple[str, int] | None) -> ClientSettings:
    """Return the configured client of this name, or the only one there is.

    :raises UsageError: if there is no such client, or ``name`` is None and there are several.
    """
    clients = settings.iadvize.clients
    known = ", ".join(f"{client.platform}/{client.client_id}" for client in clients) or "none"
    if name is None:
        if len(clients) == 1:
            return clients[0]
        raise click.UsageError(f"say which client with --client; there are: {known}")
    found = settings.iadvize.client(*name)
    if found is None:
        shown = f"{name[0]}/{name[1]}"
        raise click.UsageError(f"there is no client {shown} in the configuration; there are: {known}")
    return found
