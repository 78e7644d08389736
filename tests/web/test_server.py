from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from chatferry.errors import SettingsError
from chatferry.settings.model import WebSettings
from chatferry.web.server import make_server, url


def test_a_port_that_is_taken_is_an_error_and_names_it():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
            make_server(Path("chatferry.toml"), WebSettings(port=port))


def test_a_host_that_is_not_ours_is_an_error():
    with pytest.raises(SettingsError, match="cannot listen on"):
        make_server(Path("chatferry.toml"), WebSettings(host="192.0.2.1"))


def test_where_it_listens_can_be_read_even_if_any_port_will_do():
    script = (
        "from pathlib import Path; from chatferry.settings.model import WebSettings;"
        " from chatferry.web.server import make_server, url;"
        " print(url(make_server(Path('chatferry.toml'), WebSettings(port=0))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+\n", done.stdout)


def test_an_address_of_ipv6_stands_in_brackets():
    assert url(SimpleNamespace(bind_addr="::1", bind_port=8787)) == "http://[::1]:8787"


@pytest.mark.parametrize(
    ("process", "needless"),
    [
        ("chatferry.cli.app, chatferry.cli.serve, chatferry.web.server", {"alembic", "flask", "rich"}),
        ("chatferry.web.asgi", {"alembic", "gql", "graphql", "jinja2.sandbox", "requests", "rich"}),
    ],
)
def test_no_process_holds_a_large_library_it_does_not_use(process, needless):
    script = f"import sys, {process}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert needless & set(done.stdout.split()) == set()
