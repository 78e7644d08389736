"""A small CRM in memory that answers as real ones do, and misbehaves on request."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NoReturn

from chatferry.testing.trouble import Trouble

LIMITS: Mapping[str, Mapping[str, int]] = {
    "contact": {"Name": 80, "Notes": 255},
    "conversation": {"Subject": 255, "Transcript": 100_000},
}
"""Characters a field takes."""

KEY_FIELD = "External"
"""The field that shows a row's key, and changes it where it is written."""
FIELDS: Mapping[str, frozenset[str]] = {
    "contact": frozenset(
        {"Name", "Notes", "Email", "Score", "Rate", "Optin", "Since", "Company", "Stage", KEY_FIELD}
    ),
    "conversation": frozenset({"Subject", "Channel", "Transcript", KEY_FIELD}),
}
REQUIRED = {"contact": "Company"}
STAGES = ("new", "known")
RETRY_AFTER = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmAnswer:
    """The answer to one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass(slots=True, kw_only=True)
class Row:
    """One stored record."""

    id: str
    key: str
    fields: dict[str, Any] = field(default_factory=dict)
    contact: str | None = None
    read_only: bool = False
    archived: bool = False


@dataclass(slots=True)
class _Fault:
    left: int | None
    key: str | None


class SampleCrm:
    """Two objects, ``contact`` and ``conversation``, written in batches by an external key."""

    def __init__(self, api_key: str) -> None:
        self.api_key = api_key
        self.tables: dict[str, dict[str, Row]] = {"contact": {}, "conversation": {}}
        self.merged: dict[str, str] = {}
        self.faults: dict[Trouble, _Fault] = {}
        self._behaves = threading.Event()
        self._token = ""
        self._ids = count(1)

    # ------------------------------------------------------------------- what clients call

    def login(self, api_key: str) -> CrmAnswer:
        """Give a token for the API key."""
        if api_key != self.api_key or self._strikes(Trouble.CREDENTIALS_REFUSED, again=True):
            return CrmAnswer(
                status=401, text=_json(error="invalid_client", message=f"{api_key} is not known")
            )
        self._token = f"sample-token-{next(self._ids)}"
        return CrmAnswer(text=_json(token=self._token))

    def describe(self, token: str, *, timeout: float | None = None) -> CrmAnswer:
        """Say which objects there are."""
        return self._refusal(token, timeout) or CrmAnswer(text=_json(objects=sorted(self.tables)))

    def upsert(
        self, token: str, name: str, rows: Sequence[Mapping[str, Any]], *, timeout: float | None = None
    ) -> CrmAnswer:
        """Create or update a row per key; each row has its own result.

        :param timeout: seconds the caller waits for an answer, if the CRM is silent before or after storing.
        :raises OSError: if such a fault is switched on.
        """
        if refusal := self._refusal(token, timeout) or self._whole_batch(rows):
            return refusal
        if self._strikes(Trouble.DISK_FULL):
            raise OSError(errno.ENOSPC, "no space left on device")
        results = [{"key": row["key"], **self._write(name, row)} for row in rows]
        if self._strikes(Trouble.TIMEOUT_AFTER, *(row["key"] for row in rows)):
            self._silence(timeout)
        return CrmAnswer(text=_json(results=self._reported(results)))

    def remove(self, token: str, name: str, ids: Sequence[str], *, timeout: float | None = None) -> CrmAnswer:
        """Delete rows; say which were there."""
        if refusal := self._refusal(token, timeout):
            return refusal
        return CrmAnswer(text=_json(removed=[i for i in ids if self.tables[name].pop(i, None)]))

    # --------------------------------------------------------------------- what users do

    def find(self, name: str, key: str) -> Row | None:
        """Return the row of a key."""
        return next((row for row in self.tables[name].values() if row.key == key), None)

    def switch_on(self, trouble: Trouble, times: int | None, key: str | None) -> None:
        """Misbehave from now on."""
        self._behaves.clear()
        self.faults[trouble] = _Fault(times, key)

    def switch_off(self) -> None:
        """Work again; requests that still wait get a reset connection."""
        self.faults.clear()
        self._behaves.set()

    # ------------------------------------------------------------------------- inside

    def _strikes(self, trouble: Trouble, *keys: str, again: bool = False) -> bool:
        fault = self.faults.get(trouble)
        if fault is None or fault.left == 0 or (keys and fault.key is not None and fault.key not in keys):
            return False
        if fault.left is not None and not again:
            fault.left -= 1
        return True

    def _silence(self, timeout: float | None) -> NoReturn:
        raise ConnectionResetError if self._behaves.wait(timeout) else TimeoutError

    def _refusal(self, token: str, timeout: float | None) -> CrmAnswer | None:
        if self._strikes(Trouble.RESET):
            raise ConnectionResetError
        if self._strikes(Trouble.TIMEOUT_BEFORE):
            self._silence(timeout)
        if self._strikes(Trouble.TOKEN_EXPIRED):
            self._token = ""
        if not token or token != self._token or self._strikes(Trouble.CREDENTIALS_REFUSED):
            return CrmAnswer(status=401, text=_json(error="expired", message=f"no session {token}"))
        for trouble, answer in _ANSWERS.items():
            if self._strikes(trouble):
                return answer
        return None

    def _whole_batch(self, rows: Sequence[Mapping[str, Any]]) -> CrmAnswer | None:
        keys = [row["key"] for row in rows]
        if len(set(keys)) < len(keys):
            return CrmAnswer(status=400, text=_json(error="DUPLICATE_KEYS", message="a key is there twice"))
        if self._strikes(Trouble.POISONED, *keys):
            return CrmAnswer(status=400, text=_json(error="BAD_REQUEST", message="something is wrong"))
        try:
            "".join(str(value) for row in rows for value in row["values"].values()).encode()
        except UnicodeEncodeError:
            return CrmAnswer(status=400, text=_json(error="BAD_JSON", message="no valid UTF-8"))
        return None

    def _write(self, name: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        if self._strikes(Trouble.RECORD_REFUSED, sent["key"]):
            return _error("RULE", None, f"a rule of ours refuses {sent['values']}")
        if self._strikes(Trouble.RECORD_BUSY, sent["key"]):
            return _error("LOCKED", None, f"{sent['key']} is being edited")
        if sent["key"] in self.merged and not sent.get("id"):
            return {**_error("MERGED", None, "it was merged"), "into": self.merged[sent["key"]]}
        row = None if sent.get("create") else self.find(name, sent["key"])
        if row and row.archived:
            return {**_error("ARCHIVED", None, "it is in the archive"), "id": row.id}
        if known := sent.get("id") or sent.get("update"):
            row = self.tables[name].get(known)
        if row is None and sent.get("update"):
            return {"id": sent["update"], "created": False}
        problem = self._problem(name, row, sent)
        return problem or self._store(name, row, sent)

    def _problem(self, name: str, row: Row | None, sent: Mapping[str, Any]) -> dict[str, Any] | None:
        if row and row.read_only:
            return _error("CONVERTED", None, f"{sent['key']} is read-only")
        required = REQUIRED.get(name)
        if required and row is None and not sent["values"].get(required):
            return _error("REQUIRED", required, f"{required} is missing in {sent['values']}")
        for field_name in {**sent["create_only"], **sent["fill_if_empty"], **sent["values"]}:
            if field_name not in FIELDS[name]:
                return _error("UNKNOWN_FIELD", field_name, f"there is no field {field_name}")
        for field_name, value in sent["values"].items():
            if len(str(value)) > LIMITS[name].get(field_name, 10**9):
                return _error("TOO_LONG", field_name, f"{field_name} is too long: {value}")
        if sent["values"].get("Stage") not in {None, *STAGES}:
            return _error("PICKLIST", "Stage", f"Stage: {sent['values']['Stage']} is not in the list")
        return None

    def _store(self, name: str, row: Row | None, sent: Mapping[str, Any]) -> dict[str, Any]:
        created = row is None
        if row is None:
            row = Row(id=f"{name[:3]}{next(self._ids)}", key=sent["key"], fields=dict(sent["create_only"]))
            self.tables[name][row.id] = row
        row.fields.update({f: v for f, v in sent["fill_if_empty"].items() if not row.fields.get(f)})
        row.fields.update(sent["values"])
        row.key = row.fields.pop(KEY_FIELD, row.key)
        row.contact = sent.get("contact") or row.contact
        return {"id": row.id, "created": created}

    def _reported(self, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self._strikes(Trouble.RESULTS_SHUFFLED):
            results = results[1:] + results[:1]
        if (fault := self.faults.get(Trouble.RESULT_MISSING)) is not None:
            results = [result for result in results if result["key"] != fault.key]
        if self._strikes(Trouble.RESULT_SURPLUS):
            results = [{"key": "stranger", "id": "con0", "created": True}, *results]
        return results


def _json(**content: Any) -> str:
    return json.dumps(content)


def _error(code: str, field_name: str | None, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "field": field_name, "message": message}}


_ANSWERS: Mapping[Trouble, CrmAnswer] = {
    Trouble.FORBIDDEN: CrmAnswer(status=403, text=_json(error="MISSING_SCOPES", message="contacts.write")),
    Trouble.TOO_FAST: CrmAnswer(
        status=429, headers={"Retry-After": str(RETRY_AFTER)}, text=_json(error="SLOW_DOWN", message="")
    ),
    Trouble.TOO_FAST_UNSAID: CrmAnswer(status=429, text=_json(error="SLOW_DOWN", message="")),
    Trouble.QUOTA_SPENT: CrmAnswer(status=429, text=_json(error="DAILY", message="come back tomorrow")),
    Trouble.SERVER_ERROR: CrmAnswer(status=500, text=_json(error="INTERNAL", message="sorry")),
    Trouble.HTML_ERROR: CrmAnswer(status=502, text="<html><h1>Bad gateway</h1></html>"),
    Trouble.HTML_ANSWER: CrmAnswer(text="<html><h1>Please log in</h1></html>"),
    Trouble.EMPTY_ANSWER: CrmAnswer(),
}
