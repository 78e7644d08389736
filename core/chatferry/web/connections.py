"""How many connections may be open at the same time, and the files that takes."""

from __future__ import annotations

import resource
from typing import Final

CONNECTIONS: Final = 4096
"""Open at the same time; as many again wait in the system's queue, if ``net.core.somaxconn`` lets them."""
_SPARE_FILES: Final = 256
"""What a web process opens beside connections."""


def allowed_connections() -> int:
    """Return how many connections may be open here: no more than there may be files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if hard == resource.RLIM_INFINITY else max(1, min(CONNECTIONS, hard - _SPARE_FILES))


def allow_files() -> None:
    """Let this process open a file for each connection, where the system left it fewer than it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = allowed_connections() + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
