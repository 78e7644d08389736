"""The Flask application of a configuration, with a ledger; no plugin, no CRM."""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path

from flask import Flask

from chatferry.accept.acceptance import Acceptance
from chatferry.ledger import Ledger
from chatferry.logs import configure_logging
from chatferry.runners.process import tune_gc
from chatferry.settings.load import load
from chatferry.settings.model import Settings
from chatferry.web.app import create_app
from chatferry.web.refusals import Refusals
from chatferry.web.server import CONFIG


def create(settings: Settings | None = None, refusals: Refusals | None = None) -> Flask:
    """Return the application of a configuration, by default of the one ``CHATFERRY_CONFIG`` names."""
    settings = settings or load(Path(os.environ[CONFIG]), os.environ)
    configure_logging(settings.log)
    ledger = Ledger.open(settings.database)
    acceptance = Acceptance(settings, ledger.events)
    _follow_parent()
    app = create_app(
        acceptance.accept,
        ledger.ping,
        body_limit=settings.web.body_limit,
        refusals=refusals,
    )
    tune_gc()
    return app


def _follow_parent() -> None:
    """Exit with the parent process: after its ``kill -9`` the port must be free again."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(0)  # nothing is lost: what was acknowledged is committed

    threading.Thread(target=follow, name="follow-parent", daemon=True).start()
