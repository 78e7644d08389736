"""``chatferry preview``: a dry run of one conversation; no lead is written anywhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from chatferry.cli.clients import ClientName, chosen_client
from chatferry.cli.login_tokens import shared_tokens
from chatferry.cli.output import console, output_option, print_json
from chatferry.cli.preview_show import as_json, show
from chatferry.cli.previewing import preview_of
from chatferry.cli.workspace import Workspace
from chatferry.errors import PlatformError
from chatferry.iadvize.client import IAdvize
from chatferry.iadvize.parse import parse_conversation
from chatferry.model import Conversation
from chatferry.settings.fields import nearest
from chatferry.settings.model import ClientSettings


@click.command()
@click.argument("what", metavar="ID|FILE")
@click.option(
    "--client", type=ClientName(), help="Which client the conversation is of, if there are several: ha/335."
)
@click.option("--destination", metavar="NAME", help="Only this destination; otherwise all that are enabled.")
@output_option
@click.pass_obj
def preview(
    workspace: Workspace, *, what: str, client: tuple[str, int] | None, destination: str | None, output: str
) -> None:
    """Show what a conversation would become; write no lead.

    ID is read from iAdvize. FILE is a conversation as iAdvize's GraphQL API returns it: the object, or
    the whole response. Shown are what was said, the answers with the messages they came from, and
    for each destination the decision, its reason and the records it would get. No CRM is asked.
    """
    settings = workspace.settings
    if destination is not None and destination not in settings.destinations:
        known = settings.destinations
        hint = nearest(destination, known) or f"; there are: {', '.join(known) or 'none'}"
        raise click.UsageError(f'there is no destination "{destination}"{hint}')
    chosen = chosen_client(settings, client)
    conversation = (
        _read_file(Path(what), chosen) if _is_file(what) else _read(what, chosen, settings.database)
    )
    previews = preview_of(workspace, conversation, destination)
    if output == "json":
        print_json(as_json(conversation, previews))
    else:
        show(console(), conversation, previews)


def _is_file(what: str) -> bool:
    try:
        uuid.UUID(what)
    except ValueError:
        return True
    return Path(what).is_file()


def _read(conversation_id: str, settings: ClientSettings, database: str) -> Conversation:
    """Read a conversation from iAdvize, as the engine does and with its access token.

    :raises PlatformError: if iAdvize does not give it.
    """
    with shared_tokens(database) as tokens, closing(IAdvize(settings, tokens)) as client:
        found = client.fetch([conversation_id])[conversation_id]
    if isinstance(found, PlatformError):
        raise found
    return found


def _read_file(path: Path, settings: ClientSettings) -> Conversation:
    """Read a conversation from a file.

    :raises UsageError: if there is none in it.
    """
    try:
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise click.UsageError(f"{path} is neither a conversation's id (a UUID) nor a file") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise click.UsageError(f"{path} is not JSON") from None
    try:
        return parse_conversation(_node(raw, path), platform=settings.platform, client_id=settings.client_id)
    except PlatformError as error:
        raise click.UsageError(f"{path}: {error}") from None


def _node(raw: Any, path: Path) -> Mapping[str, Any]:
    """Return the conversation object of a GraphQL response, or the object itself."""
    data = raw.get("data", raw) if isinstance(raw, dict) else None
    if isinstance(data, dict):
        candidates = [data, data.get("conversation"), *data.values()]
        for found in candidates:
            if isinstance(found, dict) and "id" in found and "messages" in found:
                return found
    raise click.UsageError(f'{path} holds no conversation: an object with an "id" and "messages"')
