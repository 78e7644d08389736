"""The CSV connector: maps the calls of the engine to changes of a store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from chatferry import (
    Connector,
    Context,
    DeliveryError,
    FieldMode,
    Finding,
    Lead,
    Outcome,
    PermanentFailure,
    Receipt,
    TemporaryFailure,
)
from chatferry_csv.examine import examine
from chatferry_csv.problems import explained
from chatferry_csv.publisher import Publisher
from chatferry_csv.records import (
    CONTACT,
    CONVERSATION,
    OWN_COLUMNS,
    Change,
    changes_of,
    digest,
    fields_of,
    lost_characters,
)
from chatferry_csv.settings import CsvSettings
from chatferry_csv.store import LINGER, Store, Table
from chatferry_csv.text import Format

if TYPE_CHECKING:
    from chatferry.emulators.stage import Stage

_log = logging.getLogger(__name__)


_EARLIER: Final = "earlier contacts"
"""The id in a receipt for the contact rows of the time before the visitor's e-mail was known."""


class CsvConnector(Connector):
    """Writes contacts and conversations into two CSV files, one row a key.

    A receipt's ``conversation`` id is the conversation's key; its ``contact`` id is a digest of the
    contact's, which may be an address.
    """

    name: ClassVar[str] = "csv"
    batch_size: ClassVar[int] = 500
    timeout: ClassVar[float] = 600.0
    Settings = CsvSettings
    mapping: ClassVar[Mapping[str, Mapping[str, str]]] = {
        CONTACT: {
            "email": "email",
            "first_name": "visitor.first_name",
            "last_name": "visitor.last_name",
            "phone": "visitor.phone or answers.phone",
            "city": "visitor.city",
            "country": "visitor.country",
            "visitor_id": "visitor.id",
        },
        CONVERSATION: {
            "email": "email",
            "channel": "conversation.channel",
            "language": "conversation.language",
            "project": "conversation.project_name or conversation.project_id",
            "created_at": "conversation.created_at",
            "closed_at": "conversation.closed_at",
            "answered": "conversation.answered",
            "satisfaction": "conversation.satisfaction.csat",
            "Q1": "answers.Q1",
            "Q2": "answers.Q2",
            "Q3": "answers.Q3",
            "Q4": "answers.Q4",
            "Q5": "answers.Q5",
            "transcript": "transcript",
        },
    }
    modes: ClassVar[frozenset[FieldMode]] = frozenset(FieldMode)
    update_only: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        """Open nothing; only publish changes that an earlier run left unpublished."""
        super().__init__(settings, context)
        chosen = CsvSettings().load(dict(settings))
        self._directory = (context.directory / chosen["directory"]).absolute()
        self._form = Format(
            **{name: chosen[name] for name in ("delimiter", "encoding", "formulas", "line_breaks")}
        )
        tables = [
            Table(
                kind=kind,
                name=chosen[f"{kind}s"],
                columns=tuple(chosen[f"{kind}_columns"]),
                usual=tuple(self.mapping[kind]),
            )
            for kind in OWN_COLUMNS
        ]
        self._store = Store(
            self._directory, context.destination, self._form, tables, mode=int(chosen["mode"], 8)
        )
        self._urls = {kind: self._store.path(kind).as_uri() for kind in OWN_COLUMNS}
        self._columns: dict[str, set[str]] = {kind: set() for kind in OWN_COLUMNS}
        self._lock = threading.Lock()
        self._publisher = Publisher(f"csv {context.destination}", self._publish, LINGER)
        if self._store.exists:
            self._publisher.notify()

    def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Write the leads; every receipt stands for rows that are on the disk."""
        refused = {place: why for place, lead in enumerate(leads) if (why := self._refusal(lead))}
        taken = [lead for place, lead in enumerate(leads) if place not in refused]
        changes = [changes_of(lead, self._form) for lead in taken]
        by_file = {kind: [one[kind] for one in changes if kind in one] for kind in OWN_COLUMNS}
        with self._lock, explained(self._directory):
            created = self._store.write({kind: some for kind, some in by_file.items() if some})
            notes = (*self._store.notes, *filter(None, [self._publisher.trouble]))
            self._store.notes.clear()
        if self._store.has_unpublished:
            self._publisher.notify()
        receipts = iter(
            [self._receipt(lead, one, created, notes) for lead, one in zip(taken, changes, strict=True)]
        )
        return [refused.get(place) or next(receipts) for place in range(len(leads))]

    def check(self) -> Sequence[Finding]:
        """Check the directory, its free space and the existing files; write nothing."""
        return examine(self._store, self._publisher.trouble)

    def erase(self, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
        """Remove the rows, from the files and from the index."""
        digests = {
            CONTACT: [_contact_digest(found) for r in receipts for found in _contacts(r)],
            CONVERSATION: [
                digest(self._form.writable(found)) for r in receipts if (found := r.ids.get(CONVERSATION))
            ],
        }
        with self._lock, explained(self._directory):
            self._store.erase({kind: some for kind, some in digests.items() if some})
        return list(receipts)

    @classmethod
    def stage(cls, directory: Path) -> AbstractContextManager[Stage]:
        """Offer ``chatferry demo`` the files of a directory."""
        from chatferry_csv.demo import stage  # noqa: PLC0415  (only the demonstration needs it)

        return stage(directory)

    def close(self) -> None:
        """Publish all changes and close the files; the next start publishes what cannot be published now."""
        self._publisher.stop()
        with self._lock:
            try:
                with explained(self._directory):
                    self._store.publish_all()
            except TemporaryFailure as error:
                _log.warning("changed rows are published at the next start: %s", error.message)
            finally:
                self._store.close()

    def _publish(self) -> float | None:
        with explained(self._directory):
            return self._store.publish_due()

    def _refusal(self, lead: Lead) -> DeliveryError | None:
        """Return why a lead can never be written as it is mapped."""
        for kind, record in lead.records.items():
            own = OWN_COLUMNS.get(kind)
            if own is None:
                return PermanentFailure(
                    f"there is no object {kind!r} in CSV files; map {' and '.join(OWN_COLUMNS)}"
                )
            for name in fields_of(record).keys() - self._columns[kind]:
                if not name or name in own or name != self._form.writable(name):
                    return PermanentFailure(
                        f"the {kind} field {name!a} cannot be a column: "
                        + ("it is chatferry's own" if name in own else f"it is not {self._form.encoding}")
                        + "; give it another name in the mapping"
                    )
                self._columns[kind].add(name)
        return None

    def _receipt(
        self,
        lead: Lead,
        changes: Mapping[str, Change],
        created: Mapping[str, set[bytes]],
        notes: tuple[str, ...],
    ) -> Receipt:
        main = CONVERSATION if CONVERSATION in changes else CONTACT
        ids = {kind: lead.key if kind == CONVERSATION else one.digest.hex() for kind, one in changes.items()}
        if earlier := [one for one in _contacts(lead.receipt) if one != ids.get(CONTACT)]:
            ids[_EARLIER] = " ".join(earlier)
        return Receipt(
            ids=ids,
            url=self._urls[main],
            created=main in changes and changes[main].digest in created[main],
            notes=notes if self._form.unicode else (*notes, *lost_characters(changes.values(), self._form)),
        )


def _contacts(receipt: Receipt | None) -> list[str]:
    """Return the digests of every row of contacts that a conversation ever had, the present one first."""
    ids = receipt.ids if receipt else {}
    return list(dict.fromkeys([*ids.get(CONTACT, "").split(), *ids.get(_EARLIER, "").split()]))


def _contact_digest(found: str) -> bytes:
    """Return the digest that a receipt holds; empty, which matches no row, if it is not hexadecimal."""
    try:
        return bytes.fromhex(found)
    except ValueError:
        return b""
