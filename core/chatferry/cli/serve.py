"""``chatferry serve`` and ``chatferry worker``: the long-running processes."""

from __future__ import annotations

import os
import signal
from http import HTTPStatus
from urllib.request import urlopen

import click

from chatferry.cli.stopping import stop_on_signals
from chatferry.cli.workspace import Workspace
from chatferry.errors import ChatferryError
from chatferry.logs import get_logger
from chatferry.runners.local import LocalRunner
from chatferry.runners.process import shorten_switch_interval, tune_gc
from chatferry.runners.systemd import Notifier


@click.command()
@click.option("--web-only", is_flag=True, help="Accept webhooks only; workers sync and deliver.")
@click.option("--strict", is_flag=True, help="Refuse to start with a plugin that does not work.")
@click.pass_obj
def serve(workspace: Workspace, *, web_only: bool, strict: bool) -> None:
    """Accept webhooks, sync conversations and deliver leads, until SIGTERM."""
    from chatferry.web.server import make_server, url  # noqa: PLC0415  (a large server no other command needs)

    workspace.strict |= strict
    workspace.makes_ledger = True
    engine = workspace.engine
    log = get_logger("chatferry")

    notifier = Notifier()

    def serving() -> None:
        log.info("serving", url=f"{url(server)}/webhooks/iadvize", runner=not web_only)
        notifier.ready(lambda: _answers(url(server)) and (runner is None or runner.makes_progress))

    server = make_server(workspace.config, workspace.settings.web, serving)
    tune_gc()
    shorten_switch_interval()
    runner = None if web_only else LocalRunner(engine, on_failure=_terminate).start()
    try:
        server.serve()
    finally:
        notifier.stopping()
        if runner is not None:
            runner.stop()
        log.info("stopped")
    _fail_if_ended(runner)


@click.command()
@click.option("--strict", is_flag=True, help="Refuse to start with a plugin that does not work.")
@click.pass_obj
def worker(workspace: Workspace, *, strict: bool) -> None:
    """Sync conversations and deliver leads, without the web side, until SIGTERM."""
    workspace.strict |= strict
    workspace.makes_ledger = True
    with stop_on_signals() as stop:
        engine = workspace.engine
        tune_gc()
        shorten_switch_interval()
        log = get_logger("chatferry")
        with LocalRunner(engine, on_failure=stop.request) as runner:
            log.info("working", destinations=list(engine.destinations))
            notifier = Notifier().ready(lambda: runner.makes_progress)
            stop.wait()
            notifier.stopping()
            log.info("stopping")
        log.info("stopped")
    _fail_if_ended(runner)


def _answers(address: str) -> bool:
    """Whether the endpoint answers its health route."""
    try:
        with urlopen(f"{address}/healthz", timeout=5) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _terminate() -> None:
    """Stop gracefully: a server without a runner would acknowledge webhooks that are never processed."""
    os.kill(os.getpid(), signal.SIGTERM)


def _fail_if_ended(runner: LocalRunner | None) -> None:
    """Exit with an error if a loop ended by itself, so that the process manager restarts this process."""
    if runner is not None and runner.failed:
        raise ChatferryError(f"these loops ended by themselves: {', '.join(runner.failed)}; the log says why")
