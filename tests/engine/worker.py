"""One of several processes on one ledger: reads and delivers, and writes down each lead it was given."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from chatferry import Connector, Receipt, hookimpl
from chatferry.assembly import assemble
from chatferry.ledger import Ledger
from chatferry.plugins import Plugins
from chatferry.runners.local import LocalRunner
from chatferry.settings.model import (
    ClientSettings,
    DestinationSettings,
    IAdvizeSettings,
    ReconcileSettings,
    Settings,
)
from chatferry.settings.secrets import resolve


def main(database: str, url: str, book: str, stop: str) -> None:
    class Scribe(Connector):
        name = "scribe"
        batch_size = 7

        def deliver(self, leads):
            with Path(book).open("a", encoding="utf-8") as file:
                # One line a write: processes that append at once do not mix.
                for lead in leads:
                    os.write(file.fileno(), f"{lead.key}\n".encode())
            return [Receipt()] * len(leads)

        def check(self):
            return []

    client = ClientSettings(
        platform="ha",
        client_id=335,
        username=resolve("env:IADVIZE_USER"),
        password=resolve("env:IADVIZE_PASSWORD"),
        api_url=url,
        batch_size=5,
    )
    settings = Settings(
        directory=Path(book).parent,
        iadvize=IAdvizeSettings(secrets=(resolve("env:IADVIZE_SECRET"),), clients=(client,)),
        reconcile=ReconcileSettings(at_start=False, every=0),
        destinations={"crm": DestinationSettings(name="crm", connector="scribe", linger=0.0)},
    )
    plugin = SimpleNamespace(__name__="scribes", register_connectors=hookimpl(lambda: [Scribe]))
    engine = assemble(settings, Ledger.open(database), Plugins.load(extra=[plugin]))
    with LocalRunner(engine):
        while not Path(stop).exists():
            time.sleep(0.05)
    engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
