"""What a new user types, from the README's first command to a plugin of their own, in a new environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from documentation_blocks import ROOT, blocks
from private_values import HUBSPOT_TOKEN, IADVIZE_PASSWORD, IADVIZE_USER, WEBHOOK_SECRET, refuse_private

from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, create_app

EMULATOR = pytest.importorskip("chatferry_hubspot.emulator", reason="its plugin is installed").EMULATOR
SECRETS = {
    "IADVIZE_SECRET": WEBHOOK_SECRET,
    "IADVIZE_USER": IADVIZE_USER,
    "IADVIZE_PASSWORD": IADVIZE_PASSWORD,
    "HUBSPOT_TOKEN": HUBSPOT_TOKEN,
}


def readme(language: str, word: str) -> str:
    """Return the only block of the README with a word in it."""
    (found,) = [block for block in blocks(language) if block.page == "README.md" and word in block.text]
    return found.text


def files_of(page: str) -> dict[str, str]:
    """Return the files of a tutorial that say what they are called in their first line."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return dict(re.findall(r"```\w+\n# (\w+\.(?:py|toml))\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


class Newcomer:
    """A person with a checkout, and what iAdvize and HubSpot give them."""

    def __init__(self, folder: Path) -> None:
        left_out = shutil.ignore_patterns(".*", "*.egg-info", "build", "__pycache__")
        self.checkout = Path(shutil.copytree(ROOT, folder / "checkout", ignore=left_out))
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHATFERRY_")},
            "PATH": f"{self.checkout}/.venv/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def types(self, commands: str, folder: Path | None = None) -> str:
        """Run commands, one after the other, until one fails."""
        for name, value in SECRETS.items():
            commands = re.sub(rf"\b{name}=\.\.\.", f"{name}={value}", commands)
        ran = subprocess.run(
            ["sh", "-ec", commands],
            cwd=folder or self.checkout,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        refuse_private(ran.stderr)
        return ran.stdout


@pytest.fixture
def newcomer(tmp_path):
    return Newcomer(tmp_path)


def test_the_first_hour(newcomer):
    shown = newcomer.types(readme("sh", "chatferry demo"))
    assert "200 of 200 conversations arrived" in shown
    assert "Every lead is right." in shown
    hubspot = Server(EMULATOR.create(faults=EMULATOR.board()))
    with IAdvizeWorld(conversations=1) as world, Server(create_app(world)) as iadvize, hubspot:
        sets_up(newcomer, iadvize.url)
        adds_hubspot(newcomer, hubspot.url)
    writes_plugins(newcomer)


def sets_up(newcomer: Newcomer, iadvize: str) -> None:
    *commands, serve = readme("sh", "chatferry init").splitlines()
    config = newcomer.checkout / "chatferry.toml"
    remote = '# api_url = "https://api.iadvize.com"'
    emulated = f"sed -i 's|{remote}|api_url = \"{iadvize}\"|' chatferry.toml"
    newcomer.types("\n".join([commands[0], emulated, *commands[1:]]))
    port = "CHATFERRY_WEB__PORT=0"
    assert remote not in config.read_text()
    newcomer.types(
        f"export {' '.join(f'{name}=...' for name in SECRETS)} {port}\n"
        f"{serve.partition('#')[0]} > serve.log 2>&1 & "
        "for _ in $(seq 600); do grep -q serving serve.log && break; sleep 0.1; done\n"
        "grep -q serving serve.log\nkill %1 || kill $!\nwait"
    )
    refuse_private((newcomer.checkout / "serve.log").read_text())


def adds_hubspot(newcomer: Newcomer, hubspot: str) -> None:
    newcomer.types(readme("sh", "plugins/hubspot"))
    destination = readme("toml", 'connector = "hubspot"').replace(
        "[destinations.sales.settings]", f'[destinations.sales.settings]\nbase_url = "{hubspot}"'
    )
    with (newcomer.checkout / "chatferry.toml").open("a") as config:
        config.write(destination)
    newcomer.types(
        "export IADVIZE_SECRET=... IADVIZE_USER=... IADVIZE_PASSWORD=...\n" + readme("sh", "provision")
    )
    token = {"Authorization": f"Bearer {SECRETS['HUBSPOT_TOKEN']}"}
    properties = requests.get(f"{hubspot}/crm/properties/2026-09/contacts", headers=token, timeout=10).json()
    assert "vehicle" in {one["name"] for one in properties["results"]}


def writes_plugins(newcomer: Newcomer) -> None:
    for page, name in (("docs/write-a-connector.md", "rolodex"), ("docs/write-a-strategy.md", "plates")):
        folder = newcomer.checkout.parent / name
        folder.mkdir()
        for file, text in files_of(page).items():
            (folder / file).write_text(text, encoding="utf-8")
        (commands,) = [block.text for block in blocks("sh") if block.page == page]
        assert name in newcomer.types(commands, folder)
    listed = json.loads(newcomer.types("chatferry plugins --output json"))
    assert {one["name"]: one["state"] for one in listed}.items() >= {
        "rolodex": "ok",
        "plates": "ok",
        "hubspot": "ok",
        "csv": "ok",
    }.items()
