"""The emulator as ``chatferry emulate`` offers it."""

from __future__ import annotations

import click

from chatferry.emulators import Emulator
from chatferry_salesforce.emulator.application import create_app
from chatferry_salesforce.emulator.faults import FAULTS
from chatferry_salesforce.emulator.settings import DuplicateRule, OrgSettings

_DEFAULTS = OrgSettings()


def _choice(option: str, *values: str, text: str) -> click.Option:
    return click.Option([option], type=click.Choice(values), default=values[0], help=text)


OPTIONS = (
    click.Option(["--seed"], type=int, default=0, help="Makes ids repeatable."),
    click.Option(["--client-id"], default=_DEFAULTS.client_id, help="The app's consumer key."),
    click.Option(["--client-secret"], default=_DEFAULTS.client_secret, help="The app's consumer secret."),
    click.Option(["--refresh-token"], default=_DEFAULTS.refresh_token, help="A refresh token that is good."),
    click.Option(["--rotate"], is_flag=True, help="Each refresh ends the refresh token and gives another."),
    click.Option(["--username"], default=_DEFAULTS.username, help="The integration user's name."),
    click.Option(
        ["--certificate"],
        type=click.File("r"),
        callback=lambda _context, _option, file: file.read() if file else None,
        help="The public key (PEM) that assertions are verified with; without it there is no JWT flow.",
    ),
    click.Option(
        ["--session-life"],
        type=float,
        default=_DEFAULTS.session_life,
        help="Seconds a session lives after its last call.",
    ),
    click.Option(["--daily"], type=int, default=_DEFAULTS.daily, help="Calls in any 24 hours."),
    click.Option(
        ["--prepared"], is_flag=True, help="Start with the objects and fields that leads are written to."
    ),
    click.Option(["--person-accounts"], is_flag=True, help="The org has person accounts."),
    click.Option(
        ["--duplicates"],
        type=click.Choice([one.value for one in DuplicateRule]),
        default=DuplicateRule.OFF.value,
        help="What happens to a record whose e-mail another one has.",
    ),
    click.Option(
        ["--newline-units"],
        type=click.IntRange(1, 2),
        default=1,
        help="What a line end counts for in the length of a text.",
    ),
    _choice(
        "--unknown-column-refuses",
        "request",
        "record",
        text="What an unknown column refuses in a collection.",
    ),
    _choice("--deleted-key", "error", "new", text="What an upsert by the key of a deleted record does."),
    _choice("--converted-links", "refused", "allowed", text="Whether a new lookup to a converted lead is."),
    click.Option(
        ["--maps-visitor"], is_flag=True, help="A conversion takes Chat_Visitor_Id__c over to the contact."
    ),
)

EMULATOR = Emulator(
    name="salesforce",
    summary="A Salesforce org in memory: leads, contacts, tasks, custom objects, limits, faults, a page.",
    create=create_app,
    faults=FAULTS,
    options=OPTIONS,
)
