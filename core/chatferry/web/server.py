"""The production server: granian, about twice as fast as waitress or gunicorn."""

from __future__ import annotations

import multiprocessing
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chatferry.errors import SettingsError
from chatferry.settings.model import WebSettings

if TYPE_CHECKING:
    from granian.server.mp import MPServer

CONFIG: Final = "CHATFERRY_CONFIG"
"""The environment variable that names the configuration file to the web process."""


def make_server(config: Path, settings: WebSettings) -> MPServer:
    """Return a server whose ``serve()`` answers until SIGINT or SIGTERM, in a process of its own.

    :raises SettingsError: if it cannot listen on the address.
    """
    port = _free_port(settings)
    from granian.constants import Interfaces  # noqa: PLC0415  (only ``serve`` needs it, and it is large)
    from granian.server.mp import MPServer  # noqa: PLC0415  (the same)

    os.environ[CONFIG] = str(config.absolute())
    # glibc keeps a memory arena for every few threads by default.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # A forked process would inherit the runner's locks and connections in whatever state they are.
    multiprocessing.set_start_method("spawn", force=True)
    return MPServer(
        "chatferry.web.wsgi:create",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=port,
        workers=1,
        blocking_threads=settings.threads,
        backlog=2048,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=15,
    )


def url(server: MPServer) -> str:
    """Return where a server listens."""
    host = f"[{server.bind_addr}]" if ":" in server.bind_addr else server.bind_addr
    return f"http://{host}:{server.bind_port}"


def _free_port(settings: WebSettings) -> int:
    """Return the port to listen on, a free one for 0.

    Granian sets SO_REUSEPORT, with which a second server would start unnoticed: hence the probe.
    """
    try:
        (family, kind, _, _, address), *_ = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
            port: int = probe.getsockname()[1]
            return port
    except OSError as error:
        where, reason = f"{settings.host}:{settings.port}", error.strerror
        raise SettingsError(f"web: cannot listen on {where} ({reason}); is another server running?") from None
