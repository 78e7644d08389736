from __future__ import annotations

import socket
from pathlib import Path

import pytest

from chatferry.errors import SettingsError
from chatferry.settings.model import WebSettings
from chatferry.web.server import make_server


def test_a_port_that_is_taken_is_an_error_and_names_it():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"127\.0\.0\.1:{port} cannot be listened at"):
            make_server(Path("chatferry.toml"), WebSettings(port=port))


def test_a_host_that_is_not_ours_is_an_error():
    with pytest.raises(SettingsError, match="cannot be listened at"):
        make_server(Path("chatferry.toml"), WebSettings(host="192.0.2.1"))
