"""The harness of the sample CRM: every capability a CRM behind a network can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatferry.model import Value
from chatferry.settings.secrets import Secret
from chatferry.testing.capability import Capability
from chatferry.testing.harness import Harness
from chatferry.testing.sample.connector import SampleConnector
from chatferry.testing.sample.crm import KEY_FIELD, LIMITS, RETRY_AFTER, SampleCrm
from chatferry.testing.shape import Held, Picklist, Shape
from chatferry.testing.trouble import Trouble


class SampleHarness(Harness):
    """Reads the tables of a :class:`SampleCrm` directly."""

    connector = SampleConnector
    capabilities = frozenset(Capability) - {Capability.INSTALLED}
    contact = Shape(
        name="contact",
        text="Name",
        other="Notes",
        email="Email",
        samples={"Score": 7, "Rate": 0.5, "Optin": True, "Since": datetime(2026, 11, 2, 9, 30, tzinfo=UTC)},
        required="Company",
        picklist=Picklist(field="Stage", good="known", bad="nonsense"),
        limits=LIMITS["contact"],
        key=KEY_FIELD,
    )
    conversation = Shape(
        name="conversation",
        text="Subject",
        other="Channel",
        long="Transcript",
        limits=LIMITS["conversation"],
        key=KEY_FIELD,
    )
    troubles = frozenset(Trouble)
    secrets = ("sk-sample-1d2c3b4a", "sample-token-")
    retry_after = float(RETRY_AFTER)

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.crm = SampleCrm(self.secrets[0])

    def settings(self) -> Mapping[str, Any]:
        """Return the CRM itself, its API key, and a short time-out."""
        return {
            "crm": self.crm,
            "api_key": Secret(self.secrets[0], "env:SAMPLE_API_KEY"),
            "timeout": 0.05,
        }

    def held(self, name: str) -> Sequence[Held]:
        """Return the table's rows."""
        return [
            Held(key=row.key, id=row.id, fields=dict(row.fields), contact=row.contact)
            for row in self.crm.tables[name].values()
            if not row.archived
        ]

    def held_as(self, name: str, field: str, value: Value) -> Value:  # noqa: ARG002  (the same for every field)
        """Return a date as text: the CRM has no date type."""
        return value.isoformat() if isinstance(value, datetime) else value

    def misbehave(self, trouble: Trouble, *, times: int | None = None, key: str | None = None) -> None:
        """Switch the trouble on."""
        self.crm.switch_on(trouble, times, key)

    def behave(self) -> None:
        """Switch every trouble off."""
        self.crm.switch_off()

    def delete(self, name: str, key: str) -> None:
        """Take the row out of the table."""
        row = self.crm.find(name, key)
        assert row  # noqa: S101  (the contract deletes what it delivered)
        del self.crm.tables[name][row.id]

    def archive(self, name: str, key: str) -> None:
        """Put the row into the archive."""
        row = self.crm.find(name, key)
        assert row  # noqa: S101  (the contract archives what it delivered)
        row.archived = True

    def merge(self, name: str, key: str, into: str) -> None:
        """Remove the row and record the row it was merged into."""
        winner = self.crm.find(name, into)
        assert winner  # noqa: S101  (the contract merges what it delivered)
        self.delete(name, key)
        self.crm.merged[key] = winner.id

    def convert(self, name: str, key: str) -> None:
        """Make the row read-only."""
        row = self.crm.find(name, key)
        assert row  # noqa: S101  (the contract converts what it delivered)
        row.read_only = True
