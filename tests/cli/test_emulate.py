"""``chatferry emulate``: stand-ins that run until interrupted."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import pytest
import requests

PLATFORM = """
    import click
    from flask import Flask

    from chatferry import hookimpl
    from chatferry.emulators import Emulator

    def create(faults, latency, colour):
        app = Flask("platform")
        app.get("/")(lambda: f"{colour} {latency:g} {[fault.name for fault in faults.on]}")
        return app

    @hookimpl
    def register_emulators():
        option = click.Option(["--colour"], default="blue", help="Which.")
        return [Emulator(name="platform", summary="A platform.", create=create, options=[option],
                         faults={"late": "It is late."}, hints=["open {url}/"])]
"""


def test_emulators_are_listed(run, install):
    install("platform", PLATFORM)
    ran = run("emulate")
    assert ran.code == 0
    assert "iadvize" in ran.out
    assert "A platform." in ran.out


def test_an_emulator_has_its_own_options_and_lists_its_faults(run, install):
    install("platform", PLATFORM)
    ran = run("emulate", "platform", "--help")
    assert "--colour" in ran.out
    assert "It is late." in ran.out


def test_an_unknown_emulator_names_the_nearest(run):
    ran = run("emulate", "iadvice")
    assert ran.code == 2
    assert 'did you mean "iadvize"?' in ran.err


def test_an_unknown_fault_names_the_nearest(run):
    ran = run("emulate", "iadvize", "--fault", "late-dat")
    assert ran.code == 2
    assert "did you mean late-data?" in ran.err


def test_a_latency_that_is_none_is_refused(run):
    ran = run("emulate", "iadvize", "--latency", "soon")
    assert ran.code == 2
    assert "not a duration" in ran.err


def test_a_port_in_use_is_said_in_a_sentence(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        ran = run("emulate", "iadvize", "--port", str(other.getsockname()[1]))
    assert ran.code == 2
    assert "choose another --port" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(install, tmp_path, number):
    install("platform", PLATFORM)
    command = [*(sys.executable, "-m", "chatferry", "emulate", "platform"), "--colour", "red"]
    with subprocess.Popen(
        [*command, "--latency", "80ms", "--fault", "late"],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(tmp_path / "site"), "PYTHONUNBUFFERED": "1"},
        cwd=tmp_path,
    ) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        url = re.search(r"http://\S+", lines[0])[0]
        assert requests.get(url).text == "red 0.08 ['late']"
        process.send_signal(number)
        assert process.wait(20) == 0
    assert lines[1].strip() == f"open {url}/"
    assert lines[2] == "It misbehaves: late.\n"


def test_the_emulated_iadvize_is_what_its_options_say():
    command = [*(sys.executable, "-m", "chatferry", "emulate", "iadvize"), "--conversations", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        assert requests.get(f"{url}/_emulator/state").json()["conversations"] == 3
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
