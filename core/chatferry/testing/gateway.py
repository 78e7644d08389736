"""A harness for a CRM that runs by itself: a gateway on loopback passes requests on, or gives trouble.

The CRM may be real, in a container, or elsewhere. Point the connector at the gateway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

import requests
from flask import Flask, Response, request
from werkzeug.http import is_hop_by_hop_header

from chatferry.emulators.server import Server
from chatferry.testing.harness import Harness
from chatferry.testing.network_trouble import NETWORK, NetworkTrouble
from chatferry.testing.trouble import Trouble

_TIMEOUT: Final = 60.0
"""Seconds that the CRM itself may take for an answer."""
_REQUEST: Final = ("host", "content-length", "accept-encoding")
_ANSWER: Final = ("content-length", "content-encoding")
"""Headers of a request and of an answer that the gateway's own take the place of."""
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class GatewayHarness(Harness):
    """Stands before the CRM at ``upstream``; let ``settings`` name ``self.url`` in its place.

    It gives every trouble that :attr:`~chatferry.testing.Capability.NETWORK` needs. Others are the CRM's own:
    a subclass that can switch them on overrides ``misbehave`` and ``behave`` and calls these for the rest.

    :ivar upstream: the address of the CRM, such as ``http://127.0.0.1:8069/base``; in the class body, or set
        before this class's ``__init__`` is called.
    """

    upstream: str
    built_in = NETWORK

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._session = requests.Session()
        self._session.trust_env = False
        application = gateway(self.upstream, self._session)
        self._trouble = NetworkTrouble(application.wsgi_app)
        application.wsgi_app = self._trouble  # type: ignore[method-assign, assignment]
        self._server = Server(application).start()

    @property
    def url(self) -> str:
        """Where the gateway listens, without a slash at the end."""
        return self._server.url

    def misbehave(self, trouble: Trouble, *, times: int | None = None, key: str | None = None) -> None:
        """Give the trouble to requests; with a key, to those whose path or body contains it."""
        if trouble not in NETWORK:
            raise NotImplementedError(f"{trouble.name} is no trouble of a network: switch it on in the CRM")
        self._trouble.begin(trouble, times=times, key=key)

    def behave(self) -> None:
        """Pass every request on, and release those that wait."""
        self._trouble.end()

    def close(self) -> None:
        """Stop the gateway."""
        self._trouble.end()
        self._server.stop()
        self._session.close()


def gateway(upstream: str, session: requests.Session) -> Flask:
    """Return an application that passes requests on as they are, and answers back.

    Redirects are not followed; a ``Location`` at the upstream becomes one at the gateway. Other addresses in
    answers stay what they are.
    """
    base = upstream.rstrip("/")
    app = Flask(__name__, static_folder=None)

    @app.route("/", defaults={"path": ""}, methods=_METHODS)
    @app.route("/<path:path>", methods=_METHODS)
    def forward(path: str) -> Response:  # noqa: ARG001  (the raw one is passed on)
        found = session.request(
            request.method,
            base + str(request.environ["RAW_URI"]),
            data=request.get_data(),
            headers=dict(_passed(request.headers.items(), without=_REQUEST)),
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
        answer = Response(found.content, status=found.status_code)
        del answer.headers["Content-Type"]
        for name, value in _passed(found.raw.headers.items(), without=_ANSWER):
            here = value.replace(base, request.host_url.rstrip("/"), 1) if name == "Location" else value
            answer.headers.add(name, here)
        return answer

    return app


def _passed(headers: Iterable[tuple[str, str]], *, without: Collection[str]) -> Iterator[tuple[str, str]]:
    """Return the headers that a gateway passes on."""
    for name, value in headers:
        if not is_hop_by_hop_header(name) and name.lower() not in without:
            yield name, value
