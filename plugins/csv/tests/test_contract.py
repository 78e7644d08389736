"""The CSV connector passes the contract, with every capability files on a disk can have."""

from __future__ import annotations

import csv
import hashlib
import resource
from datetime import UTC, datetime
from pathlib import Path

from chatferry.testing import Capability, ConnectorContract, Harness, Held, Shape, Trouble
from chatferry_csv import CsvConnector


class CsvHarness(Harness):
    """Two files in a directory of their own, read with the csv module alone."""

    connector = CsvConnector
    capabilities = frozenset(
        {
            Capability.INSTALLED,
            Capability.CONTACTS,
            Capability.CONVERSATIONS,
            Capability.LINKS,
            Capability.BATCH,
            Capability.UPDATE,
            Capability.UPDATE_ONLY,
            Capability.CLEAR,
            Capability.FILL_IF_EMPTY,
            Capability.CREATE_ONLY,
            Capability.ERASE,
            Capability.FILES,
            Capability.DELETED,
            Capability.KEY_FIELD,
            Capability.UNKNOWN_FIELDS,
        }
    )
    contact = Shape(
        name="contact",
        text="name",
        other="company",
        email="email",
        samples={"score": -12.5, "optin": True, "since": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)},
        key="contact_key",
    )
    conversation = Shape(
        name="conversation",
        text="subject",
        other="origin",
        long="transcript",
        samples={"count": 3},
        key="key",
    )
    troubles = (Trouble.DISK_FULL,)

    def settings(self):
        return {"directory": "leads"}

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.files = directory / "leads"
        self.files.mkdir()
        self.read = {}
        self.limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def held(self, name):
        path = self._path(name)
        if not path.exists():
            return []
        found = path.stat()
        now = (found.st_ino, found.st_size, found.st_ctime_ns)
        if self.read.get(name, (0,))[0] != now:  # one case asks for each of 500 leads
            self.read[name] = (now, [_held(name, row) for row in self._rows(name)])
        return self.read[name][1]

    def held_as(self, name, field, value):  # noqa: ARG002  (the harness's signature)
        if isinstance(value, str):
            text = value.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            text = text.replace("\ufffd\ufffd\ufffd", "\ufffd")
            return f"'{text}" if text.startswith(("=", "@", "\t")) else text
        if isinstance(value, bool):
            return str(value).lower()
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)

    def misbehave(self, trouble, *, times=None, key=None):  # noqa: ARG002  (the harness's signature)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, self.limits[1]))

    def behave(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.limits)

    def delete(self, name, key):
        rows = self._rows(name)
        with self._path(name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(row for row in rows if next(iter(row.values())) != key)

    def close(self):
        self.behave()

    def _path(self, name: str) -> Path:
        return self.files / f"{name}s.csv"

    def _rows(self, name: str) -> list[dict[str, str]]:
        if not self._path(name).exists():
            return []
        csv.field_size_limit(10**9)
        with self._path(name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, strict=True))


def _held(name: str, row: dict[str, str]) -> Held:
    if name == "contact":
        key = row.pop("contact_key")
        return Held(key=key, id=_digest(key), fields=row)
    key, contact = row.pop("key"), row.pop("contact_key")
    return Held(key=key, id=key, fields=row, contact=_digest(contact))


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


class TestCsvContract(ConnectorContract):
    harness = CsvHarness
