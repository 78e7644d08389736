"""``chatferry prune``: delete what is past its retention, as the server does every hour."""

from __future__ import annotations

import time

import click

from chatferry.cli.output import output_option, print_json
from chatferry.cli.workspace import Workspace
from chatferry.iadvize.facts import retained_facts

_DAY = 86_400.0
_days = click.FloatRange(min=0)


@click.command()
@click.option("--events-days", type=_days, help="Keep events so long; the configuration's if not given.")
@click.option("--leads-days", type=_days, help="Keep leads so long; the configuration's if not given.")
@output_option
@click.pass_obj
def prune(workspace: Workspace, *, events_days: float | None, leads_days: float | None, output: str) -> None:
    """Delete old events, and the content of leads that are delivered, discarded or skipped.

    The defaults are the configuration's retention.events_days and retention.leads_days, where 0
    keeps for ever; given here, 0 deletes all that is done. Nothing that is still to be done is deleted.
    """
    workspace.do_without_secrets()
    retention, now = workspace.settings.retention, time.time()
    keep_events = retention.events_days or None if events_days is None else events_days
    keep_leads = retention.leads_days or None if leads_days is None else leads_days
    ledger = workspace.ledger
    events = 0 if keep_events is None else ledger.events.prune(now - keep_events * _DAY, retained_facts)
    leads = 0 if keep_leads is None else ledger.deliveries.prune(now - keep_leads * _DAY)
    if output == "json":
        print_json({"events": events, "leads": leads})
    else:
        click.echo(f"{events} events and the content of {leads} leads deleted")
