"""The production server: granian, with the front of :mod:`chatferry.web.front` inside.

HTTP/1 only: one HTTP/2 connection could start any number of requests.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chatferry.errors import SettingsError
from chatferry.settings.model import WebSettings
from chatferry.web.connections import CONNECTIONS, allowed_connections

if TYPE_CHECKING:
    from granian.server.mp import MPServer

CONFIG: Final = "CHATFERRY_CONFIG"
"""The environment variable that names the configuration file to the web process."""


_HEADER_TIMEOUT: Final = 15_000
"""Milliseconds a request's head may take, and a connection may be idle."""
_HEADER_BYTES: Final = 32_768


def make_server(config: Path, settings: WebSettings, serving: Callable[[], None] = lambda: None) -> MPServer:
    """Return a server whose ``serve()`` answers until SIGINT or SIGTERM, in a process of its own.

    :param serving: called once it accepts connections.
    :raises SettingsError: if it cannot listen on the address.
    """
    port = _free_port(settings)
    # Only ``serve`` needs these, and they are large.
    from granian.constants import HTTPModes, Interfaces, Loops  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415

    from chatferry.web.supervised import SupervisedServer  # noqa: PLC0415

    os.environ[CONFIG] = str(config.absolute())
    # glibc keeps a memory arena for every few threads by default.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # A forked process would inherit the runner's locks and connections in whatever state they are.
    multiprocessing.set_start_method("spawn", force=True)
    return SupervisedServer(
        serving=serving,
        target="chatferry.web.asgi:create",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=port,
        workers=1,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_TIMEOUT, max_buffer_size=_HEADER_BYTES),
        backlog=CONNECTIONS,
        backpressure=allowed_connections(),
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
