"""The command line in this process, plugins that are laid down for a test, and an emulated iAdvize."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from private_values import IADVIZE_PASSWORD, IADVIZE_USER

from chatferry.cli.app import run as run_command_line
from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, Logins, create_app

SECRETS = {
    "IADVIZE_SECRET": "hush",
    "IADVIZE_USER": IADVIZE_USER,
    "IADVIZE_PASSWORD": IADVIZE_PASSWORD,
}

PAPER = """
    import time

    from marshmallow import fields

    from chatferry import Connector, Finding, Level, SecretField, hookimpl

    class Settings(Connector.Settings):
        pen = fields.String(load_default="blue", metadata={"description": "its colour"})
        desk = fields.Integer(required=True, metadata={"example": 4})
        lock = SecretField(required=True)
        mood = fields.String()

    class Paper(Connector):
        name = "paper"
        Settings = Settings
        mapping = {
            "contact": {"Mail": "email"},
            "conversation": {"Budget": "answers.Q1", "All": "transcript"},
        }

        def __init__(self, settings, context):
            super().__init__(settings, context)
            if settings["pen"] == "stuck":
                self.timeout = 0.3

        def deliver(self, leads):
            raise AssertionError("nothing is delivered here")

        def check(self):
            if self.settings["pen"] == "broken":
                raise RuntimeError("a person's name")
            if self.settings["pen"] == "stuck":
                time.sleep(2)
            self.context.memory.get("token")
            if self.settings["pen"] == "rotating":
                self.context.memory.put("token", "new")
            return [Finding(level=Level.OK, subject="desk", message="is tidy")]

    @hookimpl
    def register_connectors():
        return [Paper]
"""


@dataclass
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """What it printed, in a line, without the lines of tables, which fold long words."""
        return " ".join(self.out.replace("│", " ").split())


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be as wide as in a pipe, however wide the terminal is from which pytest shares its work out."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """Forget how a command set up logging: its stderr is closed after the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], folder: Path) -> Callable[..., Ran]:
    """Run the command line with the configuration of the folder: ``run("check", "--offline")``."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_command_line(["--config", str(folder / "chatferry.toml"), *arguments])
        printed = capsys.readouterr()
        return Ran(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a configuration; the environment has its secrets."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    made = tmp_path / "work"
    made.mkdir()
    return made


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Lay down a plugin as pip would: ``install("paper", code)``."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    names = []

    def install(name: str, code: str) -> None:
        module = f"chatferry_{name}_for_tests"
        names.append(module)
        (site / f"{module}.py").write_text(textwrap.dedent(code))
        info = site / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\nRequires-Dist: chatferry\n"
        )
        (info / "entry_points.txt").write_text(f"[chatferry]\n{name} = {module}\n")

    yield install
    for module in names:
        sys.modules.pop(module, None)


@pytest.fixture
def paper(install: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin with a connector that is called ``paper``."""
    install("paper", PAPER)
    monkeypatch.setenv("PAPER_LOCK", "123")


@pytest.fixture(scope="session")
def world() -> Iterator[IAdvizeWorld]:
    """Twenty conversations that closed long ago, one of each plot."""
    with IAdvizeWorld(conversations=20, logins=Logins(per_user=1000)) as made:
        yield made


@pytest.fixture(scope="session")
def iadvize(world: IAdvizeWorld) -> Iterator[str]:
    """The URL of an emulated iAdvize."""
    with Server(create_app(world)) as server:
        yield server.url


@pytest.fixture
def configure(
    folder: Path,
    iadvize: str,
    paper: None,  # noqa: ARG001  (it must be there)
) -> Callable[..., Path]:
    """Write a configuration with one destination, ``sheet``: ``configure(pen="red")``."""

    def configure(rules: str = "", fields: str = "", **settings: str) -> Path:
        said = {"desk": 1, "lock": "env:PAPER_LOCK"} | settings
        path = folder / "chatferry.toml"
        lines = [
            "[iadvize]",
            'secrets = ["env:IADVIZE_SECRET"]',
            "[[iadvize.clients]]",
            'platform = "ha"',
            "client_id = 335",
            'username = "env:IADVIZE_USER"',
            'password = "env:IADVIZE_PASSWORD"',
            f'api_url = "{iadvize}"',
            "[destinations.sheet]",
            'connector = "paper"',
            rules,
            "[destinations.sheet.settings]",
            *(f"{name} = {json.dumps(value)}" for name, value in said.items()),
            fields,
        ]
        path.write_text("\n".join(lines))
        return path

    return configure
