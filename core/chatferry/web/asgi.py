"""The web process: a configuration, a ledger and the application; no plugin, no CRM."""

from __future__ import annotations

import os
from pathlib import Path

from chatferry.runners.process import shorten_switch_interval
from chatferry.settings.load import load
from chatferry.web import wsgi
from chatferry.web.connections import allow_files
from chatferry.web.front import Front
from chatferry.web.refusals import Refusals
from chatferry.web.server import CONFIG


def create() -> Front:
    """Return the front of the application of the configuration ``CHATFERRY_CONFIG`` names."""
    allow_files()
    shorten_switch_interval()
    settings = load(Path(os.environ[CONFIG]), os.environ)
    refusals = Refusals()
    return Front(wsgi.create(settings, refusals), settings.web, refusals)
