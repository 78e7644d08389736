"""What the log says of a server's life: when it serves, when its web process was replaced, when it stops."""

from __future__ import annotations

import os
import signal

import requests
from web_process import Web, event, head, web_server


def test_when_the_log_says_serving_the_port_accepts(tmp_path):
    web = Web(tmp_path)
    try:
        web.until(lambda: web.lines("serving"))
        assert requests.get(f"{web.url}/livez", timeout=60).status_code == 200
    finally:
        web.close()


def test_a_web_process_that_was_killed_is_replaced_which_is_in_the_log(tmp_path):
    with web_server(tmp_path) as web:
        os.kill(web.web_process(), signal.SIGKILL)
        web.until(lambda: web.lines("web process replaced"))
        assert "exit_code=-9" in web.lines("web process replaced")[0]
        assert web.post(event()).status_code == 204
        assert len(web.lines("serving")) == 1


def test_stopping_and_stopped_are_in_the_log(tmp_path):
    with web_server(tmp_path) as web:
        assert web.stop() == 0
        said = [line for line in web.log().splitlines() if "stopp" in line]
        assert ["stopping" in said[0], "stopped" in said[1], len(said)] == [True, True, 2]


def test_a_body_that_is_coming_does_not_keep_the_server_from_stopping(tmp_path):
    begun = head("Content-Length: 2000") + b"{"
    with web_server(tmp_path, "body_timeout = 60") as web, web.connect(begun):
        assert web.stop() == 0
